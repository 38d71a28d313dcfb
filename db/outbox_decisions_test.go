package db_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
)

// park makes n orders whose reports are parked, a second apart, and returns
// orders and jobs.
func (w *world) park(n int) (orders, jobs []int64) {
	w.Helper()
	for i := range n {
		w.clock.advance(time.Second)
		id := w.received(fmt.Sprintf("P%d", i))
		job := w.claimOne()
		w.must(w.store.ParkJob(w.Context(), job, "400", false))
		orders, jobs = append(orders, id), append(jobs, job.ID)
	}
	return orders, jobs
}

func (w *world) decided(got db.Decided, err error) db.Decided {
	w.Helper()
	w.must(err)
	return got
}

// TestRetryJobsSpreadsThem: a herd that wakes does not come at once, the oldest
// comes first, and each order says who woke it.
func TestRetryJobsSpreadsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	orders, _ := w.park(5)
	w.exec(`UPDATE jobs SET payload = payload || '{"step": "policy_issued"}' WHERE order_id = $1`, orders[4])
	w.clock.advance(time.Hour)
	if got := w.decided(w.store.RetryJobs(t.Context(), db.OutboxFilter{}, w.erik.Actor())); got != (db.Decided{Done: 5}) {
		t.Errorf("%+v", got)
	}
	now := w.clock.now()
	for i, id := range orders {
		j := w.jobs(id)[0]
		if wait := j.RunAt.Sub(now); j.State != portal.JobAvailable || j.Attempt != 0 || j.LastError != "" || wait != time.Duration(i)*4*time.Second {
			t.Errorf("%d: %+v, in %v", i, j, wait)
		}
		want := portal.Event{Kind: portal.EventRetried, Actor: w.erik.Actor(), Data: portal.EventData{State: portal.Received, Step: j.Message.Step}, CreatedAt: now}
		if diff := cmp.Diff(want, w.audited(id)); diff != "" {
			t.Error(diff)
		}
	}
	if got := w.decided(w.store.RetryJobs(t.Context(), db.OutboxFilter{}, w.erik.Actor())); got != (db.Decided{Left: 5}) {
		t.Errorf("what is about to be sent: %+v", got)
	}
}

func TestRetryJobsOfOneSendsItAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, jobs := w.park(3)
	if got := w.decided(w.store.RetryJobs(t.Context(), db.OutboxFilter{Jobs: jobs[1:2]}, w.erik.Actor())); got != (db.Decided{Done: 1}) {
		t.Errorf("%+v", got)
	}
	if j := w.claimOne(); j.ID != jobs[1] || j.Attempt != 1 {
		t.Errorf("%+v", j)
	}
}

// TestRetryJobsLeavesTheOthers: of a choice, what is being sent, is over, has not
// been tried or does not exist stays as it is, and is counted.
func TestRetryJobsLeavesTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	_, jobs := w.park(2) // the second is over when the press arrives
	w.must(w.store.SkipJob(ctx, jobs[1], "Ringde", w.erik.Actor()))
	w.received("running")
	running := w.claimOne()
	w.received("later")
	later := w.claimOne()
	w.must(w.store.SnoozeJob(ctx, later, w.clock.Add(time.Hour), "401"))
	fresh := w.jobs(w.received("fresh"))[0]
	chosen := append(jobs, running.ID, later.ID, fresh.ID, 999, jobs[0])
	if got := w.decided(w.store.RetryJobs(ctx, db.OutboxFilter{Jobs: chosen}, w.erik.Actor())); got != (db.Decided{Done: 2, Left: 4}) {
		t.Errorf("%+v", got)
	}
	if n := w.count(`SELECT count(*) FROM events WHERE kind = 'retried'`); n != 2 {
		t.Errorf("%d events", n)
	}
	w.must(w.store.CompleteJob(ctx, running, time.Second)) // still its worker's
}

func TestRetryJobsOfAFilter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.park(2)
	w.open("annan", ticket("M2", "C"))
	w.exec(`UPDATE jobs SET last_error = '500', attempt = 3, run_at = run_at + interval '1 hour' WHERE connection_id = 'other'`)
	if got := w.decided(w.store.RetryJobs(t.Context(), db.OutboxFilter{Connection: "other", Kind: db.OutboxParked}, w.erik.Actor())); got != (db.Decided{}) {
		t.Errorf("%+v", got)
	}
	if got := w.decided(w.store.RetryJobs(t.Context(), db.OutboxFilter{Office: "M2"}, w.erik.Actor())); got != (db.Decided{Done: 1}) {
		t.Errorf("%+v", got)
	}
	if n := w.count(`SELECT count(*) FROM jobs WHERE state = 'parked'`); n != 2 {
		t.Errorf("%d are still parked", n)
	}
}

// TestRetryJobsSendsWhatIsCounted: what is said to be sent again is what is, and
// what is said to be left for a decision about each is left.
func TestRetryJobsSendsWhatIsCounted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		filter db.OutboxFilter
		want   db.OutboxCounts
	}{
		"all":               {db.OutboxFilter{}, db.OutboxCounts{Parked: 6, Waiting: 3, Retryable: 4, Undecided: 3}},
		"parked":            {db.OutboxFilter{Kind: db.OutboxParked}, db.OutboxCounts{Parked: 6, Waiting: 3, Retryable: 3, Undecided: 3}},
		"waiting":           {db.OutboxFilter{Kind: db.OutboxWaiting}, db.OutboxCounts{Parked: 6, Waiting: 3, Retryable: 1}},
		"undecided alone":   {db.OutboxFilter{Office: "M2"}, db.OutboxCounts{Parked: 1, Undecided: 1}},
		"of one connection": {db.OutboxFilter{Connection: "other"}, db.OutboxCounts{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSealedWorld(t)
			w.park(1)
			w.received("doubted") // a report may come twice
			w.must(w.store.ParkJob(t.Context(), w.claimOne(), "timeout", true))
			w.exhausted(seller())
			elsewhere := seller()
			elsewhere.Customer = "M2"
			doubts := []string{w.uncertain(seller()), w.uncertain(seller()), w.uncertain(elsewhere)}
			w.received("tried")
			w.must(w.store.RetryJobLater(t.Context(), w.claimOne(), w.clock.Add(10*time.Hour), "500", false))
			w.lead(seller())
			w.claimOne()
			w.clock.advance(2 * time.Minute)
			if j := w.claimOne(); !j.Message.Uncertain { // being sent: nobody can decide about it now
				t.Fatalf("%+v", j)
			}
			w.received("fresh")
			if got, err := w.store.CountOutbox(t.Context(), c.filter); got != c.want || err != nil {
				t.Errorf("counted %+v, %v; want %+v", got, err, c.want)
			}
			if got := w.decided(w.store.RetryJobs(t.Context(), c.filter, w.erik.Actor())); got.Done != c.want.Retryable {
				t.Errorf("%+v, want %d sent again", got, c.want.Retryable)
			}
			for _, id := range doubts {
				w.wantLead(id, portal.LeadUncertain, portal.JobParked)
			}
		})
	}
}

func TestSkipJobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	orders, jobs := w.park(2)
	_, err := w.store.SkipJobs(ctx, jobs, "", w.erik.Actor())
	w.wantKind(err, portal.Invalid)
	w.received("running")
	running := w.claimOne()
	if got := w.decided(w.store.SkipJobs(ctx, append(slices.Clone(jobs), running.ID), "Ringde kontoret", w.erik.Actor())); got != (db.Decided{Done: 2, Left: 1}) {
		t.Errorf("%+v", got)
	}
	for _, id := range orders {
		want := portal.Event{Kind: portal.EventSkipped, Actor: w.erik.Actor(), CreatedAt: w.clock.now(),
			Data: portal.EventData{State: portal.Received, Body: "Ringde kontoret"}}
		if diff := cmp.Diff(want, w.audited(id)); diff != "" {
			t.Error(diff)
		}
		if j := w.jobs(id)[0]; j.State != portal.JobSkipped || !j.FinishedAt.Equal(w.clock.now()) {
			t.Errorf("%+v", j)
		}
	}
	if got := w.decided(w.store.SkipJobs(ctx, jobs, "igen", w.erik.Actor())); got != (db.Decided{Left: 2}) {
		t.Errorf("%+v", got)
	}
}

// TestDecisionsAtOnce: each job is decided about once, and nobody waits for
// another or is refused.
func TestDecisionsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, jobs := w.park(20)
	for _, err := range parallel(8, func(i int) error {
		if i%2 == 0 {
			_, err := w.store.RetryJobs(t.Context(), db.OutboxFilter{}, w.erik.Actor())
			return err
		}
		_, err := w.store.SkipJobs(t.Context(), jobs, "Ringde", w.erik.Actor())
		return err
	}) {
		w.must(err)
	}
	skipped := w.count(`SELECT count(*) FROM jobs WHERE state = 'skipped'`)
	if told := w.count(`SELECT count(*) FROM events WHERE kind = 'skipped'`); skipped != told {
		t.Errorf("%d skipped, %d events", skipped, told)
	}
	if told, once := w.count(`SELECT count(*) FROM events WHERE kind = 'retried'`), w.count(`SELECT count(DISTINCT order_id) FROM events WHERE kind = 'retried'`); told != once {
		t.Errorf("%d events for %d that were tried again", told, once)
	}
}
