package visma

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// tokenModel is the answer to VerifyToken: who made a FlowToken, and what for.
// The name and the address of the person are not kept.
type tokenModel struct {
	UserID   door.Text       `json:"UserId"`
	FullName string          `json:"FullName"`
	OfficeID door.Text       `json:"OfficeId"`
	Office   string          `json:"OfficeName"`
	Company  string          `json:"BrokerCompanyName"`
	CaseID   door.Text       `json:"CaseId"`
	Data     json.RawMessage `json:"Data"`
}

// Ticket verifies the token of a callback and returns the order that it is
// about. Only with a FlowToken does the partner say which order that is and who
// the user is; with the other types the order is the one in the address, and the
// ticket is unproven.
//
// It returns Forbidden for a query or token that is not valid, for a tenant that
// is not configured, and, with portal.ErrOtherOffice, for a token of another
// order or case than the address; Unavailable when Core refuses our API user
// (with portal.ErrCredential) or gives no usable answer. Inside an Unavailable
// is a portal.ReportError. No call goes anywhere but to the configured address
// of the tenant, whatever the query says.
func (c *Client) Ticket(ctx context.Context, q url.Values) (portal.Ticket, error) {
	o, err := c.opening(q)
	if err != nil {
		return portal.Ticket{}, err
	}
	if c.config.AuthType == authFlowToken {
		return c.verify(ctx, o)
	}
	if o.order == "" {
		return portal.Ticket{}, invalid()
	}
	if err := c.admit(ctx, o); err != nil {
		return portal.Ticket{}, err
	}
	t := o.ticket()
	t.Unproven = true
	return t, nil
}

// Plain returns Forbidden: Core calls nothing in the background.
func (c *Client) Plain(url.Values) (portal.Ticket, error) { return portal.Ticket{}, invalid() }

// verify asks Core about a FlowToken. How a bad one is answered is not
// documented. With a bearer token that Core has just given us, a 401 is the
// FlowToken's and says that it has run out; a 403 is about our permissions.
//
// https://visma-real-estate-solutions.github.io/core-documentation/docs/marketing-integrator/order-methods.html
func (c *Client) verify(ctx context.Context, o opening) (portal.Ticket, error) {
	t, err := c.tenant(o.tenant)
	if err != nil {
		return portal.Ticket{}, ticketError(err)
	}
	answer, err := t.do(ctx, door.Request{Method: http.MethodPost, Path: api + "MarketingIntegrators/VerifyToken",
		Body: door.JSON(map[string]string{"Token": o.token}), Secrets: []string{o.token}, Private: true})
	switch statusOf(err) {
	case http.StatusUnauthorized:
		ticket := o.ticket()
		ticket.Expired = true
		return ticket, nil
	case http.StatusBadRequest, http.StatusNotFound:
		return portal.Ticket{}, &portal.Error{Kind: portal.Forbidden, Say: portal.Say("callback.invalid"), Err: err}
	}
	if err != nil {
		return portal.Ticket{}, ticketError(err)
	}
	var m tokenModel
	if err := read(answer, &m, "the token's owner"); err != nil {
		return portal.Ticket{}, ticketError(err)
	}
	order := m.order()
	switch {
	case order == "":
		return portal.Ticket{}, ticketError(answer.Unusable("the token names no order"))
	case m.CaseID != "" && !casePattern.MatchString(string(m.CaseID)):
		return portal.Ticket{}, ticketError(answer.Unusable("the token's case is no case id"))
	case o.order != "" && o.order != order, o.caseID != "" && m.CaseID != "" && o.caseID != string(m.CaseID):
		return portal.Ticket{}, &portal.Error{Kind: portal.Forbidden, Say: portal.Say("callback.invalid"), Err: portal.ErrOtherOffice}
	}
	o.order = order
	if m.CaseID != "" {
		o.caseID = string(m.CaseID)
	}
	ticket := o.ticket()
	ticket.UserID, ticket.UserName = printable(string(m.UserID)), printable(m.FullName)
	ticket.CustomerName = printable(m.Company)
	ticket.Raw = door.JSON(m.stored())
	return ticket, nil
}

func (o opening) ticket() portal.Ticket {
	return portal.Ticket{OrderID: o.order, Customer: o.tenant, Tenant: o.tenant,
		Target: portal.Target{Type: targetType, ID: o.caseID}, Raw: door.JSON(struct{ CustomerName string }{o.customer})}
}

// order returns the order of a token, "" if it names none, or two. The page has
// Data as a dictionary of models with an OrderId; Visma's own program reads it as
// a dictionary of texts.
func (m tokenModel) order() string {
	var members map[string]json.RawMessage
	if json.Unmarshal(m.Data, &members) != nil {
		return ""
	}
	type model struct{ OrderID string }
	var all []model
	var direct model
	if json.Unmarshal(m.Data, &direct) == nil && direct.OrderID != "" {
		all = append(all, direct)
	}
	for _, raw := range members {
		var one model
		if json.Unmarshal(raw, &one) == nil && one.OrderID != "" {
			all = append(all, one)
		}
	}
	if len(all) != 1 {
		return ""
	}
	return guid(all[0].OrderID)
}

// stored is what is kept of a token's model: what nobody can be called by.
func (m tokenModel) stored() any {
	return struct {
		UserID   string `json:"UserId"`
		OfficeID string `json:"OfficeId"`
		Office   string `json:"OfficeName"`
		Company  string `json:"BrokerCompanyName"`
	}{printable(string(m.UserID)), printable(string(m.OfficeID)), printable(m.Office), printable(m.Company)}
}

// ticketError says that Core could not tell who comes.
func ticketError(err error) error {
	report := classify(err)
	e := &portal.Error{Kind: portal.Unavailable, Say: portal.Say("callback.unavailable"), Err: report}
	if report.Outcome == portal.OutcomeCredential {
		e.Say = portal.Say("callback.credential")
	}
	return e
}
