package tjansteguiden

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/partner/door"
	"portico/internal/portal"
	"portico/internal/worldtest"
)

const (
	apiKey = "nyckel+/1"
	base   = "/plain/serviceguide_log"
)

// memory is a store of hashes for tests: what a database does in one statement
// is done here under one lock.
type memory struct {
	mu      sync.Mutex
	text    string
	version int64
	claimed bool
}

func (s *memory) LoadToken(context.Context, string, string) (string, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text, s.version, nil
}

func (s *memory) ClaimToken(_ context.Context, _, _ string, version int64, _ time.Duration) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version != version || s.claimed {
		return false, nil
	}
	s.claimed = true
	return true, nil
}

func (s *memory) StoreToken(_ context.Context, _, _ string, version int64, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version == version {
		s.text, s.version, s.claimed = text, version+1, false
	}
	return nil
}

func (s *memory) ReleaseToken(_ context.Context, _, _ string, version int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.version == version {
		s.claimed = false
	}
	return nil
}

// guide is Tjänsteguiden as a test has it: each method answers what the test
// says, and hashes are H1, H2, …
type guide struct {
	*testing.T
	role  string
	url   string
	clock *worldtest.Clock
	store *memory

	mu      sync.Mutex
	answers map[string][]answer // by method; the last one stays
	calls   []string            // queries
	logins  int
}

type answer struct {
	status int // 0: the connection breaks
	body   string
	then   func()
	header http.Header
}

func start(t *testing.T, role string) *guide {
	t.Helper()
	g := &guide{T: t, role: role, clock: worldtest.NewClock(time.Date(2026, 11, 24, 9, 12, 0, 0, time.UTC)), store: &memory{}, answers: map[string][]answer{}}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	g.url = server.URL + base
	return g
}

// says sets what a method answers, in turn.
func (g *guide) says(method string, answers ...answer) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answers[method] = answers
}

func ok(body string) answer { return answer{status: 200, body: body} }

const done = `<x><response><message>Done</message></response><status>success</status></x>`

// good is the answer to a change.
func good(method string) answer { return ok(strings.ReplaceAll(done, "x>", method+">")) }

func (g *guide) next(r *http.Request) (a answer, there bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	method := r.URL.Query().Get("method")
	g.calls = append(g.calls, r.URL.RawQuery)
	all := g.answers[method]
	if len(all) > 1 {
		g.answers[method] = all[1:]
	}
	if len(all) > 0 {
		return all[0], true
	}
	if method == "api_login" {
		g.logins++
		return ok(fmt.Sprintf("<api_login><response><message>Peter Smith logged in</message><hash_key>H%d</hash_key></response><status>success</status></api_login>", g.logins)), true
	}
	return answer{}, false
}

// ServeHTTP answers a call.
func (g *guide) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || r.URL.Path != base || r.Header.Get("Accept") != "application/xml, text/xml" {
		g.Errorf("%s %s, Accept %q", r.Method, r.URL.Path, r.Header.Get("Accept"))
	}
	a, there := g.next(r)
	if !there {
		g.Errorf("unexpected call %s", r.URL.RawQuery)
	}
	if a.then != nil {
		a.then()
	}
	if a.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/xml")
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	io.WriteString(w, a.body) // the caller may have gone
}

// connection returns a connection to the guide; more is added to it.
func (g *guide) connection(more string) portal.Connection {
	g.Helper()
	raw := fmt.Sprintf(`{%s"id":"guiden","system":"tjansteguiden","role":%q,"base_url":%q,"api_user":"1234","api_key":%q,"rate":{"concurrent":8,"per_second":1000}}`,
		more, g.role, g.url, apiKey)
	c, faults := Configure(json.RawMessage(raw))
	if len(faults) > 0 {
		g.Fatalf("Configure: %v", faults)
	}
	return c
}

func (g *guide) client(more string) *Client {
	g.Helper()
	c, err := New(g.connection(more), Options{Options: door.Options{Now: g.clock.Now}, Tokens: g.store})
	if err != nil {
		g.Fatal(err)
	}
	return c
}

// made returns the queries of the calls since the last time, decoded.
func (g *guide) made() []string {
	g.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []string
	for _, q := range g.calls {
		text, err := url.QueryUnescape(q)
		if err != nil {
			g.Fatal(err)
		}
		all = append(all, strings.TrimPrefix(text, "method="))
	}
	g.calls = nil
	return all
}

func outcome(err error) portal.Outcome {
	if err == nil {
		return portal.OutcomeDone
	}
	return door.Classify(err).Outcome
}
