package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"portico/internal/portal"
	"portico/views"
)

// seller is who is told of in the journey.
const (
	sellerFirst  = "Birgit"
	sellerLast   = "Ståhl-Öman"
	sellerNumber = "19811218-9876"
)

// TestJourneyOfALead: a broker orders, staff hear of somebody who wants to sell,
// and the office has the lead.
func TestJourneyOfALead(t *testing.T) {
	t.Parallel()
	for name, scripts := range map[string]bool{"sv": true, "nb": true, "en without scripts": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lang, _, _ := strings.Cut(name, " ")
			j := &leadJourney{&journey{t: t, demo: startDemo(t), say: views.NewPrinter(lang, time.UTC, time.Now()), scripts: scripts, system: "vitec"}}
			broker, staff := j.tab(speaking(lang)), j.tab()
			j.order(broker)
			j.logIn(staff)
			j.begin(staff)
			j.fill(staff)
			j.send(staff, broker)
		})
	}
}

// leadJourney is a journey that ends with a lead.
type leadJourney struct{ *journey }

// begin opens the form from the order: who ordered is to receive the lead.
func (j *leadJourney) begin(b *tab) {
	b.press("[data-testid=order-row] a")
	b.press("[data-testid=new-lead]")
	j.reads(b, "leads.new", "leads.field_message", "leads.send")
	b.reads(j.say.T("lead.route_agent_customer", "Customer", "M30011"))
}

func (j *leadJourney) fill(b *tab) {
	b.pressFor(422, "#lead .send button")
	if n := eval[int](b, `document.querySelectorAll(".fault").length`); n != 6 {
		b.t.Errorf("an empty form has %d faults", n)
	}
	b.write("#first_name", sellerFirst)
	b.write("#last_name", sellerLast)
	b.write("#phone_cell", "070-174 06 05")
	b.write("#message", "Vill sälja huset på Ripvägen i vår.")
	b.do("choose a source", chromedp.SetValue(visible("#source"), "17"))
	b.write("#consent_how", "På telefon")
	b.do("say when", chromedp.SetValue(visible("#consent_day"), time.Now().AddDate(0, 0, -1).Format(time.DateOnly)))
	b.click("[data-testid=group-number] summary")
	b.write("#personal_number", sellerNumber)
	b.click("[data-testid=group-address] summary")
	b.write("#street", "Ripvägen 31")
	b.write("#zip_code", "753 10")
	if j.scripts {
		b.watches("[data-testid=route]", j.say.T("lead.route_agent_address", "Customer", "M30011"))
		b.watches("[data-testid=preview]", sellerLast)
		if shown := b.text("[data-testid=preview]"); strings.Contains(shown, sellerNumber) {
			b.t.Errorf("the preview shows the personal number: %s", shown)
		}
		return
	}
	b.press("[data-look]")
	j.reads(b, "leads.new", "leads.sends")
	b.reads(j.say.T("lead.route_agent_address", "Customer", "M30011"), sellerLast)
}

// send sends the lead and reads its id here and in the partner system.
func (j *leadJourney) send(b, broker *tab) {
	b.press("#lead .send button")
	j.reads(b, "flash.lead_sent", "leads.about")
	b.reads(sellerFirst+" "+sellerLast, j.number)
	b.hides(sellerNumber)
	page := eval[string](b, "location.href")
	b.reopens(page, "[data-testid=lead-state][data-state=sent]")
	b.press("form[action$='/personal-number'] button")
	b.reads(sellerNumber)
	b.reopens(j.demo.portal+"/staff/leads", "[data-testid=lead-row][data-state=sent]")
	j.reads(b, "leads.title", "leads.state_sent")
	b.hides(sellerNumber)

	broker.open(j.demo.simulator)
	id := broker.text("[data-testid=lead-id]")
	broker.reads(sellerFirst + " " + sellerLast)
	b.reads(id)
	b.open(page)
	b.reads(id)
	b.open(j.demo.portal + fmt.Sprintf("/staff/leads?q=%s", id))
	b.sees("[data-testid=lead-row]")
}

// addLeads makes leads in every state, one of them with every field filled.
func (s *scene) addLeads(order ordered) {
	s.t.Helper()
	full := portal.Lead{ConnectionID: "vitec", Customer: "M30011", OrderID: order.id, FirstName: "Birgit", LastName: "Ståhl-Öman",
		Message: "Vill sälja huset på Ripvägen i vår, helst före midsommar.\nRing efter 16.", SourceID: "17", IntakeID: "3",
		Telephone: portal.LeadTelephone{Cell: "070-174 06 05", Home: "018-10 20 30", Work: "018-11 22 33", Other: "+47 22 33 44 55"},
		Email:     "birgit@stahl.example", Email2: "birgit.stahl.oman@ett-riktigt-langt-namn.example", Street: "Ripvägen 31", ZipCode: "753 10", City: "Uppsala",
		Marketing: portal.LeadMarketing{Referrer: s.portal, UTMTags: []portal.LeadTag{{Name: "utm_source", Value: "portico"}}},
		Agent:     portal.LeadAgent{ID: "MED30011_118"}, Sender: portal.LeadSender{UserID: "1", UserName: "Erik Berg", CompanyName: "Nordljus Foto AB"},
		Consent: portal.LeadConsent{How: "På telefon, när vi fotograferade hos grannen", Day: "2026-11-20"}}
	for i, l := range []struct{ first, last, state, change string }{
		{"Åke", "Ek", "sent", `partner_id = '480001', sent_at = now()`},
		{"Gun", "Lindqvist af Fogelström-Hammarskjöld", "uncertain", `updated_at = now()`},
		{"Birgit", "Ståhl-Öman", "refused", `refusal = 'The request is invalid.', faults = '{"first_name": "Förnamn innehåller otillåtna tecken.", "phone_cell": "Mobiltelefon är ogiltig."}'`},
		{"Nils", "Öst", "given_up", `updated_at = now()`},
		{"Siv", "Borg", "queued", `updated_at = now()`},
	} {
		s.ago(time.Duration(8-i) * 9 * time.Hour)
		lead := full
		lead.FirstName, lead.LastName = l.first, l.last
		if i%2 == 1 {
			lead.OrderID, lead.Agent = 0, portal.LeadAgent{}
		}
		id, err := s.store.CreateLead(s.t.Context(), lead, fmt.Sprint("form", i), s.maja)
		s.check(err)
		// As the worker leaves it; a real fault would need one of each kind.
		job := map[string]string{"sent": "completed", "given_up": "skipped"}[l.state]
		if job == "" {
			job = "parked"
		}
		s.exec(`UPDATE jobs SET state = $2, attempt = 1, leased_until = NULL, uncertain = $2 = 'parked' AND $3 = 'uncertain',
			finished_at = CASE WHEN $2 = 'parked' THEN NULL ELSE now() END, last_error = 'POST /Service/Contact/M30011/Lead/Person: 500'
			WHERE lead_id = (SELECT id FROM leads WHERE public_id = $1)`, id, job, l.state)
		outcome, status := portal.OutcomeUnknown, 0
		switch l.state {
		case "sent":
			outcome, status = portal.OutcomeDone, 200
		case "refused":
			outcome, status = portal.OutcomeRefused, 400
		}
		s.exec(`DELETE FROM attempts WHERE job_id = (SELECT j.id FROM jobs j JOIN leads l ON l.id = j.lead_id WHERE l.public_id = $1)`, id)
		s.exec(`INSERT INTO attempts SELECT j.id, 1, j.created_at, 412, $2, $3, '', j.last_error FROM jobs j JOIN leads l ON l.id = j.lead_id
			WHERE l.public_id = $1`, id, outcome, status)
		s.exec(`UPDATE leads SET state = $2, `+l.change+` WHERE public_id = $1`, id, l.state)
	}
}

// lead returns the address of the lead in a state.
func (s *scene) lead(state portal.LeadState) string {
	s.t.Helper()
	var id string
	s.check(s.sql.QueryRowContext(s.t.Context(), `SELECT public_id FROM leads WHERE state = $1`, state).Scan(&id))
	return s.portal + "/staff/leads/" + id
}

// TestScreensOfLeads looks at the list, the form and a lead in each state.
func TestScreensOfLeads(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	b := newTab(t, s.demoRun, speaking("sv"))
	s.logIn(b)
	list, form := s.portal+"/staff/leads", s.portal+"/staff/leads/new"
	b.open(list)
	b.inspect("leads-empty")
	s.ago(26 * time.Hour)
	order := s.photo(kungsgatan, "")
	b.open(form + "?order=" + order.public)
	b.focusShows("lead-new")
	b.steady("lead-new", form+"?order="+order.public)
	b.inspect("lead-new")
	b.unfold()
	b.inspect("lead-new-unfolded")
	b.open(form)
	b.do("choose no office", chromedp.SetValue(visible("#customer"), ""))
	b.pressFor(422, "#lead .send button")
	b.inspect("lead-new-faults")
	s.addLeads(order)
	b.open(list)
	b.focusShows("leads")
	b.steady("leads", list)
	b.inspect("leads")
	b.open(list + "?q=finns+inte")
	b.inspect("leads-no-match")
	for _, state := range portal.LeadStates[:5] {
		b.open(s.lead(state))
		b.inspect("lead-" + string(state))
		b.unfold()
		b.inspect("lead-" + string(state) + "-unfolded")
	}
	b.open(s.lead(portal.LeadUncertain))
	b.do("type too much", chromedp.Evaluate[chromedp.Void](`document.querySelector("#partner_id").removeAttribute("maxlength"), document.querySelector("#partner_id").value = "4".repeat(101), void 0`))
	b.pressFor(422, "form[action$='/arrival'] button")
	b.inspect("lead-arrival-fault")
	b.open(s.lead(portal.LeadRefused) + "/edit")
	b.inspect("lead-edit")
	b.open(s.portal + "/staff/outbox")
	b.reads("Tips ")
	b.inspect("outbox-leads")
	b.open(s.portal + "/staff/orders/" + order.public)
	b.inspect("work-leads")
	s.exec(`UPDATE leads SET state = 'erased', content = '{}', refusal = '', faults = '{}', words = '', erased_at = now() WHERE state = 'given_up'`)
	b.open(s.lead(portal.LeadErased))
	b.inspect("lead-erased")
}
