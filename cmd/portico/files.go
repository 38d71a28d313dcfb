package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"gocloud.dev/gcerrors"

	"portico/internal/partner/visma"
	"portico/internal/portal"
)

// taker is a client whose partner may take the files of deliveries.
type taker interface {
	Delivers() bool
	Deliver(context.Context, portal.Message, visma.File) error
}

// storagePause is how long a file waits for a storage that does not answer.
const storagePause = time.Minute

// bring brings the partner a file of a delivery. It is refused where no further
// attempt would help: without the file, and where the partner takes none.
func (p *partner) bring(ctx context.Context, m portal.Message) error {
	client, ok := p.client.(taker)
	if !ok || !client.Delivers() {
		return &portal.ReportError{Outcome: portal.OutcomeRefused, Err: fmt.Errorf("connection %s is no longer set up to take files", p.id)}
	}
	file := visma.File{Name: m.Upload.As, ContentType: m.Upload.ContentType, Size: m.Upload.Size,
		Open: func() (io.ReadCloser, error) { return p.stored(ctx, m.Upload) }}
	return client.Deliver(ctx, m, file)
}

// stored opens a file in the storage. Its errors say what becomes of the message:
// it is not the partner that has failed.
func (p *partner) stored(ctx context.Context, u *portal.Upload) (io.ReadCloser, error) {
	r, err := p.bucket.NewReader(ctx, u.Key, nil)
	switch {
	case gcerrors.Code(err) == gcerrors.NotFound:
		return nil, &portal.ReportError{Outcome: portal.OutcomeRefused, Err: fmt.Errorf("the file %q is not in the storage: there is no %s", u.Name, u.Key)}
	case err != nil:
		return nil, &portal.ReportError{Outcome: portal.OutcomeBusy, RetryAfter: storagePause, Err: fmt.Errorf("open the file %q in the storage: %w", u.Name, err)}
	case r.Size() != u.Size:
		_ = r.Close()
		return nil, &portal.ReportError{Outcome: portal.OutcomeRefused, Err: fmt.Errorf("the file %q has %d bytes in the storage, and was delivered with %d", u.Name, r.Size(), u.Size)}
	}
	return r, nil
}
