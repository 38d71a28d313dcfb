package tjansteguidentest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"portico/internal/partner/door/doortest"
)

// The statuses of an order.
const (
	StatusNew       = "new"
	StatusReceived  = "received"
	StatusActive    = "active"
	StatusWaiting   = "waiting"
	StatusCancelled = "cancelled"
	StatusDelivered = "delivered"
)

// Network is who acts for the city network, as an order's log names it.
const Network = "Stadsnätet"

// Order is what a customer ordered, and everything that was said about it.
type Order struct {
	ID          string
	XSP         string // the provider
	Type        string
	Status      string
	Service     string
	ServiceUID  string
	ServiceName string
	CreatedAt   time.Time
	Delivery    time.Time // zero: as soon as possible
	Customer    Customer
	Log         []Entry // in the order of arrival
}

// Customer is who ordered, and where. Data is an open set of keys.
type Customer struct {
	ID, Socket, Serial, Firstname, Surname, Email string
	Address, Zip, City, Member                    string
	Data                                          map[string]string
	CreatedAt                                     time.Time
}

// Entry is a line of an order's log. Status is empty but in those that a change
// of status wrote by itself.
type Entry struct {
	At                          time.Time
	Type, User, Message, Status string
}

// AddOrder stores an order and returns it. Whatever is empty is filled in from
// the demo data. It panics at an id that is taken: a test of that would prove
// nothing.
func (s *Server) AddOrder(o Order) Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := s.add(o)
	s.save()
	return stored.clone()
}

// AddOrders stores so many generated orders, each of a customer of its own, and
// returns their ids.
func (s *Server) AddOrders(n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = s.add(Order{Customer: generated(len(s.state.Orders))}).ID
	}
	s.save()
	return ids
}

func (s *Server) add(o Order) *Order {
	if s.orders[o.ID] != nil {
		panic(fmt.Sprintf("the fake has an order %s already", o.ID))
	}
	if o.CreatedAt.IsZero() {
		o.CreatedAt = s.options.Now()
	}
	for taken := o.ID == ""; taken; taken = s.orders[o.ID] != nil {
		s.state.LastOrder++
		o.ID = strconv.Itoa(s.state.LastOrder)
	}
	o.XSP = cmp.Or(o.XSP, s.options.Providers[0].XSP)
	o.Type, o.Status = cmp.Or(o.Type, "order"), cmp.Or(o.Status, StatusNew)
	if o.Service == "" && len(s.options.Services) > 0 {
		o.Service = s.options.Services[0].ID
	}
	o.Service = cmp.Or(o.Service, "2440")
	service, _ := doortest.Find(s.options.Services, func(v Service) bool { return v.ID == o.Service })
	o.ServiceUID = cmp.Or(o.ServiceUID, service.UID, "BB100100")
	o.ServiceName = cmp.Or(o.ServiceName, service.Name, "Bredband 100/100")
	o.Customer = s.fillIn(o.Customer, o.CreatedAt)
	stored := o.clone()
	s.state.Orders = append(s.state.Orders, &stored)
	s.index(&stored)
	return &stored
}

func (s *Server) fillIn(c Customer, at time.Time) Customer {
	demo := DemoPeople()[0].customer(DemoAddresses()[0])
	for taken := c.ID == ""; taken; taken = s.customers[c.ID] != nil {
		s.state.LastCustomer++
		c.ID = strconv.Itoa(s.state.LastCustomer)
	}
	c.Socket, c.Serial = cmp.Or(c.Socket, demo.Socket), cmp.Or(c.Serial, demo.Serial)
	c.Firstname, c.Surname = cmp.Or(c.Firstname, demo.Firstname), cmp.Or(c.Surname, demo.Surname)
	c.Email, c.Address = cmp.Or(c.Email, demo.Email), cmp.Or(c.Address, demo.Address)
	c.Zip, c.City = cmp.Or(c.Zip, demo.Zip), cmp.Or(c.City, demo.City)
	c.Member = cmp.Or(c.Member, "1234")
	if c.Data == nil {
		c.Data = demo.Data
	}
	if c.CreatedAt.IsZero() {
		c.CreatedAt = at
	}
	return c
}

func (s *Server) index(o *Order) {
	s.orders[o.ID] = o
	if s.customers[o.Customer.ID] == nil {
		s.customers[o.Customer.ID] = o
	}
}

// SetStatus changes an order as somebody else than the provider does, and
// reports whether there is such an order.
func (s *Server) SetStatus(id, status, by string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.orders[id]
	if o != nil {
		s.setStatus(o, status, by)
	}
	return o != nil
}

// setStatus changes an order, which writes a line of its log; s.mu is held.
func (s *Server) setStatus(o *Order, status, by string) {
	message := fmt.Sprintf("Status changed from %s to %s", o.Status, status)
	o.Status = status
	s.note(o, Entry{Type: "log", User: by, Message: message, Status: status})
}

func (s *Server) note(o *Order, e Entry) {
	e.At = s.options.Now()
	o.Log = append(o.Log, e)
	s.save()
}

// Order returns an order as it is now.
func (s *Server) Order(id string) (Order, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.orders[id]; o != nil {
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
func (s *Server) Statuses(id string) []string {
	var statuses []string
	for _, e := range s.said(id) {
		if e.Status != "" {
			statuses = append(statuses, e.Status)
		}
	}
	return statuses
}

// Messages returns what the provider added to an order's log, in the order of
// arrival.
func (s *Server) Messages(id string) []Entry {
	return slices.DeleteFunc(s.said(id), func(e Entry) bool { return e.Status != "" })
}

func (s *Server) said(id string) []Entry {
	o, _ := s.Order(id)
	provider := s.provider(o.XSP).Name
	return slices.DeleteFunc(o.Log, func(e Entry) bool { return e.User != provider })
}

func (o Order) clone() Order {
	o.Log, o.Customer.Data = slices.Clone(o.Log), maps.Clone(o.Customer.Data)
	return o
}
