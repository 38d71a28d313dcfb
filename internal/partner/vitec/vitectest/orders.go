package vitectest

import (
	"cmp"
	"crypto/rand"
	"net/url"
	"slices"
	"strings"
	"time"

	"portico/internal/partner/door/doortest"
)

// StatusOrdered is what a new order shows (assumed: no page says).
const StatusOrdered = "Ordered"

// StatusReceived is what an order shows once the provider has it.
const StatusReceived = "OrderReceived"

// Order is what was ordered on an estate, and what the provider said about it.
type Order struct {
	ID           string
	Office       string
	Estate       string
	TargetType   string
	User         string // who ordered
	Owner        string // who handles the estate
	ServiceID    string
	CallbackURL  string
	Background   bool // Vitec calls CallbackURL itself
	Status       string
	CreatedAt    time.Time
	UpdatedAt    time.Time
	History      []Change // in the order of arrival
	Interactions []Interaction
}

// Change is a status that was set.
type Change struct {
	Status, Comment string
	At              time.Time
}

// Interaction is a request that the user does something.
type Interaction struct {
	URL, Comment string
	At           time.Time
}

type token struct {
	Office, Order, User string
	ExpiresAt           time.Time
}

// NewOrder stores an order and returns it. Whatever is empty is filled in from
// the demo data; two offices may have orders with the same id.
func (s *Server) NewOrder(o Order) Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newOrder(o)
}

func (s *Server) newOrder(o Order) Order {
	now := s.options.Now()
	if o.Office == "" {
		o.Office = s.options.Offices[0].ID
	}
	if o.Estate == "" {
		e, _ := doortest.Find(s.options.Estates, func(e Estate) bool { return e.Office == o.Office })
		o.Estate = e.ID
	}
	if e, ok := s.estate(o.Estate); ok {
		o.Owner, o.TargetType = cmp.Or(o.Owner, e.Agent), cmp.Or(o.TargetType, e.Type)
	}
	o.ID = cmp.Or(o.ID, "B"+rand.Text()[:9])
	o.User = cmp.Or(o.User, o.Owner)
	o.Status = cmp.Or(o.Status, StatusOrdered)
	if o.CreatedAt.IsZero() {
		o.CreatedAt = now
	}
	o.UpdatedAt = o.CreatedAt
	s.state.Orders = append(s.state.Orders, o)
	s.save()
	return o.clone()
}

// Remove takes an order away, as if Vitec had never had it.
func (s *Server) Remove(office, orderID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Orders = slices.DeleteFunc(s.state.Orders, func(o Order) bool { return o.Office == office && o.ID == orderID })
	s.save()
}

// Open orders a service on an estate and returns the address that Vitec opens.
func (s *Server) Open(office, estate, user, serviceURL string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.newOrder(Order{Office: office, Estate: estate, User: user, CallbackURL: serviceURL})
	return s.callback(o, user, s.options.TokenLife)
}

// Reopen returns the address with a fresh token with which the user comes back
// to an order.
func (s *Server) Reopen(orderID string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.order("", orderID); o != nil {
		return s.callback(*o, o.User, s.options.TokenLife)
	}
	return ""
}

// Token returns a fresh token of the person who ordered.
func (s *Server) Token(orderID string) string {
	return s.TokenFor("", orderID, "", s.options.TokenLife)
}

// ExpiredToken returns a token that can no longer be used.
func (s *Server) ExpiredToken(orderID string) string {
	return s.TokenFor("", orderID, "", -time.Minute)
}

// TokenFor returns a fresh token of a user, good for life. An empty office means
// the newest order with that id, an empty user the person who ordered.
func (s *Server) TokenFor(office, orderID, user string, life time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(office, orderID)
	if o == nil {
		return ""
	}
	return s.token(*o, cmp.Or(user, o.User), life)
}

func (s *Server) token(o Order, user string, life time.Duration) string {
	t := newToken()
	s.state.Tokens[t] = token{o.Office, o.ID, user, s.options.Now().Add(life)}
	s.save()
	return t
}

func (s *Server) callback(o Order, user string, life time.Duration) string {
	return CallbackURL(o.CallbackURL, o.Office, s.token(o, user, life))
}

// CallbackURL returns a service's address with the two parameters that Vitec adds.
func CallbackURL(serviceURL, office, token string) string {
	separator := "?"
	if strings.Contains(serviceURL, "?") {
		separator = "&"
	}
	return serviceURL + separator + "customerId=" + url.QueryEscape(office) + "&token=" + url.QueryEscape(token)
}

// Order returns an order as it is now; an empty office means the newest order
// with that id.
func (s *Server) Order(office, orderID string) (Order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.order(office, orderID); o != nil {
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

// Statuses returns the statuses that the provider set, in the order of arrival.
func (s *Server) Statuses(orderID string) []string {
	o, _ := s.Order("", orderID)
	var statuses []string
	for _, c := range o.History {
		statuses = append(statuses, c.Status)
	}
	return statuses
}

// Interactions returns what the provider asked of the user, in the order of arrival.
func (s *Server) Interactions(orderID string) []Interaction {
	o, _ := s.Order("", orderID)
	return o.Interactions
}

// order returns the stored order; s.mu is held.
func (s *Server) order(office, id string) *Order {
	for i := len(s.state.Orders) - 1; i >= 0; i-- {
		if o := &s.state.Orders[i]; o.ID == id && (office == "" || o.Office == office) {
			return o
		}
	}
	return nil
}

func (o Order) clone() Order {
	o.History, o.Interactions = slices.Clone(o.History), slices.Clone(o.Interactions)
	return o
}
