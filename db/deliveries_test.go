package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

func TestDeliveries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, id, by := t.Context(), w.received("B1"), w.erik.Actor()
	if none, err := w.store.Deliveries(ctx, id); err != nil || len(none) != 0 {
		t.Errorf("before the first: %+v, %v", none, err)
	}
	first := delivery("z", "a", "m") // as staff put them, not by name
	w.must(w.store.DeliverOrder(ctx, id, first, by))
	w.must(w.store.RequestRevision(ctx, id, "Ljusare", asa))
	w.clock.advance(time.Hour)
	w.must(w.store.DeliverOrder(ctx, id, portal.Delivery{Message: "Ljusare nu"}, by))
	got, err := w.store.Deliveries(ctx, id)
	w.must(err)
	first.Version, first.By, first.CreatedAt = 1, by, w.clock.Add(-time.Hour)
	second := portal.Delivery{Version: 2, Message: "Ljusare nu", Links: []string{}, By: by, CreatedAt: w.clock.now()}
	for i := range got {
		got[i].ID = 0
	}
	if diff := cmp.Diff([]portal.Delivery{second, first}, got); diff != "" {
		t.Error(diff)
	}
	events, err := w.store.Timeline(ctx, id, true)
	w.must(err)
	if d := events[len(events)-1].Data; d.Version != 2 || d.Files != 0 {
		t.Errorf("the timeline says %+v", d)
	}
}

func TestFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, id, other := t.Context(), w.received("B1"), w.received("B2")
	w.must(w.store.DeliverOrder(ctx, id, delivery("mine"), w.erik.Actor()))
	w.must(w.store.DeliverOrder(ctx, other, delivery("theirs"), w.erik.Actor()))
	f, err := w.store.File(ctx, id, "mine")
	if diff := cmp.Diff(delivery("mine").Files[0], f); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, file := range []string{"theirs", "", "none", "\x00", "\xff"} {
		_, err := w.store.File(ctx, id, file)
		w.wantKind(err, portal.NotFound)
	}
}

func TestDeliverWithAFileTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, id := t.Context(), w.received("B1")
	w.must(w.store.DeliverOrder(ctx, w.received("B2"), delivery("taken"), w.erik.Actor()))
	before := w.dump()
	for name, d := range map[string]portal.Delivery{"of another order": delivery("new", "taken"), "of its own": delivery("new", "new")} {
		if err := w.store.DeliverOrder(ctx, id, d, w.erik.Actor()); err == nil {
			t.Errorf("a file %s is taken", name)
		}
		if diff := cmp.Diff(before, w.dump()); diff != "" {
			t.Errorf("a file %s:\n%s", name, diff)
		}
	}
}

func TestDeliveriesAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.received("B1")
	for round := range 3 {
		done := 0
		for _, err := range parallel(8, func(i int) error {
			return w.store.DeliverOrder(t.Context(), id, delivery(fmt.Sprint(round, "-", i)), w.erik.Actor())
		}) {
			if err == nil {
				done++
			} else {
				w.wantKind(err, portal.Conflict)
			}
		}
		if done != 1 {
			t.Errorf("round %d: delivered %d times", round, done)
		}
		w.must(w.store.ReopenOrder(t.Context(), id, w.erik.Actor()))
	}
	got := []int{w.count(`SELECT count(*) FROM deliveries`), w.count(`SELECT max(version) FROM deliveries`), w.count(`SELECT count(*) FROM files`),
		w.count(`SELECT count(*) FROM jobs WHERE payload ->> 'state' = 'delivered'`)}
	if diff := cmp.Diff([]int{3, 3, 3, 3}, got); diff != "" {
		t.Errorf("deliveries, newest version, files, reports:\n%s", diff)
	}
}
