package db_test

import (
	"testing"
	"time"

	"portico/db"
	"portico/internal/portal"
)

// TestRecovery: the first report that arrives after an outage brings forward
// what failed during it, spread out, and nothing else.
func TestRecovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, order := range []string{"A", "B", "C"} {
		w.received(order)
	}
	jobs := w.claim(3)
	w.must(w.store.RetryJobLater(t.Context(), jobs[1], w.clock.Add(5*time.Hour), "timeout", true))
	w.must(w.store.RetryJobLater(t.Context(), jobs[2], w.clock.Add(time.Second), "timeout", true))
	for range 2 {
		if _, err := w.store.ConnectionDown(t.Context(), "vitec"); err != nil {
			t.Fatal(err)
		}
	}
	if news, err := w.store.ConnectionDown(t.Context(), "vitec"); news || err != nil {
		t.Errorf("an outage that goes on is news: %v, %v", news, err)
	}
	w.must(w.store.CompleteJob(t.Context(), jobs[0], time.Second))
	outages, err := w.store.Outages(t.Context())
	if w.must(err); len(outages) != 0 {
		t.Errorf("still down: %+v", outages)
	}
	now := w.clock.now()
	after := map[int64]time.Duration{}
	list, err := w.store.Outbox(t.Context(), db.OutboxFilter{Limit: 10})
	w.must(err)
	for _, u := range list.Rows {
		after[u.Job.ID] = u.Job.RunAt.Sub(now)
	}
	if d := after[jobs[1].ID]; d < 0 || d > 20*time.Second {
		t.Errorf("what failed waits for %v", d)
	}
	if d := after[jobs[2].ID]; d != time.Second {
		t.Errorf("what was due anyway waits for %v", d)
	}
}

// TestNoRecoveryWithoutOutage: an order that fails by itself keeps its backoff,
// however well others do.
func TestNoRecoveryWithoutOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.received("A")
	w.received("B")
	jobs := w.claim(2)
	w.must(w.store.RetryJobLater(t.Context(), jobs[1], w.clock.Add(5*time.Hour), "500", false))
	w.must(w.store.CompleteJob(t.Context(), jobs[0], time.Second))
	list, err := w.store.Outbox(t.Context(), db.OutboxFilter{Limit: 10})
	w.must(err)
	if len(list.Rows) != 1 || list.Rows[0].Job.State != portal.JobAvailable || list.Rows[0].Job.RunAt.Sub(w.clock.now()) != 5*time.Hour {
		t.Errorf("outbox %+v", list)
	}
}

// TestACorrectedCredentialLetsAllGo: by an apply, or because the partner takes
// the old one again.
func TestACorrectedCredentialLetsAllGo(t *testing.T) {
	t.Parallel()
	for name, correct := range map[string]func(w *world, s portal.Setup){
		"applied": func(w *world, s portal.Setup) {
			s.Connections[0].Credentials[0].Password = "corrected"
			apply(w.T, w.store, s)
		},
		"taken again": func(w *world, _ portal.Setup) { w.must(w.store.ClearCredential(w.Context(), "vitec", "M1")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, s := newSealedWorld(t), worldSetup()
			s.Connections[0].Credentials = []portal.Credential{{Customer: portal.AnyCustomer, Username: "u", Password: "wrong"}}
			apply(t, w.store, s)
			id := w.received("A")
			_, err := w.store.RefuseCredential(t.Context(), "vitec", "M1", 401, w.clock.Add(5*time.Minute))
			w.must(err)
			w.must(w.store.SnoozeJob(t.Context(), w.claimOne(), w.clock.Add(6*time.Minute), "401"))
			apply(t, w.store, s) // the same again corrects nothing
			if wait := w.jobs(id)[0].RunAt.Sub(w.clock.now()); wait != 6*time.Minute {
				t.Errorf("before it is corrected it waits for %v", wait)
			}
			correct(w, s)
			if wait := w.jobs(id)[0].RunAt.Sub(w.clock.now()); wait < 0 || wait > 20*time.Second {
				t.Errorf("it waits for %v", wait)
			}
		})
	}
}
