package db_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
)

// mixed leaves three jobs in the outbox: one parked, two minutes old; one behind
// it; and one of another connection, a minute old.
func (w *world) mixed() {
	w.Helper()
	w.parked("A")
	w.clock.advance(time.Minute)
	w.received("B")
	w.open("annan", ticket("M2", "C"))
	w.must(w.store.CompleteJob(w.Context(), w.claimOne(), time.Second)) // B's
	w.clock.advance(time.Minute)
}

// outbox returns the orders and states that a filter finds, and the next page.
func (w *world) outbox(f db.OutboxFilter) (lines []string, next string) {
	w.Helper()
	if f.Limit == 0 {
		f.Limit = 10
	}
	page, err := w.store.Outbox(w.Context(), f)
	w.must(err)
	for _, u := range page.Rows {
		lines = append(lines, u.Job.Message.PartnerOrderID+" "+string(u.Job.Message.State))
	}
	return lines, page.Next
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	if none, next := w.outbox(db.OutboxFilter{}); len(none) != 0 || next != "" {
		t.Errorf("%q, %q", none, next)
	}
	w.mixed()
	type line struct {
		Order  string
		State  portal.State
		Job    portal.JobState
		Office string
		Behind bool
	}
	page, err := w.store.Outbox(ctx, db.OutboxFilter{Limit: 3})
	w.must(err)
	var got []line
	for _, u := range page.Rows {
		got = append(got, line{u.Job.Message.PartnerOrderID, u.Job.Message.State, u.Job.State, u.Office.Customer, u.Behind})
		if u.System != "vitec" || u.PublicID != w.order(u.Job.Message.OrderID).PublicID || len(u.Job.Attempts) != 0 {
			t.Errorf("%+v", u)
		}
	}
	want := []line{{"A", portal.Received, portal.JobParked, "M1", false}, {"A", portal.Failed, portal.JobAvailable, "M1", true},
		{"C", portal.Received, portal.JobAvailable, "M2", false}}
	if diff := cmp.Diff(want, got); diff != "" || page.Next != "" {
		t.Errorf("next %q\n%s", page.Next, diff)
	}
}

// TestOutboxHasTheLastAttempt: it says why the partner does not know.
func TestOutboxHasTheLastAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.received("A")
	attempts := []portal.Attempt{
		{StartedAt: w.clock.now(), Took: time.Second, Outcome: portal.OutcomeUnknown, Receipt: portal.Receipt{Status: 500, Answer: "oj"}, Error: "500"},
		{StartedAt: w.clock.now(), Took: 2 * time.Second, Outcome: portal.OutcomeRefused, Receipt: portal.Receipt{Status: 400, Answer: "nej"}, Error: "400"},
	}
	j := w.claimOne()
	j.Attempts = attempts[:1]
	w.must(w.store.RetryJobLater(t.Context(), j, w.clock.now(), "500", true))
	j = w.claimOne()
	j.Attempts = attempts
	w.must(w.store.ParkJob(t.Context(), j, "400", false))
	page, err := w.store.Outbox(t.Context(), db.OutboxFilter{Limit: 10})
	w.must(err)
	if diff := cmp.Diff(attempts[1:], page.Rows[0].Job.Attempts); diff != "" {
		t.Error(diff)
	}
}

func TestOutboxFilter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.mixed()
	parked, behind, other := "A received", "A failed", "C received"
	for name, c := range map[string]struct {
		filter db.OutboxFilter
		want   []string
		counts db.OutboxCounts
	}{
		"all":               {db.OutboxFilter{}, []string{parked, behind, other}, db.OutboxCounts{Parked: 1, Waiting: 2, Retryable: 1}},
		"a connection":      {db.OutboxFilter{Connection: "other"}, []string{other}, db.OutboxCounts{Waiting: 1}},
		"an office":         {db.OutboxFilter{Office: "M1"}, []string{parked, behind}, db.OutboxCounts{Parked: 1, Waiting: 1, Retryable: 1}},
		"no such office":    {db.OutboxFilter{Office: "M3"}, nil, db.OutboxCounts{}},
		"parked":            {db.OutboxFilter{Kind: db.OutboxParked}, []string{parked}, db.OutboxCounts{Parked: 1, Waiting: 2, Retryable: 1}},
		"waiting":           {db.OutboxFilter{Kind: db.OutboxWaiting}, []string{behind, other}, db.OutboxCounts{Parked: 1, Waiting: 2}},
		"old":               {db.OutboxFilter{Age: 2 * time.Minute}, []string{parked, behind}, db.OutboxCounts{Parked: 1, Waiting: 1, Retryable: 1}},
		"older than any":    {db.OutboxFilter{Age: 3 * time.Minute}, nil, db.OutboxCounts{}},
		"all of it at once": {db.OutboxFilter{Connection: "vitec", Office: "M1", Kind: db.OutboxWaiting, Age: time.Minute}, []string{behind}, db.OutboxCounts{Parked: 1, Waiting: 1}},
		"none of the jobs":  {db.OutboxFilter{Jobs: []int64{}}, nil, db.OutboxCounts{}},
		"nonsense":          {db.OutboxFilter{After: "nonsense"}, []string{parked, behind, other}, db.OutboxCounts{Parked: 1, Waiting: 2, Retryable: 1}},
	} {
		got, _ := w.outbox(c.filter)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if counts, err := w.store.CountOutbox(t.Context(), c.filter); counts != c.counts || err != nil {
			t.Errorf("%s: %+v, %v", name, counts, err)
		}
	}
	w.exec(`UPDATE jobs SET last_error = '401' WHERE connection_id = 'other'`)
	if counts, err := w.store.CountOutbox(t.Context(), db.OutboxFilter{}); counts.Retryable != 2 || err != nil {
		t.Errorf("%+v, %v", counts, err)
	}
}

// TestOutboxPages: following Next shows every job once, the oldest first, also
// those of one moment.
func TestOutboxPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var want []string
	for _, order := range []string{"A", "B", "C", "D", "E"} {
		w.received(order)
		want = append(want, order+" received")
		if order == "C" {
			w.clock.advance(time.Second)
		}
	}
	var got []string
	for after, pages := "", 1; ; pages++ {
		lines, next := w.outbox(db.OutboxFilter{After: after, Limit: 2})
		got = append(got, lines...)
		if after = next; after == "" {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCountOverdue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := func(want int) {
		t.Helper()
		if n, err := w.store.CountOverdue(t.Context()); n != want || err != nil {
			t.Errorf("%d overdue, %v; want %d", n, err, want)
		}
	}
	w.received("A")
	want(0)
	w.must(w.store.ParkJob(t.Context(), w.claimOne(), "400", false))
	want(1) // a person has to know at once
	w.received("B")
	w.clock.advance(portal.Overdue - time.Second)
	want(1)
	w.clock.advance(time.Second)
	want(2)
}
