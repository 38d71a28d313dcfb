package db_test

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
)

var words = map[portal.State]string{portal.Received: "OrderReceived", portal.Delivered: "Delivered",
	portal.Failed: "Error", portal.Cancelled: "Error"}

// entry is an order of an hour ago as the partner lists it.
func (w *world) entry(order, status string) portal.Listed {
	return portal.Listed{OrderID: order, Status: status, TargetID: "OBJ_" + order, UserID: "U1", ServiceID: "7", CreatedAt: w.clock.Add(-time.Hour)}
}

// reconcile compares the orders of office M1 with a list, as erik asks for.
func (w *world) reconcile(entries ...portal.Listed) portal.Comparison {
	w.Helper()
	r, err := w.store.StartReconciliation(w.Context(), "vitec", "M1", w.erik.Actor())
	w.must(err)
	c, err := w.store.FinishReconciliation(w.Context(), r, portal.Listing{Orders: entries, Words: words})
	w.must(err)
	return c
}

// differences returns what waits for somebody, by the partner's id of the order.
func (w *world) differences() map[string]db.FoundDifference {
	w.Helper()
	list, err := w.store.Differences(w.Context(), "vitec", "M1", 100)
	w.must(err)
	found := map[string]db.FoundDifference{}
	for _, d := range list {
		if d.AcceptedBy == "" {
			found[d.PartnerOrderID] = d
		}
	}
	return found
}

func (w *world) kindsOfDifference() map[string]portal.DifferenceKind {
	w.Helper()
	kinds := map[string]portal.DifferenceKind{}
	for id, d := range w.differences() {
		kinds[id] = d.Kind
	}
	return kinds
}

func (w *world) wantDifferences(want map[string]portal.DifferenceKind) {
	w.Helper()
	if diff := cmp.Diff(want, w.kindsOfDifference()); diff != "" {
		w.Errorf("differences (-want +got):\n%s", diff)
	}
}

// tell completes every report that is due.
func (w *world) tell() {
	w.Helper()
	for jobs := w.claim(10); len(jobs) > 0; jobs = w.claim(10) {
		for _, j := range jobs {
			w.must(w.store.CompleteJob(w.Context(), j, time.Second))
		}
	}
	w.clock.advance(time.Minute)
}

// delivered is an order that is delivered, its partner told, an hour ago.
func (w *world) delivered(order string) int64 {
	w.Helper()
	id := w.received(order)
	w.must(w.store.DeliverOrder(w.Context(), id, portal.Delivery{Message: "Klart " + order}, w.erik.Actor()))
	w.tell()
	w.clock.advance(time.Hour)
	return id
}

func TestReconcile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	same, lost, gone := w.delivered("same"), w.delivered("lost"), w.delivered("gone")
	waits := w.received("waits")
	w.clock.advance(time.Hour)
	c := w.reconcile(w.entry("same", "Delivered"), w.entry("lost", "OrderReceived"), w.entry("new", "Ordered"), w.entry("waits", "Ordered"))
	if c.Compared != 4 || c.Unreported != 1 {
		t.Errorf("%d compared, %d unreported", c.Compared, c.Unreported)
	}
	w.wantDifferences(map[string]portal.DifferenceKind{"lost": portal.StateDiffers, "gone": portal.MissingThere, "new": portal.MissingHere})
	got := w.differences()
	want := db.FoundDifference{ID: got["lost"].ID, PublicID: w.order(lost).PublicID, Target: w.order(lost).Target, State: portal.Delivered,
		Office: w.order(lost).Office, FoundAt: w.clock.Time, Total: 1,
		Difference: portal.Difference{Kind: portal.StateDiffers, PartnerOrderID: "lost", OrderID: lost, Ours: portal.Delivered,
			Theirs: "OrderReceived", Report: portal.Delivered, ServiceID: "skylt", Known: true}}
	entry := w.entry("lost", "OrderReceived")
	want.Listed = &entry
	if diff := cmp.Diff(want, got["lost"]); diff != "" {
		t.Error(diff)
	}
	if d := got["gone"]; d.OrderID != gone || d.Report != portal.Delivered || d.Listed != nil {
		t.Errorf("gone: %+v", d)
	}
	if d := got["new"]; d.OrderID != 0 || d.PublicID != "" || d.Target.ID != "OBJ_new" || d.ServiceID != "skylt" || d.Listed.UserID != "U1" {
		t.Errorf("new: %+v", d)
	}
	for _, id := range []int64{same, lost, gone, waits} {
		if n := w.count(`SELECT count(*) FROM events WHERE order_id = $1 AND created_at = $2`, id, w.clock.Time); n != 0 {
			t.Errorf("comparing left %d events on order %d", n, id)
		}
	}
	if n, err := w.store.CountDifferences(t.Context()); n != 3 || err != nil {
		t.Errorf("%d differences in all, %v", n, err)
	}
	elsewhere, err := w.store.Differences(t.Context(), "other", "", 100)
	if len(elsewhere) != 0 || err != nil {
		t.Errorf("at the other connection: %v, %v", elsewhere, err)
	}
}

// TestReconcileAgain: a later comparison has the last word on what it looked at.
func TestReconcileAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lost, gone := w.delivered("lost"), w.delivered("gone")
	w.reconcile(w.entry("lost", "OrderReceived"), w.entry("new", "Ordered"))
	before := w.differences()

	w.clock.advance(24 * time.Hour)
	w.reconcile(w.entry("lost", "OrderReceived"), w.entry("gone", "OrderReceived"))
	w.wantDifferences(map[string]portal.DifferenceKind{"lost": portal.StateDiffers, "gone": portal.StateDiffers})
	after := w.differences()
	if a, b := before["lost"], after["lost"]; a.ID != b.ID || !a.FoundAt.Equal(b.FoundAt) {
		t.Errorf("the same difference is another one now: %+v, %+v", a, b)
	}
	if a, b := before["gone"], after["gone"]; a.ID != b.ID || !b.FoundAt.Equal(w.clock.Time) {
		t.Errorf("what differs in another way is not of now: %+v, %+v", a, b)
	}

	// An order that changes while the partner is asked is left as it was found.
	r, err := w.store.StartReconciliation(t.Context(), "vitec", "M1", w.erik.Actor())
	w.must(err)
	w.must(w.store.WriteNote(t.Context(), gone, "Ringt", w.erik.Actor()))
	_, err = w.store.FinishReconciliation(t.Context(), r, portal.Listing{Words: words, Orders: []portal.Listed{
		w.entry("gone", "Delivered"), w.entry("lost", "Delivered")}})
	w.must(err)
	w.wantDifferences(map[string]portal.DifferenceKind{"gone": portal.StateDiffers})
	w.clock.advance(time.Minute)
	w.reconcile(w.entry("gone", "Delivered"), w.entry("lost", "Delivered"))
	w.wantDifferences(map[string]portal.DifferenceKind{})

	// What nobody has touched for long is no longer asked for, and stays as it is.
	w.reconcile(w.entry("gone", "Delivered"), w.entry("lost", "OrderReceived"))
	w.clock.advance(100 * 24 * time.Hour)
	w.reconcile()
	w.wantDifferences(map[string]portal.DifferenceKind{"lost": portal.StateDiffers})
	w.must(w.store.WriteNote(t.Context(), lost, "Ringt", w.erik.Actor()))
	w.clock.advance(time.Minute)
	w.reconcile()
	w.wantDifferences(map[string]portal.DifferenceKind{"lost": portal.MissingThere})
}

// TestReconcileOvertaken: the list of a slow call does not undo a later one.
func TestReconcileOvertaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.delivered("lost")
	slow, err := w.store.StartReconciliation(t.Context(), "vitec", "M1", w.erik.Actor())
	w.must(err)
	w.clock.advance(time.Minute)
	w.reconcile(w.entry("lost", "Delivered"))
	_, err = w.store.FinishReconciliation(t.Context(), slow, portal.Listing{Words: words, Orders: []portal.Listed{w.entry("lost", "OrderReceived")}})
	w.must(err)
	w.wantDifferences(map[string]portal.DifferenceKind{})
	if n := w.count(`SELECT count(*) FROM reconciliations`); n != 1 {
		t.Errorf("%d comparisons are kept, want 1", n)
	}
}

// TestReconcileAtOnce: two who ask at once find the same, once.
func TestReconcileAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.delivered("lost")
	list := portal.Listing{Words: words, Orders: []portal.Listed{w.entry("lost", "OrderReceived"), w.entry("new", "Ordered")}}
	hold, err := w.raw.Begin()
	w.must(err)
	_, err = hold.Exec(`LOCK TABLE differences IN SHARE MODE`) // they may read, and wait to write
	w.must(err)
	done := make(chan []error)
	go func() {
		done <- parallel(2, func(int) error {
			r, err := w.store.StartReconciliation(t.Context(), "vitec", "M1", w.erik.Actor())
			if err == nil {
				_, err = w.store.FinishReconciliation(t.Context(), r, list)
			}
			return err
		})
	}()
	for w.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) < 2 {
	}
	w.must(hold.Rollback())
	for _, err := range <-done {
		w.must(err)
	}
	w.wantDifferences(map[string]portal.DifferenceKind{"lost": portal.StateDiffers, "new": portal.MissingHere})
}

// TestReconcileServices: orders of other providers stay apart, or away.
func TestReconcileServices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.delivered("ours")
	foreign := w.entry("foreign", "Ordered")
	foreign.ServiceID = "99"
	w.reconcile(w.entry("ours", "Delivered"), foreign, w.entry("new", "Ordered"))
	got := w.differences()
	if d := got["foreign"]; d.Kind != portal.MissingHere || d.Known || d.ServiceID != "" {
		t.Errorf("foreign: %+v", d)
	}
	if d := got["new"]; !d.Known {
		t.Errorf("new: %+v", d)
	}
	if n, err := w.store.CountDifferences(t.Context()); n != 1 || err != nil {
		t.Errorf("%d differences in all, %v; want what is ours", n, err)
	}
	s := worldSetup()
	s.Services[0].PartnerService = "7"
	apply(t, w.store, s)
	c := w.reconcile(w.entry("ours", "Delivered"), foreign, w.entry("new", "Ordered"))
	got = w.differences()
	if len(got) != 1 || got["new"].ServiceID != "foto" || c.Others != 1 {
		t.Errorf("with partner_service: %+v, %d others", got, c.Others)
	}
}

// TestReconciliations is what the screen says about the last ones.
func TestReconciliations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.delivered("lost")
	w.open("skylt", ticket("M2", "elsewhere"))
	w.reconcile(w.entry("lost", "OrderReceived"))
	good := w.clock.Time
	w.clock.advance(time.Hour)
	r, err := w.store.StartReconciliation(t.Context(), "vitec", "M1", portal.Actor{})
	w.must(err)
	w.must(w.store.FailReconciliation(t.Context(), r, "no answer", false))
	list, err := w.store.Reconciliations(t.Context(), "vitec", "")
	w.must(err)
	want := []db.OfficeReconciliation{
		{Office: portal.Office{ID: list[0].Office.ID, Customer: "M1"}, Last: &db.Reconciled{StartedAt: good, Compared: 1, Differences: 1},
			Failed: &db.Reconciled{StartedAt: w.clock.Time, Error: "no answer"}},
		{Office: portal.Office{ID: list[1].Office.ID, Customer: "M2"}},
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
	w.wantDifferences(map[string]portal.DifferenceKind{"lost": portal.StateDiffers})
	w.clock.advance(time.Hour)
	w.reconcile(w.entry("lost", "OrderReceived"))
	one, err := w.store.Reconciliations(t.Context(), "vitec", "M1")
	w.must(err)
	if len(one) != 1 || one[0].Failed != nil || !one[0].Last.StartedAt.Equal(w.clock.Time) {
		t.Errorf("after one that was made: %+v", one)
	}
	if _, err := w.store.StartReconciliation(t.Context(), "vitec", "M404", portal.Actor{}); portal.KindOf(err) != portal.NotFound {
		t.Errorf("an office that nobody has ordered from: %v, want NotFound", err)
	}
}

// TestOldReconciliations: what tells nobody anything goes after 90 days, and
// nothing else.
func TestOldReconciliations(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.delivered("accepted")
	w.delivered("lost")
	w.open("skylt", ticket("M2", "elsewhere"))
	runs := map[int]string{}
	called := func(name string) { runs[w.count(`SELECT max(id) FROM reconciliations`)] = name }
	fail := func(name, customer string) {
		t.Helper()
		r, err := w.store.StartReconciliation(t.Context(), "vitec", customer, portal.Actor{})
		w.must(err)
		w.must(w.store.FailReconciliation(t.Context(), r, "no answer", false))
		called(name)
	}
	compare := func(name string, entries ...portal.Listed) {
		t.Helper()
		w.reconcile(entries...)
		called(name)
	}
	wantLeft := func(when string, want ...string) {
		t.Helper()
		w.must(w.store.DeleteExpired(t.Context(), time.Hour))
		var left []string
		for id, name := range runs {
			if w.count(`SELECT count(*) FROM reconciliations WHERE id = $1`, id) == 1 {
				left = append(left, name)
			}
		}
		slices.Sort(left)
		slices.Sort(want)
		if diff := cmp.Diff(want, left); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}

	first := w.clock.Time
	acceptedOne, lostOne := w.entry("accepted", "OrderReceived"), w.entry("lost", "OrderReceived")
	compare("equal", w.entry("accepted", "Delivered"), w.entry("lost", "Delivered"))
	w.clock.advance(time.Hour)
	compare("found what is accepted", acceptedOne, w.entry("lost", "Delivered"))
	w.must(w.store.AcceptDifference(t.Context(), w.differences()["accepted"].ID, "Rätt hos oss", w.erik.Actor()))
	w.clock.advance(time.Hour)
	compare("found what is open", acceptedOne, lostOne)
	fail("at that moment elsewhere", "M2")
	w.clock.advance(time.Hour)
	fail("last tried elsewhere", "M2")
	fail("failed between", "M1")
	w.clock.advance(time.Hour)
	compare("found it again", acceptedOne, lostOne)
	w.clock.advance(time.Hour)
	compare("last made", acceptedOne, lostOne)
	w.clock.advance(time.Hour)
	fail("failed after that", "M1")
	fail("last tried", "M1") // at the same moment

	w.clock.Time = first.Add(portal.ReconcileSpan)
	wantLeft("after 90 days", slices.Collect(maps.Values(runs))...)
	w.clock.advance(time.Microsecond)
	all := maps.Clone(runs)
	maps.DeleteFunc(all, func(_ int, name string) bool { return name == "equal" })
	wantLeft("after 90 days of the first", slices.Collect(maps.Values(all))...)
	w.clock.advance(time.Hour * 24)
	wantLeft("after 90 days of all", "found what is open", "last made", "last tried", "last tried elsewhere")
	w.must(w.store.AcceptDifference(t.Context(), w.differences()["lost"].ID, "Rätt hos oss", w.erik.Actor()))
	wantLeft("when all is decided", "last made", "last tried", "last tried elsewhere")
}

func TestStaleReconciliation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.clock.Time
	w.delivered("lost")
	w.open("skylt", ticket("M2", "elsewhere"))
	stale := func(before time.Time) db.StaleReconciliation {
		t.Helper()
		got, err := w.store.StaleReconciliation(t.Context(), "vitec", before)
		w.must(err)
		return got
	}
	if got := stale(first); got.Offices != 0 {
		t.Errorf("offices of now: %+v", got)
	}
	if got := stale(first.Add(time.Second)); got.Offices != 1 || !got.Since.Equal(first) {
		t.Errorf("never compared: %+v", got)
	}
	w.reconcile(w.entry("lost", "Delivered"))
	made := w.clock.Time
	w.clock.advance(time.Hour)
	r, err := w.store.StartReconciliation(t.Context(), "vitec", "M1", portal.Actor{})
	w.must(err)
	w.must(w.store.FailReconciliation(t.Context(), r, "no answer", false))
	if got := stale(made); got.Offices != 0 {
		t.Errorf("compared just then: %+v", got)
	}
	if got := stale(made.Add(time.Second)); got.Offices != 2 || !got.Since.Equal(made) {
		t.Errorf("failed since: %+v", got)
	}
}

// claimOffice claims what is due at the connection, "" for nothing.
func (w *world) claimOffice() (portal.Reconciliation, string) {
	w.Helper()
	r, due, err := w.store.ClaimReconciliation(w.Context(), []string{"vitec"}, 2*time.Minute)
	w.must(err)
	if due != (r.Office.Customer != "") || due && r.ConnectionID != "vitec" {
		w.Errorf("claim %+v, due %v", r, due)
	}
	return r, r.Office.Customer
}

func TestNightly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.Time = time.Date(2026, 11, 2, 21, 0, 0, 0, time.UTC)
	w.open("skylt", ticket("M1", "a"))
	w.open("skylt", ticket("M2", "b"))
	w.open("annan", ticket("M3", "c"))
	if _, got := w.claimOffice(); got != "" {
		t.Fatalf("%s is due in the evening", got)
	}
	w.clock.Time = time.Date(2026, 11, 3, 1, 59, 59, 0, time.UTC)
	if _, got := w.claimOffice(); got != "" {
		t.Fatalf("%s is due before three at night in Stockholm", got)
	}
	w.clock.Time = time.Date(2026, 11, 3, 2, 0, 0, 0, time.UTC)
	one, first := w.claimOffice()
	two, second := w.claimOffice()
	if _, none := w.claimOffice(); first != "M1" || second != "M2" || none != "" {
		t.Fatalf("due: %q, %q, %q", first, second, none)
	}
	_, err := w.store.FinishReconciliation(t.Context(), one, portal.Listing{})
	w.must(err)
	w.must(w.store.FailReconciliation(t.Context(), two, "no answer", false))
	w.clock.advance(5*time.Minute - time.Second)
	if _, got := w.claimOffice(); got != "" {
		t.Errorf("%s is due before five minutes are over", got)
	}
	w.clock.advance(time.Second)
	two, second = w.claimOffice()
	if second != "M2" {
		t.Fatalf("%q is due, want what failed", second)
	}
	w.must(w.store.FailReconciliation(t.Context(), two, "no answer", false))
	w.clock.advance(29 * time.Minute)
	if _, got := w.claimOffice(); got != "" {
		t.Errorf("%s is due before half an hour is over", got)
	}
	w.clock.Time = time.Date(2026, 11, 4, 1, 30, 0, 0, time.UTC)
	two, second = w.claimOffice()
	if second != "M2" {
		t.Fatalf("%q is due, want what failed", second)
	}
	w.must(w.store.FailReconciliation(t.Context(), two, "no answer", false))
	w.clock.Time = time.Date(2026, 11, 4, 2, 0, 0, 0, time.UTC) // sooner than two hours
	one, first = w.claimOffice()
	two, second = w.claimOffice()
	if first != "M1" || second != "M2" {
		t.Fatalf("due the next night: %q, %q", first, second)
	}
	for _, r := range []portal.Reconciliation{one, two} {
		_, err := w.store.FinishReconciliation(t.Context(), r, portal.Listing{})
		w.must(err)
	}
	w.must(w.store.ReconcileSoon(t.Context(), "vitec"))
	one, _ = w.claimOffice()
	w.must(w.store.FailReconciliation(t.Context(), one, "403", true))
	two, _ = w.claimOffice()
	_, err = w.store.FinishReconciliation(t.Context(), two, portal.Listing{})
	w.must(err)
	w.clock.advance(12 * time.Hour)
	if _, got := w.claimOffice(); got != "" {
		t.Errorf("%s is due before the night though its partner refused", got)
	}
	byHand, err := w.store.StartReconciliation(t.Context(), "vitec", "M1", w.erik.Actor())
	w.must(err)
	w.must(w.store.FailReconciliation(t.Context(), byHand, "no answer", false))
	w.clock.advance(3 * time.Hour)
	if _, got := w.claimOffice(); got != "" {
		t.Errorf("%s is due because somebody asked in vain", got)
	}
}

// TestClaimReconciliationOnce: however many look at once, one gets it; a lease
// that has run out is the next one's, and the first can end nothing any more.
func TestClaimReconciliationOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open("skylt", ticket("M1", "a"))
	w.must(w.store.ReconcileSoon(t.Context(), "vitec"))
	claims := make(chan portal.Reconciliation, 20)
	for _, err := range parallel(20, func(int) error {
		r, due, err := w.store.ClaimReconciliation(t.Context(), []string{"vitec"}, 2*time.Minute)
		if due {
			claims <- r
		}
		return err
	}) {
		w.must(err)
	}
	if len(claims) != 1 {
		t.Fatalf("%d have the office, want 1", len(claims))
	}
	dead := <-claims
	w.clock.advance(2*time.Minute + time.Second)
	next, customer := w.claimOffice()
	if customer != "M1" {
		t.Fatal("a lease that ran out is not claimed again")
	}
	if _, err := w.store.FinishReconciliation(t.Context(), dead, portal.Listing{}); !errors.Is(err, portal.ErrLeaseLost) {
		t.Errorf("the one that lost its lease ends with %v", err)
	}
	if err := w.store.FailReconciliation(t.Context(), dead, "no answer", false); !errors.Is(err, portal.ErrLeaseLost) {
		t.Errorf("the one that lost its lease fails with %v", err)
	}
	// Somebody who asks by hand meanwhile takes nobody's lease.
	w.reconcile()
	_, err := w.store.FinishReconciliation(t.Context(), next, portal.Listing{})
	w.must(err)
	if _, customer := w.claimOffice(); customer != "" {
		t.Error("the office is due again")
	}
}

// TestClaimAfterOvertaken: a claim that was overtaken by hand is over all the same.
func TestClaimAfterOvertaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open("skylt", ticket("M1", "a"))
	w.must(w.store.ReconcileSoon(t.Context(), "vitec"))
	claimed, _ := w.claimOffice()
	w.clock.advance(time.Second)
	w.reconcile()
	_, err := w.store.FinishReconciliation(t.Context(), claimed, portal.Listing{})
	w.must(err)
	if n := w.count(`SELECT count(*) FROM reconciliation_schedules WHERE leased_until IS NULL`); n != 1 {
		t.Error("the lease is still held")
	}
}
