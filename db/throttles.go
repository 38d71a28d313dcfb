package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// Count adds one to a key's counter and returns it. The counter starts anew
// when its window, which its first count opened, is over.
func (s *Store) Count(ctx context.Context, key string, window time.Duration) (int, error) {
	now := s.Now()
	var n int
	err := s.db.GetContext(ctx, &n, `
		INSERT INTO throttles AS t (key, count, expires_at) VALUES ($1, 1, $3)
		ON CONFLICT (key) DO UPDATE SET
			count = CASE WHEN t.expires_at > $2 THEN t.count + 1 ELSE 1 END,
			expires_at = CASE WHEN t.expires_at > $2 THEN t.expires_at ELSE excluded.expires_at END
		RETURNING count`, key, now, now.Add(window))
	if err != nil {
		return 0, fmt.Errorf("count: %w", mapError(err))
	}
	return n, nil
}

// Counted returns a key's counter without adding to it.
func (s *Store) Counted(ctx context.Context, key string) (int, error) {
	var n int
	err := s.db.GetContext(ctx, &n, `
		SELECT COALESCE((SELECT count FROM throttles WHERE key = $1 AND expires_at > $2), 0)`, key, s.Now())
	if err != nil {
		return 0, fmt.Errorf("counted: %w", mapError(err))
	}
	return n, nil
}

// ResetCount forgets a key's counter.
func (s *Store) ResetCount(ctx context.Context, key string) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM throttles WHERE key = $1`, key); err != nil {
		return fmt.Errorf("reset count: %w", mapError(err))
	}
	return nil
}

// Audit remembers what somebody did that concerns no order of ours.
func (s *Store) Audit(ctx context.Context, action string, actor portal.Actor, data map[string]string) error {
	if err := insertAudit(ctx, s.db, action, actor, data, s.Now()); err != nil {
		return fmt.Errorf("audit: %w", mapError(err))
	}
	return nil
}

func insertAudit(ctx context.Context, e sqlx.ExecerContext, action string, actor portal.Actor, data map[string]string, now time.Time) error {
	raw, err := json.Marshal(data)
	if err != nil {
		return err
	}
	_, err = e.ExecContext(ctx, `INSERT INTO audits (action, actor, data, created_at) VALUES ($1, $2, $3, $4)`,
		action, string(actor.Kind)+" "+actor.Name, raw, now)
	return err
}
