package worker_test

import (
	"context"
	"testing"
	"time"

	"portico/internal/portal"
	"portico/internal/worker"
)

// TestAFileHasLonger: its call ends before its lease all the same, and what is
// sent beside it has no longer than ever.
func TestAFileHasLonger(t *testing.T) {
	t.Parallel()
	c := connection("one")
	c.TakesFiles = true
	w := newWorld(t, c)
	id := w.received("one", "B1")
	w.runner.Reporters = partner(func(context.Context, portal.Message) error { return nil })
	w.once(1)
	w.received("one", "B2")
	w.must(w.store.DeliverOrder(t.Context(), id, portal.Delivery{Files: []portal.File{
		{ID: "f", Name: "film.mp4", ContentType: "video/mp4", Size: portal.MaxFileSize, SHA256: []byte{1}, Key: "k"}}}, w.erik.Actor()))
	store := &timed{Store: w.store}
	w.runner.Store = store
	calls := make(chan time.Duration, 2) // each call's extra time
	w.runner.Reporters = partner(func(ctx context.Context, m portal.Message) error {
		latest := store.claimed.Add(worker.CallTimeout + m.Extra())
		deadline, ok := ctx.Deadline()
		if !ok || deadline.After(latest) || deadline.Before(latest.Add(-worker.CallTimeout)) {
			t.Errorf("%q: claimed at %v, called until %v, want %v", m.FileName(), store.claimed, deadline, latest)
		}
		calls <- m.Extra()
		return nil
	})
	w.once(2)
	if a, b := <-calls, <-calls; min(a, b) != 0 || max(a, b) < 10*time.Minute {
		t.Errorf("extra times %v and %v", a, b)
	}
	w.once(1) // the report of the delivery
	if j := w.job(id, portal.Received); j.State != portal.JobCompleted {
		t.Errorf("%+v", j)
	}
}
