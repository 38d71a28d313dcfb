package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// saveCredentials makes a connection's credentials those of the set-up. What is
// unchanged is sealed anew all the same, so that applying once after a new key
// is enough to let the old one go.
func (s *Store) saveCredentials(ctx context.Context, tx *sqlx.Tx, c portal.Connection, now time.Time, changes *Changes) error {
	stored, err := sealedCredentials(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	old := map[string]sealedCredential{}
	for _, one := range stored {
		old[one.Customer] = one
	}
	for _, credential := range c.Credentials {
		one, known := old[credential.Customer]
		delete(old, credential.Customer)
		w := added
		if known {
			w = changed
			// One that no key opens any more is replaced.
			if was, err := s.unseal(one); err == nil && was == credential {
				w = unchanged
			}
		}
		if err := s.saveCredential(ctx, tx, c.ID, credential, w, now); err != nil {
			return err
		}
		if w != unchanged {
			changes.add("credential of connection %s for customer %s: %s", c.ID, credential.Customer, w)
			if err := bringForward(ctx, tx, c.ID, now); err != nil {
				return err
			}
		}
	}
	for _, one := range stored {
		if _, left := old[one.Customer]; !left {
			continue
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM credentials WHERE connection_id = $1 AND customer = $2`, c.ID, one.Customer)
		if err != nil {
			return err
		}
		changes.add("credential of connection %s for customer %s: removed", c.ID, one.Customer)
	}
	return nil
}

func (s *Store) saveCredential(ctx context.Context, tx *sqlx.Tx, connectionID string, c portal.Credential, w written, now time.Time) error {
	sealed, err := s.sealCredential(c)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO credentials AS t (connection_id, customer, sealed, updated_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (connection_id, customer) DO UPDATE SET sealed = excluded.sealed,
			-- a changed credential deserves a fresh chance
			refused_at = CASE WHEN $5 THEN t.refused_at END,
			refused_status = CASE WHEN $5 THEN t.refused_status END,
			blocked_until = CASE WHEN $5 THEN t.blocked_until END,
			updated_at = CASE WHEN $5 THEN t.updated_at ELSE excluded.updated_at END`,
		connectionID, c.Customer, sealed, now, w == unchanged)
	return err
}

type sealedCredential struct {
	Customer string `db:"customer"`
	Sealed   []byte `db:"sealed"`
}

func sealedCredentials(ctx context.Context, tx *sqlx.Tx, connectionID string) ([]sealedCredential, error) {
	var rows []sealedCredential
	err := tx.SelectContext(ctx, &rows, `
		SELECT customer, sealed FROM credentials WHERE connection_id = $1 ORDER BY customer`, connectionID)
	return rows, err
}

var errNoKeys = errors.New("no secret keys: set PORTICO_SECRET_KEYS")

func (s *Store) sealCredential(c portal.Credential) ([]byte, error) {
	if s.seal == nil {
		return nil, errNoKeys
	}
	plain, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return s.seal.Seal(plain)
}

// unseal also checks that the credential is that of its row: one that somebody
// copied from another row would be shown to the wrong partner.
func (s *Store) unseal(one sealedCredential) (portal.Credential, error) {
	if s.seal == nil {
		return portal.Credential{}, errNoKeys
	}
	plain, err := s.seal.Open(one.Sealed)
	if err != nil {
		return portal.Credential{}, fmt.Errorf("credential for customer %s: %w", one.Customer, err)
	}
	var c portal.Credential
	if err := json.Unmarshal(plain, &c); err != nil {
		return portal.Credential{}, fmt.Errorf("credential for customer %s: %w", one.Customer, err)
	}
	if c.Customer != one.Customer {
		return portal.Credential{}, fmt.Errorf("credential for customer %s: it was sealed for customer %s", one.Customer, c.Customer)
	}
	return c, nil
}

// probeTime is how long one caller may try a refused credential alone; longer
// than any call to a partner takes.
const probeTime = time.Minute

// ownCredential picks the row that serves a customer: its own, else that of any.
const ownCredential = `
	SELECT customer FROM credentials WHERE connection_id = $1 AND customer IN ($2, '` + portal.AnyCustomer + `')
	ORDER BY customer = '` + portal.AnyCustomer + `' LIMIT 1`

// CredentialBlocked reports whether a customer's credential must not be used,
// because the partner refused it, and until when. After that time exactly one
// caller may try it: it is told not blocked, with until set, and has to report
// the result with RefuseCredential or ClearCredential. For all others the
// credential stays blocked meanwhile. A zero until is a credential in order.
func (s *Store) CredentialBlocked(ctx context.Context, connectionID, customer string) (until time.Time, blocked bool, err error) {
	var row struct {
		Customer     string     `db:"customer"`
		BlockedUntil *time.Time `db:"blocked_until"`
	}
	statement, err := s.prepared(ctx, `
		SELECT customer, blocked_until FROM credentials
		WHERE connection_id = $1 AND customer = (`+ownCredential+`)`)
	if err == nil {
		err = statement.GetContext(ctx, &row, connectionID, customer)
	}
	switch {
	case errors.Is(err, sql.ErrNoRows): // the system has its credentials elsewhere
		return time.Time{}, false, nil
	case err != nil:
		return time.Time{}, false, fmt.Errorf("credential of %s for %s: %w", connectionID, customer, mapError(err))
	case row.BlockedUntil == nil:
		return time.Time{}, false, nil
	}
	now := s.Now()
	if now.Before(*row.BlockedUntil) {
		return *row.BlockedUntil, true, nil
	}
	until = now.Add(probeTime)
	result, err := s.db.ExecContext(ctx, `
		UPDATE credentials SET blocked_until = $4
		WHERE connection_id = $1 AND customer = $2 AND blocked_until = $3`,
		connectionID, row.Customer, *row.BlockedUntil, until)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("probe credential of %s for %s: %w", connectionID, customer, mapError(err))
	}
	first, err := result.RowsAffected()
	return until, first == 0, err
}

// RefuseCredential remembers that the partner refused a customer's credential
// with an HTTP status: it is blocked until then. It reports whether that is news.
func (s *Store) RefuseCredential(ctx context.Context, connectionID, customer string, status int, until time.Time) (bool, error) {
	var news []bool
	err := s.db.SelectContext(ctx, &news, `
		WITH old AS (
			SELECT customer, refused_at FROM credentials
			WHERE connection_id = $1 AND customer = (`+ownCredential+`) FOR UPDATE
		)
		UPDATE credentials c
		SET refused_at = COALESCE(c.refused_at, $5), refused_status = $3, blocked_until = $4
		FROM old WHERE c.connection_id = $1 AND c.customer = old.customer
		RETURNING old.refused_at IS NULL`, connectionID, customer, status, until, s.Now())
	if err != nil {
		return false, fmt.Errorf("refuse credential of %s for %s: %w", connectionID, customer, mapError(err))
	}
	return len(news) == 1 && news[0], nil
}

// ClearCredential says that the partner takes a customer's credential again. What
// waited for that goes soon.
func (s *Store) ClearCredential(ctx context.Context, connectionID, customer string) error {
	_, err := s.db.ExecContext(ctx, `
		UPDATE credentials SET refused_at = NULL, refused_status = NULL, blocked_until = NULL
		WHERE connection_id = $1 AND customer = (`+ownCredential+`) AND refused_at IS NOT NULL`, connectionID, customer)
	if err == nil {
		err = bringForward(ctx, s.db, connectionID, s.Now())
	}
	if err != nil {
		return fmt.Errorf("clear credential of %s for %s: %w", connectionID, customer, mapError(err))
	}
	return nil
}

// Alarm is a credential that a partner refuses: nothing goes out with it until
// somebody corrects it.
type Alarm struct {
	ConnectionID string    `db:"connection_id"`
	System       string    `db:"system"`
	Customer     string    `db:"customer"` // AnyCustomer: every office without its own
	Status       int       `db:"refused_status"`
	Since        time.Time `db:"refused_at"`
}

// RefusedCredentials returns the credentials that partners refuse, the oldest alarm first.
func (s *Store) RefusedCredentials(ctx context.Context) ([]Alarm, error) {
	var alarms []Alarm
	err := s.db.SelectContext(ctx, &alarms, `
		SELECT r.connection_id, c.system, r.customer, COALESCE(r.refused_status, 0) AS refused_status, r.refused_at
		FROM credentials r JOIN connections c ON c.id = r.connection_id
		WHERE r.refused_at IS NOT NULL ORDER BY r.refused_at, r.connection_id, r.customer`)
	if err != nil {
		return nil, fmt.Errorf("refused credentials: %w", mapError(err))
	}
	return alarms, nil
}
