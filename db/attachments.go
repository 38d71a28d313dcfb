package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// AttachFiles adds files to the order form of a draft, and takes away those of
// it whose ids remove names. The files must be in the blob store already. It
// returns Invalid if the order gets more than it may have, and Conflict if it is
// no draft any more; then the caller has to delete the files.
func (s *Store) AttachFiles(ctx context.Context, id int64, files []portal.Attachment, remove []string) error {
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		o, err := orderForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		there, err := attachments(ctx, tx, id)
		if err != nil {
			return err
		}
		var gone pq.StringArray
		kept := slices.DeleteFunc(there, func(a portal.Attachment) bool {
			if !slices.Contains(remove, a.ID) {
				return false
			}
			gone = append(gone, a.ID)
			return true
		})
		if err := o.Attach(kept, files); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			WITH gone AS (DELETE FROM files WHERE order_id = $1 AND id = ANY ($2) RETURNING blob_key)
			INSERT INTO erased_files (blob_key, created_at) SELECT blob_key, $3 FROM gone`, id, gone, now)
		if err != nil {
			return err
		}
		for _, f := range files {
			_, err := tx.ExecContext(ctx, `
				INSERT INTO files (id, order_id, field, position, name, content_type, size, sha256, blob_key)
				SELECT $1, $2, $3, COALESCE(max(position) + 1, 0), $4, $5, $6, $7, $8 FROM files WHERE order_id = $2 AND field <> ''`,
				f.ID, id, f.Field, f.Name, f.ContentType, f.Size, f.SHA256, f.Key)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("attach files to order %d: %w", id, err)
	}
	return nil
}

// Attachments returns the files of an order's form, in the order in which they came.
func (s *Store) Attachments(ctx context.Context, orderID int64) ([]portal.Attachment, error) {
	list, err := attachments(ctx, s.db, orderID)
	if err != nil {
		return nil, fmt.Errorf("attachments of order %d: %w", orderID, mapError(err))
	}
	return list, nil
}

func attachments(ctx context.Context, conn sqlx.QueryerContext, orderID int64) ([]portal.Attachment, error) {
	var rows []fileRow
	err := sqlx.SelectContext(ctx, conn, &rows, selectFile+` WHERE f.order_id = $1 AND f.field <> '' AND f.blob_key <> '' ORDER BY f.position, f.id`, orderID)
	var list []portal.Attachment
	for _, r := range rows {
		list = append(list, portal.Attachment{File: r.file(), Field: r.Field})
	}
	return list, err
}
