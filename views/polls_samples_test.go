package views

import (
	"net/url"
	"time"

	"portico/internal/portal"
)

func polls(locale string) StaffPollsPage {
	strange := AsideRow{ID: 31, Number: "880412", ServiceID: "2440", FoundAt: ago(8 * time.Hour), NextRunAt: *in(25 * time.Minute), Tries: 3,
		Reason: portal.Say("polls.unknown_service", "Service", "2440")}
	broken := AsideRow{ID: 30, Number: "880409", Service: "Bredband 100/100", ServiceID: "2441", FoundAt: ago(26 * time.Hour), NextRunAt: ago(time.Minute), Tries: 1,
		Reason: portal.Say("polls.unreadable"), Raw: "<order_info>\n  <order_id>880409</order_id>\n  <access_id>KC-1044-77</access_id>\n  <product>Bredband 100/100 & mer\n"}
	nameless := AsideRow{ID: 29, FoundAt: ago(30 * time.Hour), NextRunAt: *in(5 * time.Hour), Tries: 12, Reason: portal.Say("polls.no_id")}
	left := AsideRow{ID: 12, Number: "880101", Service: "Bredband 100/100", FoundAt: ago(400 * time.Hour), Tries: 40, Reason: portal.Say("polls.refused"),
		DismissedAt: ago(100 * time.Hour), Dismisser: "Maja Ek", DismissedFor: "En testbeställning från nätägaren."}
	p := StaffPollsPage{Base: staffBase(locale, "/staff/polls"), Connections: []FetchedConnection{{ID: "guiden", Name: "Tjänsteguiden",
		Every: 5 * time.Minute, Cursor: now.Truncate(24 * time.Hour), NextRunAt: *in(3 * time.Minute), LastAt: at(2 * time.Minute), LastOKAt: at(2 * time.Minute),
		Listed: 1214, Imported: 3, Aside: []AsideRow{strange, broken, nameless}, AsideTotal: 3, Dismissed: []AsideRow{left}}}}
	p.Nav.Fetches, p.Nav.Aside = true, 3
	return p
}

func addPollPages(p map[string]Page) {
	p["polls"] = polls("sv")

	fault := polls("en")
	fault.Rejected = RejectedForm{Form: "30/dismissal", Typed: url.Values{}, Faults: portal.FieldErrors{"reason": portal.Say("field.required")}}
	fault.Connections[0].AsideTotal = 140
	p["polls_fault"] = fault

	stale := polls("nb")
	stale.Alarms = []Alarm{{System: "tjansteguiden", Since: ago(3 * time.Hour), Stale: true}}
	c := &stale.Connections[0]
	c.Stale, c.Failures, c.LastAt, c.LastOKAt = true, 17, at(4*time.Minute), at(3*time.Hour)
	say := portal.Say("polls.credential")
	c.LastError = &say
	again := *c
	again.ID, again.Name, again.Failures, again.Running = "norr", "Tjänsteguiden (norr)", 1, true
	again.Aside, again.AsideTotal, again.Dismissed, again.Waiting = nil, 0, nil, 8786
	c.Name = "Tjänsteguiden (guiden)"
	stale.Connections = append(stale.Connections, again)
	p["polls_stale"] = stale

	viewer := polls("en")
	viewer.Staff = lisa
	p["polls_viewer"] = viewer

	never := polls("sv")
	never.Connections[0] = FetchedConnection{ID: "guiden", Name: "Tjänsteguiden", Every: 5 * time.Minute, NextRunAt: ago(20 * time.Minute), Stale: true}
	never.Nav.Aside = 0
	never.Flash = portal.Say("flash.polls_run")
	p["polls_never"] = never

	p["polls_none"] = StaffPollsPage{Base: staffBase("en", "/staff/polls")}
}
