package handlers

import (
	"context"
	"encoding/csv"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"portico/db"
	"portico/internal/portal"
	"portico/views"
)

// leadPageSize is how many leads a page of the list has.
const leadPageSize = 50

// staffLeadIndex shows the leads; its filter is in the address.
func (s *Server) staffLeadIndex(w http.ResponseWriter, r *http.Request) error {
	ctx, query := r.Context(), parseLeadQuery(r.URL.Query())
	b, err := s.staffBase(r)
	if err != nil {
		return err
	}
	p := views.StaffLeadIndexPage{Base: b, Query: query, Takes: b.Nav.Leads}
	filter := leadFilter(query)
	found, err := s.store.Leads(ctx, filter)
	if err != nil {
		return err
	}
	p.Next = found.Next
	for _, l := range found.Rows {
		p.Rows = append(p.Rows, newLeadPart(l, portal.LeadSettings{}))
	}
	if p.Counts, err = s.store.CountLeads(ctx, filter); err != nil {
		return err
	}
	takers, err := s.leadTakers(r, b.Printer)
	if err != nil {
		return err
	}
	for _, t := range takers {
		p.Connections = append(p.Connections, t.Option)
	}
	if p.Offices, err = s.officeOptions(r); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, p)
}

func parseLeadQuery(q url.Values) views.LeadQuery {
	query := views.LeadQuery{Q: text(q, "q"), Connection: q.Get("connection"), Office: q.Get("office"), After: q.Get("after")}
	if state := portal.LeadState(q.Get("state")); slices.Contains(portal.LeadStates, state) {
		query.State = state
	}
	return query
}

func leadFilter(q views.LeadQuery) db.LeadFilter {
	f := db.LeadFilter{Query: q.Q, Connection: q.Connection, Customer: q.Office, After: q.After, Limit: leadPageSize}
	if q.State != "" {
		f.States = []portal.LeadState{q.State}
	}
	return f
}

// newLeadPart is a lead as the screens show it. What its sources are called only
// the connection's settings tell.
func newLeadPart(l db.StoredLead, settings portal.LeadSettings) views.LeadPart {
	part := views.LeadPart{Lead: l.Lead, PublicID: l.PublicID, System: l.System,
		OfficeLabel: portal.Office{Customer: l.Customer, Name: l.OfficeName}.Label(), HasNumber: l.HasNumber, Faults: l.Faults,
		OrderNumber: l.PartnerOrderID, SentBy: l.Staff, ConfirmedBy: l.ConfirmedBy, SentAt: l.SentAt, Job: l.Job,
		Source: sourceName(settings.Sources, l.SourceID), Intake: sourceName(settings.Intakes, l.IntakeID)}
	if l.OrderPublicID != "" {
		part.OrderURL = "/staff/orders/" + l.OrderPublicID
	}
	return part
}

// addLeadsOfOrder adds the leads that were heard of on an order, and whether there
// can be more.
func (s *Server) addLeadsOfOrder(ctx context.Context, p *views.StaffOrderPage, work db.Workspace) error {
	taking, err := s.partners.ConnectionsWithLeads(ctx)
	if err != nil {
		return err
	}
	_, p.TakesLeads = taking[work.Order.Service.ConnectionID]
	for _, l := range work.Leads {
		p.Leads = append(p.Leads, newLeadPart(l, portal.LeadSettings{}))
	}
	return nil
}

// sourceName returns what a source is called, its id where that is not known.
func sourceName(all []portal.LeadSource, id string) string {
	for _, s := range all {
		if s.ID == id {
			return s.Name
		}
	}
	return id
}

// exportTimeout is how long somebody may take to fetch all leads.
const exportTimeout = 10 * time.Minute

// staffLeadExport sends every lead that the filter finds, without personal numbers.
func (s *Server) staffLeadExport(w http.ResponseWriter, r *http.Request) error {
	p := s.base(r).Printer
	s.allowTime(w, r, exportTimeout)
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	attachment(w, "leads.csv")
	sheet := csv.NewWriter(w)
	sheet.UseCRLF = true
	// Nothing is sent before the writer's buffer is full or flushed.
	err := errors.Join(sheet.Write(leadColumns(p)), s.store.ExportLeads(r.Context(), leadFilter(parseLeadQuery(r.URL.Query())), func(l db.StoredLead) error {
		return sheet.Write(leadCells(p, newLeadPart(l, portal.LeadSettings{})))
	}))
	if err == nil {
		sheet.Flush()
		err = sheet.Error()
	}
	if err != nil {
		// The status may be sent: only a broken download can tell that it is not whole.
		s.requestLog(r).Error("send leads", "err", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// byteOrderMark is what a spreadsheet knows UTF-8 by.
const byteOrderMark = "\ufeff"

func leadColumns(p *views.Printer) []string {
	return []string{byteOrderMark + p.T("queue.state"), p.T("leads.partner_id_short"), p.T("leads.field_first_name"), p.T("leads.field_last_name"),
		p.T("leads.field_phone_cell"), p.T("leads.field_email"), p.T("leads.connection"), p.T("facts.customer"), p.T("facts.office"), p.T("leads.agent"),
		p.T("leads.staff"), p.T("leads.order"), p.T("leads.created"), p.T("leads.sent_at")}
}

func leadCells(p *views.Printer, l views.LeadPart) []string {
	cells := []string{p.LeadStateWord(l.State), l.PartnerID, l.FirstName, l.LastName, l.Telephone.Cell, l.Email, l.ConnectionID, l.Customer,
		l.OfficeLabel, l.AgentLabel(), l.SentBy, l.OrderNumber, p.Timestamp(&l.CreatedAt), p.Timestamp(l.SentAt)}
	for i, cell := range cells {
		cells[i] = harmless(cell)
	}
	return cells
}

// harmless returns a cell that no spreadsheet takes for a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}
