// Package vitectest is a fake of Vitec Express Connect, and of as much of Vitec
// Express as it takes to order something: the tests, cmd/partnersim and the
// demo run on it. It is a handler with the API under /Service/ and pages for
// people everywhere else.
//
// What Vitec documents is done as documented. What nobody documents is assumed,
// and marked so in comments and on the pages: how a status is set, the status of
// a new order, how long a token lives, the bodies of errors, the 404 for unknown
// ids, dates without an offset, and which persons and offices a lead matches.
package vitectest

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"portico/internal/partner/door/doortest"
	"portico/internal/portal"
)

// The credential that the fake knows if Options name none.
const (
	DemoUsername = "partner"
	DemoPassword = "simulator-password"
)

// Options make a fake to measure; the zero value is a good one.
type Options struct {
	Credentials []portal.Credential // nil: DemoUsername and DemoPassword for any office
	Services    []Service           // what can be ordered on the pages
	Offices     []Office            // nil: DemoOffices
	Users       []User              // nil: DemoUsers
	Estates     []Estate            // nil: DemoEstates
	Sources     []Source            // of leads; nil: DemoSources
	Intakes     []Source            // of assignments; nil: DemoIntakes
	Statuses    []string            // accepted beside OrderReceived, Error and Delivered
	Path        string              // JSON file that keeps orders and tokens; empty: memory only
	TokenLife   time.Duration       // 0: an hour (assumed)
	DateOffset  bool                // dates with an offset instead of bare Swedish time
	LinkToken   bool                // opening an interaction's link adds customerId and token
	Now         func() time.Time
	Log         *slog.Logger
}

// Server is the fake. It is safe for concurrent use.
type Server struct {
	*doortest.Door // its faults and its log
	http.Handler   // Connect under /Service/, and pages elsewhere

	URL string // set by Start

	options Options
	site    *doortest.Site

	mu    sync.Mutex
	state state
}

// New returns a fake; it fails if the file of its state cannot be read.
func New(o Options) (*Server, error) {
	if o.Credentials == nil {
		o.Credentials = []portal.Credential{{Customer: portal.AnyCustomer, Username: DemoUsername, Password: DemoPassword}}
	}
	if o.Offices == nil {
		o.Offices = DemoOffices()
	}
	if o.Users == nil {
		o.Users = DemoUsers()
	}
	if o.Estates == nil {
		o.Estates = DemoEstates()
	}
	if o.Sources == nil {
		o.Sources = DemoSources()
	}
	if o.Intakes == nil {
		o.Intakes = DemoIntakes()
	}
	o.TokenLife = cmp.Or(o.TokenLife, time.Hour)
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	s := &Server{options: o, state: state{Tokens: map[string]token{}, LinkToken: o.LinkToken},
		Door: doortest.New(doortest.Options{Faults: faultInfos, Words: words, Now: o.Now})}
	if err := doortest.Load(o.Path, &s.state); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	s.routeConnect(mux)
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

// Connection returns the fake as a connection of an apply file, in JSON.
func (s *Server) Connection(id, baseURL string) json.RawMessage {
	raw, err := json.Marshal(map[string]any{"id": id, "system": "vitec", "base_url": baseURL,
		"credentials": s.options.Credentials, "lead_sources": s.options.Sources, "assignment_sources": s.options.Intakes,
		"lead_retention_days": demoRetention})
	if err != nil {
		panic(fmt.Sprintf("marshal a connection: %v", err)) // strings only
	}
	return raw
}

// newToken returns a token like the one in Vitec's example. Each has +, / and =
// in it, so that an address that forgets to encode them fails every time.
func newToken() string {
	raw := make([]byte, 40)
	rand.Read(raw) // never fails
	raw[0], raw[1] = 0xfb, 0xff
	return base64.StdEncoding.EncodeToString(raw)
}
