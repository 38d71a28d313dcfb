package worker_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
	"portico/internal/worker"
)

func reported(o portal.Outcome, after time.Duration) error {
	return &portal.ReportError{Outcome: o, RetryAfter: after, Err: errors.New("because")}
}

// recorded is what an attempt leaves.
type recorded struct {
	State     portal.JobState
	Attempt   int
	Later     time.Duration // until the next attempt
	Uncertain bool
	Error     string
	Last      portal.EventKind // of the timeline
}

func (w *world) recorded(id int64, state portal.State) recorded {
	w.Helper()
	j := w.job(id, state)
	return recorded{j.State, j.Attempt, j.RunAt.Sub(w.clock.Now()), j.Message.Uncertain, j.LastError, w.last(id)}
}

func TestRecordByOutcome(t *testing.T) {
	t.Parallel()
	again := func(attempt int, later time.Duration, uncertain bool, reason string) recorded {
		return recorded{portal.JobAvailable, attempt, later, uncertain, reason, portal.EventReceived}
	}
	for name, c := range map[string]struct {
		err  error
		want recorded
	}{
		"done":        {nil, recorded{State: portal.JobCompleted, Attempt: 1, Last: portal.EventReported}},
		"refused":     {reported(portal.OutcomeRefused, 0), recorded{portal.JobParked, 1, 0, false, "because", portal.EventParked}},
		"credential":  {reported(portal.OutcomeCredential, 0), again(0, 5*time.Minute+30*time.Second, false, "because")},
		"known until": {reported(portal.OutcomeCredential, 2*time.Minute), again(0, 2*time.Minute+12*time.Second, false, "because")},
		"busy":        {reported(portal.OutcomeBusy, 0), again(0, 33*time.Second, false, "because")},
		"busy for 10": {reported(portal.OutcomeBusy, 10*time.Second), again(0, 11*time.Second, false, "because")},
		"busy a day":  {reported(portal.OutcomeBusy, 24*time.Hour), again(0, 66*time.Minute, false, "because")},
		"busy since":  {reported(portal.OutcomeBusy, -time.Second), again(0, 33*time.Second, false, "because")},
		"failed":      {reported(portal.OutcomeFailed, 0), again(1, 5*time.Second, false, "because")},
		"unknown":     {reported(portal.OutcomeUnknown, 0), again(1, 5*time.Second, true, "because")},
		"wrapped":     {fmt.Errorf("report: %w", reported(portal.OutcomeFailed, 0)), again(1, 5*time.Second, false, "because")},
		"nobody's":    {errors.New("EOF"), again(1, 5*time.Second, true, "EOF")},
		"timeout":     {context.DeadlineExceeded, again(1, 5*time.Second, true, "context deadline exceeded")},
		"new outcome": {reported("surprise", 0), again(1, 5*time.Second, false, "because")},
		"no cause":    {&portal.ReportError{Outcome: portal.OutcomeUnknown}, again(1, 5*time.Second, true, "unknown")},
		"long": {errors.New(strings.Repeat("ö", 800)),
			again(1, 5*time.Second, true, strings.Repeat("ö", 500))},
		"cut in a letter": {errors.New("x" + strings.Repeat("ö", 800)),
			again(1, 5*time.Second, true, "x"+strings.Repeat("ö", 499))},
		"not storable": {errors.New("a\x00b\xffc"), again(1, 5*time.Second, true, "abc")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, connection("one"))
			w.runner.Reporters = partner(func(context.Context, portal.Message) error { return c.err })
			id := w.received("one", "B1")
			w.once(1)
			if diff := cmp.Diff(c.want, w.recorded(id, portal.Received)); diff != "" {
				t.Error(diff)
			}
			w.once(0) // whatever it was, not again at once
		})
	}
}

func TestAPanicIsUnknown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("one"))
	w.runner.Reporters = partner(func(context.Context, portal.Message) error { panic("a nil map") })
	id := w.received("one", "B1")
	w.once(1)
	want := recorded{portal.JobAvailable, 1, 5 * time.Second, true, "report panicked: a nil map", portal.EventReceived}
	if diff := cmp.Diff(want, w.recorded(id, portal.Received)); diff != "" {
		t.Error(diff)
	}
}

// broken is a set-up that lacks what a report needs.
type broken struct{ err error }

func (b broken) Reporter(context.Context, string) (worker.Reporter, error) { return nil, b.err }

func (b broken) Link(context.Context, portal.Message) (string, error) { return "", b.err }

func TestOurOwnFaultSpendsNoAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("one"))
	id := w.received("one", "B1")
	w.runner.Reporters = broken{errors.New("unknown system")}
	w.once(1)
	want := recorded{portal.JobAvailable, 0, 66 * time.Second, false, "unknown system", portal.EventReceived}
	if diff := cmp.Diff(want, w.recorded(id, portal.Received)); diff != "" {
		t.Errorf("no reporter:\n%s", diff)
	}
	w.clock.Pass(66 * time.Second)
	var calls []portal.State
	w.runner.Reporters = partner(func(_ context.Context, m portal.Message) error { calls = append(calls, m.State); return nil })
	w.once(1)
	w.ask(id)
	w.runner.Links = broken{errors.New("no base address")}
	w.once(1)
	want = recorded{portal.JobAvailable, 0, 66 * time.Second, false, "no base address", portal.EventAsked}
	if diff := cmp.Diff(want, w.recorded(id, portal.Waiting)); diff != "" {
		t.Errorf("no link:\n%s", diff)
	}
	if diff := cmp.Diff([]portal.State{portal.Received}, calls); diff != "" {
		t.Errorf("reported without a link:\n%s", diff)
	}
}

// TestOnceUncertainUncertain: after an attempt that may have arrived, only the
// partner's no makes it certain again.
func TestOnceUncertainUncertain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		second error
		want   bool
	}{
		"unknown":    {reported(portal.OutcomeUnknown, 0), true},
		"failed":     {reported(portal.OutcomeFailed, 0), true},
		"busy":       {reported(portal.OutcomeBusy, 0), true},
		"credential": {reported(portal.OutcomeCredential, 0), true},
		"refused":    {reported(portal.OutcomeRefused, 0), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, connection("one"))
			id := w.received("one", "B1")
			opened := w.clock.Now()
			var seen []bool
			w.runner.Reporters = partner(func(_ context.Context, m portal.Message) error {
				seen = append(seen, m.Uncertain)
				if !m.Since.Equal(opened) {
					t.Errorf("since %v, want when it happened: %v", m.Since, opened)
				}
				if len(seen) == 1 {
					return reported(portal.OutcomeUnknown, 0)
				}
				return c.second
			})
			w.once(1)
			w.clock.Pass(5 * time.Second)
			w.once(1)
			if diff := cmp.Diff([]bool{false, true}, seen); diff != "" {
				t.Errorf("the reporter is told:\n%s", diff)
			}
			if got := w.job(id, portal.Received).Message.Uncertain; got != c.want {
				t.Errorf("uncertain: %v, want %v", got, c.want)
			}
		})
	}
}

func TestTenAttempts(t *testing.T) {
	t.Parallel()
	for _, outcome := range []portal.Outcome{portal.OutcomeFailed, portal.OutcomeUnknown} {
		t.Run(string(outcome), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, connection("one"))
			calls := 0
			w.runner.Reporters = partner(func(context.Context, portal.Message) error { calls++; return reported(outcome, 0) })
			id, started := w.received("one", "B1"), w.clock.Now()
			uncertain := outcome == portal.OutcomeUnknown
			for attempt, next := range []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
				10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour} {
				w.once(1)
				want := recorded{portal.JobAvailable, attempt + 1, next, uncertain, "because", portal.EventReceived}
				if diff := cmp.Diff(want, w.recorded(id, portal.Received)); diff != "" {
					t.Fatal(diff)
				}
				w.clock.Pass(next - time.Microsecond)
				w.once(0)
				w.clock.Pass(time.Microsecond)
			}
			w.once(1)
			got := w.recorded(id, portal.Received)
			got.Later = 0
			if diff := cmp.Diff(recorded{portal.JobParked, 10, 0, uncertain, "because", portal.EventParked}, got); diff != "" {
				t.Error(diff)
			}
			if took := w.clock.Now().Sub(started); took.Truncate(time.Hour) != 75*time.Hour || calls != 10 {
				t.Errorf("%d calls in %v", calls, took)
			}
			w.clock.Pass(1000 * time.Hour)
			w.once(0)
		})
	}
}

func TestJitter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rand                     float64
		failed, busy, credential time.Duration
	}{
		{0, 4 * time.Second, 10 * time.Second, 5 * time.Minute},
		{0.25, 4500 * time.Millisecond, 10500 * time.Millisecond, 5*time.Minute + 15*time.Second},
		{0.75, 5500 * time.Millisecond, 11500 * time.Millisecond, 5*time.Minute + 45*time.Second},
		{1, 6 * time.Second, 12 * time.Second, 6 * time.Minute}, // never quite
	} {
		t.Run(fmt.Sprint(c.rand), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, connection("one"))
			answers := map[string]error{"failed": reported(portal.OutcomeFailed, 0), "busy": reported(portal.OutcomeBusy, 10*time.Second),
				"credential": reported(portal.OutcomeCredential, 0)}
			w.runner.Reporters = partner(func(_ context.Context, m portal.Message) error { return answers[m.PartnerOrderID] })
			w.runner.Rand = func() float64 { return c.rand }
			ids := map[string]int64{}
			for order := range answers {
				ids[order] = w.received("one", order)
			}
			w.once(3)
			for order, want := range map[string]time.Duration{"failed": c.failed, "busy": c.busy, "credential": c.credential} {
				if got := w.recorded(ids[order], portal.Received).Later; got != want {
					t.Errorf("%s: again in %v, want %v", order, got, want)
				}
			}
		})
	}
}

// TestEachAttemptHasALinkOfItsOwn: a signed link is not stored, so it cannot be
// sent again; and only a question carries one.
func TestEachAttemptHasALinkOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("one"))
	var messages []portal.Message
	w.runner.Reporters = partner(func(ctx context.Context, m portal.Message) error {
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > worker.CallTimeout {
			t.Errorf("the call may take until %v", deadline)
		}
		messages = append(messages, m)
		if m.State == portal.Waiting && !m.Uncertain {
			return reported(portal.OutcomeUnknown, 0)
		}
		return nil
	})
	id := w.received("one", "B1")
	w.once(1)
	w.ask(id)
	w.once(1)
	w.clock.Pass(5 * time.Second)
	w.once(1)
	w.deliver(id)
	w.once(1)
	if len(messages) != 4 || messages[0].URL != "" || messages[3].URL != "" || messages[1].URL == messages[2].URL {
		t.Fatalf("messages %+v", messages)
	}
	for _, m := range messages[1:3] {
		token := strings.TrimPrefix(m.URL, "https://portal.example/visit/")
		if v, err := w.store.VisitByToken(t.Context(), token); err != nil || v.OrderID != id || !v.Live {
			t.Errorf("the link %s leads to %+v, %v", m.URL, v, err)
		}
		if strings.Contains(w.log.String(), token) {
			t.Error("the log holds a link")
		}
	}
}

// TestACallEndsBeforeItsLease: what counts is when the claim began, however
// long it took and whatever the worker has done since.
func TestACallEndsBeforeItsLease(t *testing.T) {
	t.Parallel()
	if worker.Lease < worker.CallTimeout+worker.RecordTimeout {
		t.Errorf("a lease of %v, a call of %v and its record of %v", worker.Lease, worker.CallTimeout, worker.RecordTimeout)
	}
	w := newWorld(t, connection("one"))
	w.received("one", "B1")
	store := &timed{Store: w.store}
	w.runner.Store = store
	w.runner.Reporters = partner(func(ctx context.Context, _ portal.Message) error {
		if deadline, ok := ctx.Deadline(); !ok || deadline.After(store.claimed.Add(worker.CallTimeout)) {
			t.Errorf("claimed at %v, called until %v", store.claimed, deadline)
		}
		return nil
	})
	w.once(1)
}

// timed says when a claim began.
type timed struct {
	*db.Store
	claimed time.Time
}

func (s *timed) ClaimJobs(ctx context.Context, connection string, n int, lease time.Duration) ([]portal.Job, error) {
	s.claimed = time.Now()
	return s.Store.ClaimJobs(ctx, connection, n, lease)
}

// TestAJobThatKillsItsWorkersEnds: parked without another call.
func TestAJobThatKillsItsWorkersEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("one"))
	id := w.received("one", "B1")
	for range portal.Backoff {
		jobs, err := w.store.ClaimJobs(t.Context(), "one", 1, worker.Lease)
		if len(jobs) != 1 || err != nil {
			t.Fatalf("%+v, %v", jobs, err)
		}
		w.clock.Pass(worker.Lease + time.Second)
	}
	w.runner.Reporters = partner(func(context.Context, portal.Message) error {
		t.Error("called once more")
		return nil
	})
	w.once(1)
	if j := w.job(id, portal.Received); j.State != portal.JobParked || j.Attempt != len(portal.Backoff) || j.LastError != "the last attempt was cut off" {
		t.Errorf("%+v", j)
	}
	w.once(0)
}

// TestAttemptsAreKept: with what the partner answered, whatever the outcome.
func TestAttemptsAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, connection("one"))
	id := w.received("one", "B1")
	w.runner.Reporters = partner(func(context.Context, portal.Message) error {
		return &portal.ReportError{Outcome: portal.OutcomeBusy, Status: 503, Answer: "senare", Err: errors.New("503")}
	})
	w.once(1)
	jobs, err := w.store.Jobs(t.Context(), id)
	w.must(err)
	want := []portal.Attempt{{StartedAt: w.clock.Now(), Outcome: portal.OutcomeBusy, Receipt: portal.Receipt{Status: 503, Answer: "senare"}, Error: "503"}}
	if diff := cmp.Diff(want, jobs[0].Attempts); diff != "" {
		t.Error(diff)
	}
}
