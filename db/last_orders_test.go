package db_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
)

// TestLastOrders: the last one to come in counts, whatever its state.
func TestLastOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := map[string]db.LastOrder{}
	look := func() {
		t.Helper()
		got, err := w.store.LastOrders(t.Context())
		w.must(err)
		if diff := cmp.Diff(want, got, cmp.Transformer("utc", time.Time.UTC)); diff != "" {
			t.Error(diff)
		}
	}
	look()
	w.queue()
	cancelled, elsewhere := w.open("foto", ticket("M1", "cancelled")), w.open("annan", ticket("M1", "elsewhere"))
	want["foto"] = db.LastOrder{PublicID: cancelled.PublicID, CreatedAt: w.order(cancelled.ID).CreatedAt}
	want["annan"] = db.LastOrder{PublicID: elsewhere.PublicID, CreatedAt: w.order(elsewhere.ID).CreatedAt}
	look()
	w.clock.advance(time.Hour)
	draft := w.open("foto", ticket("M2", "new"))
	want["foto"] = db.LastOrder{PublicID: draft.PublicID, CreatedAt: w.clock.now()}
	look()
}
