package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"portico/db"
	"portico/internal/partner/door"
	"portico/internal/portal"
	"portico/internal/worker"
)

// source is a client whose partner has no callback: its orders are fetched.
type source interface {
	OrdersSince(ctx context.Context, since time.Time, yield func(portal.Listed) error) error
	Order(ctx context.Context, l portal.Listed) (portal.Fetched, error)
	Rules() portal.PollRules
}

// logger is a client whose partner keeps a log of each order.
type logger interface {
	Log(ctx context.Context, order string) ([]portal.LogEntry, error)
}

// Source returns the partner of a connection whose orders are fetched.
func (p workPartners) Source(ctx context.Context, connection string) (worker.Source, error) {
	partner, err := p.partner(ctx, connection)
	if err != nil {
		return nil, err
	}
	if _, ok := partner.client.(source); !ok {
		return nil, portal.Errorf(portal.NotFound, "polls.failed")
	}
	return partner, nil
}

func newPoller(store *db.Store, p *partners, log *slog.Logger) *worker.Poller {
	return &worker.Poller{Store: store, Sources: workPartners{p}, Log: log, Now: store.Now}
}

// Rules say how the partner takes part in the orders. Only a partner that is a
// source's has rules.
func (p *partner) Rules() portal.PollRules { return p.client.(source).Rules() }

// OrdersSince lists what was ordered from a day on. With a credential that the
// partner refuses no call is made.
func (p *partner) OrdersSince(ctx context.Context, since time.Time, yield func(portal.Listed) error) error {
	var own error // of ours, which says nothing about the partner
	err := p.fetch(ctx, func() error {
		err := p.client.(source).OrdersSince(ctx, since, func(l portal.Listed) error {
			own = yield(l)
			return own
		})
		if own != nil {
			return nil
		}
		return err
	})
	if own != nil {
		return own
	}
	return err
}

// Order returns all that the partner tells of an order. With a credential that
// the partner refuses no call is made.
func (p *partner) Order(ctx context.Context, l portal.Listed) (f portal.Fetched, err error) {
	err = p.fetch(ctx, func() (err error) {
		f, err = p.client.(source).Order(ctx, l)
		return err
	})
	return f, err
}

// fetch makes a call that changes nothing at the partner.
func (p *partner) fetch(ctx context.Context, call func() error) error {
	until, blocked, err := p.store.CredentialBlocked(ctx, p.id, portal.AnyCustomer)
	if err != nil {
		return err
	}
	if blocked {
		return fetchError(&portal.ReportError{Outcome: portal.OutcomeCredential, RetryAfter: until.Sub(p.store.Now()), Err: p.blocked(until)})
	}
	err = p.lists.do(func() error { return fetchError(call()) })
	if errors.Is(err, errNoCall) {
		return fetchError(&portal.ReportError{Outcome: portal.OutcomeBusy, RetryAfter: breakerPause, Err: err})
	}
	p.record(ctx, portal.AnyCustomer, !until.IsZero(), err)
	return err
}

// fetchError says of an error whether the one order is at fault, which the
// partner has answered for, or the partner itself.
func fetchError(err error) error {
	if err == nil {
		return nil
	}
	var report *portal.ReportError
	if !errors.As(err, &report) {
		report = door.Classify(err)
	}
	outcome, say := report.Outcome, portal.Say("polls.no_answer")
	var fetch *portal.FetchError
	switch isFetch := errors.As(err, &fetch); {
	case outcome == portal.OutcomeCredential:
		say = portal.Say("polls.credential")
	case outcome == portal.OutcomeBusy:
	case isFetch && fetch.Say.Key != "polls.no_answer":
		return &portal.ReportError{Outcome: portal.OutcomeRefused, Status: report.Status, Err: err}
	case outcome == portal.OutcomeRefused:
		say = portal.Say("polls.refused")
	}
	return &portal.ReportError{Outcome: outcome, Status: report.Status, RetryAfter: report.RetryAfter,
		Err: &portal.Error{Kind: portal.Unavailable, Say: say, Err: err}}
}

// KeepsLog reports whether the partners of a system keep a log of each order.
func (p webPartners) KeepsLog(system string) bool { return systems[system].Polls }

// Log returns what an order's partner keeps of it. It returns Unavailable where
// the partner does not tell.
func (p webPartners) Log(ctx context.Context, o portal.Order) (entries []portal.LogEntry, err error) {
	partner, err := p.partner(ctx, o.Service.ConnectionID)
	if err != nil {
		return nil, err
	}
	client, ok := partner.client.(logger)
	if !ok {
		return nil, portal.Errorf(portal.NotFound, "error.not_found")
	}
	err = partner.fetch(ctx, func() (err error) {
		entries, err = client.Log(ctx, o.PartnerOrderID)
		return err
	})
	return entries, err
}
