package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// settle lets a person decide about a difference that is open. do returns the
// order that it is about then, 0 for none.
func (s *Store) settle(ctx context.Context, id int64, as portal.Settlement, reason string, by portal.Actor,
	do func(tx *sqlx.Tx, row differenceRow, d portal.Difference, now time.Time) (order int64, err error)) error {
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		var row differenceRow
		err := tx.GetContext(ctx, &row, `SELECT `+differenceColumns+` FROM differences d WHERE d.id = $1 FOR UPDATE`, id)
		if err != nil {
			return err
		}
		if row.SettledAs != "" {
			return portal.Errorf(portal.Conflict, "reconciliation.settled")
		}
		d, err := row.difference()
		if err != nil {
			return err
		}
		order, err := do(tx, row, d, now)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE differences SET settled_at = $2, settled_as = $3, settled_by = $4, reason = $5, order_id = NULLIF($6, 0) WHERE id = $1`,
			id, now, as, by.ID, reason, order)
		return err
	})
	if err != nil {
		return fmt.Errorf("settle difference %d as %s: %w", id, as, err)
	}
	return nil
}

// AcceptDifference leaves an order as it is, for a reason, until something about
// it changes. It returns Conflict for a difference that is settled, or an order
// that has changed since.
func (s *Store) AcceptDifference(ctx context.Context, id int64, reason string, by portal.Actor) error {
	if err := portal.CheckReason(reason); err != nil {
		return err
	}
	return s.settle(ctx, id, portal.Accepted, reason, by, func(tx *sqlx.Tx, _ differenceRow, d portal.Difference, now time.Time) (int64, error) {
		if d.OrderID == 0 {
			return 0, nil
		}
		o, err := orderForUpdate(ctx, tx, d.OrderID)
		if err != nil {
			return 0, err
		}
		change, err := o.AcceptDifference(d, reason, by, now)
		if err != nil {
			return 0, err
		}
		return o.ID, saveChange(ctx, tx, o, change, now)
	})
}

// ReportAgain queues once more what the partner ought to show. It returns
// Conflict for a difference that is settled, an order that has changed since, or
// one of which the partner is still to be told something.
func (s *Store) ReportAgain(ctx context.Context, id int64, by portal.Actor) error {
	return s.settle(ctx, id, portal.Reported, "", by, func(tx *sqlx.Tx, _ differenceRow, d portal.Difference, now time.Time) (int64, error) {
		if d.OrderID == 0 {
			return 0, portal.Errorf(portal.Conflict, "reconciliation.no_report")
		}
		o, err := orderForUpdate(ctx, tx, d.OrderID)
		if err != nil {
			return 0, err
		}
		var last struct {
			Unreported bool   `db:"unreported"`
			Comment    string `db:"comment"`
		}
		err = tx.GetContext(ctx, &last, `
			SELECT EXISTS (SELECT 1 FROM jobs WHERE order_id = $1 AND finished_at IS NULL) AS unreported,
				COALESCE((SELECT payload ->> 'comment' FROM jobs
					WHERE order_id = $1 AND payload ->> 'state' = $2 ORDER BY id DESC LIMIT 1), '') AS comment`, o.ID, d.Report)
		if err != nil {
			return 0, err
		}
		if last.Unreported {
			return 0, portal.Errorf(portal.Conflict, "reconciliation.unreported")
		}
		change, err := o.ReportAgain(d, last.Comment, by, now)
		if err != nil {
			return 0, err
		}
		return o.ID, saveChange(ctx, tx, o, change, now)
	})
}

// ImportOrder takes in an order that the partner lists and that never came to
// us, as one of a service. It returns Conflict for a difference that is settled
// or not of that kind, and if the order has come in meanwhile; NotFound for a
// service of another connection.
func (s *Store) ImportOrder(ctx context.Context, id int64, svc portal.Service, currency string, by portal.Actor) error {
	return s.settle(ctx, id, portal.Imported, "", by, func(tx *sqlx.Tx, row differenceRow, d portal.Difference, now time.Time) (int64, error) {
		var customer string
		err := tx.GetContext(ctx, &customer, `SELECT customer_id FROM offices WHERE id = $1 AND connection_id = $2`, row.OfficeID, svc.ConnectionID)
		if err != nil {
			return 0, err
		}
		o, change, err := portal.ImportOrder(svc, d, customer, by, now)
		if err != nil {
			return 0, err
		}
		t := d.Listed.Ticket(customer)
		t.Raw = row.Listed
		var opened openedRow
		err = tx.GetContext(ctx, &opened, openOrder, openArgs(o, t, currency, false, []byte("[]"), nil, now)...)
		if err != nil {
			return 0, err
		}
		if !opened.New {
			return 0, portal.Errorf(portal.Conflict, "reconciliation.arrived")
		}
		return opened.ID, insertChange(ctx, tx, opened.ID, change, now)
	})
}

// completeImported fills in what a list did not tell of an order that was taken
// from it, when its ticket comes: the kind of target, and who owns it. It does
// so once, and reports whether it did.
func completeImported(ctx context.Context, tx *sqlx.Tx, id int64, t portal.Ticket) (bool, error) {
	result, err := tx.ExecContext(ctx, `
		UPDATE orders o SET target_type = $2, target_id = $3, ticket = COALESCE(NULLIF($4, '')::jsonb, o.ticket), broker_id = b.id
		FROM brokers b
		WHERE o.id = $1 AND o.target_type = '' AND o.target_id IN ('', $3) AND b.office_id = o.office_id AND b.user_id = $5
			AND EXISTS (SELECT 1 FROM differences d WHERE d.order_id = o.id AND d.settled_as = 'imported')`,
		id, t.Target.Type, t.Target.ID, string(t.Raw), t.OwnerID)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n > 0, err
}
