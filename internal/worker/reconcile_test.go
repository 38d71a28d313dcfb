package worker_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/portal"
	"portico/internal/worker"
)

// shelf is a partner with a list: of every connection that it is asked for.
type shelf struct {
	mu     sync.Mutex
	asked  []string // connection and office
	list   func(ctx context.Context, customer string) (portal.Listing, error)
	listed []string // connections
}

func (s *shelf) Listing(context.Context) ([]string, error) { return s.listed, nil }

func (s *shelf) Lister(_ context.Context, connection string) (worker.Lister, error) {
	return lister(func(ctx context.Context, customer string, _ time.Time) (portal.Listing, error) {
		s.mu.Lock()
		s.asked = append(s.asked, connection+"/"+customer)
		s.mu.Unlock()
		if s.list == nil {
			return portal.Listing{}, nil
		}
		return s.list(ctx, customer)
	}), nil
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

type lister func(ctx context.Context, customer string, since time.Time) (portal.Listing, error)

func (l lister) List(ctx context.Context, customer string, since time.Time) (portal.Listing, error) {
	return l(ctx, customer, since)
}

func (w *world) reconciler(s *shelf) *worker.Reconciler {
	return &worker.Reconciler{Store: w.store, Listers: s, Log: slog.New(slog.NewJSONHandler(w.log, nil))}
}

// reconcile lets a reconciler compare what is due, and wants n offices.
func (w *world) reconcile(r *worker.Reconciler, n int) {
	w.Helper()
	got, err := r.RunOnce(w.Context())
	w.must(err)
	if got != n {
		w.Fatalf("%d offices were compared, want %d", got, n)
	}
}

// office returns how far office M30011 of a connection has been compared: when
// it was, and what the last attempt failed with.
func (w *world) office(connection string) (last *time.Time, failure string) {
	w.Helper()
	list, err := w.store.Reconciliations(w.Context(), connection, "M30011")
	w.must(err)
	if list[0].Last != nil {
		last = &list[0].Last.StartedAt
	}
	if list[0].Failed != nil {
		failure = list[0].Failed.Error
	}
	return last, failure
}

// night is the next three o'clock in Stockholm.
var night = time.Date(2026, 11, 25, 2, 0, 0, 0, time.UTC)

// TestReconcileAtNight: many workers see the night come, and each office is
// asked for once.
func TestReconcileAtNight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("vitec"), connection("other"), connection("unlisted"))
	for _, c := range []string{"vitec", "other", "unlisted"} {
		w.received(c, "1")
	}
	s := &shelf{listed: []string{"vitec", "other"}}
	first := w.reconciler(s)
	w.reconcile(first, 0)
	w.clock.Set(night)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := w.reconciler(s).RunOnce(w.Context()); err != nil {
				w.Error(err)
			}
		})
	}
	group.Wait()
	w.reconcile(first, 0)
	if n := s.count(); n != 2 {
		t.Errorf("the partners were asked %d times: %v, want each once", n, s.asked)
	}
	if last, failure := w.office("vitec"); last == nil || !last.Equal(night) || failure != "" {
		t.Errorf("the office was compared %v, %s", last, failure)
	}
	if last, _ := w.office("unlisted"); last != nil {
		t.Errorf("an office of a partner without a list was compared %v", last)
	}
	w.clock.Pass(24 * time.Hour)
	w.reconcile(first, 2)
}

// TestReconcileFails: what fails is recorded, changes nothing and is tried again.
func TestReconcileFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("vitec"))
	w.received("vitec", "1")
	s := &shelf{listed: []string{"vitec"}}
	r := w.reconciler(s)
	w.reconcile(r, 0)
	w.clock.Set(night)
	for name, c := range map[string]struct {
		list func(context.Context, string) (portal.Listing, error)
		want string
	}{
		"error": {func(context.Context, string) (portal.Listing, error) {
			return portal.Listing{}, errors.New("no answer")
		}, "no answer"},
		"silent": {func(context.Context, string) (portal.Listing, error) { return portal.Listing{}, errors.New("") }, "no reason given"},
		"panic":  {func(context.Context, string) (portal.Listing, error) { panic("empty shelf") }, "empty shelf"},
		"unstorable": {func(context.Context, string) (portal.Listing, error) {
			return portal.Listing{Orders: []portal.Listed{{OrderID: "a\x00", Status: "x"}}}, nil
		}, "invalid byte sequence"},
	} {
		s.list = c.list
		w.reconcile(r, 1)
		if _, failure := w.office("vitec"); !strings.Contains(failure, c.want) {
			t.Errorf("%s: recorded %q, want %q", name, failure, c.want)
		}
		w.reconcile(r, 0)
		w.clock.Pass(2 * time.Hour)
	}
	s.list = func(context.Context, string) (portal.Listing, error) {
		return portal.Listing{}, &portal.Error{Err: &portal.ReportError{Outcome: portal.OutcomeRefused, Status: 403}}
	}
	w.reconcile(r, 1)
	w.clock.Pass(12 * time.Hour)
	w.reconcile(r, 0)
	s.list = nil
	w.clock.Set(night.Add(24 * time.Hour))
	w.reconcile(r, 1)
	if last, failure := w.office("vitec"); last == nil || failure != "" {
		t.Errorf("after it went well: %v, %q", last, failure)
	}
}

// TestReconcileKilled: a worker that stops or dies during the call loses its
// lease and nothing else.
func TestReconcileKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("vitec"))
	w.received("vitec", "1")
	s := &shelf{listed: []string{"vitec"}}
	w.reconcile(w.reconciler(s), 0)
	w.clock.Set(night)
	ctx, stop := context.WithCancel(t.Context())
	s.list = func(ctx context.Context, _ string) (portal.Listing, error) {
		stop()
		<-ctx.Done()
		return portal.Listing{}, ctx.Err()
	}
	w.reconciler(s).Run(ctx)
	s.list = nil
	if _, failure := w.office("vitec"); failure != "" {
		t.Errorf("that the program stopped is recorded as a failure: %q", failure)
	}
	w.reconcile(w.reconciler(s), 0)
	w.clock.Pass(worker.ReconcileLease + time.Second)
	w.reconcile(w.reconciler(s), 1)
	if last, _ := w.office("vitec"); last == nil {
		t.Error("the office is not compared")
	}
}

// TestReconcileByHand: somebody asks, and gets the partner's own refusal.
func TestReconcileByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("vitec"))
	w.received("vitec", "1")
	refusal := errors.New("no answer")
	s := &shelf{listed: []string{"vitec"}, list: func(context.Context, string) (portal.Listing, error) { return portal.Listing{}, refusal }}
	r := w.reconciler(s)
	if _, err := r.Reconcile(t.Context(), "vitec", "M30011", w.erik.Actor()); !errors.Is(err, refusal) {
		t.Errorf("%v, want what the partner says", err)
	}
	if _, failure := w.office("vitec"); failure != "no answer" {
		t.Errorf("recorded %q", failure)
	}
	w.clock.Pass(time.Hour)
	s.list = func(context.Context, string) (portal.Listing, error) {
		return portal.Listing{Orders: []portal.Listed{{OrderID: "2", Status: "Ordered", CreatedAt: w.clock.Now().Add(-time.Hour)}}}, nil
	}
	c, err := r.Reconcile(t.Context(), "vitec", "M30011", w.erik.Actor())
	if err != nil || len(c.Differences) != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := r.Reconcile(t.Context(), "vitec", "M404", w.erik.Actor()); portal.KindOf(err) != portal.NotFound {
		t.Errorf("an office that nobody has ordered from: %v, want NotFound", err)
	}
	if n := s.count(); n != 2 {
		t.Errorf("the partner was asked %d times, want 2", n)
	}
}
