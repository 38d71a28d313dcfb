package worker_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/partner/vitec"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
	"portico/internal/worker"
	"portico/internal/worldtest"
)

// siege is a world with a real partner's client and the partner's fake behind
// it, whose log is the judge: what counts is what arrived there.
type siege struct {
	*world
	fake   *vitectest.Server
	client *vitec.Client
}

func newSiege(t *testing.T, timeout time.Duration) *siege {
	t.Helper()
	start := worldtest.NewClock(time.Date(2026, 11, 24, 9, 12, 0, 0, time.UTC))
	fake := vitectest.Start(t, vitectest.Options{Now: start.Now})
	raw := strings.Replace(string(fake.Connection("vitec", fake.URL)), "{", `{"rate":{"concurrent":64,"per_second":1000},`, 1)
	configured, faults := vitec.Configure([]byte(raw))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	s := &siege{world: newWorld(t, configured), fake: fake}
	s.clock, s.store.Now = start, start.Now
	var err error
	s.client, err = vitec.New(configured, vitec.Options{Timeout: timeout, Log: slog.New(slog.NewJSONHandler(s.log, nil))})
	s.must(err)
	s.runner = s.newRunner(direct{s.client})
	return s
}

// direct is the client itself, whatever connection is asked for.
type direct struct{ *vitec.Client }

func (d direct) Reporter(context.Context, string) (worker.Reporter, error) { return d.Client, nil }

// order makes an order at the partner that is received here at once.
func (s *siege) order(id string) int64 {
	s.Helper()
	s.fake.NewOrder(vitectest.Order{ID: id, Office: "M30011"})
	return s.received("vitec", id)
}

func (s *siege) wantStatuses(order string, want ...string) {
	s.Helper()
	if diff := cmp.Diff(want, s.fake.Statuses(order)); diff != "" {
		s.Errorf("statuses of %s at the partner:\n%s", order, diff)
	}
}

func (s *siege) wantCalls(op vitectest.Op, want int) {
	s.Helper()
	if got := s.fake.Count(op); got != want {
		s.Errorf("%d calls of %q, want %d", got, op, want)
	}
}

func (s *siege) wantNothingLeft() {
	s.Helper()
	if n, err := s.store.CountUnreported(s.Context()); n != 0 || err != nil {
		s.Errorf("%d jobs are left, %v", n, err)
	}
}

// lapse waits until every lease has run out.
func (s *siege) lapse() { s.clock.Pass(worker.Lease + time.Second) }

// dying is the store of a worker that is killed before it records: what it
// means to write never reaches the database.
type dying struct{ *db.Store }

var errKilled = errors.New("killed")

func (dying) CompleteJob(context.Context, portal.Job, time.Duration) error { return errKilled }
func (dying) RetryJobLater(context.Context, portal.Job, time.Time, string, bool) error {
	return errKilled
}
func (dying) SnoozeJob(context.Context, portal.Job, time.Time, string) error { return errKilled }
func (dying) ParkJob(context.Context, portal.Job, string, bool) error        { return errKilled }

// dies lets a worker send what is due and be killed before the record.
func (s *siege) dies(n int) {
	s.Helper()
	doomed := s.newRunner(s.runner.Reporters)
	doomed.Store = dying{s.store}
	if got, err := doomed.RunOnce(s.Context()); got != n || err != nil {
		s.Fatalf("the doomed worker took %d jobs, %v; want %d", got, err, n)
	}
	s.once(0) // the lease still holds
	s.lapse()
}

func TestKilledBetweenAnswerAndRecord(t *testing.T) {
	t.Parallel()
	for _, deaths := range []int{1, 3} {
		t.Run(fmt.Sprint(deaths), func(t *testing.T) {
			t.Parallel()
			s := newSiege(t, 0)
			id := s.order("B1")
			for range deaths {
				s.dies(1)
			}
			s.once(1)
			s.wantStatuses("B1", "OrderReceived")
			s.wantCalls(vitectest.OpStatus, 1)
			s.deliver(id)
			for range deaths {
				s.dies(1)
			}
			s.once(1)
			s.wantStatuses("B1", "OrderReceived", "Delivered")
			s.wantCalls(vitectest.OpStatus, 2)
			s.wantCalls(vitectest.OpList, 2*deaths)
			s.wantNothingLeft()
			if j := s.job(id, portal.Delivered); j.Attempt != deaths+1 || j.State != portal.JobCompleted {
				t.Errorf("%+v", j)
			}
		})
	}
}

// TestAKilledQuestionIsAskedAgain: a question cannot be read back, so it may be
// seen twice and is never lost.
func TestAKilledQuestionIsAskedAgain(t *testing.T) {
	t.Parallel()
	s := newSiege(t, 0)
	id := s.order("B1")
	s.once(1)
	s.ask(id)
	s.dies(1)
	s.once(1)
	asked := s.fake.Interactions("B1")
	if len(asked) != 2 || asked[0].Comment != "Vilken dag?" || asked[1].Comment != "Vilken dag?" {
		t.Fatalf("asked %+v", asked)
	}
	for _, a := range asked { // whichever of the two the broker follows
		v, err := s.store.VisitByToken(t.Context(), strings.TrimPrefix(a.URL, "https://portal.example/visit/"))
		if err != nil || v.OrderID != id || !v.Live {
			t.Errorf("%s leads to %+v, %v", a.URL, v, err)
		}
	}
	s.wantNothingLeft()
}

func TestKilledBetweenClaimAndCall(t *testing.T) {
	t.Parallel()
	s := newSiege(t, 0)
	id := s.order("B1")
	jobs, err := s.store.ClaimJobs(t.Context(), "vitec", 4, worker.Lease)
	if len(jobs) != 1 || err != nil {
		t.Fatalf("%+v, %v", jobs, err)
	}
	s.once(0)
	s.lapse()
	s.once(1)
	s.wantStatuses("B1", "OrderReceived")
	s.wantCalls(vitectest.OpList, 1) // for all that the second knows, it may have arrived
	s.deliver(id)
	s.once(1)
	s.wantStatuses("B1", "OrderReceived", "Delivered")
	s.wantNothingLeft()
}

// TestTheOneThatWasTakenForDead wakes up after another has done its work.
func TestTheOneThatWasTakenForDead(t *testing.T) {
	t.Parallel()
	s := newSiege(t, 0)
	id := s.order("B1")
	wakes, ended := make(chan struct{}), make(chan struct{})
	asleep := s.newRunner(partner(func(ctx context.Context, m portal.Message) error {
		_, err := s.client.Report(ctx, m)
		<-wakes
		return errors.Join(err, reported(portal.OutcomeRefused, 0))
	}))
	taken := make(chan struct{})
	asleep.Store = tell{s.store, taken}
	go func() {
		defer close(ended)
		_, _ = asleep.RunOnce(t.Context())
	}()
	<-taken
	s.lapse()
	s.once(1)
	close(wakes)
	<-ended
	if j := s.job(id, portal.Received); j.State != portal.JobCompleted || j.LastError != "" || s.last(id) != portal.EventReported {
		t.Errorf("overwritten by the one who lost the lease: %+v, last %s", j, s.last(id))
	}
	if !strings.Contains(s.log.String(), "lease lost") {
		t.Error("the log does not say that a lease was lost")
	}
}

// tell says when a claim has been committed.
type tell struct {
	*db.Store
	claimed chan struct{}
}

func (s tell) ClaimJobs(ctx context.Context, connection string, n int, lease time.Duration) ([]portal.Job, error) {
	jobs, err := s.Store.ClaimJobs(ctx, connection, n, lease)
	close(s.claimed)
	return jobs, err
}

func TestAFaultOnTheWay(t *testing.T) {
	t.Parallel()
	for kind, c := range map[vitectest.FaultKind]struct {
		calls, reads int
		parked       bool
	}{
		vitectest.FaultStoredDrop:   {calls: 1, reads: 1},
		vitectest.FaultStoredHang:   {calls: 1, reads: 1},
		vitectest.FaultStoredError:  {calls: 1, reads: 1},
		vitectest.FaultTruncated:    {calls: 1, reads: 1},
		vitectest.FaultDrop:         {calls: 2, reads: 1},
		vitectest.FaultServerError:  {calls: 2, reads: 1},
		vitectest.FaultHTML:         {calls: 2, reads: 1},
		vitectest.FaultRedirect:     {calls: 2, reads: 1},
		vitectest.FaultTooMany:      {calls: 2},
		vitectest.FaultUnavailable:  {calls: 2},
		vitectest.FaultUnauthorized: {calls: 2},
		vitectest.FaultForbidden:    {calls: 2},
		vitectest.FaultBadRequest:   {calls: 2, parked: true},
		vitectest.FaultNotFound:     {calls: 2, parked: true},
		vitectest.FaultFalse:        {calls: 2, parked: true},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			timeout := time.Duration(0)
			if kind == vitectest.FaultStoredHang {
				timeout = 300 * time.Millisecond // how long the client waits for an answer
			}
			s := newSiege(t, timeout)
			id := s.order("B1")
			s.deliver(id)
			s.fake.SetFault(vitectest.OpStatus, vitectest.Fault{Kind: kind, Times: 1})
			s.once(1)
			if j := s.job(id, portal.Received); (j.State == portal.JobParked) != c.parked || j.State.Final() {
				t.Fatalf("after the fault: %+v", j)
			}
			if c.parked {
				s.clock.Pass(100 * time.Hour)
				s.once(0) // nothing overtakes
				s.must(s.store.RetryJob(t.Context(), s.job(id, portal.Received).ID, s.erik.Actor()))
			}
			s.clock.Pass(10 * time.Minute)
			s.once(1)
			s.wantStatuses("B1", "OrderReceived")
			s.wantCalls(vitectest.OpStatus, c.calls)
			s.wantCalls(vitectest.OpList, c.reads)
			s.once(1)
			s.wantStatuses("B1", "OrderReceived", "Delivered")
			s.wantNothingLeft()
		})
	}
}

func TestManyWorkersOneOutbox(t *testing.T) {
	t.Parallel()
	s := newSiege(t, 0)
	const orders = 24
	for i := range orders {
		s.deliver(s.order(fmt.Sprint("B", i)))
	}
	var group sync.WaitGroup
	for range 3 {
		r := s.newRunner(s.runner.Reporters)
		group.Go(func() {
			for {
				left, err := s.store.CountUnreported(t.Context())
				if err == nil && left > 0 {
					_, err = r.RunOnce(t.Context())
				}
				if err != nil {
					t.Error(err)
				}
				if err != nil || left == 0 {
					return
				}
			}
		})
	}
	group.Wait()
	for i := range orders {
		s.wantStatuses(fmt.Sprint("B", i), "OrderReceived", "Delivered")
	}
	s.wantCalls(vitectest.OpList, 0)
}

// chaos is a partner's way that goes wrong as each order's seed says: calls
// fail, answers get lost, workers are killed before they record.
type chaos struct {
	*siege
	mu    sync.Mutex // one call at a time: each has faults of its own
	seeds map[string]*rand.Rand
}

// badDays are the faults to draw from. None is hidden from a client for good.
var badDays = []vitectest.FaultKind{vitectest.FaultDrop, vitectest.FaultStoredDrop, vitectest.FaultStoredError, vitectest.FaultTruncated,
	vitectest.FaultTooMany, vitectest.FaultUnavailable, vitectest.FaultServerError, vitectest.FaultHTML, vitectest.FaultUnauthorized,
	vitectest.FaultBadRequest, vitectest.FaultFalse, vitectest.FaultRedirect}

func (c *chaos) Reporter(context.Context, string) (worker.Reporter, error) { return c, nil }

func (c *chaos) Report(ctx context.Context, m portal.Message) (portal.Receipt, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	seed := c.seeds[m.PartnerOrderID]
	for _, op := range []vitectest.Op{vitectest.OpStatus, vitectest.OpInteraction, vitectest.OpList} {
		if seed.IntN(2) == 0 {
			c.fake.SetFault(op, vitectest.Fault{Kind: badDays[seed.IntN(len(badDays))], Times: 1})
		}
	}
	defer c.fake.ClearFaults()
	return c.client.Report(ctx, m)
}

// mortal is a store that some records do not reach.
type mortal struct {
	*db.Store
	c *chaos
}

func (s mortal) CompleteJob(ctx context.Context, j portal.Job, took time.Duration) error {
	s.c.mu.Lock()
	killed := s.c.seeds[j.Message.PartnerOrderID].IntN(4) == 0
	s.c.mu.Unlock()
	if killed {
		return errKilled
	}
	return s.Store.CompleteJob(ctx, j, took)
}

// TestNothingIsLostAndNothingOvertakes sends received, a question and delivered
// of many orders through chaos. A seed always leads to the same faults.
func TestNothingIsLostAndNothingOvertakes(t *testing.T) {
	t.Parallel()
	const seeds = 40
	s := newSiege(t, 0)
	c := &chaos{siege: s, seeds: map[string]*rand.Rand{}}
	s.runner.Reporters, s.runner.Store = c, mortal{s.store, c}
	for seed := range uint64(seeds) {
		order := fmt.Sprint("B", seed)
		c.seeds[order] = rand.New(rand.NewPCG(seed, 0))
		id := s.order(order)
		s.ask(id)
		s.deliver(id)
	}
	s.weather()
	if faults := faultsIn(s.fake.Log()); faults < seeds {
		t.Errorf("only %d faults: nothing was tested", faults)
	}
	for seed := range seeds {
		order := fmt.Sprint("B", seed)
		if diff := cmp.Diff([]string{"OrderReceived", "UserInteraction", "Delivered"}, firstArrivals(s.fake.Log(), order)); diff != "" {
			t.Errorf("seed %d, first arrivals:\n%s", seed, diff)
		}
		s.wantStatuses(order, "OrderReceived", "Delivered") // what can be read back is seen once
	}
}

// weather works until everything is reported; staff send again what is parked.
func (s *siege) weather() {
	s.Helper()
	for range 2000 {
		n, err := s.runner.RunOnce(s.Context())
		s.must(err)
		if n > 0 {
			continue
		}
		list, err := s.store.Outbox(s.Context(), db.OutboxFilter{Limit: 1000})
		s.must(err)
		if len(list.Rows) == 0 {
			return
		}
		for _, u := range list.Rows {
			if u.Job.State == portal.JobParked {
				s.must(s.store.RetryJob(s.Context(), u.Job.ID, s.erik.Actor()))
			}
		}
		s.clock.Pass(30 * time.Minute)
	}
	s.Fatal("the outbox does not get empty")
}

func faultsIn(log []vitectest.Request) int {
	n := 0
	for _, r := range log {
		if r.Fault != "" {
			n++
		}
	}
	return n
}

// firstArrivals returns what an order's partner saw, each thing once, in order.
func firstArrivals(log []vitectest.Request, order string) []string {
	var seen []string
	known := map[string]bool{}
	for _, r := range log {
		if !r.Stored || !strings.Contains(r.Body, `"id":"`+order+`"`) {
			continue
		}
		what := "UserInteraction"
		for _, status := range []string{"OrderReceived", "Delivered"} {
			if strings.Contains(r.Body, `"status":"`+status+`"`) {
				what = status
			}
		}
		if !known[what] {
			known[what] = true
			seen = append(seen, what)
		}
	}
	return seen
}
