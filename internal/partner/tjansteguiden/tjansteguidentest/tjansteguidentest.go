// Package tjansteguidentest is a fake of Tjänsteguiden, the order system of
// Stadsnätsportalen: the API for service providers (TL), the one for the city
// network (KO), and as many pages as it takes to order something as a customer
// and to act as the network. It is a handler with the APIs at PathTL and PathKO
// and the pages everywhere else.
//
// What is documented is done as documented. What is documented nowhere is
// assumed, and marked so in comments and on the pages: order_info and order_log,
// every refusal, that any change of status is allowed, that a date is when an
// order was created, and Swedish time.
package tjansteguidentest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"portico/internal/partner/door/doortest"
)

// Where the two APIs are.
const (
	PathTL = "/plain/serviceguide_log"
	PathKO = "/admin/edit/services/plain/orders"
)

// What the fake knows if Options name nothing else.
const (
	DemoAPIUser     = "1234"
	DemoAPIKey      = "simulator-key"
	DemoNetworkUser = "4321"
)

// Options make a fake to measure; the zero value is a good one.
type Options struct {
	APIUser     string     // of the provider; empty: DemoAPIUser
	APIKey      string     // of the provider; empty: DemoAPIKey
	NetworkUser string     // the api_user of the network; empty: DemoNetworkUser
	Providers   []Provider // the first is who APIUser belongs to; nil: DemoProviders
	Services    []Service  // what can be ordered on the pages
	Shape       Shape      // of answers
	AuthStatus  int        // of a refused login, hash or API user; 0: 400 (assumed)
	Path        string     // JSON file that keeps the orders; empty: memory only
	Now         func() time.Time
	Log         *slog.Logger
}

// Server is the fake. It is safe for concurrent use.
type Server struct {
	*doortest.Door // its faults and its log
	http.Handler   // the APIs at PathTL and PathKO, and pages elsewhere

	URL string // set by Start

	options Options
	site    *doortest.Site

	mu        sync.Mutex
	state     state
	orders    map[string]*Order // by id
	customers map[string]*Order // by the customer's id: the first that they ordered
	hashes    map[string]time.Time
	poison    map[poisoned]FaultKind
	calls     map[Op]int
}

// New returns a fake; it fails if the file of its state cannot be read.
func New(o Options) (*Server, error) {
	o.APIUser = cmp.Or(o.APIUser, DemoAPIUser)
	o.APIKey = cmp.Or(o.APIKey, DemoAPIKey)
	o.NetworkUser = cmp.Or(o.NetworkUser, DemoNetworkUser)
	o.AuthStatus = cmp.Or(o.AuthStatus, http.StatusBadRequest)
	if o.Providers == nil {
		o.Providers = DemoProviders()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	s := &Server{options: o, state: state{LastOrder: 19529, LastCustomer: 16744, Shape: o.Shape},
		orders: map[string]*Order{}, customers: map[string]*Order{}, hashes: map[string]time.Time{},
		poison: map[poisoned]FaultKind{}, calls: map[Op]int{},
		Door: doortest.New(doortest.Options{Faults: faultInfos, Words: words, Redact: redact, Now: o.Now})}
	if err := doortest.Load(o.Path, &s.state); err != nil {
		return nil, err
	}
	for _, order := range s.state.Orders {
		s.index(order)
	}
	mux := http.NewServeMux()
	mux.HandleFunc(PathTL, s.api(RoleTL))
	mux.HandleFunc(PathKO, s.api(RoleKO))
	s.routePages()
	mux.Handle("/", s.site)
	s.Handler = mux
	return s, nil
}

// Start serves a fake on a port of its own until the test ends.
func Start(t doortest.T, o Options) *Server {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatalf("start the simulator: %v", err)
	}
	s.URL = doortest.Start(t, s)
	return s
}

// SetServices replaces what can be ordered on the pages.
func (s *Server) SetServices(services ...Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Services = services
}

// SetShape changes how the next answers look.
func (s *Server) SetShape(shape Shape) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Shape = shape
	s.save()
}

// Base returns the base address of a role, as an apply file has it.
func (s *Server) Base(address, role string) string {
	if role == RoleKO {
		return address + PathKO
	}
	return address + PathTL
}

// Connection returns the fake, which is served at an address, as a connection of
// an apply file, in JSON.
func (s *Server) Connection(id, role, address string) json.RawMessage {
	c := map[string]string{"id": id, "system": "tjansteguiden", "role": role, "base_url": s.Base(address, role)}
	if role == RoleKO {
		c["api_user"] = s.options.NetworkUser
	} else {
		c["api_user"], c["api_key"] = s.options.APIUser, s.options.APIKey
	}
	raw, err := json.Marshal(c)
	if err != nil {
		panic(fmt.Sprintf("marshal a connection: %v", err)) // strings only
	}
	return raw
}
