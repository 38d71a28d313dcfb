package db_test

import (
	"database/sql"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

// step is one change to an order of the service foto.
type step struct {
	name string
	do   func(w *world, id int64) error
	want portal.State
}

// journey takes a draft through every kind of change that the store makes.
var journey = []step{
	{"submit", func(w *world, id int64) error {
		return w.store.SubmitOrder(w.Context(), id, map[string][]string{"package": {"small"}}, asa)
	}, portal.Received},
	{"assign", func(w *world, id int64) error {
		return w.store.AssignOrder(w.Context(), id, w.erik.ID, w.erik.Actor())
	}, portal.Received},
	{"start", func(w *world, id int64) error { return w.store.StartOrder(w.Context(), id, w.erik.Actor()) }, portal.Active},
	{"write", func(w *world, id int64) error { return w.store.WriteMessage(w.Context(), id, "Hej", asa) }, portal.Active},
	{"note", func(w *world, id int64) error {
		return w.store.WriteNote(w.Context(), id, "Obs", w.erik.Actor())
	}, portal.Active},
	{"ask", func(w *world, id int64) error {
		return w.store.AskBroker(w.Context(), id, portal.Interaction{Comment: "Vilken dag?"}, w.erik.Actor())
	}, portal.Waiting},
	{"answer", func(w *world, id int64) error {
		return w.store.AnswerInteraction(w.Context(), id, w.openQuestion(id), "Tisdag", asa)
	}, portal.Active},
	{"deliver", func(w *world, id int64) error {
		return w.store.DeliverOrder(w.Context(), id, delivery("a"), w.erik.Actor())
	}, portal.Delivered},
	{"request a revision", func(w *world, id int64) error {
		return w.store.RequestRevision(w.Context(), id, "Ljusare", asa)
	}, portal.Active},
	{"fail", func(w *world, id int64) error {
		return w.store.FailOrder(w.Context(), id, "Huset är rivet", w.erik.Actor())
	}, portal.Failed},
	{"reopen", func(w *world, id int64) error { return w.store.ReopenOrder(w.Context(), id, w.erik.Actor()) }, portal.Active},
	{"cancel", func(w *world, id int64) error { return w.store.CancelOrder(w.Context(), id, "Ångrat", asa) }, portal.Cancelled},
}

func (w *world) openQuestion(order int64) (id int64) {
	w.Helper()
	err := w.raw.QueryRow(`SELECT id FROM interactions WHERE order_id = $1 AND closed_at IS NULL`, order).Scan(&id)
	if err != nil && err != sql.ErrNoRows {
		w.Fatal(err)
	}
	return id
}

func delivery(files ...string) portal.Delivery {
	d := portal.Delivery{Message: "Klart", Links: []string{"https://example.com/film"}}
	for _, id := range files {
		d.Files = append(d.Files, portal.File{ID: id, Name: id + ".jpg", ContentType: "image/jpeg", Size: 3, SHA256: []byte{1}, Key: "key-" + id})
	}
	return d
}

func TestJourney(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.open("foto", ticket("M1", "B1")).ID
	for _, s := range journey {
		if err := s.do(w, id); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if o := w.order(id); o.State != s.want {
			t.Fatalf("%s: %s, want %s", s.name, o.State, s.want)
		}
	}
	want := []portal.EventKind{portal.EventOpened, portal.EventReceived, portal.EventAssigned, portal.EventStarted, portal.EventMessage,
		portal.EventNote, portal.EventAsked, portal.EventAnswered, portal.EventDelivered, portal.EventRevision, portal.EventFailed,
		portal.EventReopened, portal.EventCancelled}
	if diff := cmp.Diff(want, w.kinds(id)); diff != "" {
		t.Error(diff)
	}
	var states []portal.State
	for _, j := range w.jobs(id) {
		states = append(states, j.Message.State)
	}
	if diff := cmp.Diff(told, states); diff != "" {
		t.Errorf("reported states:\n%s", diff)
	}
	if o := w.order(id); o.AssignedTo != w.erik.ID || o.Assignee != w.erik.Name || o.Total != 249000 {
		t.Errorf("assigned to %d %s, total %d", o.AssignedTo, o.Assignee, o.Total)
	}
	// Refused to whoever asks, with all that it left.
	before := w.dump()
	for _, s := range journey {
		if s.name != "assign" && s.name != "write" && s.name != "note" && s.do(w, id) == nil {
			t.Errorf("%s: a cancelled order changed", s.name)
		}
	}
	if diff := cmp.Diff(before, w.dump()); diff != "" {
		t.Error(diff)
	}
}

// dump returns every row that a change to an order can touch.
func (w *world) dump() []string {
	w.Helper()
	var all []string
	for _, table := range []string{"orders", "events", "jobs", "interactions", "visits", "deliveries", "files", "offices", "brokers"} {
		rows, err := w.raw.Query(`SELECT '` + table + ` ' || row_to_json(t)::text FROM ` + table + ` t ORDER BY 1`)
		w.must(err)
		for rows.Next() {
			var row string
			w.must(rows.Scan(&row))
			all = append(all, row)
		}
		w.must(rows.Err())
	}
	return all
}

// TestChangesAreAtomic makes each table refuse its next row: the change that
// needs it leaves nothing at all.
func TestChangesAreAtomic(t *testing.T) {
	t.Parallel()
	tables := map[string][]string{
		"submit": {"orders", "events", "jobs"}, "assign": {"orders", "events"}, "start": {"orders", "events"}, "write": {"events"},
		"note": {"events"}, "ask": {"orders", "events", "interactions", "jobs"}, "answer": {"orders", "events", "interactions"},
		"deliver": {"orders", "events", "deliveries", "files", "jobs"}, "request a revision": {"orders", "events"},
		"fail": {"orders", "events", "jobs"}, "reopen": {"orders", "events"}, "cancel": {"orders", "events", "jobs", "visits"},
	}
	w := newWorld(t)
	id := w.open("foto", ticket("M1", "B1")).ID
	_, err := w.store.IssueVisit(t.Context(), id, 0)
	w.must(err)
	for _, s := range journey {
		for _, table := range tables[s.name] {
			w.spoil(table)
			before := w.dump()
			if err := s.do(w, id); err == nil || !strings.Contains(err.Error(), "no room") {
				t.Errorf("%s without %s: %v", s.name, table, err)
			}
			if diff := cmp.Diff(before, w.dump()); diff != "" {
				t.Errorf("%s without %s left:\n%s", s.name, table, diff)
			}
			w.mend(table)
		}
		w.must(s.do(w, id))
	}
}

func (w *world) spoil(table string) {
	w.Helper()
	w.exec(`CREATE OR REPLACE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room'; END $$`)
	w.exec(`CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON ` + table + ` FOR EACH ROW EXECUTE FUNCTION no_room()`)
}

func (w *world) mend(table string) {
	w.Helper()
	w.exec(`DROP TRIGGER no_room ON ` + table)
}

func (w *world) exec(query string, args ...any) {
	w.Helper()
	_, err := w.raw.Exec(query, args...)
	w.must(err)
}

// TestOneNow runs the store on a clock that moves at each look: all that one
// transaction writes carries one time.
func TestOneNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var mu sync.Mutex
	now := w.clock.now()
	w.store.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(time.Second)
		return now
	}
	const times = `
		SELECT count(DISTINCT at) FROM (
			SELECT unnest(ARRAY[created_at, updated_at, received_at, waiting_since]) FROM orders
			UNION ALL SELECT created_at FROM events UNION ALL SELECT created_at FROM offices UNION ALL SELECT created_at FROM brokers
			UNION ALL SELECT unnest(ARRAY[created_at, run_at, finished_at]) FROM jobs
			UNION ALL SELECT unnest(ARRAY[asked_at, answered_at, closed_at]) FROM interactions
			UNION ALL SELECT created_at FROM deliveries UNION ALL SELECT revoked_at FROM visits) t (at)
		WHERE at > $1`
	check := func(name string, do func()) {
		t.Helper()
		before := w.store.Now()
		do()
		if n := w.count(times, before); n != 1 {
			t.Errorf("%s wrote %d times, want 1", name, n)
		}
	}
	var id int64
	check("open without a form", func() { w.received("B0") })
	check("open", func() { id = w.open("foto", ticket("M1", "B1")).ID })
	_, err := w.store.IssueVisit(t.Context(), id, 0)
	w.must(err)
	for _, s := range journey {
		check(s.name, func() { w.must(s.do(w, id)) })
	}
	for _, job := range w.claim(1) {
		check("complete", func() { w.must(w.store.CompleteJob(t.Context(), job, time.Second)) })
	}
}

func TestTimelineIsNeverRewritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.received("B1")
	before := w.dump()
	for _, query := range []string{
		`UPDATE events SET actor_name = 'nobody' WHERE order_id = $1`, `DELETE FROM events WHERE order_id = $1`,
		`UPDATE events SET data = data WHERE order_id = $1`,
	} {
		if _, err := w.raw.Exec(query, id); err == nil || !strings.Contains(err.Error(), "never rewritten") {
			t.Errorf("%s: %v", query, err)
		}
	}
	if _, err := w.raw.Exec(`TRUNCATE events`); err == nil || !strings.Contains(err.Error(), "never rewritten") {
		t.Errorf("TRUNCATE: %v", err)
	}
	if diff := cmp.Diff(before, w.dump()); diff != "" {
		t.Error(diff)
	}
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, id, by := t.Context(), w.received("B1"), w.erik.Actor()
	w.must(w.store.WriteNote(ctx, id, "Svår kund", by))
	w.clock.advance(time.Minute)
	w.must(w.store.WriteMessage(ctx, id, "Hej på er", by))
	w.must(w.store.AssignOrder(ctx, id, w.erik.ID, by))
	w.must(w.store.WriteMessage(ctx, w.received("B2"), "på en annan", by))
	want := portal.Event{Kind: portal.EventMessage, Actor: by, ForBroker: true, Data: portal.EventData{Body: "Hej på er"}, CreatedAt: w.clock.now()}
	for forBroker, kinds := range map[bool][]portal.EventKind{
		true:  {portal.EventOpened, portal.EventReceived, portal.EventMessage},
		false: {portal.EventOpened, portal.EventReceived, portal.EventNote, portal.EventMessage, portal.EventAssigned},
	} {
		events, err := w.store.Timeline(ctx, id, forBroker)
		w.must(err)
		var got []portal.EventKind
		for _, e := range events {
			got = append(got, e.Kind)
			if e.Kind == portal.EventMessage && !cmp.Equal(want, e) {
				t.Error(cmp.Diff(want, e))
			}
		}
		if diff := cmp.Diff(kinds, got); diff != "" {
			t.Errorf("for the broker %v:\n%s", forBroker, diff)
		}
	}
}

func TestChangesTakeTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.received("B1")
	done := 0
	for _, err := range parallel(12, func(int) error { return w.store.StartOrder(t.Context(), id, w.erik.Actor()) }) {
		if err == nil {
			done++
		} else {
			w.wantKind(err, portal.Conflict)
		}
	}
	if done != 1 || w.count(`SELECT count(*) FROM events WHERE kind = 'started'`) != 1 {
		t.Errorf("started %d times", done)
	}
}

func TestAssignOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, id, by := t.Context(), w.received("B1"), w.erik.Actor()
	viewer, gone := w.staff("viewer@nordljus.example", portal.RoleViewer), w.staff("gone@nordljus.example", portal.RoleAdmin)
	w.must(w.store.BlockStaff(ctx, gone.ID))
	w.must(w.store.AssignOrder(ctx, id, w.erik.ID, by))
	for name, staff := range map[string]int64{"a viewer": viewer.ID, "blocked": gone.ID, "nobody there": 999} {
		if err := w.store.AssignOrder(ctx, id, staff, by); portal.KindOf(err) != portal.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	if o := w.order(id); o.AssignedTo != w.erik.ID {
		t.Errorf("assigned to %d", o.AssignedTo)
	}
	w.must(w.store.AssignOrder(ctx, id, 0, by))
	if o := w.order(id); o.AssignedTo != 0 || o.Assignee != "" {
		t.Errorf("assigned to %d %q", o.AssignedTo, o.Assignee)
	}
}

func TestChangesOfNoOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, s := range journey {
		if err := s.do(w, 999); portal.KindOf(err) != portal.NotFound {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}
