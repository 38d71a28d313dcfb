package db_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
)

// found returns the partner's ids of a page of the queue, and the next one.
func (w *world) found(f db.OrderFilter) ([]string, string) {
	w.Helper()
	page, err := w.store.Orders(w.Context(), f)
	w.must(err)
	var ids []string
	for _, row := range page.Rows {
		ids = append(ids, row.PartnerOrderID)
	}
	return ids, page.Next
}

// queue fills the queue with orders of every state, an hour apart.
func (w *world) queue() {
	w.Helper()
	ctx, by := w.Context(), w.erik.Actor()
	for i, state := range portal.States {
		id := w.open("foto", ticket([]string{"M1", "M2"}[i%2], string(state))).ID
		w.clock.advance(time.Hour)
		if state == portal.Draft {
			continue
		}
		w.must(w.store.SubmitOrder(ctx, id, map[string][]string{"package": {"small"}, "access": {"Nyckel nr " + string(state)}}, asa))
		switch state {
		case portal.Active:
			w.must(w.store.StartOrder(ctx, id, by))
		case portal.Waiting:
			w.must(w.store.AskBroker(ctx, id, portal.Interaction{Comment: "?"}, by))
		case portal.Delivered:
			w.must(w.store.DeliverOrder(ctx, id, portal.Delivery{Message: "Klart"}, by))
		case portal.Failed:
			w.must(w.store.FailOrder(ctx, id, "Rivet", by))
		case portal.Cancelled:
			w.must(w.store.CancelOrder(ctx, id, "Ångrat", asa))
		}
	}
	w.open("annan", ticket("M1", "elsewhere"))
}

func TestQueueFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.queue()
	for name, c := range map[string]struct {
		filter db.OrderFilter
		want   []string
	}{
		"everything":         {db.OrderFilter{}, []string{"draft", "received", "active", "waiting", "delivered", "failed", "cancelled", "elsewhere"}},
		"every state":        {db.OrderFilter{States: portal.States}, []string{"draft", "received", "active", "waiting", "delivered", "failed", "cancelled", "elsewhere"}},
		"open":               {db.OrderFilter{States: portal.OpenStates}, []string{"received", "active", "waiting", "failed", "elsewhere"}},
		"one state":          {db.OrderFilter{States: []portal.State{portal.Delivered}}, []string{"delivered"}},
		"two states":         {db.OrderFilter{States: []portal.State{portal.Draft, portal.Cancelled}}, []string{"draft", "cancelled"}},
		"an unknown state":   {db.OrderFilter{States: []portal.State{"frozen"}}, nil},
		"a service":          {db.OrderFilter{Service: "annan"}, []string{"elsewhere"}},
		"no such service":    {db.OrderFilter{Service: "%"}, nil},
		"an office":          {db.OrderFilter{Office: "M2"}, []string{"received", "waiting", "failed"}},
		"of any connection":  {db.OrderFilter{Office: "M1"}, []string{"draft", "active", "delivered", "cancelled", "elsewhere"}},
		"no such office":     {db.OrderFilter{Office: "M9"}, nil},
		"office and state":   {db.OrderFilter{Office: "M2", States: []portal.State{portal.Waiting, portal.Active}}, []string{"waiting"}},
		"all at once":        {db.OrderFilter{Office: "M2", Service: "foto", States: portal.OpenStates, Query: "nyckel"}, []string{"received", "waiting", "failed"}},
		"nothing is so":      {db.OrderFilter{Office: "M2", Service: "annan"}, nil},
		"quotes are letters": {db.OrderFilter{Service: "' OR true --", Office: `"`}, nil},
	} {
		c.filter.Sort, c.filter.Limit = db.SortOld, 50
		got, next := w.found(c.filter)
		if diff := cmp.Diff(c.want, got); diff != "" || next != "" {
			t.Errorf("%s: next page %q\n%s", name, next, diff)
		}
	}
}

func TestQueueRow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opened := w.open("skylt", ticket("M1", "B1"))
	w.must(w.store.AssignOrder(t.Context(), opened.ID, w.erik.ID, w.erik.Actor()))
	w.must(w.store.FailOrder(t.Context(), opened.ID, "Rivet", w.erik.Actor()))
	job := w.claimOne()
	w.must(w.store.RetryJobLater(t.Context(), job, w.clock.Add(time.Hour), "500", false))
	page, err := w.store.Orders(t.Context(), db.OrderFilter{Limit: 1})
	w.must(err)
	due := w.clock.Add(48 * time.Hour)
	want := db.OrderRow{ID: opened.ID, PublicID: opened.PublicID, PartnerOrderID: "B1", State: portal.Failed,
		Target: portal.Target{Type: "House", ID: "OBJ_B1"}, ServiceName: portal.Text{}, ServiceJSON: []byte("{}"), Customer: "M1",
		Assignee: w.erik.Name, Broker: "U1", System: "vitec", Flow: portal.FlowPage, DueAt: &due, CreatedAt: w.clock.now(),
		JobKind: "report", JobState: portal.JobAvailable, JobAttempt: 1, JobError: "500", JobSince: w.clock.now(), Key: due} // the oldest report, not the newest
	if diff := cmp.Diff([]db.OrderRow{want}, page.Rows); diff != "" {
		t.Error(diff)
	}
	w.exec(`UPDATE jobs SET state = 'completed', finished_at = now()`)
	page, err = w.store.Orders(t.Context(), db.OrderFilter{Limit: 1})
	if w.must(err); page.Rows[0].JobState != "" {
		t.Errorf("all is reported, and the row says %s", page.Rows[0].JobState)
	}
}

func TestQueueSorts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 6 {
		id := w.received(fmt.Sprint("B", i))
		w.clock.advance(time.Minute)
		// Due in another order than they came in, two at once, one never.
		if due := []any{5, 1, 3, nil, 3, 2}[i]; due != nil {
			w.exec(`UPDATE orders SET due_at = $2::timestamptz + make_interval(hours => $3) WHERE id = $1`, id, w.clock.now(), due)
		} else {
			w.exec(`UPDATE orders SET due_at = NULL WHERE id = $1`, id)
		}
	}
	w.exec(`UPDATE orders SET due_at = (SELECT due_at FROM orders WHERE partner_order_id = 'B2') WHERE partner_order_id = 'B4'`)
	for sort, want := range map[db.Sort][]string{
		db.SortDue: {"B1", "B5", "B2", "B4", "B0", "B3"},
		db.SortNew: {"B5", "B4", "B3", "B2", "B1", "B0"},
		db.SortOld: {"B0", "B1", "B2", "B3", "B4", "B5"},
		"":         {"B1", "B5", "B2", "B4", "B0", "B3"},
		"; DROP":   {"B1", "B5", "B2", "B4", "B0", "B3"},
	} {
		if got, _ := w.found(db.OrderFilter{Sort: sort, Limit: 10}); !slices.Equal(got, want) {
			t.Errorf("by %q: %v, want %v", sort, got, want)
		}
	}
}

// TestQueuePages reads page by page while orders come in: what was there is
// seen once each, in order, though every key is the same for some.
func TestQueuePages(t *testing.T) {
	t.Parallel()
	for _, sort := range db.Sorts {
		t.Run(string(sort), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for i := range 14 {
				if i%5 == 0 {
					w.clock.advance(time.Microsecond) // the keys differ by the least that there is
				}
				id := w.received(fmt.Sprint("B", i))
				if i > 9 {
					w.exec(`UPDATE orders SET due_at = NULL WHERE id = $1`, id)
				}
			}
			want, _ := w.found(db.OrderFilter{Sort: sort, Limit: 100})
			var got []string
			after, pages := "", 0
			for more := true; more; pages++ {
				var ids []string
				ids, after = w.found(db.OrderFilter{Sort: sort, Limit: 3, After: after})
				for _, id := range ids {
					if id[0] == 'B' { // not one of those that came in meanwhile
						got = append(got, id)
					}
				}
				if more = after != ""; more && pages < 4 {
					w.clock.advance(time.Microsecond)
					w.received(fmt.Sprint("new", pages))
				}
			}
			if diff := cmp.Diff(want, got); diff != "" || pages < 5 {
				t.Errorf("%d pages:\n%s", pages, diff)
			}
		})
	}
}

func TestQueuePageEdges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 3 {
		w.received(fmt.Sprint("B", i))
	}
	if ids, next := w.found(db.OrderFilter{Limit: 3}); len(ids) != 3 || next != "" {
		t.Errorf("a page that is just full: %v, next %q", ids, next)
	}
	_, next := w.found(db.OrderFilter{Limit: 2})
	if ids, next := w.found(db.OrderFilter{Limit: 2, After: next}); len(ids) != 1 || next != "" {
		t.Errorf("the last page: %v, next %q", ids, next)
	}
	all := []string{"B0", "B1", "B2"}
	for _, after := range []string{"%%%", "x", base64.RawURLEncoding.EncodeToString([]byte("yesterday 1")),
		base64.RawURLEncoding.EncodeToString([]byte("2026-11-02T09:00:00Z")), base64.RawURLEncoding.EncodeToString([]byte("2026-11-02T09:00:00Z x")),
		base64.RawURLEncoding.EncodeToString([]byte("0000-01-01T00:00:00Z 1")), base64.RawURLEncoding.EncodeToString([]byte("infinity 99999999999999999999")),
		base64.RawURLEncoding.EncodeToString([]byte("'; DROP TABLE orders; -- 1"))} {
		if ids, _ := w.found(db.OrderFilter{Limit: 3, After: after}); !slices.Equal(ids, all) {
			t.Errorf("after %q: %v", after, ids)
		}
	}
	// Well-formed, and far away: nothing, or all of it, and no error.
	for _, key := range []string{"0001-01-01T00:00:00+23:59 1", "9999-12-31T23:59:59-23:59 1", "infinity 1", "2026-11-02T09:00:00+23:59 1"} {
		if _, err := w.store.Orders(t.Context(), db.OrderFilter{Limit: 3, After: base64.RawURLEncoding.EncodeToString([]byte(key))}); err != nil {
			t.Errorf("after %s: %v", key, err)
		}
	}
}

func TestCountOrders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.queue()
	for name, c := range map[string]struct {
		filter db.OrderFilter
		want   [7]int // in the order of portal.States
	}{
		"all":                  {db.OrderFilter{}, [7]int{1, 2, 1, 1, 1, 1, 1}},
		"its own states aside": {db.OrderFilter{Office: "M2", States: []portal.State{portal.Waiting}}, [7]int{0, 1, 0, 1, 0, 1, 0}},
		"searched":             {db.OrderFilter{Query: "cancelled"}, [7]int{6: 1}},
		"nothing":              {db.OrderFilter{Service: "none"}, [7]int{}},
	} {
		counts, err := w.store.CountOrders(t.Context(), c.filter, 1000)
		w.must(err)
		var got [7]int
		for i, state := range portal.States {
			got[i] = counts[state]
		}
		if got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	open, err := w.store.CountOpen(t.Context())
	if w.must(err); open != 5 {
		t.Errorf("%d are open, want 5", open)
	}
}

func TestCountOrdersStopsSomewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open("foto", ticket("M1", "B1"))
	w.exec(`
		INSERT INTO orders (public_id, connection_id, office_id, partner_order_id, service_id, form_id, broker_id, target_type, target_id,
			ticket, state, answers, total, currency, created_at, updated_at, words)
		SELECT 'P' || n, connection_id, office_id, 'P' || n, service_id, form_id, broker_id, target_type, target_id,
			ticket, state, answers, total, currency, created_at, updated_at, words
		FROM orders, generate_series(1, $1) n`, 60)
	counts, err := w.store.CountOrders(t.Context(), db.OrderFilter{}, 50)
	if w.must(err); counts[portal.Draft] != 51 {
		t.Errorf("%d drafts, want 51", counts[portal.Draft])
	}
}

func TestOffices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, office := range []string{"M3", "M1", "M2"} {
		w.open("foto", ticket(office, "B1"))
	}
	w.exec(`UPDATE offices SET name = 'Aakers' WHERE customer_id = 'M3'`)
	offices, err := w.store.Offices(t.Context())
	w.must(err)
	var labels []string
	for _, o := range offices {
		labels = append(labels, o.Label())
	}
	if diff := cmp.Diff([]string{"Aakers", "M1", "M2"}, labels); diff != "" {
		t.Error(diff)
	}
}
