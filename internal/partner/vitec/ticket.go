package vitec

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

const (
	maxToken = 512 // bytes
	maxID    = 200 // bytes, of any id in a ticket
)

// orderTicket is the answer to a token. The help page's JSON sample has
// hasExpired, its code samples orderTicketHasExpired.
type orderTicket struct {
	OrderID               string `json:"orderId"`
	UserID                string `json:"userId"`      // who is logged in
	OrderUserID           string `json:"orderUserId"` // who owns the order
	TargetID              string `json:"targetId"`
	TargetType            string `json:"targetType"`
	TenantID              string `json:"tenantId"`
	ChainID               string `json:"chainId"`
	CustomerID            string `json:"customerId"`
	HasExpired            *bool  `json:"hasExpired,omitempty"`
	OrderTicketHasExpired *bool  `json:"orderTicketHasExpired,omitempty"`
}

// Office returns the office that a callback's query claims to be of, "" if it
// names none.
func (c *Client) Office(q url.Values) string {
	if customer := q["customerId"]; len(customer) == 1 && idPattern.MatchString(customer[0]) {
		return customer[0]
	}
	return ""
}

// Ticket exchanges the token of a callback for the order that it is about.
//
// It returns Forbidden for a query or token that is not valid, and for a ticket
// of another office (with portal.ErrOtherOffice); Unavailable when Connect
// refuses our credential (with portal.ErrCredential) or gives no usable answer.
// Inside an Unavailable is a portal.ReportError with what Connect said about
// when to come back. An expired token is no error. The documented fields alone
// are kept in Raw.
//
// https://connect.maklare.vitec.net/Help/Api/POST-Service-Order-Token-customerId
func (c *Client) Ticket(ctx context.Context, q url.Values) (portal.Ticket, error) {
	customer, token := c.Office(q), tokenOf(q)
	if customer == "" || token == "" {
		return portal.Ticket{}, portal.Errorf(portal.Forbidden, "callback.invalid")
	}
	r := request{method: http.MethodPost, path: "/Service/Order/Token/" + customer, customer: customer, token: token,
		body: door.JSON(struct {
			Data string `json:"data"`
		}{token})}
	answer, err := c.do(ctx, r)
	if err != nil {
		return portal.Ticket{}, ticketError(err)
	}
	var t orderTicket
	if err := json.Unmarshal(answer.Body, &t); err != nil {
		// Not wrapped: its text may quote the answer.
		return portal.Ticket{}, unusable(answer, "the ticket is not the documented JSON")
	}
	if t.CustomerID != "" && t.CustomerID != customer {
		return portal.Ticket{}, &portal.Error{Kind: portal.Forbidden, Say: portal.Say("callback.other_office"),
			Err: portal.ErrOtherOffice}
	}
	if !t.expired() && (t.OrderID == "" || t.CustomerID == "") {
		return portal.Ticket{}, unusable(answer, "the ticket names no order or no office")
	}
	if !t.storable() {
		return portal.Ticket{}, unusable(answer, "the ticket holds an id that is no id")
	}
	return t.ticket(customer), nil
}

// Plain returns the order that a callback's query names without a token, as in
// the background flow with basic authentication or none. There currentUserId is
// who is logged in and userId who owns the order; in a ticket UserId is the one
// who is logged in. It returns Forbidden for a query that names no order.
//
// https://connect.maklare.vitec.net/Help/Services
func (c *Client) Plain(q url.Values) (portal.Ticket, error) {
	t := orderTicket{OrderID: q.Get("orderId"), UserID: q.Get("currentUserId"), OrderUserID: q.Get("userId"),
		TargetID: q.Get("estateId"), TargetType: q.Get("estateType"), ChainID: q.Get("chainId"), CustomerID: c.Office(q)}
	if t.CustomerID == "" || t.OrderID == "" || !t.storable() {
		return portal.Ticket{}, portal.Errorf(portal.Forbidden, "callback.invalid")
	}
	ticket := t.ticket(t.CustomerID)
	ticket.Expired = false
	return ticket, nil
}

// tokenOf returns the token of a callback's query, "" if there is no valid one.
func tokenOf(q url.Values) string {
	if len(q["token"]) != 1 {
		return ""
	}
	// A "+" that nobody encoded arrives as a space, and base64 has no spaces.
	token := strings.ReplaceAll(q["token"][0], " ", "+")
	if len(token) > maxToken || strings.ContainsFunc(token, func(r rune) bool { return r < '!' || r > '~' }) {
		return ""
	}
	return token
}

// expired counts a ticket that does not say as expired.
func (t orderTicket) expired() bool {
	switch {
	case t.HasExpired != nil:
		return *t.HasExpired
	case t.OrderTicketHasExpired != nil:
		return *t.OrderTicketHasExpired
	}
	return true
}

// storable reports whether the ids are short and free of control characters,
// NUL above all, which PostgreSQL does not store.
func (t orderTicket) storable() bool {
	for _, id := range []string{t.OrderID, t.UserID, t.OrderUserID, t.TargetID, t.TargetType, t.TenantID, t.ChainID} {
		if len(id) > maxID || !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl) {
			return false
		}
	}
	return true
}

func (t orderTicket) ticket(customer string) portal.Ticket {
	return portal.Ticket{OrderID: t.OrderID, Customer: customer, UserID: t.UserID, OwnerID: t.OrderUserID,
		Tenant: t.TenantID, Chain: t.ChainID, Target: portal.Target{Type: t.TargetType, ID: t.TargetID},
		Expired: t.expired(), Raw: door.JSON(t)}
}

func unusable(a door.Answer, why string) error { return ticketError(a.Unusable(why)) }

// ticketError tells a broken link from a partner that cannot answer. What a bad
// token is answered with is not documented.
func ticketError(err error) error {
	report := door.Classify(err)
	e := &portal.Error{Kind: portal.Unavailable, Say: portal.Say("callback.unavailable"), Err: report}
	switch {
	case report.Status == http.StatusBadRequest, report.Status == http.StatusForbidden, report.Status == http.StatusNotFound:
		// Not the classified error: a 403 here is the token's fault, not our credential's.
		e.Kind, e.Say, e.Err = portal.Forbidden, portal.Say("callback.invalid"), err
	case report.Outcome == portal.OutcomeCredential:
		e.Say = portal.Say("callback.credential")
	}
	return e
}
