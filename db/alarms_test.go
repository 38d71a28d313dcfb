package db_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
)

// alarm claims what administrators are to be told.
func (w *world) alarm() (db.ClaimedAlarm, bool) {
	w.Helper()
	a, ok, err := w.store.ClaimAlarm(w.Context())
	w.must(err)
	return a, ok
}

// tells claims an alarm with so many troubles and ends it.
func (w *world) tells(troubles int) {
	w.Helper()
	a, ok := w.alarm()
	if !ok || len(a.Troubles) != troubles {
		w.Fatalf("%v, %+v; want %d troubles", ok, a, troubles)
	}
	_, err := w.store.EndAlarm(w.Context(), a, true)
	w.must(err)
}

func (w *world) tellsNothing() {
	w.Helper()
	if a, ok := w.alarm(); ok {
		w.Fatalf("%+v", a)
	}
}

func TestAlarm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.tellsNothing()
	first := w.received("A")
	w.clock.advance(portal.Overdue - time.Second)
	w.tellsNothing()
	w.clock.advance(time.Second)
	w.tells(1)
	w.tellsNothing() // they know
	w.received("B")
	w.clock.advance(24*time.Hour - time.Second)
	w.tellsNothing()
	w.clock.advance(time.Second)
	w.tells(1) // still not
	for _, j := range w.claim(10) {
		w.must(w.store.CompleteJob(ctx, j, time.Second))
	}
	w.tells(0)
	w.tellsNothing()
	w.must(w.store.FailOrder(ctx, first, "Rivet", w.erik.Actor()))
	w.must(w.store.ParkJob(ctx, w.claimOne(), "400", false))
	w.tells(1) // again, and at once
}

// TestATryByHandIsNoEnd: what is parked no longer and not reported yet is the
// same trouble as before.
func TestATryByHandIsNoEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, jobs := w.park(1)
	w.clock.advance(portal.Overdue)
	w.tells(1)
	w.must(w.store.RetryJob(t.Context(), jobs[0], w.erik.Actor()))
	w.tellsNothing()
}

func TestTroubles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	began := w.clock.now()
	w.pair("A") // the second waits for the first, which is enough to say
	j := w.claimOne()
	j.Attempts = []portal.Attempt{{StartedAt: began, Outcome: portal.OutcomeUnknown, Receipt: portal.Receipt{Status: 500, Answer: "Maja Lindqvist"}}}
	w.must(w.store.RetryJobLater(ctx, j, w.clock.Add(time.Hour), "500", false))
	w.clock.advance(time.Minute)
	w.park(2)
	parkedAt := w.clock.now()
	w.clock.advance(portal.Overdue)
	w.received("fresh")
	if _, err := w.store.ConnectionDown(ctx, "other"); err != nil {
		t.Fatal(err)
	}
	a, ok := w.alarm()
	since := began
	want := []portal.Trouble{{ConnectionID: "vitec", System: "vitec", Overdue: 1, Parked: 2, Oldest: &since,
		Last: portal.Attempt{Outcome: portal.OutcomeUnknown, Receipt: portal.Receipt{Status: 500}}}}
	if diff := cmp.Diff(want, a.Troubles); !ok || diff != "" {
		t.Error(diff)
	}
	downAt := w.clock.now()
	w.clock.advance(24 * time.Hour)
	w.exec(`INSERT INTO credentials (connection_id, customer, sealed, updated_at, refused_at, refused_status, blocked_until)
		VALUES ('other', '*', '', now(), $1, 401, now())`, parkedAt)
	a, _ = w.alarm()
	if len(a.Troubles) != 2 {
		t.Fatalf("%+v", a)
	}
	want = []portal.Trouble{{ConnectionID: "other", System: "vitec", DownSince: &downAt, RefusedSince: &parkedAt}}
	if diff := cmp.Diff(want, a.Troubles[:1]); diff != "" {
		t.Error(diff)
	}
}

// TestOneWorkerTellsThem: of many that look at once, and of those that look
// while a mail is on its way.
func TestOneWorkerTellsThem(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.park(1)
	claims := make([]bool, 8)
	for _, err := range parallel(len(claims), func(i int) (err error) {
		_, claims[i], err = w.store.ClaimAlarm(t.Context())
		return err
	}) {
		w.must(err)
	}
	n := 0
	for _, claimed := range claims {
		if claimed {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d workers send it", n)
	}
}

// TestAnAlarmIsNotLost: of a worker that dies the next one takes over, and then
// it cannot say any more how it went.
func TestAnAlarmIsNotLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.park(1)
	dead, ok := w.alarm()
	if !ok {
		t.Fatal("no alarm")
	}
	w.clock.advance(2*time.Minute - time.Second)
	w.tellsNothing()
	w.clock.advance(time.Second)
	next, ok := w.alarm()
	if !ok {
		t.Fatal("nobody takes over")
	}
	_, err := w.store.EndAlarm(t.Context(), dead, true)
	w.wantKind(err, portal.NotFound)
	_, err = w.store.EndAlarm(t.Context(), next, true)
	w.must(err)
	w.tellsNothing()
}

// TestAMailServerThatDoesNotAnswer is tried again later and later.
func TestAMailServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.park(1)
	for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute,
		32 * time.Minute, time.Hour, time.Hour} {
		a, ok := w.alarm()
		if !ok {
			t.Fatal("not tried again")
		}
		wait, err := w.store.EndAlarm(t.Context(), a, false)
		if wait != want || err != nil {
			t.Errorf("%v, %v; want %v", wait, err, want)
		}
		w.clock.advance(want - time.Second)
		w.tellsNothing()
		w.clock.advance(time.Second)
	}
	w.tells(1)
	w.exec(`UPDATE jobs SET state = 'skipped', finished_at = now()`)
	a, ok := w.alarm()
	if !ok {
		t.Fatal("nobody says that it is over")
	}
	if wait, err := w.store.EndAlarm(t.Context(), a, false); wait != time.Minute || err != nil {
		t.Errorf("%v, %v: what failed before is forgotten", wait, err)
	}
}

func TestAdmins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.staff("maja@nordljus.example", portal.RoleAdmin)
	w.staff("anna@nordljus.example", portal.RoleAdmin)
	w.staff("lisa@nordljus.example", portal.RoleViewer)
	gone := w.staff("gone@nordljus.example", portal.RoleAdmin)
	w.must(w.store.BlockStaff(t.Context(), gone.ID))
	admins, err := w.store.Admins(t.Context())
	w.must(err)
	var got []string
	for _, a := range admins {
		got = append(got, a.Email)
	}
	if diff := cmp.Diff([]string{"anna@nordljus.example", "maja@nordljus.example"}, got); diff != "" {
		t.Error(diff)
	}
}
