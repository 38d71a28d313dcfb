package db_test

import (
	"database/sql"
	"testing"
	"time"

	"portico/db"
	"portico/db/dbtest"
	"portico/internal/portal"
)

// world is a database with services and staff, at a time that stands still.
type world struct {
	*testing.T
	store *db.Store
	clock *clock
	url   string
	raw   *sql.DB // for what the store does not say
	erik  portal.Staff
}

var (
	told = []portal.State{portal.Received, portal.Waiting, portal.Delivered, portal.Failed, portal.Cancelled}
	asa  = portal.Actor{Kind: portal.ActorBroker, Name: "Åsa"}
)

// photoForm has a question of each sort that the search treats differently.
var photoForm = portal.Form{Fields: []portal.Field{
	{ID: "package", Type: portal.FieldChoice, Required: true, Label: portal.Text{"sv": "Paket"}, Options: []portal.Option{
		{ID: "small", Label: portal.Text{"sv": "Liten", "nb": "Beskjeden", "en": "Tiny"}, Price: 249000},
		{ID: "large", Label: portal.Text{"sv": "Stor", "nb": "Svær", "en": "Huge"}, Price: 399000}}},
	{ID: "access", Type: portal.FieldTextarea, Label: portal.Text{"sv": "Hur kommer vi in?"}},
}}

func worldSetup() portal.Setup {
	connection := portal.Connection{ID: "vitec", System: "vitec", InteractionLink: portal.LinkSigned, Reports: told, Settings: []byte(`{}`)}
	other := connection
	other.ID = "other"
	page := portal.Service{ConnectionID: "vitec", Flow: portal.FlowPage, Auth: portal.AuthToken, TurnaroundHours: 48}
	photo, sign, behind, elsewhere := page, page, page, page
	photo.ID, photo.Form = "foto", photoForm
	sign.ID = "skylt"
	behind.ID, behind.Flow = "bakom", portal.FlowBackground
	elsewhere.ID, elsewhere.ConnectionID = "annan", "other"
	s := setup()
	s.Connections, s.Services = []portal.Connection{connection, other}, []portal.Service{photo, sign, behind, elsewhere}
	return s
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, url: dbtest.New(t)}
	w.store, w.clock = openStore(t, w.url, nil)
	apply(t, w.store, worldSetup())
	raw, err := sql.Open("postgres", w.url)
	w.must(err)
	t.Cleanup(func() { _ = raw.Close() })
	w.raw = raw
	w.erik = w.staff("erik@nordljus.example", portal.RoleFulfiller)
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// wantKind checks how a call was refused.
func (w *world) wantKind(err error, want portal.Kind) {
	w.Helper()
	if err == nil || portal.KindOf(err) != want {
		w.Errorf("kind %d of %v, want %d", portal.KindOf(err), err, want)
	}
}

func (w *world) staff(email string, role portal.Role) portal.Staff {
	w.Helper()
	p, err := w.store.AddStaff(w.Context(), portal.Staff{Email: email, Name: email, Role: role, PasswordHash: "-"})
	w.must(err)
	return p
}

func (w *world) service(id string) portal.Service {
	w.Helper()
	svc, err := w.store.Service(w.Context(), id)
	w.must(err)
	return svc
}

func ticket(office, order string) portal.Ticket {
	return portal.Ticket{OrderID: order, Customer: office, UserID: "U1", OwnerID: "U1", Tenant: "T1",
		Target: portal.Target{Type: "House", ID: "OBJ_" + order}, Raw: []byte(`{"orderId": "` + order + `"}`)}
}

func (w *world) open(service string, t portal.Ticket) db.Opened {
	w.Helper()
	o, err := w.store.OpenOrder(w.Context(), w.service(service), t, "SEK")
	w.must(err)
	return o
}

// received opens an order that is received at once, its report queued.
func (w *world) received(order string) int64 {
	w.Helper()
	return w.open("skylt", ticket("M1", order)).ID
}

// order reads an order as staff do.
func (w *world) order(id int64) portal.Order {
	w.Helper()
	var public string
	w.must(w.raw.QueryRow(`SELECT public_id FROM orders WHERE id = $1`, id).Scan(&public))
	o, err := w.store.OrderForStaff(w.Context(), public)
	w.must(err)
	return o
}

func (w *world) wantState(id int64, want portal.State) {
	w.Helper()
	if got := w.order(id).State; got != want {
		w.Errorf("order %d is %s, want %s", id, got, want)
	}
}

// kinds returns the kinds of an order's timeline.
func (w *world) kinds(id int64) []portal.EventKind {
	w.Helper()
	events, err := w.store.Timeline(w.Context(), id, false)
	w.must(err)
	var kinds []portal.EventKind
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (w *world) count(query string, args ...any) int {
	w.Helper()
	var n int
	w.must(w.raw.QueryRow(query, args...).Scan(&n))
	return n
}

// jobs returns the reports of an order.
func (w *world) jobs(id int64) []portal.Job {
	w.Helper()
	jobs, err := w.store.Jobs(w.Context(), id)
	w.must(err)
	return jobs
}

// claim claims what is due of a connection, for a minute.
func (w *world) claim(n int) []portal.Job {
	w.Helper()
	jobs, err := w.store.ClaimJobs(w.Context(), "vitec", n, time.Minute)
	w.must(err)
	return jobs
}

// claimOne claims the one job that is due.
func (w *world) claimOne() portal.Job {
	w.Helper()
	jobs := w.claim(10)
	if len(jobs) != 1 {
		w.Fatalf("%d jobs are due, want 1", len(jobs))
	}
	return jobs[0]
}

// parallel runs f n times at once and returns the errors.
func parallel(n int, f func(i int) error) []error {
	start, errs := make(chan struct{}), make(chan error, n)
	for i := range n {
		go func() {
			<-start
			errs <- f(i)
		}()
	}
	close(start)
	var all []error
	for range n {
		all = append(all, <-errs)
	}
	return all
}
