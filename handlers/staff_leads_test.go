package handlers_test

import (
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

func demoLeads() map[string]portal.LeadSettings {
	settings := portal.LeadSettings{RetentionDays: 90}
	for _, s := range vitectest.DemoSources() {
		settings.Sources = append(settings.Sources, portal.LeadSource(s))
	}
	for _, s := range vitectest.DemoIntakes() {
		settings.Intakes = append(settings.Intakes, portal.LeadSource(s))
	}
	return map[string]portal.LeadSettings{"vitec": settings}
}

func (onePartner) ConnectionsWithLeads(context.Context) (map[string]portal.LeadSettings, error) {
	return demoLeads(), nil
}

func (p onePartner) PreviewLead(_ context.Context, l portal.Lead) (string, error) {
	return p.Client.PreviewLead(l), nil
}

func (brokenPartners) ConnectionsWithLeads(context.Context) (map[string]portal.LeadSettings, error) {
	return demoLeads(), nil
}

func (brokenPartners) PreviewLead(context.Context, portal.Lead) (string, error) {
	return "", errors.New("inside: secret-of-the-house")
}

// ConnectionsWithLeads: the maker's partner takes none.
func (*maker) ConnectionsWithLeads(context.Context) (map[string]portal.LeadSettings, error) {
	return nil, nil
}

const (
	newLead    = "/staff/leads/new"
	leadNumber = "19811218-9876"
)

// seller is a lead as it is typed, with what must be in it.
func seller() url.Values {
	return url.Values{"connection": {"vitec"}, "customer": {"M30011"}, "first_name": {"Åsa"}, "last_name": {"Säljarsson"}, "message": {"Vill sälja"},
		"source": {"17"}, "consent_how": {"På telefon"}, "consent_day": {"2026-11-23"}}
}

func sellerWith(pairs ...string) url.Values {
	typed := seller()
	for i := 0; i < len(pairs); i += 2 {
		typed.Set(pairs[i], pairs[i+1])
	}
	return typed
}

// leadOf makes a lead with a personal number and returns the path of its screen.
func (b *bundle) leadOf(name string) string {
	b.t.Helper()
	staff, err := b.store.StaffByEmail(b.t.Context(), staffEmail)
	b.check(err)
	id, err := b.store.CreateLead(b.t.Context(), portal.Lead{ConnectionID: "vitec", Customer: "M30011", FirstName: name, LastName: "Säljarsson",
		Message: "Vill sälja", SourceID: "17", PersonalNumber: leadNumber, Telephone: portal.LeadTelephone{Cell: "+46 70 174 06 05"},
		Consent: portal.LeadConsent{How: "På telefon", Day: "2026-11-23"}}, "form of "+name, staff.Actor())
	b.check(err)
	return "/staff/leads/" + id
}

// ended lets the attempt to send a lead end in a way.
func (b *bundle) ended(path string, how func(portal.Job) error) {
	b.t.Helper()
	id := b.query(`SELECT id FROM leads WHERE public_id = $1`, strings.TrimPrefix(path, "/staff/leads/"))
	jobs, err := b.store.ClaimJobs(b.t.Context(), "vitec", 10, time.Minute)
	b.check(err)
	at := slices.IndexFunc(jobs, func(j portal.Job) bool { return strconv.FormatInt(j.Message.LeadID, 10) == id })
	if at < 0 {
		b.t.Fatalf("lead %s is not to be sent", id)
	}
	b.check(how(jobs[at]))
	_, err = b.raw.ExecContext(b.t.Context(), `UPDATE jobs SET state = 'available', attempt = 0, leased_until = NULL WHERE state = 'running'`)
	b.check(err)
}

func (b *bundle) uncertain(path string) {
	b.ended(path, func(j portal.Job) error { return b.store.ParkJob(b.t.Context(), j, "timeout", true) })
}

func (b *bundle) refused(path string) {
	b.ended(path, func(j portal.Job) error {
		return b.store.RefuseLead(b.t.Context(), j, "400", portal.LeadRefusal{Words: "The request is invalid.",
			Faults: map[string]string{"first_name": "Förnamn <b>krävs</b>.", "street": "Okänd gata."}})
	})
}

// TestLeadForm: every rule of the form speaks at its input, and nothing is stored.
func TestLeadForm(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.addOrders("skylt", "M30011", 1)
	at := func(input string, s portal.Sentence) map[string]portal.Sentence {
		return map[string]portal.Sentence{input: s}
	}
	cases := []formCase{
		{name: "nothing", typed: url.Values{"connection": {"vitec"}}, faults: map[string]portal.Sentence{"customer": portal.Say("lead.customer"),
			"first_name": required, "last_name": required, "message": required, "source": choose,
			"consent_how": portal.Say("lead.consent_how"), "consent_day": portal.Say("lead.consent_day")}},
		{name: "no such source", typed: sellerWith("source", "99"), faults: at("source", choose), lost: []string{"source"}},
		{name: "no such intake", typed: sellerWith("intake", "99"), faults: at("intake", choose), lost: []string{"intake"}},
		{name: "not in an address", typed: sellerWith("customer", "M1/../M2"), faults: at("customer", portal.Say("lead.customer")), lost: []string{"customer"}},
		{name: "number", typed: sellerWith("personal_number", "19811218-9875"), faults: at("personal_number", portal.Say("lead.personal_number"))},
		{name: "phone", typed: sellerWith("phone_other", "vet ej"), faults: at("phone_other", portal.Say("field.phone"))},
		{name: "e-mail", typed: sellerWith("email2", "åsa"), faults: at("email2", portal.Say("field.email"))},
		{name: "tag", typed: sellerWith("utm_tags", "portico"), faults: at("utm_tags", portal.Say("lead.utm_tag", "Line", "portico"))},
		{name: "tomorrow", typed: sellerWith("consent_day", "2026-11-25"), faults: at("consent_day", portal.Say("lead.consent_future"))},
	}
	for _, in := range new(portal.LeadForm).Inputs() {
		c := formCase{name: "long " + in.Name, typed: sellerWith(in.Name, strings.Repeat("1", in.Max+1)),
			faults: at(in.Name, portal.Say("field.too_long", "Max", in.Max, "Count", in.Max+1))}
		if slices.Contains([]string{"customer", "source", "intake", "foreign"}, in.Name) {
			c.lost = []string{in.Name}
		}
		cases = append(cases, c)
	}
	staff := b.staff(staffEmail)
	staff.sendWrongly(t, "/staff/leads", cases)
	if n := b.query(`SELECT count(*) FROM leads`); n != "0" {
		t.Errorf("%s leads", n)
	}
}

// TestNewLead: from an order, office and agent are known.
func TestNewLead(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("skylt")
	order := b.stored(b.browser().open(address))
	staff := b.staff(staffEmail)
	work := staff.get("/staff/orders/" + order.PublicID).want(http.StatusOK)
	form := work.page().Find("[data-testid=new-lead]").AttrOr("href", "")
	a := staff.get(form).want(http.StatusOK).wantHeader("Cache-Control", "no-store").wantHeading("leads.new")
	for input, want := range map[string]string{"customer": "M30011", "agent_id": order.Broker, "order": order.PublicID, "referrer": b.web.URL, "utm_tags": "utm_source=portico"} {
		if !keeps(a.page(), input, want) {
			t.Errorf("%s is not %q", input, want)
		}
	}
	if n := a.page().Find("form details[open]").Length(); n != 0 {
		t.Errorf("%d groups are unfolded", n)
	}
	a.has(`&#34;sender&#34;:{&#34;user&#34;:{&#34;id&#34;:&#34;1&#34;,&#34;name&#34;:&#34;Erik Berg&#34;},&#34;company&#34;:{&#34;name&#34;:&#34;Nordljus Foto AB&#34;}}`)
	typed := sellerWith("order", order.PublicID, "agent_id", order.Broker, "form", a.page().Find("input[name=form]").AttrOr("value", ""))
	path := staff.post("/staff/leads", typed).want(http.StatusSeeOther).header.Get("Location")
	staff.wantFlash(path)
	lead, err := b.store.Lead(t.Context(), strings.TrimPrefix(path, "/staff/leads/"))
	b.check(err)
	want := portal.LeadSender{UserID: "1", UserName: "Erik Berg", CompanyName: "Nordljus Foto AB"}
	if lead.OrderID != order.ID || lead.Agent.ID != order.Broker || lead.Sender != want || lead.Consent.How != "På telefon" {
		t.Errorf("%+v", lead)
	}
	staff.get(path).has(order.PartnerOrderID)
	staff.get("/staff/orders/" + order.PublicID).has(path)
	viewer := b.staff(viewerEmail).get("/staff/orders/" + order.PublicID).has(path)
	if viewer.page().Find("[data-testid=new-lead]").Length() != 0 {
		t.Error("a viewer is offered a new lead")
	}
	staff.get(newLead + "?order=nowhere").want(http.StatusNotFound)
	staff.get(newLead + "?connection=nowhere").want(http.StatusNotFound)
	staff.post("/staff/leads", sellerWith("connection", "nowhere")).want(http.StatusNotFound)
}

// TestAFormMakesOneLead: a second click, a reload and the way back send nothing.
func TestAFormMakesOneLead(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff := b.staff(staffEmail)
	typed := sellerWith("form", staff.get(newLead).page().Find("input[name=form]").AttrOr("value", ""))
	locations := make(chan string)
	for range 5 {
		go func() {
			a, err := staff.try(http.MethodPost, "/staff/leads", formType, strings.NewReader(typed.Encode()))
			if err != nil {
				t.Error(err)
			}
			locations <- a.header.Get("Location")
		}()
	}
	first := <-locations
	for range 4 {
		if next := <-locations; next != first || first == "" {
			t.Errorf("one leads to %q, another to %q", first, next)
		}
	}
	if n := b.query(`SELECT count(*) || ' ' || (SELECT count(*) FROM jobs WHERE kind = 'lead') FROM leads`); n != "1 1" {
		t.Errorf("leads and messages: %s", n)
	}
}

// TestLeadPreview: where a lead goes, and what is sent, for every combination;
// nothing has happened then.
func TestLeadPreview(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff := b.staff(staffEmail)
	agent, office, address := []string{"agent_email", "elin@bergvik.example"}, []string{"office_customer_id", "M30012"}, []string{"zip_code", "753 10"}
	for _, c := range []struct {
		typed []string
		key   string
	}{
		{nil, "lead.route_customer"}, {address, "lead.route_address"}, {office, "lead.route_office"}, {agent, "lead.route_agent_customer"},
		{slices.Concat(office, address), "lead.route_office"}, {slices.Concat(agent, address), "lead.route_agent_address"},
		{slices.Concat(agent, office), "lead.route_agent_office"}, {slices.Concat(agent, office, address), "lead.route_agent_office"},
	} {
		for _, lang := range portal.Locales {
			staff.speak(lang)
			a := staff.post("/staff/leads/preview", sellerWith(c.typed...)).want(http.StatusOK)
			if got, want := a.text("[data-testid=route]"), say(lang, portal.Say(c.key, "Customer", "M30011")); got != want {
				t.Errorf("%v (%s): %q, want %q", c.typed, lang, got, want)
			}
		}
	}
	staff.speak("sv")
	a := staff.post("/staff/leads/preview", sellerWith("personal_number", leadNumber, "utm_tags", "no tag", "last_name", "", "form", "A")).want(http.StatusOK)
	preview := a.text("[data-testid=preview]")
	if !strings.HasPrefix(preview, `POST /Service/Contact/M30011/Lead/Person {"firstName":"Åsa","lastName":"",`) || strings.Contains(preview, leadNumber) {
		t.Error(preview)
	}
	if !keeps(a.page(), "personal_number", leadNumber) || !keeps(a.page(), "utm_tags", "no tag") || a.page().Find(".fault").Length() != 0 {
		t.Error("what was typed is lost, or found fault with")
	}
	a = staff.post("/staff/leads/preview", sellerWith("customer", "")).want(http.StatusOK)
	if got := a.text("[data-testid=route]"); got != say("sv", portal.Say("leads.goes_nowhere")) || a.page().Find("[data-testid=preview]").Length() != 0 {
		t.Errorf("without an office: %q", got)
	}
	if n := b.query(`SELECT count(*) FROM leads`); n != "0" || strings.Contains(b.log.String(), leadNumber) {
		t.Errorf("%s leads; or the number is in the log", n)
	}
	broken := newBundleWith(t, setup{partners: brokenPartners{}})
	broken.staff(staffEmail).post("/staff/leads/preview", seller()).want(http.StatusOK).hasNot("secret-of-the-house", "data-testid=\"preview\"")
}

// TestARefusedLead: the partner's words stand at the inputs that they name.
func TestARefusedLead(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff, path := b.staff(staffEmail), b.leadOf("Åsa")
	staff.get(path + "/edit").want(http.StatusConflict)
	b.refused(path)
	words := staff.get(path).text("[data-testid=their-words]")
	if words != "Förnamn: Förnamn <b>krävs</b>.Gatuadress: Okänd gata.The request is invalid." {
		t.Error(words)
	}
	if nav := staff.get("/staff/orders").text("nav a[href='/staff/leads'] .warn"); nav != "1" {
		t.Errorf("%q wait", nav)
	}
	a := staff.get(path + "/edit").want(http.StatusOK).hasNot(leadNumber)
	for input, want := range map[string]string{"first_name": "Förnamn <b>krävs</b>.", "street": "Okänd gata."} {
		fault := a.page().Find("#" + input + "-fault")
		if fault.Text() != "Vitec Express: "+want || fault.ParentsFiltered("details:not([open])").Length() > 0 {
			t.Errorf("at %s: %q", input, fault.Text())
		}
	}
	a.has("Vitec Express: The request is invalid.")
	long := formCase{name: "corrected wrongly", typed: sellerWith("first_name", strings.Repeat("å", 31)),
		faults: map[string]portal.Sentence{"first_name": portal.Say("field.too_long", "Max", 30, "Count", 31)}}
	long.check(t, "sv", staff.post(path+"/correction", long.typed))
	preview := staff.post("/staff/leads/preview", sellerWith("lead", strings.TrimPrefix(path, "/staff/leads/"))).text("[data-testid=preview]")
	if !strings.Contains(preview, `"socialSecurityNumber":"••••"`) {
		t.Errorf("the number that stays is not shown: %s", preview)
	}
	staff.post(path+"/correction", sellerWith("first_name", "Åsa-Lo")).wantLocation(path)
	staff.wantFlash(path)
	lead, err := b.store.Lead(t.Context(), strings.TrimPrefix(path, "/staff/leads/"))
	if err != nil || lead.State != portal.LeadQueued || lead.FirstName != "Åsa-Lo" || !lead.HasNumber || lead.Refusal != "" {
		t.Errorf("%+v, %v", lead, err)
	}
	staff.post(path+"/correction", seller()).want(http.StatusConflict)
	b.refused(path)
	staff.post(path+"/correction", sellerWith("forget_number", "on")).wantLocation(path)
	if lead, err = b.store.Lead(t.Context(), lead.PublicID); err != nil || lead.HasNumber {
		t.Errorf("%+v, %v", lead, err)
	}
}

// TestAnUncertainLead waits for somebody who has looked.
func TestAnUncertainLead(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff := b.staff(staffEmail)
	arrived, again, without := b.leadOf("Åsa"), b.leadOf("Bo"), b.leadOf("Cia")
	for _, path := range []string{arrived, again, without} {
		staff.post(path+"/arrival", url.Values{"partner_id": {"1"}}).want(http.StatusConflict)
		b.uncertain(path)
	}
	outbox := staff.get("/staff/outbox").hasNot("Säljarsson", "Åsa")
	if n := outbox.page().Find("[data-testid=outbox-row] a[href='" + arrived + "']").Length(); n != 2 || outbox.page().Find("[data-testid=outbox-row] form").Length() != 0 {
		t.Errorf("%d links to the lead, or a way to send it unseen", n)
	}
	page := staff.get(arrived).has(say("sv", portal.Say("leads.means_uncertain", "System", "Vitec Express")))
	if forms := page.formsOf(arrived); !slices.Contains(forms, "arrival") || !slices.Contains(forms, "retry") {
		t.Errorf("it offers %q", forms)
	}
	if forms := b.staff(viewerEmail).get(arrived).formsOf(arrived); len(forms) != 0 {
		t.Errorf("a viewer is offered %q", forms)
	}
	staff.sendWrongly(t, arrived+"/arrival", []formCase{{name: "long", typed: url.Values{"partner_id": {strings.Repeat("1", 101)}},
		faults: map[string]portal.Sentence{"partner_id": portal.Say("field.too_long", "Max", 100, "Count", 101)}}})
	staff.post(arrived+"/arrival", url.Values{"partner_id": {" 480001 "}}).wantLocation(arrived)
	staff.wantFlash(arrived)
	staff.get(arrived).has("480001").has(say("sv", portal.Say("leads.means_confirmed", "Name", "Erik Berg")))
	staff.post(again+"/retry", nil).wantLocation(again)
	staff.wantFlash(again)
	job := "/staff/outbox/" + b.query(`SELECT j.id FROM jobs j JOIN leads l ON l.id = j.lead_id WHERE '/staff/leads/' || l.public_id = $1`, without) + "/skip"
	staff.post(job, url.Values{"next": {without}}).want(http.StatusUnprocessableEntity).has("reason-fault")
	staff.post(job, url.Values{"next": {without}, "reason": {"Hon ångrade sig"}}).wantLocation(without)
	staff.get(without).has("Hon ångrade sig").has(say("sv", portal.Say("leads.means_given_up")))
	states := b.query(`SELECT string_agg(state, ' ' ORDER BY id) FROM leads`)
	if states != "sent queued given_up" {
		t.Error(states)
	}
}

// TestTheNumberOfALead is nowhere but where it was asked for, and that is noted.
func TestTheNumberOfALead(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff, viewer, path := b.staff(staffEmail), b.staff(viewerEmail), b.leadOf("Åsa")
	forms := []string{"8112189876", "811218-9876"}
	for _, br := range []*browser{staff, viewer} {
		for _, page := range []string{path, "/staff/leads", "/staff/leads.csv", "/staff/outbox"} {
			br.get(page).want(http.StatusOK).hasNot(forms...)
		}
	}
	viewer.get(path).hasNot("/personal-number")
	viewer.post(path+"/personal-number", nil).want(http.StatusForbidden)
	staff.post(path+"/personal-number", nil).want(http.StatusOK).has(leadNumber).wantHeader("Cache-Control", "no-store")
	staff.get(path).hasNot(forms...).has("Erik Berg").has(say("sv", portal.Say("lead.number_shown")))
	if n := b.query(`SELECT count(*) FROM audits WHERE action = 'lead.number_shown'`); n != "1" {
		t.Errorf("%s notes", n)
	}
	for _, form := range forms {
		if strings.Contains(b.log.String(), form) {
			t.Errorf("%s is in the log", form)
		}
	}
	b.query(`UPDATE leads SET sealed_number = NULL RETURNING id`)
	staff.post(path+"/personal-number", nil).want(http.StatusNotFound)
}

// TestLeadList: the same filter finds the same in the list and in the export.
func TestLeadList(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff := b.staff(staffEmail)
	staff.get("/staff/leads").has(say("sv", portal.Say("leads.none")))
	for _, name := range []string{"Åsa", "=HYPERLINK(1)", "@Cia", "-Dan", "Eva, \"x\""} {
		b.leadOf(name)
	}
	for query, want := range map[string][]string{
		"":                           {"Eva, \"x\"", "-Dan", "@Cia", "=HYPERLINK(1)", "Åsa"},
		"?q=%C3%A5sa":                {"Åsa"},
		"?q=0701740605&state=queued": nil, // the number is kept as +46
		"?q=46701740605&q=x":         {"Eva, \"x\"", "-Dan", "@Cia", "=HYPERLINK(1)", "Åsa"},
		"?state=sent":                nil,
		"?office=M30011&connection=vitec&state=queued": {"Eva, \"x\"", "-Dan", "@Cia", "=HYPERLINK(1)", "Åsa"},
		"?office=M30012":    nil,
		"?connection=other": nil,
	} {
		page := staff.get("/staff/leads" + query).want(http.StatusOK).page()
		var listed []string
		page.Find("[data-testid=lead-row] .row-link").Each(func(_ int, e *goquery.Selection) {
			listed = append(listed, strings.TrimSuffix(e.Text(), " Säljarsson"))
		})
		if diff := cmp.Diff(want, listed); diff != "" {
			t.Errorf("%s lists\n%s", query, diff)
		}
		file := staff.get("/staff/leads.csv"+query).want(http.StatusOK).wantHeader("Content-Type", "text/csv; charset=utf-8").wantHeader("Content-Disposition", "attachment; filename=leads.csv")
		body, marked := strings.CutPrefix(file.body, "\ufeff")
		rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
		if err != nil || !marked || len(rows) != len(want)+1 || strings.Count(body, "\r\n") != len(want)+1 {
			t.Fatalf("%s: %v, %q", query, err, file.body)
		}
		for i, row := range rows[1:] {
			name := want[i]
			if strings.ContainsAny(name[:1], "=@-") {
				name = "'" + name
			}
			if row[2] != name || row[4] != "'+46 70 174 06 05" || row[7] != "M30011" {
				t.Errorf("%q", row)
			}
			for _, cell := range row {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@") {
					t.Errorf("a spreadsheet computes %q", cell)
				}
			}
		}
	}
	b.query(`INSERT INTO leads (public_id, connection_id, customer, state, content, staff_id, created_at, updated_at, words)
		SELECT 'p' || n, connection_id, customer, state, content, staff_id, created_at - n * interval '1 s', updated_at, words FROM leads, generate_series(1, 60) n
		WHERE content ->> 'first_name' = 'Åsa' RETURNING id`)
	b.query(`INSERT INTO jobs (kind, state, connection_id, subject, lead_id, unique_key, payload, max_attempts, run_at, created_at)
		SELECT 'lead', 'available', connection_id, 'lead/' || id, id, 'lead/' || id, '{}', 10, now(), now() FROM leads WHERE public_id LIKE 'p%' RETURNING id`)
	first := staff.get("/staff/leads").page()
	next := first.Find("a[rel=next]").AttrOr("href", "")
	second := staff.get(next).want(http.StatusOK).page()
	if n, m := first.Find("[data-testid=lead-row]").Length(), second.Find("[data-testid=lead-row]").Length(); n != 50 || m != 15 || second.Find("a[rel=next]").Length() != 0 {
		t.Errorf("pages of %d and %d", n, m)
	}
	if n := strings.Count(staff.get("/staff/leads.csv").body, "\r\n"); n != 66 {
		t.Errorf("the export has %d lines", n)
	}
}

// TestWithoutLeads: where no connection takes any, nothing leads there, and the
// screen says how to begin.
func TestWithoutLeads(t *testing.T) {
	t.Parallel()
	b, _ := newMaker(t)
	staff := b.staff(staffEmail)
	staff.get("/staff/orders").hasNot("/staff/leads")
	for _, path := range []string{"/staff/leads", newLead} {
		staff.get(path).want(http.StatusOK).has("lead_sources").hasNot("<form id=\"lead\"")
	}
	staff.post("/staff/leads", seller()).want(http.StatusNotFound)
	order := b.query(`SELECT public_id FROM orders LIMIT 1`)
	staff.get("/staff/orders/" + order).want(http.StatusOK).hasNot("new-lead")
	staff.get(newLead + "?order=" + order).want(http.StatusNotFound)
}
