package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/db"
	"portico/internal/portal"
	"portico/internal/worker"
)

// patience is how long a test waits for what ought to happen at once.
const patience = 30 * time.Second

// desk is a partner whose calls end when the test says so.
type desk struct {
	t       *testing.T
	arrived chan string // the partner's order id
	mu      sync.Mutex
	held    map[string]chan struct{}
	ctx     map[string]context.Context
}

// newDesk returns a desk that holds the calls about some orders.
func newDesk(t *testing.T, held ...string) *desk {
	d := &desk{t: t, arrived: make(chan string, 100), held: map[string]chan struct{}{}, ctx: map[string]context.Context{}}
	for _, order := range held {
		d.held[order] = make(chan struct{})
	}
	return d
}

func (d *desk) Reporter(context.Context, string) (worker.Reporter, error) { return d, nil }

func (d *desk) Report(ctx context.Context, m portal.Message) (portal.Receipt, error) {
	d.mu.Lock()
	held := d.held[m.PartnerOrderID]
	d.ctx[m.PartnerOrderID] = ctx
	d.mu.Unlock()
	d.arrived <- m.PartnerOrderID
	if held != nil {
		<-held
	}
	return portal.Receipt{}, nil
}

func (d *desk) release(order string) { close(d.held[order]) }

// wait waits for the calls about orders, in whatever sequence.
func (d *desk) wait(orders ...string) {
	d.t.Helper()
	missing := map[string]bool{}
	for _, order := range orders {
		missing[order] = true
	}
	for timeout := time.After(patience); len(missing) > 0; {
		select {
		case order := <-d.arrived:
			if !missing[order] {
				d.t.Fatalf("a call about %s, wanted %v", order, missing)
			}
			delete(missing, order)
		case <-timeout:
			d.t.Fatalf("no call about %v", missing)
		}
	}
}

// running is a runner that runs until stop is called.
type running struct {
	t     *testing.T
	stop  context.CancelFunc
	wake  chan struct{}
	ended chan struct{}
}

func (w *world) run(r worker.Reporters) *running {
	ctx, stop := context.WithCancel(w.Context())
	run := &running{t: w.T, stop: stop, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	w.runner.Reporters = r
	go func() {
		defer close(run.ended)
		w.runner.Run(ctx, run.wake)
	}()
	return run
}

// wait waits for the runner's end.
func (r *running) wait() {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(patience):
		r.t.Fatal("the runner does not end")
	}
}

func (w *world) wantCompleted(want bool, ids ...int64) {
	w.Helper()
	for _, id := range ids {
		if j := w.job(id, portal.Received); (j.State == portal.JobCompleted) != want {
			w.Errorf("order %d: the job is %s; completed %v", id, j.State, want)
		}
	}
}

func TestASlowConnectionHoldsBackNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("slow"), connection("swift"))
	var held []string
	for i := range worker.PerConnection {
		held = append(held, fmt.Sprint("slow", i))
		w.received("slow", held[i])
	}
	d := newDesk(t, held...)
	run := w.run(d)
	d.wait(held...) // all that this connection may have at once
	first := w.received("swift", "first")
	run.wake <- struct{}{}
	d.wait("first")
	w.received("slow", "more")
	second := w.received("swift", "second")
	run.wake <- struct{}{}
	d.wait("second") // and "more" is not called about
	for _, order := range held {
		d.release(order)
	}
	d.wait("more")
	run.stop()
	run.wait()
	w.wantCompleted(true, first, second)
}

func TestASlowCallHoldsBackNoOtherOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("one"))
	stuck := w.received("one", "stuck")
	d := newDesk(t, "stuck")
	run := w.run(d)
	d.wait("stuck")
	other := w.received("one", "other")
	run.wake <- struct{}{}
	d.wait("other")
	d.release("stuck")
	run.stop()
	run.wait()
	w.wantCompleted(true, stuck, other)
}

// TestWakeWhileAllAreAtWork: what becomes due then is sent as soon as one is free.
func TestWakeWhileAllAreAtWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("one"))
	var held []string
	for i := range worker.PerConnection {
		held = append(held, fmt.Sprint("B", i))
		w.received("one", held[i])
	}
	d := newDesk(t, held...)
	run := w.run(d)
	d.wait(held...)
	w.received("one", "more")
	run.wake <- struct{}{}
	run.wake <- struct{}{} // taken: the first has been looked after
	d.release(held[0])
	d.wait("more")
	for _, order := range held[1:] {
		d.release(order)
	}
	run.stop()
	run.wait()
}

// stage is a store on which the test says when the runner looks, and when a
// worker that found nothing hears of it.
type stage struct {
	*db.Store
	look  chan struct{} // one value lets the runner look once
	empty chan struct{} // a claim came back empty
	hear  chan struct{}
}

func (s *stage) ConnectionsDue(ctx context.Context) ([]string, error) {
	select {
	case <-s.look:
		return s.Store.ConnectionsDue(ctx)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *stage) ClaimJobs(ctx context.Context, connection string, n int, lease time.Duration) ([]portal.Job, error) {
	jobs, err := s.Store.ClaimJobs(ctx, connection, n, lease)
	if len(jobs) == 0 {
		s.empty <- struct{}{}
		<-s.hear
	}
	return jobs, err
}

// TestDueAfterTheyLooked: every worker has just found nothing when something
// becomes due. Nobody comes to tell them again.
func TestDueAfterTheyLooked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("one"))
	s := &stage{Store: w.store, look: make(chan struct{}), empty: make(chan struct{}, 100), hear: make(chan struct{})}
	w.runner.Store = s
	w.received("one", "first")
	d := newDesk(t)
	run := w.run(d)
	s.look <- struct{}{}
	d.wait("first")
	for range worker.PerConnection {
		<-s.empty
	}
	w.received("one", "late")
	run.wake <- struct{}{}
	s.look <- struct{}{}
	run.wake <- struct{}{}
	run.wake <- struct{}{} // the buffer holds one: the look before has been acted on
	close(s.hear)
	d.wait("late")
	run.stop()
	run.wait()
}

func TestAtMostSoManyAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("one"))
	const jobs = 3 * worker.PerConnection
	for i := range jobs {
		w.received("one", fmt.Sprint("B", i))
	}
	var mu sync.Mutex
	now, most, done := 0, 0, 0
	full, all := make(chan struct{}), make(chan struct{})
	run := w.run(partner(func(context.Context, portal.Message) error {
		mu.Lock()
		if now++; now == worker.PerConnection && most < now {
			close(full)
		}
		most = max(most, now)
		mu.Unlock()
		<-full // no call ends before as many run as there may be
		mu.Lock()
		defer mu.Unlock()
		now--
		if done++; done == jobs {
			close(all)
		}
		return nil
	}))
	select {
	case <-all:
	case <-time.After(patience):
		t.Error("not all were sent")
	}
	run.stop()
	run.wait()
	if most != worker.PerConnection {
		t.Errorf("%d calls at once, want %d", most, worker.PerConnection)
	}
}

func TestRunStopsCleanly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("one"))
	id := w.received("one", "B1")
	w.deliver(id)
	d := newDesk(t, "B1")
	run := w.run(d)
	d.wait("B1")
	run.stop()
	run.wake <- struct{}{}
	select {
	case <-run.ended:
		t.Error("stopped with a call in flight")
	default:
	}
	d.mu.Lock()
	if err := d.ctx["B1"].Err(); err != nil {
		t.Errorf("the call was cut off: %v", err)
	}
	d.mu.Unlock()
	d.release("B1")
	run.wait()
	w.wantCompleted(true, id)
	if j := w.job(id, portal.Delivered); j.State != portal.JobAvailable || j.Attempt != 0 {
		t.Errorf("begun after the stop: %+v", j)
	}
}

// TestWhatIsClaimedDuringAStopIsGivenBack: at once, as if it had never been claimed.
func TestWhatIsClaimedDuringAStopIsGivenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("one"))
	id := w.received("one", "B1")
	ctx, stop := context.WithCancel(t.Context())
	w.runner.Store = stopping{w.store, stop}
	w.runner.Reporters = partner(func(context.Context, portal.Message) error {
		t.Error("called after the stop")
		return nil
	})
	if _, err := w.runner.RunOnce(ctx); err != nil {
		t.Fatal(err)
	}
	if j := w.job(id, portal.Received); j.State != portal.JobAvailable || j.Attempt != 0 || j.Message.Uncertain {
		t.Errorf("%+v", j)
	}
}

// stopping is the store of a program that is stopped during a claim.
type stopping struct {
	*db.Store
	stop func()
}

func (s stopping) ClaimJobs(ctx context.Context, connection string, n int, lease time.Duration) ([]portal.Job, error) {
	s.stop()
	return s.Store.ClaimJobs(ctx, connection, n, lease)
}

// TestAStopDoesNotWaitForEver: a call that does not end is cut off, and what
// became of it is unknown.
func TestAStopDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("one"))
	w.runner.Grace = time.Millisecond
	id := w.received("one", "B1")
	called := make(chan struct{})
	run := w.run(partner(func(ctx context.Context, _ portal.Message) error {
		close(called)
		<-ctx.Done()
		return ctx.Err()
	}))
	<-called
	run.stop()
	run.wait()
	if j := w.job(id, portal.Received); j.State != portal.JobAvailable || j.Attempt != 1 || !j.Message.Uncertain {
		t.Errorf("cut off: %+v", j)
	}
}

func TestRunOnNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("one"))
	run := w.run(newDesk(t))
	run.wake <- struct{}{}
	run.stop()
	run.wait()
}

// TestANotificationMayBeLost: the tick finds what nobody was told of, even
// after the channel has been closed.
func TestANotificationMayBeLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("one"))
	d := newDesk(t)
	run := w.run(d)
	close(run.wake)
	w.received("one", "B1")
	d.wait("B1")
	run.stop()
	run.wait()
}

// flaky is a store that does not answer at first.
type flaky struct {
	*db.Store
	mu     sync.Mutex
	fails  map[string]int
	failed chan string
}

func (f *flaky) fail(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails[what] == 0 {
		return nil
	}
	f.fails[what]--
	f.failed <- what
	return errors.New("the database does not answer")
}

func (f *flaky) ConnectionsDue(ctx context.Context) ([]string, error) {
	if err := f.fail("due"); err != nil {
		return nil, err
	}
	return f.Store.ConnectionsDue(ctx)
}

func (f *flaky) ClaimJobs(ctx context.Context, connection string, n int, lease time.Duration) ([]portal.Job, error) {
	if err := f.fail("claim"); err != nil {
		return nil, err
	}
	return f.Store.ClaimJobs(ctx, connection, n, lease)
}

func TestTheRunnerOutlivesItsDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("one"))
	store := &flaky{Store: w.store, fails: map[string]int{"due": 1, "claim": worker.PerConnection}, failed: make(chan string, 10)}
	w.runner.Store = store
	id := w.received("one", "B1")
	d := newDesk(t)
	run := w.run(d)
	for range 1 + worker.PerConnection {
		select {
		case run.wake <- struct{}{}:
			<-store.failed
		case <-store.failed:
		case <-time.After(patience):
			t.Fatal("the runner has stopped looking")
		}
	}
	d.wait("B1")
	run.stop()
	run.wait()
	w.wantCompleted(true, id)
	for _, says := range []string{"look for due jobs", "claim jobs", "the database does not answer"} {
		if !strings.Contains(w.log.String(), says) {
			t.Errorf("the log does not say %q", says)
		}
	}
	if _, err := (&worker.Runner{Store: &flaky{fails: map[string]int{"due": 1}, failed: make(chan string, 1)}}).RunOnce(t.Context()); err == nil {
		t.Error("RunOnce does not say that it could not look")
	}
}
