package tjansteguiden

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

const (
	noOrders = "<orders><response/><status>success</status></orders>"
	failed   = "<orders><response><message>Access denied for 751011-6952</message></response><status>failed</status></orders>"
	loginURL = "api_login&api_key=" + apiKey + "&api_user=1234"
	firstDay = "orders&hash=H1&date=2026-11-24"
	again    = "orders&hash=H2&date=2026-11-24"
)

// fetch asks for the orders of today.
func (g *guide) fetch(c *Client) error {
	return c.OrdersSince(g.Context(), g.clock.Now(), func(portal.Listed) error { return nil })
}

func TestAHashIsGoodForTwentyMinutes(t *testing.T) {
	t.Parallel()
	g := start(t, "tl")
	g.says("orders", ok(noOrders))
	c := g.client("")
	for _, pass := range []time.Duration{0, 10 * time.Minute, 8*time.Minute + 59*time.Second, time.Second} { // using it does not make it last
		g.clock.Pass(pass)
		if err := g.fetch(c); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{loginURL, firstDay, firstDay, firstDay, loginURL, again}, g.made()); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(g.store.text, apiKey) {
		t.Errorf("the key is stored in %s", g.store.text)
	}
}

func TestProcessesShareAHash(t *testing.T) {
	t.Parallel()
	g := start(t, "tl")
	g.says("orders", ok(noOrders))
	clients := []*Client{g.client(""), g.client("")}
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			if err := g.fetch(clients[i%2]); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if g.logins != 1 || len(g.made()) != 21 {
		t.Errorf("%d logins", g.logins)
	}
}

// TestAFailedCallLogsInOnce: what is answered to a hash that is no longer good is
// documented nowhere.
func TestAFailedCallLogsInOnce(t *testing.T) {
	t.Parallel()
	busy := http.Header{"Retry-After": {"7"}}
	for name, tt := range map[string]struct {
		answers []answer
		want    portal.Outcome
		calls   []string
	}{
		"failed, then good": {[]answer{ok(failed), ok(noOrders)}, portal.OutcomeDone, []string{loginURL, firstDay, loginURL, again}},
		"400, then good":    {[]answer{{status: 400, body: failed}, ok(noOrders)}, portal.OutcomeDone, []string{loginURL, firstDay, loginURL, again}},
		"401, then good":    {[]answer{{status: 401}, ok(noOrders)}, portal.OutcomeDone, []string{loginURL, firstDay, loginURL, again}},
		"500, then good":    {[]answer{{status: 500}, ok(noOrders)}, portal.OutcomeDone, []string{loginURL, firstDay, loginURL, again}},
		"failed twice":      {[]answer{ok(failed)}, portal.OutcomeRefused, []string{loginURL, firstDay, loginURL, again}},
		"404 twice":         {[]answer{{status: 404}}, portal.OutcomeRefused, []string{loginURL, firstDay, loginURL, again}},
		"403 twice":         {[]answer{{status: 403}}, portal.OutcomeCredential, []string{loginURL, firstDay, loginURL, again}},
		"busy":              {[]answer{{status: 503, header: busy}}, portal.OutcomeBusy, []string{loginURL, firstDay}},
		"too many":          {[]answer{{status: 429, header: busy}}, portal.OutcomeBusy, []string{loginURL, firstDay}},
		"a page":            {[]answer{ok("<html><body>Logga in</body></html>")}, portal.OutcomeUnknown, []string{loginURL, firstDay}},
		"no answer":         {[]answer{{}}, portal.OutcomeUnknown, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, "tl")
			g.says("orders", tt.answers...)
			err := g.fetch(g.client(""))
			if got := outcome(err); got != tt.want {
				t.Errorf("outcome %s: %v", got, err)
			}
			if diff := cmp.Diff(tt.calls, g.made()); tt.calls != nil && diff != "" {
				t.Error(diff)
			}
			if err == nil {
				return
			}
			for _, secret := range []string{apiKey, "H1", "H2", "751011", "date="} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("%s is in %v", secret, err)
				}
			}
			if tt.want == portal.OutcomeBusy && door.Classify(err).RetryAfter != 7*time.Second {
				t.Errorf("%v: wait %s", err, door.Classify(err).RetryAfter)
			}
		})
	}
}

func TestLoginThatFails(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer answer
		want   portal.Outcome
	}{
		"failed":   {ok("<api_login><response><message>Wrong key</message></response><status>failed</status></api_login>"), portal.OutcomeCredential},
		"400":      {answer{status: 400}, portal.OutcomeCredential},
		"401":      {answer{status: 401}, portal.OutcomeCredential},
		"404":      {answer{status: 404}, portal.OutcomeCredential},
		"429":      {answer{status: 429}, portal.OutcomeBusy},
		"500":      {answer{status: 500}, portal.OutcomeFailed},
		"503":      {answer{status: 503}, portal.OutcomeBusy},
		"no hash":  {ok("<api_login><response/><status>success</status></api_login>"), portal.OutcomeFailed},
		"page":     {ok("<!DOCTYPE html><html/>"), portal.OutcomeFailed},
		"no reply": {answer{}, portal.OutcomeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, "tl")
			g.says("api_login", tt.answer)
			err := g.fetch(g.client(""))
			if got := outcome(err); got != tt.want || errors.Is(err, portal.ErrCredential) != (tt.want == portal.OutcomeCredential) {
				t.Errorf("outcome %s: %v", got, err)
			}
			if strings.Contains(err.Error(), apiKey) {
				t.Errorf("the key is in %v", err)
			}
		})
	}
}

func TestANetworkDoesNotLogIn(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]portal.Outcome{401: portal.OutcomeCredential, 403: portal.OutcomeCredential, 400: portal.OutcomeRefused, 500: portal.OutcomeUnknown} {
		g := start(t, "ko")
		g.says("orders", answer{status: status})
		if err := g.fetch(g.client("")); outcome(err) != want || errors.Is(err, portal.ErrCredential) != (want == portal.OutcomeCredential) {
			t.Errorf("%d: %v", status, err)
		}
		if diff := cmp.Diff([]string{"orders&date=2026-11-24&api_user=1234"}, g.made()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	g := start(t, "tl")
	const network = `"on_api":[{"prefix":"KC","base_url":"https://onapi.example","username":"u","password":"p"}],`
	for name, change := range map[string]func(*portal.Connection, *Options){
		"no store":              func(_ *portal.Connection, o *Options) { o.Tokens = nil },
		"no credential":         func(c *portal.Connection, _ *Options) { c.Credentials = nil },
		"no network credential": func(c *portal.Connection, _ *Options) { c.Credentials = c.Credentials[:1] },
		"settings":              func(c *portal.Connection, _ *Options) { c.Settings = []byte("x") },
		"time zone":             func(c *portal.Connection, _ *Options) { c.Settings = []byte(`{"time_zone":"Mars"}`) },
	} {
		c, o := g.connection(network), Options{Tokens: g.store}
		if _, err := New(c, o); err != nil {
			t.Fatal(err)
		}
		if change(&c, &o); func() error { _, err := New(c, o); return err }() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
