package main

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"gocloud.dev/blob/memblob"

	"portico/db"
	"portico/db/dbtest"
	"portico/internal/keyring"
	"portico/internal/partner/vitec"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/password"
	"portico/internal/portal"
	"portico/internal/worker"
	"portico/internal/worldtest"
)

// entrance is the program as serve wires it, without a listener of its own: web,
// partners with their breaker and worker, Vitec's fake, a clock that stands still.
type entrance struct {
	t      *testing.T
	store  *db.Store
	fake   *vitectest.Server
	web    *httptest.Server
	runner *worker.Runner
	clock  *worldtest.Clock

	visitors int
}

const entranceEmail, entrancePassword = "erik@nordljus.example", "en lång lösenfras"

func newEntrance(t *testing.T) *entrance {
	t.Helper()
	ctx, e := t.Context(), &entrance{t: t, clock: worldtest.NewClock(time.Date(2026, 11, 24, 9, 12, 0, 0, time.UTC))}
	ring, err := keyring.Parse(keyring.New())
	e.check(err)
	e.store, err = db.Open(ctx, dbtest.New(t), ring)
	e.check(err)
	t.Cleanup(func() { _ = e.store.Close() })
	e.store.Now = e.clock.Now
	e.fake = vitectest.Start(t, vitectest.Options{Now: e.clock.Now})
	raw := strings.Replace(string(e.fake.Connection("vitec", e.fake.URL)), "{", `{"rate":{"concurrent":64,"per_second":1000},`, 1)
	connection, faults := vitec.Configure([]byte(raw))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	_, err = e.store.Apply(ctx, portal.Setup{
		Provider:    portal.Provider{Name: "Nordljus", Locale: "sv", TimeZone: "Europe/Stockholm", Currency: "SEK"},
		Connections: []portal.Connection{connection},
		Services: []portal.Service{{ID: "skylt", ConnectionID: "vitec", Flow: portal.FlowPage, Auth: portal.AuthToken,
			Name: portal.Text{"sv": "Skylt på plats"}}}})
	e.check(err)
	hash, err := password.Hash(ctx, entrancePassword)
	e.check(err)
	_, err = e.store.AddStaff(ctx, portal.Staff{Email: entranceEmail, Name: "Erik Berg", Role: portal.RoleFulfiller, PasswordHash: hash})
	e.check(err)

	bucket, log := memblob.OpenBucket(nil), slog.New(slog.DiscardHandler)
	t.Cleanup(func() { _ = bucket.Close() })
	partners := newPartners(e.store, log)
	e.web = httptest.NewUnstartedServer(nil)
	c := config{BaseURL: "http://" + e.web.Listener.Addr().String(), Keys: ring}
	e.web.Config.Handler, err = newServer(c, e.store, partners, bucket, log)
	e.check(err)
	e.web.Start()
	t.Cleanup(e.web.Close)
	e.runner = &worker.Runner{Store: e.store, Reporters: workPartners{partners}, Links: links{e.store, c.BaseURL}, Log: log,
		Now: e.clock.Now, Rand: func() float64 { return 0 }}
	return e
}

func (e *entrance) check(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// order makes an order at the partner and returns its id and the address that
// opens it.
func (e *entrance) order() (id, address string) {
	o := e.fake.NewOrder(vitectest.Order{Office: "M30011", CallbackURL: e.web.URL + "/callback/skylt"})
	return o.ID, e.fake.Reopen(o.ID)
}

// visitor is a browser from an address of its own; it may be used in any goroutine.
type visitor func(address string, form url.Values) (status int, location, body string)

func (e *entrance) visitor() visitor {
	jar, err := cookiejar.New(nil)
	e.check(err)
	e.visitors++
	from := fmt.Sprintf("2001:db8::%x", e.visitors)
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return func(address string, form url.Values) (int, string, string) {
		method := http.MethodGet
		if form != nil {
			method = http.MethodPost
		}
		if strings.HasPrefix(address, "/") {
			address = e.web.URL + address
		}
		req, err := http.NewRequestWithContext(e.t.Context(), method, address, strings.NewReader(form.Encode()))
		if err != nil {
			return 0, "", err.Error()
		}
		req.Header.Set("X-Forwarded-For", from)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := client.Do(req)
		if err != nil {
			return 0, "", err.Error()
		}
		defer func() { _ = res.Body.Close() }()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return 0, "", err.Error()
		}
		return res.StatusCode, res.Header.Get("Location"), string(body)
	}
}

// opens checks what a visit to an address is answered, and returns where it leads.
func (e *entrance) opens(v visitor, address string, want int) string {
	e.t.Helper()
	status, location, body := v(address, nil)
	if status != want {
		e.t.Fatalf("status %d, want %d:\n%s", status, want, body)
	}
	return location
}

// alarms returns what the queue's alarms say.
func (e *entrance) alarms(staff visitor) string {
	e.t.Helper()
	status, _, body := staff("/staff/orders", nil)
	if status != http.StatusOK {
		e.t.Fatalf("the queue: status %d", status)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
	e.check(err)
	return doc.Find("[data-testid=alarms]").Text()
}

func (e *entrance) wantCalls(exchanges, reports int) {
	e.t.Helper()
	if n := e.fake.Count(vitectest.OpToken); n != exchanges {
		e.t.Errorf("%d exchanges, want %d", n, exchanges)
	}
	if n := e.fake.Count(vitectest.OpStatus); n != reports {
		e.t.Errorf("%d reports, want %d", n, reports)
	}
}

// crowd lets twenty strangers open orders at once, and counts the answers.
func (e *entrance) crowd() map[int]int {
	statuses, addresses, visitors := make([]int, 20), make([]string, 20), make([]visitor, 20)
	for i := range statuses {
		_, addresses[i] = e.order()
		visitors[i] = e.visitor()
	}
	var group sync.WaitGroup
	for i := range statuses {
		group.Go(func() { statuses[i], _, _ = visitors[i](addresses[i], nil) })
	}
	group.Wait()
	counts := map[int]int{}
	for _, status := range statuses {
		counts[status]++
	}
	return counts
}

func (e *entrance) drain() {
	e.t.Helper()
	for {
		n, err := e.runner.RunOnce(e.t.Context())
		e.check(err)
		if n == 0 {
			return
		}
	}
}

// logIn returns a browser that a member of staff is signed in with.
func (e *entrance) logIn() visitor {
	e.t.Helper()
	v := e.visitor()
	if status, _, body := v("/staff/login", url.Values{"email": {entranceEmail}, "password": {entrancePassword}}); status != http.StatusSeeOther {
		e.t.Fatalf("log-in: status %d:\n%s", status, body)
	}
	return v
}

// wantCrowd lets a crowd in and checks that each is answered alike.
func (e *entrance) wantCrowd(status int) {
	e.t.Helper()
	if counts := e.crowd(); counts[status] != 20 {
		e.t.Errorf("answers: %v, want %d", counts, status)
	}
}

// TestCallbackBreaker: a credential that the partner refuses is not hammered on,
// staff see it, who is in stays in, and one try tells that it is good again.
func TestCallbackBreaker(t *testing.T) {
	t.Parallel()
	e := newEntrance(t)
	staff, broker := e.logIn(), e.visitor()
	id, address := e.order()
	page := e.opens(broker, address, http.StatusSeeOther)
	if got := e.alarms(staff); got != "" {
		t.Fatalf("alarms: %q", got)
	}

	e.fake.SetFault(vitectest.OpAny, vitectest.Fault{Kind: vitectest.FaultUnauthorized})
	_, refused := e.order()
	if _, _, body := e.visitor()(refused, nil); !strings.Contains(body, "Vi når inte Vitec Express just nu") || strings.Contains(body, "OBJ30011") {
		t.Errorf("the broker is told:\n%s", body)
	}
	e.wantCrowd(http.StatusServiceUnavailable)
	e.opens(broker, e.fake.Reopen(id), http.StatusServiceUnavailable)
	e.opens(broker, page, http.StatusOK)
	e.drain() // the same credential carries reports
	e.wantCalls(2, 0)
	if got := e.alarms(staff); !strings.Contains(got, "Vitec Express godtar inte vår inloggning") || !strings.Contains(got, "401") {
		t.Errorf("alarms: %q", got)
	}

	e.clock.Pass(5*time.Minute - time.Second)
	e.opens(e.visitor(), refused, http.StatusServiceUnavailable)
	e.wantCalls(2, 0)
	e.clock.Pass(time.Second)
	e.wantCrowd(http.StatusServiceUnavailable)
	e.wantCalls(3, 0)

	e.fake.ClearFaults()
	e.opens(e.visitor(), refused, http.StatusServiceUnavailable)
	e.wantCalls(3, 0)
	e.clock.Pass(5 * time.Minute)
	e.opens(e.visitor(), refused, http.StatusSeeOther)
	e.wantCrowd(http.StatusSeeOther)
	if got := e.alarms(staff); got != "" {
		t.Errorf("alarms: %q", got)
	}
	e.drain()
	if got := e.fake.Statuses(id); len(got) != 1 || got[0] != "OrderReceived" {
		t.Errorf("told meanwhile and after: %v", got)
	}
}

// TestCallbackForbiddenIsTheLinks: a 403 at the exchange says that the token is
// not for us, and nothing about our credential.
func TestCallbackForbiddenIsTheLinks(t *testing.T) {
	t.Parallel()
	e := newEntrance(t)
	for _, fault := range []vitectest.FaultKind{vitectest.FaultForbidden, vitectest.FaultBadRequest, vitectest.FaultServerError, vitectest.FaultTooMany} {
		_, address := e.order()
		e.fake.SetFault(vitectest.OpToken, vitectest.Fault{Kind: fault, Times: 1})
		if status, _, _ := e.visitor()(address, nil); status != http.StatusForbidden && status != http.StatusServiceUnavailable {
			t.Errorf("%s: status %d", fault, status)
		}
		e.opens(e.visitor(), address, http.StatusSeeOther)
	}
	alarms, err := e.store.RefusedCredentials(t.Context())
	e.check(err)
	if len(alarms) > 0 {
		t.Errorf("alarms: %+v", alarms)
	}
}
