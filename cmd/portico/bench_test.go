package main

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"portico/db"
	"portico/db/dbtest"
	"portico/internal/keyring"
	"portico/internal/partner/vitec"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/password"
	"portico/internal/portal"
	"portico/internal/worker"
)

// benchPortal is a portal as the program wires it, the fake beside it and no
// rate limit between them.
type benchPortal struct {
	b       *testing.B
	store   *db.Store
	raw     *sql.DB
	fake    *vitectest.Server
	web     *httptest.Server
	runner  *worker.Runner
	service portal.Service
}

func newBenchPortal(b *testing.B) *benchPortal {
	b.Helper()
	ctx, p := b.Context(), &benchPortal{b: b}
	database := dbtest.New(b)
	ring, err := keyring.Parse(keyring.New())
	p.check(err)
	p.store, err = db.Open(ctx, database, ring)
	p.check(err)
	b.Cleanup(func() { _ = p.store.Close() })
	p.raw, err = sql.Open("postgres", database)
	p.check(err)
	b.Cleanup(func() { _ = p.raw.Close() })
	p.fake = vitectest.Start(b, vitectest.Options{})
	raw := strings.Replace(string(p.fake.Connection("vitec", p.fake.URL)), "{", `{"rate":{"concurrent":64,"per_second":1000},`, 1)
	connection, faults := vitec.Configure([]byte(raw))
	if len(faults) > 0 {
		b.Fatal(faults)
	}
	// Beyond what the file allows: what is measured is Portico.
	connection.Settings = bytes.Replace(connection.Settings, []byte(`"per_second":1000`), []byte(`"per_second":1000000`), 1)
	p.service = portal.Service{ID: "expertfoto", ConnectionID: "vitec", Flow: portal.FlowPage, Auth: portal.AuthToken,
		Name: portal.Text{"sv": "Expertfotografering"}, TurnaroundHours: 48,
		Form: portal.Form{Fields: []portal.Field{{ID: "access", Type: portal.FieldTextarea, Label: portal.Text{"sv": "Hur kommer vi in?"}}}}}
	setup := portal.Setup{Provider: portal.Provider{Name: "Nordljus", Locale: "sv", TimeZone: "Europe/Stockholm", Currency: "SEK"},
		Connections: []portal.Connection{connection}, Services: []portal.Service{p.service}}
	_, err = p.store.Apply(ctx, setup)
	p.check(err)
	p.service, err = p.store.Service(ctx, p.service.ID)
	p.check(err)
	bucket := memblob.OpenBucket(nil)
	b.Cleanup(func() { _ = bucket.Close() })
	log := slog.New(slog.DiscardHandler)
	partners := newPartners(p.store, log)
	p.web = httptest.NewUnstartedServer(nil)
	c := config{BaseURL: "http://" + p.web.Listener.Addr().String(), Keys: ring}
	p.web.Config.Handler, err = newServer(c, p.store, partners, bucket, log)
	p.check(err)
	p.web.Start()
	b.Cleanup(p.web.Close)
	p.runner = &worker.Runner{Store: p.store, Reporters: workPartners{partners}, Links: links{p.store, c.BaseURL}, Log: log,
		Now: p.store.Now, Rand: func() float64 { return 0.5 }}
	return p
}

func (p *benchPortal) check(err error) {
	p.b.Helper()
	if err != nil {
		p.b.Fatal(err)
	}
}

// visitor is a browser of its own, that comes from an address of its own.
func (p *benchPortal) visitor(address string) func(method, url string, form url.Values) (int, string) {
	jar, err := cookiejar.New(nil)
	p.check(err)
	client := &http.Client{Jar: jar, Transport: http.DefaultTransport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return func(method, url string, form url.Values) (int, string) {
		req, err := http.NewRequest(method, url, strings.NewReader(form.Encode()))
		p.check(err)
		req.Header.Set("X-Forwarded-For", address)
		if form != nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		res, err := client.Do(req)
		p.check(err)
		_, err = io.Copy(io.Discard, res.Body)
		p.check(err)
		p.check(res.Body.Close())
		return res.StatusCode, res.Header.Get("Location")
	}
}

// percentiles collects how long each of a benchmark's operations took.
type percentiles struct {
	mu   sync.Mutex
	took []time.Duration
}

func (p *percentiles) time(f func()) {
	started := time.Now()
	f()
	took := time.Since(started)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.took = append(p.took, took)
}

func (p *percentiles) report(b *testing.B) {
	b.ReportMetric(milliseconds(p.took, 0.50), "p50-ms")
	b.ReportMetric(milliseconds(p.took, 0.99), "p99-ms")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "per-s")
}

// BenchmarkCallback is a new order each time: token exchanged at the fake, order
// stored, session and grant made, 303.
func BenchmarkCallback(b *testing.B) {
	p := newBenchPortal(b)
	addresses := make([]string, b.N)
	for i := range addresses {
		addresses[i] = p.fake.Open("M30011", "", "", p.web.URL+"/callback/expertfoto")
	}
	var next atomic.Int64
	var times percentiles
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			i := next.Add(1) - 1
			times.time(func() {
				if status, to := p.visitor(fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255))("GET", addresses[i], nil); status != http.StatusSeeOther {
					b.Errorf("status %d, to %q", status, to)
				}
			})
		}
	})
	times.report(b)
}

// BenchmarkOrderPage is a granted order's page through the whole portal.
func BenchmarkOrderPage(b *testing.B) {
	p := newBenchPortal(b)
	visit := p.visitor("10.0.0.1")
	_, page := visit("GET", p.fake.Open("M30011", "", "", p.web.URL+"/callback/expertfoto"), nil)
	visit("POST", p.web.URL+page+"/submission", url.Values{"access": {"Nyckel i skåpet"}})
	var times percentiles
	b.ReportAllocs()
	for b.Loop() {
		times.time(func() {
			if status, _ := visit("GET", p.web.URL+page, nil); status != http.StatusOK {
				b.Fatalf("status %d", status)
			}
		})
	}
	times.report(b)
}

// BenchmarkQueue is the queue's first page with 100,000 orders in the database.
func BenchmarkQueue(b *testing.B) {
	p := newBenchPortal(b)
	p.orders(100_000, "delivered")
	_, err := p.raw.Exec(`UPDATE orders SET state = (ARRAY['received', 'active', 'failed'])[id % 3 + 1] WHERE id % 500 = 0`)
	p.check(err)
	_, err = p.raw.Exec(`VACUUM ANALYZE`)
	p.check(err)
	hash, err := password.Hash(b.Context(), "en lång lösenfras")
	p.check(err)
	_, err = p.store.AddStaff(b.Context(), portal.Staff{Email: "erik@nordljus.example", Name: "Erik", Role: portal.RoleFulfiller, PasswordHash: hash})
	p.check(err)
	for _, screen := range []struct{ name, query string }{
		{"open", ""}, {"all", "?state=all&sort=newest"}, {"search", "?state=all&q=B4711"}, {"office", "?state=all&office=M30011"},
	} {
		b.Run(screen.name, func(b *testing.B) {
			visit := p.visitor("10.0.0.1")
			visit("POST", p.web.URL+"/staff/login", url.Values{"email": {"erik@nordljus.example"}, "password": {"en lång lösenfras"}})
			var times percentiles
			for b.Loop() {
				times.time(func() {
					if status, _ := visit("GET", p.web.URL+"/staff/orders"+screen.query, nil); status != http.StatusOK {
						b.Fatalf("status %d", status)
					}
				})
			}
			times.report(b)
		})
	}
}

// orders inserts n orders of one office, over the last year.
func (p *benchPortal) orders(n int, state string) {
	p.b.Helper()
	opened, err := p.store.OpenOrder(p.b.Context(), p.service, portal.Ticket{OrderID: "first", Customer: "M30011"}, "SEK")
	p.check(err)
	_, err = p.raw.Exec(`
		INSERT INTO orders (public_id, connection_id, office_id, partner_order_id, service_id, form_id, broker_id, target_type,
			target_id, ticket, state, answers, total, currency, received_at, due_at, created_at, updated_at, words)
		SELECT 'bench' || n, connection_id, office_id, 'B' || n, service_id, form_id, broker_id, 'House', 'OBJ' || n, '{}', $3,
			'{"access": ["Nyckel i skåpet"]}', 0, 'SEK', t, t + interval '2 days', t, t, 'b' || n || ' obj' || n || ' m30011 nyckel i skåpet'
		FROM orders, generate_series(1, $2::int) n, LATERAL (SELECT now() - n * interval '5 minutes' AS t) x
		WHERE id = $1`, opened.ID, n, state)
	p.check(err)
	_, err = p.raw.Exec(`DELETE FROM grants; ANALYZE`)
	p.check(err)
}

// milliseconds returns a quantile of how long something took.
func milliseconds(took []time.Duration, quantile float64) float64 {
	slices.Sort(took)
	return float64(took[int(quantile*float64(len(took)-1))].Microseconds()) / 1000
}
