package worker_test

import (
	"context"
	"log/slog"
	"net/url"
	"os"
	"testing"
	"time"

	"portico/db"
	"portico/db/dbtest"
	"portico/internal/keyring"
	"portico/internal/portal"
	"portico/internal/worker"
	"portico/internal/worldtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// world is a real store, with a runner whose partner the test plays.
type world struct {
	*testing.T
	store  *db.Store
	clock  *worldtest.Clock
	runner *worker.Runner
	log    *worldtest.Log
	erik   portal.Staff
}

// newWorld returns a world with the connections given, each with a service of
// its name that asks nothing.
func newWorld(t *testing.T, connections ...portal.Connection) *world {
	t.Helper()
	w := &world{T: t, clock: worldtest.NewClock(time.Date(2026, 11, 24, 9, 12, 0, 0, time.UTC)), log: &worldtest.Log{}}
	ring, err := keyring.Parse(keyring.New())
	w.must(err)
	w.store, err = db.Open(t.Context(), dbtest.New(t), ring)
	w.must(err)
	t.Cleanup(func() { _ = w.store.Close() })
	w.store.Now = w.clock.Now
	setup := portal.Setup{Provider: portal.Provider{Name: "Nordljus", SupportEmail: "s@n.example", Locale: "sv", TimeZone: "Europe/Stockholm", Currency: "SEK"}}
	for _, c := range connections {
		setup.Connections = append(setup.Connections, c)
		setup.Services = append(setup.Services, portal.Service{ID: c.ID, ConnectionID: c.ID, Flow: portal.FlowPage, Auth: portal.AuthToken})
	}
	_, err = w.store.Apply(t.Context(), setup)
	w.must(err)
	w.erik, err = w.store.AddStaff(t.Context(), portal.Staff{Email: "e@n.example", Name: "Erik", Role: portal.RoleFulfiller, PasswordHash: "-"})
	w.must(err)
	w.runner = w.newRunner(nil)
	return w
}

// newRunner returns a runner as a worker that has just been started has it.
func (w *world) newRunner(r worker.Reporters) *worker.Runner {
	return &worker.Runner{Store: w.store, Reporters: r, Links: links{w.store}, Log: slog.New(slog.NewJSONHandler(w.log, nil)),
		Now: w.clock.Now, Rand: func() float64 { return 0.5 }}
}

// connection is one whose partner is told of everything.
func connection(id string) portal.Connection {
	return portal.Connection{ID: id, System: "vitec", InteractionLink: portal.LinkSigned, Settings: []byte(`{}`),
		Reports: []portal.State{portal.Received, portal.Waiting, portal.Delivered, portal.Failed}}
}

type links struct{ store *db.Store }

func (l links) Link(ctx context.Context, m portal.Message) (string, error) {
	token, err := l.store.IssueVisit(ctx, m.OrderID, m.InteractionID)
	return (&url.URL{Scheme: "https", Host: "portal.example", Path: "/visit/" + token}).String(), err
}

// partner is a test that plays the partner of every connection.
type partner func(ctx context.Context, m portal.Message) error

func (p partner) Report(ctx context.Context, m portal.Message) (portal.Receipt, error) {
	return portal.Receipt{}, p(ctx, m)
}

func (p partner) Reporter(context.Context, string) (worker.Reporter, error) { return p, nil }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// received opens an order that is received at once, and returns its id.
func (w *world) received(connection, order string) int64 {
	w.Helper()
	svc, err := w.store.Service(w.Context(), connection)
	w.must(err)
	o, err := w.store.OpenOrder(w.Context(), svc, portal.Ticket{OrderID: order, Customer: "M30011", UserID: "U1", OwnerID: "U1",
		Target: portal.Target{Type: "HousingCooperative", ID: "OBJ30011_1684210"}}, "SEK")
	w.must(err)
	return o.ID
}

// ask puts a question about an order, and deliver answers for it and hands it over.
func (w *world) ask(id int64) {
	w.Helper()
	w.must(w.store.AskBroker(w.Context(), id, portal.Interaction{Comment: "Vilken dag?"}, w.erik.Actor()))
}

func (w *world) deliver(id int64) {
	w.Helper()
	w.must(w.store.DeliverOrder(w.Context(), id, portal.Delivery{Message: "Klart"}, w.erik.Actor()))
}

// once lets the runner send what is due, and wants n jobs.
func (w *world) once(n int) {
	w.Helper()
	got, err := w.runner.RunOnce(w.Context())
	w.must(err)
	if got != n {
		w.Fatalf("%d jobs were due, want %d", got, n)
	}
}

// job returns an order's report of a state.
func (w *world) job(id int64, state portal.State) portal.Job {
	w.Helper()
	jobs, err := w.store.Jobs(w.Context(), id)
	w.must(err)
	for _, j := range jobs {
		if j.Message.State == state {
			return j
		}
	}
	w.Fatalf("order %d has no report of %s", id, state)
	return portal.Job{}
}

// last returns the kind of an order's last event.
func (w *world) last(id int64) portal.EventKind {
	w.Helper()
	events, err := w.store.Timeline(w.Context(), id, false)
	w.must(err)
	return events[len(events)-1].Kind
}
