package db_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
)

const pollLease = time.Minute

// fetch makes the orders of a connection of its own due to be fetched every five minutes.
func (w *world) fetch(id string) {
	w.Helper()
	s := worldSetup()
	s.Connections = []portal.Connection{{ID: id, System: "tjansteguiden", InteractionLink: portal.LinkSigned, Reports: told,
		PollEvery: 5 * time.Minute, Settings: []byte(`{}`)}}
	s.Services = nil
	_, err := w.store.Apply(w.Context(), s)
	w.must(err)
}

func (w *world) lists(p portal.Poll, ids ...string) {
	w.Helper()
	var list []portal.Listed
	for _, id := range ids {
		list = append(list, portal.Listed{OrderID: id, ServiceID: "2440"})
	}
	w.must(w.store.ListOrders(w.Context(), p, list, portal.PollRules{}, pollLease))
}

// keepAside keeps all that is due aside, for an hour.
func (w *world) keepAside(p portal.Poll, reason portal.Sentence, raw string) {
	w.Helper()
	due, err := w.store.OrdersToFetch(w.Context(), p.ConnectionID, 10)
	w.must(err)
	for _, o := range due {
		w.must(w.store.KeepAside(w.Context(), p, o.ID, reason, raw, w.clock.Add(time.Hour), pollLease))
	}
}

// polled returns how far the one connection is whose orders are fetched.
func (w *world) polled() db.PollStatus {
	w.Helper()
	list, err := w.store.Polls(w.Context())
	w.must(err)
	if len(list) != 1 {
		w.Fatalf("%d polls, want 1", len(list))
	}
	return list[0]
}

func (w *world) aside(connection string) []db.FetchedOrder {
	w.Helper()
	list, err := w.store.AsideOrders(w.Context(), connection, 10)
	w.must(err)
	return list
}

func (w *world) wantPolled(want db.PollStatus) {
	w.Helper()
	want.ConnectionID, want.System, want.Every = "guiden", "tjansteguiden", 5*time.Minute
	if diff := cmp.Diff(want, w.polled()); diff != "" {
		w.Error(diff)
	}
}

func TestPolls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if list, err := w.store.Polls(t.Context()); err != nil || len(list) != 0 {
		t.Fatalf("%+v, %v; no orders are fetched", list, err)
	}
	w.fetch("guiden")
	began := w.clock.now()
	w.wantPolled(db.PollStatus{NextRunAt: began, Since: began}) // no worker has seen it

	p := w.claimPoll()
	today := time.Date(began.Year(), began.Month(), began.Day(), 0, 0, 0, 0, time.UTC)
	cursor := w.polled().Cursor
	w.wantPolled(db.PollStatus{NextRunAt: began, Since: began, Running: true, LastAt: &began, Cursor: cursor})
	w.lists(p, "A", "B", "C")
	w.wantPolled(db.PollStatus{NextRunAt: began, Since: began, Running: true, LastAt: &began, Cursor: cursor, Waiting: 3})
	w.keepAside(p, portal.Say("polls.refused"), "")
	w.must(w.store.DismissFetched(t.Context(), w.aside("guiden")[0].ID, "Test", w.erik.Actor()))
	w.must(w.store.FinishPoll(t.Context(), p, 3, 0))
	good := db.PollStatus{NextRunAt: began.Add(5 * time.Minute), Since: began, LastAt: &began, LastOKAt: &began, Cursor: today, Listed: 3, Aside: 2}
	w.wantPolled(good)

	w.clock.advance(5 * time.Minute)
	failed := w.clock.now()
	say := portal.Say("polls.unknown_service", "Service", "9")
	w.must(w.store.FailPoll(t.Context(), w.claimPoll(), say, 0))
	w.clock.advance(10 * time.Minute)
	good.LastAt, good.LastError, good.Failures, good.NextRunAt = &failed, &say, 1, w.polled().NextRunAt
	w.wantPolled(good)
	w.clock.advance(time.Second)
	good.Stale = true
	w.wantPolled(good)
	w.exec(`UPDATE connections SET poll_seconds = 0 WHERE id = 'guiden'`)
	if list, err := w.store.Polls(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v; no orders are fetched any more", list, err)
	}
}

// TestStaleWithoutWorker: that nobody fetches is seen by those who look.
func TestStaleWithoutWorker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fetch("guiden")
	w.clock.advance(15 * time.Minute)
	if w.polled().Stale {
		t.Error("stale after a quarter of an hour")
	}
	w.clock.advance(time.Second)
	if !w.polled().Stale {
		t.Error("not stale although nobody has ever fetched")
	}
}

func TestAsideOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fetch("guiden")
	w.fetch("other-guide")
	began := w.clock.now()
	first, second := w.claimPoll(), w.claimPoll()
	w.lists(first, "A", "B")
	w.lists(second, "A")
	w.keepAside(first, portal.Say("polls.unknown_service", "Service", "2440"), "<x/>")
	w.lists(first, "on-its-way")
	listed := func(id string) portal.Listed { return portal.Listed{OrderID: id, ServiceID: "2440"} }
	say := portal.Say("polls.unknown_service", "Service", "2440")
	list := w.aside(first.ConnectionID)
	want := []db.FetchedOrder{
		{ID: 2, ConnectionID: first.ConnectionID, Listed: listed("B"), FoundAt: began, NextRunAt: w.clock.Add(time.Hour), Tries: 1, Reason: &say, Raw: "<x/>"},
		{ID: 1, ConnectionID: first.ConnectionID, Listed: listed("A"), FoundAt: began, NextRunAt: w.clock.Add(time.Hour), Tries: 1, Reason: &say, Raw: "<x/>"}}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Fatal(diff)
	}
	if n := len(w.aside(second.ConnectionID)); n != 0 {
		t.Errorf("%d orders of another connection", n)
	}

	w.wantKind(w.store.DismissFetched(t.Context(), 2, "", w.erik.Actor()), portal.Invalid)
	w.clock.advance(time.Minute)
	at := w.clock.now()
	w.must(w.store.DismissFetched(t.Context(), 2, "En test", w.erik.Actor()))
	want[0].DismissedAt, want[0].Dismisser, want[0].DismissedFor = &at, w.erik.Name, "En test"
	want[0], want[1] = want[1], want[0] // what is dismissed comes last
	if diff := cmp.Diff(want, w.aside(first.ConnectionID)); diff != "" {
		t.Error(diff)
	}
	if one, err := w.store.AsideOrders(t.Context(), first.ConnectionID, 1); err != nil || len(one) != 1 {
		t.Errorf("%d orders, %v; want one", len(one), err)
	}
}

// TestRetryFetched: an order that is tried again is due, and so is its connection.
func TestRetryFetched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fetch("guiden")
	p := w.claimPoll()
	w.lists(p, "A")
	w.keepAside(p, portal.Say("polls.refused"), "")
	w.must(w.store.DismissFetched(t.Context(), 1, "En test", w.erik.Actor()))
	w.must(w.store.FinishPoll(t.Context(), p, 1, 0))
	w.clock.advance(2 * time.Hour)
	if due, err := w.store.OrdersToFetch(t.Context(), "guiden", 10); err != nil || len(due) != 0 {
		t.Errorf("%d orders are due, %v; want none: it is dismissed", len(due), err)
	}
	w.must(w.store.RetryFetched(t.Context(), 1))
	f := w.aside("guiden")[0]
	if f.DismissedAt != nil || f.Dismisser+f.DismissedFor != "" || f.Tries != 1 || !f.NextRunAt.Equal(w.clock.now()) {
		t.Errorf("%+v", f)
	}
	if due, err := w.store.OrdersToFetch(t.Context(), "guiden", 10); err != nil || len(due) != 1 {
		t.Errorf("%d orders are due, %v; want one", len(due), err)
	}
	w.claimPoll()
	w.exec(`DELETE FROM fetched_orders`)
	w.wantKind(w.store.RetryFetched(t.Context(), 1), portal.NotFound)
	w.wantKind(w.store.DismissFetched(t.Context(), 1, "En test", w.erik.Actor()), portal.NotFound)
}

// TestStalePollIsTrouble: administrators are told of it, and that it is over.
func TestStalePollIsTrouble(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fetch("guiden")
	began := w.clock.now()
	w.must(w.store.FinishPoll(t.Context(), w.claimPoll(), 0, 0))
	w.clock.advance(15 * time.Minute)
	w.tellsNothing()
	w.clock.advance(time.Second)
	a, ok := w.alarm()
	want := []portal.Trouble{{ConnectionID: "guiden", System: "tjansteguiden", StaleSince: &began}}
	if diff := cmp.Diff(want, a.Troubles); !ok || diff != "" {
		t.Fatal(diff)
	}
	_, err := w.store.EndAlarm(t.Context(), a, true)
	w.must(err)
	w.tellsNothing()
	w.must(w.store.FinishPoll(t.Context(), w.claimPoll(), 0, 0))
	w.tells(0)
}
