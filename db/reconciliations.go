package db

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// An order that came in without proof is looked for in its partner's list when
// it is verifyAfter old, and an office's list is asked for that at most once in
// verifyEvery: a herd of them is one question.
const (
	verifyAfter = 10 * time.Second
	verifyEvery = 30 * time.Second
)

// reconciliationsKept is how long a comparison is kept at least: for as long as
// the next one still looks at the orders that it was made of.
const reconciliationsKept = portal.ReconcileSpan

// deleteReconciliations leaves of each office the last that was made and the last
// that was tried, however old, for how far it has been compared; and those that
// have found what still waits for somebody.
const deleteReconciliations = `
	DELETE FROM reconciliations r USING offices p
	WHERE p.id = r.office_id AND r.finished_at < $1
		AND EXISTS (SELECT 1 FROM reconciliations n WHERE n.office_id = r.office_id
			AND (n.started_at, n.id) > (r.started_at, r.id) AND (n.error = '' OR r.error <> ''))
		-- What a comparison finds is of the moment at which it finished.
		AND NOT EXISTS (SELECT 1 FROM differences d WHERE d.office_id = r.office_id AND d.found_at = r.finished_at
			AND ` + isOpenDifference + `)`

type reconciliationRow struct {
	OfficeID     int64     `db:"office_id"`
	ConnectionID string    `db:"connection_id"`
	Customer     string    `db:"customer_id"`
	LeasedUntil  time.Time `db:"leased_until"`
}

// ClaimReconciliation leases an office whose orders are to be compared with its
// partner's list: at night, when the last attempt failed a while ago, or when an
// order came in that the list has to confirm. due is false if there is none.
func (s *Store) ClaimReconciliation(ctx context.Context, connections []string, lease time.Duration) (r portal.Reconciliation, due bool, err error) {
	provider, err := s.Provider(ctx)
	if err != nil {
		return r, false, err
	}
	err = s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO reconciliation_schedules (office_id, next_run_at)
			SELECT p.id, $2 FROM offices p
			WHERE p.connection_id = ANY($1) AND NOT EXISTS (SELECT 1 FROM reconciliation_schedules s WHERE s.office_id = p.id)
			ON CONFLICT DO NOTHING`, pq.StringArray(connections), portal.NextReconciliation(now, provider.Location()))
		if err != nil {
			return err
		}
		var rows []reconciliationRow
		err = tx.SelectContext(ctx, &rows, `
			WITH due AS MATERIALIZED (
				SELECT s.office_id FROM reconciliation_schedules s JOIN offices p ON p.id = s.office_id
				WHERE p.connection_id = ANY($1) AND (s.leased_until IS NULL OR s.leased_until < $2)
					AND (s.next_run_at <= $2 OR COALESCE(s.asked_at, '-infinity') <= $4 AND EXISTS (
						SELECT 1 FROM orders o WHERE o.office_id = s.office_id AND o.unverified
							AND o.created_at > COALESCE(s.asked_at, '-infinity') AND o.created_at <= $5))
				ORDER BY s.next_run_at, s.office_id
				LIMIT 1
				FOR UPDATE OF s SKIP LOCKED)
			UPDATE reconciliation_schedules s SET leased_until = $3, asked_at = $2
			FROM due JOIN offices p ON p.id = due.office_id WHERE s.office_id = due.office_id
			RETURNING s.office_id, p.connection_id, p.customer_id, s.leased_until`,
			pq.StringArray(connections), now, now.Add(lease), now.Add(-verifyEvery), now.Add(-verifyAfter))
		if err != nil || len(rows) == 0 {
			return err
		}
		due = true
		r, err = rows[0].reconciliation(ctx, tx, now)
		return err
	})
	if err != nil {
		return r, false, fmt.Errorf("claim reconciliation: %w", err)
	}
	return r, due, nil
}

// StartReconciliation returns the comparison of an office's orders with its
// partner's list that somebody asks for now. It returns NotFound for an office
// that nobody has ordered from.
func (s *Store) StartReconciliation(ctx context.Context, connection, customer string, by portal.Actor) (portal.Reconciliation, error) {
	var r portal.Reconciliation
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		var row reconciliationRow
		err := tx.GetContext(ctx, &row, `
			SELECT id AS office_id, connection_id, customer_id FROM offices WHERE connection_id = $1 AND customer_id = $2`, connection, customer)
		if err != nil {
			return err
		}
		r, err = row.reconciliation(ctx, tx, now)
		r.By = by
		return err
	})
	if err != nil {
		return r, fmt.Errorf("start reconciliation of %s at %s: %w", customer, connection, err)
	}
	return r, nil
}

// ReconcileSoon makes every office of a connection due now.
func (s *Store) ReconcileSoon(ctx context.Context, connection string) error {
	_, err := s.db.ExecContext(ctx, `
		INSERT INTO reconciliation_schedules (office_id, next_run_at) SELECT id, $2 FROM offices WHERE connection_id = $1
		ON CONFLICT (office_id) DO UPDATE SET next_run_at = LEAST(reconciliation_schedules.next_run_at, $2)`, connection, s.Now())
	if err != nil {
		return fmt.Errorf("reconcile %s soon: %w", connection, mapError(err))
	}
	return nil
}

// beganThere is when an order began at its partner, as far as that is known:
// what was taken from the list began before we had it.
const beganThere = `LEAST(o.created_at, (
	SELECT min((d.listed ->> 'created_at')::timestamptz) FROM differences d WHERE d.order_id = o.id AND d.settled_as = 'imported'))`

func (r reconciliationRow) reconciliation(ctx context.Context, tx *sqlx.Tx, now time.Time) (portal.Reconciliation, error) {
	var oldest sql.NullTime
	err := tx.GetContext(ctx, &oldest, `
		SELECT min(`+beganThere+`) FROM orders o WHERE o.office_id = $1 AND o.updated_at >= $2`, r.OfficeID, now.Add(-portal.ReconcileSpan))
	return portal.Reconciliation{Office: portal.Office{ID: r.OfficeID, Customer: r.Customer}, ConnectionID: r.ConnectionID,
		LeasedUntil: r.LeasedUntil, Period: portal.NewPeriod(oldest.Time, now)}, err
}

// FinishReconciliation compares what the partner listed with what we have, and
// stores what differs. Nothing else changes, but that an order that came in
// without proof and is on the list is verified. A comparison that was overtaken
// by a later one is not stored. It returns portal.ErrLeaseLost if somebody else
// has claimed the office since.
func (s *Store) FinishReconciliation(ctx context.Context, r portal.Reconciliation, list portal.Listing) (portal.Comparison, error) {
	var c portal.Comparison
	err := s.endReconciliation(ctx, r, made, func(tx *sqlx.Tx, now time.Time) error {
		held, services, err := heldOrders(ctx, tx, r, list)
		if err != nil {
			return err
		}
		c = portal.Compare(held, list, services, r.Period)
		var overtaken bool
		err = tx.GetContext(ctx, &overtaken, `
			SELECT EXISTS (SELECT 1 FROM reconciliations WHERE office_id = $1 AND error = '' AND started_at > $2)`, r.Office.ID, r.Period.At)
		if err != nil || overtaken {
			return err
		}
		// Differences before orders, as a person who settles one locks them.
		if err := saveDifferences(ctx, tx, r, c, now); err != nil {
			return err
		}
		if err := verifyOrders(ctx, tx, r, list, now); err != nil {
			return err
		}
		return insertReconciliation(ctx, tx, r, c, "", now)
	})
	if err != nil {
		return portal.Comparison{}, fmt.Errorf("finish reconciliation of %s at %s: %w", r.Office.Customer, r.ConnectionID, err)
	}
	return c, nil
}

// FailReconciliation records that the partner's list could not be had, and why.
// What the partner has refused is not asked for again before the night.
func (s *Store) FailReconciliation(ctx context.Context, r portal.Reconciliation, reason string, refused bool) error {
	end := failed
	if refused {
		end = given
	}
	err := s.endReconciliation(ctx, r, end, func(tx *sqlx.Tx, now time.Time) error {
		return insertReconciliation(ctx, tx, r, portal.Comparison{}, reason, now)
	})
	if err != nil {
		return fmt.Errorf("fail reconciliation of %s at %s: %w", r.Office.Customer, r.ConnectionID, err)
	}
	return nil
}

// ending is how a comparison ended.
type ending int

const (
	made   ending = iota
	failed        // again in a while
	given         // up until the night
)

// endReconciliation runs f while nobody else ends a comparison of the office, and
// says when the next one is due.
func (s *Store) endReconciliation(ctx context.Context, r portal.Reconciliation, end ending, f func(tx *sqlx.Tx, now time.Time) error) error {
	provider, err := s.Provider(ctx)
	if err != nil {
		return err
	}
	return s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		// The office and not its schedule: before the first night it has none.
		_, err := tx.ExecContext(ctx, `SELECT 1 FROM offices WHERE id = $1 FOR NO KEY UPDATE`, r.Office.ID)
		if err != nil {
			return err
		}
		byHand := r.LeasedUntil.IsZero()
		var mine []bool
		err = tx.SelectContext(ctx, &mine, `
			SELECT COALESCE(leased_until = $2, false) FROM reconciliation_schedules WHERE office_id = $1 FOR UPDATE`, r.Office.ID, r.LeasedUntil)
		if err != nil {
			return err
		}
		if !byHand && (len(mine) == 0 || !mine[0]) {
			return portal.ErrLeaseLost
		}
		if err := f(tx, now); err != nil {
			return err
		}
		if byHand && end != made {
			return nil
		}
		return schedule(ctx, tx, r.Office.ID, byHand, end, now, portal.NextReconciliation(now, provider.Location()))
	})
}

// schedule says when an office is due next: at night, or if this attempt failed
// before that. By hand nobody's lease ends.
func schedule(ctx context.Context, tx *sqlx.Tx, office int64, byHand bool, end ending, now, night time.Time) error {
	var failures int
	err := tx.GetContext(ctx, &failures, `
		INSERT INTO reconciliation_schedules AS s (office_id, next_run_at) VALUES ($1, $2)
		ON CONFLICT (office_id) DO UPDATE SET next_run_at = $2, failures = CASE WHEN $3 THEN 0 ELSE s.failures + 1 END,
			leased_until = CASE WHEN $4 THEN s.leased_until END
		RETURNING failures`, office, night, end == made, byHand)
	if err != nil || end != failed {
		return err
	}
	if retry := portal.RetryReconciliation(now, failures); retry.Before(night) {
		_, err = tx.ExecContext(ctx, `UPDATE reconciliation_schedules SET next_run_at = $2 WHERE office_id = $1`, office, retry)
	}
	return err
}

func insertReconciliation(ctx context.Context, tx *sqlx.Tx, r portal.Reconciliation, c portal.Comparison, failure string, now time.Time) error {
	differences := 0
	for _, d := range c.Differences {
		if d.Known {
			differences++
		}
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO reconciliations (office_id, staff_id, started_at, finished_at, compared, unreported, others, differences, error)
		VALUES ($1, NULLIF($2, 0), $3, $4, $5, $6, $7, $8, $9)`,
		r.Office.ID, r.By.ID, r.Period.At, now, c.Compared, c.Unreported, c.Others, differences, failure)
	return err
}
