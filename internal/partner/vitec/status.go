package vitec

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"portico/internal/partner/door"
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
		r.body = door.JSON(struct {
			ID      string `json:"id"` // the page says no more than "Id"; taken to be the order's
			URL     string `json:"url"`
			Comment string `json:"comment"`
		}{m.PartnerOrderID, m.URL, m.Comment})
		return r, true
	}
	status := c.config.StatusMap[m.State]
	if status == "" || m.Step != "" { // Connect has no word for a step
		return request{}, false
	}
	v := values{"customerId": m.Customer, "orderId": m.PartnerOrderID, "status": status, "comment": m.Comment}
	r.method = c.config.SetStatus.Method
	r.path = fillPath(c.config.SetStatus.Path, v)
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
		return portal.Receipt{}, door.Classify(err)
	}
	// The answer to a question is documented as a boolean, that to a status not
	// at all; the meaning of false is documented nowhere. Taken as "not accepted".
	if bytes.Equal(bytes.TrimSpace(answer.Body), []byte("false")) {
		return portal.Receipt{}, &portal.ReportError{Outcome: portal.OutcomeRefused, Status: answer.Status, Answer: "false",
			Err: answer.Unusable("the answer is false")}
	}
	return portal.Receipt{Status: answer.Status, Answer: answer.Excerpt()}, nil
}

// repeats reports whether Connect was told the same status of the order so short
// before the change that its list cannot say which of the two it shows. Then
// the message is sent again: twice is better than never.
func (c *Client) repeats(m portal.Message) bool {
	return slices.ContainsFunc(m.Earlier, func(a portal.Arrival) bool {
		return strings.EqualFold(c.config.StatusMap[a.State], c.config.StatusMap[m.State]) && a.At.After(m.Since.Add(-2*clockSkew))
	})
}

// arrived reports whether Connect already shows what the message says.
func (c *Client) arrived(ctx context.Context, m portal.Message) (bool, error) {
	orders, err := c.Orders(ctx, m.Customer, Filter{TargetID: m.Target.ID})
	if err != nil {
		report := door.Classify(err)
		if report.Outcome != portal.OutcomeCredential && report.Outcome != portal.OutcomeBusy {
			report.Outcome = portal.OutcomeUnknown
		}
		return false, report
	}
	if c.repeats(m) {
		return false, nil
	}
	for _, o := range orders {
		if o.ID != m.PartnerOrderID || !strings.EqualFold(o.Status, c.config.StatusMap[m.State]) {
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
