package db

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// verifyOrders confirms the orders that came in without proof and are on the
// list. One that the list has on another target is marked so, once.
func verifyOrders(ctx context.Context, tx *sqlx.Tx, r portal.Reconciliation, list portal.Listing, now time.Time) error {
	var ids []int64
	err := tx.SelectContext(ctx, &ids, `
		SELECT id FROM orders WHERE office_id = $1 AND unverified AND partner_order_id = ANY($2) ORDER BY id`,
		r.Office.ID, pq.StringArray(listedIDs(list)))
	if err != nil {
		return err
	}
	listed := map[string]portal.Listed{}
	for _, l := range list.Orders {
		listed[l.OrderID] = l
	}
	for _, id := range ids {
		o, err := orderForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		l := listed[o.PartnerOrderID]
		change, ok := o.Verify(l, now)
		if !ok {
			if err := insertDiffers(ctx, tx, o.ID, o.Target.ID, l.TargetID, now); err != nil {
				return err
			}
			continue
		}
		// Not by saveChange: that would make the order look as if it had changed.
		if _, err := tx.ExecContext(ctx, `UPDATE orders SET unverified = false WHERE id = $1`, o.ID); err != nil {
			return err
		}
		for _, e := range change.Events {
			if _, err := insertEvent(ctx, tx, o.ID, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// insertDiffers marks on an order that it is somewhere else with other content,
// once for each content.
func insertDiffers(ctx context.Context, tx *sqlx.Tx, id int64, before, after string, now time.Time) error {
	var known bool
	err := tx.GetContext(ctx, &known, `
		SELECT EXISTS (SELECT 1 FROM events e WHERE e.order_id = o.id AND e.kind = $2 AND e.data ->> 'after' = $3)
		FROM orders o WHERE o.id = $1 FOR UPDATE`, id, portal.EventDiffers, after)
	if err != nil || known {
		return err
	}
	_, err = insertEvent(ctx, tx, id, portal.Event{Kind: portal.EventDiffers, CreatedAt: now,
		Actor: portal.Actor{Kind: portal.ActorPartner}, Data: portal.EventData{Before: before, After: after}})
	return err
}
