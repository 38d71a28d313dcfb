package onapitest

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"portico/internal/partner/door/doortest"
)

// The states of an order.
const (
	Received   = "RECEIVED"
	InProgress = "IN_PROGRESS"
	Succeeded  = "DONE_SUCCESS"
	Failed     = "DONE_FAILED"
)

// The operations that the fake knows.
const (
	Activate   = "ACTIVATE"
	Deactivate = "DEACTIVATE"
	Change     = "CHANGE"
)

// Order is an order at the network.
type Order struct {
	ID             string
	AccessID       string
	SubscriptionID string
	Service        string
	Operation      string
	State          string
	Message        string // why it failed
	Reference      string // the provider's
	WishedFor      time.Time
	CreatedAt      time.Time
	ChangedAt      time.Time
}

// Open reports whether the network is not through with the order.
func (o Order) Open() bool { return o.State == Received || o.State == InProgress }

// from returns when the network may begin.
func (o Order) from() time.Time {
	if o.WishedFor.After(o.CreatedAt) {
		return o.WishedFor
	}
	return o.CreatedAt
}

// Subscription is a service that is active on an access.
type Subscription struct {
	ID       string
	AccessID string
	Service  string
	Others   bool // another provider's
}

// kind returns the type of a service; what there is of it in the standard's own
// answers is not in its names.
func kind(service string) string {
	letters, _, _ := strings.Cut(service, "-")
	return strings.TrimRightFunc(letters, unicode.IsDigit)
}

type event struct {
	ID    string
	Order Order // as it was
}

// Orders returns all orders, the oldest first.
func (s *Server) Orders() []Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pass()
	return slices.Clone(s.state.Orders)
}

// Subscriptions returns what is active, other providers' services included.
func (s *Server) Subscriptions() []Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pass()
	return slices.Clone(s.state.Subscriptions)
}

// Subscribe makes a service active that nobody ordered here, such as another
// provider's, and returns its id.
func (s *Server) Subscribe(b Subscription) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.ID == "" {
		b.ID = newID()
	}
	s.state.Subscriptions = append(s.state.Subscriptions, b)
	s.save()
	return b.ID
}

// Advance takes an order to its next state, and reports whether it was open.
func (s *Server) Advance(id string) bool {
	return s.step(id, func(o Order) (string, string) {
		if o.State == Received {
			return InProgress, ""
		}
		return Succeeded, ""
	})
}

// Finish ends an order well, and reports whether it was open.
func (s *Server) Finish(id string) bool {
	return s.step(id, func(Order) (string, string) { return Succeeded, "" })
}

// Fail ends an order otherwise, and reports whether it was open.
func (s *Server) Fail(id, message string) bool {
	return s.step(id, func(Order) (string, string) { return Failed, message })
}

func (s *Server) step(id string, next func(Order) (state, message string)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pass()
	o := s.order(id)
	if o == nil || !o.Open() {
		return false
	}
	state, message := next(*o)
	s.set(o, state, message, s.options.Now())
	s.save()
	return true
}

// order returns an order, nil if there is none; s.mu is held.
func (s *Server) order(id string) *Order {
	i := slices.IndexFunc(s.state.Orders, func(o Order) bool { return o.ID == id })
	if i < 0 {
		return nil
	}
	return &s.state.Orders[i]
}

// pass lets the time pass in a fake that does things by itself; s.mu is held.
func (s *Server) pass() {
	if !s.options.Auto {
		return
	}
	now, changed := s.options.Now(), false
	for i := range s.state.Orders {
		o := &s.state.Orders[i]
		if begins := o.from().Add(Begins); o.State == Received && !now.Before(begins) {
			s.set(o, InProgress, "", begins)
			changed = true
		}
		if ends := o.from().Add(Ends); o.State == InProgress && !now.Before(ends) {
			s.set(o, Succeeded, "", ends)
			changed = true
		}
	}
	if changed {
		s.save()
	}
}

// set changes the state of an order, and what is active with it; s.mu is held.
func (s *Server) set(o *Order, state, message string, at time.Time) {
	o.State, o.Message, o.ChangedAt = state, message, at
	s.state.Events = append(s.state.Events, event{ID: newID(), Order: *o})
	if state != Succeeded {
		return
	}
	mine := func(b Subscription) bool { return b.ID == o.SubscriptionID }
	switch o.Operation {
	case Activate:
		s.state.Subscriptions = append(s.state.Subscriptions, Subscription{ID: o.SubscriptionID, AccessID: o.AccessID, Service: o.Service})
	case Deactivate:
		s.state.Subscriptions = slices.DeleteFunc(s.state.Subscriptions, mine)
	case Change:
		if i := slices.IndexFunc(s.state.Subscriptions, mine); i >= 0 {
			s.state.Subscriptions[i].Service = o.Service
		}
	}
}

// active returns what is active on an access and matches; s.mu is held.
func (s *Server) active(accessID string, match func(Subscription) bool) (Subscription, bool) {
	return doortest.Find(s.state.Subscriptions, func(b Subscription) bool { return b.AccessID == accessID && match(b) })
}
