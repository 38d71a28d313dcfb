package db

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

const selectStaff = `SELECT id, email, name, role, password_hash, blocked_at FROM staff`

// AddStaff stores a member of staff and returns it with its id. Invalid names
// the fields at fault; Conflict says that the e-mail is taken.
func (s *Store) AddStaff(ctx context.Context, p portal.Staff) (portal.Staff, error) {
	p.Email, p.Name = strings.ToLower(strings.TrimSpace(p.Email)), strings.TrimSpace(p.Name)
	err := p.Validate()
	if err == nil {
		err = mapError(s.db.GetContext(ctx, &p.ID, `
			INSERT INTO staff (email, name, role, password_hash, created_at) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
			p.Email, p.Name, p.Role, p.PasswordHash, s.Now()))
	}
	if err != nil {
		return portal.Staff{}, fmt.Errorf("add staff: %w", err)
	}
	return p, nil
}

// StaffByEmail returns a member of staff, blocked or not.
func (s *Store) StaffByEmail(ctx context.Context, email string) (portal.Staff, error) {
	var p portal.Staff
	email = strings.ToLower(strings.TrimSpace(email))
	if err := s.db.GetContext(ctx, &p, selectStaff+` WHERE email = $1`, email); err != nil {
		return portal.Staff{}, fmt.Errorf("staff by e-mail: %w", mapError(err))
	}
	return p, nil
}

// StaffByID returns a member of staff, blocked or not.
func (s *Store) StaffByID(ctx context.Context, id int64) (portal.Staff, error) {
	var p portal.Staff
	if err := s.db.GetContext(ctx, &p, selectStaff+` WHERE id = $1`, id); err != nil {
		return portal.Staff{}, fmt.Errorf("staff %d: %w", id, mapError(err))
	}
	return p, nil
}

// StaffList returns those whom an order can be given to, by name: neither
// viewers nor who is blocked.
func (s *Store) StaffList(ctx context.Context) ([]portal.Staff, error) {
	var list []portal.Staff
	err := s.db.SelectContext(ctx, &list, selectStaff+`
		WHERE blocked_at IS NULL AND role IN ('admin', 'fulfiller') ORDER BY name, id`)
	if err != nil {
		return nil, fmt.Errorf("staff list: %w", mapError(err))
	}
	return list, nil
}

// BlockStaff shuts a member of staff out, at once and wherever signed in.
func (s *Store) BlockStaff(ctx context.Context, id int64) error {
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		var blocked int64
		err := tx.GetContext(ctx, &blocked, `
			UPDATE staff SET blocked_at = COALESCE(blocked_at, $2) WHERE id = $1 RETURNING id`, id, now)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM sessions WHERE staff_id = $1`, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("block staff %d: %w", id, err)
	}
	return nil
}

// Admins returns the administrators who are not blocked, by e-mail.
func (s *Store) Admins(ctx context.Context) ([]portal.Staff, error) {
	var list []portal.Staff
	err := s.db.SelectContext(ctx, &list, selectStaff+` WHERE blocked_at IS NULL AND role = 'admin' ORDER BY email`)
	if err != nil {
		return nil, fmt.Errorf("admins: %w", mapError(err))
	}
	return list, nil
}
