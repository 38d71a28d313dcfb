package db

import (
	"context"
	"fmt"
	"time"

	"portico/internal/portal"
)

// LastOrder is the order that came in last.
type LastOrder struct {
	PublicID  string    `db:"public_id"`
	CreatedAt time.Time `db:"created_at"`
}

// LastOrders returns the last order of each service, by the service's id;
// services without an order are left out.
func (s *Store) LastOrders(ctx context.Context) (map[string]LastOrder, error) {
	var rows []struct {
		ServiceID string `db:"service_id"`
		LastOrder
	}
	err := s.db.SelectContext(ctx, &rows, `
		SELECT s.id AS service_id, last.public_id, last.created_at
		FROM services s
		CROSS JOIN LATERAL (
			-- State by state, as the index has them: a service without orders must not cost a look at all others.
			SELECT o.public_id, o.created_at
			FROM unnest($1::text[]) AS every(state)
			CROSS JOIN LATERAL (
				SELECT id, public_id, created_at FROM orders
				WHERE service_id = s.id AND state = every.state ORDER BY created_at DESC, id DESC LIMIT 1) o
			ORDER BY o.created_at DESC, o.id DESC LIMIT 1) last
		ORDER BY s.id`, stringsOf(portal.States))
	if err != nil {
		return nil, fmt.Errorf("last orders: %w", mapError(err))
	}
	last := map[string]LastOrder{}
	for _, row := range rows {
		last[row.ServiceID] = row.LastOrder
	}
	return last, nil
}
