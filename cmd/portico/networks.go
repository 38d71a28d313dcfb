package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"portico/db"
	"portico/internal/portal"
	"portico/internal/worker"
)

// networker is a client whose orders are of accesses, whose networks can be
// asked to activate a service.
type networker interface {
	// NetworkOf returns the customer that the credential of an access's network is
	// stored for, false if there is no such network.
	NetworkOf(accessID string) (customer string, ok bool)
	Look(ctx context.Context, a portal.Activation) (portal.ActivationAnswer, error)
}

// networks are the breakers of a connection's networks: one that does not answer
// says nothing about the others.
type networks struct {
	mu       sync.Mutex
	breakers map[string]*breaker
}

func (n *networks) breaker(customer string) *breaker {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.breakers == nil {
		n.breakers = map[string]*breaker{}
	}
	if n.breakers[customer] == nil {
		n.breakers[customer] = newBreaker()
	}
	return n.breakers[customer]
}

// askNetwork makes a call to the network of an access. With a credential that
// the network refuses the outcome is credential, without a call.
func (p *partner) askNetwork(ctx context.Context, accessID string, call func() error) error {
	client, ok := p.client.(networker)
	customer := ""
	if ok {
		customer, ok = client.NetworkOf(accessID)
	}
	if !ok {
		return &portal.ReportError{Outcome: portal.OutcomeRefused, Err: errors.New("no network of the connection has this access")}
	}
	until, blocked, err := p.store.CredentialBlocked(ctx, p.id, customer)
	if err != nil {
		return &portal.ReportError{Outcome: portal.OutcomeFailed, Err: err}
	}
	if blocked {
		return &portal.ReportError{Outcome: portal.OutcomeCredential, RetryAfter: until.Sub(p.store.Now()), Err: p.blocked(until)}
	}
	err = p.networks.breaker(customer).do(call)
	if errors.Is(err, errNoCall) {
		return &portal.ReportError{Outcome: portal.OutcomeBusy, RetryAfter: breakerPause, Err: err}
	}
	p.record(ctx, customer, !until.IsZero(), err)
	return err
}

func newLooker(store *db.Store, p *partners, log *slog.Logger) *worker.Looker {
	return &worker.Looker{Store: store, Networks: workPartners{p}, Log: log, Now: store.Now}
}

// Look asks the network of an activation's access how far it is.
func (p workPartners) Look(ctx context.Context, a portal.Activation) (answer portal.ActivationAnswer, err error) {
	partner, err := p.partner(ctx, a.ConnectionID)
	if err != nil {
		return answer, err
	}
	err = partner.askNetwork(ctx, a.AccessID, func() (err error) {
		answer, err = partner.client.(networker).Look(ctx, a)
		return err
	})
	return answer, err
}
