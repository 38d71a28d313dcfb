package db_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
)

func TestDescribeOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opened := w.open("foto", ticket("M1", "B1"))
	details := portal.Details{Number: "12-345", Street: "Storgata 5", ZipCode: "0155", City: "Oslo", Broker: "Kari", Office: "Megleren Sentrum",
		Sellers: []string{"Ola Nordmann"}}
	w.must(w.store.DescribeOrder(t.Context(), opened.ID, details))
	o, err := w.store.OrderForStaff(t.Context(), opened.PublicID)
	w.must(err)
	if diff := cmp.Diff(details, o.Details); diff != "" || o.Target.Name != "Storgata 5, 0155 Oslo" {
		t.Errorf("%q\n%s", o.Target.Name, diff)
	}
	for query, want := range map[string]int{"storgata": 1, "12-345": 1, "nordmann": 0} {
		page, err := w.store.Orders(t.Context(), db.OrderFilter{Query: query, Limit: 10})
		w.must(err)
		if len(page.Rows) != want {
			t.Errorf("%d orders found by %q, want %d", len(page.Rows), query, want)
		}
		if want == 1 && page.Rows[0].Target.Name != "Storgata 5, 0155 Oslo" {
			t.Errorf("the queue shows %+v", page.Rows[0].Target)
		}
	}
	w.wantKind(w.store.DescribeOrder(t.Context(), 4711, details), portal.NotFound)
}

func TestTicketTellsWhoComes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	known := ticket("M1", "B1")
	known.UserName, known.CustomerName, known.Unproven = "Kari Nordmann", "Megleren AS", true
	opened := w.open("foto", known)
	known.UserName, known.CustomerName, known.Unproven = "", "", false
	w.open("foto", known)
	o, err := w.store.OrderForStaff(t.Context(), opened.PublicID)
	w.must(err)
	if o.Office.Name != "Megleren AS" {
		t.Errorf("the office is called %q", o.Office.Name)
	}
	if !o.Unproven {
		t.Error("staff do not see that nothing proved who the user was")
	}
	if n := w.count(`SELECT count(*) FROM brokers WHERE name = 'Kari Nordmann'`); n != 1 {
		t.Errorf("%d brokers of that name", n)
	}
}

// TestDoubtsAreCounted: a partner that cannot be read back is told once more,
// not for ever; and what it shows is remembered with the order.
func TestDoubtsAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.received("A")
	unknown := func(j portal.Job) portal.Job {
		j.Attempts = []portal.Attempt{{StartedAt: w.clock.now(), Outcome: portal.OutcomeUnknown}}
		return j
	}
	want := func(doubts int) portal.Job {
		t.Helper()
		j := w.claimOne()
		if j.Message.Doubts != doubts || j.Message.Uncertain != (doubts > 0) {
			t.Errorf("%d doubts, uncertain %t, want %d", j.Message.Doubts, j.Message.Uncertain, doubts)
		}
		return j
	}
	w.must(w.store.RetryJobLater(t.Context(), unknown(want(0)), w.clock.now(), "reset", true))
	want(1)
	w.clock.advance(time.Hour) // killed
	failed := want(2)
	failed.Attempts = []portal.Attempt{{StartedAt: w.clock.now(), Outcome: portal.OutcomeFailed}}
	w.must(w.store.RetryJobLater(t.Context(), failed, w.clock.now(), "refused", true))
	w.must(w.store.ParkJob(t.Context(), unknown(want(2)), "reset", true))
	w.must(w.store.RetryJob(t.Context(), w.jobs(id)[0].ID, w.erik.Actor())) // who has looked
	last := want(1)
	last.Attempts = []portal.Attempt{{StartedAt: w.clock.now(), Took: 31 * 24 * time.Hour, Outcome: portal.OutcomeDone, Receipt: portal.Receipt{Status: 200, Shown: "abc"}}}
	w.must(w.store.CompleteJob(t.Context(), last, time.Second))
	w.must(w.store.FailOrder(t.Context(), id, "Regn", w.erik.Actor()))
	if j := want(0); j.Message.Shown != "abc" || j.Message.Number == "" {
		t.Errorf("%+v", j.Message)
	}
}
