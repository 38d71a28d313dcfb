package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/db"
	"portico/internal/partner/vitec"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

// fakeClient answers every call with err and counts them.
type fakeClient struct {
	mu    sync.Mutex
	err   error
	calls int
	hook  func() // during a call
}

func (c *fakeClient) call() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if c.hook != nil {
		c.hook()
	}
	return c.err
}

func (c *fakeClient) Office(q url.Values) string { return q.Get("office") }

func (c *fakeClient) Ticket(context.Context, url.Values) (portal.Ticket, error) {
	return portal.Ticket{OrderID: "1"}, c.call()
}

func (c *fakeClient) Plain(url.Values) (portal.Ticket, error) {
	return portal.Ticket{OrderID: "1"}, nil
}

func (c *fakeClient) Report(context.Context, portal.Message) (portal.Receipt, error) {
	return portal.Receipt{}, c.call()
}

func (c *fakeClient) Addresses() []string { return nil }

func (c *fakeClient) Preview(m portal.Message) (string, bool) { return "PUT " + string(m.State), true }

// world is partners on a real store, with a client that is no partner's.
type world struct {
	t        *testing.T
	env      vars
	store    *db.Store
	partners *partners
	client   *fakeClient
	opened   int // clients
	log      *bytes.Buffer
	now      time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, env: with(newEnv(t), "VITEC_PASSWORD", "pw"), client: &fakeClient{}, log: &bytes.Buffer{},
		now: time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	w.apply("pw")
	w.store = open(t, w.env)
	w.store.Now = func() time.Time { return w.now }
	w.partners = newPartners(w.store, slog.New(slog.NewTextHandler(w.log, nil)))
	w.partners.open = func(portal.Connection, *db.Store, *slog.Logger) (client, error) {
		w.opened++
		return w.client, nil
	}
	return w
}

// apply applies the file with a password of the connection's.
func (w *world) apply(password string) {
	w.t.Helper()
	if r := portico(w.t, with(w.env, "VITEC_PASSWORD", password), goodFile, "apply", "-"); r.code != 0 {
		w.t.Fatal(r.stderr)
	}
}

func (w *world) entry() *partner {
	w.t.Helper()
	p, err := w.partners.Entry(context.Background(), "vitec")
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) ticket() error {
	_, err := w.entry().Ticket(context.Background(), url.Values{"office": {"M1"}})
	return err
}

func (w *world) report() error {
	_, err := w.entry().Report(context.Background(), portal.Message{ConnectionID: "vitec", Customer: "M2"})
	return err
}

func (w *world) alarms() int {
	w.t.Helper()
	alarms, err := w.store.RefusedCredentials(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return len(alarms)
}

// checkCalls checks how many calls the partner has had.
func (w *world) checkCalls(want int) {
	w.t.Helper()
	if w.client.calls != want {
		w.t.Errorf("%d calls, want %d", w.client.calls, want)
	}
}

var refusedCredential = &portal.ReportError{Outcome: portal.OutcomeCredential, Status: 401, Err: portal.ErrCredential}

func TestRefusedCredentialStopsEveryCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client.err = refusedCredential
	if err := w.ticket(); !errors.Is(err, portal.ErrCredential) {
		t.Errorf("the call itself: %v", err)
	}
	w.checkCalls(1)
	if n := w.alarms(); n != 1 {
		t.Errorf("%d alarms, want 1", n)
	}

	w.now = w.now.Add(refusedFor - time.Second)
	err := w.ticket()
	var e *portal.Error
	if !errors.As(err, &e) || e.Kind != portal.Unavailable || e.Say.Key != "callback.credential" || !errors.Is(err, portal.ErrCredential) {
		t.Errorf("a blocked ticket: %v, want Unavailable that says why", err)
	}
	err = w.report()
	var report *portal.ReportError
	if !errors.As(err, &report) || report.Outcome != portal.OutcomeCredential || report.RetryAfter != time.Second {
		t.Errorf("a blocked report: %v, want credential, again in a second", err)
	}
	w.checkCalls(1)
	if n := strings.Count(w.log.String(), "level=ERROR"); n != 1 {
		t.Errorf("%d errors logged, want 1:\n%s", n, w.log)
	}
}

func TestReportRefusedByThePartner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client.err = refusedCredential
	if err := w.report(); portal.OutcomeOf(err) != portal.OutcomeCredential {
		t.Errorf("outcome of %v, want credential", err)
	}
	if n := w.alarms(); n != 1 {
		t.Errorf("%d alarms, want 1", n)
	}
}

func TestProbeOfARefusedCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client.err = refusedCredential
	_ = w.ticket()

	w.now = w.now.Add(refusedFor)
	if err := w.ticket(); !errors.Is(err, portal.ErrCredential) {
		t.Errorf("the probe: %v", err)
	}
	w.checkCalls(2)
	w.now = w.now.Add(refusedFor - time.Second)
	_ = w.ticket()
	w.checkCalls(2)

	w.now = w.now.Add(time.Second)
	w.client.err = &portal.Error{Kind: portal.Unavailable, Say: portal.Say("callback.unavailable")}
	_ = w.ticket() // says nothing about the credential
	if n := w.alarms(); n != 1 {
		t.Errorf("%d alarms after a probe that did not answer, want 1", n)
	}
	_ = w.ticket()
	w.checkCalls(3)

	w.now = w.now.Add(refusedFor)
	w.client.err = nil
	if err := w.report(); err != nil {
		t.Errorf("the probe: %v", err)
	}
	if n := w.alarms(); n != 0 {
		t.Errorf("%d alarms after a success, want none", n)
	}
	if err := w.ticket(); err != nil {
		t.Errorf("after a success: %v", err)
	}
	w.checkCalls(5)
}

func TestOneOfManyProbes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client.err = refusedCredential
	_ = w.ticket()
	w.now = w.now.Add(refusedFor)
	entry := w.entry()
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := entry.Ticket(context.Background(), url.Values{"office": {"M1"}}); !errors.Is(err, portal.ErrCredential) {
				t.Errorf("%v, want that the credential is refused", err)
			}
		})
	}
	wg.Wait()
	w.checkCalls(2)
}

func TestOtherErrorsLeaveTheCredentialAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, err := range []error{nil, errors.New("garbage"), &portal.ReportError{Outcome: portal.OutcomeRefused, Status: 400, Err: errors.New("no")},
		portal.Errorf(portal.Forbidden, "callback.invalid")} {
		w.client.err = err
		if got := w.ticket(); !errors.Is(got, err) {
			t.Errorf("ticket: %v, want %v", got, err)
		}
		if got := w.report(); !errors.Is(got, err) {
			t.Errorf("report: %v, want %v", got, err)
		}
	}
	w.checkCalls(8)
	if n := w.alarms(); n != 0 {
		t.Errorf("%d alarms, want none", n)
	}
}

func TestQueryWithoutOfficeSpendsNoProbe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client.err = refusedCredential
	_ = w.ticket()
	w.now = w.now.Add(refusedFor)
	w.client.err = portal.Errorf(portal.Forbidden, "callback.invalid")
	if _, err := w.entry().Ticket(context.Background(), nil); portal.KindOf(err) != portal.Forbidden {
		t.Errorf("%v, want the client's own refusal", err)
	}
	w.client.err = nil
	if err := w.ticket(); err != nil {
		t.Errorf("the probe was gone: %v", err)
	}
}

func TestClosedPageDoesNotHideARefusal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithCancel(context.Background())
	w.client.err, w.client.hook = refusedCredential, cancel
	_, _ = w.entry().Ticket(ctx, url.Values{"office": {"M1"}})
	if n := w.alarms(); n != 1 {
		t.Errorf("%d alarms, want 1", n)
	}
}

func TestApplyGivesANewClient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.entry()
	if again := w.entry(); again != first || w.opened != 1 {
		t.Errorf("%d clients for an unchanged connection, want 1", w.opened)
	}
	w.client.err = refusedCredential
	_ = w.ticket()
	w.apply("corrected")
	w.client.err = nil
	// Who reports sees a change at once, who comes in after a moment at the most.
	changed, err := w.partners.Reporter(t.Context(), "vitec")
	if err != nil || changed == first {
		t.Fatalf("after a change: the same client, %v", err)
	}
	if w.entry() != changed {
		t.Error("the older client came back")
	}
	if err := w.ticket(); err != nil {
		t.Errorf("with the corrected credential: %v", err)
	}
	if w.opened != 2 {
		t.Errorf("%d clients after a change, want 2", w.opened)
	}
	w.apply("corrected")
	if w.entry(); w.opened != 2 {
		t.Errorf("%d clients after applying the same again, want 2", w.opened)
	}
}

func TestRefusalOfAReplacedCredentialIsIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client.err, w.client.hook = refusedCredential, func() { w.apply("corrected") }
	if err := w.ticket(); !errors.Is(err, portal.ErrCredential) {
		t.Errorf("the call itself: %v", err)
	}
	if n := w.alarms(); n != 0 {
		t.Errorf("%d alarms, want none: the credential that was refused is gone", n)
	}
}

func TestUnknownConnectionAndSystem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.partners.Reporter(context.Background(), "nobody"); portal.KindOf(err) != portal.NotFound {
		t.Errorf("unknown connection: %v, want NotFound", err)
	}
	if _, err := newClient(portal.Connection{ID: "c", System: "fax"}, nil, nil); err == nil || !strings.Contains(err.Error(), `"fax"`) {
		t.Errorf("unknown system: %v, want an error that names it", err)
	}
}

func TestPreviewCallsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text, sent, err := w.partners.Preview(context.Background(), portal.Message{ConnectionID: "vitec", State: portal.Delivered})
	if text != "PUT delivered" || !sent || err != nil {
		t.Errorf("Preview = %q, %v, %v", text, sent, err)
	}
	w.checkCalls(0)
	if _, _, err := w.partners.Preview(context.Background(), portal.Message{ConnectionID: "x"}); portal.KindOf(err) != portal.NotFound {
		t.Errorf("unknown connection: %v, want NotFound", err)
	}
}

// With the real client and a partner that knows another password.
func TestVitecRefusesOurCredential(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store := open(t, newEnv(t))
	fake := vitectest.Start(t, vitectest.Options{})
	connection, faults := vitec.Configure(fake.Connection("vitec", fake.URL))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	apply := func() {
		t.Helper()
		setup := portal.Setup{Provider: portal.Provider{Locale: "sv"}, Connections: []portal.Connection{connection}}
		if _, err := store.Apply(ctx, setup); err != nil {
			t.Fatal(err)
		}
	}
	right := connection.Credentials
	connection.Credentials = []portal.Credential{{Customer: portal.AnyCustomer, Username: "x", Password: "x"}}
	apply()
	partners := newPartners(store, slog.New(slog.DiscardHandler))
	address, err := url.Parse(fake.Open("M30011", "", "", "http://portal.example/callback/foto"))
	if err != nil {
		t.Fatal(err)
	}
	ticket := func() error {
		entry, err := partners.Entry(ctx, "vitec")
		if err != nil {
			t.Fatal(err)
		}
		_, err = entry.Ticket(ctx, address.Query())
		return err
	}
	for range 3 {
		if err := ticket(); !errors.Is(err, portal.ErrCredential) {
			t.Errorf("%v, want that our credential is refused", err)
		}
	}
	if n := fake.Count(vitectest.OpToken); n != 1 {
		t.Errorf("%d calls with a wrong credential, want 1", n)
	}
	alarms, err := store.RefusedCredentials(ctx)
	if err != nil || len(alarms) != 1 || alarms[0].Status != 401 {
		t.Errorf("alarms %+v, %v; want one, for the status 401", alarms, err)
	}
	connection.Credentials = right
	apply()
	if err := ticket(); err != nil {
		t.Errorf("with the right credential: %v", err)
	}
}
