package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// DescribeOrder keeps what the partner tells of what an order is about.
func (s *Store) DescribeOrder(ctx context.Context, id int64, d portal.Details) error {
	details, err := json.Marshal(d)
	if err != nil {
		return err
	}
	err = s.inTx(ctx, func(tx *sqlx.Tx, _ time.Time) error {
		o, err := orderForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		o.Details, o.Target.Name = d, d.Address()
		_, err = tx.ExecContext(ctx, `
			UPDATE orders SET details = $2, target_name = $3, words = $4 WHERE id = $1`,
			id, details, o.Target.Name, orderWords(o))
		return err
	})
	if err != nil {
		return fmt.Errorf("describe order %d: %w", id, err)
	}
	return nil
}

// Described reports whether it is known what an order is about, or was until that
// was erased.
func (s *Store) Described(ctx context.Context, id int64) (bool, error) {
	var known bool
	if err := s.db.GetContext(ctx, &known, `SELECT details <> '{}' OR erased_at IS NOT NULL FROM orders WHERE id = $1`, id); err != nil {
		return false, fmt.Errorf("details of order %d: %w", id, mapError(err))
	}
	return known, nil
}

// keepPerson keeps what a ticket says of who comes: the names of person and
// office, and that nothing proves who it is.
func (s *Store) keepPerson(ctx context.Context, o Opened, t portal.Ticket) error {
	if err := namePerson(ctx, s.db, o, t); err != nil {
		return err
	}
	if !t.Unproven {
		return nil
	}
	_, err := s.db.ExecContext(ctx, `UPDATE orders SET unproven = true WHERE id = $1 AND NOT unproven`, o.ID)
	return err
}

// namePerson keeps the names of person and office that a ticket has.
func namePerson(ctx context.Context, conn sqlx.ExtContext, o Opened, t portal.Ticket) error {
	if t.UserName != "" {
		_, err := conn.ExecContext(ctx, `UPDATE brokers SET name = $2 WHERE id = $1 AND name <> $2`, o.BrokerID, t.UserName)
		if err != nil {
			return err
		}
	}
	if t.CustomerName != "" {
		_, err := conn.ExecContext(ctx, `
			UPDATE offices SET name = $2 WHERE id = (SELECT office_id FROM orders WHERE id = $1) AND name <> $2`, o.ID, t.CustomerName)
		if err != nil {
			return err
		}
	}
	return nil
}
