package db_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/lib/pq"

	"portico/db"
	"portico/internal/portal"
)

// parked opens an order with two reports, of which the first is parked.
func (w *world) parked(order string) (id int64, first, second portal.Job) {
	w.Helper()
	id = w.pair(order)
	w.must(w.store.ParkJob(w.Context(), w.claimOne(), "400: Id krävs.", false))
	jobs := w.jobs(id)
	return id, jobs[0], jobs[1]
}

// audited returns the last event of an order, which a person caused.
func (w *world) audited(id int64) portal.Event {
	w.Helper()
	events, err := w.store.Timeline(w.Context(), id, false)
	w.must(err)
	return events[len(events)-1]
}

func TestAParkedJobBlocksItsOrderAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, first, _ := w.parked("A")
	w.pair("B")
	w.clock.advance(100 * 24 * time.Hour)
	if diff := cmp.Diff([]string{"B received"}, w.claimed(10)); diff != "" {
		t.Error(diff)
	}
	if first.State != portal.JobParked || first.LastError != "400: Id krävs." || first.FinishedAt != nil {
		t.Errorf("%+v", first)
	}
	events, err := w.store.Timeline(t.Context(), id, false)
	w.must(err)
	last := events[len(events)-1]
	want := portal.EventData{State: portal.Received, Attempt: 1, Body: "400: Id krävs."}
	if last.Kind != portal.EventParked || last.Actor != (portal.Actor{Kind: portal.ActorSystem}) || last.ForBroker || last.Data != want {
		t.Errorf("%+v", last)
	}
}

func TestRetryJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, first, _ := w.parked("A")
	w.clock.advance(time.Hour)
	w.must(w.store.RetryJob(t.Context(), first.ID, w.erik.Actor()))
	want := portal.Event{Kind: portal.EventRetried, Actor: w.erik.Actor(), Data: portal.EventData{State: portal.Received}, CreatedAt: w.clock.now()}
	if diff := cmp.Diff(want, w.audited(id)); diff != "" {
		t.Error(diff)
	}
	job := w.claimOne()
	if job.ID != first.ID || job.Attempt != 1 {
		t.Errorf("claimed %+v, want all attempts again", job)
	}
	w.wantKind(w.store.RetryJob(t.Context(), job.ID, w.erik.Actor()), portal.Conflict) // it runs
	w.must(w.store.CompleteJob(t.Context(), job, time.Second))
	w.wantKind(w.store.RetryJob(t.Context(), job.ID, w.erik.Actor()), portal.Conflict) // it is over
	if diff := cmp.Diff([]string{"A failed"}, w.claimed(10)); diff != "" {
		t.Errorf("what waited behind it:\n%s", diff)
	}
}

func TestRetryReplacesTheAutomaticOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.received("A")
	w.must(w.store.RetryJobLater(t.Context(), w.claimOne(), w.clock.Add(time.Hour), "500", true))
	if jobs := w.claim(10); len(jobs) != 0 {
		t.Fatalf("due before its time: %+v", jobs)
	}
	w.must(w.store.RetryJob(t.Context(), w.jobs(id)[0].ID, w.erik.Actor()))
	job := w.claimOne()
	if job.Attempt != 1 || !job.Message.Uncertain {
		t.Errorf("%+v, want the first attempt, as uncertain as before", job)
	}
	w.must(w.store.CompleteJob(t.Context(), job, time.Second))
	w.clock.advance(2 * time.Hour)
	if jobs := w.claim(10); len(jobs) != 0 || len(w.jobs(id)) != 1 {
		t.Errorf("sent again all the same: %+v", jobs)
	}
}

func TestSkipJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	id, first, second := w.parked("A")
	before := w.dump()
	for _, reason := range []string{"", "a\x00", strings.Repeat("å", portal.MaxBody+1)} {
		w.wantKind(w.store.SkipJob(ctx, first.ID, reason, w.erik.Actor()), portal.Invalid)
	}
	if diff := cmp.Diff(before, w.dump()); diff != "" {
		t.Error(diff)
	}
	w.must(w.store.SkipJob(ctx, first.ID, "Ringde kontoret", w.erik.Actor()))
	want := portal.Event{Kind: portal.EventSkipped, Actor: w.erik.Actor(), CreatedAt: w.clock.now(),
		Data: portal.EventData{State: portal.Received, Body: "Ringde kontoret"}}
	if diff := cmp.Diff(want, w.audited(id)); diff != "" {
		t.Error(diff)
	}
	if got := w.jobs(id)[0]; got.State != portal.JobSkipped || !got.FinishedAt.Equal(w.clock.now()) {
		t.Errorf("%+v", got)
	}
	w.wantKind(w.store.SkipJob(ctx, first.ID, "igen", w.erik.Actor()), portal.Conflict)
	w.wantKind(w.store.RetryJob(ctx, first.ID, w.erik.Actor()), portal.Conflict)
	job := w.claimOne()
	if job.ID != second.ID {
		t.Errorf("claimed %+v, want what waited", job)
	}
	w.wantKind(w.store.SkipJob(ctx, job.ID, "nu", w.erik.Actor()), portal.Conflict) // it runs
}

func TestSkipBehindAParkedJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, first, second := w.parked("A")
	w.must(w.store.SkipJob(t.Context(), second.ID, "Behövs inte", w.erik.Actor()))
	if jobs := w.claim(10); len(jobs) != 0 {
		t.Errorf("the parked one is sent: %+v", jobs)
	}
	w.must(w.store.RetryJob(t.Context(), first.ID, w.erik.Actor()))
	w.must(w.store.CompleteJob(t.Context(), w.claimOne(), time.Second))
	if n, err := w.store.CountUnreported(t.Context()); n != 0 || err != nil {
		t.Errorf("%d unreported, %v; order %d", n, err, id)
	}
}

func TestOnePersonDecides(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, first, _ := w.parked("A")
	done := 0
	for _, err := range parallel(8, func(int) error { return w.store.SkipJob(t.Context(), first.ID, "Ringde", w.erik.Actor()) }) {
		if err == nil {
			done++
		} else {
			w.wantKind(err, portal.Conflict)
		}
	}
	if n := w.count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = 'skipped'`, id); done != 1 || n != 1 {
		t.Errorf("skipped %d times, %d events", done, n)
	}
	for _, err := range []error{w.store.SkipJob(t.Context(), 999, "x", w.erik.Actor()), w.store.RetryJob(t.Context(), 999, w.erik.Actor())} {
		w.wantKind(err, portal.NotFound)
	}
}

func TestBacklog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.mixed()
	if n, err := w.store.CountUnreported(ctx); n != 3 || err != nil {
		t.Errorf("%d unreported, %v", n, err)
	}
	backlog, err := w.store.Backlog(ctx)
	w.must(err)
	now := w.clock.now()
	wantBacklog := []db.Backlog{
		{ConnectionID: "other", State: portal.JobAvailable, Count: 1, Oldest: now.Add(-time.Minute), OldestAge: time.Minute},
		{ConnectionID: "vitec", State: portal.JobAvailable, Count: 1, Oldest: now.Add(-2 * time.Minute), OldestAge: 2 * time.Minute},
		{ConnectionID: "vitec", State: portal.JobParked, Count: 1, Oldest: now.Add(-2 * time.Minute), OldestAge: 2 * time.Minute},
	}
	if diff := cmp.Diff(wantBacklog, backlog); diff != "" {
		t.Error(diff)
	}
}

func TestInteractionLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE connections SET interaction_link = 'callback' WHERE id = 'other'`)
	w.exec(`UPDATE services SET connection_id = 'other' WHERE id = 'skylt'`)
	want := func(service string, want portal.LinkKind) {
		t.Helper()
		if got, err := w.store.InteractionLink(t.Context(), service); got != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", service, got, err, want)
		}
	}
	want("foto", portal.LinkSigned)
	want("skylt", portal.LinkCallback)
	w.exec(`UPDATE services SET flow = 'background' WHERE id = 'skylt'`)
	want("skylt", portal.LinkSigned) // its callback is for machines
	_, err := w.store.InteractionLink(t.Context(), "none")
	w.wantKind(err, portal.NotFound)
}

func TestListenJobs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	wake := w.store.ListenJobs(ctx)
	woken := func(why string) {
		t.Helper()
		select {
		case _, ok := <-wake:
			if !ok {
				t.Fatalf("%s: the channel is closed", why)
			}
		case <-ctx.Done():
			t.Fatalf("%s wakes nobody", why)
		}
	}
	woken("the beginning")
	var id int64
	for _, s := range []struct {
		why string
		do  func()
	}{
		{"a report", func() { id = w.received("A") }},
		{"the next one", func() { w.must(w.store.FailOrder(ctx, id, "Rivet", w.erik.Actor())) }},
		{"an end", func() { w.must(w.store.CompleteJob(ctx, w.claimOne(), time.Second)) }},
		{"a retry by hand", func() { w.must(w.store.RetryJob(ctx, w.jobs(id)[1].ID, w.erik.Actor())) }},
		{"a skip", func() { w.must(w.store.SkipJob(ctx, w.jobs(id)[1].ID, "Ringde", w.erik.Actor())) }},
	} {
		s.do()
		woken(s.why)
	}
	stop()
	for range wake { // closed in the end
	}
}

// TestAFailedChangeWakesNobody: what is notified is committed.
func TestAFailedChangeWakesNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.received("A")
	listener := pq.NewListener(w.url, time.Second, time.Minute, nil)
	defer func() { _ = listener.Close() }()
	w.must(listener.Listen("portico_jobs"))
	w.exec(`CREATE FUNCTION too_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'too late'; END $$`)
	w.exec(`CREATE CONSTRAINT TRIGGER too_late AFTER INSERT ON jobs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION too_late()`)
	if err := w.store.FailOrder(t.Context(), id, "Rivet", w.erik.Actor()); err == nil || !strings.Contains(err.Error(), "too late") {
		t.Fatalf("%v, want the commit to fail", err)
	}
	w.exec(`NOTIFY portico_jobs, 'the end'`)
	if n := <-listener.Notify; n == nil || n.Extra != "the end" {
		t.Errorf("the change that failed has woken somebody: %+v", n)
	}
	w.wantState(id, portal.Received)
}
