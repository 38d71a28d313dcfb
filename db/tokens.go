package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// LoadToken returns the newest token that a connection has under a name, and
// its version; "" and 0 if there is none. One that no key opens any more is none.
func (s *Store) LoadToken(ctx context.Context, connection, name string) (text string, version int64, err error) {
	var row struct {
		Version int64  `db:"version"`
		Sealed  []byte `db:"sealed"`
	}
	err = s.db.GetContext(ctx, &row, `
		SELECT version, sealed FROM tokens WHERE connection_id = $1 AND name = $2`, connection, name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, fmt.Errorf("token %s of %s: %w", name, connection, mapError(err))
	}
	if s.seal == nil {
		return "", 0, errNoKeys
	}
	plain, err := s.seal.Open(row.Sealed)
	if err != nil {
		return "", row.Version, nil
	}
	// A row that somebody copied would be another's token.
	text, ok := strings.CutPrefix(string(plain), tokenOwner(connection, name))
	if !ok {
		return "", row.Version, nil
	}
	return text, row.Version, nil
}

func tokenOwner(connection, name string) string { return connection + "\n" + name + "\n" }

// ClaimToken asks for the right to fetch the token that follows a version. It is
// given to one caller at a time, for as long as lease, and to none once there is
// a newer version.
func (s *Store) ClaimToken(ctx context.Context, connection, name string, version int64, lease time.Duration) (bool, error) {
	now := s.Now()
	result, err := s.db.ExecContext(ctx, `
		INSERT INTO tokens AS t (connection_id, name, version, sealed, claimed_until)
		SELECT $1, $2, 0, '', $4 WHERE $3 = 0 OR EXISTS (SELECT FROM tokens WHERE connection_id = $1 AND name = $2)
		ON CONFLICT (connection_id, name) DO UPDATE SET claimed_until = excluded.claimed_until
		WHERE t.version = $3 AND (t.claimed_until IS NULL OR t.claimed_until <= $5)`,
		connection, name, version, now.Add(lease), now)
	if err != nil {
		return false, fmt.Errorf("claim token %s of %s: %w", name, connection, mapError(err))
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// StoreToken stores the token that follows a version, and ends the claim on it.
// If there is a newer one already it changes nothing.
func (s *Store) StoreToken(ctx context.Context, connection, name string, version int64, text string) error {
	if s.seal == nil {
		return errNoKeys
	}
	sealed, err := s.seal.Seal([]byte(tokenOwner(connection, name) + text))
	if err != nil {
		return fmt.Errorf("seal token %s of %s: %w", name, connection, err)
	}
	_, err = s.db.ExecContext(ctx, `
		UPDATE tokens SET version = version + 1, sealed = $4, claimed_until = NULL
		WHERE connection_id = $1 AND name = $2 AND version = $3`, connection, name, version, sealed)
	if err != nil {
		return fmt.Errorf("store token %s of %s: %w", name, connection, mapError(err))
	}
	return nil
}

// ReleaseToken ends a claim on what follows a version without a token.
func (s *Store) ReleaseToken(ctx context.Context, connection, name string, version int64) error {
	_, err := s.db.ExecContext(ctx, `
		UPDATE tokens SET claimed_until = NULL WHERE connection_id = $1 AND name = $2 AND version = $3`, connection, name, version)
	if err != nil {
		return fmt.Errorf("release token %s of %s: %w", name, connection, mapError(err))
	}
	return nil
}

// IssueToken stores the hash of a token that a connection's partner was given,
// good until expires.
func (s *Store) IssueToken(ctx context.Context, connection string, hash []byte, expires time.Time) error {
	_, err := s.db.ExecContext(ctx, `
		INSERT INTO issued_tokens (hash, connection_id, expires_at) VALUES ($1, $2, $3)`, hash, connection, expires)
	if err != nil {
		return fmt.Errorf("issue token of %s: %w", connection, mapError(err))
	}
	return nil
}

// UseToken reports whether a token that we issued is good for an order at that
// time. The first use binds it to its order.
func (s *Store) UseToken(ctx context.Context, connection string, hash []byte, order string, at time.Time) (bool, error) {
	result, err := s.db.ExecContext(ctx, `
		UPDATE issued_tokens SET used_for = $3
		WHERE hash = $2 AND connection_id = $1 AND expires_at > $4 AND used_for IN ('', $3)`, connection, hash, order, at)
	if err != nil {
		return false, fmt.Errorf("use token of %s: %w", connection, mapError(err))
	}
	n, err := result.RowsAffected()
	return n == 1, err
}
