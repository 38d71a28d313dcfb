package db_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

// made is the ticket of an order that staff made: it names nobody.
func made(office, order string) portal.Ticket {
	return portal.Ticket{OrderID: order, Customer: office, Tenant: office, Target: portal.Target{Type: "Case", ID: "66115"}}
}

// by are the kinds of an order's timeline, each with who did it.
func (w *world) by(id int64) []string {
	w.Helper()
	events, err := w.store.Timeline(w.Context(), id, true)
	w.must(err)
	var lines []string
	for _, e := range events {
		lines = append(lines, string(e.Kind)+" by "+string(e.Actor.Kind)+" "+e.Actor.Name)
	}
	return lines
}

func TestCreateOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	erik := w.erik.Actor()
	draft, err := w.store.CreateOrder(t.Context(), w.service("foto"), made("14", "A"), "NOK", erik)
	w.must(err)
	o := w.order(draft.ID)
	if !draft.New || o.State != portal.Draft || o.PublicID != draft.PublicID || o.Office.Customer != "14" || o.Currency != "NOK" || o.Broker != "" {
		t.Errorf("%+v: %+v", draft, o)
	}
	if diff := cmp.Diff([]string{"created by staff " + erik.Name}, w.by(draft.ID)); diff != "" || len(w.jobs(draft.ID)) > 0 {
		t.Errorf("%d messages\n%s", len(w.jobs(draft.ID)), diff)
	}

	complete, err := w.store.CreateOrder(t.Context(), w.service("skylt"), made("14", "B"), "NOK", erik)
	w.must(err)
	w.wantState(complete.ID, portal.Received)
	if diff := cmp.Diff([]string{"created by staff " + erik.Name, "received by staff " + erik.Name}, w.by(complete.ID)); diff != "" {
		t.Error(diff)
	}
	m := w.claimOne().Message
	if m.State != portal.Received || m.OrderID != complete.ID || m.PublicID != complete.PublicID || m.PartnerOrderID != "B" {
		t.Errorf("the partner is told %+v", m)
	}
}

// TestBrokerOpensWhatStaffMade: it is the same order, and nothing about it differs.
func TestBrokerOpensWhatStaffMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	created, err := w.store.CreateOrder(t.Context(), w.service("foto"), made("14", "A"), "NOK", w.erik.Actor())
	w.must(err)
	clicked := made("14", "A")
	clicked.UserID, clicked.UserName = "U7", "Kari Nordmann"
	opened := w.open("foto", clicked)
	if opened.ID != created.ID || opened.New {
		t.Errorf("opened %+v, created %+v", opened, created)
	}
	if diff := cmp.Diff([]string{"created by staff " + w.erik.Name}, w.by(created.ID)); diff != "" {
		t.Error(diff)
	}
}

// TestStaffMadeWhatABrokerOpened before it was stored here.
func TestStaffMadeWhatABrokerOpened(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	clicked := made("14", "A")
	clicked.UserID = "U7"
	opened := w.open("skylt", clicked)
	created, err := w.store.CreateOrder(t.Context(), w.service("skylt"), made("14", "A"), "NOK", w.erik.Actor())
	w.must(err)
	if created.ID != opened.ID || created.PublicID != opened.PublicID || created.New {
		t.Errorf("created %+v, opened %+v", created, opened)
	}
	if diff := cmp.Diff([]string{"opened by broker ", "received by broker ", "created by staff " + w.erik.Name}, w.by(opened.ID)); diff != "" {
		t.Error(diff)
	}
	if n := len(w.jobs(opened.ID)); n != 1 {
		t.Errorf("%d messages", n)
	}
}

// TestAFormIsAuditedOnce, however many send it at once; what is no form's is
// audited each time.
func TestAFormIsAuditedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	audit := func(data map[string]string) error {
		return w.store.Audit(t.Context(), "create_order", w.erik.Actor(), data)
	}
	first := 0
	for _, err := range parallel(8, func(int) error { return audit(map[string]string{"form": "ABC", "target": "66115"}) }) {
		if err == nil {
			first++
			continue
		}
		w.wantKind(err, portal.Conflict)
	}
	if n := w.count(`SELECT count(*) FROM audits`); first != 1 || n != 1 {
		t.Errorf("%d times, %d audits", first, n)
	}
	w.must(audit(map[string]string{"form": "DEF", "target": "66115"}))
	for range 2 {
		w.must(audit(map[string]string{"target": "66115"}))
	}
}

func TestServedOffices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.open("skylt", ticket("M2", "A"))
	named := ticket("M1", "B")
	named.CustomerName = "Östermalm"
	w.open("skylt", named)
	w.open("annan", ticket("M9", "C"))
	offices := func(connection string) []string {
		t.Helper()
		found, err := w.store.ServedOffices(t.Context(), connection)
		w.must(err)
		var labels []string
		for _, o := range found {
			labels = append(labels, o.Customer+" "+o.Label())
		}
		return labels
	}
	credentials := func(customers ...string) {
		t.Helper()
		_, err := w.raw.Exec(`DELETE FROM credentials`)
		w.must(err)
		for _, customer := range customers {
			_, err := w.raw.Exec(`INSERT INTO credentials (connection_id, customer, sealed, updated_at) VALUES ('vitec', $1, '', now())`, customer)
			w.must(err)
		}
	}
	for name, c := range map[string]struct {
		credentials, want []string
	}{
		"none":                {},
		"any":                 {[]string{"*"}, []string{"M2 M2", "M1 Östermalm"}},
		"of their own":        {[]string{"M1", "M3"}, []string{"M3 M3", "M1 Östermalm"}},
		"any, and of its own": {[]string{"*", "M3"}, []string{"M2 M2", "M3 M3", "M1 Östermalm"}},
	} {
		credentials(c.credentials...)
		if diff := cmp.Diff(c.want, offices("vitec")); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		if got := offices("other"); got != nil {
			t.Errorf("%s: offices of the other connection: %v", name, got)
		}
	}
}
