package db_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

// pair is an order with two reports: received, and then failed.
func (w *world) pair(order string) int64 {
	w.Helper()
	id := w.received(order)
	w.must(w.store.FailOrder(w.Context(), id, "Rivet", w.erik.Actor()))
	return id
}

// claimed names what is claimed: order and state.
func (w *world) claimed(n int) []string {
	w.Helper()
	var names []string
	for _, j := range w.claim(n) {
		names = append(names, j.Message.PartnerOrderID+" "+string(j.Message.State))
	}
	slices.Sort(names) // a claim has no order within itself
	return names
}

func TestClaimOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, order := range []string{"A", "B", "C", "D"} {
		w.received(order)
	}
	// What is due for longest comes first, and of two at once the older job.
	w.exec(`UPDATE jobs SET run_at = run_at - interval '1 minute' WHERE payload ->> 'partner_order_id' = 'C'`)
	w.exec(`UPDATE jobs SET run_at = run_at + interval '1 minute' WHERE payload ->> 'partner_order_id' = 'A'`)
	for i, want := range [][]string{{"C received"}, {"B received"}, {"D received"}, nil} {
		if diff := cmp.Diff(want, w.claimed(1)); diff != "" {
			t.Errorf("claim %d:\n%s", i, diff)
		}
	}
	w.clock.advance(time.Minute)
	if diff := cmp.Diff([]string{"A received"}, w.claimed(1)); diff != "" {
		t.Error(diff)
	}
}

func TestClaimIsOfOneConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.received("A")
	w.open("annan", ticket("M1", "B"))
	due, err := w.store.ConnectionsDue(t.Context())
	if diff := cmp.Diff([]string{"other", "vitec"}, due); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{"A received"}, w.claimed(10)); diff != "" {
		t.Error(diff)
	}
	if due, err = w.store.ConnectionsDue(t.Context()); !slices.Equal(due, []string{"other"}) || err != nil {
		t.Errorf("due: %v, %v", due, err)
	}
	w.clock.advance(time.Minute + time.Second) // the lease is over
	if due, err = w.store.ConnectionsDue(t.Context()); !slices.Equal(due, []string{"other", "vitec"}) || err != nil {
		t.Errorf("due: %v, %v", due, err)
	}
}

func TestReportsOfAnOrderTakeTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.pair("A")
	w.pair("B")
	first := w.claim(10)
	if len(first) != 2 || first[0].Message.State != portal.Received || first[1].Message.State != portal.Received {
		t.Fatalf("claimed %+v, want both received", first)
	}
	if diff := cmp.Diff([]string(nil), w.claimed(10)); diff != "" {
		t.Errorf("while received is on its way:\n%s", diff)
	}
	w.must(w.store.RetryJobLater(t.Context(), first[0], w.clock.Add(time.Hour), "500", false))
	w.must(w.store.CompleteJob(t.Context(), first[1], time.Second))
	if diff := cmp.Diff([]string{first[1].Message.PartnerOrderID + " failed"}, w.claimed(10)); diff != "" {
		t.Errorf("one is done and the other is to be sent again:\n%s", diff)
	}
	if due, err := w.store.ConnectionsDue(t.Context()); err != nil || len(due) != 0 {
		t.Errorf("what waits for an earlier one makes %v look due, %v", due, err)
	}
}

func TestClaimTakesWhatItIsAskedFor(t *testing.T) {
	t.Parallel()
	for _, forbidden := range [][]string{nil, {"enable_hashjoin", "enable_mergejoin", "enable_hashagg", "enable_sort", "enable_material", "enable_memoize"}} {
		t.Run(fmt.Sprint(len(forbidden)), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for i := range 12 {
				w.received(fmt.Sprint("B", i))
			}
			w.exec(`ANALYZE jobs`)
			u, err := url.Parse(w.url)
			w.must(err)
			query := u.Query()
			for _, name := range forbidden {
				query.Set(name, "off")
			}
			u.RawQuery = query.Encode()
			w.store, _ = openStore(t, u.String(), nil)
			if got := w.claim(5); len(got) != 5 {
				t.Errorf("%d jobs, want 5", len(got))
			}
			if got := w.claim(10); len(got) != 7 {
				t.Errorf("%d jobs, want the other 7", len(got))
			}
		})
	}
}

// TestAClaimWaitsForNobody: a row that somebody else works on is passed over.
func TestAClaimWaitsForNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.received("A")
	w.received("B")
	tx, err := w.raw.Begin()
	w.must(err)
	defer func() { _ = tx.Rollback() }()
	_, err = tx.Exec(`SELECT FROM jobs WHERE payload ->> 'partner_order_id' = 'A' FOR UPDATE`)
	w.must(err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	jobs, err := w.store.ClaimJobs(ctx, "vitec", 10, time.Minute)
	if err != nil || len(jobs) != 1 || jobs[0].Message.PartnerOrderID != "B" {
		t.Errorf("%+v, %v; want B alone", jobs, err)
	}
}

func TestEightClaimAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const orders = 30
	for i := range orders {
		w.pair(fmt.Sprint("B", i))
	}
	got := make(chan portal.Job, 2*orders)
	for _, err := range parallel(8, func(int) error {
		for {
			jobs, err := w.store.ClaimJobs(context.Background(), "vitec", 3, time.Minute)
			if err != nil || len(jobs) == 0 {
				return err
			}
			for _, j := range jobs {
				got <- j
			}
		}
	}) {
		w.must(err)
	}
	close(got)
	seen := map[int64]bool{}
	for j := range got {
		if seen[j.ID] || j.Message.State != portal.Received || j.Attempt != 1 {
			t.Errorf("job %d %s, attempt %d, claimed before: %v", j.ID, j.Message.State, j.Attempt, seen[j.ID])
		}
		seen[j.ID] = true
	}
	if len(seen) != orders {
		t.Errorf("%d jobs were claimed, want %d", len(seen), orders)
	}
}

func TestLeaseRunsOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.received("A")
	first := w.claimOne()
	if first.Attempt != 1 || first.Message.Uncertain || first.State != portal.JobRunning {
		t.Errorf("first claim: %+v", first)
	}
	w.clock.advance(time.Minute - time.Microsecond)
	if got := w.claim(10); len(got) != 0 {
		t.Errorf("claimed at the lease's last moment: %+v", got)
	}
	w.clock.advance(time.Microsecond)
	second := w.claimOne()
	if second.ID != first.ID || second.Attempt != 2 || !second.Message.Uncertain {
		t.Errorf("second claim: %+v", second)
	}
	w.must(w.store.SnoozeJob(t.Context(), second, w.clock.now(), "busy"))
	third := w.claimOne()
	if third.Attempt != 2 || !third.Message.Uncertain {
		t.Errorf("a snooze does not make it certain: %+v", third)
	}
	w.must(w.store.RetryJobLater(t.Context(), third, w.clock.now(), "not there", false))
	if fourth := w.claimOne(); fourth.Attempt != 3 || fourth.Message.Uncertain {
		t.Errorf("what was read is certain: %+v", fourth)
	}
}

// ends are the ways to record an attempt.
func (w *world) ends(j portal.Job) map[string]func() error {
	ctx, later := w.Context(), w.clock.Add(time.Hour)
	return map[string]func() error{
		"complete": func() error { return w.store.CompleteJob(ctx, j, time.Second) },
		"retry":    func() error { return w.store.RetryJobLater(ctx, j, later, "late", false) },
		"snooze":   func() error { return w.store.SnoozeJob(ctx, j, later, "late") },
		"park":     func() error { return w.store.ParkJob(ctx, j, "late", false) },
	}
}

func (w *world) wantLost(when string, j portal.Job) {
	w.Helper()
	before := w.dump()
	for name, end := range w.ends(j) {
		if err := end(); !errors.Is(err, portal.ErrLeaseLost) {
			w.Errorf("%s: %s: %v, want ErrLeaseLost", when, name, err)
		}
	}
	if diff := cmp.Diff(before, w.dump()); diff != "" {
		w.Errorf("%s:\n%s", when, diff)
	}
}

func TestALostLeaseCannotRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, id := t.Context(), w.received("A")
	lapse := func() { w.clock.advance(time.Minute + time.Second) }
	first := w.claimOne()
	lapse()
	second := w.claimOne()
	w.wantLost("another has it", first)
	w.must(w.store.SnoozeJob(ctx, second, w.clock.now(), "busy"))
	w.wantLost("another has snoozed it", first)
	w.wantLost("it has snoozed it itself", second)
	third := w.claimOne()
	if third.Attempt != second.Attempt {
		t.Fatalf("attempt %d, want the one given back", third.Attempt)
	}
	w.wantLost("a third has the attempt that was given back", first)
	w.must(w.store.ParkJob(ctx, third, "refused", false))
	w.wantLost("parked", first)
	w.wantLost("parked by itself", third)
	w.clock.advance(time.Second)
	w.must(w.store.RetryJob(ctx, third.ID, w.erik.Actor()))
	w.wantLost("to be sent again", first)
	fourth := w.claimOne()
	if fourth.Attempt != first.Attempt {
		t.Fatalf("attempt %d, want all attempts again", fourth.Attempt)
	}
	w.wantLost("a person has started the attempts anew", first)
	w.wantLost("and has done so since the third", third)
	w.must(w.store.CompleteJob(ctx, fourth, time.Second))
	w.wantLost("completed", first)
	w.wantLost("completed by itself", fourth)
	w.must(w.store.FailOrder(ctx, id, "Rivet", w.erik.Actor()))
	skipped := w.claimOne()
	w.must(w.store.SnoozeJob(ctx, skipped, w.clock.now(), "busy"))
	w.must(w.store.SkipJob(ctx, skipped.ID, "Ringde", w.erik.Actor()))
	w.wantLost("skipped", skipped)
	w.wantLost("no job", portal.Job{ID: skipped.ID, Attempt: 99})
}

func TestRecordOfNoJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, end := range w.ends(portal.Job{ID: 999, Attempt: 1}) {
		if err := end(); !errors.Is(err, portal.ErrLeaseLost) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARecordIsMadeOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.received("A")
	job := w.claimOne()
	done := 0
	for _, err := range parallel(8, func(int) error { return w.store.CompleteJob(t.Context(), job, time.Second) }) {
		if err == nil {
			done++
		} else if !errors.Is(err, portal.ErrLeaseLost) {
			t.Error(err)
		}
	}
	if n := w.count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = 'reported'`, id); done != 1 || n != 1 {
		t.Errorf("recorded %d times, %d events", done, n)
	}
	got := w.jobs(id)[0]
	if got.State != portal.JobCompleted || !got.FinishedAt.Equal(w.clock.now()) || got.LastError != "" {
		t.Errorf("%+v", got)
	}
}

func TestCompletedIsOnTheTimelineOfStaff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.received("A")
	w.must(w.store.RetryJobLater(t.Context(), w.claimOne(), w.clock.now(), "500", false))
	w.must(w.store.CompleteJob(t.Context(), w.claimOne(), 1200*time.Millisecond))
	events, err := w.store.Timeline(t.Context(), id, false)
	w.must(err)
	want := portal.Event{Kind: portal.EventReported, Actor: portal.Actor{Kind: portal.ActorPartner}, CreatedAt: w.clock.now(),
		Data: portal.EventData{State: portal.Received, Attempt: 2, Took: 1200 * time.Millisecond}}
	if diff := cmp.Diff(want, events[len(events)-1]); diff != "" {
		t.Error(diff)
	}
}

func TestClaimBeyondTheLastAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.pair("A")
	w.received("B")
	w.exec(`UPDATE jobs SET max_attempts = 3`)
	for attempt := range 3 {
		if jobs := w.claim(10); len(jobs) != 2 || jobs[0].Attempt != attempt+1 {
			t.Fatalf("claim %d: %+v", attempt+1, jobs)
		}
		w.clock.advance(time.Minute + time.Second) // the job kills its worker
	}
	last := w.claim(10)
	if len(last) != 2 || last[0].Attempt <= last[0].MaxAttempts {
		t.Fatalf("the fourth claim, to park them: %+v", last)
	}
	for _, j := range last {
		w.must(w.store.ParkJob(t.Context(), j, "cut off", j.Message.Uncertain))
	}
	jobs := w.jobs(id)
	if jobs[0].State != portal.JobParked || jobs[0].Attempt != 3 || !jobs[0].Message.Uncertain || jobs[1].State != portal.JobAvailable {
		t.Errorf("jobs %+v", jobs)
	}
	if n := w.count(`SELECT count(*) FROM events WHERE kind = 'parked' AND actor_kind = 'system' AND created_at = $1`, w.clock.now()); n != 2 {
		t.Errorf("%d parked events, want 2", n)
	}
	if jobs := w.claim(10); len(jobs) != 0 || w.count(`SELECT count(*) FROM events WHERE kind = 'parked'`) != 2 {
		t.Errorf("parked twice; claimed %+v", jobs)
	}
}

func TestPayloadHoldsNoLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.asked("A", "Tisdag", "Onsdag")
	var payload string
	w.must(w.raw.QueryRow(`SELECT payload FROM jobs WHERE payload ->> 'state' = 'waiting'`).Scan(&payload))
	for _, bad := range []string{"url", "http", "token", "visit", "uncertain", "since"} {
		if strings.Contains(strings.ToLower(payload), bad) {
			t.Errorf("the payload holds %q: %s", bad, payload)
		}
	}
}

func TestJobConstraints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.received("A")
	now := w.clock.now()
	for set, constraint := range map[string]string{
		`state = 'running'`:                      "jobs_leased_until",
		`leased_until = $1`:                      "jobs_leased_until",
		`state = 'completed'`:                    "jobs_finished_at",
		`state = 'skipped'`:                      "jobs_finished_at",
		`finished_at = $1`:                       "jobs_finished_at",
		`state = 'parked', finished_at = $1`:     "jobs_finished_at",
		`state = 'parked', leased_until = $1`:    "jobs_leased_until",
		`state = 'lost', last_error = $1::text`:  "jobs_state_check",
		`kind = 'mail', last_error = $1::text`:   "jobs_kind",
		`state = 'completed', leased_until = $1`: "jobs_",
	} {
		args := []any{}
		if strings.Contains(set, "$1") {
			args = append(args, now)
		}
		if _, err := w.raw.Exec(`UPDATE jobs SET `+set, args...); err == nil || !strings.Contains(err.Error(), constraint) {
			t.Errorf("%s: %v, want %s to refuse it", set, err, constraint)
		}
	}
	_, err := w.raw.Exec(`INSERT INTO jobs (kind, state, connection_id, subject, order_id, unique_key, payload, max_attempts, run_at, created_at)
		SELECT kind, state, connection_id, subject, order_id, unique_key, payload, max_attempts, run_at, created_at FROM jobs`)
	if err == nil || !strings.Contains(err.Error(), "jobs_unique_key") {
		t.Errorf("the same change is reported twice: %v", err)
	}
}

// TestEveryAttemptIsKept: also those that gave their number back.
func TestEveryAttemptIsKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.received("A")
	made := []portal.Attempt{
		{Took: 15 * time.Second, Outcome: portal.OutcomeUnknown, Error: "timeout"},
		{Took: 20 * time.Millisecond, Outcome: portal.OutcomeBusy, Receipt: portal.Receipt{Status: 429, Answer: `{"message":"vänta"}`}, Error: "429"},
		{Took: 214 * time.Millisecond, Outcome: portal.OutcomeDone, Receipt: portal.Receipt{Status: 200, Answer: "true"}},
	}
	for i := range made {
		job := w.claim(1)[0]
		made[i].StartedAt = w.clock.now()
		job.Attempts = []portal.Attempt{made[i]}
		switch i {
		case 0:
			w.must(w.store.RetryJobLater(t.Context(), job, w.clock.now(), "timeout", true))
		case 1:
			w.must(w.store.SnoozeJob(t.Context(), job, w.clock.now(), "429"))
		case 2:
			w.must(w.store.CompleteJob(t.Context(), job, made[i].Took))
		}
	}
	jobs, err := w.store.Jobs(t.Context(), id)
	w.must(err)
	if len(jobs) != 1 {
		t.Fatalf("%d jobs", len(jobs))
	}
	if diff := cmp.Diff(made, jobs[0].Attempts); diff != "" {
		t.Error(diff)
	}
}
