package views

import (
	"net/url"
	"time"

	"portico/internal/portal"
)

var seller = portal.Lead{ID: 12, ConnectionID: "vitec", Customer: "M123", OrderID: 42, State: portal.LeadSent, PartnerID: "480001", CreatedAt: ago(26 * time.Hour),
	FirstName: "Birgit", LastName: "Ståhl-Öman", Message: "Vill sälja huset i vår.\nRing efter 16.", SourceID: "17", IntakeID: "3",
	Telephone: portal.LeadTelephone{Cell: "070-174 06 05", Home: "018-10 20 30"}, Email: "birgit@stahl.example",
	Street: "Ripvägen 31", ZipCode: "903 62", City: "Umeå",
	Marketing: portal.LeadMarketing{Referrer: "https://portal.example", UTMTags: []portal.LeadTag{{Name: "utm_source", Value: "portico"}}},
	Agent:     portal.LeadAgent{ID: "MED1"}, Sender: portal.LeadSender{UserID: "1", UserName: "Erik Sandberg", CompanyName: "Nordljus Foto AB"},
	Consent: portal.LeadConsent{How: "På telefon", Day: "2026-11-23"}}

func leadPart(state portal.LeadState) LeadPart {
	l := LeadPart{Lead: seller, PublicID: "L12", System: "vitec", OfficeLabel: "Fastighetsbyrån Umeå", Source: "Tips från leverantör", Intake: "Granne",
		HasNumber: true, OrderURL: "/staff/orders/5c1f", OrderNumber: "ORD-20417", SentBy: "Erik Sandberg", Job: leadJob(portal.JobParked)}
	l.State = state
	if state == portal.LeadSent {
		l.SentAt, l.Job = at(25*time.Hour), leadJob(portal.JobCompleted)
	} else {
		l.PartnerID = ""
	}
	return l
}

func leadJob(state portal.JobState) portal.Job {
	j := sampleJob(21, "", state, 1, "POST /Service/Contact/M123/Lead/Person: 400")
	j.Message = portal.Message{LeadID: 12, ConnectionID: "vitec", Customer: "M123"}
	return tried(j, portal.OutcomeRefused, 400)
}

func leadPage(locale string, l LeadPart) StaffLeadPage {
	b := staffBase(locale, l.URL())
	b.Nav.Leads, b.Nav.Undecided = true, 2
	return StaffLeadPage{Base: b, LeadPart: l, Route: l.Route(),
		Notes: []LeadNote{{Action: "lead.created", Who: "Erik Sandberg", At: l.CreatedAt}, {Action: "lead.number_shown", Who: "Lisa Ek", At: ago(2 * time.Hour)}}}
}

func newLeadForm(locale string) StaffLeadFormPage {
	b := staffBase(locale, "/staff/leads/new")
	b.Nav.Leads = true
	filled := url.Values{"customer": {"M123"}, "agent_id": {"MED1"}, "referrer": {"https://portal.example"}, "utm_tags": {"utm_source=portico"}}
	return StaffLeadFormPage{Base: b, Connection: "vitec", System: "vitec", OrderID: "5c1f", OrderTitle: "Villa EST-4711", FormKey: "KEY", Filled: filled,
		Connections: []Option{{ID: "vitec", Label: "Vitec Express"}},
		Offices:     []Option{{ID: "M123", Label: "Fastighetsbyrån Umeå"}, {ID: "M200", Label: "Bjurfors Umeå"}},
		Sources:     []Option{{ID: "17", Label: "Tips från leverantör"}, {ID: "21", Label: "Fotografering"}}, Intakes: []Option{{ID: "3", Label: "Granne"}},
		Rejected: RejectedForm{Form: "leads", Typed: filled}, Route: portal.RouteOf(true, false, false, "Fastighetsbyrån Umeå"),
		Preview: "POST /Service/Contact/M123/Lead/Person\n{\"firstName\":\"\"}"}
}

func addLeadPages(p map[string]Page) {
	erased := leadPart(portal.LeadErased)
	erased.Lead = portal.Lead{ID: 13, Customer: "M123", State: portal.LeadErased, CreatedAt: ago(90 * 24 * time.Hour)}
	erased.PublicID, erased.HasNumber, erased.Job = "L13", false, leadJob(portal.JobSkipped)
	list := StaffLeadIndexPage{Base: leadPage("sv", leadPart(portal.LeadSent)).Base, Takes: true, Next: "MjAyNg",
		Counts:      map[portal.LeadState]int{portal.LeadSent: 1412, portal.LeadRefused: 1, portal.LeadUncertain: 1, portal.LeadErased: 8},
		Connections: []Option{{ID: "vitec", Label: "Vitec Express (vitec)"}, {ID: "norr", Label: "Vitec Express (norr)"}},
		Offices:     []Option{{ID: "M123", Label: "Fastighetsbyrån Umeå"}},
		Rows:        []LeadPart{leadPart(portal.LeadQueued), leadPart(portal.LeadSent), leadPart(portal.LeadUncertain), erased}}
	list.Rows[2].OrderURL, list.Rows[2].Agent = "", portal.LeadAgent{}
	p["leads"] = list
	none := list
	none.Rows, none.Next, none.Counts = nil, "", nil
	p["leads_empty"] = none
	none.Takes = false
	p["leads_unconfigured"] = none
	none.Takes, none.Query = true, LeadQuery{Q: "finns inte", State: portal.LeadRefused, Connection: "norr", Office: "M123"}
	p["leads_no_match"] = none

	p["lead_form"] = newLeadForm("nb")
	fault := newLeadForm("sv")
	fault.OrderID, fault.Connections = "", list.Connections
	fault.Rejected = RejectedForm{Form: "leads", Typed: url.Values{"customer": {"M123"}, "personal_number": {"1"}, "email2": {"x"}, "foreign": {"on"}},
		Faults: portal.FieldErrors{"first_name": portal.Say("field.required"), "personal_number": portal.Say("lead.personal_number"), "source": portal.Say("field.choose")}}
	p["lead_form_fault"] = fault
	edit := newLeadForm("en")
	edit.OrderID, edit.LeadID, edit.LeadTitle, edit.HasNumber, edit.Words = "", "L12", "Birgit Ståhl-Öman", true, "The request is invalid."
	edit.Rejected.Faults = portal.FieldErrors{"street": portal.Say("leads.their_words", "System", "Vitec Express", "Words", "Okänd gata.")}
	p["lead_edit"] = edit
	p["lead_form_unconfigured"] = StaffLeadFormPage{Base: newLeadForm("sv").Base}
	addLeadStates(p, erased)
}

func addLeadStates(p map[string]Page, erased LeadPart) {
	p["lead_sent"] = leadPage("sv", leadPart(portal.LeadSent))
	shown := leadPage("en", leadPart(portal.LeadSent))
	shown.PersonalNumber, shown.Foreign, shown.ConfirmedBy = "FO 1234", true, "Lisa Ek"
	p["lead_number"] = shown
	refused := leadPart(portal.LeadRefused)
	refused.Refusal, refused.Faults = "The request is invalid.", map[string]string{"first_name": "Förnamn krävs.", "phone_cell": "Mobiltelefon är ogiltig."}
	p["lead_refused"] = leadPage("nb", refused)
	uncertain := leadPart(portal.LeadUncertain)
	uncertain.Job.Message.Uncertain = true
	doubt := leadPage("sv", uncertain)
	doubt.Rejected = RejectedForm{Form: "arrival", Typed: url.Values{"partner_id": {"480001"}}, Faults: portal.FieldErrors{"partner_id": portal.Say("field.characters")}}
	p["lead_uncertain_fault"] = doubt
	looking := leadPage("en", uncertain)
	looking.Staff = lisa
	p["lead_uncertain_viewer"] = looking
	queued := leadPart(portal.LeadQueued)
	queued.Job = portal.Job{ID: 22, State: portal.JobAvailable, MaxAttempts: 10, CreatedAt: ago(time.Second), RunAt: now, Message: portal.Message{LeadID: 12}}
	waits := leadPage("sv", queued)
	waits.Flash = portal.Say("flash.lead_sent")
	p["lead_queued"] = waits
	p["lead_stopped"] = leadPage("sv", leadPart(portal.LeadQueued))
	given := leadPage("nb", leadPart(portal.LeadGivenUp))
	given.Job = leadJob(portal.JobSkipped)
	given.Notes = append(given.Notes, LeadNote{Action: "lead.skipped", Who: "Erik Sandberg", Reason: "Hon ångrade sig.", At: ago(time.Hour)})
	p["lead_given_up"] = given
	gone := leadPage("en", erased)
	gone.Route, gone.Notes = portal.Sentence{}, []LeadNote{{Action: "lead.erased", At: ago(time.Hour)}}
	p["lead_erased"] = gone

	box := outbox("sv")
	for _, job := range []portal.Job{leadJob(portal.JobParked), uncertain.Job} {
		box.Rows = append(box.Rows, OutboxRow{Job: job, System: "vitec", URL: "/staff/leads/L12", Office: "Fastighetsbyrån Umeå"})
	}
	box.Rows = box.Rows[len(box.Rows)-2:]
	box.Counts.Undecided = 3
	p["outbox_leads"] = box
	work := workspace("sv", portal.Active)
	work.TakesLeads, work.Leads = true, []LeadPart{leadPart(portal.LeadSent), leadPart(portal.LeadRefused)}
	p["workspace_leads"] = work
}
