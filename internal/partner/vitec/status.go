package vitec

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"portico/internal/portal"
)

// clockSkew is how much older than the change Connect may date its own update.
const clockSkew = 2 * time.Minute

// compose returns the request that tells Connect of a message, and whether
// there is one. Report and Preview both use it: what staff see is what is sent.
func (c *Client) compose(m portal.Message) (request, bool) {
	r := request{customer: m.Customer}
	if m.Asks() {
		// https://connect.maklare.vitec.net/Help/Api/PUT-Service-Order-UserInteraction-customerId
		r.method, r.path = http.MethodPut, "/Service/Order/UserInteraction/"+url.PathEscape(m.Customer)
		r.body = encode(struct {
			ID      string `json:"id"` // the page says no more than "Id"; taken to be the order's
			URL     string `json:"url"`
			Comment string `json:"comment"`
		}{m.PartnerOrderID, m.URL, m.Comment})
		return r, true
	}
	status := c.settings.StatusMap[m.State]
	if status == "" {
		return request{}, false
	}
	v := values{"customerId": m.Customer, "orderId": m.PartnerOrderID, "status": status, "comment": m.Comment}
	r.method = c.settings.SetStatus.Method
	r.path = fillPath(c.settings.SetStatus.Path, v)
	r.body = fillBody(c.body, v)
	return r, true
}

// Preview returns what Report would send, as people read it, and whether it
// would send anything.
func (c *Client) Preview(m portal.Message) (string, bool) {
	r, ok := c.compose(m)
	if !ok {
		return "", false
	}
	return r.op() + "\n" + string(r.body), true
}

// Report tells Connect of a change of an order's state, and returns what it
// answered. An error is a *portal.ReportError. A state that Connect is not told
// of is done at once.
//
// After an attempt that may have arrived, a status is read before it is sent
// again, from the list of the target's orders. If the list cannot be read the
// outcome is credential or busy where Connect says so and otherwise unknown:
// in all three the earlier attempt is as uncertain as before, and the caller
// is to say so again next time. A question to the broker cannot be read back;
// it is sent again.
func (c *Client) Report(ctx context.Context, m portal.Message) (portal.Receipt, error) {
	r, ok := c.compose(m)
	if !ok {
		return portal.Receipt{}, nil
	}
	if m.Uncertain && !m.Asks() {
		there, err := c.arrived(ctx, m)
		if err != nil {
			return portal.Receipt{}, err
		}
		if there {
			return portal.Receipt{}, nil
		}
	}
	answer, err := c.do(ctx, r)
	if err != nil {
		return portal.Receipt{}, classify(err)
	}
	// The answer to a question is documented as a boolean, that to a status not
	// at all; the meaning of false is documented nowhere. Taken as "not accepted".
	if bytes.Equal(bytes.TrimSpace(answer), []byte("false")) {
		return portal.Receipt{}, &portal.ReportError{Outcome: portal.OutcomeRefused, Status: http.StatusOK, Answer: "false",
			Err: &Error{Op: r.op(), Status: http.StatusOK, Sent: true, Err: errors.New("the answer is false")}}
	}
	cred, _ := c.conn.CredentialFor(m.Customer)
	return portal.Receipt{Status: http.StatusOK, Answer: excerpt(answer, secrets(cred, ""))}, nil
}

// arrived reports whether Connect already shows what the message says.
func (c *Client) arrived(ctx context.Context, m portal.Message) (bool, error) {
	orders, err := c.Orders(ctx, m.Customer, Filter{TargetID: m.Target.ID})
	if err != nil {
		report := classify(err)
		if report.Outcome != portal.OutcomeCredential && report.Outcome != portal.OutcomeBusy {
			report.Outcome = portal.OutcomeUnknown
		}
		return false, report
	}
	for _, o := range orders {
		if o.ID != m.PartnerOrderID || !strings.EqualFold(o.Status, c.settings.StatusMap[m.State]) {
			continue
		}
		// The same status from before the change is not this report: an order
		// can be delivered, reopened and delivered again.
		if o.LastUpdatedAt.IsZero() || !o.LastUpdatedAt.Before(m.Since.Add(-clockSkew)) {
			return true, nil
		}
	}
	return false, nil
}
