package db

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// keepPersonalNumber seals a customer's personal number with its order.
func (s *Store) keepPersonalNumber(ctx context.Context, tx *sqlx.Tx, orderID int64, number string, now time.Time) error {
	if number == "" {
		return nil
	}
	sealed, err := s.sealNumber(numberOwner(orderID), number)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO personal_numbers (order_id, sealed, created_at) VALUES ($1, $2, $3)
		ON CONFLICT (order_id) DO UPDATE SET sealed = excluded.sealed`, orderID, sealed, now)
	return err
}

// numberOwner is what a number is sealed for.
func numberOwner(orderID int64) string { return fmt.Sprintf("order/%d", orderID) }

// sealNumber seals a personal number and binds it to its row.
func (s *Store) sealNumber(owner, number string) ([]byte, error) {
	if s.seal == nil {
		return nil, errNoKeys
	}
	sealed, err := s.seal.Seal([]byte(owner + "\n" + number))
	if err != nil {
		return nil, fmt.Errorf("seal personal number of %s: %w", owner, err)
	}
	return sealed, nil
}

// openNumber unseals the personal number of a row.
func (s *Store) openNumber(owner string, sealed []byte) (string, error) {
	if s.seal == nil {
		return "", errNoKeys
	}
	plain, err := s.seal.Open(sealed)
	if err != nil {
		return "", fmt.Errorf("unseal personal number of %s: %w", owner, err)
	}
	number, ok := strings.CutPrefix(string(plain), owner+"\n")
	if !ok {
		return "", fmt.Errorf("the personal number of %s was sealed for another row", owner)
	}
	return number, nil
}

// hasPersonalNumber reports whether an order's customer's number is kept.
func hasPersonalNumber(ctx context.Context, conn sqlx.QueryerContext, orderID int64) (bool, error) {
	var has bool
	err := sqlx.GetContext(ctx, conn, &has, `SELECT EXISTS (SELECT 1 FROM personal_numbers WHERE order_id = $1)`, orderID)
	if err != nil {
		return false, fmt.Errorf("personal number of order %d: %w", orderID, mapError(err))
	}
	return has, nil
}

// PersonalNumber returns an order's customer's number, and notes on the timeline
// who was shown it. It returns NotFound if none is kept.
func (s *Store) PersonalNumber(ctx context.Context, orderID int64, by portal.Actor) (string, error) {
	var number string
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		var sealed []byte
		if err := tx.GetContext(ctx, &sealed, `SELECT sealed FROM personal_numbers WHERE order_id = $1`, orderID); err != nil {
			return err
		}
		var err error
		if number, err = s.openNumber(numberOwner(orderID), sealed); err != nil {
			return err
		}
		_, err = insertEvent(ctx, tx, orderID, portal.Event{Kind: portal.EventDisclosed, Actor: by, CreatedAt: now})
		return err
	})
	if err != nil {
		return "", fmt.Errorf("personal number of order %d: %w", orderID, err)
	}
	return number, nil
}

// ErasePersonalNumbers forgets the numbers of the customers whose orders ended
// longer ago than their connection keeps them, and returns how many.
func (s *Store) ErasePersonalNumbers(ctx context.Context) (int, error) {
	n := 0
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		var ids []int64
		err := tx.SelectContext(ctx, &ids, `
			DELETE FROM personal_numbers p USING orders o JOIN connections c ON c.id = o.connection_id
			WHERE o.id = p.order_id AND o.state IN ('delivered', 'failed', 'cancelled')
				AND o.updated_at < $1::timestamptz - c.personal_days * interval '1 day'
			RETURNING p.order_id`, now)
		if err != nil {
			return err
		}
		n = len(ids)
		for _, id := range ids {
			_, err := insertEvent(ctx, tx, id, portal.Event{Kind: portal.EventErased, Actor: portal.Actor{Kind: portal.ActorSystem}, CreatedAt: now})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("erase personal numbers: %w", err)
	}
	return n, nil
}
