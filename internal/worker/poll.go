package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"portico/internal/portal"
)

// Source is a partner without a callback: its orders are fetched.
type Source interface {
	// OrdersSince calls yield for each order that was ordered from a day on, while
	// it reads them, and stops with yield's error.
	OrdersSince(ctx context.Context, since time.Time, yield func(portal.Listed) error) error
	// Order returns all that the partner tells of an order, or why it cannot be
	// had: a *portal.FetchError that says what is wrong with this one order alone,
	// or any other error.
	Order(ctx context.Context, l portal.Listed) (portal.Fetched, error)
	Rules() portal.PollRules
}

// Sources finds a connection's source.
type Sources interface {
	Source(ctx context.Context, connection string) (Source, error)
}

// PollStore is what a Poller needs of the store. Every method that has a poll
// returns portal.ErrLeaseLost if that is no longer the caller's, and those with a
// lease make it the caller's for so much longer.
type PollStore interface {
	ClaimPoll(ctx context.Context, lease time.Duration) (portal.Poll, bool, error)
	ListOrders(ctx context.Context, p portal.Poll, list []portal.Listed, rules portal.PollRules, lease time.Duration) error
	OrdersToFetch(ctx context.Context, connection string, n int) ([]portal.Awaited, error)
	// ImportFetched returns why any of the orders could not be taken in, by their ids.
	ImportFetched(ctx context.Context, p portal.Poll, arrived []portal.Arrived, rules portal.PollRules, lease time.Duration) (map[int64]error, error)
	KeepAside(ctx context.Context, p portal.Poll, id int64, reason portal.Sentence, raw string, again time.Time, lease time.Duration) error
	FinishPoll(ctx context.Context, p portal.Poll, listed, imported int) error
	FailPoll(ctx context.Context, p portal.Poll, reason portal.Sentence, wait time.Duration) error
	ReleasePoll(ctx context.Context, p portal.Poll) error
}

// Limits of a poller. Of what a partner lists no more than a batch is held in
// memory. The lease is longer than whatever happens between two that extend it.
const (
	PollTick    = time.Second
	PollLease   = 2 * time.Minute
	PollTimeout = 5 * time.Minute // of reading a list, however long it is
	listBatch   = 500
	fetchBatch  = 50
	fetchAtOnce = 4
	outage      = 5 // orders in a row that do not come: then it is not the orders
)

// Poller fetches the orders of partners that have no callback. Any number of
// them may share one database: one polls a connection at a time.
type Poller struct {
	Store   PollStore
	Sources Sources
	Log     *slog.Logger
	Now     func() time.Time

	busy sync.WaitGroup
}

// Run polls what becomes due until ctx ends. It returns when every poll has ended.
func (r *Poller) Run(ctx context.Context) {
	defer r.busy.Wait()
	loop(ctx, PollTick, r.Log, "orders to fetch", func(ctx context.Context) (bool, error) {
		p, ok, err := r.Store.ClaimPoll(ctx, PollLease)
		if ok {
			r.busy.Go(func() { r.poll(ctx, p) })
		}
		return ok, err
	})
}

// RunOnce polls one connection if one is due.
func (r *Poller) RunOnce(ctx context.Context) (bool, error) {
	p, ok, err := r.Store.ClaimPoll(ctx, PollLease)
	if ok {
		r.poll(ctx, p)
	}
	return ok, err
}

// poll fetches a connection's orders and records how that ended. A program that
// stops in the middle gives the poll back, and of one that dies the lease runs
// out: what was not taken in is taken in by the next.
func (r *Poller) poll(ctx context.Context, p portal.Poll) {
	log := r.Log.With("connection", p.ConnectionID)
	n, err := r.fetch(ctx, p, log)
	if errors.Is(err, portal.ErrLeaseLost) {
		log.Warn("lease lost: another worker fetches the orders")
		return
	}
	record, cancel := context.WithTimeout(context.WithoutCancel(ctx), RecordTimeout)
	defer cancel()
	switch {
	case err != nil && ctx.Err() != nil:
		err = r.Store.ReleasePoll(record, p)
	case err == nil:
		if n.imported+n.aside > 0 {
			log.Info("poll", "listed", n.listed, "imported", n.imported, "aside", n.aside)
		}
		err = r.Store.FinishPoll(record, p, n.listed, n.imported)
	default:
		log.Warn("poll", "listed", n.listed, "imported", n.imported, "err", err)
		var e *portal.ReportError
		var wait time.Duration
		if errors.As(err, &e) {
			wait = min(e.RetryAfter, maxBusyDelay)
		}
		err = r.Store.FailPoll(record, p, reason(err), wait)
	}
	if err != nil {
		log.Error("record how a poll ended", "err", err)
	}
}

// reason returns what staff are told of an error.
func reason(err error) portal.Sentence {
	var fetch *portal.FetchError
	var known *portal.Error
	switch {
	case errors.As(err, &fetch):
		return fetch.Say
	case errors.As(err, &known):
		return known.Say
	}
	return portal.Say("polls.failed")
}

// polled counts what a poll did.
type polled struct {
	listed, imported, aside int
	missed                  int // orders in a row that did not come
}

func (r *Poller) fetch(ctx context.Context, p portal.Poll, log *slog.Logger) (n polled, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("poll panicked: %v", panicked)
		}
	}()
	source, err := r.Sources.Source(ctx, p.ConnectionID)
	if err != nil {
		return n, err
	}
	rules := source.Rules()
	n.listed, err = r.list(ctx, p, source, rules)
	if err != nil {
		return n, err
	}
	for {
		batch, err := r.Store.OrdersToFetch(ctx, p.ConnectionID, fetchBatch)
		if err != nil || len(batch) == 0 {
			return n, err
		}
		if err := r.take(ctx, p, batch, fetchAll(ctx, source, batch), rules, &n, log); err != nil {
			return n, err
		}
	}
}

// list puts all that the partner lists where it is fetched from, a batch at a time.
func (r *Poller) list(ctx context.Context, p portal.Poll, source Source, rules portal.PollRules) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, PollTimeout)
	defer cancel()
	n := 0
	batch := make([]portal.Listed, 0, listBatch)
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		n += len(batch)
		err := r.Store.ListOrders(ctx, p, batch, rules, PollLease)
		batch = batch[:0]
		return err
	}
	err := source.OrdersSince(ctx, p.Since, func(l portal.Listed) error {
		if batch = append(batch, l); len(batch) < listBatch {
			return nil
		}
		return flush()
	})
	// What was whole before an answer was cut off is worth taking in all the same.
	return n, cmp.Or(flush(), err)
}

// arrivals are what came of fetching orders: one of the two for each.
type arrivals struct {
	fetched []portal.Fetched
	errs    []error
}

// errNotAsked says that an order was not asked for after others had not come.
var errNotAsked = errors.New("the partner has not answered for others")

func fetchAll(ctx context.Context, source Source, batch []portal.Awaited) arrivals {
	all := arrivals{make([]portal.Fetched, len(batch)), make([]error, len(batch))}
	var group sync.WaitGroup
	var missed atomic.Int32
	slots := make(chan struct{}, fetchAtOnce)
	for i, a := range batch {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			if missed.Load() >= outage {
				all.errs[i] = errNotAsked
				return
			}
			all.fetched[i], all.errs[i] = fetchOne(ctx, source, a.Listed)
			if err := all.errs[i]; err == nil || isFetchError(err) {
				missed.Store(0)
			} else {
				missed.Add(1)
			}
		})
	}
	group.Wait()
	return all
}

func fetchOne(ctx context.Context, source Source, l portal.Listed) (f portal.Fetched, err error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	defer func() {
		if panicked := recover(); panicked != nil {
			err = &portal.FetchError{Say: portal.Say("polls.unreadable"), Err: fmt.Errorf("fetch panicked: %v", panicked)}
		}
	}()
	return source.Order(ctx, l)
}

// asideBackoff are the times before an order that is kept aside is tried again.
var asideBackoff = []time.Duration{5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour}

// take imports the orders that were fetched, and keeps the others aside: a bad
// one never stops the rest. An error is one that no order is to blame for.
func (r *Poller) take(ctx context.Context, p portal.Poll, batch []portal.Awaited, all arrivals, rules portal.PollRules, n *polled, log *slog.Logger) error {
	var arrived []portal.Arrived
	for i, a := range batch {
		if all.errs[i] == nil {
			arrived = append(arrived, portal.Arrived{ID: a.ID, Fetched: all.fetched[i]})
		}
	}
	refused, err := r.Store.ImportFetched(ctx, p, arrived, rules, PollLease)
	if err != nil {
		return err
	}
	n.imported += len(arrived) - len(refused)
	for i, a := range batch {
		err := cmp.Or(all.errs[i], refused[a.ID])
		if errors.Is(err, errNotAsked) {
			continue
		}
		if n.missed++; all.errs[i] == nil || isFetchError(err) {
			n.missed = 0
		}
		switch outcome := portal.OutcomeOf(err); {
		case err == nil:
			continue
		case ctx.Err() != nil, outcome == portal.OutcomeCredential, outcome == portal.OutcomeBusy:
			return err
		}
		n.aside++
		log.Warn("an order is kept aside", "partner_order", a.Listed.OrderID, "tries", a.Tries+1, "err", err)
		if kept := r.keepAside(ctx, p, a, err); kept != nil {
			return kept
		}
		if n.missed == outage {
			return err
		}
	}
	return nil
}

func (r *Poller) keepAside(ctx context.Context, p portal.Poll, a portal.Awaited, err error) error {
	again, raw := asideBackoff[0], ""
	var fetch *portal.FetchError
	if errors.As(err, &fetch) { // else the partner is at fault, and every order may be hit
		again, raw = asideBackoff[min(a.Tries, len(asideBackoff)-1)], fetch.Raw
	}
	return r.Store.KeepAside(ctx, p, a.ID, reason(err), raw, r.Now().Add(again), PollLease)
}

func isFetchError(err error) bool {
	var e *portal.FetchError
	return errors.As(err, &e)
}
