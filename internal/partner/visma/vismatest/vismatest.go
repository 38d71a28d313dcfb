// Package vismatest is a fake of Visma Real Estate Core/Flow as a marketing
// integrator meets it, and of as much of Core as it takes to order something.
// It is a handler with the API of each tenant under /core/{tenant}/flow/ and
// pages for people everywhere else.
//
// What Visma documents is done as documented. What nobody documents is assumed,
// and marked so in comments and on the pages: how long a FlowToken lives and how
// a bad one is answered, the bodies of errors, what a PATCH leaves alone, the
// form of Metadata in an answer, and the names of most permissions.
package vismatest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"portico/internal/partner/door/doortest"
)

// Options make a fake to measure; the zero value is a good one.
type Options struct {
	Tenants   []Tenant      // nil: DemoTenants
	Users     []User        // nil: DemoUsers
	Cases     []Case        // nil: DemoCases
	Checklist []Check       // nil: DemoChecklist
	Services  []Service     // what can be ordered on the pages
	Path      string        // JSON file that keeps orders, files and FlowTokens; empty: memory only
	TokenLife time.Duration // of a FlowToken; 0: ten minutes (assumed)
	NoHistory bool          // answers with an order leave OrderStatuses out
	Now       func() time.Time
	Log       *slog.Logger
}

// Server is the fake. It is safe for concurrent use.
type Server struct {
	*doortest.Door // its faults and its log

	// URL is where the fake is served; set by Start. Without one the pages take
	// it from the browser.
	URL string

	options Options
	api     http.Handler
	site    *doortest.Site

	mu       sync.Mutex
	state    state
	bearers  map[string]bearer
	refresh  map[string]bearer
	throttle throttle
}

// New returns a fake; it fails if the file of its state cannot be read.
func New(o Options) (*Server, error) {
	if o.Tenants == nil {
		o.Tenants = DemoTenants()
	}
	if o.Users == nil {
		o.Users = DemoUsers()
	}
	if o.Cases == nil {
		o.Cases = DemoCases()
	}
	if o.Checklist == nil {
		o.Checklist = DemoChecklist()
	}
	o.TokenLife = cmp.Or(o.TokenLife, 10*time.Minute)
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	o.Tenants = slices.Clone(o.Tenants)
	s := &Server{options: o, bearers: map[string]bearer{}, refresh: map[string]bearer{},
		state: state{LastID: 1000, Tokens: map[string]flowToken{}},
		Door:  doortest.New(doortest.Options{Faults: faultInfos, Words: words, Redact: redact, Now: o.Now})}
	if err := doortest.Load(o.Path, &s.state); err != nil {
		return nil, err
	}
	s.api = s.routeAPI()
	s.routePages()
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

// ServeHTTP answers as Core under /core/ and with pages elsewhere. Visma's own
// examples write paths in small and in capital letters, so the API takes both.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/core/") {
		s.site.ServeHTTP(w, r)
		return
	}
	sent := r.URL.EscapedPath()
	r = r.Clone(r.Context())
	r.URL.Path, r.URL.RawPath = strings.ToLower(r.URL.Path), ""
	r.RequestURI = sent
	s.api.ServeHTTP(w, r)
}

// SetServices replaces what can be ordered on the pages.
func (s *Server) SetServices(services ...Service) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Services = services
}

// SetPermissions replaces what the API user of a tenant may do.
func (s *Server) SetPermissions(tenant string, permissions ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.options.Tenants {
		if s.options.Tenants[i].ID == tenant {
			s.options.Tenants[i].Permissions = permissions
		}
	}
}

// Base returns the base address of a tenant, as an apply file has it.
func (s *Server) Base(address, tenant string) string { return address + "/core/" + tenant }

// Connection returns the fake, which is served at an address, as a connection of
// an apply file, in JSON.
func (s *Server) Connection(id, address string) json.RawMessage {
	var tenants []map[string]string
	for _, t := range s.options.Tenants {
		tenants = append(tenants, map[string]string{"id": t.ID, "base_url": s.Base(address, t.ID),
			"client_id": t.ClientID, "client_secret": t.ClientSecret})
	}
	raw, err := json.Marshal(map[string]any{"id": id, "system": "visma", "tenants": tenants})
	if err != nil {
		panic(fmt.Sprintf("marshal a connection: %v", err)) // strings only
	}
	return raw
}
