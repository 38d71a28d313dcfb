package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// Unreported is a job that the partner does not have yet, with its order.
type Unreported struct {
	Job      portal.Job
	PublicID string
	System   string
	Office   portal.Office
	Behind   bool // waits for an earlier report of the same order
}

// Outbox returns what has not been reported yet, the oldest first.
func (s *Store) Outbox(ctx context.Context, limit int) ([]Unreported, error) {
	var rows []struct {
		jobRow
		PublicID string `db:"public_id"`
		System   string `db:"system"`
		Customer string `db:"customer_id"`
		Name     string `db:"name"`
		Behind   bool   `db:"behind"`
	}
	err := s.db.SelectContext(ctx, &rows, `
		SELECT `+jobColumns+`, o.public_id, c.system, p.customer_id, p.name,
			EXISTS (SELECT 1 FROM jobs e WHERE e.subject = j.subject AND e.finished_at IS NULL AND e.id < j.id) AS behind
		FROM jobs j JOIN orders o ON o.id = j.order_id JOIN connections c ON c.id = j.connection_id
			JOIN offices p ON p.id = o.office_id
		WHERE j.finished_at IS NULL
		ORDER BY j.created_at, j.id LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("outbox: %w", mapError(err))
	}
	list := make([]Unreported, 0, len(rows))
	for _, r := range rows {
		job, err := r.job()
		if err != nil {
			return nil, err
		}
		list = append(list, Unreported{Job: job, PublicID: r.PublicID, System: r.System,
			Office: portal.Office{Customer: r.Customer, Name: r.Name}, Behind: r.Behind})
	}
	return list, nil
}

// CountUnreported returns how many jobs the partners do not have yet.
func (s *Store) CountUnreported(ctx context.Context) (int, error) {
	var n int
	err := s.db.GetContext(ctx, &n, `SELECT count(*) FROM jobs WHERE finished_at IS NULL`)
	if err != nil {
		return 0, fmt.Errorf("count unreported: %w", mapError(err))
	}
	return n, nil
}

// Jobs returns an order's reports to the partner with their attempts, oldest first.
func (s *Store) Jobs(ctx context.Context, orderID int64) ([]portal.Job, error) {
	var rows []jobRow
	err := s.db.SelectContext(ctx, &rows, `
		SELECT `+jobColumns+` FROM jobs j WHERE j.order_id = $1 ORDER BY j.id`, orderID)
	if err != nil {
		return nil, fmt.Errorf("jobs of order %d: %w", orderID, mapError(err))
	}
	if len(rows) == 0 {
		return nil, nil
	}
	attempts, err := s.attempts(ctx, orderID)
	if err != nil {
		return nil, err
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

// RetryJob sends a job now, with all its attempts again; a pending automatic
// attempt is replaced. It returns Conflict for a job that runs or is over.
func (s *Store) RetryJob(ctx context.Context, id int64, by portal.Actor) error {
	return s.decideJob(ctx, id, "retry", portal.Event{Kind: portal.EventRetried, Actor: by}, func(tx *sqlx.Tx, now time.Time) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE jobs SET state = 'available', attempt = 0, run_at = $2 WHERE id = $1`, id, now)
		return err
	})
}

// SkipJob gives a job up for a reason: the partner will not be told. It returns
// Conflict for a job that runs or is over.
func (s *Store) SkipJob(ctx context.Context, id int64, reason string, by portal.Actor) error {
	event := portal.Event{Kind: portal.EventSkipped, Actor: by, Data: portal.EventData{Body: reason}}
	return s.decideJob(ctx, id, "skip", event, func(tx *sqlx.Tx, now time.Time) error {
		if err := portal.CheckReason(reason); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE jobs SET state = 'skipped', finished_at = $2 WHERE id = $1`, id, now)
		return err
	})
}

// decideJob lets a person decide about a job that nobody is sending just now.
func (s *Store) decideJob(ctx context.Context, id int64, verb string, e portal.Event, f func(tx *sqlx.Tx, now time.Time) error) error {
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		var row jobRow
		if err := tx.GetContext(ctx, &row, `SELECT `+jobColumns+` FROM jobs j WHERE j.id = $1 FOR UPDATE`, id); err != nil {
			return err
		}
		switch {
		case row.State.Final():
			return portal.Errorf(portal.Conflict, "outbox.over")
		case row.State == portal.JobRunning:
			return portal.Errorf(portal.Conflict, "outbox.running")
		}
		job, err := row.job()
		if err != nil {
			return err
		}
		if err := f(tx, now); err != nil {
			return err
		}
		e.Data.State, e.CreatedAt = job.Message.State, now
		if _, err := insertEvent(ctx, tx, row.OrderID, e); err != nil {
			return err
		}
		return notifyJobs(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("%s job %d: %w", verb, id, err)
	}
	return nil
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

// InteractionLink returns which address a service's questions carry. Only a
// service whose orders open a page can be reached by its callback.
func (s *Store) InteractionLink(ctx context.Context, service string) (portal.LinkKind, error) {
	var kind portal.LinkKind
	err := s.db.GetContext(ctx, &kind, `
		SELECT CASE WHEN s.flow = 'page' THEN c.interaction_link ELSE 'signed' END
		FROM services s JOIN connections c ON c.id = s.connection_id WHERE s.id = $1`, service)
	if err != nil {
		return "", fmt.Errorf("interaction link of %s: %w", service, mapError(err))
	}
	return kind, nil
}
