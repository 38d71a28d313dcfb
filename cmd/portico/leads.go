package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"portico/internal/partner/door"
	"portico/internal/partner/vitec"
	"portico/internal/portal"
)

// leadTaker is a client whose partner takes leads.
type leadTaker interface {
	SendLead(ctx context.Context, l portal.Lead) (partnerID string, err error)
	PreviewLead(l portal.Lead) string
}

// leadSystems are the systems whose clients are leadTakers: what a connection of
// theirs says about leads, and what a refusal says about the inputs.
var leadSystems = map[string]struct {
	options func(portal.Connection) (portal.LeadSettings, bool)
	faults  func(answer string) (byInput map[string]string, rest string)
}{
	vitec.System: {vitec.LeadOptions, vitec.LeadFaults},
}

// sendLead brings the partner a lead. Its errors quote the partner in a refusal
// alone, which is told to whoever corrects the lead: what the partner answers is
// about a person, and is kept nowhere else.
func (p *partner) sendLead(ctx context.Context, id int64) (portal.Receipt, error) {
	client, ok := p.client.(leadTaker)
	if !ok {
		return portal.Receipt{}, &portal.ReportError{Outcome: portal.OutcomeRefused, Err: fmt.Errorf("connection %s takes no leads", p.id)}
	}
	lead, err := p.store.LeadToSend(ctx, id)
	if err != nil {
		return portal.Receipt{}, &portal.ReportError{Outcome: portal.OutcomeFailed, Err: err}
	}
	var partnerID string
	err = p.reports.do(func() (err error) {
		partnerID, err = client.SendLead(ctx, lead)
		return err
	})
	if err != nil {
		return portal.Receipt{}, p.leadError(err)
	}
	return portal.Receipt{Status: http.StatusOK, LeadID: partnerID}, nil
}

func (p *partner) leadError(err error) error {
	var call *door.Error
	if !errors.As(err, &call) {
		return err
	}
	unquoted := *call
	unquoted.Body = ""
	e := door.Classify(&unquoted)
	if e.Outcome == portal.OutcomeRefused {
		e.Answer = call.Body
		if system, ok := leadSystems[p.system]; ok {
			e.Lead.Faults, e.Lead.Words = system.faults(call.Body)
		}
	}
	return e
}

// ConnectionsWithLeads returns what the connections say about leads that take
// any, by connection.
func (p webPartners) ConnectionsWithLeads(ctx context.Context) (map[string]portal.LeadSettings, error) {
	connections, err := p.store.Connections(ctx)
	if err != nil {
		return nil, err
	}
	taking := map[string]portal.LeadSettings{}
	for _, c := range connections {
		if system, ok := leadSystems[c.System]; ok {
			if settings, takes := system.options(c); takes {
				taking[c.ID] = settings
			}
		}
	}
	return taking, nil
}

// PreviewLead returns what a lead's partner would be sent, but for the personal
// number. It returns NotFound for a connection that takes no leads.
func (p webPartners) PreviewLead(ctx context.Context, l portal.Lead) (string, error) {
	partner, err := p.partner(ctx, l.ConnectionID)
	if err != nil {
		return "", err
	}
	client, ok := partner.client.(leadTaker)
	if !ok {
		return "", portal.Errorf(portal.NotFound, "error.not_found")
	}
	return client.PreviewLead(l), nil
}
