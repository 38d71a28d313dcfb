package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// overlap is how many days before what has been listed a poll asks again: its
// partner lists by the day, and an order may have come in late.
const overlap = 1

// ClaimPoll leases a connection whose orders are due to be fetched. ok is false
// if there is none. What is asked for reaches back to the oldest order that is
// still open, so that what others do to it is seen.
func (s *Store) ClaimPoll(ctx context.Context, lease time.Duration) (p portal.Poll, ok bool, err error) {
	provider, err := s.Provider(ctx)
	if portal.KindOf(err) == portal.NotFound {
		return p, false, nil // nothing is set up yet
	}
	if err != nil {
		return p, false, err
	}
	err = s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		today := now.In(provider.Location()).Format(time.DateOnly)
		_, err := tx.ExecContext(ctx, `
			INSERT INTO polls (connection_id, cursor, next_run_at, created_at)
			SELECT c.id, COALESCE(c.poll_from + $3::int, $2), $1, $1 FROM connections c
			WHERE c.poll_seconds > 0 AND NOT EXISTS (SELECT 1 FROM polls p WHERE p.connection_id = c.id)
			ON CONFLICT DO NOTHING`, now, today, overlap)
		if err != nil {
			return err
		}
		var row struct {
			ConnectionID string       `db:"connection_id"`
			Claim        int64        `db:"claim"`
			Cursor       time.Time    `db:"cursor"`
			Oldest       sql.NullTime `db:"oldest"`
		}
		err = tx.GetContext(ctx, &row, `
			WITH due AS MATERIALIZED (
				SELECT p.connection_id FROM polls p JOIN connections c ON c.id = p.connection_id
				WHERE c.poll_seconds > 0 AND p.next_run_at <= $1 AND (p.leased_until IS NULL OR p.leased_until <= $1)
				ORDER BY p.next_run_at, p.connection_id LIMIT 1 FOR UPDATE OF p SKIP LOCKED)
			UPDATE polls p SET leased_until = $2, claim = p.claim + 1, last_at = $1 FROM due
			WHERE p.connection_id = due.connection_id
			RETURNING p.connection_id, p.claim, p.cursor, (
				SELECT min((o.details ->> 'ordered_at')::timestamptz) FROM orders o
				WHERE `+isOpen+` AND o.connection_id = p.connection_id) AS oldest`, now, now.Add(lease))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		ok = true
		since := row.Cursor.AddDate(0, 0, -overlap)
		if row.Oldest.Valid && row.Oldest.Time.Before(since) {
			since = row.Oldest.Time
		}
		if limit := now.Add(-portal.ReconcileSpan); since.Before(limit) && row.Cursor.After(limit) {
			since = limit
		}
		p = portal.Poll{ConnectionID: row.ConnectionID, Claim: row.Claim, Since: since, At: now}
		return nil
	})
	if err != nil {
		return p, false, fmt.Errorf("claim poll: %w", err)
	}
	return p, ok, nil
}

// heldPoll makes sure that a poll is still the caller's, and for lease longer.
// It returns portal.ErrLeaseLost if it is not.
func heldPoll(ctx context.Context, tx *sqlx.Tx, p portal.Poll, now time.Time, lease time.Duration) error {
	result, err := tx.ExecContext(ctx, `
		UPDATE polls SET leased_until = GREATEST(leased_until, $3)
		WHERE connection_id = $1 AND claim = $2 AND leased_until IS NOT NULL`, p.ConnectionID, p.Claim, now.Add(lease))
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, portal.ErrLeaseLost)
	}
	return nil
}

// FinishPoll records that all that a partner listed is in or kept aside, which
// moves the cursor on. It returns portal.ErrLeaseLost if the poll is no longer
// the caller's.
func (s *Store) FinishPoll(ctx context.Context, p portal.Poll, listed, imported int) error {
	provider, err := s.Provider(ctx)
	if err != nil {
		return err
	}
	return s.endPoll(ctx, p, `UPDATE polls p SET leased_until = NULL, failures = 0, last_error = NULL, last_ok_at = $3, listed = $4,
			imported = $5, cursor = GREATEST(cursor, $6), next_run_at = $7::timestamptz + c.poll_seconds * interval '1 second'
		FROM connections c WHERE c.id = p.connection_id AND p.connection_id = $1 AND p.claim = $2 AND p.leased_until IS NOT NULL`,
		p.At, listed, imported, p.At.In(provider.Location()).Format(time.DateOnly), s.Now())
}

// pollBackoff is the longest time between two polls that fail, as long as the
// connection's own is not longer.
const pollBackoff = 10 * time.Minute

// FailPoll records that a partner's orders could not be fetched, and why. wait
// is how long the partner asks not to be asked again, 0 if it does not say.
func (s *Store) FailPoll(ctx context.Context, p portal.Poll, reason portal.Sentence, wait time.Duration) error {
	text, err := json.Marshal(reason)
	if err != nil {
		return err
	}
	return s.endPoll(ctx, p, `UPDATE polls p SET leased_until = NULL, failures = failures + 1, last_error = $3,
			next_run_at = $4::timestamptz + GREATEST($5::float8, LEAST(GREATEST($6::float8, c.poll_seconds), c.poll_seconds * power(2, LEAST(p.failures, 10))))
				* interval '1 second'
		FROM connections c WHERE c.id = p.connection_id AND p.connection_id = $1 AND p.claim = $2 AND p.leased_until IS NOT NULL`,
		text, s.Now(), wait.Seconds(), pollBackoff.Seconds())
}

// ReleasePoll gives a poll back that its worker cannot end: another may at once.
func (s *Store) ReleasePoll(ctx context.Context, p portal.Poll) error {
	return s.endPoll(ctx, p, `UPDATE polls SET leased_until = NULL, next_run_at = $3
		WHERE connection_id = $1 AND claim = $2 AND leased_until IS NOT NULL`, s.Now())
}

func (s *Store) endPoll(ctx context.Context, p portal.Poll, statement string, args ...any) error {
	result, err := s.db.ExecContext(ctx, statement, append([]any{p.ConnectionID, p.Claim}, args...)...)
	if err == nil {
		var n int64
		if n, err = result.RowsAffected(); err == nil && n == 0 {
			err = portal.ErrLeaseLost
		}
	}
	if err != nil {
		return fmt.Errorf("end poll of %s: %w", p.ConnectionID, mapError(err))
	}
	return nil
}

// ListOrders takes in a part of what a partner lists: what we do not have is put
// among what is to be fetched, and what we have and the partner shows otherwise
// is noted on the order. It returns portal.ErrLeaseLost if the poll is no longer
// the caller's.
func (s *Store) ListOrders(ctx context.Context, p portal.Poll, list []portal.Listed, rules portal.PollRules, lease time.Duration) error {
	var moved []int64
	listed := map[string]portal.Listed{}
	ids := make([]string, 0, len(list))
	for _, l := range list {
		listed[l.OrderID] = l
		ids = append(ids, l.OrderID)
	}
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		if err := heldPoll(ctx, tx, p, now, lease); err != nil {
			return err
		}
		var known []struct {
			ID             int64  `db:"id"`
			PartnerOrderID string `db:"partner_order_id"`
			Shown          string `db:"shown"`
		}
		err := tx.SelectContext(ctx, &known, `
			SELECT o.id, o.partner_order_id, o.shown FROM orders o
			WHERE o.connection_id = $1 AND o.office_id IN (SELECT id FROM offices WHERE connection_id = $1)
				AND o.partner_order_id = ANY($2) ORDER BY o.id`, p.ConnectionID, pq.StringArray(ids))
		if err != nil {
			return err
		}
		ours := map[string]bool{}
		for _, k := range known {
			ours[k.PartnerOrderID] = true
			if l := listed[k.PartnerOrderID]; l.Status != k.Shown {
				moved = append(moved, k.ID)
			}
		}
		return insertFetched(ctx, tx, p.ConnectionID, list, ours, now)
	})
	for _, id := range moved {
		if err == nil {
			err = s.seeOrder(ctx, p, id, listed, rules)
		}
	}
	if err != nil {
		return fmt.Errorf("list orders of %s: %w", p.ConnectionID, err)
	}
	return nil
}

// seeOrder notes what a partner shows of an order, unless that may be older than
// what we have told it.
func (s *Store) seeOrder(ctx context.Context, p portal.Poll, id int64, listed map[string]portal.Listed, rules portal.PollRules) error {
	return s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		// Differences before orders, as a person who settles one locks them.
		_, err := tx.ExecContext(ctx, `SELECT 1 FROM differences d WHERE d.order_id = $1 AND `+isCurrent+` FOR UPDATE`, id)
		if err != nil {
			return err
		}
		o, err := orderForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		l := listed[o.PartnerOrderID]
		held := portal.HeldOrder{ID: o.ID, PartnerOrderID: o.PartnerOrderID, ServiceID: o.Service.ID, CreatedAt: o.CreatedAt, ChangedAt: o.UpdatedAt}
		var told struct {
			States     pq.StringArray `db:"states"`
			Unreported bool           `db:"unreported"`
			FinishedAt sql.NullTime   `db:"finished_at"`
		}
		err = tx.GetContext(ctx, &told, `
			SELECT array_agg(payload ->> 'state' ORDER BY id DESC) AS states, COALESCE(bool_or(finished_at IS NULL), false) AS unreported,
				max(finished_at) AS finished_at
			FROM jobs WHERE order_id = $1 AND kind = 'report'`, id)
		if err != nil {
			return err
		}
		if told.FinishedAt.Valid && told.FinishedAt.Time.After(held.ChangedAt) {
			held.ChangedAt = told.FinishedAt.Time
		}
		if told.Unreported || !held.ChangedAt.Before(p.At) {
			return nil
		}
		was := o.State
		change, ok := o.See(l, rules, now)
		if !ok {
			return nil
		}
		if err := saveSeen(ctx, tx, o, was, change, now); err != nil {
			return err
		}
		held.State = o.State
		if !rules.Follows {
			held.Told = stringsTo[portal.State](told.States)
		}
		c := portal.Compare([]portal.HeldOrder{held}, portal.Listing{Orders: []portal.Listed{l}, Words: rules.Words}, nil, portal.Period{At: p.At})
		c.Only = o.PartnerOrderID
		return saveDifferences(ctx, tx, portal.Reconciliation{Office: o.Office}, c, now)
	})
}

// saveSeen does not make an order look as if it had changed here, unless it has.
func saveSeen(ctx context.Context, tx *sqlx.Tx, o *portal.Order, was portal.State, c portal.Change, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE orders SET shown = $2 WHERE id = $1`, o.ID, o.Shown)
	if err != nil {
		return err
	}
	if o.State != was {
		return saveChange(ctx, tx, o, c, now)
	}
	return insertChange(ctx, tx, o.ID, c, now)
}

func pollSoon(ctx context.Context, tx *sqlx.Tx, connection string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE polls SET next_run_at = LEAST(next_run_at, $2) WHERE connection_id = $1`, connection, now)
	return err
}

// PollSoon makes a connection due to be polled now.
func (s *Store) PollSoon(ctx context.Context, connection string) error {
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error { return pollSoon(ctx, tx, connection, now) })
	if err != nil {
		return fmt.Errorf("poll %s soon: %w", connection, err)
	}
	return nil
}

// PollStatus is how far the fetching of a connection's orders is.
type PollStatus struct {
	ConnectionID string
	System       string
	Every        time.Duration
	Cursor       time.Time // the day that all has been listed before; zero: nothing has been asked for yet
	NextRunAt    time.Time
	Running      bool
	Failures     int              // in a row
	LastError    *portal.Sentence // nil: the last one was good
	LastAt       *time.Time       // when the last one began; nil: none has
	LastOKAt     *time.Time       // when the last good one began; nil: none has
	Since        time.Time        // the same, or when it could have begun if none has
	Listed       int              // by the last good one
	Imported     int              // by the last good one
	Waiting      int              // orders on their way in
	Aside        int              // orders that are kept aside
	Stale        bool             // Since is too long ago
}

// lastGood is when the last good poll began, or when the first could have begun:
// where no worker runs, nobody has made a row.
const lastGood = `COALESCE(p.last_ok_at, p.created_at, c.updated_at)`

// isStale says, of a poll p of a connection c, that its last good run is too
// long ago at $1: three times its interval, a quarter of an hour at least. One
// that runs well may take its time: the first has many orders.
const isStale = lastGood + ` + GREATEST(c.poll_seconds * 3, 900) * interval '1 second' < $1
	AND NOT (COALESCE(p.leased_until, '-infinity') > $1 AND COALESCE(p.failures, 0) = 0)`

// Polls returns how far the fetching of orders is, by connection.
func (s *Store) Polls(ctx context.Context) ([]PollStatus, error) {
	var rows []struct {
		ConnectionID string     `db:"connection_id"`
		System       string     `db:"system"`
		PollSeconds  int        `db:"poll_seconds"`
		Cursor       *time.Time `db:"cursor"`
		NextRunAt    time.Time  `db:"next_run_at"`
		Running      bool       `db:"running"`
		Failures     int        `db:"failures"`
		LastError    []byte     `db:"last_error"`
		LastAt       *time.Time `db:"last_at"`
		LastOKAt     *time.Time `db:"last_ok_at"`
		Since        time.Time  `db:"since"`
		Listed       int        `db:"listed"`
		Imported     int        `db:"imported"`
		Waiting      int        `db:"waiting"`
		Aside        int        `db:"aside"`
		Stale        bool       `db:"stale"`
	}
	err := s.db.SelectContext(ctx, &rows, `
		SELECT c.id AS connection_id, c.system, c.poll_seconds, p.cursor, COALESCE(p.next_run_at, c.updated_at) AS next_run_at,
			COALESCE(p.leased_until > $1, false) AS running, COALESCE(p.failures, 0) AS failures, p.last_error, p.last_at, p.last_ok_at,
			`+lastGood+` AS since, COALESCE(p.listed, 0) AS listed, COALESCE(p.imported, 0) AS imported,
			f.waiting, f.aside, `+isStale+` AS stale
		FROM connections c LEFT JOIN polls p ON p.connection_id = c.id
		CROSS JOIN LATERAL (
			SELECT count(*) FILTER (WHERE reason IS NULL) AS waiting, count(*) FILTER (WHERE reason IS NOT NULL) AS aside
			FROM fetched_orders f WHERE f.connection_id = c.id AND f.dismissed_at IS NULL) f
		WHERE c.poll_seconds > 0 ORDER BY c.id`, s.Now())
	if err != nil {
		return nil, fmt.Errorf("polls: %w", mapError(err))
	}
	list := make([]PollStatus, 0, len(rows))
	for _, r := range rows {
		p := PollStatus{ConnectionID: r.ConnectionID, System: r.System, Every: time.Duration(r.PollSeconds) * time.Second,
			NextRunAt: r.NextRunAt, Running: r.Running, Failures: r.Failures, LastAt: r.LastAt, LastOKAt: r.LastOKAt, Since: r.Since,
			Listed: r.Listed, Imported: r.Imported, Waiting: r.Waiting, Aside: r.Aside, Stale: r.Stale}
		if r.Cursor != nil {
			p.Cursor = *r.Cursor
		}
		if r.LastError != nil {
			if err := json.Unmarshal(r.LastError, &p.LastError); err != nil {
				return nil, fmt.Errorf("polls: %w", err)
			}
		}
		list = append(list, p)
	}
	return list, nil
}
