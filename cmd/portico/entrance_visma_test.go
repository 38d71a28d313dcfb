package main

import (
	"database/sql"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"portico/db"
	"portico/db/dbtest"
	"portico/internal/keyring"
	"portico/internal/partner/door"
	"portico/internal/partner/door/doortest"
	"portico/internal/partner/visma"
	"portico/internal/partner/visma/vismatest"
	"portico/internal/password"
	"portico/internal/portal"
	"portico/internal/worker"
	"portico/internal/worldtest"
	"portico/views"
)

// coreEntrance is the entrance to Visma Core: two tenants, and one service
// without a form.
type coreEntrance struct {
	*entrance
	fake     *vismatest.Server
	partners *partners
	ring     *keyring.Ring
	database string
	log      *worldtest.Log
	service  vismatest.Service // as Core has it
}

// newCoreEntrance starts everything; more is added to the connection.
func newCoreEntrance(t *testing.T, more string, o vismatest.Options) *coreEntrance {
	t.Helper()
	e := &entrance{t: t, clock: worldtest.NewClock(time.Date(2026, 11, 24, 9, 12, 0, 0, time.UTC))}
	c := &coreEntrance{entrance: e, database: dbtest.New(t), log: &worldtest.Log{}}
	ring, err := keyring.Parse(keyring.New())
	c.check(err)
	c.ring = ring
	c.store = c.open()
	o.Now = c.clock.Now
	c.fake = vismatest.Start(t, o)
	c.apply(more)

	bucket, log := memblob.OpenBucket(nil), slog.New(slog.NewTextHandler(c.log, nil))
	t.Cleanup(func() { _ = bucket.Close() })
	c.partners = newPartners(c.store, log)
	c.web = httptest.NewUnstartedServer(nil)
	conf := config{BaseURL: "http://" + c.web.Listener.Addr().String(), Keys: ring}
	c.web.Config.Handler, err = newServer(conf, c.store, c.partners, bucket, log)
	c.check(err)
	c.web.Start()
	t.Cleanup(c.web.Close)
	c.runner = &worker.Runner{Store: c.store, Reporters: workPartners{c.partners}, Links: links{c.store, conf.BaseURL}, Log: log,
		Now: c.clock.Now, Rand: func() float64 { return 0 }}
	c.service = vismatest.Service{ID: "boligfoto", URL: c.web.URL + "/callback/boligfoto"}
	return c
}

// open opens the database once more, as another process does.
func (c *coreEntrance) open() *db.Store {
	c.t.Helper()
	store, err := db.Open(c.t.Context(), c.database, c.ring)
	c.check(err)
	c.t.Cleanup(func() { _ = store.Close() })
	store.Now = c.clock.Now
	return store
}

// apply stores the connection, with more in it and with texts replaced.
func (c *coreEntrance) apply(more string, replace ...string) {
	c.t.Helper()
	c.clock.Pass(time.Second) // a connection that was changed is known by its time
	raw := strings.NewReplacer(replace...).Replace(string(c.fake.Connection("core", c.fake.URL)))
	connection, faults := visma.Configure([]byte(`{"rate":{"concurrent":64,"per_second":1000},` + more + raw[1:]))
	if len(faults) > 0 {
		c.t.Fatal(faults)
	}
	service := portal.Service{ID: "boligfoto", ConnectionID: "core", Flow: portal.FlowPage, Auth: portal.AuthToken,
		Name: portal.Text{"nb": "Boligfoto"}}
	_, err := c.store.Apply(c.t.Context(), portal.Setup{
		Provider:    portal.Provider{Name: "Nordljus", Locale: "nb", TimeZone: "Europe/Oslo", Currency: "NOK"},
		Connections: []portal.Connection{connection}, Services: []portal.Service{service}})
	c.check(err)
}

// patience makes new clients that wait so long for an answer; 0 is as long as
// the program's do.
func (c *coreEntrance) patience(d time.Duration) {
	c.partners.mu.Lock()
	defer c.partners.mu.Unlock()
	c.partners.open = func(conn portal.Connection, store *db.Store, log *slog.Logger) (client, error) {
		return visma.New(conn, visma.Options{Options: door.Options{Log: log, Now: store.Now, Timeout: d}, Tokens: store, Issued: store})
	}
	if d == 0 {
		c.partners.open = newClient
	}
	clear(c.partners.known)
}

// staff is a browser that a member of staff is signed in with.
func (c *coreEntrance) staff() (visitor, portal.Actor) {
	c.t.Helper()
	hash, err := password.Hash(c.t.Context(), entrancePassword)
	c.check(err)
	erik, err := c.store.AddStaff(c.t.Context(), portal.Staff{Email: entranceEmail, Name: "Erik Berg", Role: portal.RoleFulfiller, PasswordHash: hash})
	c.check(err)
	return c.logIn(), erik.Actor()
}

// order makes an order in Core and returns it and the address that opens it.
func (c *coreEntrance) order() (vismatest.Order, string) {
	c.t.Helper()
	o := c.fake.NewOrder(vismatest.Order{})
	return o, c.address(o)
}

// address is what Core opens for an order, with a fresh token.
func (c *coreEntrance) address(o vismatest.Order) string {
	c.t.Helper()
	address, err := c.fake.Open(c.t.Context(), c.fake.URL, o, 0, c.service, 10*time.Minute)
	c.check(err)
	return address
}

// expired is what Core has opened for an order too long ago.
func (c *coreEntrance) expired(o vismatest.Order) string {
	return instead(c.address(o), "token", c.fake.ExpiredToken(o.GUID))
}

// instead is an address with another value of a parameter, or without it.
func instead(address string, pairs ...string) string {
	base, query, _ := strings.Cut(address, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		panic(err) // an address of the fake's
	}
	for i := 0; i < len(pairs); i += 2 {
		if q.Set(pairs[i], pairs[i+1]); pairs[i+1] == "" {
			q.Del(pairs[i])
		}
	}
	return base + "?" + q.Encode()
}

// told checks how somebody is answered at an address, and returns the page.
func (c *coreEntrance) told(name string, v visitor, address string, status int, heading string) string {
	c.t.Helper()
	got, location, body := v(address, nil)
	if want := inNorwegian(heading); got != status || !strings.Contains(body, want) {
		c.t.Errorf("%s: status %d to %q, want %d and %q:\n%s", name, got, location, status, want, body)
	}
	return body
}

// returns checks that an address leads to the page.
func (c *coreEntrance) returns(name string, v visitor, address, page string) {
	c.t.Helper()
	if status, location, body := v(address, nil); status != http.StatusSeeOther || location != page {
		c.t.Errorf("%s: status %d to %q, want %s:\n%s", name, status, location, page, body)
	}
}

// stranger asks without a session, and returns the answer's header.
func (c *coreEntrance) stranger(address string) http.Header {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, address, nil)
	c.check(err)
	res, err := http.DefaultTransport.RoundTrip(req)
	c.check(err)
	defer func() { _ = res.Body.Close() }()
	_, err = io.Copy(io.Discard, res.Body)
	c.check(err)
	return res.Header
}

func inNorwegian(key string) string {
	return views.NewPrinter("nb", time.UTC, time.Time{}).T(key, "System", "Visma Core")
}

// query returns the first value that a query finds, "" if it finds none.
func (c *coreEntrance) query(query string) string {
	c.t.Helper()
	conn, err := sql.Open("postgres", c.database)
	c.check(err)
	defer func() { _ = conn.Close() }()
	var text sql.NullString
	c.check(conn.QueryRowContext(c.t.Context(), query).Scan(&text))
	return text.String
}

// orderID is the order of a page.
func (c *coreEntrance) orderID(page string) int64 {
	c.t.Helper()
	id, err := strconv.ParseInt(c.query(`SELECT id FROM orders WHERE public_id = '`+strings.TrimPrefix(page, "/orders/")+`'`), 10, 64)
	c.check(err)
	return id
}

func (c *coreEntrance) wantCalls(op doortest.Op, want int) {
	c.t.Helper()
	if n := c.fake.Count(op); n != want {
		c.t.Errorf("%d calls of %q, want %d", n, op, want)
	}
}
