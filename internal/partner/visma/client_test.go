package visma

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/internal/partner/door"
	"portico/internal/partner/door/doortest"
	"portico/internal/partner/visma/vismatest"
	"portico/internal/portal"
	"portico/internal/worldtest"
)

const customer = "14"

func newClock() *worldtest.Clock {
	return worldtest.NewClock(time.Date(2026, 11, 24, 9, 12, 0, 0, time.UTC))
}

// bundle is a client, the Core that it speaks to and one order there.
type bundle struct {
	*testing.T
	client *Client
	fake   *vismatest.Server
	store  *memory
	order  vismatest.Order
	clock  *worldtest.Clock
	waits  time.Duration // for an answer
}

// setup starts a Core; more is added to the connection.
func setup(t *testing.T, more string, o vismatest.Options) *bundle {
	t.Helper()
	b := &bundle{T: t, store: newMemory(), clock: newClock(), waits: 10 * time.Second}
	o.Now, b.store.now = b.clock.Now, b.clock.Now
	b.fake = vismatest.Start(t, o)
	b.order = b.fake.NewOrder(vismatest.Order{Tenant: customer})
	b.client = b.open(more)
	return b
}

// open returns another client of the same connection, as another process has one.
func (b *bundle) open(more string) *Client {
	b.Helper()
	raw := b.fake.Connection("core", b.fake.URL)
	raw = json.RawMessage(`{"rate":{"concurrent":64,"per_second":1000},` + more + string(raw[1:]))
	return newClient(b.T, raw, Options{Options: door.Options{Now: b.clock.Now, Timeout: b.waits}, Tokens: b.store, Issued: b.store})
}

// hurry lets the client wait for an answer for a moment only, with a token that
// it has by then.
func (b *bundle) hurry() {
	b.Helper()
	if _, err := b.client.tenants[customer].bearers.Token(b.Context(), ""); err != nil {
		b.Fatal(err)
	}
	b.waits = 300 * time.Millisecond
	b.client = b.open("")
}

func newClient(t *testing.T, raw json.RawMessage, o Options) *Client {
	t.Helper()
	conn, faults := Configure(raw)
	if len(faults) > 0 {
		t.Fatalf("Configure: %v", faults)
	}
	c, err := New(conn, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve returns a client of a server that answers as f does, and gives any
// client a token.
func serve(t *testing.T, f http.HandlerFunc) *Client {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /flow/authtoken", doortest.Answer(200, "application/json", `{"access_token":"bearer-1","expires_in":1200}`))
	mux.Handle("/", f)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	raw := json.RawMessage(`{"id":"core","system":"visma","tenants":[{"id":"14","base_url":"` + s.URL +
		`","client_id":"us","client_secret":"hemmelig/og+lang"}]}`)
	return newClient(t, raw, Options{Tokens: newMemory()})
}

// query is what Core opens for an order.
func (b *bundle) query(o vismatest.Order, token string) url.Values {
	return url.Values{"caseId": {strconv.Itoa(o.Case)}, "token": {token}, "StreamOrderId": {o.GUID}, "tenantId": {o.Tenant},
		"flowUrl": {b.fake.Base(b.fake.URL, o.Tenant) + "/flow/"}, "customerName": {"Fjordlys"}}
}

func (b *bundle) wantCalls(op doortest.Op, want int) {
	b.Helper()
	if got := b.fake.Count(op); got != want {
		b.Errorf("%d calls of %q, want %d", got, op, want)
	}
}

func (c *Client) report(ctx context.Context, m portal.Message) error {
	_, err := c.Report(ctx, m)
	return err
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good, faults := Configure(json.RawMessage(`{` + minimal + `}`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	oauth, faults := Configure(json.RawMessage(`{` + minimal + `, "auth_type": "oauth", "callback": {"client_id": "a", "client_secret": "0123456789abcdef"}}`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	bad, open := good, good
	bad.Settings, open.Credentials = []byte(`{`), nil
	for name, tt := range map[string]struct {
		conn portal.Connection
		o    Options
	}{
		"broken settings":                   {bad, Options{Tokens: newMemory()}},
		"no credential":                     {open, Options{Tokens: newMemory()}},
		"no store":                          {good, Options{}},
		"nowhere to keep what it gives out": {oauth, Options{Tokens: newMemory()}},
	} {
		if _, err := New(tt.conn, tt.o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	if err := b.client.Check(t.Context(), customer); err != nil {
		t.Error(err)
	}
	if err := b.client.Check(t.Context(), "99"); !errors.Is(err, portal.ErrCredential) {
		t.Errorf("an unknown tenant: %v", err)
	}
	b.client.tenants[customer].cred.Password = "wrong"
	if err := b.client.Check(t.Context(), customer); portal.OutcomeOf(err) != portal.OutcomeCredential || !errors.Is(err, portal.ErrCredential) {
		t.Errorf("a wrong secret: %v", err)
	}
}

// TestPermissionsAreShownInCoresWords: staff read what is missing.
func TestPermissionsAreShownInCoresWords(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	b.fake.SetPermissions(customer, vismatest.PermissionCases)
	for name, err := range map[string]error{
		"report": b.client.report(t.Context(), b.message(portal.Received, "")),
		"ticket": func() error {
			_, err := b.client.Ticket(t.Context(), b.query(b.order, b.fake.Token(b.order.GUID)))
			return err
		}(),
		"file": b.client.Deliver(t.Context(), b.message(portal.Delivered, ""), picture("a.jpg")),
	} {
		var report *portal.ReportError
		if !errors.As(err, &report) || report.Outcome != portal.OutcomeCredential || report.Status != 403 || !errors.Is(err, portal.ErrCredential) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, text := range []string{report.Answer, report.Err.Error()} {
			if !strings.Contains(text, "Missing permissions: Marketing Integrator - ") && !strings.Contains(text, "Missing permissions: Files - Write") {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
	b.wantCalls(vismatest.OpToken, 1) // a new token would have the same permissions
}

func TestThrottleModeIsObeyed(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	b.fake.SetThrottle(3, time.Minute)
	for range 3 { // a token, and two of these
		if err := b.client.report(t.Context(), b.shown(portal.Received)); err != nil && portal.OutcomeOf(err) != portal.OutcomeBusy {
			t.Fatal(err)
		}
		b.clock.Pass(unsurePause) // said to be delayed
	}
	before := b.fake.Count(doortest.OpAny)
	var report *portal.ReportError
	if err := b.client.report(t.Context(), b.shown(portal.Received)); !errors.As(err, &report) || report.Outcome != portal.OutcomeBusy ||
		report.RetryAfter < 40*time.Second || report.RetryAfter > time.Minute {
		t.Errorf("%+v", report)
	}
	if _, err := b.client.Ticket(t.Context(), b.query(b.order, "abc")); portal.KindOf(err) != portal.Unavailable {
		t.Errorf("ticket: %v", err)
	}
	b.wantCalls(doortest.OpAny, before) // nothing is sent before Core wants it
	b.clock.Pass(time.Minute)
	if err := b.client.report(t.Context(), b.shown(portal.Received)); err != nil {
		t.Error(err)
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	clock := newClock()
	tooMany := func(after time.Duration) error { return &door.Error{Status: 429, RetryAfter: after, Sent: true} }
	delayed := func(ms string) door.Answer {
		return door.Answer{Status: 200, Header: http.Header{"X-Ratelimit-Delayed-By-Milliseconds": {ms}}}
	}
	for name, tt := range map[string]struct {
		answer door.Answer
		err    error
		want   time.Duration
	}{
		"good":              {answer: delayed("")},
		"delayed":           {answer: delayed("40"), want: 40 * time.Millisecond},
		"delayed for ages":  {answer: delayed("9999999"), want: unsurePause},
		"delayed, they say": {answer: delayed("soon")},
		"429":               {err: tooMany(90 * time.Second), want: 90 * time.Second},
		"429, unsure":       {err: tooMany(0), want: unsurePause},
		"503":               {err: &door.Error{Status: 503, RetryAfter: time.Minute}},
		"not sent":          {err: errors.New("no route")},
	} {
		p := pause{now: clock.Now}
		p.observe(tt.answer, tt.err)
		if got := max(0, p.until.Sub(clock.Now())); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
		p.observe(delayed("1"), nil)
		if got := p.until.Sub(clock.Now()); got < tt.want {
			t.Errorf("%s: cut short to %s", name, got)
		}
	}
}

func TestSecretsAreStruckOut(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		body := make([]byte, 200)
		n, _ := r.Body.Read(body)
		w.Write([]byte(r.Header.Get("Authorization") + " " + string(body[:n]) + " hemmelig/og+lang"))
	})
	_, err := c.Ticket(t.Context(), url.Values{"token": {"flow-token/1"}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, secret := range []string{"bearer-1", "flow-token", "hemmelig"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s is in %v", secret, err)
		}
	}
	if !strings.Contains(err.Error(), "Bearer ***") {
		t.Errorf("the answer is not in %v", err)
	}
}

// serveTokens serves the address at which Core fetches tokens of ours.
func serveTokens(t *testing.T, c *Client) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		status, raw, err := c.Authorize(r.Context(), r.Header, body)
		if err != nil {
			t.Error(err)
		}
		doortest.Answer(status, "application/json", string(raw))(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}
