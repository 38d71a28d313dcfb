package handlers

import (
	"net/http"
	"net/url"
	"slices"

	"portico/db"
	"portico/internal/portal"
	"portico/views"
)

// pageSize is how many orders a page of the queue has.
const pageSize = 50

// staffOrderIndex shows the queue; its filter is in the address.
func (s *Server) staffOrderIndex(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	query := parseOrderQuery(r.URL.Query())
	filter := db.OrderFilter{Query: query.Q, States: query.States, Service: query.Service, Office: query.Office,
		FollowUp: query.FollowUp, Sort: db.Sort(query.Sort), After: query.After, Limit: pageSize}
	b, err := s.staffBase(r)
	if err != nil {
		return err
	}
	p := views.StaffOrderIndexPage{Base: b, Query: query}
	found, err := s.store.Orders(ctx, filter)
	if err != nil {
		return err
	}
	p.Next = found.Next
	for _, row := range found.Rows {
		p.Rows = append(p.Rows, newOrderRow(b.Printer, row))
	}
	if p.Counts, err = s.store.CountOrders(ctx, filter, views.MaxCount); err != nil {
		return err
	}
	services, err := s.store.Services(ctx)
	if err != nil {
		return err
	}
	for _, svc := range services {
		p.Services = append(p.Services, views.Option{ID: svc.ID, Label: b.In(svc.Name)})
	}
	p.Creates = slices.ContainsFunc(services, s.partners.Creates)
	p.Follows = slices.ContainsFunc(services, func(svc portal.Service) bool { return svc.TakesRemarks || svc.NetworkService != "" })
	if p.Offices, err = s.officeOptions(r); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, p)
}

func parseOrderQuery(q url.Values) views.OrderQuery {
	query := views.OrderQuery{Q: text(q, "q"), Service: q.Get("service"), Office: q.Get("office"),
		FollowUp: q.Get("follow_up") == "1", Sort: q.Get("sort"), After: q.Get("after"), States: portal.OpenStates}
	if slices.Contains(q["state"], "all") {
		query.States = portal.States
	}
	var chosen []portal.State
	for _, state := range portal.States {
		if slices.Contains(q["state"], string(state)) {
			chosen = append(chosen, state)
		}
	}
	if len(chosen) > 0 {
		query.States = chosen
	}
	if !slices.Contains(views.Sorts, query.Sort) {
		query.Sort = views.Sorts[0]
	}
	return query
}

func newOrderRow(p *views.Printer, row db.OrderRow) views.OrderRow {
	office := portal.Office{Customer: row.Customer, Name: row.OfficeName}
	v := views.OrderRow{URL: "/staff/orders/" + row.PublicID, State: row.State, Target: row.Target, System: row.System,
		Service: p.In(row.ServiceName), Office: office.Label(), Assignee: row.Assignee, DueAt: row.DueAt,
		Number: row.PartnerOrderID, Unverified: row.Unverified, Unproven: row.Unproven, FollowUp: row.FollowUp, Wished: row.Wished,
		Unsent: views.Unsent{State: row.JobState, Attempt: row.JobAttempt, Error: row.JobError, Since: row.JobSince}}
	if row.JobKind == views.UnsentRemark || row.JobKind == views.UnsentActivation {
		v.Unsent.Kind = row.JobKind
	}
	if row.Flow == portal.FlowPoll {
		v.Person = row.Broker
	}
	return v
}

func (s *Server) officeOptions(r *http.Request) ([]views.Option, error) {
	known, err := s.store.Offices(r.Context())
	if err != nil {
		return nil, err
	}
	var options []views.Option
	for _, o := range known {
		options = append(options, views.Option{ID: o.Customer, Label: o.Label()})
	}
	return options, nil
}

// staffOrderShow shows the workspace of one order.
func (s *Server) staffOrderShow(w http.ResponseWriter, r *http.Request) error {
	return s.showWorkspace(w, r, http.StatusOK, r.PathValue("id"), views.RejectedForm{})
}

func (s *Server) showWorkspace(w http.ResponseWriter, r *http.Request, status int, publicID string, rejected views.RejectedForm) error {
	p, err := s.workspace(r, publicID)
	if err != nil {
		return err
	}
	p.Rejected = rejected
	return s.render(w, r, status, p)
}

// workspace is the page of an order as it stands.
func (s *Server) workspace(r *http.Request, publicID string) (views.StaffOrderPage, error) {
	ctx := r.Context()
	work, err := s.store.Workspace(ctx, publicID)
	if err != nil {
		return views.StaffOrderPage{}, err
	}
	o := work.Order
	b, err := s.staffBase(r)
	if err != nil {
		return views.StaffOrderPage{}, err
	}
	b.Path, b.Printer = staffOrderURL(o), b.For(o.Service.System)
	p := views.StaffOrderPage{Base: b, OrderPart: views.NewOrderPart(b.Printer, o, b.Path), Customer: o.Office.Customer,
		Broker: o.Broker, ReceivedAt: o.ReceivedAt, Unverified: o.Unverified, Unproven: o.Unproven, Sellers: o.Details.Sellers,
		Steps: o.Steps, NextStep: o.NextStep(), AssignedTo: o.AssignedTo, Assignee: o.Assignee,
		Events: work.Events, Deliveries: work.Deliveries, Questions: work.Questions, Jobs: work.Jobs}
	if o.State != portal.Draft { // what is not sent yet is the broker's
		p.Attached = views.AttachedFields(b.Printer, o.Service.Form, work.Attached)
	}
	if p.Colleagues, err = s.store.StaffList(ctx); err != nil {
		return p, err
	}
	if p.AccessPart, err = s.accessPart(ctx, b.Printer, work); err != nil {
		return p, err
	}
	p.Previews = s.previews(r, o, p.AccessPart)
	return p, s.addLeadsOfOrder(ctx, &p, work)
}

// previews returns the exact message of each form that sends one. A partner that
// cannot be asked leaves the workspace usable without them.
func (s *Server) previews(r *http.Request, o portal.Order, access views.AccessPart) map[string]string {
	messages := accessMessages(o, access, s.now())
	for form, state := range views.StateForms {
		if m, told := o.MessageFor(state, views.CommentMarker, s.now()); told && o.State.CanBecome(state) {
			messages[form] = m
		}
	}
	if next := o.NextStep(); next != "" {
		messages[string(next)] = o.StepMessage(next, s.now())
	}
	previews := map[string]string{}
	for form, m := range messages {
		preview, sent, err := s.partners.Preview(r.Context(), m)
		if err != nil {
			s.requestLog(r).Error("preview message", "err", err)
			return nil
		}
		if sent {
			previews[form] = preview
		}
	}
	return previews
}

func staffOrderURL(o portal.Order) string { return "/staff/orders/" + o.PublicID }

func (s *Server) staffFileShow(w http.ResponseWriter, r *http.Request) error {
	order, err := s.store.OrderForStaff(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.sendFile(w, r, order.ID)
}
