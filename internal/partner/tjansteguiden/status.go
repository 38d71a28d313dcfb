package tjansteguiden

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// report is what Tjänsteguiden is told of a message: at first a text, if there
// is one, and then a status.
type report struct {
	kind, text string
	status     string
}

// compose returns what Tjänsteguiden is told of a message, and whether it is
// told anything. Report and Preview both use it: what staff see is what is sent.
func (c *Client) compose(m portal.Message) (report, bool) {
	text := messageText(m.Comment)
	say := func(kind portal.Remark) report { return report{kind: c.config.MessageTypes[kind], text: text} }
	switch {
	case m.Remark != "":
		return say(m.Remark), text != ""
	case m.Step != "" || m.Upload != nil: // there is nothing of the kind
		return report{}, false
	}
	r := report{}
	switch {
	case text == "":
	case m.State == portal.Failed:
		r = say(portal.RemarkProblem)
	case m.State == portal.Waiting && c.config.StatusMap[m.State] != "":
		r = say(portal.RemarkImportant)
	}
	r.status = c.config.StatusMap[m.State]
	return r, r.text != "" || r.status != ""
}

func (c *Client) setStatus(order, status string) call {
	pairs := []string{c.config.Query.Order, order, "status", status}
	if c.hashes == nil { // as the network's page has it
		pairs = append(pairs[2:4:4], pairs[:2]...)
	}
	return call{method: "set_status", pairs: pairs, changes: true}
}

// addMessage is the only method of a provider whose page lists api_user, and not
// hash: it gets both.
//
// https://stadsnatsportalen.se/atlas/help/api/index/362/specification?method=427
func (c *Client) addMessage(order string, r report) call {
	pairs := []string{"type", r.kind, "message", r.text, c.config.Query.Order, order}
	if c.hashes != nil {
		pairs = append(pairs, c.config.Query.APIUser, c.config.APIUser)
	}
	return call{method: "add_message", pairs: pairs, hashLast: true, changes: true, once: true}
}

// Preview returns what Report would send, as people read it, and whether it
// would send anything.
func (c *Client) Preview(m portal.Message) (string, bool) {
	if m.Activation != nil {
		n, ok := c.network(m.Target.ID)
		if !ok {
			return "", false
		}
		return n.client.Preview(activation(m)), true
	}
	r, ok := c.compose(m)
	if !ok {
		return "", false
	}
	var calls []string
	if r.text != "" {
		calls = append(calls, c.show(c.addMessage(m.PartnerOrderID, r)))
	}
	if r.status != "" {
		calls = append(calls, c.show(c.setStatus(m.PartnerOrderID, r.status)))
	}
	return strings.Join(calls, "\n\n"), true
}

// show returns a call as people read it.
func (c *Client) show(k call) string {
	var b strings.Builder
	b.WriteString("GET " + k.method)
	for i := 0; i+1 < len(k.pairs); i += 2 {
		b.WriteString("\n" + k.pairs[i] + ": " + k.pairs[i+1])
	}
	return b.String()
}

// Report tells Tjänsteguiden of a change of an order's state, sends it a message
// about the order, or asks the access's network for an activation; and returns
// what was answered. An error is a *portal.ReportError. What nobody is told of is
// done at once.
//
// To set a status again does no harm. A message would be there twice: so the
// order's log is read before one that may have arrived, and before one that goes
// with a status, of which only the status may have failed. Where the log cannot
// be read the message is sent: twice is better than never.
func (c *Client) Report(ctx context.Context, m portal.Message) (portal.Receipt, error) {
	if m.Activation != nil {
		return c.activate(ctx, m)
	}
	r, ok := c.compose(m)
	if !ok {
		return portal.Receipt{Shown: m.Shown}, nil
	}
	if m.PartnerOrderID == "" {
		return portal.Receipt{}, &portal.ReportError{Outcome: portal.OutcomeRefused, Err: errors.New("the order has no id at Tjänsteguiden")}
	}
	var answer door.Answer
	var err error
	told := false
	if r.text != "" && !(mayBeThere(m) && c.said(ctx, m, r.text)) {
		if answer, err = c.do(ctx, c.addMessage(m.PartnerOrderID, r)); err != nil {
			return portal.Receipt{}, door.Classify(err)
		}
		told = true
	}
	if r.status != "" {
		if answer, err = c.do(ctx, c.setStatus(m.PartnerOrderID, r.status)); err != nil {
			failure := door.Classify(err)
			if told && failure.Outcome == portal.OutcomeFailed {
				failure.Outcome = portal.OutcomeUnknown // half of it has arrived
			}
			return portal.Receipt{}, failure
		}
	}
	return portal.Receipt{Status: answer.Status, Answer: answer.Excerpt(), Shown: r.status}, nil
}

// mayBeThere reports whether the text of a message may be in the order's log: of
// one that goes with a status nobody notes when half of it has arrived.
func mayBeThere(m portal.Message) bool { return m.Uncertain || m.Doubts > 0 || m.Remark == "" }

// What a message may be long: it travels in the address of a GET, of which web
// servers take some 8,000 bytes, and a letter like å is six of them.
const (
	maxMessage      = 1000 // characters
	maxMessageBytes = 6000 // escaped
)

// messageText returns a text as it is sent.
func messageText(s string) string {
	s = cut(strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")), maxMessage)
	if len(url.QueryEscape(s)) <= maxMessageBytes {
		return s
	}
	size := len(url.QueryEscape("…"))
	for at, r := range s {
		if size += len(url.QueryEscape(string(r))); size > maxMessageBytes {
			return s[:at] + "…"
		}
	}
	return s
}
