package handlers

import (
	"context"
	"errors"
	"fmt"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"portico/db"
)

// erasedAtOnce is how many erased files are read at once.
const erasedAtOnce = 100

// DeleteErasedFiles deletes the files of what was erased, those that can be. The
// others are tried again when it is called again.
func DeleteErasedFiles(ctx context.Context, store *db.Store, bucket *blob.Bucket) error {
	for {
		keys, err := store.ErasedFiles(ctx, erasedAtOnce)
		if err != nil || len(keys) == 0 {
			return err
		}
		var failed error
		for _, key := range keys {
			if err := bucket.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
				failed = errors.Join(failed, fmt.Errorf("delete file %s: %w", key, err))
				continue
			}
			if err := store.FileDeleted(ctx, key); err != nil {
				return errors.Join(failed, err)
			}
		}
		if failed != nil {
			return failed
		}
	}
}
