package handlers_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/memblob"

	"portico/db"
	"portico/db/dbtest"
	"portico/handlers"
	"portico/internal/keyring"
	"portico/internal/partner/vitec"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/password"
	"portico/internal/portal"
	"portico/internal/worker"
	"portico/internal/worldtest"
	"portico/static"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// bundle is a whole portal of one test: the real router and store, the partner's
// fake beside it, a clock that stands still.
type bundle struct {
	t         testing.TB
	store     *db.Store
	raw       *sql.DB // the same database, for what no method tells
	bucket    *blob.Bucket
	fake      *vitectest.Server
	web       *httptest.Server
	runner    *worker.Runner
	clock     *worldtest.Clock
	log       *worldtest.Log
	passwords *testPasswords
	visitors  *atomic.Int64
}

// setup is what differs from the usual bundle.
type setup struct {
	https         bool
	realPasswords bool          // hashed as in production, which is slow on purpose
	timeout       time.Duration // of a call to the partner
	partners      handlers.Partners
	reconciler    handlers.Reconciler
	maker         *maker                      // makes orders at the partner; nil: nobody does
	database      func(address string) string // a way round to the database
}

const (
	staffEmail    = "erik@nordljus.example"
	viewerEmail   = "lisa@nordljus.example"
	staffPassword = "en lång lösenfras"
)

// testPasswords take no time, and count how often they were asked.
type testPasswords struct{ verified, unknown atomic.Int64 }

func quickHash(password string) string { return "hash of " + password }

func (p *testPasswords) verify(_ context.Context, hash, password string) (bool, error) {
	p.verified.Add(1)
	return hash == quickHash(password), nil
}

func (p *testPasswords) verifyNone(context.Context, string) error {
	p.unknown.Add(1)
	return nil
}

func newBundle(t testing.TB) *bundle { return newBundleWith(t, setup{}) }

func newBundleWith(t testing.TB, o setup) *bundle {
	t.Helper()
	ctx := t.Context()
	b := &bundle{t: t, clock: worldtest.NewClock(time.Date(2026, 11, 24, 9, 12, 0, 0, time.UTC)), log: &worldtest.Log{},
		passwords: &testPasswords{}, visitors: &atomic.Int64{}}
	log := slog.New(slog.NewJSONHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: portal.Discreet}))
	ring, err := keyring.Parse(keyring.New())
	b.check(err)
	address := dbtest.New(t)
	if o.database != nil {
		address = o.database(address)
	}
	b.openStore(address, ring)
	b.fake = vitectest.Start(t, vitectest.Options{Now: b.clock.Now})
	connection := b.connection()
	_, err = b.store.Apply(ctx, portal.Setup{Provider: testProvider, Connections: []portal.Connection{connection}, Services: testServices()})
	b.check(err)
	client, err := vitec.New(connection, vitec.Options{Log: log, Timeout: o.timeout})
	b.check(err)
	b.bucket = memblob.OpenBucket(nil)
	t.Cleanup(func() { _ = b.bucket.Close() })
	b.web = httptest.NewUnstartedServer(nil)
	base := &url.URL{Scheme: "http", Host: b.web.Listener.Addr().String()}
	if o.https {
		base.Scheme = "https"
	}
	if o.partners == nil {
		o.partners = onePartner{client, base.String()}
	}
	if o.maker != nil {
		o.maker.Partners, o.partners = o.partners, o.maker
	}
	if o.reconciler == nil {
		o.reconciler = newTestReconciler(b.store, client, log)
	}
	passwords, hash := handlers.Passwords{Verify: b.passwords.verify, VerifyNone: b.passwords.verifyNone}, quickHash(staffPassword)
	if o.realPasswords {
		passwords = handlers.Passwords{Verify: password.Verify, VerifyNone: password.VerifyNone}
		hash, err = password.Hash(ctx, staffPassword)
		b.check(err)
	}
	b.web.Config.Handler = handlers.New(handlers.Options{Store: b.store, Partners: o.partners, Bucket: b.bucket,
		Reconciler: o.reconciler,
		Passwords:  passwords, CookieKeys: ring.Signing(), BaseURL: base, Static: static.Handler(), Log: log})
	if o.https {
		b.web.StartTLS()
	} else {
		b.web.Start()
	}
	t.Cleanup(b.web.Close)
	b.runner = &worker.Runner{Store: b.store, Reporters: onePartner{client, base.String()}, Links: testLinks{b.store, base.String()},
		Log: log, Now: b.clock.Now, Rand: func() float64 { return 0.5 }}
	b.addStaff(staffEmail, "Erik Berg", portal.RoleFulfiller, hash)
	b.addStaff(viewerEmail, "Lisa Ek", portal.RoleViewer, hash)
	return b
}

func (b *bundle) openStore(address string, ring *keyring.Ring) {
	b.t.Helper()
	var err error
	b.store, err = db.Open(b.t.Context(), address, ring)
	b.check(err)
	b.store.Now = b.clock.Now
	b.raw, err = sql.Open("postgres", address)
	b.check(err)
	b.t.Cleanup(func() { _, _ = b.store.Close(), b.raw.Close() })
}

// connection is the fake without a rate limit to wait for.
func (b *bundle) connection() portal.Connection {
	b.t.Helper()
	raw := bytes.Replace(b.fake.Connection("vitec", b.fake.URL), []byte("{"), []byte(`{"rate": {"concurrent": 64, "per_second": 1000},`), 1)
	connection, faults := vitec.Configure(json.RawMessage(raw))
	if len(faults) > 0 {
		b.t.Fatalf("configure: %v", faults)
	}
	return connection
}

// in is the bundle as a subtest uses it.
func (b *bundle) in(t testing.TB) *bundle {
	of := *b
	of.t = t
	return &of
}

var testProvider = portal.Provider{Name: "Nordljus Foto AB", SupportEmail: "support@nordljus.example",
	Locale: "sv", TimeZone: "Europe/Stockholm", Currency: "SEK"}

// testServices are one of every kind: with a form of every field type, without
// a form, and for a single office.
func testServices() []portal.Service {
	text := func(s string) portal.Text { return portal.Text{"sv": s, "nb": s, "en": s} }
	form := portal.Form{Fields: []portal.Field{
		{ID: "package", Type: portal.FieldChoice, Required: true, Label: text("Paket"), Options: []portal.Option{
			{ID: "small", Label: text("Liten, 15 bilder"), Price: 249000}, {ID: "large", Label: text("Stor, 30 bilder"), Price: 399000}}},
		{ID: "extras", Type: portal.FieldChoices, Label: text("Tillval"), Options: []portal.Option{
			{ID: "drone", Label: text("Drönare"), Price: 150000}, {ID: "plan", Label: text("Planritning"), Price: 99000}}},
		{ID: "day", Type: portal.FieldDate, Label: text("Önskat datum")},
		{ID: "at", Type: portal.FieldTime, Label: text("Klockslag")},
		{ID: "rooms", Type: portal.FieldNumber, Label: text("Rum")},
		{ID: "email", Type: portal.FieldEmail, Label: text("E-post")},
		{ID: "phone", Type: portal.FieldPhone, Label: text("Telefon")},
		{ID: "key", Type: portal.FieldText, Label: text("Nyckel"), MaxLength: 20},
		{ID: "access", Type: portal.FieldTextarea, Label: text("Hur kommer vi in?"), MaxLength: 2000},
		{ID: "rush", Type: portal.FieldCheckbox, Label: text("Inom 24 timmar"), Price: 75000},
		{ID: "sketch", Type: portal.FieldFile, Label: text("Egen skiss")},
	}}
	page := portal.Service{ConnectionID: "vitec", Flow: portal.FlowPage, Auth: portal.AuthToken}
	photo, sign, closed := page, page, page
	photo.ID, photo.Name, photo.TurnaroundHours, photo.Form = "expertfoto", text("Expertfotografering"), 48, form
	sign.ID, sign.Name = "skylt", text("Skylt på plats")
	closed.ID, closed.Name, closed.Customers = "avtal", text("Avtalskund"), []string{"M99999"}
	return []portal.Service{photo, sign, closed}
}

// onePartner is the connection's client, whatever connection is asked for.
type onePartner struct {
	*vitec.Client
	base string
}

func (p onePartner) Entry(context.Context, string) (handlers.Entry, error) { return p, nil }

func (p onePartner) Describe(context.Context, portal.Service, portal.Ticket) (portal.Details, error) {
	return portal.Details{}, nil
}

func (p onePartner) Authorize(context.Context, string, http.Header, []byte) (int, []byte, error) {
	return 0, nil, portal.Errorf(portal.NotFound, "error.not_found")
}

func (p onePartner) KeepsLog(string) bool { return false }

func (p onePartner) Log(context.Context, portal.Order) ([]portal.LogEntry, error) {
	return nil, portal.Errorf(portal.NotFound, "error.not_found")
}

func (p onePartner) Reporter(context.Context, string) (worker.Reporter, error) { return p.Client, nil }

func (p onePartner) Preview(_ context.Context, m portal.Message) (string, bool, error) {
	m.URL = p.base + "/visit/…"
	text, sent := p.Client.Preview(m)
	return text, sent, nil
}

type testLinks struct {
	store *db.Store
	base  string
}

func (l testLinks) Link(ctx context.Context, m portal.Message) (string, error) {
	token, err := l.store.IssueVisit(ctx, m.OrderID, m.InteractionID)
	return l.base + "/visit/" + token, err
}

func (b *bundle) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bundle) addStaff(email, name string, role portal.Role, hash string) portal.Staff {
	b.t.Helper()
	p, err := b.store.AddStaff(b.t.Context(), portal.Staff{Email: email, Name: name, Role: role, PasswordHash: hash})
	b.check(err)
	return p
}

// service returns the address of a service's callback.
func (b *bundle) service(id string) string { return b.web.URL + "/callback/" + id }

// order makes an order in the partner system and returns its id and the address
// that the system opens.
func (b *bundle) order(service string) (id, address string) {
	b.t.Helper()
	o := b.fake.NewOrder(vitectest.Order{Office: "M30011", CallbackURL: b.service(service)})
	return o.ID, b.fake.Reopen(o.ID)
}

// stored returns the order whose page is at a path.
func (b *bundle) stored(page string) portal.Order {
	b.t.Helper()
	o, err := b.store.OrderForStaff(b.t.Context(), strings.TrimPrefix(page, "/orders/"))
	b.check(err)
	return o
}

// drain sends what is due until nothing is.
func (b *bundle) drain() {
	b.t.Helper()
	for {
		n, err := b.runner.RunOnce(b.t.Context())
		b.check(err)
		if n == 0 {
			return
		}
	}
}

// query returns the one value that a query finds, as text.
func (b *bundle) query(query string, args ...any) string {
	b.t.Helper()
	var value string
	b.check(b.raw.QueryRowContext(b.t.Context(), query, args...).Scan(&value))
	return value
}

// dump returns all that the database holds, as text.
func (b *bundle) dump() string {
	b.t.Helper()
	return b.query(`
		SELECT string_agg(table_to_xml(oid, true, false, '')::text, E'\n')
		FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`)
}
