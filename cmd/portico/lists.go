package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"portico/db"
	"portico/internal/portal"
	"portico/internal/worker"
)

// lister is a client whose partner has a list of its orders.
type lister interface {
	List(ctx context.Context, customer string, since time.Time) (portal.Listing, error)
}

// lists reports whether a client's partner has a list that our orders are to
// agree with. Where somebody else fulfils them, ours follow it.
func lists(c client) bool {
	if s, ok := c.(source); ok && s.Rules().Follows {
		return false
	}
	_, ok := c.(lister)
	return ok
}

// List returns the partner's own list of an office's orders. Its errors are of
// kind Unavailable. With a credential that the partner refuses no call is made.
// Only a partner of Lister's has a list.
func (p *partner) List(ctx context.Context, customer string, since time.Time) (portal.Listing, error) {
	until, blocked, err := p.store.CredentialBlocked(ctx, p.id, customer)
	if err != nil {
		return portal.Listing{}, err
	}
	if blocked {
		return portal.Listing{}, listError(p.blocked(until))
	}
	var list portal.Listing
	err = p.lists.do(func() (err error) {
		list, err = p.client.(lister).List(ctx, customer, since)
		return err
	})
	p.record(ctx, customer, !until.IsZero(), err)
	if err != nil {
		return portal.Listing{}, listError(err)
	}
	return list, nil
}

func listError(err error) error {
	e := &portal.Error{Kind: portal.Unavailable, Say: portal.Say("reconciliation.unavailable"), Err: err}
	switch {
	case errors.Is(err, portal.ErrCredential):
		e.Say = portal.Say("reconciliation.credential")
	case portal.OutcomeOf(err) == portal.OutcomeRefused:
		e.Say = portal.Say("reconciliation.refused")
	}
	return e
}

// Listing returns the connections whose partner has a list of its orders. One
// that no client can be made for is left out, and said in the log.
func (p *partners) Listing(ctx context.Context) ([]string, error) {
	connections, err := p.store.Connections(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range connections {
		partner, err := p.partner(ctx, c.ID)
		if err != nil {
			p.log.WarnContext(ctx, "is there a list of its orders?", "connection", c.ID, "err", err)
			continue
		}
		if lists(partner.client) {
			ids = append(ids, c.ID)
		}
	}
	return ids, nil
}

// Lister returns the partner of a connection that has a list of its orders.
func (p workPartners) Lister(ctx context.Context, connection string) (worker.Lister, error) {
	partner, err := p.partner(ctx, connection)
	if err != nil {
		return nil, err
	}
	if !lists(partner.client) {
		return nil, portal.Errorf(portal.NotFound, "reconciliation.no_list")
	}
	return partner, nil
}

// reconciler is the worker's as the screens need it.
type reconciler struct {
	*worker.Reconciler
	*partners
}

// Reconcile compares an office's orders with its partner's list now.
func (r reconciler) Reconcile(ctx context.Context, connection, customer string, by portal.Actor) error {
	_, err := r.Reconciler.Reconcile(ctx, connection, customer, by)
	return err
}

func newReconciler(store *db.Store, p *partners, log *slog.Logger) *worker.Reconciler {
	return &worker.Reconciler{Store: store, Listers: workPartners{p}, Log: log}
}

// staleReconciliation is how long an office's orders may go without being
// compared before the doctor says so.
const staleReconciliation = 48 * time.Hour

// reconciled says when a connection's orders have not been compared with its
// partner's list for too long, and nothing otherwise.
func (d *doctor) reconciled(ctx context.Context, store *db.Store, c portal.Connection) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	client, err := newClient(c, store, d.log)
	if err != nil {
		return // said already
	}
	if !lists(client) {
		return
	}
	stale, err := store.StaleReconciliation(ctx, c.ID, store.Now().Add(-staleReconciliation))
	switch {
	case err != nil:
		d.fault("reconciliation", err.Error())
	case stale.Offices > 0:
		d.fault("reconciliation", fmt.Sprintf("%s: offices not compared with the partner's list for two days: %d, the first since %s: /staff/reconciliation has the reason",
			c.ID, stale.Offices, stale.Since.UTC().Format(time.RFC3339)))
	}
}
