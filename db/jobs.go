package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// jobsChannel is what is notified when a job became due. A notification is a
// hint: it can be lost.
const jobsChannel = "portico_jobs"

// insertJob puts a message into the outbox, in the transaction of the change
// that caused it.
func insertJob(ctx context.Context, tx *sqlx.Tx, kind, key string, m portal.Message, now time.Time) error {
	payload, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO jobs (kind, state, connection_id, subject, order_id, unique_key, payload, max_attempts, run_at, created_at)
		VALUES ($1, 'available', $2, $3, $4, $5, $6, $7, $8, $8)`,
		kind, m.ConnectionID, fmt.Sprintf("order/%d", m.OrderID), m.OrderID, key, payload, len(portal.Backoff), now)
	if err != nil {
		return err
	}
	return notifyJobs(ctx, tx)
}

func notifyJobs(ctx context.Context, tx *sqlx.Tx) error {
	_, err := tx.ExecContext(ctx, `SELECT pg_notify($1, '')`, jobsChannel)
	return err
}

type jobRow struct {
	ID          int64           `db:"id"`
	State       portal.JobState `db:"state"`
	OrderID     int64           `db:"order_id"` // 0: it brings a lead
	LeadID      int64           `db:"lead_id"`
	Payload     []byte          `db:"payload"`
	Attempt     int             `db:"attempt"`
	MaxAttempts int             `db:"max_attempts"`
	Uncertain   bool            `db:"uncertain"`
	Doubts      int             `db:"doubts"`
	Shown       string          `db:"shown"`   // empty but in a claim
	Earlier     []byte          `db:"earlier"` // NULL but in a claim of what may have arrived
	RunAt       time.Time       `db:"run_at"`
	LastError   string          `db:"last_error"`
	CreatedAt   time.Time       `db:"created_at"`
	FinishedAt  *time.Time      `db:"finished_at"`
}

const jobColumns = `j.id, j.state, COALESCE(j.order_id, 0) AS order_id, COALESCE(j.lead_id, 0) AS lead_id, j.payload, j.attempt, j.max_attempts, j.uncertain, j.doubts, j.run_at, j.last_error, j.created_at, j.finished_at`

func (r jobRow) job() (portal.Job, error) {
	j := portal.Job{ID: r.ID, State: r.State, Attempt: r.Attempt, MaxAttempts: r.MaxAttempts, RunAt: r.RunAt,
		LastError: r.LastError, CreatedAt: r.CreatedAt, FinishedAt: r.FinishedAt}
	if err := json.Unmarshal(r.Payload, &j.Message); err != nil {
		return portal.Job{}, fmt.Errorf("read job %d: %w", r.ID, err)
	}
	j.Message.Uncertain, j.Message.Doubts, j.Message.Since = r.Uncertain, r.Doubts, r.CreatedAt
	if r.Earlier != nil {
		if err := json.Unmarshal(r.Earlier, &j.Message.Earlier); err != nil {
			return portal.Job{}, fmt.Errorf("read what job %d comes after: %w", r.ID, err)
		}
	}
	if r.OrderID != 0 {
		j.Message.Number, j.Message.Shown = strconv.FormatInt(r.OrderID, 10), r.Shown
	}
	return j, nil
}

// ConnectionsDue returns the connections that have a job to claim.
func (s *Store) ConnectionsDue(ctx context.Context) ([]string, error) {
	var ids []string
	err := s.db.SelectContext(ctx, &ids, `
		SELECT c.id FROM connections c
		WHERE EXISTS (
			SELECT 1 FROM jobs j
			WHERE j.connection_id = c.id AND j.due_at <= $1
				AND NOT EXISTS (
					SELECT 1 FROM jobs e
					WHERE e.subject = j.subject AND e.finished_at IS NULL AND e.id < j.id))
		ORDER BY c.id`, s.Now())
	if err != nil {
		return nil, fmt.Errorf("connections due: %w", mapError(err))
	}
	return ids, nil
}

// claimJobs is prepared: every attempt begins with it.
const claimJobs = `
	-- MATERIALIZED: in a plan that looks for due jobs anew for each row, each
	-- look would skip what is claimed already and claim more than the limit.
	WITH due AS MATERIALIZED (
		SELECT d.id FROM jobs d
		WHERE d.connection_id = $1 AND d.due_at <= $2
			AND NOT EXISTS (
				SELECT 1 FROM jobs e
				WHERE e.subject = d.subject AND e.finished_at IS NULL AND e.id < d.id)
		ORDER BY d.due_at, d.id
		LIMIT $4
		FOR UPDATE SKIP LOCKED)
	UPDATE jobs j SET state = 'running', attempt = j.attempt + 1, leased_until = $3::timestamptz
			-- portal.Message.Extra
			+ CASE j.kind WHEN 'file' THEN (j.payload #>> '{upload,seconds}')::int ELSE 0 END * interval '1 second',
		uncertain = j.uncertain OR j.state = 'running', doubts = j.doubts + CASE j.state WHEN 'running' THEN 1 ELSE 0 END
	-- ANY: of a join with a limit that it does not know the planner expects so many
	-- rows that it reads the whole table.
	WHERE j.id = ANY (ARRAY(SELECT due.id FROM due))
	RETURNING COALESCE((SELECT o.shown FROM orders o WHERE o.id = j.order_id), '') AS shown, ` + jobColumns + `, CASE WHEN j.uncertain THEN (
		SELECT jsonb_agg(jsonb_build_object('state', e.payload ->> 'state', 'at', e.finished_at) ORDER BY e.id)
		FROM jobs e WHERE e.order_id = j.order_id AND e.id < j.id AND e.kind = 'report' AND e.state = 'completed') END AS earlier`

// ClaimJobs leases up to n due jobs of a connection to the caller, one that brings
// a file for as much longer as that may take. A job waits for every earlier
// unfinished job of its subject. A lease that ran out is claimed again, as
// uncertain. A job whose attempts are used up is claimed once more, to be parked.
func (s *Store) ClaimJobs(ctx context.Context, connection string, n int, lease time.Duration) ([]portal.Job, error) {
	statement, err := s.prepared(ctx, claimJobs)
	if err != nil {
		return nil, fmt.Errorf("claim jobs of %s: %w", connection, err)
	}
	var rows []jobRow
	now := s.Now()
	if err := statement.SelectContext(ctx, &rows, connection, now, now.Add(lease), n); err != nil {
		return nil, fmt.Errorf("claim jobs of %s: %w", connection, mapError(err))
	}
	claimed := make([]portal.Job, 0, len(rows))
	for _, row := range rows {
		job, err := row.job()
		if err != nil {
			return nil, err
		}
		claimed = append(claimed, job)
	}
	return claimed, nil
}

// completeJob is prepared: nearly every attempt ends with it. It is one
// statement because its round trips are what draining the outbox costs.
const completeJob = `
	WITH mine AS (
		SELECT id, order_id, connection_id, subject FROM jobs
		WHERE id = $1 AND state = 'running' AND attempt = $2 AND run_at = $3 FOR UPDATE
	), done AS (
		UPDATE jobs j SET state = 'completed', finished_at = $4, leased_until = NULL, last_error = ''
		FROM mine WHERE j.id = mine.id
	), kept AS (
		INSERT INTO attempts (job_id, number, started_at, took_ms, outcome, status, answer, error)
		SELECT id, (SELECT COALESCE(max(number), 0) + 1 FROM attempts a WHERE a.job_id = mine.id), $5, $6, $7, $8, $9, ''
		FROM mine WHERE $10
	), told AS (
		INSERT INTO events (order_id, kind, actor_kind, actor_id, actor_name, for_broker, data, created_at)
		SELECT order_id, $11, $12, 0, '', false, $13, $4 FROM mine
	), shown AS (
		UPDATE orders o SET shown = $16 FROM mine WHERE o.id = mine.order_id AND $16 <> '' AND o.shown <> $16
	), up AS (
		UPDATE connections c SET down_since = NULL FROM mine
		WHERE c.id = mine.connection_id AND c.down_since IS NOT NULL RETURNING c.id
	), sooner AS (
		-- What failed during the outage was not at fault, and does not wait for the
		-- end of a backoff of hours.
		UPDATE jobs j SET run_at = $4::timestamptz + random() * $14::float8 * interval '1 second'
		WHERE j.connection_id = (SELECT up.id FROM up) AND j.state = 'available' AND j.last_error <> ''
			AND j.due_at > $4::timestamptz + $14::float8 * interval '1 second'
	)
	-- The next job of the order is due now.
	SELECT id, (SELECT pg_notify($15, '') WHERE EXISTS (
		SELECT 1 FROM jobs n WHERE n.subject = mine.subject AND n.finished_at IS NULL AND n.id > mine.id))
	FROM mine`

// CompleteJob records that the partner has the report, which also ends an
// outage of the partner. It returns portal.ErrLeaseLost if the job is no longer
// the caller's.
func (s *Store) CompleteJob(ctx context.Context, j portal.Job, took time.Duration) error {
	told := j.Message.Told()
	told.Attempt, told.Took = j.Attempt, took
	data, err := json.Marshal(told)
	if err != nil {
		return err
	}
	a := j.LastAttempt()
	statement, err := s.prepared(ctx, completeJob)
	if err == nil {
		err = statement.QueryRowContext(ctx, j.ID, j.Attempt, j.RunAt, s.Now(), a.StartedAt, tookMS(a), a.Outcome,
			a.Status, a.Answer, len(j.Attempts) > 0, portal.EventReported, portal.ActorPartner, data, recovery.Seconds(),
			jobsChannel, a.Shown).Scan(new(int64), new(any))
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = portal.ErrLeaseLost
	}
	if err != nil {
		return fmt.Errorf("complete job %d: %w", j.ID, mapError(err))
	}
	return nil
}

// RetryJobLater records a failed attempt, and when the next one is due.
func (s *Store) RetryJobLater(ctx context.Context, j portal.Job, runAt time.Time, reason string, uncertain bool) error {
	return s.endAttempt(ctx, j, "retry later", func(tx *sqlx.Tx, _ time.Time) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE jobs SET state = 'available', leased_until = NULL, run_at = $2, last_error = $3, uncertain = $4,
				doubts = doubts + $5
			WHERE id = $1`, j.ID, runAt, reason, uncertain, doubt(j))
		return err
	})
}

// SnoozeJob gives the attempt back: it says nothing about the job, only that
// now is not the time.
func (s *Store) SnoozeJob(ctx context.Context, j portal.Job, runAt time.Time, reason string) error {
	return s.endAttempt(ctx, j, "snooze", func(tx *sqlx.Tx, _ time.Time) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE jobs SET state = 'available', leased_until = NULL, run_at = $2, last_error = $3, attempt = attempt - 1
			WHERE id = $1`, j.ID, runAt, reason)
		return err
	})
}

// ParkJob puts the job aside for a person; nothing is dropped.
func (s *Store) ParkJob(ctx context.Context, j portal.Job, reason string, uncertain bool) error {
	return s.endAttempt(ctx, j, "park", func(tx *sqlx.Tx, now time.Time) error {
		if err := parkJob(ctx, tx, j, reason, uncertain); err != nil {
			return err
		}
		if j.Message.LeadID != 0 {
			return parkLead(ctx, tx, j.Message.LeadID, uncertain, now)
		}
		told := j.Message.Told()
		told.Attempt, told.Body = min(j.Attempt, j.MaxAttempts), reason
		_, err := insertEvent(ctx, tx, j.Message.OrderID, portal.Event{Kind: portal.EventParked, CreatedAt: now,
			Actor: portal.Actor{Kind: portal.ActorSystem}, Data: told})
		return err
	})
}

func parkJob(ctx context.Context, tx *sqlx.Tx, j portal.Job, reason string, uncertain bool) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE jobs SET state = 'parked', leased_until = NULL, last_error = $2, uncertain = $3,
			attempt = LEAST(attempt, max_attempts), doubts = doubts + $4
		WHERE id = $1`, j.ID, reason, uncertain, doubt(j))
	return err
}

// doubt is 1 if the attempt that is being recorded may have arrived.
func doubt(j portal.Job) int {
	if len(j.Attempts) > 0 && j.LastAttempt().Outcome == portal.OutcomeUnknown {
		return 1
	}
	return 0
}

// endAttempt runs f if the job is still the caller's attempt. A retry by hand
// counts from the beginning again, but at another time.
func (s *Store) endAttempt(ctx context.Context, j portal.Job, verb string, f func(tx *sqlx.Tx, now time.Time) error) error {
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		var mine int64
		err := tx.GetContext(ctx, &mine, `
			SELECT id FROM jobs WHERE id = $1 AND state = 'running' AND attempt = $2 AND run_at = $3 FOR UPDATE`,
			j.ID, j.Attempt, j.RunAt)
		if errors.Is(err, sql.ErrNoRows) {
			return portal.ErrLeaseLost
		}
		if err != nil {
			return err
		}
		if err := insertAttempt(ctx, tx, j); err != nil {
			return err
		}
		return f(tx, now)
	})
	if err != nil {
		return fmt.Errorf("%s job %d: %w", verb, j.ID, err)
	}
	return nil
}
