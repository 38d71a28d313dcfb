package views

import (
	"net/url"
	"time"

	"portico/internal/portal"
)

const sought = "Kanarie Fågelström\n070-987 65 43"

func people(locale string) StaffPeoplePage {
	p := StaffPeoplePage{Base: staffBase(locale, "/staff/people")}
	p.Staff = portal.Staff{ID: 3, Email: "maja@nordljus.example", Name: "Maja Ek", Role: portal.RoleAdmin}
	return p
}

// appears are subjects of every kind, in every state that the screen tells apart.
func appears() []portal.PersonSubject {
	hit := func(place, before, match, after string) portal.PersonHit {
		return portal.PersonHit{Place: place, Before: before, Match: match, After: after}
	}
	return []portal.PersonSubject{
		{Kind: portal.SubjectLead, ID: 7, PublicID: "LEAD7", Number: "PER30011_7", State: "sent", CreatedAt: ago(50 * time.Hour),
			Hits: []portal.PersonHit{{Place: "number"}, hit("lead", "", "Kanarie Fågelström", "")}},
		{Kind: portal.SubjectOrder, ID: 42, PublicID: "ORDER42", Number: "ORD-20417", Service: service.Name, State: "delivered", CreatedAt: ago(26 * time.Hour),
			Hits: []portal.PersonHit{hit("timeline", "…vi har nyckeln. Säljaren heter ", "Kanarie Fågelström", " och är hemma efter fyra på eftermiddagen, men inte på fr…"),
				hit("answers", "", "070-987 65 43", ""), hit("file", "01 vardagsrum hos ", "kanarie_fågelström", ".jpg")}},
		{Kind: portal.SubjectOrder, ID: 43, PublicID: "ORDER43", Number: "ORD-20418", Service: service.Name, State: "active", InProgress: true, CreatedAt: ago(25 * time.Hour),
			Hits: []portal.PersonHit{hit("timeline", "Granne till ", "Kanarie Fågelström", ".")}},
		{Kind: portal.SubjectOrder, ID: 44, PublicID: "ORDER44", Number: "ORD-20419", Service: service.Name, State: "delivered", OnItsWay: true, Erased: true, CreatedAt: ago(300 * time.Hour),
			Hits: []portal.PersonHit{hit("message", "Klart hos ", "Kanarie Fågelström", "")}},
		{Kind: portal.SubjectAside, ID: 9, Number: "880412", CreatedAt: ago(8 * time.Hour), Hits: []portal.PersonHit{hit("aside", "<firstname>", "Kanarie</firstname><surname>Fågelström", "</surname>")}},
		{Kind: portal.SubjectOther, ID: 3, Place: "note", Hits: []portal.PersonHit{hit("note", "", "Kanarie Fågelström", "")}},
	}
}

func addPeoplePages(p map[string]Page) {
	empty := people("sv")
	p["people"] = empty

	done := people("en")
	done.Flash = portal.Say("flash.people_erased")
	done.Erasures = []portal.Erasure{{Staff: "Maja Ek", Reason: "request", Orders: 2, Leads: 1, Mentions: 4, Files: 12, CreatedAt: ago(time.Minute)},
		{Staff: "Maja Ek", Reason: "retention", Aside: 1, CreatedAt: ago(900 * time.Hour)}, {Staff: "Per Ek", Reason: "mistake", Orders: 1, CreatedAt: ago(9000 * time.Hour)}}
	p["people_erased"] = done

	for name, locale := range map[string]string{"people_found": "sv", "people_found_more": "nb"} {
		found := people(locale)
		found.Searched = true
		found.Rejected = RejectedForm{Form: "people", Typed: url.Values{"q": {sought}}}
		for _, s := range appears() {
			chosen := portal.PersonChoice("")
			if locale == "nb" {
				chosen = portal.ChooseLeave
			}
			found.Subjects = append(found.Subjects, NewSubjectRow(found.Printer, s, chosen))
		}
		if locale == "nb" {
			found.More, found.Unread = true, true
			found.Rejected.Faults = portal.FieldErrors{"choices": portal.Say("people.none_chosen")}
		}
		p[name] = found
	}

	none := people("en")
	none.Searched = true
	none.Rejected = RejectedForm{Form: "people", Typed: url.Values{"q": {"Ingen Alls"}}}
	p["people_none"] = none

	fault := people("sv")
	fault.Rejected = RejectedForm{Form: "people", Typed: url.Values{"q": {"Bo"}}, Faults: portal.FieldErrors{"q": portal.Say("people.short", "Term", "Bo", "Min", 3)}}
	p["people_fault"] = fault

	erasure := StaffErasurePage{Base: people("sv").Base, Plan: portal.Erasure{Orders: 2, Leads: 1, Aside: 1, Mentions: 4, Files: 12},
		Choices:  map[string]portal.PersonChoice{"order-42": portal.ChooseWhole, "lead-7": portal.ChooseWhole, "other-note-3": portal.ChooseWords},
		Rejected: RejectedForm{Form: "erasure", Typed: url.Values{"q": {sought}}}}
	p["erasure"] = erasure

	refused := erasure
	refused.Base, refused.Plan = people("nb").Base, portal.Erasure{Mentions: 1}
	refused.Rejected = RejectedForm{Form: "erasure", Typed: url.Values{"q": {sought}, "reason": {"mistake"}},
		Faults: portal.FieldErrors{"confirm": portal.Say("field.tick")}}
	p["erasure_fault"] = refused

	gone := orderPage("en", portal.Delivered, events(event(portal.EventDelivered, byErik, 5*time.Hour, portal.EventData{Files: 1, Version: 1}),
		portal.Event{Kind: portal.EventEmptied, Actor: byErik, ForBroker: true, CreatedAt: ago(time.Hour)}))
	gone.ErasedAt, gone.Attached = at(time.Hour), nil
	gone.Deliveries = []portal.Delivery{{ID: 1, Version: 1, By: byErik, CreatedAt: ago(5 * time.Hour), Files: []portal.File{{ID: "f1", Name: portal.Struck, Size: 24_000_000}}}}
	p["order_erased"] = gone
}
