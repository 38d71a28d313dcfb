package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// recovery is the time over which what has waited for a partner is sent again,
// so that a herd does not knock it over.
const recovery = 20 * time.Second

// ConnectionDown remembers that a connection's partner does not answer. It
// reports whether that is news.
func (s *Store) ConnectionDown(ctx context.Context, id string) (bool, error) {
	result, err := s.db.ExecContext(ctx, `UPDATE connections SET down_since = $2 WHERE id = $1 AND down_since IS NULL`, id, s.Now())
	if err != nil {
		return false, fmt.Errorf("connection %s down: %w", id, mapError(err))
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// connectionUp ends an outage of a connection's partner, which has answered.
func connectionUp(ctx context.Context, tx *sqlx.Tx, id string, now time.Time) error {
	result, err := tx.ExecContext(ctx, `UPDATE connections SET down_since = NULL WHERE id = $1 AND down_since IS NOT NULL`, id)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); n == 0 {
		return err
	}
	return bringForward(ctx, tx, id, now)
}

// bringForward lets what has waited for a connection go soon, spread over the
// time of a recovery.
func bringForward(ctx context.Context, e sqlx.ExecerContext, connection string, now time.Time) error {
	_, err := e.ExecContext(ctx, `
		UPDATE jobs SET run_at = $2::timestamptz + random() * $3::float8 * interval '1 second'
		WHERE connection_id = $1 AND state = 'available' AND last_error <> '' AND due_at > $2::timestamptz + $3::float8 * interval '1 second'`, connection, now, recovery.Seconds())
	return err
}

// Outage is a partner that does not answer.
type Outage struct {
	ConnectionID string    `db:"id"`
	System       string    `db:"system"`
	Since        time.Time `db:"down_since"`
}

// Outages returns the partners that do not answer, the longest outage first.
func (s *Store) Outages(ctx context.Context) ([]Outage, error) {
	var outages []Outage
	err := s.db.SelectContext(ctx, &outages, `
		SELECT id, system, down_since FROM connections WHERE down_since IS NOT NULL ORDER BY down_since, id`)
	if err != nil {
		return nil, fmt.Errorf("outages: %w", mapError(err))
	}
	return outages, nil
}
