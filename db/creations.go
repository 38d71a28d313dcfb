package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// CreateOrder stores the order of a ticket that staff made at the partner. Of one
// that a broker has opened there meanwhile it only remembers who made it.
func (s *Store) CreateOrder(ctx context.Context, svc portal.Service, t portal.Ticket, currency string, by portal.Actor) (Opened, error) {
	var row openedRow
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		o, change, err := portal.CreateOrder(svc, t, by, now)
		if err != nil {
			return err
		}
		err = tx.GetContext(ctx, &row, openOrder, openArgs(o, t, currency, false, []byte("[]"), nil, now)...)
		if err != nil {
			return err
		}
		if !row.New {
			change = portal.Change{Events: change.Events[:1]}
		}
		if change.Report != nil {
			change.Report.PublicID = row.PublicID
		}
		return insertChange(ctx, tx, row.ID, change, now)
	})
	if err != nil {
		return Opened{}, fmt.Errorf("create order %s of %s: %w", t.OrderID, t.Customer, err)
	}
	return row.Opened, nil
}

// ServedOffices returns the offices that a connection has a credential for, by
// name: those of their own, and with one for any office all that have ordered.
func (s *Store) ServedOffices(ctx context.Context, connection string) ([]portal.Office, error) {
	var offices []portal.Office
	err := s.db.SelectContext(ctx, &offices, `
		SELECT COALESCE(p.id, 0) AS id, served.customer_id, COALESCE(p.name, '') AS name
		FROM (
			SELECT customer AS customer_id FROM credentials WHERE connection_id = $1 AND customer <> $2
			UNION
			SELECT customer_id FROM offices
			WHERE connection_id = $1 AND EXISTS (SELECT 1 FROM credentials WHERE connection_id = $1 AND customer = $2)
		) served
		LEFT JOIN offices p ON p.connection_id = $1 AND p.customer_id = served.customer_id
		ORDER BY COALESCE(NULLIF(p.name, ''), served.customer_id), served.customer_id LIMIT 500`, connection, portal.AnyCustomer)
	if err != nil {
		return nil, fmt.Errorf("offices of %s: %w", connection, mapError(err))
	}
	return offices, nil
}
