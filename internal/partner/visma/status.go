package visma

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

const (
	clockSkew = 2 * time.Minute // how much older than the change Core may date an entry
	maxDoubts = 1               // earlier attempts that may have arrived, and one more is made all the same
)

// report is what Core is told of a message: what the order shows, and a state.
type report struct {
	details door.Request
	shown   string // stands for the details
	state   door.Request
	want    statusModel
}

// compose returns what Core is told of a message, and whether it is told
// anything. Report and Preview both use it: what staff see is what is sent.
func (c *Client) compose(m portal.Message) (report, bool) {
	key := cmp.Or(string(m.Step), string(m.State))
	state := c.config.StatusMap[key]
	if state == "" {
		return report{}, false
	}
	language := cmp.Or(m.Language, c.config.Language)
	order := api + "marketingintegrators/orders/" + m.PartnerOrderID
	details := door.JSON(struct {
		Title      string `json:",omitempty"`
		ActionText string `json:",omitempty"`
		Metadata   []metadata
	}{m.Title, c.config.ActionText[string(m.State)].In(language), c.config.metadata(m, language)})
	want := statusModel{Status: c.config.status(key, language, m.Comment, state), State: orderState(state)}
	sum := sha256.Sum256(details)
	return report{
		details: door.Request{Method: http.MethodPatch, Path: order, Body: details},
		shown:   hex.EncodeToString(sum[:16]),
		state: door.Request{Method: http.MethodPost, Path: order + "/updatestate",
			Body: door.JSON(struct{ Status, State string }{want.Status, state})},
		want: want,
	}, true
}

// Preview returns what Report would send, as people read it, and whether it
// would send anything.
func (c *Client) Preview(m portal.Message) (string, bool) {
	r, ok := c.compose(m)
	if !ok {
		return "", false
	}
	text := r.state.Op() + "\n" + string(r.state.Body)
	if r.shown != m.Shown {
		text = r.details.Op() + "\n" + string(r.details.Body) + "\n\n" + text
	}
	return text, true
}

// Report tells Core of a change of an order's state or of a step, and returns
// what it answered. An error is a *portal.ReportError. A state that Core is not
// told of is done at once.
//
// First the order's title, button and metadata are set, unless Core shows them
// already (m.Shown); that may be repeated without harm. The state comes last:
// updatestate appends, so an attempt that ended before it has told nothing and
// its outcome is failed, never unknown.
//
// After an attempt whose outcome is unknown nothing can be read back by a method
// of its own. But the answer to the setting of metadata is the order with its
// states. So that is repeated, and a state that is in the answer, the last one or
// one that was passed since, is not sent again: no duplicate. Where the answer
// has no states, as it may, the state is sent once more: at most one duplicate.
// If that ends unknown too, the outcome is refused, and a person looks in Core
// before anything else is sent.
func (c *Client) Report(ctx context.Context, m portal.Message) (portal.Receipt, error) {
	r, ok := c.compose(m)
	if !ok {
		return portal.Receipt{Shown: m.Shown}, nil
	}
	t, err := c.tenant(m.Customer)
	if err == nil && (m.PartnerOrderID == "" || guid(m.PartnerOrderID) != m.PartnerOrderID) {
		err = &portal.ReportError{Outcome: portal.OutcomeRefused, Err: fmt.Errorf("%q is no order of Core's", m.PartnerOrderID)}
	}
	if err != nil {
		return portal.Receipt{}, classify(err)
	}
	if m.Uncertain || r.shown != m.Shown {
		there, err := c.show(ctx, t, r, m)
		if err != nil || there {
			return portal.Receipt{Shown: r.shown}, err
		}
	}
	answer, err := t.do(ctx, r.state)
	if err != nil {
		return portal.Receipt{}, classify(err)
	}
	return portal.Receipt{Status: answer.Status, Answer: answer.Excerpt(), Shown: r.shown}, nil
}

// show sets what the order shows. After an attempt that may have arrived it
// reports whether the state is there, or refuses to send it once too often.
func (c *Client) show(ctx context.Context, t *tenant, r report, m portal.Message) (there bool, err error) {
	answer, err := t.do(ctx, r.details)
	if err != nil {
		report := classify(err)
		// The state was not sent now. Whether it was before is as uncertain as
		// it was, and "refused" would forget that.
		if report.Outcome == portal.OutcomeUnknown || report.Outcome == portal.OutcomeRefused && m.Uncertain {
			report.Outcome = portal.OutcomeFailed
		}
		return false, report
	}
	if !m.Uncertain {
		return false, nil
	}
	var order orderModel
	if read(answer, &order, "the order") == nil && len(order.OrderStatuses) > 0 {
		return order.times(r.want, m.Since) > c.before(m), nil
	}
	if m.Doubts > maxDoubts {
		return false, &portal.ReportError{Outcome: portal.OutcomeRefused, Status: answer.Status, Answer: answer.Excerpt(),
			Err: errors.New("the state may have arrived twice, and Core does not say: look at the order there before you send it again")}
	}
	return false, nil
}

// orderModel is an order as Core answers with it. A new one has a state already:
// without any the list is not filled in.
type orderModel struct {
	GUID          string `json:"Guid"`
	OrderStatuses []statusModel
}

// statusModel is an entry of an order's history.
type statusModel struct {
	Status      string
	State       orderState `json:"OrderStateType"`
	CreatedDate string
}

// before counts the entries of the same state and text that Core may have made
// of earlier messages, so short before the change that their dates do not tell
// them apart.
func (c *Client) before(m portal.Message) int {
	says := func(key string) string {
		return c.config.StatusMap[key] + "\n" + c.config.StatusText[key].In(cmp.Or(m.Language, c.config.Language))
	}
	n := 0
	for _, a := range m.Earlier {
		if says(string(a.State)) == says(cmp.Or(string(m.Step), string(m.State))) && a.At.After(m.Since.Add(-2*clockSkew)) {
			n++
		}
	}
	return n
}

// times counts how often the order has had a state since a change. Core may have
// cut the text, and a date that cannot be read counts as one that fits: a state
// that was passed must not come back.
func (o orderModel) times(want statusModel, since time.Time) int {
	n := 0
	for _, s := range o.OrderStatuses {
		text := strings.TrimSpace(s.Status)
		if s.State != want.State || text == "" || !strings.HasPrefix(want.Status, text) {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, s.CreatedDate)
		if err != nil || !at.Before(since.Add(-clockSkew)) {
			n++
		}
	}
	return n
}
