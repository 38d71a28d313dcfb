package db_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
)

const (
	issued    = portal.StepPolicyIssued
	activated = portal.StepPolicyActivated
)

// insured opens an order of an insurance, which the partner has been told is received.
func (w *world) insured(order string) int64 {
	w.Helper()
	s := worldSetup()
	svc := portal.Service{ID: "forsikring", ConnectionID: "vitec", Flow: portal.FlowPage, Auth: portal.AuthToken, Insurance: true}
	s.Services = append(s.Services, svc)
	apply(w.T, w.store, s)
	id := w.open("forsikring", ticket("M1", order)).ID
	w.must(w.store.CompleteJob(w.Context(), w.claimOne(), time.Second))
	return id
}

// TestTakeStep: step, timeline and message are stored together, and the state
// stays as it is.
func TestTakeStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.insured("A")
	w.must(w.store.DeliverOrder(t.Context(), id, delivery("a"), w.erik.Actor()))
	for _, step := range portal.Steps {
		w.must(w.store.TakeStep(t.Context(), id, step, w.erik.Actor()))
	}
	o := w.order(id)
	if diff := cmp.Diff(portal.Steps, o.Steps); diff != "" || o.State != portal.Delivered || !o.Service.Insurance {
		t.Errorf("%s, insurance %t\n%s", o.State, o.Service.Insurance, diff)
	}
	want := []portal.EventKind{portal.EventOpened, portal.EventReceived, portal.EventReported, portal.EventDelivered,
		portal.EventPolicyIssued, portal.EventPolicyActivated}
	if diff := cmp.Diff(want, w.kinds(id)); diff != "" {
		t.Error(diff)
	}
	var told []portal.Message
	for _, j := range w.jobs(id)[1:] {
		told = append(told, portal.Message{State: j.Message.State, Step: j.Message.Step})
	}
	if diff := cmp.Diff([]portal.Message{{State: portal.Delivered}, {State: portal.Delivered, Step: issued},
		{State: portal.Delivered, Step: activated}}, told); diff != "" {
		t.Error(diff)
	}
	other := w.received("B")
	before := w.dump()
	w.wantKind(w.store.TakeStep(t.Context(), id, activated, w.erik.Actor()), portal.Conflict)
	w.wantKind(w.store.TakeStep(t.Context(), id, "refunded", w.erik.Actor()), portal.Invalid)
	w.wantKind(w.store.TakeStep(t.Context(), other, issued, w.erik.Actor()), portal.Conflict)
	if diff := cmp.Diff(before, w.dump()); diff != "" {
		t.Errorf("refused, and yet:\n%s", diff)
	}
}

// TestAStepIsTakenOnce, however many take it at once.
func TestAStepIsTakenOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.insured("A")
	taken := 0
	for _, err := range parallel(8, func(int) error { return w.store.TakeStep(t.Context(), id, issued, w.erik.Actor()) }) {
		if err == nil {
			taken++
			continue
		}
		w.wantKind(err, portal.Conflict)
	}
	if jobs := len(w.jobs(id)); taken != 1 || jobs != 2 {
		t.Errorf("taken %d times, %d messages", taken, jobs)
	}
}

// TestWhatIsToldOfAStep: what became of its message names the step on the timeline.
func TestWhatIsToldOfAStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.insured("A")
	w.must(w.store.TakeStep(t.Context(), id, issued, w.erik.Actor()))
	by := w.erik.Actor()
	w.must(w.store.ParkJob(t.Context(), w.claimOne(), "400", false))
	job := w.jobs(id)[1].ID
	w.must(w.store.RetryJob(t.Context(), job, by))
	w.must(w.store.ParkJob(t.Context(), w.claimOne(), "400", false))
	w.decided(w.store.RetryJobs(t.Context(), db.OutboxFilter{Jobs: []int64{job}}, by))
	w.must(w.store.CompleteJob(t.Context(), w.claimOne(), time.Second))
	w.must(w.store.TakeStep(t.Context(), id, activated, by))
	w.must(w.store.SkipJob(t.Context(), w.jobs(id)[2].ID, "De vet", by))
	events, err := w.store.Timeline(t.Context(), id, false)
	w.must(err)
	type line struct {
		kind portal.EventKind
		step portal.Step
	}
	var got []line
	for _, e := range events[3:] { // after opened, received and that reported
		if e.Data.Step != "" && e.Data.State != portal.Received {
			t.Errorf("%s while %q", e.Kind, e.Data.State)
		}
		got = append(got, line{e.Kind, e.Data.Step})
	}
	want := []line{{portal.EventPolicyIssued, ""}, {portal.EventParked, issued}, {portal.EventRetried, issued}, {portal.EventParked, issued},
		{portal.EventRetried, issued}, {portal.EventReported, issued}, {portal.EventPolicyActivated, ""}, {portal.EventSkipped, activated}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(line{})); diff != "" {
		t.Error(diff)
	}
}
