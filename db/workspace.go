package db

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// Workspace is an order with all that belongs to it, as it was at one moment.
type Workspace struct {
	Order      portal.Order
	Events     []portal.Event       // oldest first
	Attached   []portal.Attachment  // the files of its form
	Deliveries []portal.Delivery    // newest first
	Questions  []portal.Interaction // newest first
	Jobs       []portal.Job         // oldest first
	Leads      []StoredLead         // newest first

	// Of an order that is fetched.
	NumberKept  bool                // its customer's personal number is
	Activations []portal.Activation // newest first
}

// Workspace returns what staff see of the order with a public id. It returns
// NotFound if there is none.
func (s *Store) Workspace(ctx context.Context, publicID string) (Workspace, error) {
	var w Workspace
	err := s.inSnapshot(ctx, func(tx *sqlx.Tx) (err error) {
		if w.Order, err = orderForStaff(ctx, tx, publicID); err != nil {
			return err
		}
		id := w.Order.ID
		if w.Events, err = orderEvents(ctx, tx, id, false); err != nil {
			return err
		}
		if w.Attached, err = attachments(ctx, tx, id); err != nil {
			return err
		}
		if w.Deliveries, err = orderDeliveries(ctx, tx, id); err != nil {
			return err
		}
		if w.Questions, err = orderInteractions(ctx, tx, id); err != nil {
			return err
		}
		if w.Jobs, err = orderJobs(ctx, tx, id); err != nil {
			return err
		}
		if w.Leads, err = leads(ctx, tx, `SELECT id FROM leads WHERE order_id = $1`, id); err != nil {
			return err
		}
		if w.Order.Service.Flow != portal.FlowPoll {
			return nil
		}
		if w.NumberKept, err = hasPersonalNumber(ctx, tx, id); err != nil {
			return err
		}
		w.Activations, err = orderActivations(ctx, tx, id)
		return err
	})
	if err != nil {
		return Workspace{}, fmt.Errorf("workspace of order %s: %w", publicID, err)
	}
	return w, nil
}
