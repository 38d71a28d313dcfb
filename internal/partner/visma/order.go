package visma

import (
	"context"
	"net/http"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// CreateOrder makes an order of ours on a case, which nobody ordered in Core, and
// returns its ticket. Core knows one service of ours that may do so, and which of
// our own services it is for is ours to keep.
//
// It returns Forbidden, with Core's own words as Answer in its sentence, where we
// may not: that takes the permission "Marketing Integrator - WRITE", and that
// Visma has enabled it for the service; only one service of an API user's can
// have it. It returns NotFound for a case that is not there, and Unavailable
// otherwise. If the portal.ReportError in that is unknown, there may be an order:
// each call makes another, and none can be listed. So nothing repeats it but a
// person who has looked.
//
// https://visma-real-estate-solutions.github.io/core-documentation/docs/marketing-integrator/new-order-as-integrator.html
func (c *Client) CreateOrder(ctx context.Context, customer, caseID string) (portal.Ticket, error) {
	t, err := c.tenant(customer)
	if err != nil {
		return portal.Ticket{}, ticketError(err)
	}
	if !casePattern.MatchString(caseID) {
		return portal.Ticket{}, portal.Errorf(portal.NotFound, "partner.no_case", "Case", caseID)
	}
	answer, err := t.do(ctx, door.Request{Method: http.MethodPost, Path: api + "MarketingIntegrators/Cases/" + caseID + "/CreateOrderAsIntegrator"})
	switch statusOf(err) {
	case http.StatusForbidden:
		return portal.Ticket{}, &portal.Error{Kind: portal.Forbidden, Err: err,
			Say: portal.Say("partner.may_not_order", "Answer", classify(err).Answer)}
	case http.StatusNotFound:
		return portal.Ticket{}, &portal.Error{Kind: portal.NotFound, Say: portal.Say("partner.no_case", "Case", caseID), Err: err}
	}
	if err != nil {
		return portal.Ticket{}, orderError(err)
	}
	var m orderModel
	if err := read(answer, &m, "the order"); err != nil {
		return portal.Ticket{}, orderError(err)
	}
	// The page says "the id"; the order's other methods take a GUID.
	o := opening{tenant: customer, order: guid(m.GUID), caseID: caseID}
	if o.order == "" {
		return portal.Ticket{}, orderError(answer.Unusable("the order has no GUID"))
	}
	return o.ticket(), nil
}

func orderError(err error) error {
	report := classify(err)
	say := "partner.unavailable"
	if report.Outcome == portal.OutcomeUnknown {
		say = "partner.order_unknown"
	}
	return &portal.Error{Kind: portal.Unavailable, Say: portal.Say(say), Err: report}
}
