package db

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// RetryJob sends a job now, with all its attempts again; a pending automatic
// attempt is replaced. A lead that may have arrived is sent once more all the
// same. It returns Conflict for a job that runs or is over.
func (s *Store) RetryJob(ctx context.Context, id int64, by portal.Actor) error {
	return s.decideJob(ctx, id, "retry", portal.Event{Kind: portal.EventRetried, Actor: by}, func(tx *sqlx.Tx, now time.Time) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE jobs SET state = 'available', attempt = 0, doubts = LEAST(doubts, 1), last_error = '', run_at = $2,
				uncertain = uncertain AND kind <> 'lead' -- this was the person's word that it waited for
			WHERE id = $1`, id, now)
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
		if err != nil {
			return err
		}
		return dropSkipped(ctx, tx, now)
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
		told := job.Message.Told()
		told.Body = e.Data.Body
		e.Data, e.CreatedAt = told, now
		if row.LeadID != 0 {
			err = decideLeads(ctx, tx, []int64{row.LeadID}, e, now)
		} else {
			_, err = insertEvent(ctx, tx, row.OrderID, e)
		}
		if err != nil {
			return err
		}
		return notifyJobs(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("%s job %d: %w", verb, id, err)
	}
	return nil
}

// Decided is how far a decision about several jobs went.
type Decided struct {
	Done int
	Left int // they run, are over, or there was nothing to decide
}

// RetryJobs sends the jobs that the filter finds, each with all its attempts
// again, over the time of a recovery: one at once, and the oldest first. What has
// not been tried yet is left alone, and so is a lead that may have arrived: a
// person has to decide about each.
func (s *Store) RetryJobs(ctx context.Context, f OutboxFilter, by portal.Actor) (Decided, error) {
	return s.decideJobs(ctx, f, decision{verb: "retry", may: isRetryableWithOthers,
		set:   fmt.Sprintf(`state = 'available', attempt = 0, doubts = LEAST(doubts, 1), last_error = '', run_at = $1::timestamptz + turn.part * interval '%d ms'`, recovery.Milliseconds()),
		event: portal.Event{Kind: portal.EventRetried, Actor: by}})
}

// SkipJobs gives jobs up for one reason. It returns Invalid without one.
func (s *Store) SkipJobs(ctx context.Context, ids []int64, reason string, by portal.Actor) (Decided, error) {
	if err := portal.CheckReason(reason); err != nil {
		return Decided{}, fmt.Errorf("skip jobs: %w", err)
	}
	return s.decideJobs(ctx, OutboxFilter{Jobs: ids}, decision{verb: "skip", may: `j.state IN ('available', 'parked')`,
		set:   `state = 'skipped', finished_at = $1::timestamptz`,
		event: portal.Event{Kind: portal.EventSkipped, Actor: by, Data: portal.EventData{Body: reason}}})
}

// decision is what a person decides about several jobs: which of them it can
// concern, what becomes of those, and the line on the timeline of each order.
type decision struct {
	verb, may, set string
	event          portal.Event
}

func (s *Store) decideJobs(ctx context.Context, f OutboxFilter, d decision) (Decided, error) {
	var n Decided
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		data, err := json.Marshal(d.event.Data)
		if err != nil {
			return err
		}
		by := d.event.Actor
		var leads pq.Int64Array
		where, args := f.where(now, now, d.event.Kind, by.Kind, by.ID, by.Name, data)
		err = tx.QueryRowContext(ctx, fmt.Sprintf(`
			-- What somebody has locked is being sent or decided about: it is left.
			WITH chosen AS MATERIALIZED (
				SELECT j.id, j.created_at FROM jobs j WHERE %[1]s AND %[2]s FOR UPDATE SKIP LOCKED
			), turn AS (
				SELECT id, (row_number() OVER (ORDER BY created_at, id) - 1)::float8 / count(*) OVER () AS part FROM chosen
			), decided AS (
				UPDATE jobs j SET %[3]s FROM turn WHERE j.id = turn.id
				RETURNING j.id, j.order_id, j.lead_id, jsonb_build_object('state', j.payload -> 'state', 'step', j.payload -> 'step',
					'file', j.payload #> '{upload,name}', 'remark', j.payload -> 'remark',
					'operation', j.payload #> '{activation,operation}') AS told
			), told AS (
				INSERT INTO events (order_id, kind, actor_kind, actor_id, actor_name, for_broker, data, created_at)
				SELECT order_id, $2, $3, $4, $5, false, $6::jsonb || jsonb_strip_nulls(told), $1 FROM decided
				WHERE order_id IS NOT NULL ORDER BY id
			)
			SELECT (SELECT count(*) FROM decided), (SELECT count(*) FROM jobs j WHERE %[1]s),
				ARRAY(SELECT lead_id FROM decided WHERE lead_id IS NOT NULL ORDER BY lead_id)`,
			where, d.may, d.set), args...).Scan(&n.Done, &n.Left, &leads)
		if err != nil {
			return err
		}
		if f.Jobs != nil {
			n.Left = len(slices.Compact(slices.Sorted(slices.Values(f.Jobs))))
		}
		n.Left -= n.Done
		if err := dropSkipped(ctx, tx, now); err != nil {
			return err
		}
		if err := decideLeads(ctx, tx, leads, d.event, now); err != nil {
			return err
		}
		return notifyJobs(ctx, tx)
	})
	if err != nil {
		return Decided{}, fmt.Errorf("%s jobs: %w", d.verb, err)
	}
	return n, nil
}
