package db_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
)

// leads returns the first names of the leads that a filter finds.
func (w *world) leads(f db.LeadFilter) []string {
	w.Helper()
	if f.Limit == 0 {
		f.Limit = 100
	}
	page, err := w.store.Leads(w.Context(), f)
	w.must(err)
	var names []string
	for _, l := range page.Rows {
		names = append(names, l.FirstName)
	}
	return names
}

func TestLeadFilters(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	w.sent(seller(), "L-480001")
	w.clock.advance(time.Second)
	w.refused(named("Bo", "Ek"))
	w.clock.advance(time.Second)
	other := named("Cecilia", "Ek")
	other.ConnectionID, other.Customer = "other", "M2"
	w.lead(other)
	for name, c := range map[string]struct {
		filter db.LeadFilter
		want   []string
	}{
		"everything":           {db.LeadFilter{}, []string{"Cecilia", "Bo", "Åsa"}},
		"a state":              {db.LeadFilter{States: []portal.LeadState{portal.LeadSent}}, []string{"Åsa"}},
		"states":               {db.LeadFilter{States: []portal.LeadState{portal.LeadSent, portal.LeadQueued}}, []string{"Cecilia", "Åsa"}},
		"an unknown state":     {db.LeadFilter{States: []portal.LeadState{"frozen"}}, nil},
		"a connection":         {db.LeadFilter{Connection: "other"}, []string{"Cecilia"}},
		"an office":            {db.LeadFilter{Customer: "M1"}, []string{"Bo", "Åsa"}},
		"all at once":          {db.LeadFilter{Query: "ek", Customer: "M1", Connection: "vitec", States: portal.LeadStates}, []string{"Bo"}},
		"a last name":          {db.LeadFilter{Query: "EK"}, []string{"Cecilia", "Bo"}},
		"the beginnings":       {db.LeadFilter{Query: "sälj ås"}, []string{"Åsa"}},
		"an address":           {db.LeadFilter{Query: "ågatan 1 uppsala"}, []string{"Åsa"}},
		"an e-mail address":    {db.LeadFilter{Query: "asa@saljare.example"}, []string{"Åsa"}},
		"a telephone number":   {db.LeadFilter{Query: "0701234567"}, []string{"Åsa"}},
		"its spelling":         {db.LeadFilter{Query: "070-123 45 67"}, []string{"Åsa"}},
		"an office's id":       {db.LeadFilter{Query: "kontor7"}, []string{"Cecilia", "Bo", "Åsa"}},
		"the partner's id":     {db.LeadFilter{Query: "L-480001"}, []string{"Åsa"}},
		"the personal number":  {db.LeadFilter{Query: sellersNumber}, nil},
		"only its beginning":   {db.LeadFilter{Query: "1981"}, nil},
		"what nobody searches": {db.LeadFilter{Query: "' & !"}, []string{"Cecilia", "Bo", "Åsa"}},
		"nonsense of a page":   {db.LeadFilter{After: "nonsense"}, []string{"Cecilia", "Bo", "Åsa"}},
	} {
		if diff := cmp.Diff(c.want, w.leads(c.filter)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	counts, err := w.store.CountLeads(t.Context(), db.LeadFilter{Query: "ek", States: []portal.LeadState{portal.LeadSent}})
	if diff := cmp.Diff(map[portal.LeadState]int{portal.LeadRefused: 1, portal.LeadQueued: 1}, counts); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
}

// TestPagesOfLeads: each is on one page, whatever comes in meanwhile.
func TestPagesOfLeads(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	var want []string
	for i := range 7 {
		name := fmt.Sprint("Nr ", i)
		w.lead(named(name, "Ek"))
		want = append([]string{name}, want...)
		if i%2 == 0 { // some at the same moment
			w.clock.advance(time.Second)
		}
	}
	var got []string
	after := ""
	for range 4 {
		page, err := w.store.Leads(t.Context(), db.LeadFilter{Limit: 2, After: after})
		w.must(err)
		for _, l := range page.Rows {
			got = append(got, l.FirstName)
		}
		after = page.Next
		w.lead(named("Sen", "Ek"))
	}
	if diff := cmp.Diff(want, got); diff != "" || after != "" {
		t.Errorf("next %q\n%s", after, diff)
	}
	var all []string
	w.must(w.store.ExportLeads(t.Context(), db.LeadFilter{Query: "nr", After: "x", Limit: 1}, func(l db.StoredLead) error {
		all = append(all, l.FirstName)
		return nil
	}))
	if diff := cmp.Diff(want, all); diff != "" {
		t.Error(diff)
	}
}

// TestExportOfMany: more than are read at once, without numbers, until somebody
// has enough.
func TestExportOfMany(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	w.lead(seller())
	w.exec(`INSERT INTO leads (public_id, connection_id, customer, state, content, staff_id, created_at, updated_at, words)
		SELECT 'copy ' || n, connection_id, customer, state, content, staff_id, created_at + n * interval '1 second', updated_at, words
		FROM leads, generate_series(1, 1000) n`)
	w.exec(`INSERT INTO jobs (kind, state, connection_id, subject, lead_id, unique_key, payload, max_attempts, run_at, created_at)
		SELECT 'lead', 'parked', connection_id, 'lead/' || id, id, 'lead/' || id, '{}', 10, created_at, created_at
		FROM leads WHERE public_id LIKE 'copy %'`)
	n, enough := 0, errors.New("enough")
	seen := map[string]bool{}
	err := w.store.ExportLeads(t.Context(), db.LeadFilter{}, func(l db.StoredLead) error {
		if seen[l.PublicID] || l.PersonalNumber != "" {
			t.Errorf("%+v", l)
		}
		seen[l.PublicID] = true
		return nil
	})
	if err != nil || len(seen) != 1001 {
		t.Errorf("%d, %v", len(seen), err)
	}
	err = w.store.ExportLeads(t.Context(), db.LeadFilter{}, func(db.StoredLead) error { n++; return enough })
	if !errors.Is(err, enough) || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
}

// TestErasedLeads: nothing of the person is left anywhere when the days are over,
// and what still is to be sent or decided about is kept.
func TestErasedLeads(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	w.exec(`UPDATE connections SET lead_days = 30 WHERE id = 'vitec'`)
	kept := seller()
	kept.ConnectionID = "other" // which keeps them for ever
	w.lead(kept)
	w.exec(`UPDATE leads SET state = 'sent', sent_at = created_at, partner_id = '9'`)
	ids := map[string]string{"sent": w.sent(seller(), "480001"), "refused": w.refused(seller()), "given up": w.refused(seller())}
	w.must(w.store.SkipJob(t.Context(), w.stored(ids["given up"]).Job.ID, "Säljarsson ångrade sig", w.erik.Actor()))
	doubt, waits := w.uncertain(named("Bo", "Ek")), w.exhausted(named("Bo", "Ek"))
	w.clock.advance(30 * 24 * time.Hour)
	erases := func(want int) {
		t.Helper()
		if n, err := w.store.EraseExpiredLeads(t.Context()); n != want || err != nil {
			t.Errorf("erased %d, %v, want %d", n, err, want)
		}
	}
	erases(0) // not before they are over
	w.clock.advance(time.Second)
	erases(3)
	erases(0)
	now := w.clock.now()
	for name, id := range ids {
		l := w.stored(id)
		want := portal.Lead{ID: l.ID, ConnectionID: "vitec", Customer: "M1", State: portal.LeadErased, PartnerID: l.PartnerID, CreatedAt: l.CreatedAt}
		if diff := cmp.Diff(want, l.Lead); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		if !l.Job.State.Final() || l.Job.LastError != "" || l.HasNumber || len(l.Faults) > 0 || !l.ErasedAt.Equal(now) || l.Staff != w.erik.Name {
			t.Errorf("%s: %+v", name, l)
		}
		if notes := w.notes(id); notes[len(notes)-1] != "lead.erased: system" {
			t.Errorf("%s: %q", name, notes)
		}
	}
	if l := w.stored(ids["sent"]); l.PartnerID != "480001" || l.Job.State != portal.JobCompleted || len(l.Job.Attempts) != 1 {
		t.Errorf("%+v", l)
	}
	w.wantLead(doubt, portal.LeadUncertain, portal.JobParked)
	w.wantLead(waits, portal.LeadQueued, portal.JobParked)
	w.exec(`UPDATE connections SET lead_days = 30`)
	erases(1)
	for _, canary := range []string{"Säljarsson", "säljarsson", "Åsa", "åsa", "asa@saljare", "Ågatan 1", "4567"} {
		tables := w.find(canary)
		// Two others live in the same street.
		if canary == "Ågatan 1" && slices.Equal(tables, []string{"leads"}) {
			continue
		}
		if len(tables) > 0 {
			t.Errorf("%q is in %v", canary, tables)
		}
	}
}

func TestServedCustomers(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	s := worldSetup()
	s.Connections[0].Credentials = []portal.Credential{{Customer: "M2", Username: "u", Password: "p"}, {Customer: portal.AnyCustomer, Username: "u", Password: "p"}}
	s.Connections[0].LeadDays = 30
	apply(t, w.store, s)
	if got, err := w.store.ServedCustomers(t.Context(), "vitec"); !slices.Equal(got, []string{"*", "M2"}) || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	c, err := w.store.Connection(t.Context(), "vitec")
	if err != nil || c.LeadDays != 30 {
		t.Errorf("%+v, %v", c, err)
	}
	if made := apply(t, w.store, s); len(made) != 0 {
		t.Errorf("applied again: %q", made)
	}
}
