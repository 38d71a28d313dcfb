package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"portico/internal/portal"
)

// Lister returns a partner's own list of an office's orders, those that were
// ordered since a time.
type Lister interface {
	List(ctx context.Context, customer string, since time.Time) (portal.Listing, error)
}

// Listers finds the partners that have a list.
type Listers interface {
	// Listing returns the connections whose partner has a list.
	Listing(ctx context.Context) ([]string, error)
	// Lister returns NotFound for a connection whose partner has none.
	Lister(ctx context.Context, connection string) (Lister, error)
}

// ReconcileStore is what a Reconciler needs of the store. The methods that end a
// comparison return portal.ErrLeaseLost if the office is no longer the caller's.
type ReconcileStore interface {
	ClaimReconciliation(ctx context.Context, connections []string, lease time.Duration) (portal.Reconciliation, bool, error)
	StartReconciliation(ctx context.Context, connection, customer string, by portal.Actor) (portal.Reconciliation, error)
	FinishReconciliation(ctx context.Context, r portal.Reconciliation, list portal.Listing) (portal.Comparison, error)
	FailReconciliation(ctx context.Context, r portal.Reconciliation, reason string, refused bool) error
}

// Limits of a reconciler. The lease is longer than a call and its record together.
const (
	ListTimeout    = 40 * time.Second
	ReconcileLease = 2 * time.Minute
	ReconcileTick  = 5 * time.Second
)

// Reconciler compares what we have with what the partners list. It changes
// nothing by itself. Any number of them may share one database.
type Reconciler struct {
	Store   ReconcileStore
	Listers Listers
	Log     *slog.Logger
}

// Run compares what becomes due until ctx ends.
func (r *Reconciler) Run(ctx context.Context) {
	loop(ctx, ReconcileTick, r.Log, "offices to reconcile", func(ctx context.Context) (bool, error) {
		n, err := r.RunOnce(ctx)
		return n > 0, err
	})
}

// RunOnce compares one office of each connection that has one due, and returns
// how many it took.
func (r *Reconciler) RunOnce(ctx context.Context) (int, error) {
	connections, err := r.Listers.Listing(ctx)
	if err != nil {
		return 0, err
	}
	var group sync.WaitGroup
	taken, errs := make([]bool, len(connections)), make([]error, len(connections))
	for i, connection := range connections {
		group.Go(func() { taken[i], errs[i] = r.next(ctx, connection) })
	}
	group.Wait()
	n := 0
	for _, took := range taken {
		if took {
			n++
		}
	}
	return n, errors.Join(errs...)
}

// next compares an office of a connection if one is due.
func (r *Reconciler) next(ctx context.Context, connection string) (bool, error) {
	job, due, err := r.Store.ClaimReconciliation(ctx, []string{connection}, ReconcileLease)
	if err != nil || !due {
		return false, err
	}
	_, _ = r.compare(ctx, job) // it is recorded, and logged
	return true, nil
}

// Reconcile compares an office's orders with its partner's list now, for
// somebody who waits for it. It returns NotFound for an office that nobody has
// ordered from and a connection without a list, and what the partner's client
// says if the list cannot be had.
func (r *Reconciler) Reconcile(ctx context.Context, connection, customer string, by portal.Actor) (portal.Comparison, error) {
	job, err := r.Store.StartReconciliation(ctx, connection, customer, by)
	if err != nil {
		return portal.Comparison{}, err
	}
	return r.compare(ctx, job)
}

// compare asks the partner and records what came of it.
func (r *Reconciler) compare(ctx context.Context, job portal.Reconciliation) (portal.Comparison, error) {
	list, callErr := r.list(ctx, job)
	if callErr != nil && ctx.Err() != nil && !job.LeasedUntil.IsZero() {
		return portal.Comparison{}, callErr // the program stops: the lease runs out, and another goes on
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), RecordTimeout)
	defer cancel()
	log := r.log(job)
	var c portal.Comparison
	err := callErr
	if err == nil {
		c, err = r.Store.FinishReconciliation(ctx, job, list)
	}
	switch {
	case errors.Is(err, portal.ErrLeaseLost):
		log.Warn("lease lost: another worker has the office")
	case err != nil:
		log.Warn("reconcile", "err", err)
		refused := portal.OutcomeOf(err) == portal.OutcomeRefused
		if err := r.Store.FailReconciliation(ctx, job, cmp.Or(describe(err), "no reason given"), refused); err != nil {
			log.Error("record that a comparison failed", "err", err)
		}
	default:
		log.Info("reconcile", "compared", c.Compared, "unreported", c.Unreported, "differences", len(c.Differences))
	}
	return c, err
}

func (r *Reconciler) list(ctx context.Context, job portal.Reconciliation) (list portal.Listing, err error) {
	ctx, cancel := context.WithTimeout(ctx, ListTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("list panicked: %v", p)
		}
	}()
	lister, err := r.Listers.Lister(ctx, job.ConnectionID)
	if err != nil {
		return portal.Listing{}, err
	}
	return lister.List(ctx, job.Office.Customer, job.Period.Asked)
}

func (r *Reconciler) log(job portal.Reconciliation) *slog.Logger {
	return r.Log.With("connection", job.ConnectionID, "office", job.Office.Customer)
}
