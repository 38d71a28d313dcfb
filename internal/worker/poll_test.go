package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/db"
	"portico/internal/portal"
	"portico/internal/worker"
)

// guide is a partner without a callback.
type guide struct {
	mu      sync.Mutex
	orders  []portal.Listed
	cut     error // after the list
	order   func(l portal.Listed) (portal.Fetched, error)
	lists   int
	fetched map[string]int // how often, by order

}

var errCut = errors.New("the answer is cut off")

func (g *guide) Source(context.Context, string) (worker.Source, error) { return g, nil }

func (g *guide) Rules() portal.PollRules {
	return portal.PollRules{Acknowledges: true, Words: map[portal.State]string{portal.Received: "received", portal.Active: "active",
		portal.Delivered: "delivered", portal.Failed: "cancelled", portal.Cancelled: "cancelled"}}
}

func (g *guide) OrdersSince(_ context.Context, _ time.Time, yield func(portal.Listed) error) error {
	g.mu.Lock()
	g.lists++
	orders := g.orders
	g.mu.Unlock()
	for _, l := range orders {
		if err := yield(l); err != nil {
			return err
		}
	}
	return g.cut
}

func (g *guide) Order(_ context.Context, l portal.Listed) (portal.Fetched, error) {
	g.mu.Lock()
	if g.fetched == nil {
		g.fetched = map[string]int{}
	}
	g.fetched[l.OrderID]++
	g.mu.Unlock()
	if g.order != nil {
		if f, err := g.order(l); err != nil {
			return f, err
		}
	}
	return portal.Fetched{Listed: l, Ticket: portal.Ticket{OrderID: l.OrderID, Customer: "1234", UserID: "C", OwnerID: "C",
		Target: portal.Target{Type: "access", ID: "KC" + l.OrderID}}}, nil
}

// add has n more orders listed.
func (g *guide) add(n int) {
	for range n {
		g.orders = append(g.orders, portal.Listed{OrderID: fmt.Sprint(19530 + len(g.orders)), Status: "new", State: portal.Received, New: true, Customer: "1234"})
	}
}

// newGuide is a world with a connection whose orders are fetched from g.
func newGuide(t *testing.T, g *guide) (*world, *worker.Poller) {
	t.Helper()
	w := newWorld(t)
	_, err := w.store.Apply(t.Context(), portal.Setup{
		Provider: portal.Provider{Name: "Nordljus", SupportEmail: "s@n.example", Locale: "sv", TimeZone: "Europe/Stockholm", Currency: "SEK"},
		Connections: []portal.Connection{{ID: "guiden", System: "tjansteguiden", InteractionLink: portal.LinkCallback, PollEvery: 5 * time.Minute,
			Reports: []portal.State{portal.Received, portal.Delivered}, Networks: []string{"KC"}, Settings: []byte(`{}`)}},
		Services: []portal.Service{{ID: "fiber", ConnectionID: "guiden", Flow: portal.FlowPoll, Auth: portal.AuthToken, NetworkService: "AB100"}}})
	w.must(err)
	return w, w.poller(g)
}

func (w *world) poller(g *guide) *worker.Poller {
	return &worker.Poller{Store: w.store, Sources: g, Log: slog.New(slog.NewJSONHandler(w.log, nil)), Now: w.clock.Now}
}

// polled lets a poller poll what is due, and returns how that stands.
func (w *world) polled(p *worker.Poller) (last string, imported, aside int) {
	w.Helper()
	if ok, err := p.RunOnce(w.Context()); !ok || err != nil {
		w.Fatalf("polled %t, %v", ok, err)
	}
	list, err := w.store.Polls(w.Context())
	w.must(err)
	if list[0].LastError != nil {
		last = list[0].LastError.Key
	}
	return last, list[0].Imported, list[0].Aside
}

func (w *world) countFetched() int {
	w.Helper()
	counts, err := w.store.CountOrders(w.Context(), orderFilter, 100000)
	w.must(err)
	n := 0
	for _, of := range counts {
		n += of
	}
	return n
}

func TestOnePoisonOrderStopsNobody(t *testing.T) {
	t.Parallel()
	g := &guide{}
	g.add(60)
	w, p := newGuide(t, g)
	g.order = func(l portal.Listed) (portal.Fetched, error) {
		switch l.OrderID {
		case "19540":
			return portal.Fetched{}, &portal.FetchError{Say: portal.Say("polls.unreadable"), Raw: "<html>", Err: errCut}
		case "19550":
			panic("a letter that nobody has thought of")
		case "19560":
			return portal.Fetched{}, &portal.ReportError{Outcome: portal.OutcomeUnknown, Err: errCut}
		}
		return portal.Fetched{}, nil
	}
	last, imported, aside := w.polled(p)
	if last != "" || imported != 57 || aside != 3 || w.countFetched() != 57 {
		t.Errorf("%q, %d in, %d aside, %d orders", last, imported, aside, w.countFetched())
	}
	list, err := w.store.AsideOrders(t.Context(), "guiden", 10)
	w.must(err)
	raw := map[string]string{}
	for _, f := range list {
		raw[f.Listed.OrderID] = f.Raw + f.Reason.Key
	}
	if len(raw) != 3 || raw["19540"] != "<html>polls.unreadable" || raw["19550"] != "polls.unreadable" || raw["19560"] != "polls.failed" {
		t.Errorf("aside %v", raw)
	}
	g.order = nil
	w.clock.Pass(10 * time.Minute)
	if _, imported, aside = w.polled(p); imported != 3 || aside != 0 {
		t.Errorf("later %d in, %d aside", imported, aside)
	}
	if g.fetched["19531"] != 1 {
		t.Errorf("a good order was fetched %d times", g.fetched["19531"])
	}
}

// TestAnOutageIsNotTheOrdersFault: it is not tried on every one of them.
func TestAnOutageIsNotTheOrdersFault(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		outcome portal.Outcome
		aside   int
	}{
		"no answers": {portal.OutcomeFailed, 5},
		"busy":       {portal.OutcomeBusy, 0},
		"credential": {portal.OutcomeCredential, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := &guide{}
			g.add(200)
			w, p := newGuide(t, g)
			g.order = func(portal.Listed) (portal.Fetched, error) {
				return portal.Fetched{}, &portal.ReportError{Outcome: tt.outcome,
					Err: &portal.Error{Kind: portal.Unavailable, Say: portal.Say("polls.no_answer"), Err: errCut}}
			}
			last, _, aside := w.polled(p)
			if last != "polls.no_answer" || aside != tt.aside || len(g.fetched) > 20 {
				t.Errorf("%q, %d aside, %d asked for", last, aside, len(g.fetched))
			}
			g.order = nil
			w.clock.Pass(5 * time.Minute)
			if _, imported, aside := w.polled(p); imported != 200 || aside != 0 {
				t.Errorf("afterwards %d in, %d aside", imported, aside)
			}
		})
	}
}

// TestAListThatIsCutOff: what was whole comes in, and all is asked for again.
func TestAListThatIsCutOff(t *testing.T) {
	t.Parallel()
	g := &guide{cut: &portal.ReportError{Outcome: portal.OutcomeUnknown, Err: &portal.Error{Kind: portal.Unavailable, Say: portal.Say("polls.no_answer"), Err: errCut}}}
	g.add(3)
	w, p := newGuide(t, g)
	if last, _, _ := w.polled(p); last != "polls.no_answer" {
		t.Errorf("%q", last)
	}
	g.cut = nil
	g.add(2)
	w.clock.Pass(5 * time.Minute)
	if last, imported, _ := w.polled(p); last != "" || imported != 5 {
		t.Errorf("%q, %d in", last, imported)
	}
}

// TestAKilledPollerIsFollowed by one that takes in the rest, and nothing twice.
func TestAKilledPollerIsFollowed(t *testing.T) {
	t.Parallel()
	g := &guide{}
	g.add(100)
	w, p := newGuide(t, g)
	ctx, kill := context.WithCancel(t.Context())
	defer kill()
	g.order = func(l portal.Listed) (portal.Fetched, error) {
		if l.OrderID == "19580" {
			kill()
			return portal.Fetched{}, ctx.Err()
		}
		return portal.Fetched{}, nil
	}
	p.Store = dead{w.store}
	if _, err := p.RunOnce(ctx); err != nil {
		t.Fatal(err)
	}
	before := w.countFetched()
	if before == 0 || before == 100 {
		t.Fatalf("%d orders came in before the end", before)
	}
	g.order = nil
	if ok, _ := w.poller(g).RunOnce(t.Context()); ok {
		t.Error("another polls while the lease lasts")
	}
	w.clock.Pass(worker.PollLease + time.Second)
	if _, imported, _ := w.polled(w.poller(g)); imported != 100-before || w.countFetched() != 100 {
		t.Errorf("%d came in, and then %d", before, imported)
	}
}

// dead is a store that hears nothing of a worker's end.
type dead struct{ worker.PollStore }

func (dead) ReleasePoll(context.Context, portal.Poll) error { return nil }

// TestAPollerThatStops gives its poll back.
func TestAPollerThatStops(t *testing.T) {
	t.Parallel()
	g := &guide{}
	g.add(100)
	w, p := newGuide(t, g)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	g.order = func(l portal.Listed) (portal.Fetched, error) {
		if l.OrderID == "19580" {
			stop()
			return portal.Fetched{}, ctx.Err()
		}
		return portal.Fetched{}, nil
	}
	if _, err := p.RunOnce(ctx); err != nil {
		t.Fatal(err)
	}
	before := w.countFetched()
	g.order = nil
	if last, imported, _ := w.polled(w.poller(g)); last != "" || before == 100 || imported != 100-before {
		t.Errorf("%d came in, and at once %d: %s", before, imported, last)
	}
}

// TestPollersShareADatabase: many of them fetch every order once.
func TestPollersShareADatabase(t *testing.T) {
	t.Parallel()
	g := &guide{}
	g.add(300)
	w, _ := newGuide(t, g)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := w.poller(g).RunOnce(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if g.lists != 1 || len(g.fetched) != 300 {
		t.Errorf("%d lists, %d orders fetched", g.lists, len(g.fetched))
	}
	for id, n := range g.fetched {
		if n != 1 {
			t.Errorf("order %s was fetched %d times", id, n)
		}
	}
	jobs, err := w.store.ClaimJobs(t.Context(), "guiden", 1000, time.Minute)
	w.must(err)
	if len(jobs) != 300 {
		t.Errorf("%d orders are reported", len(jobs))
	}
}

func TestNoPersonalNumberIsLogged(t *testing.T) {
	t.Parallel()
	const canary = "199001012384"
	g := &guide{}
	g.add(2)
	w, p := newGuide(t, g)
	g.order = func(l portal.Listed) (portal.Fetched, error) {
		if l.OrderID == "19531" {
			return portal.Fetched{PersonalNumber: canary}, &portal.FetchError{Say: portal.Say("polls.no_access"), Err: errCut}
		}
		return portal.Fetched{}, nil
	}
	w.polled(p)
	if log := w.log.String(); !strings.Contains(log, "kept aside") || strings.Contains(log, canary) {
		t.Error(log)
	}
}

// network plays the network of every access.
type network func(portal.Activation) (portal.ActivationAnswer, error)

func (n network) Look(_ context.Context, a portal.Activation) (portal.ActivationAnswer, error) {
	return n(a)
}

// answerer is a partner whose networks accept whatever they are asked for.
type answerer struct{}

func (answerer) Reporter(context.Context, string) (worker.Reporter, error) { return answerer{}, nil }

func (answerer) Report(_ context.Context, m portal.Message) (portal.Receipt, error) {
	if m.Activation == nil {
		return portal.Receipt{Status: 200}, nil
	}
	return portal.Receipt{Status: 201, Activation: &portal.ActivationAnswer{NetworkID: "f3f2", State: portal.ActivationAccepted}}, nil
}

// TestAnActivationIsFollowed until its network has ended it, however often that
// does not answer meanwhile.
func TestAnActivationIsFollowed(t *testing.T) {
	t.Parallel()
	g := &guide{}
	g.add(1)
	w, p := newGuide(t, g)
	w.polled(p)
	page, err := w.store.Orders(t.Context(), orderFilter)
	w.must(err)
	id := page.Rows[0].ID
	w.must(w.store.RequestActivation(t.Context(), id, portal.ActivationRequest{Operation: portal.Activate}, w.erik.Actor()))
	runner := w.newRunner(answerer{})
	for range 2 { // the order's jobs go one after another
		_, err = runner.RunOnce(t.Context())
		w.must(err)
	}
	said := []func() (portal.ActivationAnswer, error){
		func() (portal.ActivationAnswer, error) {
			return portal.ActivationAnswer{State: portal.ActivationInProgress}, nil
		},
		func() (portal.ActivationAnswer, error) {
			return portal.ActivationAnswer{}, &portal.ReportError{Outcome: portal.OutcomeBusy, RetryAfter: 10 * time.Minute, Err: errCut}
		},
		func() (portal.ActivationAnswer, error) { panic("the network is odd") },
		func() (portal.ActivationAnswer, error) {
			return portal.ActivationAnswer{State: portal.ActivationDone}, nil
		},
	}
	asked := 0
	looker := &worker.Looker{Store: w.store, Log: slog.New(slog.NewJSONHandler(w.log, nil)), Now: w.clock.Now,
		Networks: network(func(a portal.Activation) (portal.ActivationAnswer, error) {
			if a.NetworkID != "f3f2" {
				t.Errorf("asked about %+v", a)
			}
			asked++
			return said[asked-1]()
		})}
	for i, wait := range []time.Duration{2 * time.Second, 5 * time.Second, 11 * time.Minute, time.Minute} {
		if looked, err := looker.RunOnce(t.Context()); looked || err != nil {
			t.Fatalf("look %d came early: %v", i, err)
		}
		w.clock.Pass(wait)
		if looked, err := looker.RunOnce(t.Context()); !looked || err != nil {
			t.Fatalf("look %d: %t, %v", i, looked, err)
		}
	}
	page, err = w.store.Orders(t.Context(), orderFilter)
	w.must(err)
	if len(page.Rows) != 1 || page.Rows[0].State != portal.Delivered {
		t.Errorf("%+v", page.Rows)
	}
}

// orderFilter finds every order.
var orderFilter = db.OrderFilter{Limit: 10}
