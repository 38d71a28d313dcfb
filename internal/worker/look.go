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

// Networks asks the networks of customers' accesses how far they are.
type Networks interface {
	Look(ctx context.Context, a portal.Activation) (portal.ActivationAnswer, error)
}

// LookStore is what a Looker needs of the store. FinishLook returns
// portal.ErrLeaseLost if somebody else has asked since.
type LookStore interface {
	ClaimLook(ctx context.Context, lease time.Duration) (a portal.Activation, until time.Time, ok bool, err error)
	FinishLook(ctx context.Context, id int64, until time.Time, answer portal.ActivationAnswer) error
	FailLook(ctx context.Context, id int64, until, next time.Time, reason string) error
}

// looksAtOnce is how many networks are asked at the same time: a slow one does
// not keep the others waiting.
const looksAtOnce = 4

// Looker follows the activations that networks work on. Any number of them may
// share one database.
type Looker struct {
	Store    LookStore
	Networks Networks
	Log      *slog.Logger
	Now      func() time.Time

	busy sync.WaitGroup
}

// Run looks at what becomes due until ctx ends. It returns when every look has ended.
func (r *Looker) Run(ctx context.Context) {
	defer r.busy.Wait()
	for range looksAtOnce {
		r.busy.Go(func() { loop(ctx, PollTick, r.Log, "activations", r.RunOnce) })
	}
}

// RunOnce looks at one activation if one is due.
func (r *Looker) RunOnce(ctx context.Context) (bool, error) {
	a, until, ok, err := r.Store.ClaimLook(ctx, Lease)
	if err != nil || !ok {
		return false, err
	}
	log := r.Log.With("activation", a.ID, "order", a.OrderID, "connection", a.ConnectionID)
	answer, callErr := r.look(ctx, a)
	record, cancel := context.WithTimeout(context.WithoutCancel(ctx), RecordTimeout)
	defer cancel()
	if callErr == nil {
		err = r.Store.FinishLook(record, a.ID, until, answer)
	} else {
		log.Warn("look at an activation", "err", callErr)
		var e *portal.ReportError
		next := a.NextLook(r.Now())
		if errors.As(callErr, &e) {
			next = next.Add(min(e.RetryAfter, maxBusyDelay))
		}
		err = r.Store.FailLook(record, a.ID, until, next, cmp.Or(describe(callErr), "no reason given"))
	}
	switch {
	case errors.Is(err, portal.ErrLeaseLost):
		log.Warn("lease lost: another worker looks at the activation")
	case err != nil:
		log.Error("record a look at an activation", "err", err)
	case callErr == nil && answer.State.Final():
		log.Info("activation", "state", answer.State)
	}
	return true, nil
}

func (r *Looker) look(ctx context.Context, a portal.Activation) (answer portal.ActivationAnswer, err error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("look panicked: %v", p)
		}
	}()
	return r.Networks.Look(ctx, a)
}
