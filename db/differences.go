package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// heldOrders returns what is compared with a list: the office's orders that have
// changed lately, and those that the list names; and our services by the
// partner's id of them.
func heldOrders(ctx context.Context, tx *sqlx.Tx, r portal.Reconciliation, list portal.Listing) ([]portal.HeldOrder, map[string]string, error) {
	var rows []struct {
		ID             int64          `db:"id"`
		PartnerOrderID string         `db:"partner_order_id"`
		ServiceID      string         `db:"service_id"`
		Flow           portal.Flow    `db:"flow"`
		State          portal.State   `db:"state"`
		Told           pq.StringArray `db:"told"`
		Unreported     bool           `db:"unreported"`
		CreatedAt      time.Time      `db:"created_at"`
		ChangedAt      time.Time      `db:"changed_at"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT o.id, o.partner_order_id, o.service_id, s.flow, o.state, j.told, COALESCE(j.unreported, false) AS unreported,
			`+beganThere+` AS created_at, GREATEST(o.updated_at, j.finished_at) AS changed_at
		FROM orders o JOIN services s ON s.id = o.service_id
		CROSS JOIN LATERAL (
			SELECT array_agg(j.payload ->> 'state' ORDER BY j.id DESC) AS told,
				bool_or(j.finished_at IS NULL) AS unreported, max(j.finished_at) AS finished_at
			FROM jobs j WHERE j.order_id = o.id AND j.kind = 'report') j
		WHERE o.office_id = $1 AND (o.updated_at >= $2 OR o.partner_order_id = ANY($3))
		ORDER BY o.id`, r.Office.ID, r.Period.At.Add(-portal.ReconcileSpan), pq.StringArray(listedIDs(list)))
	if err != nil {
		return nil, nil, err
	}
	held := make([]portal.HeldOrder, 0, len(rows))
	for _, o := range rows {
		held = append(held, portal.HeldOrder{ID: o.ID, PartnerOrderID: o.PartnerOrderID, ServiceID: o.ServiceID,
			Background: o.Flow == portal.FlowBackground, State: o.State, Told: stringsTo[portal.State](o.Told),
			Unreported: o.Unreported, CreatedAt: o.CreatedAt, ChangedAt: o.ChangedAt})
	}
	var services []struct {
		ID             string `db:"id"`
		PartnerService string `db:"partner_service"`
	}
	err = tx.SelectContext(ctx, &services, `
		SELECT id, partner_service FROM services WHERE connection_id = $1 AND partner_service <> '' ORDER BY id`, r.ConnectionID)
	known := map[string]string{}
	for _, svc := range services {
		known[svc.PartnerService] = svc.ID
	}
	return held, known, err
}

func listedIDs(list portal.Listing) []string {
	ids := make([]string, 0, len(list.Orders))
	for _, l := range list.Orders {
		ids = append(ids, l.OrderID)
	}
	return ids
}

type differenceRow struct {
	ID             int64                 `db:"id"`
	OfficeID       int64                 `db:"office_id"`
	Kind           portal.DifferenceKind `db:"kind"`
	PartnerOrderID string                `db:"partner_order_id"`
	OrderID        sql.NullInt64         `db:"order_id"`
	Ours           portal.State          `db:"ours"`
	Theirs         string                `db:"theirs"`
	Report         portal.State          `db:"report"`
	Listed         []byte                `db:"listed"`
	ServiceID      sql.NullString        `db:"service_id"`
	Known          bool                  `db:"known"`
	SettledAs      portal.Settlement     `db:"settled_as"`
}

const differenceColumns = `d.id, d.office_id, d.kind, d.partner_order_id, d.order_id, d.ours, d.theirs, d.report, d.listed,
	d.service_id, d.known, d.settled_as`

func (r differenceRow) difference() (portal.Difference, error) {
	d := portal.Difference{Kind: r.Kind, PartnerOrderID: r.PartnerOrderID, OrderID: r.OrderID.Int64, Ours: r.Ours,
		Theirs: r.Theirs, Report: r.Report, ServiceID: r.ServiceID.String, Known: r.Known}
	if r.Listed == nil {
		return d, nil
	}
	if err := json.Unmarshal(r.Listed, &d.Listed); err != nil {
		return portal.Difference{}, fmt.Errorf("read difference %d: %w", r.ID, err)
	}
	return d, nil
}

// isCurrent says, as the unique index does, which difference of an order counts.
const isCurrent = `(d.settled_at IS NULL OR d.settled_as = 'accepted' AND d.lapsed_at IS NULL)`

// saveDifferences stores what a comparison has found in place of what earlier
// ones had. What is accepted stays accepted for as long as it is found the same.
func saveDifferences(ctx context.Context, tx *sqlx.Tx, r portal.Reconciliation, c portal.Comparison, now time.Time) error {
	found := map[string]portal.Difference{}
	for _, d := range c.Differences {
		found[d.PartnerOrderID] = d
	}
	var rows []differenceRow
	err := tx.SelectContext(ctx, &rows, `
		SELECT `+differenceColumns+` FROM differences d WHERE d.office_id = $1 AND ($2 = '' OR d.partner_order_id = $2) AND `+isCurrent+` ORDER BY d.id FOR UPDATE`,
		r.Office.ID, c.Only)
	if err != nil {
		return err
	}
	for _, row := range rows {
		had, err := row.difference()
		if err != nil {
			return err
		}
		d, again := found[row.PartnerOrderID]
		if again && (row.SettledAs == "" || had.Same(d)) {
			delete(found, row.PartnerOrderID)
		}
		switch {
		case row.SettledAs == "" && again:
			err = updateDifference(ctx, tx, row, d, now)
		case row.SettledAs == "" && c.Resolves(had):
			_, err = tx.ExecContext(ctx, `DELETE FROM differences WHERE id = $1`, row.ID)
		case row.SettledAs == portal.Accepted && !(again && had.Same(d)) && (again || c.Resolves(had)):
			_, err = tx.ExecContext(ctx, `UPDATE differences SET lapsed_at = $2 WHERE id = $1`, row.ID, now)
		}
		if err != nil {
			return err
		}
	}
	for _, d := range c.Differences {
		if _, left := found[d.PartnerOrderID]; !left {
			continue
		}
		if err := insertDifference(ctx, tx, r.Office.ID, d, now); err != nil {
			return err
		}
	}
	return nil
}

func insertDifference(ctx context.Context, tx *sqlx.Tx, office int64, d portal.Difference, now time.Time) error {
	listed, err := listedJSON(d)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO differences (office_id, kind, partner_order_id, order_id, ours, theirs, report, listed, service_id, known, found_at)
		VALUES ($1, $2, $3, NULLIF($4, 0), $5, $6, $7, $8, NULLIF($9, ''), $10, $11)`,
		office, d.Kind, d.PartnerOrderID, d.OrderID, d.Ours, d.Theirs, d.Report, listed, d.ServiceID, d.Known, now)
	return err
}

// updateDifference keeps since when the order has differed, unless it now
// differs in another way.
func updateDifference(ctx context.Context, tx *sqlx.Tx, row differenceRow, d portal.Difference, now time.Time) error {
	listed, err := listedJSON(d)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE differences SET found_at = CASE WHEN kind = $2 THEN found_at ELSE $10 END, kind = $2, order_id = NULLIF($3, 0),
			ours = $4, theirs = $5, report = $6, listed = $7, service_id = NULLIF($8, ''), known = $9
		WHERE id = $1`,
		row.ID, d.Kind, d.OrderID, d.Ours, d.Theirs, d.Report, listed, d.ServiceID, d.Known, now)
	return err
}

// listedJSON returns what the partner listed as it is kept, nil for nothing.
func listedJSON(d portal.Difference) ([]byte, error) {
	if d.Listed == nil {
		return nil, nil
	}
	return json.Marshal(d.Listed)
}
