package vismatest

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"portico/internal/partner/door/doortest"
)

// States are the names of an order's state, each at its number.
var States = []string{"Unknown", "CreatedNotSent", "InProcess", "Error", "MissingInfo", "Completed", "Cancelled", "Created", "Activated"}

// Order is what was ordered on a case, and what the provider said about it.
type Order struct {
	ID         int
	GUID       string
	Tenant     string
	Case       int
	User       int
	ServiceID  string
	Title      string
	ActionText string
	Metadata   []Pair
	CreatedAt  time.Time
	ModifiedAt time.Time
	Statuses   []Status // in the order of arrival
}

// Pair is a line of metadata, shown as "key - value".
type Pair struct {
	Key, Value string
}

// Status is a state that was set, with its text.
type Status struct {
	ID            int
	Status, State string
	At            time.Time
}

// State returns the state that was set last.
func (o Order) State() string { return o.Statuses[len(o.Statuses)-1].State }

// NewOrder stores an order and returns it. Whatever is empty is filled in from
// the demo data.
func (s *Server) NewOrder(o Order) Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newOrder(o)
}

func (s *Server) newOrder(o Order) Order {
	now := s.options.Now()
	o.Tenant = cmp.Or(o.Tenant, s.options.Tenants[0].ID)
	if o.Case == 0 {
		c, _ := doortest.Find(s.options.Cases, func(c Case) bool { return c.Tenant == o.Tenant })
		o.Case = c.ID
	}
	if o.User == 0 {
		u, _ := doortest.Find(s.options.Users, func(u User) bool { return u.Tenant == o.Tenant })
		o.User = u.ID
	}
	o.ID, o.GUID = s.nextID(), cmp.Or(o.GUID, newGUID())
	o.CreatedAt, o.ModifiedAt = now, now
	o.Statuses = []Status{{ID: s.nextID(), State: "CreatedNotSent", At: now}}
	s.state.Orders = append(s.state.Orders, o)
	s.save()
	return o.clone()
}

func newGUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Order returns an order as it is now.
func (s *Server) Order(guid string) (Order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.order("", guid); o != nil {
		return o.clone(), true
	}
	return Order{}, false
}

// Orders returns every order, the oldest first.
func (s *Server) Orders() []Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Order, len(s.state.Orders))
	for i, o := range s.state.Orders {
		all[i] = o.clone()
	}
	return all
}

// Reported returns the states that the provider set, in the order of arrival.
func (s *Server) Reported(guid string) []string {
	o, ok := s.Order(guid)
	if !ok {
		return nil
	}
	var states []string
	for _, status := range o.Statuses[1:] {
		states = append(states, status.State)
	}
	return states
}

// order returns the stored order of a GUID or, since one page says so, of a
// number; s.mu is held. An empty tenant is any.
func (s *Server) order(tenant, id string) *Order {
	for i := range s.state.Orders {
		o := &s.state.Orders[i]
		if (strings.EqualFold(o.GUID, id) || strconv.Itoa(o.ID) == id) && (tenant == "" || o.Tenant == tenant) {
			return o
		}
	}
	return nil
}

func (o Order) clone() Order {
	o.Metadata, o.Statuses = slices.Clone(o.Metadata), slices.Clone(o.Statuses)
	return o
}

// updateState adds an entry. A state may come as its name or its number.
func (s *Server) updateState(c call) doortest.Reply {
	var in struct {
		Status string
		State  json.RawMessage
	}
	if !c.read(&in) {
		return failure(http.StatusBadRequest, "The request is invalid.")
	}
	state := stateOf(in.State)
	if state == "" {
		return failure(http.StatusBadRequest, "State is not valid.")
	}
	return s.change(c, func(o *Order) {
		o.Statuses = append(o.Statuses, Status{ID: s.nextID(), Status: in.Status, State: state, At: o.ModifiedAt})
	})
}

func stateOf(raw json.RawMessage) string {
	var name string
	var number int
	switch {
	case json.Unmarshal(raw, &name) == nil && slices.Contains(States, name):
		return name
	case json.Unmarshal(raw, &number) == nil && number >= 0 && number < len(States):
		return States[number]
	}
	return ""
}

// update sets what is in the request and leaves the rest alone; a list of
// metadata replaces the one before (both assumed).
func (s *Server) update(c call) doortest.Reply {
	var in struct {
		Title, ActionText *string
		Metadata          *[]Pair
	}
	if !c.read(&in) {
		return failure(http.StatusBadRequest, "The request is invalid.")
	}
	return s.change(c, func(o *Order) {
		if in.Title != nil {
			o.Title = *in.Title
		}
		if in.ActionText != nil {
			o.ActionText = *in.ActionText
		}
		if in.Metadata != nil {
			o.Metadata = *in.Metadata
		}
	})
}

// change changes the order of a call, and answers with it as it is then.
func (s *Server) change(c call, apply func(*Order)) doortest.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(c.tenant.ID, c.path("order"))
	if o == nil {
		return failure(http.StatusNotFound, "The order was not found.")
	}
	o.ModifiedAt = s.options.Now()
	apply(o)
	s.save()
	return done(s.model(*o))
}

// create makes an order that nobody ordered in Core.
func (s *Server) create(c call) doortest.Reply {
	id, err := strconv.Atoi(c.path("case"))
	if _, known := s.caseOf(c.tenant.ID, id); err != nil || !known {
		return failure(http.StatusNotFound, "The case was not found.")
	}
	if !c.tenant.Integrator {
		return failure(http.StatusForbidden, "New order as integrator is not enabled for this service.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := Order{Tenant: c.tenant.ID, Case: id}
	if len(s.options.Services) > 0 { // an API user has it enabled for one
		o.ServiceID = s.options.Services[0].ID
	}
	return done(s.model(s.newOrder(o)))
}

// model is an order as Core answers with it: names in Pascal case, metadata as a
// text (its form is assumed), states as names.
func (s *Server) model(o Order) map[string]any {
	metadata, err := json.Marshal(append([]Pair{}, o.Metadata...))
	if err != nil {
		panic(fmt.Sprintf("marshal metadata: %v", err)) // strings only
	}
	statuses := []map[string]any{}
	for _, status := range o.Statuses {
		statuses = append(statuses, map[string]any{"Id": status.ID, "Status": status.Status, "OrderStateType": status.State,
			"CreatedDate": s.date(status.At)})
	}
	m := map[string]any{"Id": o.ID, "Guid": o.GUID, "Title": o.Title, "ActionText": o.ActionText, "CaseBaseId": o.Case,
		"MarketingIntegratorId": 7, "CreatedDate": s.date(o.CreatedAt), "ModifiedDate": s.date(o.ModifiedAt),
		"Metadata": string(metadata), "OrderStatuses": statuses}
	if s.options.NoHistory {
		m["OrderStatuses"] = nil
	}
	return m
}

func (s *Server) date(t time.Time) string {
	return t.In(oslo).Format("2006-01-02T15:04:05.0000000-07:00")
}
