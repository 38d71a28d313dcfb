package main

import (
	"context"

	"portico/db"
	"portico/handlers"
	"portico/internal/portal"
	"portico/internal/worker"
)

// links makes the addresses at which brokers answer questions.
type links struct {
	store *db.Store
	base  string
}

// Link returns a signed link that is made for this one attempt, or where the
// connection says so the callback, to which the partner adds its own token. A
// service in the background has no callback for people.
func (l links) Link(ctx context.Context, m portal.Message) (string, error) {
	kind, err := l.store.InteractionLink(ctx, m.ServiceID)
	if err != nil {
		return "", err
	}
	if kind == portal.LinkCallback {
		return l.base + "/callback/" + m.ServiceID, nil
	}
	token, err := l.store.IssueVisit(ctx, m.OrderID, m.InteractionID)
	if err != nil {
		return "", err
	}
	return l.base + "/visit/" + token, nil
}

// webPartners is partners as the screens need it.
type webPartners struct {
	*partners
	base string
}

// Entry returns the partner that verifies a callback.
func (p webPartners) Entry(ctx context.Context, connection string) (handlers.Entry, error) {
	return p.partners.Entry(ctx, connection)
}

// Preview returns the exact message; a signed link is not made for looking at.
func (p webPartners) Preview(ctx context.Context, m portal.Message) (string, bool, error) {
	if m.Asks() {
		kind, err := p.store.InteractionLink(ctx, m.ServiceID)
		if err != nil {
			return "", false, err
		}
		m.URL = p.base + "/visit/…"
		if kind == portal.LinkCallback {
			m.URL = p.base + "/callback/" + m.ServiceID
		}
	}
	return p.partners.Preview(ctx, m)
}

// workPartners is partners as the worker needs it.
type workPartners struct{ *partners }

// Reporter returns the partner that is told of states.
func (p workPartners) Reporter(ctx context.Context, connection string) (worker.Reporter, error) {
	partner, err := p.partners.Reporter(ctx, connection)
	if err != nil {
		return nil, err
	}
	return linkingReporter{partner, p.partners}, nil
}

// linkingReporter is a partner that is told where the order's page is.
type linkingReporter struct {
	*partner
	partners *partners
}

// Report tells the partner of a change.
func (r linkingReporter) Report(ctx context.Context, m portal.Message) (portal.Receipt, error) {
	return r.partner.Report(ctx, r.partners.linked(m))
}
