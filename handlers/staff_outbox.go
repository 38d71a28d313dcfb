package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"portico/db"
	"portico/internal/portal"
	"portico/views"
)

// outboxPageSize is how many messages a page of the outbox has.
const outboxPageSize = 200

// staffOutboxIndex shows what has not been reported yet; its filter is in the address.
func (s *Server) staffOutboxIndex(w http.ResponseWriter, r *http.Request) error {
	return s.showOutbox(w, r, http.StatusOK, parseOutboxQuery(r.URL.Query()), views.RejectedForm{})
}

func (s *Server) showOutbox(w http.ResponseWriter, r *http.Request, status int, query views.OutboxQuery, rejected views.RejectedForm) error {
	ctx := r.Context()
	b, err := s.staffBase(r)
	if err != nil {
		return err
	}
	b.Path = query.URL()
	p := views.StaffOutboxPage{Base: b, Query: query, Rejected: rejected}
	filter := outboxFilter(query)
	found, err := s.store.Outbox(ctx, filter)
	if err != nil {
		return err
	}
	p.Next = found.Next
	for _, u := range found.Rows {
		row := views.OutboxRow{Job: u.Job, URL: "/staff/orders/" + u.PublicID, System: u.System,
			Number: u.Job.Message.PartnerOrderID, Target: u.Job.Message.Target, Office: u.Office.Label(), Behind: u.Behind}
		if u.LeadID != "" {
			row.URL = "/staff/leads/" + u.LeadID
		}
		p.Rows = append(p.Rows, row)
	}
	counts, err := s.store.CountOutbox(ctx, filter)
	if err != nil {
		return err
	}
	p.Counts = views.OutboxCounts(counts)
	if p.Connections, err = s.connectionOptions(r, b.Printer); err != nil {
		return err
	}
	if p.Offices, err = s.officeOptions(r); err != nil {
		return err
	}
	return s.render(w, r, status, p)
}

func parseOutboxQuery(q url.Values) views.OutboxQuery {
	query := views.OutboxQuery{Connection: q.Get("connection"), Office: q.Get("office"), After: q.Get("after"), All: q.Get("chosen") == "all"}
	if kind := q.Get("kind"); slices.Contains(views.OutboxKinds, kind) {
		query.Kind = kind
	}
	if age := q.Get("age"); slices.Contains(views.OutboxAges, age) {
		query.Age = age
	}
	return query
}

func outboxFilter(q views.OutboxQuery) db.OutboxFilter {
	age, _ := time.ParseDuration(q.Age) // one of OutboxAges, or none
	return db.OutboxFilter{Connection: q.Connection, Office: q.Office, Kind: db.OutboxKind(q.Kind), Age: age, After: q.After, Limit: outboxPageSize}
}

// connectionOptions are the connections to filter by. Where two are of one
// system, its name alone does not tell them apart.
func (s *Server) connectionOptions(r *http.Request, p *views.Printer) ([]views.Option, error) {
	connections, err := s.store.Connections(r.Context())
	if err != nil {
		return nil, err
	}
	of := map[string]int{}
	for _, c := range connections {
		of[c.System]++
	}
	var options []views.Option
	for _, c := range connections {
		label := p.SystemName(c.System)
		if of[c.System] > 1 {
			label += " (" + c.ID + ")"
		}
		options = append(options, views.Option{ID: c.ID, Label: label})
	}
	return options, nil
}

func (s *Server) staffOutboxRetry(w http.ResponseWriter, r *http.Request) error {
	return s.outboxAction(w, r, func(job int64, _ url.Values, by portal.Actor) error {
		return s.store.RetryJob(r.Context(), job, by)
	})
}

func (s *Server) staffOutboxSkip(w http.ResponseWriter, r *http.Request) error {
	return s.outboxAction(w, r, func(job int64, typed url.Values, by portal.Actor) error {
		return s.store.SkipJob(r.Context(), job, text(typed, "reason"), by)
	})
}

// outboxAction does something about one message, which stands on the outbox or
// on its order's workspace: there the visitor comes back to, whatever it ends with.
func (s *Server) outboxAction(w http.ResponseWriter, r *http.Request, do func(job int64, typed url.Values, by portal.Actor) error) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	job, err := strconv.ParseInt(r.PathValue("job"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.NotFound, "error.not_found")
	}
	v := about(r).visitor
	form := lastSegment(r.URL.Path)
	next, err := url.Parse(safeNext(r.PostForm.Get("next")))
	if err != nil || next.Path == "" {
		next = &url.URL{Path: "/staff/outbox"}
	}
	if err := do(job, r.PostForm, v.staff.Actor()); err != nil {
		faults, ok := faultsOf(err)
		if !ok {
			return err
		}
		rejected := views.RejectedForm{Form: r.PathValue("job") + "/" + form, Typed: r.PostForm, Faults: faults}
		if id, ok := strings.CutPrefix(next.Path, "/staff/orders/"); ok {
			return s.showWorkspace(w, r, http.StatusUnprocessableEntity, id, rejected)
		}
		if id, ok := strings.CutPrefix(next.Path, "/staff/leads/"); ok {
			return s.showLead(w, r, http.StatusUnprocessableEntity, id, "", rejected)
		}
		return s.showOutbox(w, r, http.StatusUnprocessableEntity, parseOutboxQuery(next.Query()), rejected)
	}
	if err := s.store.SetFlash(r.Context(), v.session, portal.Say("flash.outbox_"+form)); err != nil {
		return err
	}
	http.Redirect(w, r, next.String(), http.StatusSeeOther)
	return nil
}
