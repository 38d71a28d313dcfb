package db_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
)

// TestWorkspaceIsOfOneMoment: what is written while the workspace is read is in
// none of it.
func TestWorkspaceIsOfOneMoment(t *testing.T) {
	t.Parallel()
	w, id := ordered(t)
	w.networkAnswers(portal.ActivationAnswer{NetworkID: "f3f2", State: portal.ActivationAccepted})
	w.must(w.store.DeliverOrder(t.Context(), id, portal.Delivery{Message: "Klart",
		Files: []portal.File{{ID: "f1", Name: "a.jpg", ContentType: "image/jpeg", Size: 1, SHA256: []byte("x"), Key: "k1"}}}, w.erik.Actor()))
	w.exec(`INSERT INTO interactions (order_id, comment, choices, staff_id, asked_at, answer) VALUES ($1, 'När?', '{}', $2, now(), '')`, id, w.erik.ID)
	w.exec(`INSERT INTO personal_numbers (order_id, sealed, created_at) VALUES ($1, '', now()) ON CONFLICT DO NOTHING`, id)
	lead := named("Bo", "Ek")
	lead.ConnectionID, lead.OrderID = "guiden", id
	w.lead(lead)
	w.exec(`INSERT INTO attempts (job_id, number, started_at, took_ms, outcome, status, answer, error)
		SELECT min(id), 99, now(), 1, 'done', 200, '', '' FROM jobs WHERE order_id = $1`, id)
	publicID := w.order(id).PublicID
	read := func() db.Workspace {
		t.Helper()
		work, err := w.store.Workspace(t.Context(), publicID)
		w.must(err)
		return work
	}
	before := read()
	if len(before.Events) == 0 || len(before.Deliveries) != 1 || len(before.Deliveries[0].Files) != 1 || len(before.Questions) != 1 ||
		len(before.Jobs) == 0 || len(before.Jobs[0].Attempts) == 0 || len(before.Leads) != 1 || len(before.Activations) != 1 || !before.NumberKept {
		t.Fatalf("%+v", before)
	}

	// It has read the order, and waits for the timeline until all has changed.
	tx, err := w.raw.Begin()
	w.must(err)
	t.Cleanup(func() { _ = tx.Rollback() })
	_, err = tx.Exec(`LOCK TABLE events IN ACCESS EXCLUSIVE MODE`)
	w.must(err)
	var during db.Workspace
	done := make(chan error)
	go func() {
		var err error
		during, err = w.store.Workspace(t.Context(), publicID)
		done <- err
	}()
	for w.count(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) < 1 {
	}
	for _, change := range []string{`UPDATE orders SET state = 'active'`, `DELETE FROM files`,
		`DELETE FROM deliveries`, `DELETE FROM interactions`, `DELETE FROM attempts`, `DELETE FROM jobs`, `DELETE FROM leads`,
		`DELETE FROM personal_numbers`, `DELETE FROM activations`,
		`INSERT INTO events (order_id, kind, actor_kind, actor_id, actor_name, for_broker, data, created_at)
			SELECT order_id, kind, actor_kind, actor_id, actor_name, for_broker, data, created_at FROM events ORDER BY id LIMIT 1`} {
		_, err := tx.Exec(change)
		w.must(err)
	}
	w.must(tx.Commit())
	w.must(<-done)
	if diff := cmp.Diff(before, during); diff != "" {
		t.Errorf("while it was written to (-before +read):\n%s", diff)
	}
	after := db.Workspace{Order: before.Order, Events: append(before.Events, before.Events[0]), Questions: []portal.Interaction{}, Leads: []db.StoredLead{}}
	after.Order.State = portal.Active
	if diff := cmp.Diff(after, read()); diff != "" {
		t.Errorf("afterwards (-want +got):\n%s", diff)
	}
}

func TestWorkspaceOfNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.store.Workspace(t.Context(), "nobody's")
	w.wantKind(err, portal.NotFound)
}
