package portal

import (
	"strings"
	"time"
)

// Listed is an order as its partner lists it. It is kept as JSON with what
// differs.
type Listed struct {
	OrderID   string    `json:"order_id"`
	Status    string    `json:"status"` // the partner's word; any text
	TargetID  string    `json:"target_id,omitempty"`
	UserID    string    `json:"user_id,omitempty"`    // who ordered
	ServiceID string    `json:"service_id,omitempty"` // the partner's
	CreatedAt time.Time `json:"created_at,omitzero"`
	UpdatedAt time.Time `json:"updated_at,omitzero"`

	// Of an order that is fetched.
	Customer string `json:"customer,omitempty"` // the office that it belongs to
	Wished   string `json:"wished,omitempty"`   // for when: Asap, 2026-11-24 or 2026-11-24 13:30; empty: it does not say
	State    State  `json:"state,omitempty"`    // what the status is with us; empty: we have no word for it
	New      bool   `json:"new,omitempty"`      // nobody has said that it has been read
}

// Listing is a partner's own list of an office's orders.
type Listing struct {
	Orders []Listed
	Words  map[State]string // what the partner calls a state that it is told of
}

// says reports whether a status is the partner's word for a state.
func (l Listing) says(status string, s State) bool {
	return l.Words[s] != "" && strings.EqualFold(l.Words[s], status)
}

// knows reports whether a status is a word that the partner has from us.
func (l Listing) knows(status string) bool {
	for s := range l.Words {
		if l.says(status, s) {
			return true
		}
	}
	return false
}

// DifferenceKind says how we and a partner differ about an order.
type DifferenceKind string

// The kinds of difference, in the order in which people read them.
const (
	MissingHere  DifferenceKind = "missing_here"  // the partner has it and we do not
	MissingThere DifferenceKind = "missing_there" // we have it and the partner does not
	StateDiffers DifferenceKind = "state_differs"
)

// DifferenceKinds lists every kind.
var DifferenceKinds = []DifferenceKind{MissingHere, MissingThere, StateDiffers}

// Difference is an order that we and its partner do not agree about.
type Difference struct {
	Kind           DifferenceKind
	PartnerOrderID string
	OrderID        int64  // 0: we do not have it
	Ours           State  // empty: we do not have it
	Theirs         string // the partner's word; empty: it does not have it
	// Report is the state that the partner ought to be told of, or of an order
	// that we do not have may be; empty: none.
	Report State
	// Listed is nil for an order that the partner does not have.
	Listed *Listed
	// ServiceID is which service of ours it seems to be; empty: we cannot say.
	ServiceID string
	// Known says that it is ours: of a service that is ours, or an order of ours.
	Known bool
}

// Same reports whether two differences are about the same order and say the same.
func (d Difference) Same(other Difference) bool {
	return d.PartnerOrderID == other.PartnerOrderID && d.Kind == other.Kind && d.Ours == other.Ours && d.Theirs == other.Theirs
}

// HeldOrder is what of an order of ours is compared with a partner's list.
type HeldOrder struct {
	ID             int64
	PartnerOrderID string
	ServiceID      string
	Background     bool
	State          State
	Told           []State   // what the partner was told, or is to be, newest first
	Unreported     bool      // not all of that has arrived
	CreatedAt      time.Time // there, as far as that is known
	ChangedAt      time.Time // the order, or what the partner has been told of it
}

// expected returns the state that the partner should show, empty if it has been
// told of none. In the background it sets received by itself.
func (o HeldOrder) expected(l Listing) State {
	for _, s := range o.Told {
		if l.Words[s] != "" {
			return s
		}
	}
	own := o.State
	if o.Background {
		own = Received
	}
	if l.Words[own] != "" {
		return own
	}
	return ""
}

// agrees reports whether what the partner shows is what it should.
func (o HeldOrder) agrees(l Listing, status string) bool {
	should := o.expected(l)
	switch {
	case l.says(status, should):
		return true
	case should == "" || o.State == Waiting:
		// What a partner shows before it is told anything, or while it waits for
		// its own user, is its own affair, unless it is a word for something else.
		return !l.knows(status)
	}
	return false
}

// Limits of a comparison.
const (
	// ReconcileSpan is how far back it looks: at what changed here, or was ordered there.
	ReconcileSpan = 90 * 24 * time.Hour
	// MaxReconcileSpan is how far back the partner is asked at most.
	MaxReconcileSpan = 365 * 24 * time.Hour
	// inFlight is how old an order has to be before it can be missed: it may be on its way.
	inFlight = 5 * time.Minute
	// arrival is how long after the partner's an order of ours may begin.
	arrival = 24 * time.Hour
)

// Period is which orders a comparison is about.
type Period struct {
	Asked time.Time // the partner was asked for what was ordered since
	At    time.Time // when it was asked
}

// NewPeriod returns the period of a comparison that starts now. oldest is when
// the first of our orders began that have changed lately, zero if there is none.
func NewPeriod(oldest, now time.Time) Period {
	p := Period{Asked: now.Add(-ReconcileSpan), At: now}
	if !oldest.IsZero() && oldest.Add(-arrival).Before(p.Asked) {
		p.Asked = oldest.Add(-arrival)
	}
	if limit := now.Add(-MaxReconcileSpan); p.Asked.Before(limit) {
		p.Asked = limit
	}
	return p
}

// covers reports whether an order that began at a time has to be on both sides.
// A time that is not known counts.
func (p Period) covers(from, began time.Time) bool {
	return began.IsZero() || !began.Before(from) && began.Before(p.At.Add(-inFlight))
}

func (p Period) coversOurs(began time.Time) bool { return p.covers(p.Asked.Add(arrival), began) }

func (p Period) coversTheirs(began time.Time) bool { return p.covers(p.At.Add(-ReconcileSpan), began) }

// Comparison is what came of comparing an office's orders with its partner's list.
type Comparison struct {
	Differences []Difference
	Compared    int // orders
	Unreported  int // orders that were not compared: the partner is still to be told
	Others      int // listed orders of services that are not ours
	Period      Period
	Only        string          // the one order that it is about, by the partner's id; empty: all
	judged      map[string]bool // by the partner's order id
}

// Compare finds what we and a partner do not agree about. services are our
// services by the partner's id of them, where that is configured; with any, a
// listed order of another service is nobody's business here.
func Compare(ours []HeldOrder, list Listing, services map[string]string, p Period) Comparison {
	c := Comparison{Period: p, judged: map[string]bool{}}
	listed := map[string]*Listed{}
	for i, l := range list.Orders {
		if l.OrderID != "" {
			listed[l.OrderID] = &list.Orders[i]
		}
	}
	held, learned := map[string]bool{}, map[string]string{}
	for _, o := range ours {
		held[o.PartnerOrderID] = true
		if l := listed[o.PartnerOrderID]; l != nil {
			learned[l.ServiceID] = o.ServiceID
		}
		c.compareOurs(o, listed[o.PartnerOrderID], list)
	}
	for i := range list.Orders {
		l := &list.Orders[i]
		if l == listed[l.OrderID] && !held[l.OrderID] && p.coversTheirs(l.CreatedAt) {
			c.compareTheirs(l, list, services, learned)
		}
	}
	return c
}

func (c *Comparison) compareOurs(o HeldOrder, l *Listed, list Listing) {
	d := Difference{PartnerOrderID: o.PartnerOrderID, OrderID: o.ID, Ours: o.State, Report: o.expected(list),
		Listed: l, ServiceID: o.ServiceID, Known: true}
	switch {
	case l == nil && (o.State == Draft || o.State == Cancelled):
		c.judge(o.PartnerOrderID) // nobody misses it
	case l == nil:
		if c.Period.coversOurs(o.CreatedAt) {
			d.Kind = MissingThere
			c.differ(d)
		}
	case !o.ChangedAt.Before(c.Period.At): // the list may be older than that
	case o.Unreported:
		c.Unreported++
		c.judged[o.PartnerOrderID] = true
	case o.State == Draft || o.agrees(list, l.Status):
		c.judge(o.PartnerOrderID)
	default:
		d.Kind, d.Theirs = StateDiffers, l.Status
		c.differ(d)
	}
}

func (c *Comparison) compareTheirs(l *Listed, list Listing, services, learned map[string]string) {
	service, known := services[l.ServiceID]
	if !known {
		service, known = learned[l.ServiceID]
	}
	if !known && len(services) > 0 {
		c.Others++
		c.judged[l.OrderID] = true
		return
	}
	d := Difference{Kind: MissingHere, PartnerOrderID: l.OrderID, Theirs: l.Status, Listed: l, ServiceID: service, Known: known}
	// An order that is further already is not set back by taking it in.
	if !list.knows(l.Status) || list.says(l.Status, Received) {
		d.Report = Received
	}
	c.differ(d)
}

func (c *Comparison) judge(id string) {
	c.Compared++
	c.judged[id] = true
}

func (c *Comparison) differ(d Difference) {
	if d.Known {
		c.Compared++
	}
	c.judged[d.PartnerOrderID] = true
	c.Differences = append(c.Differences, d)
}

// Resolves reports whether a difference of an earlier comparison is over if
// this one has not found it again. What this one did not look at stays.
func (c Comparison) Resolves(d Difference) bool {
	if c.judged[d.PartnerOrderID] {
		return true
	}
	return d.Kind == MissingHere && d.Listed != nil && c.Period.coversTheirs(d.Listed.CreatedAt)
}

// NextReconciliation returns when an office's orders are compared next: at three
// at night where the provider is.
func NextReconciliation(now time.Time, where *time.Location) time.Time {
	y, m, d := now.In(where).Date()
	next := time.Date(y, m, d, 3, 0, 0, 0, where)
	if !next.After(now) {
		next = time.Date(y, m, d+1, 3, 0, 0, 0, where)
	}
	return next
}

// reconcileBackoff are the times before a comparison that failed is made again.
var reconcileBackoff = []time.Duration{5 * time.Minute, 30 * time.Minute, 2 * time.Hour}

// RetryReconciliation returns when a comparison is made again that has failed a
// number of times in a row.
func RetryReconciliation(now time.Time, failures int) time.Time {
	return now.Add(reconcileBackoff[min(max(failures, 1), len(reconcileBackoff))-1])
}

// Reconciliation is a comparison of an office's orders with its partner's list
// that has been started.
type Reconciliation struct {
	ConnectionID string
	Office       Office
	By           Actor     // zero: it was due by itself
	LeasedUntil  time.Time // zero: somebody asked for it
	Period       Period
}
