package db_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"portico/internal/portal"
)

// ask has the network of an order's access asked.
func (w *world) ask(id int64, r portal.ActivationRequest) error {
	return w.store.RequestActivation(w.Context(), id, r, w.erik.Actor())
}

// inDays is a day that the network can be asked to act on.
func (w *world) inDays(n int) *time.Time {
	return new(w.clock.now().Truncate(24*time.Hour).AddDate(0, 0, n))
}

// networkAnswers takes a network's answer to the job that waits for one.
func (w *world) networkAnswers(answer portal.ActivationAnswer) {
	w.Helper()
	for {
		jobs, err := w.store.ClaimJobs(w.Context(), "guiden", 1, time.Minute)
		w.must(err)
		if len(jobs) == 0 {
			w.Fatal("no network is asked")
		}
		j := jobs[0]
		if j.Message.Activation != nil {
			w.must(w.store.CompleteActivation(w.Context(), j, answer))
			return
		}
		w.must(w.store.CompleteJob(w.Context(), j, time.Second))
	}
}

func (w *world) activation(id int64) portal.Activation {
	w.Helper()
	list, err := w.store.Activations(w.Context(), id)
	w.must(err)
	if len(list) == 0 {
		w.Fatal("no activation")
	}
	return list[0]
}

// look has a due activation looked at.
func (w *world) look(answer portal.ActivationAnswer) {
	w.Helper()
	a, until, ok, err := w.store.ClaimLook(w.Context(), time.Minute)
	w.must(err)
	if !ok {
		w.Fatal("nothing to look at")
	}
	w.must(w.store.FinishLook(w.Context(), a.ID, until, answer))
}

// ordered is a fetched order that staff have the network of its access asked for.
func ordered(t *testing.T) (*world, int64) {
	t.Helper()
	w := newGuide(t)
	w.poll(ownRules, w.listedAs("1", "new"))
	id := w.fetchedID("1")
	w.must(w.ask(id, portal.ActivationRequest{Operation: portal.Activate}))
	return w, id
}

func TestTheOrderFollowsItsNetwork(t *testing.T) {
	t.Parallel()
	w, id := ordered(t)
	w.wantKind(w.ask(id, portal.ActivationRequest{Operation: portal.Activate}), portal.Conflict)
	w.networkAnswers(portal.ActivationAnswer{NetworkID: "f3f2", State: portal.ActivationAccepted})
	if o := w.order(id); o.State != portal.Active {
		t.Errorf("accepted: %s", o.State)
	}
	if _, _, ok, _ := w.store.ClaimLook(t.Context(), time.Minute); ok {
		t.Error("asked again at once")
	}
	w.clock.advance(time.Minute)
	w.look(portal.ActivationAnswer{State: portal.ActivationInProgress})
	w.clock.advance(time.Minute)
	w.look(portal.ActivationAnswer{State: portal.ActivationDone})
	if a := w.activation(id); a.State != portal.ActivationDone || a.NetworkID != "f3f2" {
		t.Errorf("%+v", a)
	}
	if o := w.order(id); o.State != portal.Delivered {
		t.Errorf("done: %s", o.State)
	}
	w.clock.advance(time.Hour)
	if _, _, ok, _ := w.store.ClaimLook(t.Context(), time.Minute); ok {
		t.Error("asked again after the end")
	}
	var states []portal.State
	for _, m := range w.sendAll() {
		states = append(states, m.State)
	}
	if !slices.Equal(states, []portal.State{portal.Active, portal.Delivered}) {
		t.Errorf("the partner is told %v", states)
	}
}

func TestWhatANetworkCannotHasFailed(t *testing.T) {
	t.Parallel()
	w, id := ordered(t)
	w.networkAnswers(portal.ActivationAnswer{NetworkID: "f3f2", State: portal.ActivationAccepted})
	w.clock.advance(time.Minute)
	w.look(portal.ActivationAnswer{State: portal.ActivationFailed, Message: "Port finns ej"})
	o := w.order(id)
	if o.State != portal.Failed || !o.FollowUp {
		t.Errorf("%s, follow up %t", o.State, o.FollowUp)
	}
	sent := w.sendAll()
	if last := sent[len(sent)-1]; last.State != portal.Failed || last.Comment != "Port finns ej" {
		t.Errorf("sent %+v", last)
	}
	w.must(w.store.FollowUpOrder(t.Context(), id, "Ringde nätet", w.erik.Actor()))
	if w.order(id).FollowUp {
		t.Error("still to be followed up")
	}
	w.wantKind(w.store.FollowUpOrder(t.Context(), id, "", w.erik.Actor()), portal.Conflict)
}

// TestWhatANetworkRefuses stays as it is: a person decides what becomes of it.
func TestWhatANetworkRefuses(t *testing.T) {
	t.Parallel()
	w, id := ordered(t)
	w.networkAnswers(portal.ActivationAnswer{State: portal.ActivationRefused, Message: "Another service is active"})
	o := w.order(id)
	if o.State != portal.Received || !o.FollowUp {
		t.Errorf("%s, follow up %t", o.State, o.FollowUp)
	}
	sent := w.sendAll()
	if len(sent) != 1 || sent[0].Remark != portal.RemarkProblem || sent[0].Comment != "Another service is active" {
		t.Errorf("sent %+v", sent)
	}
	w.must(w.ask(id, portal.ActivationRequest{Operation: portal.Activate}))
}

func TestAnActivationIsLookedAtByOne(t *testing.T) {
	t.Parallel()
	w, id := ordered(t)
	w.networkAnswers(portal.ActivationAnswer{NetworkID: "f3f2", State: portal.ActivationAccepted})
	w.clock.advance(time.Minute)
	a, until, _, err := w.store.ClaimLook(t.Context(), time.Minute)
	w.must(err)
	if _, _, ok, _ := w.store.ClaimLook(t.Context(), time.Minute); ok {
		t.Error("claimed twice")
	}
	w.clock.advance(2 * time.Minute)
	w.look(portal.ActivationAnswer{State: portal.ActivationInProgress})
	if err := w.store.FinishLook(t.Context(), a.ID, until, portal.ActivationAnswer{State: portal.ActivationFailed}); !errors.Is(err, portal.ErrLeaseLost) {
		t.Errorf("who has lost the lease: %v", err)
	}
	w.clock.advance(time.Minute)
	a, until, _, err = w.store.ClaimLook(t.Context(), time.Minute)
	w.must(err)
	w.must(w.store.FailLook(t.Context(), a.ID, until, w.clock.now().Add(time.Hour), "it does not answer"))
	w.clock.advance(59 * time.Minute)
	if _, _, ok, _ := w.store.ClaimLook(t.Context(), time.Minute); ok {
		t.Error("asked again before its time")
	}
	if o := w.order(id); o.State != portal.Active {
		t.Errorf("state %s", o.State)
	}
}

func TestAnActivationIsWithdrawn(t *testing.T) {
	t.Parallel()
	w, id := ordered(t)
	w.wantKind(w.ask(id, portal.ActivationRequest{Operation: portal.Withdraw}), portal.Conflict)
	w.networkAnswers(portal.ActivationAnswer{NetworkID: "f3f2", State: portal.ActivationAccepted})
	w.must(w.ask(id, portal.ActivationRequest{Operation: portal.Withdraw}))
	w.networkAnswers(portal.ActivationAnswer{State: portal.ActivationRefused, Message: "IN_PROGRESS"})
	if a := w.activation(id); a.State != portal.ActivationAccepted {
		t.Errorf("a withdrawal that is refused: %s", a.State)
	}
	w.must(w.ask(id, portal.ActivationRequest{Operation: portal.Withdraw}))
	w.networkAnswers(portal.ActivationAnswer{State: portal.ActivationWithdrawn})
	if a := w.activation(id); a.State != portal.ActivationWithdrawn {
		t.Errorf("withdrawn: %s", a.State)
	}
	w.must(w.ask(id, portal.ActivationRequest{Operation: portal.Activate}))
}

// TestAnActivationIsRescheduled: what the network takes is kept, and what it does
// not changes nothing.
func TestAnActivationIsRescheduled(t *testing.T) {
	t.Parallel()
	w, id := ordered(t)
	to := func(days int) portal.ActivationRequest {
		return portal.ActivationRequest{Operation: portal.Reschedule, WishedFor: w.inDays(days)}
	}
	w.wantKind(w.ask(id, to(7)), portal.Conflict)
	expected := w.clock.now().Add(time.Hour)
	w.networkAnswers(portal.ActivationAnswer{NetworkID: "f3f2", State: portal.ActivationAccepted, ExpectedAt: &expected})
	w.wantKind(w.ask(id, portal.ActivationRequest{Operation: portal.Reschedule}), portal.Invalid)
	day := w.inDays(7)
	w.must(w.ask(id, to(7)))
	w.networkAnswers(portal.ActivationAnswer{NetworkID: "f3f2", State: portal.ActivationAccepted})
	a := w.activation(id)
	if at := a.Request.WishedFor; at == nil || !at.Equal(*day) || a.ExpectedAt != nil || a.State != portal.ActivationAccepted || a.Request.Operation != portal.Activate {
		t.Errorf("rescheduled: %+v", a)
	}
	if got := w.count(`SELECT count(*) FROM activations`); got != 1 {
		t.Errorf("%d activations", got)
	}
	w.clock.advance(59 * time.Minute)
	if _, _, ok, _ := w.store.ClaimLook(t.Context(), time.Minute); ok {
		t.Error("the network is asked about what is a week ahead")
	}
	w.must(w.ask(id, to(9)))
	w.networkAnswers(portal.ActivationAnswer{State: portal.ActivationRefused, Message: "IN_PROGRESS"})
	if again := w.activation(id); !again.Request.WishedFor.Equal(*day) || again.State != portal.ActivationAccepted || again.NetworkID != "f3f2" {
		t.Errorf("refused: %+v", again)
	}
	events, err := w.store.Timeline(t.Context(), id, false)
	w.must(err)
	if e := events[len(events)-1]; e.Kind != portal.EventNetwork || e.Data.Operation != portal.Reschedule || e.Data.Activation != portal.ActivationRefused || e.Data.Body != "IN_PROGRESS" {
		t.Errorf("on the timeline: %+v", e)
	}
	w.must(w.ask(id, to(0)))
	w.clock.advance(2 * time.Hour)
	w.look(portal.ActivationAnswer{State: portal.ActivationDone})
	w.networkAnswers(portal.ActivationAnswer{State: portal.ActivationAccepted})
	if a := w.activation(id); a.State != portal.ActivationDone || !a.Request.WishedFor.Equal(*day) {
		t.Errorf("an answer that came when all was over: %+v", a)
	}
}

// TestWhatIsSkippedIsNotWaitedFor: whoever gives the job up may ask again.
func TestWhatIsSkippedIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	w, id := ordered(t)
	jobs, err := w.store.Jobs(t.Context(), id)
	w.must(err)
	last := jobs[len(jobs)-1]
	w.must(w.store.SkipJob(t.Context(), last.ID, "Gjort för hand", w.erik.Actor()))
	if a := w.activation(id); a.State != portal.ActivationWithdrawn {
		t.Errorf("skipped: %s", a.State)
	}
	w.must(w.ask(id, portal.ActivationRequest{Operation: portal.Activate}))
}

func TestADeliveredAccessIsChangedAndEnded(t *testing.T) {
	t.Parallel()
	w, id := ordered(t)
	w.networkAnswers(portal.ActivationAnswer{NetworkID: "1", State: portal.ActivationDone})
	w.sendAll()
	w.must(w.ask(id, portal.ActivationRequest{Operation: portal.Replace, Service: "AB500", WishedFor: w.inDays(0)}))
	if a := w.activation(id); a.Request.Operation != portal.Replace || a.Request.Service != "AB500" {
		t.Errorf("%+v", a.Request)
	}
	w.networkAnswers(portal.ActivationAnswer{NetworkID: "2", State: portal.ActivationDone})
	w.must(w.ask(id, portal.ActivationRequest{Operation: portal.Deactivate, WishedFor: w.inDays(0)}))
	if a := w.activation(id); a.Request.Service != "AB500" {
		t.Errorf("the service that is there: %+v", a.Request)
	}
	w.networkAnswers(portal.ActivationAnswer{NetworkID: "3", State: portal.ActivationDone})
	if o := w.order(id); o.State != portal.Delivered {
		t.Errorf("state %s", o.State)
	}
	if sent := w.sendAll(); len(sent) > 0 {
		t.Errorf("the partner is told %+v", sent)
	}
}
