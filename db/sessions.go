package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"portico/internal/portal"
)

// SessionKind says whose browser a session is of.
type SessionKind string

// The kinds of session.
const (
	SessionBroker SessionKind = "broker"
	SessionStaff  SessionKind = "staff"
)

// Session is a live session. Its id is known to the browser alone.
type Session struct {
	StaffID  int64 `db:"staff_id"`  // staff only
	HasFlash bool  `db:"has_flash"` // TakeFlash has something
	// LastSeenAt is how old the session's last activity is known to be.
	LastSeenAt time.Time `db:"last_seen_at"`
}

// CreateSession stores a session under the hash of its id.
func (s *Store) CreateSession(ctx context.Context, hash []byte, kind SessionKind, staffID int64) error {
	now := s.Now()
	_, err := s.db.ExecContext(ctx, `
		INSERT INTO sessions (id_hash, kind, staff_id, created_at, last_seen_at)
		VALUES ($1, $2, NULLIF($3, 0), $4, $4)`, hash, kind, staffID, now)
	if err != nil {
		return fmt.Errorf("create session: %w", mapError(err))
	}
	return nil
}

// LiveSession returns the session with a hash if it has been used within idle
// and is younger than absolute, else NotFound.
func (s *Store) LiveSession(ctx context.Context, hash []byte, kind SessionKind, idle, absolute time.Duration) (Session, error) {
	now := s.Now()
	var row Session
	err := s.db.GetContext(ctx, &row, `
		SELECT COALESCE(staff_id, 0) AS staff_id, flash IS NOT NULL AS has_flash, last_seen_at FROM sessions
		WHERE id_hash = $1 AND kind = $2 AND last_seen_at > $3 AND created_at > $4`,
		hash, kind, now.Add(-idle), now.Add(-absolute))
	if err != nil {
		return Session{}, fmt.Errorf("session: %w", mapError(err))
	}
	return row, nil
}

// TouchSession says that the session is in use.
func (s *Store) TouchSession(ctx context.Context, hash []byte) error {
	_, err := s.db.ExecContext(ctx, `UPDATE sessions SET last_seen_at = $2 WHERE id_hash = $1`, hash, s.Now())
	if err != nil {
		return fmt.Errorf("touch session: %w", mapError(err))
	}
	return nil
}

// DeleteSession ends the session, whoever still holds its cookie.
func (s *Store) DeleteSession(ctx context.Context, hash []byte) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM sessions WHERE id_hash = $1`, hash); err != nil {
		return fmt.Errorf("delete session: %w", mapError(err))
	}
	return nil
}

// SetFlash keeps a sentence for the session's next page.
func (s *Store) SetFlash(ctx context.Context, hash []byte, say portal.Sentence) error {
	raw, err := json.Marshal(say)
	if err != nil {
		return fmt.Errorf("set flash: %w", err)
	}
	if _, err := s.db.ExecContext(ctx, `UPDATE sessions SET flash = $2 WHERE id_hash = $1`, hash, raw); err != nil {
		return fmt.Errorf("set flash: %w", mapError(err))
	}
	return nil
}

// TakeFlash returns the sentence that was kept for this page, the zero Sentence
// if there is none, and forgets it.
func (s *Store) TakeFlash(ctx context.Context, hash []byte) (portal.Sentence, error) {
	var raw []byte
	err := s.db.GetContext(ctx, &raw, `
		WITH old AS (SELECT id_hash, flash FROM sessions WHERE id_hash = $1 AND flash IS NOT NULL FOR UPDATE)
		UPDATE sessions s SET flash = NULL FROM old WHERE s.id_hash = old.id_hash RETURNING old.flash`, hash)
	if portal.KindOf(mapError(err)) == portal.NotFound {
		return portal.Sentence{}, nil
	}
	if err != nil {
		return portal.Sentence{}, fmt.Errorf("take flash: %w", mapError(err))
	}
	var say portal.Sentence
	if err := json.Unmarshal(raw, &say); err != nil {
		return portal.Sentence{}, fmt.Errorf("take flash: %w", err)
	}
	return say, nil
}

// Grant lets the session see an order. Grants add up. link is a hash of the
// address that gave it, so that the same address finds the order again.
func (s *Store) Grant(ctx context.Context, session []byte, orderID, brokerID int64, link []byte) error {
	_, err := s.db.ExecContext(ctx, `
		INSERT INTO grants (session_hash, order_id, broker_id, link_hash, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (session_hash, order_id) DO UPDATE SET broker_id = excluded.broker_id, link_hash = excluded.link_hash`,
		session, orderID, brokerID, link, s.Now())
	if err != nil {
		return fmt.Errorf("grant order %d: %w", orderID, mapError(err))
	}
	return nil
}

// GrantedOrder returns the public id of the order that the session already may
// see and that an expired link is about: by the partner's order id where the
// partner still names it, else by the link itself. It returns NotFound if there
// is none.
func (s *Store) GrantedOrder(ctx context.Context, session []byte, connection string, t portal.Ticket, link []byte) (string, error) {
	var publicID string
	err := s.db.GetContext(ctx, &publicID, `
		SELECT o.public_id FROM grants g JOIN orders o ON o.id = g.order_id JOIN offices p ON p.id = o.office_id
		WHERE g.session_hash = $1 AND o.connection_id = $2
			AND (o.partner_order_id = $3 AND p.customer_id = $4 OR $3 = '' AND g.link_hash = $5)
		ORDER BY g.created_at DESC, o.id LIMIT 1`, session, connection, t.OrderID, t.Customer, link)
	if err != nil {
		return "", fmt.Errorf("granted order: %w", mapError(err))
	}
	return publicID, nil
}

// DeleteExpired clears sessions, links, tokens and counters that nobody can use
// any more, and comparisons with the partners' lists that tell nobody anything.
func (s *Store) DeleteExpired(ctx context.Context, idle time.Duration) error {
	now := s.Now()
	for _, q := range []struct {
		sql string
		at  time.Time
	}{
		{`DELETE FROM sessions WHERE last_seen_at < $1`, now.Add(-idle)},
		{`DELETE FROM throttles WHERE expires_at < $1`, now},
		{`DELETE FROM issued_tokens WHERE expires_at < $1`, now},
		{`DELETE FROM visits WHERE expires_at < $1`, now.Add(-30 * 24 * time.Hour)},
		{deleteReconciliations, now.Add(-reconciliationsKept)},
	} {
		if _, err := s.db.ExecContext(ctx, q.sql, q.at); err != nil {
			return fmt.Errorf("delete expired: %w", mapError(err))
		}
	}
	return nil
}
