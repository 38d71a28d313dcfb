package views

import (
	"net/url"
	"time"

	"portico/internal/portal"
)

var fiber = portal.Service{ID: "fiber100", ConnectionID: "guiden", System: "tjansteguiden", Flow: portal.FlowPoll, TakesRemarks: true,
	PartnerService: "2440", NetworkService: "AB100", Networks: []string{"KC"}, Name: text("Bredband 100/100", "Bredbånd 100/100", "Broadband 100/100"),
	Reports: []portal.State{portal.Received, portal.Active, portal.Waiting, portal.Delivered, portal.Failed, portal.Cancelled}}

func fetchedOrder(state portal.State) portal.Order {
	return portal.Order{ID: 43, PublicID: "9f0a7e9b3d4e6f8a2b5c", Service: fiber, PartnerOrderID: "19530", State: state,
		Office: portal.Office{Customer: "31420", Name: "Fibra Bredband"}, Broker: "Susanne Testqvist",
		Target:     portal.Target{Type: "access", ID: "KC0101A06", Name: "Testgatan 10b, 644 30 Torshälla"},
		ReceivedAt: at(50 * time.Minute),
		Details: portal.Details{Name: "Susanne Testqvist", Email: "testqvist@epost.example", Phone: "+46 70-853 00 13", Street: "Testgatan 10b",
			ZipCode: "644 30", City: "Torshälla", Wished: portal.Asap, OrderedAt: ago(2 * time.Hour),
			More: []portal.Fact{{Name: "premise", Value: "1002"}, {Name: "message", Value: "Ring på hos grannen, dörren till fastighetsboxen går annars inte att öppna."}}}}
}

// byNet is what the network itself says.
func byNet(since time.Duration, op portal.Operation, state portal.ActivationState, words string) portal.Event {
	return event(portal.EventNetwork, byPartner, since, portal.EventData{Operation: op, Activation: state, Body: words, After: "AB100"})
}

func fetchedEvents(more ...portal.Event) []portal.Event {
	return append([]portal.Event{
		event(portal.EventFetched, byPartner, 50*time.Minute, portal.EventData{State: portal.Received, After: "new"}),
		event(portal.EventReported, byPartner, 49*time.Minute, portal.EventData{State: portal.Received, Attempt: 1, Took: 214 * time.Millisecond}),
	}, more...)
}

func accessWorkspace(locale string, state portal.State) StaffOrderPage {
	o := fetchedOrder(state)
	p := StaffOrderPage{Base: staffBase(locale, "/staff/orders/"+o.PublicID), Customer: "31420", Broker: o.Broker, ReceivedAt: o.ReceivedAt,
		Colleagues: []portal.Staff{erik}, Events: fetchedEvents(),
		AccessPart: AccessPart{Flow: portal.FlowPoll, TakesRemarks: true, KeepsLog: true, NumberKept: true, Operations: []portal.Operation{portal.Activate},
			FirstDay: now.Truncate(24 * time.Hour), LastDay: now.Truncate(24*time.Hour).AddDate(2, 0, 0)},
		Previews: map[string]string{"activate": "POST orders/\n{\"operation\": \"ACTIVATE\", \"accessId\": \"KC0101A06\", \"service\": \"AB100\"}",
			"deactivate": "POST orders/\n{\"operation\": \"DEACTIVATE\", \"requestedDateTime\": \"" + DayMarker + "T00:00:00Z\"}",
			"replace":    "POST orders/\n{\"service\": \"" + CommentMarker + "\", \"requestedDateTime\": \"" + DayMarker + "T00:00:00Z\"}",
			"withdraw":   "DELETE orders/f3f2-77", "reschedule": "PATCH orders/f3f2-77\n{\"requestedDateTime\": \"" + DayMarker + "T00:00:00Z\"}",
			"interactions":                     "GET add_message\nmessage: " + CommentMarker + "\n\nGET set_status\nstatus: waiting",
			RemarkForm(portal.RemarkPlain):     "GET add_message\ntype: log\nmessage: " + CommentMarker,
			RemarkForm(portal.RemarkImportant): "GET add_message\ntype: alert\nmessage: " + CommentMarker,
			RemarkForm(portal.RemarkProblem):   "GET add_message\ntype: error\nmessage: " + CommentMarker}}
	p.Printer = p.For("tjansteguiden")
	p.OrderPart = NewOrderPart(p.Printer, o, p.Path)
	p.Jobs = []portal.Job{sampleJob(1, portal.Received, portal.JobCompleted, 1, "")}
	return p
}

func activation(id int64, op portal.Operation, service string, since time.Duration, a portal.ActivationAnswer) portal.Activation {
	return portal.Activation{ID: id, ActivationAnswer: a, AccessID: "KC0101A06", RequestedAt: ago(since), ChangedAt: ago(since / 2),
		Request: portal.ActivationRequest{ID: id, Operation: op, Service: service}}
}

func activationJob(id int64, op portal.Operation) portal.Job {
	j := tried(sampleJob(id, portal.Received, portal.JobAvailable, 3, "POST orders/: 503"), portal.OutcomeUnknown, 503)
	j.Message.Activation = &portal.ActivationRequest{Operation: op, Service: "AB100"}
	return j
}

func remarkJob(id int64, kind portal.Remark) portal.Job {
	j := tried(sampleJob(id, portal.Received, portal.JobParked, 1, "add_message: 400: Missing argument(s): type"), portal.OutcomeRefused, 400)
	j.Message.Remark = kind
	return j
}

func addAccessPages(p map[string]Page) {
	p["workspace_access"] = accessWorkspace("sv", portal.Received)

	asked := accessWorkspace("en", portal.Received)
	asked.Operations, asked.FollowUp = []portal.Operation{portal.Withdraw, portal.Reschedule}, true
	asked.Activations = []portal.Activation{
		activation(2, portal.Activate, "AB100", 40*time.Minute, portal.ActivationAnswer{NetworkID: "f3f2-77", State: portal.ActivationAccepted, ExpectedAt: in(3 * time.Hour)}),
		activation(1, portal.Activate, "AB100", 45*time.Minute, portal.ActivationAnswer{State: portal.ActivationRefused, Message: "The port is busy."})}
	asked.Activations[0].Request.WishedFor = new(now.Truncate(24*time.Hour).AddDate(0, 0, 9))
	asked.Rejected = RejectedForm{Form: "activation", Typed: url.Values{"operation": {"reschedule"}, "day": {"2019-01-01"}},
		Faults: portal.FieldErrors{"day": portal.Say("activation.day", "First", "2026-11-24", "Last", "2028-11-24")}}
	asked.Jobs = append(asked.Jobs, remarkJob(2, portal.RemarkProblem), activationJob(3, portal.Activate))
	asked.Events = fetchedEvents(
		event(portal.EventNetwork, byErik, 45*time.Minute, portal.EventData{Operation: portal.Activate, Activation: portal.ActivationQueued, After: "AB100"}),
		byNet(44*time.Minute, portal.Activate, portal.ActivationRefused, "The port is busy."),
		event(portal.EventMessage, byErik, 42*time.Minute, portal.EventData{Body: "The port is busy.", Remark: portal.RemarkProblem}),
		event(portal.EventParked, bySystem, 41*time.Minute, portal.EventData{State: portal.Received, Remark: portal.RemarkProblem}),
		event(portal.EventDisclosed, byErik, 40*time.Minute, portal.EventData{}),
		event(portal.EventNetwork, byErik, 40*time.Minute, portal.EventData{Operation: portal.Activate, Activation: portal.ActivationQueued, After: "AB100"}),
		event(portal.EventReported, byPartner, 39*time.Minute, portal.EventData{State: portal.Received, Operation: portal.Activate, Attempt: 1, Took: 80 * time.Millisecond}),
		byNet(39*time.Minute, portal.Activate, portal.ActivationAccepted, ""),
		event(portal.EventSeen, byPartner, 20*time.Minute, portal.EventData{Before: "received", After: "active"}))
	p["workspace_access_asked"] = asked

	shown := accessWorkspace("sv", portal.Delivered)
	shown.PersonalNumber, shown.Operations = "197510116952", []portal.Operation{portal.Replace, portal.Deactivate}
	shown.Replacements = []Option{{ID: "AB250", Label: "Bredband 250/250 (AB250)"}}
	shown.Activations = []portal.Activation{
		activation(4, portal.Replace, "AB100", 2*time.Minute, portal.ActivationAnswer{State: portal.ActivationWithdrawn}),
		activation(3, portal.Activate, "AB100", 40*time.Minute, portal.ActivationAnswer{NetworkID: "f3f2-77", State: portal.ActivationDone, Message: "Port 7 öppnad."})}
	shown.Rejected = RejectedForm{Form: "activation", Typed: url.Values{"operation": {"replace"}, "service": {""}, "day": {"2026-12-01"}}, Faults: portal.FieldErrors{"service": portal.Say("field.choose")}}
	shown.Events = fetchedEvents(byNet(30*time.Minute, portal.Activate, portal.ActivationInProgress, ""), byNet(20*time.Minute, portal.Activate, portal.ActivationDone, "Port 7 öppnad."),
		event(portal.EventDelivered, byPartner, 20*time.Minute, portal.EventData{}),
		event(portal.EventNetwork, byErik, 2*time.Minute, portal.EventData{Operation: portal.Replace, Activation: portal.ActivationQueued, After: "AB250"}),
		byNet(time.Minute, portal.Withdraw, portal.ActivationWithdrawn, ""),
		event(portal.EventFollowedUp, byErik, time.Minute, portal.EventData{Body: "Ringt driften."}))
	p["workspace_access_delivered"] = shown

	direct := accessWorkspace("nb", portal.Delivered)
	direct.Staff, direct.Details.Direct, direct.NumberKept, direct.FollowUp = lisa, true, false, true
	direct.Operations, direct.Jobs = nil, nil
	direct.Events = []portal.Event{event(portal.EventFetched, byPartner, time.Hour, portal.EventData{State: portal.Delivered, After: "delivered", Direct: true}),
		event(portal.EventErased, bySystem, time.Minute, portal.EventData{})}
	p["workspace_access_direct"] = direct

	by := accessWorkspace("sv", portal.Waiting)
	by.Operations, by.NoNetwork, by.Details.Wished, by.FollowUp = nil, true, "2026-11-26 13:30", true
	by.Rejected = RejectedForm{Form: "messages", Typed: url.Values{"kind": {"important"}, "body": {""}}, Faults: portal.FieldErrors{"body": portal.Say("field.required")}}
	p["workspace_access_fault"] = by

	p["queue_access"] = accessQueue("sv")
	waits := outbox("sv")
	waits.Query.All, waits.Rows = false, []OutboxRow{
		{Job: remarkJob(21, portal.RemarkImportant), System: "tjansteguiden", URL: "/staff/orders/9f0a", Number: "19530", Office: "Fibra Bredband", Target: fetchedOrder(portal.Received).Target},
		{Job: activationJob(22, portal.Replace), System: "tjansteguiden", URL: "/staff/orders/9f0b", Number: "19531", Office: "Fibra Bredband", Target: fetchedOrder(portal.Received).Target}}
	p["outbox_access"] = waits

	log := StaffOrderLogPage{Base: staffBase("sv", "/staff/orders/9f0a7e9b3d4e6f8a2b5c/log"), Person: "Susanne Testqvist"}
	log.OrderPart = NewOrderPart(log.Printer, fetchedOrder(portal.Active), "/staff/orders/9f0a7e9b3d4e6f8a2b5c")
	log.Entries = []portal.LogEntry{{At: ago(2 * time.Hour), Who: "Susanne Testqvist", Kind: "log", Text: "Beställning skapad"},
		{At: ago(time.Hour), Who: "Fibra Bredband", Kind: "system", Text: "Status changed to received for order 19530"}, {Kind: "alert", Text: "Porten är upptagen"}}
	p["log"] = log
	none := log
	none.Entries = nil
	p["log_empty"] = none
	none.Unavailable = true
	p["log_unavailable"] = none
}

// accessQueue is a queue with fetched orders among the others.
func accessQueue(locale string) StaffOrderIndexPage {
	p := queue(locale)
	p.Follows, p.Query.FollowUp = true, true
	row := func(state portal.State, access, street, person, wished string, due *time.Time, number string) OrderRow {
		return OrderRow{URL: "/staff/orders/" + number, State: state, System: "tjansteguiden", Target: portal.Target{Type: "access", ID: access, Name: street},
			Service: "Bredband 100/100", Office: "Fibra Bredband", Person: person, Wished: wished, DueAt: due, Number: number}
	}
	p.Rows = append([]OrderRow{
		row(portal.Received, "KC0101A06", "Testgatan 10b, 644 30 Torshälla", "Susanne Testqvist", portal.Asap, in(20*time.Hour), "19530"),
		row(portal.Waiting, "KC0101A07", "Testgatan 10c, 644 30 Torshälla", "Anton Testblom", "2026-11-26", in(40*time.Hour), "19531"),
		row(portal.Failed, "CCTW0151B87", "", "Bostadsrättsföreningen Kungsträdet i Torshälla nummer 4", "", nil, "19532")}, p.Rows[:3]...)
	p.Rows[0].Unsent = Unsent{Kind: UnsentActivation, State: portal.JobAvailable, Attempt: 3, Error: "503", Since: ago(time.Hour)}
	p.Rows[1].FollowUp = true
	p.Rows[2].FollowUp, p.Rows[2].Unsent = true, Unsent{Kind: UnsentRemark, State: portal.JobParked, Attempt: 10, Error: "400", Since: ago(time.Hour)}
	return p
}
