package db_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

// wantRefused checks how a settlement was refused, and that the difference waits still.
func (w *world) wantRefused(err error, kind portal.Kind, key string, difference int64) {
	w.Helper()
	var e *portal.Error
	if !errors.As(err, &e) || e.Kind != kind || e.Say.Key != key {
		w.Errorf("%v, want kind %d, %s", err, kind, key)
	}
	if n := w.count(`SELECT count(*) FROM differences WHERE id = $1 AND settled_at IS NULL`, difference); n != 1 {
		w.Errorf("%s: the difference is settled", key)
	}
}

func TestReportAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.delivered("lost")
	w.reconcile(w.entry("lost", "OrderReceived"))
	d := w.differences()["lost"]
	w.must(w.store.ReportAgain(t.Context(), d.ID, w.erik.Actor()))
	w.wantDifferences(map[string]portal.DifferenceKind{})

	jobs := w.jobs(id)
	last, first := jobs[len(jobs)-1], jobs[len(jobs)-2]
	if last.State != portal.JobAvailable || last.Message.State != portal.Delivered || !last.Message.Since.Equal(w.clock.Time) {
		t.Errorf("job %+v", last)
	}
	first.Message.Since = last.Message.Since
	if diff := cmp.Diff(first.Message, last.Message); diff != "" || last.Message.Comment != "Klart lost" {
		t.Errorf("the message is not the one of that time:\n%s", diff)
	}
	events, err := w.store.Timeline(t.Context(), id, false)
	w.must(err)
	want := portal.Event{Kind: portal.EventReportedAgain, Actor: w.erik.Actor(), CreatedAt: w.clock.Time,
		Data: portal.EventData{State: portal.Delivered, After: "OrderReceived"}}
	if diff := cmp.Diff(want, events[len(events)-1]); diff != "" {
		t.Error(diff)
	}
	for name, err := range map[string]error{"report": w.store.ReportAgain(t.Context(), d.ID, w.erik.Actor()),
		"accept": w.store.AcceptDifference(t.Context(), d.ID, "x", w.erik.Actor()),
		"import": w.store.ImportOrder(t.Context(), d.ID, w.service("skylt"), "SEK", w.erik.Actor())} {
		if portal.KindOf(err) != portal.Conflict {
			t.Errorf("%s once more: %v, want Conflict", name, err)
		}
	}
	w.tell()
	w.clock.advance(time.Hour)
	w.reconcile(w.entry("lost", "OrderReceived"))
	if again := w.differences()["lost"]; again.ID == d.ID || again.Kind != portal.StateDiffers {
		t.Errorf("a report that did nothing leaves %+v", again)
	}
	if n := w.count(`SELECT count(*) FROM differences WHERE id = $1 AND settled_as = 'reported' AND settled_by = $2`, d.ID, w.erik.ID); n != 1 {
		t.Error("what was done about the first is forgotten")
	}
}

func TestReportAgainRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	by := w.erik.Actor()
	w.delivered("changed")
	waits := w.delivered("waits")
	untold := w.open("skylt", ticket("M1", "untold")).ID
	w.tell()
	w.clock.advance(time.Hour)
	_, err := w.raw.Exec(`DELETE FROM jobs WHERE order_id = $1`, untold)
	w.must(err)
	_, err = w.raw.Exec(`UPDATE orders SET state = 'active' WHERE id = $1`, untold)
	w.must(err)
	w.reconcile(w.entry("changed", "OrderReceived"), w.entry("untold", "Delivered"), w.entry("new", "Ordered"))
	found := w.differences()
	if found["waits"].Kind != portal.MissingThere {
		t.Fatalf("%+v", found["waits"])
	}
	w.must(w.store.ReopenOrder(t.Context(), found["changed"].OrderID, by))
	w.wantRefused(w.store.ReportAgain(t.Context(), found["changed"].ID, by), portal.Conflict, "reconciliation.changed", found["changed"].ID)
	w.wantRefused(w.store.AcceptDifference(t.Context(), found["changed"].ID, "x", by), portal.Conflict, "reconciliation.changed", found["changed"].ID)
	w.wantRefused(w.store.ReportAgain(t.Context(), found["untold"].ID, by), portal.Conflict, "reconciliation.no_report", found["untold"].ID)
	w.wantRefused(w.store.ReportAgain(t.Context(), found["new"].ID, by), portal.Conflict, "reconciliation.no_report", found["new"].ID)
	_, err = w.raw.Exec(`UPDATE jobs SET state = 'parked', finished_at = NULL WHERE order_id = $1`, waits)
	w.must(err)
	w.wantRefused(w.store.ReportAgain(t.Context(), found["waits"].ID, by), portal.Conflict, "reconciliation.unreported", found["waits"].ID)
	if !w.differences()["waits"].Unreported || w.differences()["untold"].Unreported {
		t.Error("the list does not say which order waits to be reported")
	}
	w.wantKind(w.store.ReportAgain(t.Context(), 4711, by), portal.NotFound)
}

func TestAcceptDifference(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	by := w.erik.Actor()
	id := w.delivered("lost")
	night := func(entries ...portal.Listed) {
		w.Helper()
		w.clock.advance(24 * time.Hour)
		w.reconcile(entries...)
	}
	night(w.entry("lost", "Fakturerad"), w.entry("new", "Ordered"))
	found := w.differences()
	w.wantKind(w.store.AcceptDifference(t.Context(), found["lost"].ID, "", by), portal.Invalid)
	w.must(w.store.AcceptDifference(t.Context(), found["lost"].ID, "De fakturerar själva", by))
	w.must(w.store.AcceptDifference(t.Context(), found["new"].ID, "Testbeställning", by))
	events, err := w.store.Timeline(t.Context(), id, false)
	w.must(err)
	want := portal.Event{Kind: portal.EventAccepted, Actor: by, CreatedAt: w.clock.Time,
		Data: portal.EventData{State: portal.Delivered, Body: "De fakturerar själva", After: "Fakturerad"}}
	if diff := cmp.Diff(want, events[len(events)-1]); diff != "" {
		t.Error(diff)
	}
	if n := len(w.jobs(id)); n != 2 {
		t.Errorf("%d reports, want none more", n)
	}

	night(w.entry("lost", "Fakturerad"), w.entry("new", "Ordered"))
	w.wantDifferences(map[string]portal.DifferenceKind{})
	list, err := w.store.Differences(t.Context(), "vitec", "", 100)
	w.must(err)
	if len(list) != 2 || list[0].AcceptedBy != w.erik.Name || list[0].Reason != "De fakturerar själva" || list[0].AcceptedAt == nil {
		t.Errorf("accepted: %+v", list)
	}

	night(w.entry("lost", "Betald"), w.entry("new", "Ordered"))
	w.wantDifferences(map[string]portal.DifferenceKind{"lost": portal.StateDiffers})
	night(w.entry("lost", "Delivered"), w.entry("new", "Ordered"))
	w.wantDifferences(map[string]portal.DifferenceKind{})
	night(w.entry("lost", "Fakturerad"), w.entry("new", "Ordered")) // as accepted, but something has changed in between
	w.wantDifferences(map[string]portal.DifferenceKind{"lost": portal.StateDiffers})
	night(w.entry("lost", "Fakturerad"))
	night(w.entry("lost", "Fakturerad"), w.entry("new", "Ordered")) // it was gone in between
	w.wantDifferences(map[string]portal.DifferenceKind{"lost": portal.StateDiffers, "new": portal.MissingHere})
}

// TestAcceptedChangesHere: an accepted difference comes back when our side changes.
func TestAcceptedChangesHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.delivered("lost")
	w.reconcile(w.entry("lost", "Fakturerad"))
	w.must(w.store.AcceptDifference(t.Context(), w.differences()["lost"].ID, "De fakturerar själva", w.erik.Actor()))
	w.clock.advance(time.Minute)
	w.must(w.store.ReopenOrder(t.Context(), id, w.erik.Actor()))
	w.clock.advance(time.Minute)
	w.reconcile(w.entry("lost", "Fakturerad"))
	w.wantDifferences(map[string]portal.DifferenceKind{"lost": portal.StateDiffers})
}

func TestImportOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	by := w.erik.Actor()
	w.open("skylt", ticket("M1", "first")) // the office
	w.clock.advance(time.Hour)
	w.reconcile(w.entry("plain", "Ordered"), w.entry("form", "OrderReceived"), w.entry("done", "Delivered"), w.entry("arrives", "Ordered"))
	found := w.differences()
	w.wantRefused(w.store.ImportOrder(t.Context(), found["plain"].ID, w.service("annan"), "SEK", by), portal.NotFound, "error.not_found", found["plain"].ID)
	w.wantRefused(w.store.ImportOrder(t.Context(), found["first"].ID, w.service("skylt"), "SEK", by), portal.Conflict, "reconciliation.no_import", found["first"].ID)
	w.open("skylt", ticket("M1", "arrives"))
	w.wantRefused(w.store.ImportOrder(t.Context(), found["arrives"].ID, w.service("skylt"), "SEK", by), portal.Conflict, "reconciliation.arrived", found["arrives"].ID)
	if _, shown := w.differences()["arrives"]; shown {
		t.Error("an order that has come in is still said to be missing")
	}
	for order, c := range map[string]struct {
		service string
		state   portal.State
		kinds   []portal.EventKind
		reports int
	}{
		"plain": {"skylt", portal.Received, []portal.EventKind{portal.EventImported, portal.EventReceived}, 1},
		"form":  {"foto", portal.Draft, []portal.EventKind{portal.EventImported}, 0},
		"done":  {"skylt", portal.Received, []portal.EventKind{portal.EventImported, portal.EventReceived}, 0},
	} {
		w.must(w.store.ImportOrder(t.Context(), found[order].ID, w.service(c.service), "SEK", by))
		id := w.opened(order)
		o := w.order(id)
		if o.State != c.state || o.Service.ID != c.service || o.Target != (portal.Target{ID: "OBJ_" + order}) || o.Unverified || o.Broker != "U1" {
			t.Errorf("%s: %+v", order, o)
		}
		if diff := cmp.Diff(c.kinds, w.kinds(id)); diff != "" {
			t.Errorf("%s: %s", order, diff)
		}
		jobs := w.jobs(id)
		if len(jobs) != c.reports || c.reports > 0 && jobs[0].Message.OrderID != id {
			t.Errorf("%s: reports %+v", order, jobs)
		}
	}
	w.tell()
	w.clock.advance(time.Hour)
	w.reconcile(w.entry("plain", "OrderReceived"), w.entry("form", "OrderReceived"), w.entry("done", "Delivered"), w.entry("arrives", "OrderReceived"),
		w.entry("first", "OrderReceived"))
	w.wantDifferences(map[string]portal.DifferenceKind{"done": portal.StateDiffers})
}

// opened returns the id of an order of office M1.
func (w *world) opened(order string) int64 {
	w.Helper()
	return int64(w.count(`SELECT o.id FROM orders o JOIN offices p ON p.id = o.office_id WHERE o.partner_order_id = $1 AND p.customer_id = 'M1'`, order))
}

// TestImportedIsCompleted: the broker's ticket adds what the list did not tell,
// and is not taken for another order.
func TestImportedIsCompleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open("skylt", ticket("M1", "first"))
	w.clock.advance(time.Hour)
	w.reconcile(w.entry("form", "Ordered"))
	w.must(w.store.ImportOrder(t.Context(), w.differences()["form"].ID, w.service("foto"), "SEK", w.erik.Actor()))
	came := ticket("M1", "form")
	came.OwnerID = "U2"
	if o := w.open("foto", came); o.New || o.ID != w.opened("form") {
		t.Fatalf("the ticket leads to %+v", o)
	}
	o := w.order(w.opened("form"))
	if o.Target != came.Target || o.Broker != "U2" || slices.Contains(w.kinds(o.ID), portal.EventDiffers) {
		t.Errorf("order %+v, timeline %v", o, w.kinds(o.ID))
	}
	other := came
	other.Target.Type = "Plot"
	w.open("foto", other)
	if o := w.order(o.ID); o.Target != came.Target || !slices.Contains(w.kinds(o.ID), portal.EventDiffers) {
		t.Errorf("a second ticket with other content: order %+v, timeline %v", o, w.kinds(o.ID))
	}
	// Where nothing was imported a difference is one.
	w.open("skylt", portal.Ticket{OrderID: "bare", Customer: "M1", UserID: "U1", OwnerID: "U1"})
	w.open("skylt", ticket("M1", "bare"))
	if !slices.Contains(w.kinds(w.opened("bare")), portal.EventDiffers) {
		t.Error("other content of an order that was not imported is not marked")
	}
}

// TestImportedIsAsOldAsThere: an order is not missed at the partner for having
// come to us late.
func TestImportedIsAsOldAsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open("skylt", ticket("M1", "first"))
	w.clock.advance(time.Hour)
	old := w.entry("old", "Ordered")
	old.CreatedAt = w.clock.Add(-80 * 24 * time.Hour)
	w.reconcile(old)
	w.must(w.store.ImportOrder(t.Context(), w.differences()["old"].ID, w.service("skylt"), "SEK", w.erik.Actor()))
	w.tell()
	w.clock.advance(24 * time.Hour)
	r, err := w.store.StartReconciliation(t.Context(), "vitec", "M1", portal.Actor{})
	w.must(err)
	if !r.Period.Asked.Before(old.CreatedAt) {
		t.Errorf("the partner is asked for what came since %s, the order began %s", r.Period.Asked, old.CreatedAt)
	}
	w.clock.advance(300 * 24 * time.Hour)
	w.must(w.store.WriteNote(t.Context(), w.opened("old"), "Ringt", w.erik.Actor()))
	w.clock.advance(time.Minute)
	w.reconcile()
	if _, missed := w.differences()["old"]; missed {
		t.Error("an order from before the list begins is missed on it")
	}
}
