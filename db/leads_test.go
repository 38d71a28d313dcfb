package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/db"
	"portico/internal/portal"
)

const sellersNumber = "19811218-9876"

// seller is a lead that says nearly everything.
func seller() portal.Lead {
	return portal.Lead{ConnectionID: "vitec", Customer: "M1", State: portal.LeadQueued, FirstName: "Åsa", LastName: "Säljarsson",
		Message: "Vill sälja till våren.", SourceID: "17", PersonalNumber: sellersNumber,
		Telephone: portal.LeadTelephone{Cell: "070-123 45 67"}, Email: "asa@saljare.example", Street: "Ågatan 1", ZipCode: "753 10",
		City: "Uppsala", Agent: portal.LeadAgent{ID: "MED1"}, Office: portal.LeadOffice{ExternalID: "Kontor7"},
		Sender:  portal.LeadSender{UserID: "4", UserName: "Disa", CompanyID: "nordljus", CompanyName: "Nordljus Foto AB"},
		Consent: portal.LeadConsent{How: "På telefon", Day: "2026-11-01"}}
}

// named is a lead on somebody else.
func named(first, last string) portal.Lead {
	l := seller()
	l.FirstName, l.LastName, l.PersonalNumber, l.Email, l.Telephone, l.City = first, last, "", "", portal.LeadTelephone{}, ""
	return l
}

// lead creates a lead and returns its public id.
func (w *world) lead(l portal.Lead) string {
	w.Helper()
	id, err := w.store.CreateLead(w.Context(), l, fmt.Sprint("form ", w.count(`SELECT count(*) FROM leads`)), w.erik.Actor())
	w.must(err)
	return id
}

func (w *world) stored(id string) db.StoredLead {
	w.Helper()
	l, err := w.store.Lead(w.Context(), id)
	w.must(err)
	return l
}

func (w *world) wantLead(id string, lead portal.LeadState, job portal.JobState) {
	w.Helper()
	if l := w.stored(id); l.State != lead || l.Job.State != job {
		w.Errorf("the lead is %s and its job %s, want %s and %s", l.State, l.Job.State, lead, job)
	}
}

// tried is a claimed job with how its attempt ended.
func tried(j portal.Job, outcome portal.Outcome, r portal.Receipt) portal.Job {
	j.Attempts = []portal.Attempt{{StartedAt: j.RunAt, Took: time.Second, Outcome: outcome, Receipt: r, Error: "POST: " + string(outcome)}}
	return j
}

// uncertain creates a lead of which nobody knows whether it has arrived.
func (w *world) uncertain(l portal.Lead) string {
	w.Helper()
	id := w.lead(l)
	w.must(w.store.ParkJob(w.Context(), tried(w.claimOne(), portal.OutcomeUnknown, portal.Receipt{}), "timeout", true))
	return id
}

var notTaken = portal.LeadRefusal{Faults: map[string]string{"first_name": "Åsa är för kort."}, Words: "Säljarsson är ogiltig."}

// refused creates a lead that the partner did not take.
func (w *world) refused(l portal.Lead) string {
	w.Helper()
	id := w.lead(l)
	j := tried(w.claimOne(), portal.OutcomeRefused, portal.Receipt{Status: 400, Answer: `{"message":"Säljarsson"}`})
	w.must(w.store.RefuseLead(w.Context(), j, "POST: 400", notTaken))
	return id
}

// sent creates a lead that the partner has.
func (w *world) sent(l portal.Lead, partnerID string) string {
	w.Helper()
	id := w.lead(l)
	j := tried(w.claimOne(), portal.OutcomeDone, portal.Receipt{Status: 200, LeadID: partnerID})
	w.must(w.store.CompleteLead(w.Context(), j, partnerID))
	return id
}

// exhausted creates a lead that never arrived.
func (w *world) exhausted(l portal.Lead) string {
	w.Helper()
	id := w.lead(l)
	w.must(w.store.ParkJob(w.Context(), tried(w.claimOne(), portal.OutcomeFailed, portal.Receipt{}), "no route", false))
	return id
}

func (w *world) notes(id string) []string {
	w.Helper()
	notes, err := w.store.LeadNotes(w.Context(), id)
	w.must(err)
	var all []string
	for _, n := range notes {
		all = append(all, strings.TrimSpace(n.Action+": "+n.Actor+" "+n.Reason))
	}
	return all
}

// TestALeadIsCreatedOnce for a form, however often the browser sends it.
func TestALeadIsCreatedOnce(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	ids := make(chan string, 8)
	for _, err := range parallel(8, func(int) error {
		id, err := w.store.CreateLead(t.Context(), seller(), "key", w.erik.Actor())
		ids <- id
		return err
	}) {
		w.must(err)
	}
	first := <-ids
	for range 7 {
		if id := <-ids; id != first {
			t.Errorf("two leads, %s and %s", first, id)
		}
	}
	other, err := w.store.CreateLead(t.Context(), seller(), "another", w.erik.Actor())
	if err != nil || other == first {
		t.Errorf("of another form: %s, %v", other, err)
	}
	if leads, jobs := w.count(`SELECT count(*) FROM leads`), w.count(`SELECT count(*) FROM jobs`); leads != 2 || jobs != 2 {
		t.Errorf("%d leads and %d jobs, want 2 of each", leads, jobs)
	}
	w.must(w.store.Audit(t.Context(), "create_order", w.erik.Actor(), map[string]string{"form": "an order's"}))
	_, err = w.store.CreateLead(t.Context(), seller(), "an order's", w.erik.Actor())
	w.wantKind(err, portal.NotFound)
	if notes := w.notes(first); !slices.Equal(notes, []string{"lead.created: staff " + w.erik.Name}) {
		t.Errorf("%q", notes)
	}
}

// TestWhatIsKeptOfALead: the message says nothing about the person, and the
// number is in no table.
func TestWhatIsKeptOfALead(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	l := seller()
	l.OrderID = w.received("A")
	w.must(w.store.CompleteJob(t.Context(), w.claimOne(), time.Second))
	id := w.lead(l)
	job := w.claimOne()
	if want := (portal.Message{LeadID: job.Message.LeadID, ConnectionID: "vitec", Customer: "M1", Since: w.clock.now()}); !cmp.Equal(want, job.Message) || want.LeadID == 0 {
		t.Errorf("message:\n%s", cmp.Diff(want, job.Message))
	}
	if n := w.count(`SELECT count(*) FROM jobs WHERE kind = 'lead' AND subject = 'lead/' || lead_id AND unique_key = subject
		AND payload = jsonb_build_object('connection_id', 'vitec', 'customer', 'M1', 'lead_id', lead_id)`); n != 1 {
		t.Error("the payload says something else")
	}
	for _, canary := range []string{sellersNumber, "8112189876"} {
		if tables := w.find(canary); len(tables) > 0 {
			t.Errorf("%s is in %v", canary, tables)
		}
	}
	for _, canary := range []string{"Säljarsson", "säljarsson", "till våren", "Ågatan", "saljare.example"} {
		if tables := w.find(canary); len(tables) > 1 || len(tables) == 1 && tables[0] != "leads" {
			t.Errorf("%s is in %v", canary, tables)
		}
	}
	toSend, err := w.store.LeadToSend(t.Context(), job.Message.LeadID)
	want := seller()
	want.ID, want.ConnectionID = job.Message.LeadID, ""
	if diff := cmp.Diff(want, toSend); diff != "" || err != nil {
		t.Errorf("to be sent: %v\n%s", err, diff)
	}
	shown := w.stored(id)
	want = l
	want.ID, want.PersonalNumber, want.CreatedAt = job.Message.LeadID, "", w.clock.now()
	if diff := cmp.Diff(want, shown.Lead); diff != "" {
		t.Error(diff)
	}
	if !shown.HasNumber || shown.Staff != w.erik.Name || shown.System != "vitec" || shown.PartnerOrderID != "A" || shown.OrderPublicID != w.order(l.OrderID).PublicID {
		t.Errorf("%+v", shown)
	}
	if of, err := w.store.Workspace(t.Context(), shown.OrderPublicID); err != nil || len(of.Leads) != 1 || of.Leads[0].PublicID != id {
		t.Errorf("%+v, %v", of.Leads, err)
	}
}

func TestLeadNumber(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	id, none := w.lead(seller()), w.lead(named("Bo", "Ek"))
	number, err := w.store.LeadNumber(t.Context(), id, w.erik.Actor())
	if number != sellersNumber || err != nil {
		t.Errorf("%q, %v", number, err)
	}
	if want := []string{"lead.created: staff " + w.erik.Name, "lead.number_shown: staff " + w.erik.Name}; !slices.Equal(w.notes(id), want) {
		t.Errorf("%q", w.notes(id))
	}
	for _, id := range []string{none, "none", "\x00"} {
		_, err := w.store.LeadNumber(t.Context(), id, w.erik.Actor())
		w.wantKind(err, portal.NotFound)
		if id != none {
			_, err = w.store.Lead(t.Context(), id)
			w.wantKind(err, portal.NotFound)
		}
	}
	w.exec(`UPDATE leads SET sealed_number = (SELECT sealed_number FROM leads WHERE sealed_number IS NOT NULL)`)
	if number, err := w.store.LeadNumber(t.Context(), none, w.erik.Actor()); err == nil {
		t.Errorf("another's number is opened: %s", number)
	}
	keyless, _ := openStore(t, w.url, nil)
	if _, err := keyless.CreateLead(t.Context(), seller(), "x", w.erik.Actor()); err == nil {
		t.Error("a number is kept without a key")
	}
}

func TestASentLead(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	id := w.sent(seller(), "L-480001")
	l := w.stored(id)
	now := w.clock.now()
	if l.State != portal.LeadSent || l.PartnerID != "L-480001" || !l.SentAt.Equal(now) || l.ConfirmedBy != "" {
		t.Errorf("%+v", l)
	}
	want := portal.Job{ID: l.Job.ID, Message: portal.Message{ConnectionID: "vitec", Customer: "M1", LeadID: l.ID, Since: now}, State: portal.JobCompleted,
		Attempt: 1, MaxAttempts: len(portal.Backoff), RunAt: now, CreatedAt: now, FinishedAt: &now,
		Attempts: []portal.Attempt{{StartedAt: now, Took: time.Second, Outcome: portal.OutcomeDone, Receipt: portal.Receipt{Status: 200}, Error: "POST: done"}}}
	if diff := cmp.Diff(want, l.Job); diff != "" {
		t.Error(diff)
	}
	_, err := w.store.LeadToSend(t.Context(), l.ID)
	w.wantKind(err, portal.Conflict)
	if found := w.leads(db.LeadFilter{Query: "l 480001"}); !slices.Equal(found, []string{"Åsa"}) {
		t.Errorf("by the partner's id: %q", found)
	}
}

// TestARefusedLeadIsCorrected: the partner's words stand on it until then.
func TestARefusedLeadIsCorrected(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	id := w.refused(seller())
	l := w.stored(id)
	if diff := cmp.Diff(notTaken, portal.LeadRefusal{Faults: l.Faults, Words: l.Refusal}); diff != "" || l.State != portal.LeadRefused ||
		l.Job.State != portal.JobParked || l.Job.LastError != "POST: 400" || l.Job.LastAttempt().Status != 400 {
		t.Errorf("%+v\n%s", l, diff)
	}
	w.clock.advance(time.Hour)
	right := named("Bo", "Ek")
	right.Customer, right.Telephone.Home = "M2", "018-11"
	w.must(w.store.CorrectLead(t.Context(), id, right, true, w.erik.Actor()))
	l = w.stored(id)
	if l.State != portal.LeadQueued || l.Refusal != "" || len(l.Faults) > 0 || l.FirstName != "Bo" || !l.HasNumber || l.Customer != "M2" {
		t.Errorf("%+v", l)
	}
	job := w.claimOne()
	if job.ID != l.Job.ID || job.Attempt != 1 || job.LastError != "" || job.Message.Customer != "M2" || job.Message.Uncertain {
		t.Errorf("%+v", job)
	}
	toSend, err := w.store.LeadToSend(t.Context(), l.ID)
	if err != nil || toSend.PersonalNumber != sellersNumber || toSend.Customer != "M2" || toSend.Telephone.Home != "018-11" {
		t.Errorf("%+v, %v", toSend, err)
	}
	if old, found := w.leads(db.LeadFilter{Query: "säljarsson"}), w.leads(db.LeadFilter{Query: "ek 01811"}); len(old) != 0 || len(found) != 1 {
		t.Errorf("by what it said: %q, by what it says: %q", old, found)
	}
	w.must(w.store.ParkJob(t.Context(), job, "no route", false)) // it never arrived
	right.Foreign, right.PersonalNumber = true, "FO 1234"
	w.must(w.store.CorrectLead(t.Context(), id, right, false, w.erik.Actor()))
	w.must(w.store.ParkJob(t.Context(), w.claimOne(), "no route", false))
	right.Foreign, right.PersonalNumber = false, ""
	w.must(w.store.CorrectLead(t.Context(), id, right, true, w.erik.Actor()))
	if toSend, err = w.store.LeadToSend(t.Context(), l.ID); err != nil || toSend.PersonalNumber != "FO 1234" || !toSend.Foreign {
		t.Errorf("%+v, %v", toSend, err)
	}
	w.must(w.store.ParkJob(t.Context(), w.claimOne(), "no route", false))
	w.must(w.store.CorrectLead(t.Context(), id, right, false, w.erik.Actor()))
	if l = w.stored(id); l.HasNumber || l.Foreign || w.notes(id)[4] != "lead.corrected: staff "+w.erik.Name {
		t.Errorf("%+v, %q", l, w.notes(id))
	}
}

// TestAnUncertainLead waits for a person's word: it has arrived, or it is sent
// once more, or it is given up.
func TestAnUncertainLead(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	ctx, by := t.Context(), w.erik.Actor()
	confirmed, again, without := w.uncertain(seller()), w.uncertain(seller()), w.uncertain(seller())
	w.wantLead(confirmed, portal.LeadUncertain, portal.JobParked)
	w.wantKind(w.store.ConfirmLead(ctx, confirmed, strings.Repeat("1", 101), by), portal.Invalid)
	w.wantKind(w.store.ConfirmLead(ctx, confirmed, "1\n", by), portal.Invalid)
	w.must(w.store.ConfirmLead(ctx, confirmed, "480001", by))
	w.must(w.store.ConfirmLead(ctx, without, "", by))
	for id, partnerID := range map[string]string{confirmed: "480001", without: ""} {
		w.wantLead(id, portal.LeadSent, portal.JobCompleted)
		if l := w.stored(id); l.PartnerID != partnerID || l.ConfirmedBy != w.erik.Name || l.SentAt == nil {
			t.Errorf("%+v", l)
		}
	}
	w.must(w.store.RetryJob(ctx, w.stored(again).Job.ID, by))
	w.wantLead(again, portal.LeadQueued, portal.JobAvailable)
	if job := w.claimOne(); job.Message.Uncertain || job.Attempt != 1 {
		t.Errorf("%+v", job)
	}
	if got := w.notes(again); got[1] != "lead.retried: staff "+w.erik.Name {
		t.Errorf("%q", got)
	}
	if n := w.count(`SELECT count(*) FROM events`); n != 0 {
		t.Errorf("%d lines on the timelines of orders", n)
	}
}

// TestDecisionsAboutLeads: which a state allows, and what becomes of the lead.
func TestDecisionsAboutLeads(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	ctx, by := t.Context(), w.erik.Actor()
	makes := map[string]func() string{
		"queued":    func() string { return w.lead(seller()) },
		"running":   func() string { id := w.lead(seller()); w.claimOne(); return id },
		"exhausted": func() string { return w.exhausted(seller()) },
		"refused":   func() string { return w.refused(seller()) },
		"uncertain": func() string { return w.uncertain(seller()) },
		"sent":      func() string { return w.sent(seller(), "1") },
		"given up": func() string {
			id := w.refused(seller())
			w.must(w.store.SkipJob(ctx, w.stored(id).Job.ID, "Ångrat sig", by))
			return id
		},
	}
	for name, c := range map[string]struct {
		do      func(id string, job int64) error
		allowed map[string]portal.LeadState
	}{
		"retry": {func(_ string, job int64) error { return w.store.RetryJob(ctx, job, by) }, map[string]portal.LeadState{
			"queued": portal.LeadQueued, "exhausted": portal.LeadQueued, "refused": portal.LeadQueued, "uncertain": portal.LeadQueued}},
		"skip": {func(_ string, job int64) error { return w.store.SkipJob(ctx, job, "Ångrat sig", by) }, map[string]portal.LeadState{
			"queued": portal.LeadGivenUp, "exhausted": portal.LeadGivenUp, "refused": portal.LeadGivenUp, "uncertain": portal.LeadGivenUp}},
		"correct": {func(id string, _ int64) error { return w.store.CorrectLead(ctx, id, seller(), true, by) }, map[string]portal.LeadState{
			"exhausted": portal.LeadQueued, "refused": portal.LeadQueued}},
		"confirm": {func(id string, _ int64) error { return w.store.ConfirmLead(ctx, id, "1", by) }, map[string]portal.LeadState{
			"uncertain": portal.LeadSent}},
	} {
		for state, create := range makes {
			id := create()
			before := w.stored(id)
			notes := len(w.notes(id))
			err := c.do(id, before.Job.ID)
			want, allowed := c.allowed[state]
			if !allowed {
				want = before.State
				w.wantKind(err, portal.Conflict)
			} else if err != nil {
				t.Errorf("%s a lead that is %s: %v", name, state, err)
			}
			after := w.stored(id)
			if after.State != want || allowed != (len(w.notes(id)) == notes+1) || allowed == cmp.Equal(before, after, cmpopts.EquateEmpty()) && state != "queued" {
				t.Errorf("%s a lead that is %s: it is %s, want %s; notes %q", name, state, after.State, want, w.notes(id))
			}
			w.exec(`UPDATE jobs SET state = 'completed', finished_at = $1, leased_until = NULL WHERE finished_at IS NULL`, w.clock.now())
		}
	}
	w.wantKind(w.store.ConfirmLead(ctx, "none", "1", by), portal.NotFound)
	w.wantKind(w.store.CorrectLead(ctx, "none", seller(), false, by), portal.NotFound)
}

// TestManyAtOnceLeaveTheUncertain: nobody has looked at each.
func TestManyAtOnceLeaveTheUncertain(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	ctx, by := t.Context(), w.erik.Actor()
	doubt, refused, exhausted := w.uncertain(seller()), w.refused(seller()), w.exhausted(seller())
	jobs := []int64{w.stored(doubt).Job.ID, w.stored(refused).Job.ID}
	for _, f := range []db.OutboxFilter{{}, {Jobs: jobs[:1]}, {Kind: db.OutboxParked}, {Connection: "vitec", Office: "M1"}} {
		if got := w.decided(w.store.RetryJobs(ctx, f, by)); got.Left == 0 {
			t.Errorf("%+v: %+v", f, got)
		}
		w.wantLead(doubt, portal.LeadUncertain, portal.JobParked)
	}
	w.wantLead(refused, portal.LeadQueued, portal.JobAvailable)
	w.wantLead(exhausted, portal.LeadQueued, portal.JobAvailable)
	if l := w.stored(refused); l.Refusal != "" || len(l.Faults) > 0 || w.notes(refused)[1] != "lead.retried: staff "+w.erik.Name {
		t.Errorf("%+v, %q", l, w.notes(refused))
	}
	if got := w.decided(w.store.SkipJobs(ctx, jobs, "Ångrade sig", by)); got != (db.Decided{Done: 2}) {
		t.Errorf("%+v", got)
	}
	for _, id := range []string{doubt, refused} {
		w.wantLead(id, portal.LeadGivenUp, portal.JobSkipped)
		notes := w.notes(id)
		if notes[len(notes)-1] != "lead.skipped: staff "+w.erik.Name+" Ångrade sig" {
			t.Errorf("%q", notes)
		}
	}
}

// TestLeadsInTheOutbox stand among the messages about orders.
func TestLeadsInTheOutbox(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	order := w.received("A")
	l := seller()
	l.Customer = "M2"
	id := w.lead(l)
	w.clock.advance(100 * time.Hour)
	page, err := w.store.Outbox(t.Context(), db.OutboxFilter{Limit: 10})
	w.must(err)
	if len(page.Rows) != 2 || page.Rows[0].Job.Message.OrderID != order || page.Rows[0].LeadID+page.Rows[0].LeadName != "" {
		t.Fatalf("%+v", page.Rows)
	}
	got := page.Rows[1]
	if got.LeadID != id || got.PublicID != "" || got.LeadName != "Åsa Säljarsson" || got.System != "vitec" || got.Office.Customer != "M2" || got.Job.Message.Number != "" {
		t.Errorf("%+v", got)
	}
	for office, want := range map[string]int{"M1": 1, "M2": 1, "M3": 0} {
		counts, err := w.store.CountOutbox(t.Context(), db.OutboxFilter{Office: office})
		if err != nil || counts.Waiting != want {
			t.Errorf("%s: %+v, %v", office, counts, err)
		}
	}
	alarm, ok, err := w.store.ClaimAlarm(t.Context())
	if err != nil || !ok || len(alarm.Troubles) != 1 || alarm.Troubles[0].Overdue != 2 {
		t.Errorf("%+v, %v", alarm, err)
	}
	if backlog, err := w.store.Backlog(t.Context()); err != nil || len(backlog) != 1 || backlog[0].Count != 2 {
		t.Errorf("%+v, %v", backlog, err)
	}
}

// TestALeadThatArrivesEndsTheOutage, and what a person has to decide about stays.
func TestALeadThatArrivesEndsTheOutage(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	doubt, waits := w.uncertain(seller()), w.lead(seller())
	w.must(w.store.RetryJobLater(t.Context(), w.claimOne(), w.clock.Add(10*time.Hour), "no route", false))
	arrives := w.lead(seller())
	job := w.claimOne()
	_, err := w.store.ConnectionDown(t.Context(), "vitec")
	w.must(err)
	w.must(w.store.CompleteLead(t.Context(), job, "1"))
	if outages, err := w.store.Outages(t.Context()); len(outages) != 0 || err != nil {
		t.Errorf("%+v, %v", outages, err)
	}
	if wait := w.stored(waits).Job.RunAt.Sub(w.clock.now()); wait > 20*time.Second {
		t.Errorf("what failed waits for another %v", wait)
	}
	w.wantLead(arrives, portal.LeadSent, portal.JobCompleted)
	w.wantLead(doubt, portal.LeadUncertain, portal.JobParked)
}

func TestLeadConstraints(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	w.lead(seller())
	order := w.received("A")
	for change, constraint := range map[string]string{
		`UPDATE leads SET state = 'lost'`:                                  "leads_state",
		`UPDATE leads SET content = content || '{"personal_number": "1"}'`: "leads_number",
		`UPDATE leads SET state = 'sent', sent_at = now()`:                 "leads_sent",
		`UPDATE leads SET partner_id = '1'`:                                "leads_partner_id",
		`UPDATE leads SET state = 'erased'`:                                "leads_erased",
		`UPDATE leads SET erased_at = now()`:                               "leads_erased_at",
		`UPDATE leads SET state = 'erased', erased_at = now()`:             "leads_erased",
		`UPDATE jobs SET uncertain = true WHERE kind = 'lead'`:             "jobs_doubtful_lead",
		`UPDATE jobs SET lead_id = NULL WHERE kind = 'lead'`:               "jobs_about",
		`UPDATE jobs SET order_id = NULL WHERE kind = 'report'`:            "jobs_about",
		`UPDATE jobs SET kind = 'lead' WHERE kind = 'report'`:              "jobs_about",
		fmt.Sprint(`UPDATE jobs SET kind = 'report', order_id = `, order):  "jobs_about",
		`INSERT INTO jobs (kind, state, connection_id, subject, lead_id, unique_key, payload, max_attempts, run_at, created_at)
		 SELECT kind, state, connection_id, subject, lead_id, 'x', payload, max_attempts, run_at, created_at FROM jobs WHERE kind = 'lead'`: "jobs_lead_key",
	} {
		if _, err := w.raw.Exec(change); err == nil || !strings.Contains(err.Error(), constraint) {
			t.Errorf("%s: %v, want %s to refuse it", change, err, constraint)
		}
	}
}
