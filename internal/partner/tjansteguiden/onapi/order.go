package onapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// Request is what a network is asked for.
type Request struct {
	AccessID, Reference string // the network's of the access, ours of the order
	portal.ActivationRequest

	// Uncertain says that an earlier attempt may have arrived. Only then is an order
	// that the network no longer knows one that was withdrawn.
	Uncertain bool
}

// idPattern is what an id looks like. Where 2.4 says 32 characters and later
// versions 36, UUIDs are in use.
var idPattern = regexp.MustCompile(`^[-0-9a-zA-Z.]{1,36}$`)

// maxText is how long a text of ON-API may be, in characters.
const maxText = 255

// isID reports whether a text can be sent as an id, also as a step of a path.
func isID(s string) bool { return idPattern.MatchString(s) && s != "." && s != ".." }

// fault says, to people, why a request cannot be sent; "" if it can.
func (r Request) fault() string {
	switch {
	case r.Operation == portal.Reschedule && r.WishedFor == nil:
		return noDay
	case r.Operation.OfPending() && !isID(r.NetworkID):
		return fmt.Sprintf(badID, "Nätets order-id", r.NetworkID)
	case r.Operation.OfPending():
	case !isID(r.AccessID):
		return fmt.Sprintf(badID, "Access-id", r.AccessID)
	case !isID(r.Reference):
		return fmt.Sprintf(badID, "Vår referens", r.Reference)
	case r.Service == "" || utf8.RuneCountInString(r.Service) > maxText:
		return noService
	}
	return ""
}

// What people are told of a request that was not sent, or not taken as it was
// meant. Networks with ON-API are Swedish, and so are the messages they send.
const (
	badID      = "%s %q kan inte skickas till nätet: 1–36 tecken, bara A–Z, a–z, 0–9, bindestreck och punkt."
	noService  = "Tjänsten har inget namn som kan skickas till nätet."
	otherOrder = "Nätet har redan en annan order på accessen: %s %s."
	noDay      = "Ingen ny dag är angiven."
	noneActive = "Det finns ingen aktiv tjänst på accessen att byta från."
	manyActive = "Det finns flera aktiva tjänster på accessen, och nätet behöver veta vilken som ska bytas."
)

var operations = map[portal.Operation]string{portal.Activate: "ACTIVATE", portal.Deactivate: "DEACTIVATE", portal.Replace: "CHANGE"}

// placed is an order as it is sent.
type placed struct {
	AccessID       string `json:"accessId"`
	Service        string `json:"service"`
	Operation      string `json:"operation"`
	SubscriptionID string `json:"subscriptionId,omitempty"` // CHANGE requires it
	ForcedTakeover *bool  `json:"forcedTakeover,omitempty"` // of ACTIVATE alone
	Reference      string `json:"spReference"`              // mandatory, though the example of DEACTIVATE has none
	RequestedAt    string `json:"requestedDateTime,omitempty"`
}

// compose returns the order that asks for a request. Do and Preview both use it:
// what staff see is what is sent.
func compose(r Request, subscription string) placed {
	p := placed{AccessID: r.AccessID, Service: r.Service, Operation: operations[r.Operation], SubscriptionID: subscription, Reference: r.Reference}
	if r.Operation == portal.Activate {
		p.ForcedTakeover = new(bool) // no: another provider's customer is never taken
	}
	if r.WishedFor != nil {
		p.RequestedAt = timeText(*r.WishedFor)
	}
	return p
}

// change is what of a placed order is changed to have it done at another time.
// What has passed is, as in a new order, at once.
func (r Request) change() []byte {
	return door.JSON(struct {
		RequestedAt string `json:"requestedDateTime"`
	}{timeText(*r.WishedFor)})
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339) }

const ordersPath = "/orders/"

// Preview returns what Do would send, as people read it. A replacement names the
// subscription that it replaces, which is only read when it is sent: it stands
// here as three dots.
func (c *Client) Preview(r Request) string {
	switch r.Operation {
	case portal.Withdraw:
		return http.MethodDelete + " " + c.base + ordersPath + r.NetworkID
	case portal.Reschedule:
		return http.MethodPatch + " " + c.base + ordersPath + r.NetworkID + "\n" + string(r.change())
	case portal.Replace:
		return c.preview(r, "…")
	}
	return c.preview(r, "")
}

func (c *Client) preview(r Request, subscription string) string {
	return http.MethodPost + " " + c.base + ordersPath + "\n" + string(door.JSON(compose(r, subscription)))
}

// Do asks the network for an operation, and returns what it says of it: also
// that it refuses, for good. What cannot be sent as it is is refused without a
// call. An error is a *portal.ReportError; a network that was asked twice does
// it once, so that after any of them the same may be asked again.
func (c *Client) Do(ctx context.Context, r Request) (portal.ActivationAnswer, error) {
	if why := r.fault(); why != "" {
		return refused(why), nil
	}
	switch {
	case r.Operation == portal.Withdraw:
		return c.withdraw(ctx, r)
	case r.Operation == portal.Reschedule:
		return c.reschedule(ctx, r)
	case r.Operation == portal.Replace:
		return c.replace(ctx, r)
	case operations[r.Operation] != "":
		return c.place(ctx, r, "")
	}
	return portal.ActivationAnswer{}, &portal.ReportError{Outcome: portal.OutcomeRefused, Err: fmt.Errorf("ON-API has no operation %q", r.Operation)}
}

// place places an order. For one that is there already the network answers 200:
// with it, or only that the service is as it was asked to be.
func (c *Client) place(ctx context.Context, r Request, subscription string) (portal.ActivationAnswer, error) {
	order := compose(r, subscription)
	answer, err := c.call(ctx, http.MethodPost, ordersPath, door.JSON(order))
	if err != nil {
		return refusal(err)
	}
	s, err := read(answer)
	if err != nil {
		return portal.ActivationAnswer{}, door.Classify(err)
	}
	// The standard has one open order a service, whatever it is to do with it.
	if answer.Status != http.StatusCreated && !s.concerns(order) {
		return refused(fmt.Sprintf(otherOrder, cmp.Or(string(s.Operation), order.Operation), cmp.Or(string(s.Service), order.Service))), nil
	}
	return s.answer(), nil
}

// withdraw takes an order back, which the network allows until it begins.
func (c *Client) withdraw(ctx context.Context, r Request) (portal.ActivationAnswer, error) {
	_, err := c.call(ctx, http.MethodDelete, ordersPath+r.NetworkID, nil)
	var e *door.Error
	if r.Uncertain && errors.As(err, &e) && e.Status == http.StatusNotFound {
		err = nil
	}
	a := portal.ActivationAnswer{State: portal.ActivationWithdrawn}
	if err != nil {
		if a, err = refusal(err); err != nil {
			return portal.ActivationAnswer{}, err
		}
	}
	a.NetworkID = r.NetworkID
	return a, nil
}

// reschedule has an order done at another time, which the network allows until it
// begins. The standard's page has PATCH in the heading and PUT, which changes a
// whole order, in the example below it.
func (c *Client) reschedule(ctx context.Context, r Request) (portal.ActivationAnswer, error) {
	a := portal.ActivationAnswer{State: portal.ActivationAccepted}
	if _, err := c.call(ctx, http.MethodPatch, ordersPath+r.NetworkID, r.change()); err != nil {
		if a, err = refusal(err); err != nil {
			return portal.ActivationAnswer{}, err
		}
	}
	a.NetworkID = r.NetworkID
	return a, nil
}

// Look returns how far the network is with what it was asked for. Nothing but an
// answer about that is one: an order that the network does not know is an error,
// as everything else, and a *portal.ReportError.
func (c *Client) Look(ctx context.Context, networkID string) (portal.ActivationAnswer, error) {
	if !isID(networkID) {
		return portal.ActivationAnswer{}, &portal.ReportError{Outcome: portal.OutcomeRefused, Err: fmt.Errorf("%q is no id of an order", networkID)}
	}
	answer, err := c.call(ctx, http.MethodGet, ordersPath+networkID, nil)
	if err != nil {
		return portal.ActivationAnswer{}, door.Classify(err)
	}
	s, err := read(answer)
	if err == nil && s.OrderID != "" && !strings.EqualFold(string(s.OrderID), networkID) {
		err = answer.Unusable("the answer is another order")
	}
	if err != nil {
		return portal.ActivationAnswer{}, door.Classify(err)
	}
	a := s.answer()
	a.NetworkID = networkID
	return a, nil
}
