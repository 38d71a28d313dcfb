package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// CountUnreported returns how many jobs the partners do not have yet.
func (s *Store) CountUnreported(ctx context.Context) (int, error) {
	var n int
	err := s.db.GetContext(ctx, &n, `SELECT count(*) FROM jobs WHERE finished_at IS NULL`)
	if err != nil {
		return 0, fmt.Errorf("count unreported: %w", mapError(err))
	}
	return n, nil
}

// CountOverdue returns how many jobs the partners have not got for longer than
// portal.Overdue, or not before a person has decided.
func (s *Store) CountOverdue(ctx context.Context) (int, error) {
	var n int
	err := s.db.GetContext(ctx, &n, `
		SELECT count(*) FROM jobs WHERE finished_at IS NULL AND (state = 'parked' OR created_at <= $1)`, s.Now().Add(-portal.Overdue))
	if err != nil {
		return 0, fmt.Errorf("count overdue: %w", mapError(err))
	}
	return n, nil
}

// Jobs returns an order's reports to the partner with their attempts, oldest first.
func (s *Store) Jobs(ctx context.Context, orderID int64) ([]portal.Job, error) {
	return orderJobs(ctx, s.db, orderID)
}

func orderJobs(ctx context.Context, conn sqlx.QueryerContext, orderID int64) ([]portal.Job, error) {
	var rows []jobRow
	err := sqlx.SelectContext(ctx, conn, &rows, `
		SELECT `+jobColumns+` FROM jobs j WHERE j.order_id = $1 ORDER BY j.id`, orderID)
	if err != nil {
		return nil, fmt.Errorf("jobs of order %d: %w", orderID, mapError(err))
	}
	if len(rows) == 0 {
		return nil, nil
	}
	attempts, err := attemptsOf(ctx, conn, `j.order_id = $1`, orderID)
	if err != nil {
		return nil, fmt.Errorf("jobs of order %d: %w", orderID, err)
	}
	jobs := make([]portal.Job, 0, len(rows))
	for _, r := range rows {
		job, err := r.job()
		if err != nil {
			return nil, err
		}
		job.Attempts = attempts[job.ID]
		jobs = append(jobs, job)
	}
	return jobs, nil
}

// ListenJobs returns a channel on which a value means that jobs may be due; the
// first says that the database is being listened to. It is closed when ctx ends.
// Values can be lost, and all of them are while the database does not answer:
// poll underneath.
func (s *Store) ListenJobs(ctx context.Context) <-chan struct{} {
	wake := make(chan struct{}, 1)
	tell := func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	go func() {
		defer close(wake)
		listener := pq.NewListener(s.url, 100*time.Millisecond, 30*time.Second, nil)
		context.AfterFunc(ctx, func() { _ = listener.Close() }) // also ends the wait for a connection
		if listener.Listen(jobsChannel) == nil {
			tell()
		}
		for {
			select {
			case <-ctx.Done():
				return
			case <-listener.Notify: // nil after a reconnect: something may have been missed
				tell()
			}
		}
	}()
	return wake
}

// Backlog is what a connection's partner has not been told, by state of job.
type Backlog struct {
	ConnectionID string          `db:"connection_id"`
	State        portal.JobState `db:"state"`
	Count        int             `db:"count"`
	Oldest       time.Time       `db:"oldest"`
	OldestAge    time.Duration   `db:"-"`
}

// Backlog returns what the partners have not been told.
func (s *Store) Backlog(ctx context.Context) ([]Backlog, error) {
	var list []Backlog
	err := s.db.SelectContext(ctx, &list, `
		SELECT connection_id, state, count(*), min(created_at) AS oldest FROM jobs
		WHERE finished_at IS NULL GROUP BY connection_id, state ORDER BY connection_id, state`)
	if err != nil {
		return nil, fmt.Errorf("backlog: %w", mapError(err))
	}
	for i := range list {
		list[i].OldestAge = s.Now().Sub(list[i].Oldest)
	}
	return list, nil
}

// InteractionLink returns which address a service's questions carry. One whose
// orders come in the background cannot be reached by its callback.
func (s *Store) InteractionLink(ctx context.Context, service string) (portal.LinkKind, error) {
	var kind portal.LinkKind
	err := s.db.GetContext(ctx, &kind, `
		SELECT CASE WHEN s.flow = 'background' THEN 'signed' ELSE c.interaction_link END
		FROM services s JOIN connections c ON c.id = s.connection_id WHERE s.id = $1`, service)
	if err != nil {
		return "", fmt.Errorf("interaction link of %s: %w", service, mapError(err))
	}
	return kind, nil
}
