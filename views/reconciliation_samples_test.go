package views

import (
	"net/url"
	"time"

	"portico/internal/portal"
)

func reconciliation(locale string) StaffReconciliationPage {
	row := func(id int64, kind portal.DifferenceKind, typ, target, office, number string, since time.Duration) DifferenceRow {
		r := DifferenceRow{ID: id, Kind: kind, Number: number, Target: portal.Target{Type: typ, ID: target}, Office: office, Since: ago(since)}
		if kind != portal.MissingHere {
			r.URL = "/staff/orders/" + number
		}
		return r
	}
	unsure := row(21, portal.MissingHere, "", "EST-4720", "Bjurfors Umeå", "ORD-20501", 8*time.Hour)
	unsure.Theirs = "Ordered"
	sure := row(22, portal.MissingHere, "", "EST-4721", "Fastighetsbyrån Umeå", "ORD-20502", 32*time.Hour)
	sure.Theirs, sure.Service, sure.Sure = "Ordered", "expertfoto", true
	gone := row(23, portal.MissingThere, "Cottage", "EST-4716", "Bjurfors Umeå", "ORD-20411", 56*time.Hour)
	gone.Ours, gone.Report, gone.Unreported = portal.Delivered, portal.Delivered, true
	lost := row(24, portal.StateDiffers, "House", "EST-4711", "Fastighetsbyrån Umeå", "ORD-20417", 8*time.Hour)
	lost.Ours, lost.Theirs, lost.Report = portal.Delivered, "OrderReceived", portal.Delivered
	changed := row(25, portal.StateDiffers, "HousingCooperative", "7f3c1d2e-88aa-4b1c-9d3e-0c5b7a6f1e2d", "Länsförsäkringar Fastighetsförmedling Skellefteå", "ORD-20424", 8*time.Hour)
	changed.Ours, changed.Report, changed.Changed = portal.Active, portal.Received, true
	other := row(26, portal.MissingHere, "", "EST-4730", "Bjurfors Umeå", "ORD-20777", 8*time.Hour)
	other.Theirs = "Delivered"
	accepted := row(27, portal.StateDiffers, "Plot", "EST-4717", "Bjurfors Umeå", "ORD-20399", 200*time.Hour)
	accepted.Ours, accepted.Theirs, accepted.Report = portal.Delivered, "Fakturerad", portal.Delivered
	accepted.AcceptedBy, accepted.AcceptedAt, accepted.Reason = "Lisa Ek", ago(190*time.Hour), "De fakturerar själva, så det är klart där."

	return StaffReconciliationPage{Base: staffBase(locale, "/staff/reconciliation"), System: "vitec",
		Query:       ReconciliationQuery{Connection: "vitec"},
		Connections: []Option{{ID: "vitec", Label: "Vitec Express"}},
		Offices:     []Option{{ID: "M123", Label: "Fastighetsbyrån Umeå"}, {ID: "M200", Label: "Bjurfors Umeå"}},
		Services:    []Option{{ID: "expertfoto", Label: "Expertfotografering"}, {ID: "dronare", Label: "Drönarfilm"}},
		Status:      ReconciliationStatus{Last: at(8*time.Hour - 15*time.Minute), Compared: 214, Unreported: 3},
		Lists: map[portal.DifferenceKind]DifferenceList{
			portal.MissingHere:  {Rows: []DifferenceRow{unsure, sure}, Total: 2},
			portal.MissingThere: {Rows: []DifferenceRow{gone}, Total: 1},
			portal.StateDiffers: {Rows: []DifferenceRow{lost, changed}, Total: 120},
		},
		Others:   DifferenceList{Rows: []DifferenceRow{other}, Total: 1},
		Accepted: DifferenceList{Rows: []DifferenceRow{accepted}, Total: 1},
	}
}

func addReconciliationPages(p map[string]Page) {
	p["reconciliation"] = reconciliation("sv")

	fault := reconciliation("en")
	fault.Rejected = RejectedForm{Form: "24/acceptance", Typed: url.Values{}, Faults: portal.FieldErrors{"reason": portal.Say("field.required")}}
	fault.Lists[portal.MissingThere] = DifferenceList{}
	fault.Others, fault.Accepted, fault.Mapped = DifferenceList{}, DifferenceList{}, true
	fault.Unlisted, fault.Connections = []string{"Visma Core"}, append(fault.Connections, Option{ID: "vitec2", Label: "Vitec Express (vitec2)"})
	fault.Query.Office = "M123"
	p["reconciliation_fault"] = fault

	unchosen := reconciliation("nb")
	unchosen.Rejected = RejectedForm{Form: "26/import", Typed: url.Values{}, Faults: portal.FieldErrors{"service": portal.Say("field.choose")}}
	unchosen.Status.Never, unchosen.Status.Failed = 1, []FailedReconciliation{
		{Office: "Bjurfors Umeå", At: ago(2 * time.Hour), Since: at(26 * time.Hour), Error: "GET /Service/Order/M200: 503"},
		{Office: "HusmanHagberg Robertsfors", At: ago(2 * time.Hour)}, {Office: "M201", At: ago(2 * time.Hour)}, {Office: "M202", At: ago(2 * time.Hour)}}
	p["reconciliation_failed"] = unchosen

	viewer := reconciliation("en")
	viewer.Staff = lisa
	p["reconciliation_viewer"] = viewer

	equal := reconciliation("sv")
	equal.Lists, equal.Others, equal.Mapped = nil, DifferenceList{}, true
	equal.Status.Unreported, equal.Accepted = 0, DifferenceList{}
	equal.Flash = portal.Say("flash.reconciliation_run")
	p["reconciliation_equal"] = equal

	done := reconciliation("nb")
	done.Lists, done.Others, done.Mapped = nil, DifferenceList{}, true
	p["reconciliation_done"] = done

	never := reconciliation("nb")
	never.Lists, never.Others, never.Accepted, never.Status = nil, DifferenceList{}, DifferenceList{}, ReconciliationStatus{}
	never.Services = never.Services[:1]
	p["reconciliation_never"] = never

	p["reconciliation_no_offices"] = StaffReconciliationPage{Base: staffBase("en", "/staff/reconciliation"), System: "vitec", Query: ReconciliationQuery{Connection: "vitec"}}
	p["reconciliation_no_lists"] = StaffReconciliationPage{Base: staffBase("sv", "/staff/reconciliation"), Unlisted: []string{"Visma Core"}}

	told := workspace("sv", portal.Delivered)
	told.Events = []portal.Event{
		event(portal.EventImported, byErik, 5*time.Hour, portal.EventData{After: "Ordered"}),
		event(portal.EventReceived, byErik, 5*time.Hour, portal.EventData{}),
		event(portal.EventVerified, byPartner, 4*time.Hour, portal.EventData{}),
		event(portal.EventReportedAgain, byErik, 3*time.Hour, portal.EventData{State: portal.Delivered, After: "OrderReceived"}),
		event(portal.EventReportedAgain, byErik, 2*time.Hour, portal.EventData{State: portal.Delivered}),
		event(portal.EventAccepted, byErik, time.Hour, portal.EventData{State: portal.Delivered, After: "Fakturerad", Body: "De fakturerar själva."}),
		event(portal.EventAccepted, byErik, time.Minute, portal.EventData{State: portal.Delivered, Body: "Kontoret är stängt."})}
	p["workspace_reconciled"] = told
}
