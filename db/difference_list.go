package db

import (
	"context"
	"fmt"
	"time"

	"portico/internal/portal"
)

// FoundDifference is a difference that is open, or accepted as it is.
type FoundDifference struct {
	ID int64
	portal.Difference
	Office     portal.Office
	PublicID   string        // of our order; empty: we have none
	Target     portal.Target // of the order, as far as it is known
	State      portal.State  // of our order now
	Unreported bool          // the partner is still to be told something
	FoundAt    time.Time
	AcceptedBy string // empty: it is open
	AcceptedAt *time.Time
	Reason     string
	Total      int // how many there are of its sort
}

// isOpenDifference says which differences wait for somebody: what has come in
// meanwhile does not.
const isOpenDifference = `(d.settled_at IS NULL AND NOT (d.kind = 'missing_here' AND EXISTS (
	SELECT 1 FROM orders h WHERE h.office_id = d.office_id AND h.connection_id = p.connection_id AND h.partner_order_id = d.partner_order_id)))`

// Differences returns what is open or accepted at a connection, or at one office
// of it: of each sort the oldest, at most limit.
func (s *Store) Differences(ctx context.Context, connection, customer string, limit int) ([]FoundDifference, error) {
	var rows []struct {
		differenceRow
		Customer   string     `db:"customer_id"`
		OfficeName string     `db:"office_name"`
		PublicID   string     `db:"public_id"`
		TargetType string     `db:"target_type"`
		TargetID   string     `db:"target_id"`
		State      string     `db:"state"`
		Unreported bool       `db:"unreported"`
		FoundAt    time.Time  `db:"found_at"`
		AcceptedBy string     `db:"accepted_by"`
		AcceptedAt *time.Time `db:"settled_at"`
		Reason     string     `db:"reason"`
		Total      int        `db:"total"`
	}
	err := s.db.SelectContext(ctx, &rows, `
		WITH found AS (
			SELECT d.*, p.customer_id, p.name AS office_name,
				row_number() OVER (PARTITION BY sort ORDER BY d.found_at, d.id) AS number,
				count(*) OVER (PARTITION BY sort) AS total
			FROM differences d JOIN offices p ON p.id = d.office_id
			CROSS JOIN LATERAL (SELECT CASE WHEN d.settled_at IS NOT NULL THEN 'accepted' WHEN d.known THEN d.kind ELSE 'others' END) s (sort)
			WHERE p.connection_id = $1 AND ($2 = '' OR p.customer_id = $2)
				AND (`+isOpenDifference+` OR d.settled_as = 'accepted' AND d.lapsed_at IS NULL))
		SELECT `+differenceColumns+`, d.customer_id, d.office_name, COALESCE(o.public_id, '') AS public_id,
			COALESCE(o.target_type, '') AS target_type, COALESCE(o.target_id, d.listed ->> 'target_id', '') AS target_id,
			COALESCE(o.state, '') AS state, d.found_at, COALESCE(a.name, '') AS accepted_by, d.settled_at, d.reason, d.total,
			EXISTS (SELECT 1 FROM jobs j WHERE j.order_id = o.id AND j.finished_at IS NULL) AS unreported
		FROM found d LEFT JOIN orders o ON o.id = d.order_id LEFT JOIN staff a ON a.id = d.settled_by
		WHERE d.number <= $3
		ORDER BY d.found_at, d.id`, connection, customer, limit)
	if err != nil {
		return nil, fmt.Errorf("differences at %s: %w", connection, mapError(err))
	}
	list := make([]FoundDifference, 0, len(rows))
	for _, r := range rows {
		d, err := r.difference()
		if err != nil {
			return nil, err
		}
		list = append(list, FoundDifference{ID: r.ID, Difference: d, PublicID: r.PublicID, State: portal.State(r.State),
			Office: portal.Office{ID: r.OfficeID, Customer: r.Customer, Name: r.OfficeName},
			Target: portal.Target{Type: r.TargetType, ID: r.TargetID}, Unreported: r.Unreported, FoundAt: r.FoundAt,
			AcceptedBy: r.AcceptedBy, AcceptedAt: r.AcceptedAt, Reason: r.Reason, Total: r.Total})
	}
	return list, nil
}

// CountDifferences returns how many differences about orders of ours wait for somebody.
func (s *Store) CountDifferences(ctx context.Context) (int, error) {
	var n int
	err := s.db.GetContext(ctx, &n, `
		SELECT count(*) FROM differences d JOIN offices p ON p.id = d.office_id WHERE d.known AND `+isOpenDifference)
	if err != nil {
		return 0, fmt.Errorf("count differences: %w", mapError(err))
	}
	return n, nil
}
