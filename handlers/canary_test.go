package handlers_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
	"portico/internal/worker"
)

const adminEmail = "maja@nordljus.example"

// canary is a person who is put into every place where the program can put one.
const (
	canaryName   = "Kanarie Fågelström"
	canaryMail   = "kanarie@bur.example"
	canaryPhone  = "070-987 65 43"
	canaryNumber = "19751011-6952"
	canaryStreet = "Fågelbursvägen 7"
	canary       = canaryName + " " + canaryMail + " " + canaryPhone + " " + canaryNumber + " " + canaryStreet
)

// canaryTerms are what an administrator looks for.
var canaryTerms = strings.Join([]string{canaryName, canaryMail, "+46709876543", "7510116952", canaryStreet}, "\n")

// canaryTraces are what must be nowhere, in lower case.
var canaryTraces = []string{"kanarie", "fågelström", "f%c3%a5gel", "bur.example", "987 65 43", "9876543", "751011-6952", "7510116952", "fågelbur"}

// parrot is a partner that repeats all that it is told: once when it fails, once
// when it refuses, and when it takes it at last. What it is asked to activate it does.
type parrot struct {
	mu    sync.Mutex
	heard map[string]int
	calls int
}

func (p *parrot) Reporter(context.Context, string) (worker.Reporter, error) { return p, nil }

func (p *parrot) Report(_ context.Context, m portal.Message) (portal.Receipt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	key := fmt.Sprint(m.OrderID, m.LeadID, m.State, m.Remark, m.FileName(), m.Activation != nil, m.Comment)
	p.heard[key]++
	refusal := portal.LeadRefusal{Words: "Vem är " + canary + "?", Faults: map[string]string{"email": canaryMail + " är upptagen"}}
	words := `{"message": "` + canary + `"}`
	said := portal.ReportError{Status: 500, Answer: words, Err: fmt.Errorf("PUT: 500: %s", words), Lead: refusal}
	switch {
	case m.LeadID != 0 || p.heard[key] == 2:
		said.Outcome, said.Status = portal.OutcomeRefused, 400
		return portal.Receipt{}, &said
	case p.heard[key] == 1:
		said.Outcome = portal.OutcomeFailed
		return portal.Receipt{}, &said
	}
	receipt := portal.Receipt{Status: 200, Answer: canary}
	if m.Activation != nil {
		receipt.Activation = &portal.ActivationAnswer{NetworkID: "ord-77", State: portal.ActivationDone, Message: "Klart hos " + canary}
	}
	return receipt, nil
}

// aviary is a portal with the canary in it.
type aviary struct {
	*bundle
	parrot         *parrot
	staff, admin   *browser
	broker         *browser
	order, fetched string // pages
	other          string // page of an order of somebody else's that names the canary
	visit          string
}

func newAviary(t *testing.T) *aviary {
	t.Helper()
	a := &aviary{bundle: newBundle(t), parrot: &parrot{heard: map[string]int{}}}
	states := []portal.State{portal.Received, portal.Active, portal.Waiting, portal.Delivered, portal.Failed, portal.Cancelled}
	text := portal.Text{"sv": "Bredband", "nb": "Bredbånd", "en": "Broadband"}
	connection := a.connection()
	connection.TakesFiles = true
	_, err := a.store.Apply(t.Context(), portal.Setup{Provider: testProvider,
		Connections: []portal.Connection{connection, {ID: "guiden", System: "tjansteguiden", InteractionLink: portal.LinkSigned, Reports: states,
			TakesRemarks: true, PollEvery: time.Minute, PersonalDays: 30, Networks: []string{"KC"}, Settings: []byte(`{}`)}},
		Services: append(testServices(), portal.Service{ID: "fiber100", ConnectionID: "guiden", Flow: portal.FlowPoll, Auth: portal.AuthToken,
			PartnerService: "2440", NetworkService: "AB100", Name: text})})
	a.check(err)
	a.runner.Reporters = a.parrot
	a.addStaff(adminEmail, "Maja Ek", portal.RoleAdmin, quickHash(staffPassword))
	a.staff, a.admin, a.broker = a.bundle.staff(staffEmail), a.bundle.staff(adminEmail), a.browser()
	a.plantOrder()
	a.plantFetched()
	a.plantAside()
	a.plantLeads()
	a.plantElsewhere()
	a.tellAll()
	a.plantDifferences()
	return a
}

// tellAll has everything reported, staff helping where the partner refuses.
func (a *aviary) tellAll() {
	a.t.Helper()
	for range 40 {
		a.drain()
		a.clock.Pass(10 * time.Second)
		parked := a.query(`SELECT COALESCE(max(id), 0) FROM jobs WHERE state = 'parked' AND kind <> 'lead'`)
		if parked != "0" {
			a.staff.post("/staff/outbox/"+parked+"/retry", nil).want(http.StatusSeeOther)
		} else if a.query(`SELECT count(*) FROM jobs WHERE state IN ('available', 'running')`) == "0" {
			return
		}
	}
	a.t.Fatal("not everything is told")
}

// does posts one of the forms of an order's page.
func (br *browser) does(page, form string, values url.Values) {
	br.b.t.Helper()
	br.post(page+"/"+form, values).want(http.StatusSeeOther)
}

func form(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// plantOrder takes an order of the canary's home through all that can be written on it.
func (a *aviary) plantOrder() {
	a.t.Helper()
	ctx := a.t.Context()
	_, address := a.bundle.order("expertfoto")
	a.order = a.broker.open(address)
	o := a.stored(a.order)
	svc, err := a.store.Service(ctx, "expertfoto")
	a.check(err)
	// The same order again, with somebody else as its owner.
	_, err = a.store.OpenOrder(ctx, svc, portal.Ticket{OrderID: o.PartnerOrderID, Customer: o.Office.Customer, UserID: "118", OwnerID: "119",
		Target: portal.Target{Type: "House", ID: canaryStreet}}, "SEK")
	a.check(err)
	a.check(a.store.DescribeOrder(ctx, o.ID, portal.Details{Street: canaryStreet, City: "Umeå", Broker: "Bo Ek", Sellers: []string{canaryName},
		More: []portal.Fact{{Name: "seller_phone", Value: canaryPhone}}}))
	work := "/staff" + a.order
	a.broker.sendFiles(a.order+"/submission", "sketch", map[string]string{"Hos Kanarie Fågelström.pdf": pdf + canary}, form("package", "large", "extras", "drone", "day", "2026-12-01", "at", "10:00", "rooms", "7510116952", "email", canaryMail,
		"phone", canaryPhone, "key", "Fågelström", "access", "Ring "+canary, "rush", "yes")).want(http.StatusSeeOther)
	a.broker.does(a.order, "messages", form("body", "Säljaren är "+canary))
	a.staff.does(work, "messages", form("body", "Vi hälsar "+canary))
	a.staff.does(work, "notes", form("body", "Obs: "+canary))
	a.staff.does(work, "start", nil)
	a.staff.does(work, "interactions", form("comment", "Är det "+canary+"?", "choices", "Ja, "+canary+"\nNej"))
	a.broker.does(a.order, "answers", form("interaction", a.query(`SELECT max(id) FROM interactions`), "answer", "Ja, "+canary))
	a.staff.does(work, "failure", form("description", canary+" öppnade inte"))
	a.staff.does(work, "reopening", nil)
	a.staff.deliver(work, map[string]string{"Kanarie_Fågelström 19751011-6952.jpg": jpeg + canary},
		form("message", "Till "+canary, "links", "https://film.example/kanarie%20f%C3%A5gelstr%C3%B6m")).want(http.StatusSeeOther)
	a.tellAll()
	a.broker.does(a.order, "revisions", form("body", "Större, säger "+canary))
	a.staff.deliver(work, map[string]string{"Fågelbursvägen 7.pdf": pdf + canary}, form("message", canary)).want(http.StatusSeeOther)
	a.drain()
	last := a.query(`SELECT min(id) FROM jobs WHERE finished_at IS NULL`)
	a.staff.post("/staff/outbox/"+last+"/skip", form("reason", "Ringde "+canary)).want(http.StatusSeeOther)
	a.visit, err = a.store.IssueVisit(ctx, o.ID, 0)
	a.check(err)
	a.setFlash(o.ID)
}

// setFlash leaves something about the canary to be said to the order's broker.
func (a *aviary) setFlash(order int64) {
	a.t.Helper()
	var session []byte
	a.check(a.raw.QueryRowContext(a.t.Context(), `SELECT session_hash FROM grants WHERE order_id = $1`, order).Scan(&session))
	a.check(a.store.SetFlash(a.t.Context(), session, portal.Say("delivery.file_type", "Name", canary)))
}

// plantFetched takes in an order that the canary made, and activates it.
func (a *aviary) plantFetched() {
	a.t.Helper()
	work := a.fetch(func(f *portal.Fetched) {
		f.PersonalNumber = "197510116952"
		f.Listed.UserID, f.Ticket.UserID, f.Ticket.OwnerID = "C-Kanarie", "C-Kanarie", "C-Kanarie"
		f.Ticket.UserName, f.Ticket.Target.Name = canaryName, canaryStreet
		f.Ticket.Raw = []byte(`{"customer_info": {"customer": {"firstname": "Kanarie", "surname": "Fågelström", "note": "` + canary + `"}}}`)
		f.Details = portal.Details{Name: canaryName, Email: canaryMail, Phone: canaryPhone, Street: canaryStreet, City: "Umeå",
			Wished: "2026-12-24", More: []portal.Fact{{Name: "note", Value: canary}}}
	})
	a.fetched = strings.TrimPrefix(work, "/staff")
	a.staff.does(work, "messages", form("kind", "problem", "body", "Vi når inte "+canary))
	a.staff.does(work, "follow-up", form("note", "Ringde "+canary))
	a.staff.does(work, "activation", form("operation", "activate"))
	a.tellAll()
}

// plantAside keeps an order aside that could not be taken in, with all that came.
func (a *aviary) plantAside() {
	a.t.Helper()
	ctx := a.t.Context()
	a.clock.Pass(2 * time.Minute)
	p := a.claimPoll()
	l := portal.Listed{OrderID: "880412", Status: "new", ServiceID: "9", UserID: canaryMail, Customer: "31420", Wished: portal.Asap}
	a.check(a.store.ListOrders(ctx, p, []portal.Listed{l}, guideRules, guideLease))
	due, err := a.store.OrdersToFetch(ctx, "guiden", 10)
	a.check(err)
	a.check(a.store.KeepAside(ctx, p, due[0].ID, portal.Say("polls.unknown_service", "Service", canary),
		"<customer><firstname>Kanarie</firstname>\n<surname>Fågelström</surname><more>"+canary+"</more></customer>", a.clock.Now().Add(time.Hour), guideLease))
	a.check(a.store.FinishPoll(ctx, p, 1, 0))
	a.staff.post(fmt.Sprintf("/staff/polls/orders/%d/dismissal", due[0].ID), form("reason", canary+" har ångrat sig")).want(http.StatusSeeOther)
}

// plantLeads makes a lead that is refused with its own words, and one that is given up.
func (a *aviary) plantLeads() {
	a.t.Helper()
	by, err := a.store.StaffByEmail(a.t.Context(), staffEmail)
	a.check(err)
	lead := portal.Lead{ConnectionID: "vitec", Customer: "M30011", OrderID: a.stored(a.order).ID, State: portal.LeadQueued, FirstName: "Kanarie",
		LastName: "Fågelström", Message: "Granne till " + canary, PersonalNumber: "197510116952", Telephone: portal.LeadTelephone{Cell: canaryPhone},
		Email: canaryMail, Street: canaryStreet, Consent: portal.LeadConsent{How: canaryName + " sa ja", Day: "2026-11-20"}}
	for _, key := range []string{"ett", "två"} {
		_, err := a.store.CreateLead(a.t.Context(), lead, key, by.Actor())
		a.check(err)
	}
	a.drain()
	last := a.query(`SELECT max(id) FROM jobs WHERE kind = 'lead'`)
	a.staff.post("/staff/outbox/"+last+"/skip", form("reason", canary+" ville inte")).want(http.StatusSeeOther)
}

// plantElsewhere names the canary where it is not about the canary.
func (a *aviary) plantElsewhere() {
	a.t.Helper()
	_, address := a.bundle.order("expertfoto")
	neighbour := a.browser()
	a.other = neighbour.open(address)
	neighbour.sendFiles(a.other+"/submission", "sketch", map[string]string{"Grannen " + canaryName + ".pdf": pdf},
		form("package", "small", "access", "Nyckeln är hos "+canary+" på samma plan.")).want(http.StatusSeeOther)
	a.staff.does("/staff"+a.other, "notes", form("body", "Grannen "+canary+" har nyckeln."))
	a.staff.does("/staff"+a.other, "notes", form("body", "Porten har kod 1302."))
	a.check(a.store.Audit(a.t.Context(), "create_order", portal.Actor{Kind: portal.ActorStaff, Name: "Erik Berg"}, map[string]string{"target": canaryStreet, "office": "M30011"}))
	svc, err := a.store.Service(a.t.Context(), "skylt")
	a.check(err)
	// A broker who is called like the canary, from an office that is.
	_, err = a.store.OpenOrder(a.t.Context(), svc, portal.Ticket{OrderID: "77", Customer: "M77", CustomerName: "Kanarie Fågelström AB", UserID: "7", OwnerID: "7",
		UserName: canaryName, Target: portal.Target{Type: "House", ID: "OBJ77"}}, "SEK")
	a.check(err)
}

// plantDifferences has the partner list the canary's order otherwise, and staff accept that.
func (a *aviary) plantDifferences() {
	a.t.Helper()
	o := a.stored(a.order)
	a.compare(portal.Listed{OrderID: o.PartnerOrderID, Status: "Ordered", UserID: canaryMail, TargetID: o.Target.ID, Wished: canaryName, CreatedAt: o.CreatedAt})
	id := a.query(`SELECT id FROM differences WHERE order_id = $1`, o.ID)
	a.staff.post("/staff/reconciliation/"+id+"/acceptance", form("reason", "Sagt av "+canary)).want(http.StatusSeeOther)
	r, err := a.store.StartReconciliation(a.t.Context(), "vitec", "M30011", portal.Actor{})
	a.check(err)
	a.check(a.store.FailReconciliation(a.t.Context(), r, "GET: 500: "+canary, false))
}

// compare compares an office's orders with a list that the partner might send.
func (a *aviary) compare(list ...portal.Listed) {
	a.t.Helper()
	a.clock.Pass(10 * time.Minute)
	r, err := a.store.StartReconciliation(a.t.Context(), "vitec", "M30011", portal.Actor{})
	a.check(err)
	_, err = a.store.FinishReconciliation(a.t.Context(), r, portal.Listing{Orders: list, Words: map[portal.State]string{portal.Received: "OrderReceived", portal.Delivered: "Delivered"}})
	a.check(err)
}

// traces returns the columns in which anything of the canary stands.
func (a *aviary) traces() []string {
	a.t.Helper()
	rows, err := a.raw.QueryContext(a.t.Context(), `
		SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2`)
	a.check(err)
	defer func() { _ = rows.Close() }()
	var columns [][2]string
	for rows.Next() {
		var table, column string
		a.check(rows.Scan(&table, &column))
		columns = append(columns, [2]string{table, column})
	}
	a.check(rows.Err())
	var found []string
	for _, c := range columns {
		if hasTrace(a.query(fmt.Sprintf(`SELECT COALESCE(string_agg(%s::text, ' '), '') FROM %s`, c[1], c[0]))) {
			found = append(found, c[0]+"."+c[1])
		}
	}
	for _, key := range a.blobs() {
		content, err := a.bucket.ReadAll(a.t.Context(), key)
		a.check(err)
		if hasTrace(key + string(content)) {
			found = append(found, "a file")
		}
	}
	return slices.Compact(found)
}

func hasTrace(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(canaryTraces, func(trace string) bool { return strings.Contains(text, trace) })
}

// planted are the columns in which the canary has to stand before it is erased:
// without it in a place this test would not notice that the place is forgotten.
var planted = []string{
	"activations.message", "attempts.answer", "attempts.error", "audits.data", "brokers.name", "brokers.user_id", "deliveries.links", "deliveries.message",
	"differences.listed", "differences.reason", "events.data", "fetched_orders.dismissed_reason", "fetched_orders.listed", "fetched_orders.raw",
	"fetched_orders.reason", "files.name", "interactions.answer", "interactions.choices", "interactions.comment", "jobs.last_error", "jobs.payload",
	"leads.content", "leads.faults", "leads.refusal", "leads.search", "leads.words", "offices.name", "orders.answers", "orders.details", "orders.search",
	"orders.target_name", "orders.ticket", "orders.words", "reconciliations.error", "sessions.flash", "a file",
}

// impersonal are the other columns that hold texts: ids, states and words of our
// own, and secrets; and the tables that hold nothing else. What is sealed is
// counted; a broker's name on the timeline is never written.
var impersonal = strings.Fields(`
	connections credentials erased_files erasures forms goose_db_version grants issued_tokens polls providers services staff throttles tokens visits
	activations.access_id activations.connection_id activations.last_error activations.network_id activations.operation activations.service
	activations.state attempts.outcome audits.action audits.actor differences.kind differences.ours differences.partner_order_id
	differences.report differences.service_id differences.settled_as differences.theirs events.actor_kind events.actor_name events.kind
	fetched_orders.connection_id fetched_orders.key files.blob_key files.content_type files.field files.id files.sha256 jobs.connection_id jobs.kind
	jobs.state jobs.subject jobs.unique_key leads.connection_id leads.customer leads.partner_id leads.public_id leads.sealed_number leads.state
	offices.chain_id offices.connection_id offices.customer_id offices.tenant_id orders.connection_id orders.currency
	orders.partner_order_id orders.public_id orders.service_id orders.shown orders.state orders.steps orders.target_id orders.target_type
	personal_numbers.sealed sessions.id_hash sessions.kind`)

// TestEveryColumnIsThoughtOf keeps a column from being added that holds people
// and that an erasure forgets.
func TestEveryColumnIsThoughtOf(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	columns := strings.Fields(b.query(`
		SELECT string_agg(c.relname || '.' || a.attname, ' ' ORDER BY 1) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
			AND a.atttypid::regtype::text IN ('text', 'jsonb', 'text[]', 'bytea', 'tsvector', 'character varying')`))
	for _, column := range columns {
		table, _, _ := strings.Cut(column, ".")
		if !slices.Contains(planted, column) && !slices.Contains(impersonal, column) && !slices.Contains(impersonal, table) {
			t.Errorf("is anything about people in %s?", column)
		}
	}
	if len(columns) < 100 {
		t.Errorf("%d columns", len(columns))
	}
}

// books is the bookkeeping: what was ordered, what it costs, how far it came and
// what was reported when.
const books = `
	SELECT concat_ws(E'\n',
		(SELECT string_agg(concat_ws(' ', id, public_id, partner_order_id, office_id, service_id, form_id, state, steps, total, currency, assigned_to,
			received_at, due_at, created_at, updated_at, shown, target_type, target_id, follow_up, answers -> 'package', answers -> 'extras', answers -> 'rush',
			answers -> 'day', answers -> 'at', details -> 'wished'), E'\n' ORDER BY id) FROM orders),
		(SELECT string_agg(concat_ws(' ', id, kind, state, attempt, order_id, created_at, finished_at, payload -> 'state', payload -> 'price', payload -> 'package',
			payload -> 'day', payload #> '{upload,size}'), E'\n' ORDER BY id) FROM jobs WHERE kind <> 'lead'),
		(SELECT string_agg(concat_ws(' ', job_id, number, started_at, took_ms, outcome, status), E'\n' ORDER BY job_id, number) FROM attempts),
		(SELECT string_agg(concat_ws(' ', id, order_id, kind, actor_kind, actor_id, for_broker, created_at, data -> 'state', data -> 'attempt', data -> 'version',
			data -> 'files', data -> 'staff', data -> 'activation'), E'\n' ORDER BY id) FROM events WHERE kind <> 'emptied'),
		(SELECT string_agg(concat_ws(' ', id, order_id, staff_id, asked_at, answered_at, closed_at), E'\n' ORDER BY id) FROM interactions),
		(SELECT string_agg(concat_ws(' ', id, order_id, version, staff_id, created_at), E'\n' ORDER BY id) FROM deliveries),
		(SELECT string_agg(concat_ws(' ', id, order_id, delivery_id, field, position, content_type, size), E'\n' ORDER BY id) FROM files),
		(SELECT string_agg(concat_ws(' ', id, order_id, operation, state, network_id, requested_at, changed_at), E'\n' ORDER BY id) FROM activations),
		(SELECT string_agg(concat_ws(' ', id, kind, partner_order_id, order_id, ours, theirs, report, settled_as, settled_at, found_at), E'\n' ORDER BY id) FROM differences),
		(SELECT string_agg(concat_ws(' ', id, key, found_at, tries), E'\n' ORDER BY id) FROM fetched_orders),
		(SELECT string_agg(concat_ws(' ', id, public_id, customer, order_id, partner_id, staff_id, created_at, sent_at), E'\n' ORDER BY id) FROM leads))`

// TestErasingAPersonLeavesNoTrace goes by the screens of staff, broker and
// administrator, and by what comes from the partners.
func TestErasingAPersonLeavesNoTrace(t *testing.T) {
	t.Parallel()
	a := newAviary(t)
	before := a.traces()
	if diff := cmp.Diff(sorted(planted), sorted(before)); diff != "" {
		t.Fatalf("the canary does not stand where it should:\n%s", diff)
	}
	if n := a.query(`SELECT (SELECT count(*) FROM personal_numbers) + (SELECT count(sealed_number) FROM leads)`); n != "3" {
		t.Fatalf("%s personal numbers are kept", n)
	}
	kept, calls := a.query(books), a.parrot.calls

	a.erase(map[string]portal.PersonChoice{fmt.Sprintf("order-%d", a.stored(a.other).ID): portal.ChooseWords}).wantLocation("/staff/people")

	if left := a.traces(); len(left) > 0 {
		t.Errorf("something is left in %v", left)
	}
	for line := range strings.Lines(a.log.String()) {
		if hasTrace(line) {
			t.Errorf("the log knows it: %s", line)
		}
	}
	for query, want := range map[string]string{
		`SELECT (SELECT count(*) FROM personal_numbers) + (SELECT count(sealed_number) FROM leads)`: "0",
		`SELECT count(*) FROM files WHERE sha256 <> ''`:                                             "1", // the neighbour's
		`SELECT count(*) FROM erased_files`:                                                         "0",
		`SELECT concat_ws(' ', orders, leads, aside, mentions, files) FROM erasures`:                "2 2 1 19 3",
		`SELECT count(*) FROM jobs WHERE finished_at IS NULL`:                                       "0",
	} {
		if got := a.query(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if diff := cmp.Diff(strings.Split(kept, "\n"), strings.Split(a.query(books), "\n")); diff != "" {
		t.Errorf("the bookkeeping has changed:\n%s", diff)
	}
	if n, err := a.runner.RunOnce(t.Context()); err != nil || n != 0 || a.parrot.calls != calls {
		t.Errorf("%d jobs more are sent, %v", n, err)
	}
	a.wantUsable()
	o, agreed := a.stored(a.order), a.query(`SELECT string_agg(concat_ws(' ', id, kind, order_id, settled_as, lapsed_at), ', ' ORDER BY id) FROM differences`)
	a.compare(portal.Listed{OrderID: o.PartnerOrderID, Status: "Ordered", TargetID: o.Target.ID, CreatedAt: o.CreatedAt})
	if now := a.query(`SELECT string_agg(concat_ws(' ', id, kind, order_id, settled_as, lapsed_at), ', ' ORDER BY id) FROM differences`); now != agreed {
		t.Errorf("a comparison finds %s, and found %s", now, agreed)
	}
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// erase finds the canary and erases it as an administrator does, all of what was
// found but for what is chosen otherwise.
func (a *aviary) erase(otherwise map[string]portal.PersonChoice) answer {
	a.t.Helper()
	found := a.admin.post("/staff/people/search", form("q", canaryTerms)).want(http.StatusOK)
	chosen := found.chosen()
	for key, choice := range otherwise {
		chosen.Set(key, string(choice))
	}
	chosen.Set("q", canaryTerms)
	confirm := a.admin.post("/staff/people/confirmation", chosen).want(http.StatusOK)
	again := confirm.fields()
	again.Set("reason", "request")
	again.Set("confirm", "yes")
	return a.admin.post("/staff/people/erasure", again)
}

// chosen returns what the page's radio buttons and hidden inputs would send.
func (a answer) chosen() url.Values {
	a.b.t.Helper()
	v := a.fields()
	inputs := a.page().Find("form.found input[checked]")
	for i := range inputs.Length() {
		v.Set(inputs.Eq(i).AttrOr("name", ""), inputs.Eq(i).AttrOr("value", ""))
	}
	return v
}

func (a answer) fields() url.Values {
	a.b.t.Helper()
	v := url.Values{}
	inputs := a.page().Find("main input[type=hidden]")
	for i := range inputs.Length() {
		v.Set(inputs.Eq(i).AttrOr("name", ""), inputs.Eq(i).AttrOr("value", ""))
	}
	return v
}

// wantUsable checks that everybody can go on: what is left is shown, and what is
// gone is not to be had.
func (a *aviary) wantUsable() {
	a.t.Helper()
	a.broker.get(a.order).want(http.StatusUnauthorized)
	for _, file := range strings.Fields(a.query(`SELECT string_agg(id, ' ') FROM files WHERE order_id = $1`, a.stored(a.order).ID)) {
		a.broker.get(a.order + "/files/" + file).want(http.StatusUnauthorized)
		a.staff.get("/staff" + a.order + "/files/" + file).want(http.StatusNotFound)
	}
	a.browser().get("/visit/" + a.visit).want(http.StatusGone)
	for _, page := range []string{"/staff" + a.order, "/staff" + a.fetched} {
		shown := a.staff.get(page).want(http.StatusOK)
		if shown.page().Find("[data-testid=erased]").Length() != 1 {
			a.t.Errorf("%s does not say that it is erased", page)
		}
	}
	a.staff.get("/staff" + a.other).want(http.StatusOK).has("Grannen ••• ••• ••• ••• ••• har nyckeln.").has("Porten har kod 1302.").has("på samma plan.")
	for _, page := range []string{"/staff/orders?state=all", "/staff/outbox", "/staff/polls", "/staff/reconciliation?connection=vitec", "/staff/people"} {
		a.admin.get(page).want(http.StatusOK)
	}
	if rows, _ := a.staff.get("/staff/orders?state=all&q=Kanarie").want(http.StatusOK).rows(); len(rows) > 0 {
		a.t.Errorf("the queue finds %v", rows)
	}
	a.admin.post("/staff/people/search", form("q", canaryTerms)).want(http.StatusOK).has(say("sv", portal.Say("people.none")))
	o := a.stored(a.order)
	again := a.browser()
	if page := again.open(a.fake.Reopen(o.PartnerOrderID)); page != a.order {
		a.t.Errorf("the partner's link leads to %s", page)
	}
	shown := again.get(a.order).want(http.StatusOK)
	if shown.page().Find("[data-testid=erased]").Length() != 1 || shown.text("[data-testid=total]") == "" {
		a.t.Error("the broker is not shown what is left")
	}
	again.get(a.order + "/files.zip").want(http.StatusNotFound)
}
