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

// office is a test that plays a partner who takes leads: each call ends as the
// test says, and what arrives is counted.
type office struct {
	end   func() (portal.Receipt, error)
	calls int
	other int // messages about orders
}

func (o *office) Reporter(context.Context, string) (worker.Reporter, error) { return o, nil }

func (o *office) Report(_ context.Context, m portal.Message) (portal.Receipt, error) {
	if m.LeadID == 0 {
		o.other++
		return portal.Receipt{Status: 200}, nil
	}
	o.calls++
	return o.end()
}

func arrives() (portal.Receipt, error) { return portal.Receipt{Status: 200, LeadID: "480001"}, nil }

func ends(e portal.ReportError) func() (portal.Receipt, error) {
	return func() (portal.Receipt, error) { return portal.Receipt{}, &e }
}

// leadWorld is a world with a lead that is to be sent.
type leadWorld struct {
	*world
	office *office
	id     string
}

func newLeadWorld(t *testing.T, end func() (portal.Receipt, error)) *leadWorld {
	t.Helper()
	w := &leadWorld{world: newWorld(t, connection("one")), office: &office{end: end}}
	w.runner = w.newRunner(w.office)
	var err error
	w.id, err = w.store.CreateLead(t.Context(), portal.Lead{ConnectionID: "one", Customer: "M30011", State: portal.LeadQueued,
		FirstName: "Åsa", LastName: "Säljarsson", Message: "Vill sälja.", SourceID: "17", PersonalNumber: "19811218-9876"}, "form", w.erik.Actor())
	w.must(err)
	return w
}

func (w *leadWorld) lead() db.StoredLead {
	w.Helper()
	l, err := w.store.Lead(w.Context(), w.id)
	w.must(err)
	return l
}

func (w *leadWorld) want(calls int, lead portal.LeadState, job portal.JobState) {
	w.Helper()
	if l := w.lead(); w.office.calls != calls || l.State != lead || l.Job.State != job {
		w.Errorf("%d calls, the lead is %s and its job %s, want %d, %s and %s", w.office.calls, l.State, l.Job.State, calls, lead, job)
	}
	for _, canary := range []string{"Säljarsson", "811218-9876", "8112189876"} {
		if strings.Contains(w.log.String(), canary) {
			w.Errorf("%s is in the log:\n%s", canary, w.log)
		}
	}
}

// run lets the runner do whatever is due.
func (w *leadWorld) run() {
	w.Helper()
	_, err := w.runner.RunOnce(w.Context())
	w.must(err)
}

func TestHowALeadEnds(t *testing.T) {
	t.Parallel()
	answer := errors.New("POST /Lead: 400")
	words := portal.LeadRefusal{Faults: map[string]string{"first_name": "För kort."}, Words: "Ogiltigt."}
	for name, c := range map[string]struct {
		end   func() (portal.Receipt, error)
		lead  portal.LeadState
		job   portal.JobState
		check func(db.StoredLead) bool
	}{
		"arrived": {arrives, portal.LeadSent, portal.JobCompleted, func(l db.StoredLead) bool {
			return l.PartnerID == "480001" && l.Job.LastAttempt().Status == 200
		}},
		"refused": {ends(portal.ReportError{Outcome: portal.OutcomeRefused, Status: 400, Answer: "Ogiltigt.", Lead: words, Err: answer}),
			portal.LeadRefused, portal.JobParked, func(l db.StoredLead) bool {
				return cmp.Equal(words, portal.LeadRefusal{Faults: l.Faults, Words: l.Refusal}) && l.Job.LastAttempt().Answer == "Ogiltigt." &&
					l.Job.LastError == answer.Error() && !l.Job.Message.Uncertain
			}},
		"may have arrived": {ends(portal.ReportError{Outcome: portal.OutcomeUnknown, Status: 500, Err: answer}), portal.LeadUncertain, portal.JobParked,
			func(l db.StoredLead) bool { return l.Job.Message.Uncertain && l.Job.Attempt == 1 }},
		"nobody knows": {func() (portal.Receipt, error) { panic("lost") }, portal.LeadUncertain, portal.JobParked,
			func(l db.StoredLead) bool { return l.Job.Message.Uncertain }},
		"did not leave": {ends(portal.ReportError{Outcome: portal.OutcomeFailed, Err: answer}), portal.LeadQueued, portal.JobAvailable,
			func(l db.StoredLead) bool { return l.Job.Attempt == 1 && l.Job.RunAt.After(l.Job.CreatedAt) }},
		"busy": {ends(portal.ReportError{Outcome: portal.OutcomeBusy, RetryAfter: time.Minute, Err: answer}), portal.LeadQueued, portal.JobAvailable,
			func(l db.StoredLead) bool { return l.Job.Attempt == 0 && l.Job.RunAt.After(l.Job.CreatedAt) }},
		"our credential": {ends(portal.ReportError{Outcome: portal.OutcomeCredential, Status: 401, Err: answer}), portal.LeadQueued, portal.JobAvailable,
			func(l db.StoredLead) bool { return l.Job.Attempt == 0 && l.Job.RunAt.After(l.Job.CreatedAt) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newLeadWorld(t, c.end)
			w.once(1)
			w.want(1, c.lead, c.job)
			if l := w.lead(); !c.check(l) || len(l.Job.Attempts) != 1 {
				t.Errorf("%+v", l)
			}
		})
	}
}

// TestALeadThatDoesNotLeave is sent again until the attempts are used up.
func TestALeadThatDoesNotLeave(t *testing.T) {
	t.Parallel()
	w := newLeadWorld(t, ends(portal.ReportError{Outcome: portal.OutcomeFailed}))
	for range len(portal.Backoff) {
		w.once(1)
		w.clock.Pass(25 * time.Hour)
	}
	w.want(len(portal.Backoff), portal.LeadQueued, portal.JobParked)
	w.once(0)
	w.office.end = arrives
	w.must(w.store.RetryJob(t.Context(), w.lead().Job.ID, w.erik.Actor()))
	w.once(1)
	w.want(len(portal.Backoff)+1, portal.LeadSent, portal.JobCompleted)
}

// forgetful is the store of a worker that dies before it records.
type forgetful struct{ *db.Store }

func (forgetful) CompleteLead(context.Context, portal.Job, string) error { return errKilled }

// doubts are the ways in which nobody gets to know whether a lead has arrived,
// with how many calls were made.
var doubts = map[string]func(*leadWorld) int{
	"no answer": func(w *leadWorld) int {
		w.office.end = ends(portal.ReportError{Outcome: portal.OutcomeUnknown})
		w.once(1)
		return 1
	},
	"killed between claim and call": func(w *leadWorld) int {
		jobs, err := w.store.ClaimJobs(w.Context(), "one", 1, worker.Lease)
		if w.must(err); len(jobs) != 1 {
			w.Fatalf("claimed %+v", jobs)
		}
		w.clock.Pass(worker.Lease + time.Second)
		w.once(1)
		return 0
	},
	"killed between answer and record": func(w *leadWorld) int {
		w.runner.Store = forgetful{w.store}
		w.once(1)
		w.runner = w.newRunner(w.office)
		w.clock.Pass(worker.Lease + time.Second)
		w.once(1)
		return 1
	},
	"stopped when it is claimed again": func(w *leadWorld) int {
		w.runner.Store = forgetful{w.store}
		w.once(1)
		w.clock.Pass(worker.Lease + time.Second)
		ctx, stop := context.WithCancel(w.Context())
		w.runner.Store = stopping{w.store, stop}
		_, err := w.runner.RunOnce(ctx)
		w.must(err)
		w.runner = w.newRunner(w.office)
		return 1
	},
}

// wakings are what makes messages available again, of whatever connection.
var wakings = map[string]func(*leadWorld){
	"time": func(w *leadWorld) { w.clock.Pass(1000 * time.Hour) },
	"many are sent again": func(w *leadWorld) {
		for _, f := range []db.OutboxFilter{{}, {Kind: db.OutboxParked}, {Jobs: []int64{w.lead().Job.ID}}} {
			n, err := w.store.RetryJobs(w.Context(), f, w.erik.Actor())
			if w.must(err); n != (db.Decided{Left: 1}) {
				w.Errorf("%+v: %+v", f, n)
			}
		}
	},
	"the end of an outage": func(w *leadWorld) {
		_, err := w.store.ConnectionDown(w.Context(), "one")
		w.must(err)
		w.received("one", "B1")
		w.once(1)
	},
	"another lead that ends it": func(w *leadWorld) {
		_, err := w.store.ConnectionDown(w.Context(), "one")
		w.must(err)
		_, err = w.store.CreateLead(w.Context(), portal.Lead{ConnectionID: "one", Customer: "M30011"}, "another", w.erik.Actor())
		w.must(err)
		w.office.end = arrives
		w.once(1)
		w.office.calls--
	},
	"a corrected credential": func(w *leadWorld) {
		c := connection("one")
		for i := range 2 {
			c.Credentials = []portal.Credential{{Customer: portal.AnyCustomer, Username: "u", Password: fmt.Sprint("pw ", i)}}
			_, err := w.store.Apply(w.Context(), portal.Setup{Provider: portal.Provider{Name: "Nordljus", SupportEmail: "s@n.example", Locale: "sv",
				TimeZone: "Europe/Stockholm", Currency: "SEK"}, Connections: []portal.Connection{c}})
			w.must(err)
			_, err = w.store.RefuseCredential(w.Context(), "one", "M30011", 401, w.clock.Now().Add(time.Hour))
			w.must(err)
		}
	},
	"a started worker": func(w *leadWorld) { w.runner = w.newRunner(w.office) },
}

// TestALeadIsNotRepeatedUnasked: whatever left it in doubt, and whatever happens
// then, it is sent again by the word of a person alone.
func TestALeadIsNotRepeatedUnasked(t *testing.T) {
	t.Parallel()
	for doubt, leave := range doubts {
		for waking, wake := range wakings {
			t.Run(doubt+", "+waking, func(t *testing.T) {
				t.Parallel()
				w := newLeadWorld(t, arrives)
				calls := leave(w)
				w.want(calls, portal.LeadUncertain, portal.JobParked)
				wake(w)
				w.clock.Pass(time.Minute)
				w.run()
				w.want(calls, portal.LeadUncertain, portal.JobParked)
				w.office.end = arrives
				w.must(w.store.RetryJob(t.Context(), w.lead().Job.ID, w.erik.Actor()))
				w.run()
				w.want(calls+1, portal.LeadSent, portal.JobCompleted)
			})
		}
	}
}
