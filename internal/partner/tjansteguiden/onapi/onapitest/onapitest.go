// Package onapitest is a fake of a network with the order part of ON-API 2.4:
// the tests, cmd/partnersim and the demo run on it. It is a handler with the API
// under /onapi/2.4/ and pages for the network's people everywhere else.
//
// What the standard says is done as it says. What it leaves open is assumed: that
// services are of one type if their names start with the same letters, how a
// withdrawal is refused, 404 for an order that was withdrawn, 200 for a change
// to the service that is there, and an event that is not known is 400. Of an
// access it has no more than the subscriptions.
package onapitest

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"portico/internal/partner/door/doortest"
	"portico/internal/portal"
)

// The credential that the fake knows if Options name none.
const (
	DemoUsername = "tjanst"
	DemoPassword = "simulator-password"
)

// DemoServices returns the services of the fake if Options name none.
func DemoServices() []string { return []string{"AB10010", "AB100100", "AB1000100", "IPTV"} }

// Options make a fake to measure; the zero value is a good one.
type Options struct {
	Path      string // JSON file that keeps orders and subscriptions; empty: memory only
	Log       *slog.Logger
	Username  string   // empty: DemoUsername
	Password  string   // empty: DemoPassword
	Services  []string // nil: DemoServices
	AccessIDs []string // how the ids of the accesses start; nil: any access is there
	Auto      bool     // orders are begun after Begins and done after Ends
	Now       func() time.Time
}

// When an order is begun and done in a fake that does so by itself, from when it
// was placed or is wished for.
const (
	Begins = 5 * time.Second
	Ends   = 8 * time.Second
)

// Server is the fake. It is safe for concurrent use.
type Server struct {
	*doortest.Door // its faults and its log
	http.Handler   // the network under /onapi/2.4/, and pages elsewhere

	URL string // set by Start

	options Options
	site    *doortest.Site

	mu    sync.Mutex
	state state
}

// state is what outlives a restart.
type state struct {
	Orders        []Order
	Subscriptions []Subscription
	Events        []event
}

// save writes the state; s.mu is held.
func (s *Server) save() { doortest.Save(s.options.Path, s.state, s.options.Log) }

// New returns a fake; it fails if the file of its state cannot be read.
func New(o Options) (*Server, error) {
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	o.Username = cmp.Or(o.Username, DemoUsername)
	o.Password = cmp.Or(o.Password, DemoPassword)
	if o.Services == nil {
		o.Services = DemoServices()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{options: o, Door: doortest.New(doortest.Options{Faults: faultInfos, Words: words, Now: o.Now})}
	if err := doortest.Load(o.Path, &s.state); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	s.routeAPI(mux)
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

// Base returns the base address of the API of the fake, which is served at an address.
func (s *Server) Base(address string) string { return address + "/onapi/2.4" }

// Credential returns what the fake lets in.
func (s *Server) Credential() portal.Credential {
	return portal.Credential{Customer: portal.AnyCustomer, Username: s.options.Username, Password: s.options.Password}
}

// Calls returns how many calls of the API there were, failed ones included.
func (s *Server) Calls() int { return s.Count(doortest.OpAny) }

// Bodies returns the bodies of all calls, the oldest first: whoever wants to know
// what a network gets to know of people reads them.
func (s *Server) Bodies() []string {
	var bodies []string
	for _, r := range s.Log() {
		if r.Body != "" {
			bodies = append(bodies, r.Body)
		}
	}
	return bodies
}

// newID returns an id like those in the standard's examples.
func newID() string {
	raw := make([]byte, 16)
	rand.Read(raw) // never fails
	return hex.EncodeToString(raw)
}

// has reports whether there is such an access.
func (o Options) has(accessID string) bool {
	for _, prefix := range o.AccessIDs {
		if strings.HasPrefix(accessID, prefix) {
			return true
		}
	}
	return o.AccessIDs == nil
}
