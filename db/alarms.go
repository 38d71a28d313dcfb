package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// Times of a mail to administrators.
const (
	alarmLease  = 2 * time.Minute // for sending it; who takes longer is taken for dead
	alarmRepeat = 24 * time.Hour  // while nothing gets better
	alarmRetry  = time.Minute     // after the first failure, doubled with each
	alarmWait   = time.Hour       // and no longer
)

// ClaimedAlarm is what administrators are to be told, by the caller alone.
type ClaimedAlarm struct {
	Troubles []portal.Trouble // none: what they were told of is over
	claim    int64
}

// ClaimAlarm returns what administrators are to be told now, and false if they
// know, or another worker tells them. The caller has to end it with EndAlarm;
// the claim of one that dies runs out, and the next one tells them.
func (s *Store) ClaimAlarm(ctx context.Context) (ClaimedAlarm, bool, error) {
	var a ClaimedAlarm
	claimed := false
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		var toldAt *time.Time
		// Before the look at the outbox: an older look than another worker's must not decide.
		err := tx.GetContext(ctx, &toldAt, `
			SELECT told_at FROM alarms WHERE next_look_at IS NULL OR next_look_at <= $1 FOR UPDATE SKIP LOCKED`, now)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if a.Troubles, err = troubles(ctx, tx, now); err != nil {
			return err
		}
		if len(a.Troubles) > 0 {
			claimed = toldAt == nil || !now.Before(toldAt.Add(alarmRepeat))
		} else {
			claimed = toldAt != nil
		}
		if !claimed {
			return nil
		}
		return tx.GetContext(ctx, &a.claim, `
			UPDATE alarms SET claim = claim + 1, next_look_at = $1 RETURNING claim`, now.Add(alarmLease))
	})
	if err != nil {
		return ClaimedAlarm{}, false, fmt.Errorf("claim alarm: %w", err)
	}
	return a, claimed, nil
}

// EndAlarm records whether administrators have been told. If not, it returns how
// long nobody tries again.
func (s *Store) EndAlarm(ctx context.Context, a ClaimedAlarm, told bool) (time.Duration, error) {
	var wait time.Duration
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		var failures int
		err := tx.GetContext(ctx, &failures, `SELECT failures FROM alarms WHERE claim = $1 FOR UPDATE`, a.claim)
		if err != nil {
			return err
		}
		if told {
			_, err = tx.ExecContext(ctx, `
				UPDATE alarms SET told_at = CASE WHEN $2 THEN $1::timestamptz END, next_look_at = NULL, failures = 0`,
				now, len(a.Troubles) > 0)
			return err
		}
		wait = min(alarmRetry<<min(failures, 10), alarmWait)
		_, err = tx.ExecContext(ctx, `UPDATE alarms SET next_look_at = $1, failures = failures + 1`, now.Add(wait))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("end alarm: %w", err)
	}
	return wait, nil
}

// troubles returns what people should know of, by connection.
func troubles(ctx context.Context, tx *sqlx.Tx, now time.Time) ([]portal.Trouble, error) {
	var rows []struct {
		portal.Trouble
		Outcome portal.Outcome `db:"outcome"`
		Status  int            `db:"status"`
	}
	err := tx.SelectContext(ctx, &rows, `
		WITH late AS (
			SELECT j.id, j.connection_id, j.state, j.created_at FROM jobs j
			WHERE j.finished_at IS NULL AND (j.state = 'parked' OR j.created_at <= $2 AND NOT EXISTS (
				SELECT 1 FROM jobs e WHERE e.subject = j.subject AND e.finished_at IS NULL AND e.id < j.id))
		), refused AS (
			SELECT connection_id, min(refused_at) AS since FROM credentials WHERE refused_at IS NOT NULL GROUP BY connection_id
		), found AS (
			SELECT c.id AS connection_id, c.system, CASE WHEN c.down_since <= $2 THEN c.down_since END AS down_since, r.since AS refused_since,
				CASE WHEN c.poll_seconds > 0 AND `+isStale+` THEN `+lastGood+` END AS stale_since,
				(SELECT count(*) FROM late l WHERE l.connection_id = c.id AND l.state <> 'parked') AS overdue,
				(SELECT count(*) FROM late l WHERE l.connection_id = c.id AND l.state = 'parked') AS parked
			FROM connections c LEFT JOIN refused r ON r.connection_id = c.id LEFT JOIN polls p ON p.connection_id = c.id
		)
		SELECT f.*, o.created_at AS oldest, COALESCE(a.outcome, '') AS outcome, COALESCE(a.status, 0) AS status
		FROM found f
		LEFT JOIN LATERAL (SELECT id, created_at FROM late l WHERE l.connection_id = f.connection_id ORDER BY created_at, id LIMIT 1) o ON true
		LEFT JOIN LATERAL (SELECT outcome, status FROM attempts a WHERE a.job_id = o.id ORDER BY number DESC LIMIT 1) a ON true
		WHERE f.overdue + f.parked > 0 OR f.down_since IS NOT NULL OR f.refused_since IS NOT NULL OR f.stale_since IS NOT NULL
		ORDER BY f.connection_id`, now, now.Add(-portal.Overdue))
	if err != nil {
		return nil, err
	}
	var list []portal.Trouble
	for _, r := range rows {
		r.Last = portal.Attempt{Outcome: r.Outcome, Receipt: portal.Receipt{Status: r.Status}}
		list = append(list, r.Trouble)
	}
	return list, nil
}
