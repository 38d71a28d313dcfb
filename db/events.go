package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// Timeline returns an order's events, oldest first; for the broker only those
// that concern the broker.
func (s *Store) Timeline(ctx context.Context, orderID int64, forBroker bool) ([]portal.Event, error) {
	return orderEvents(ctx, s.db, orderID, forBroker)
}

func orderEvents(ctx context.Context, conn sqlx.QueryerContext, orderID int64, forBroker bool) ([]portal.Event, error) {
	var rows []struct {
		Kind      portal.EventKind `db:"kind"`
		ActorKind portal.ActorKind `db:"actor_kind"`
		ActorID   int64            `db:"actor_id"`
		ActorName string           `db:"actor_name"`
		ForBroker bool             `db:"for_broker"`
		Data      []byte           `db:"data"`
		CreatedAt time.Time        `db:"created_at"`
	}
	err := sqlx.SelectContext(ctx, conn, &rows, `
		SELECT kind, actor_kind, actor_id, actor_name, for_broker, data, created_at
		FROM events WHERE order_id = $1 AND (for_broker OR NOT $2) ORDER BY id`, orderID, forBroker)
	if err != nil {
		return nil, fmt.Errorf("timeline of order %d: %w", orderID, mapError(err))
	}
	events := make([]portal.Event, 0, len(rows))
	for _, r := range rows {
		e := portal.Event{Kind: r.Kind, ForBroker: r.ForBroker, CreatedAt: r.CreatedAt,
			Actor: portal.Actor{Kind: r.ActorKind, ID: r.ActorID, Name: r.ActorName}}
		if err := json.Unmarshal(r.Data, &e.Data); err != nil {
			return nil, fmt.Errorf("timeline of order %d: %w", orderID, err)
		}
		events = append(events, e)
	}
	return events, nil
}

// Interactions returns an order's questions, newest first.
func (s *Store) Interactions(ctx context.Context, orderID int64) ([]portal.Interaction, error) {
	return orderInteractions(ctx, s.db, orderID)
}

func orderInteractions(ctx context.Context, conn sqlx.QueryerContext, orderID int64) ([]portal.Interaction, error) {
	var rows []interactionRow
	err := sqlx.SelectContext(ctx, conn, &rows, selectInteraction+` WHERE i.order_id = $1 ORDER BY i.id DESC`, orderID)
	if err != nil {
		return nil, fmt.Errorf("interactions of order %d: %w", orderID, mapError(err))
	}
	list := make([]portal.Interaction, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.interaction())
	}
	return list, nil
}
