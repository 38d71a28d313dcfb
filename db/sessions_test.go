package db_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
)

const (
	idle     = 60 * time.Minute
	absolute = 8 * time.Hour
)

func TestSessionLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, hash := t.Context(), []byte("hash")
	w.must(w.store.CreateSession(ctx, hash, db.SessionBroker, 0))
	live := func(when string, want bool) {
		t.Helper()
		s, err := w.store.LiveSession(ctx, hash, db.SessionBroker, idle, absolute)
		if want && (err != nil || s.StaffID != 0) || !want && portal.KindOf(err) != portal.NotFound {
			t.Errorf("%s: %+v, %v; live %v", when, s, err, want)
		}
	}
	live("new", true)
	w.clock.advance(idle - time.Second)
	live("just idle enough", true)
	w.clock.advance(time.Second)
	live("idle", false)
	w.clock.advance(-time.Second)
	started := w.clock.now()
	for w.clock.now().Before(started.Add(7 * time.Hour)) {
		w.must(w.store.TouchSession(ctx, hash))
		s, err := w.store.LiveSession(ctx, hash, db.SessionBroker, idle, absolute)
		if err != nil || !s.LastSeenAt.Equal(w.clock.now()) {
			t.Fatalf("in use: %+v, %v", s, err)
		}
		w.clock.advance(30 * time.Minute)
	}
	w.must(w.store.TouchSession(ctx, hash))
	w.clock.advance(time.Second)
	live("in use for too long", false)
}

func TestSessionsAreOfOneKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, broker, staff := t.Context(), []byte("broker"), []byte("staff")
	w.must(w.store.CreateSession(ctx, broker, db.SessionBroker, 0))
	w.must(w.store.CreateSession(ctx, staff, db.SessionStaff, w.erik.ID))
	if s, err := w.store.LiveSession(ctx, staff, db.SessionStaff, idle, absolute); err != nil || s.StaffID != w.erik.ID {
		t.Errorf("%+v, %v", s, err)
	}
	for kind, hash := range map[db.SessionKind][]byte{db.SessionStaff: broker, db.SessionBroker: staff} {
		_, err := w.store.LiveSession(ctx, hash, kind, idle, absolute)
		w.wantKind(err, portal.NotFound)
	}
	for name, err := range map[string]error{
		"staff without a person":  w.store.CreateSession(ctx, []byte("a"), db.SessionStaff, 0),
		"a broker who is staff":   w.store.CreateSession(ctx, []byte("b"), db.SessionBroker, w.erik.ID),
		"somebody who is not":     w.store.CreateSession(ctx, []byte("c"), db.SessionStaff, 999),
		"another's id":            w.store.CreateSession(ctx, staff, db.SessionStaff, w.erik.ID),
		"a grant without session": w.store.Grant(ctx, []byte("none"), w.received("B1"), 1, []byte("l")),
	} {
		if err == nil {
			t.Errorf("%s is stored", name)
		}
	}
	w.must(w.store.DeleteSession(ctx, staff))
	_, err := w.store.LiveSession(ctx, staff, db.SessionStaff, idle, absolute)
	w.wantKind(err, portal.NotFound)
	w.must(w.store.DeleteSession(ctx, staff)) // a second click on log out
	if _, err := w.store.LiveSession(ctx, broker, db.SessionBroker, idle, absolute); err != nil {
		t.Errorf("somebody else was logged out: %v", err)
	}
}

func TestFlashIsShownOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, hash := t.Context(), []byte("hash")
	w.must(w.store.CreateSession(ctx, hash, db.SessionBroker, 0))
	if got, err := w.store.TakeFlash(ctx, hash); got.Key != "" || err != nil {
		t.Errorf("none: %v, %v", got, err)
	}
	w.must(w.store.SetFlash(ctx, hash, portal.Say("flash.old")))
	w.must(w.store.SetFlash(ctx, hash, portal.Say("flash.new", "System", "vitec")))
	got, err := w.store.TakeFlash(ctx, hash)
	want := portal.Say("flash.new", "System", "vitec")
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if got, err := w.store.TakeFlash(ctx, hash); got.Key != "" || err != nil {
		t.Errorf("again: %v, %v", got, err)
	}
	w.must(w.store.SetFlash(ctx, []byte("nobody"), portal.Say("x")))
	if got, err := w.store.TakeFlash(ctx, []byte("nobody")); got.Key != "" || err != nil {
		t.Errorf("without a session: %v, %v", got, err)
	}
}

func TestDeleteExpired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	opened := w.open("foto", ticket("M1", "B1"))
	for _, id := range []string{"old", "new"} {
		w.must(w.store.CreateSession(ctx, []byte(id), db.SessionBroker, 0))
		w.must(w.store.Grant(ctx, []byte(id), opened.ID, opened.BrokerID, []byte("l")))
		_, err := w.store.Count(ctx, id, time.Hour)
		w.must(err)
		_, err = w.store.IssueVisit(ctx, opened.ID, 0)
		w.must(err)
		if id == "old" {
			w.clock.advance(30*24*time.Hour + time.Second)
		}
	}
	w.must(w.store.DeleteExpired(ctx, 24*time.Hour))
	count := func() []int {
		return []int{w.count(`SELECT count(*) FROM sessions`), w.count(`SELECT count(*) FROM grants`),
			w.count(`SELECT count(*) FROM throttles`), w.count(`SELECT count(*) FROM visits`), w.count(`SELECT count(*) FROM orders`)}
	}
	// An expired link still says that it is one, for a month.
	if diff := cmp.Diff([]int{1, 1, 1, 2, 1}, count()); diff != "" {
		t.Errorf("sessions, grants, counters, links, orders:\n%s", diff)
	}
	w.clock.advance(db.VisitTTL)
	w.must(w.store.DeleteExpired(ctx, 24*time.Hour))
	if diff := cmp.Diff([]int{0, 0, 0, 1, 1}, count()); diff != "" {
		t.Errorf("sessions, grants, counters, links, orders:\n%s", diff)
	}
}

func TestCountsOfAWindow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	count := func(key string, want int) {
		t.Helper()
		got, err := w.store.Count(ctx, key, time.Minute)
		if err != nil || got != want {
			t.Errorf("count %s: %d, %v; want %d", key, got, err, want)
		}
		if got, err := w.store.Counted(ctx, key); err != nil || got != want {
			t.Errorf("counted %s: %d, %v; want %d", key, got, err, want)
		}
	}
	if n, err := w.store.Counted(ctx, "a"); n != 0 || err != nil {
		t.Errorf("before the first: %d, %v", n, err)
	}
	count("a", 1)
	w.clock.advance(59 * time.Second)
	count("a", 2)
	count("b", 1)
	w.clock.advance(time.Second) // the first count opened the window, not the last
	if n, err := w.store.Counted(ctx, "a"); n != 0 || err != nil {
		t.Errorf("the window is over: %d, %v", n, err)
	}
	count("a", 1)
	count("b", 2)
	w.must(w.store.ResetCount(ctx, "b"))
	count("b", 1)
	w.must(w.store.ResetCount(ctx, "none"))
	if err := errors.Join(parallel(20, func(int) error { _, err := w.store.Count(ctx, "c", time.Minute); return err })...); err != nil {
		t.Error(err)
	}
	if n, err := w.store.Counted(ctx, "c"); n != 20 || err != nil {
		t.Errorf("twenty at once: %d, %v", n, err)
	}
}

func TestAudit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.store.Audit(t.Context(), "other_office", portal.Actor{Kind: portal.ActorPartner, Name: "M1"}, map[string]string{"customer": "M2"}))
	n := w.count(`SELECT count(*) FROM audits WHERE action = 'other_office' AND actor = 'partner M1' AND data ->> 'customer' = 'M2' AND created_at = $1`, w.clock.now())
	if n != 1 {
		t.Errorf("%d audits", n)
	}
}
