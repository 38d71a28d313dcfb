package main

import (
	"context"
	"errors"

	"portico/internal/partner/visma"
	"portico/internal/portal"
)

// creator is a client that makes orders at its partner.
type creator interface {
	CreateOrder(ctx context.Context, customer, target string) (portal.Ticket, error)
}

// creators are the systems whose clients are creators.
var creators = map[string]bool{visma.System: true}

// Creates reports whether orders of a service can be made from here.
func (p webPartners) Creates(svc portal.Service) bool {
	return creators[svc.System] && svc.Flow == portal.FlowPage
}

// Create makes an order at a service's partner.
func (p webPartners) Create(ctx context.Context, svc portal.Service, customer, target string) (portal.Ticket, error) {
	partner, err := p.partner(ctx, svc.ConnectionID)
	if err != nil {
		return portal.Ticket{}, err
	}
	return partner.Create(ctx, customer, target)
}

// Create makes an order at the partner, which nothing repeats: a call that may
// have made one is not made again. With a credential that the partner refuses
// it returns Unavailable without a call. Only a partner that is a creator's can.
func (p *partner) Create(ctx context.Context, customer, target string) (portal.Ticket, error) {
	until, blocked, err := p.store.CredentialBlocked(ctx, p.id, customer)
	if err != nil {
		return portal.Ticket{}, err
	}
	if blocked {
		return portal.Ticket{}, notCreated(p.blocked(until))
	}
	ticket, err := p.client.(creator).CreateOrder(ctx, customer, target)
	if portal.KindOf(err) == portal.Forbidden {
		return portal.Ticket{}, err // that we may not do this says nothing about the credential
	}
	p.record(ctx, customer, !until.IsZero(), err)
	if errors.Is(err, portal.ErrCredential) {
		return portal.Ticket{}, notCreated(err)
	}
	return ticket, err
}

// notCreated says that no order was made.
func notCreated(cause error) error {
	return &portal.Error{Kind: portal.Unavailable, Say: portal.Say("partner.unavailable"), Err: cause}
}
