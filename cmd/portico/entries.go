package main

import (
	"context"
	"net/http"
	"time"

	"portico/internal/portal"
)

// describer is a client whose partner tells what an order is about.
type describer interface {
	Describe(ctx context.Context, customer string, target portal.Target, sellers bool) (portal.Details, error)
}

// describeTime is how long a broker waits for what would only be nice to see.
const describeTime = 3 * time.Second

// Describe returns what the partner tells of a ticket's target, nothing where
// it does not tell.
func (p *partner) Describe(ctx context.Context, svc portal.Service, t portal.Ticket) (portal.Details, error) {
	client, ok := p.client.(describer)
	if !ok || t.Target.ID == "" {
		return portal.Details{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, describeTime)
	defer cancel()
	return client.Describe(ctx, t.Customer, t.Target, svc.Sellers)
}

// authorizer is a client whose partner fetches a token of ours before it sends
// somebody.
type authorizer interface {
	Authorize(ctx context.Context, header http.Header, body []byte) (status int, answer []byte, err error)
}

// Authorize answers a partner's call for a token of ours. It returns NotFound for
// a connection whose partner fetches none.
func (p webPartners) Authorize(ctx context.Context, connection string, header http.Header, body []byte) (int, []byte, error) {
	partner, err := p.partner(ctx, connection)
	if err != nil {
		return 0, nil, err
	}
	client, ok := partner.client.(authorizer)
	if !ok {
		return 0, nil, portal.Errorf(portal.NotFound, "error.not_found")
	}
	return client.Authorize(ctx, header, body)
}
