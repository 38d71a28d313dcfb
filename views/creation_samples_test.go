package views

import (
	"net/url"
	"time"

	"portico/internal/portal"
)

var details = portal.Details{Type: "ResidentialApartment", Number: "12-26-0147", Street: "Thorvald Meyers gate 59", ZipCode: "0552", City: "Oslo",
	Broker: "Ingrid Haugland", Office: "Sentrum Eiendom", Sellers: []string{"Ola Nordmann", "Eva Marie Nordmann-Kristiansen"}}

// described returns an order of another system, whose partner tells what it is about.
func described(state portal.State) portal.Order {
	o := order(state)
	o.Service.System, o.Service.Insurance = "visma", true
	o.Service.Name = text("Bostadsförsäkring", "Boligselgerforsikring", "Seller's insurance")
	o.PartnerOrderID = "5f0c3b52-7c1e-4e0c-9d6a-3a1b7f2e9c10"
	o.Office = portal.Office{Customer: "14", Name: details.Office}
	o.Target = portal.Target{Type: "Case", ID: "66115", Name: details.Address()}
	o.Details, o.Currency = details, "NOK"
	return o
}

func describedWorkspace(state portal.State) StaffOrderPage {
	o := described(state)
	p := workspace("nb", state)
	p.OrderPart = NewOrderPart(p.Printer, o, p.Path)
	p.Customer, p.Sellers, p.Previews = o.Office.Customer, o.Details.Sellers, nil
	return p
}

func addCreationPages(p map[string]Page) {
	insured := describedWorkspace(portal.Active)
	insured.Unproven, insured.Broker = true, ""
	insured.Steps, insured.NextStep = portal.Steps[:1], portal.StepPolicyActivated
	insured.Previews = map[string]string{"policy_activated": "POST /flow/api/marketingintegrators/orders/" + insured.Number +
		"/updatestate\n{\"Status\":\"Forsikringen er aktivert\",\"State\":\"Activated\"}"}
	step := sampleJob(2, portal.Active, portal.JobCompleted, 1, "")
	step.Message.Step = portal.StepPolicyIssued
	insured.Jobs = []portal.Job{sampleJob(1, portal.Received, portal.JobCompleted, 2, ""), step}
	insured.Events = events(event(portal.EventPolicyIssued, byErik, 2*time.Hour, portal.EventData{}),
		event(portal.EventReported, byPartner, 2*time.Hour-time.Second, portal.EventData{State: portal.Active, Step: portal.StepPolicyIssued, Attempt: 1, Took: 320 * time.Millisecond}))
	p["workspace_insured"] = insured

	created := describedWorkspace(portal.Draft)
	created.Broker, created.AssignedTo, created.Assignee = "", 0, ""
	created.Events = []portal.Event{event(portal.EventCreated, byErik, time.Minute, portal.EventData{})}
	created.Flash = portal.Say("flash.staff_orders", "System", "visma")
	p["workspace_created"] = created

	page := orderPage("nb", portal.Active, insured.Events)
	page.OrderPart = NewOrderPart(page.Printer, described(portal.Active), page.Path)
	p["order_described"] = page

	p["new_order"] = newOrderPage("nb")
	fault := newOrderPage("sv")
	fault.Offices = append(fault.Offices, OfficeGroup{Label: "Annat system", Offices: []Option{{ID: "M1", Label: "Bjurfors Umeå"}}})
	fault.Rejected = RejectedForm{Form: "orders", Typed: url.Values{"service": {"boligfoto"}, "office": {"14"}, "target": {"\"66 115\""}},
		Faults: portal.FieldErrors{"service": portal.Say("field.choose"), "office": portal.Say("new_order.not_served"), "target": portal.Say("partner.no_case", "Case", "66 115")}}
	p["new_order_fault"] = fault
	refused := newOrderPage("nb")
	refused.Rejected = RejectedForm{Form: "orders", Typed: url.Values{"service": {"boligfoto"}, "office": {"14"}, "target": {"66115"}}}
	refused.Refusal = portal.Say("partner.may_not_order", "Answer", `{"Message":"Missing permissions: Marketing Integrator - WRITE"}`)
	p["new_order_refused"] = refused
	unknown := refused
	unknown.Refusal = portal.Say("partner.order_unknown")
	p["new_order_unknown"] = unknown
	sent := newOrderPage("en")
	sent.Rejected, sent.Refusal = refused.Rejected, portal.Say("new_order.sent")
	p["new_order_sent"] = sent
}

func newOrderPage(locale string) StaffOrderNewPage {
	return StaffOrderNewPage{Base: staffBase(locale, "/staff/orders/new"), FormKey: "KEY",
		Services: []NewOrderService{{ID: "boligfoto", Name: "Boligfoto", System: "visma", HasForm: true},
			{ID: "forsikring", Name: "Boligselgerforsikring", System: "visma"}},
		Offices: []OfficeGroup{{Label: "Visma Core", Offices: []Option{{ID: "14", Label: "Sentrum Eiendom"}, {ID: "22", Label: "22"}}}}}
}
