package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"portico/db"
	"portico/internal/portal"
	"portico/views"
)

// Reconciler compares what we have with the partners' own lists.
type Reconciler interface {
	// Listing returns the connections whose partner has a list.
	Listing(ctx context.Context) ([]string, error)
	// Reconcile compares an office's orders now. It returns Unavailable if the
	// list cannot be had; that is recorded, and nothing else has changed.
	Reconcile(ctx context.Context, connection, customer string, by portal.Actor) error
}

const (
	// reconcileTimeout is how long somebody waits for the partner's list.
	reconcileTimeout = 15 * time.Second
	// maxDifferences is how much of a list one screen shows; what comes first is the oldest.
	maxDifferences = 100
)

// staffReconciliationIndex shows where we and a partner do not agree.
func (s *Server) staffReconciliationIndex(w http.ResponseWriter, r *http.Request) error {
	return s.showReconciliation(w, r, http.StatusOK, r.URL.Query(), views.RejectedForm{})
}

func (s *Server) showReconciliation(w http.ResponseWriter, r *http.Request, status int, query url.Values, rejected views.RejectedForm) error {
	b, err := s.staffBase(r)
	if err != nil {
		return err
	}
	p := views.StaffReconciliationPage{Base: b, Rejected: rejected}
	p.Path = "/staff/reconciliation"
	if err := s.chooseConnection(r, &p, query.Get("connection")); err != nil {
		return err
	}
	if p.System == "" {
		return s.render(w, r, status, p)
	}
	offices, err := s.store.Reconciliations(r.Context(), p.Query.Connection, "")
	if err != nil {
		return err
	}
	for _, o := range offices {
		p.Offices = append(p.Offices, views.Option{ID: o.Office.Customer, Label: o.Office.Label()})
		if o.Office.Customer == query.Get("office") {
			p.Query.Office = o.Office.Customer
		}
	}
	p.Path, p.Status = p.Query.URL(), newReconciliationStatus(offices, p.Query.Office)
	configured, err := s.reconciledServices(r, &p)
	if err != nil {
		return err
	}
	found, err := s.store.Differences(r.Context(), p.Query.Connection, p.Query.Office, maxDifferences)
	if err != nil {
		return err
	}
	p.Mapped, p.Lists = len(configured) > 0, map[portal.DifferenceKind]views.DifferenceList{}
	for _, d := range found {
		addDifference(&p, d, configured)
	}
	return s.render(w, r, status, p)
}

// chooseConnection finds the connections whose partner has a list, and which one
// is asked for: the first, if that is none of them.
func (s *Server) chooseConnection(r *http.Request, p *views.StaffReconciliationPage, asked string) error {
	listing, err := s.reconciler.Listing(r.Context())
	if err != nil {
		return err
	}
	connections, err := s.store.Connections(r.Context())
	if err != nil {
		return err
	}
	options, err := s.connectionOptions(r, p.Printer)
	if err != nil {
		return err
	}
	for _, o := range options {
		if slices.Contains(listing, o.ID) {
			p.Connections = append(p.Connections, o)
		} else {
			p.Unlisted = append(p.Unlisted, o.Label)
		}
	}
	for _, c := range connections {
		if slices.Contains(listing, c.ID) && (p.System == "" || c.ID == asked) {
			p.System, p.Query.Connection = c.System, c.ID
		}
	}
	return nil
}

// reconciledServices lists what an order of the connection can be taken in as,
// and returns our services by the partner's id of them.
func (s *Server) reconciledServices(r *http.Request, p *views.StaffReconciliationPage) (map[string]string, error) {
	services, err := s.store.Services(r.Context())
	if err != nil {
		return nil, err
	}
	configured := map[string]string{}
	for _, svc := range services {
		if svc.ConnectionID != p.Query.Connection {
			continue
		}
		p.Services = append(p.Services, views.Option{ID: svc.ID, Label: p.In(svc.Name)})
		if svc.PartnerService != "" {
			configured[svc.PartnerService] = svc.ID
		}
	}
	return configured, nil
}

func newReconciliationStatus(offices []db.OfficeReconciliation, chosen string) views.ReconciliationStatus {
	var status views.ReconciliationStatus
	for _, o := range offices {
		if chosen != "" && o.Office.Customer != chosen {
			continue
		}
		var since *time.Time
		if o.Last == nil {
			status.Never++
		} else {
			since = &o.Last.StartedAt
			status.Compared += o.Last.Compared
			status.Unreported += o.Last.Unreported
			if status.Last == nil || since.Before(*status.Last) {
				status.Last = since
			}
		}
		if o.Failed != nil {
			status.Failed = append(status.Failed, views.FailedReconciliation{Office: o.Office.Label(), At: o.Failed.StartedAt,
				Since: since, Error: o.Failed.Error})
		}
	}
	return status
}

// addDifference puts a difference into the list that it belongs to.
func addDifference(p *views.StaffReconciliationPage, d db.FoundDifference, configured map[string]string) {
	row := views.DifferenceRow{ID: d.ID, Kind: d.Kind, Number: d.PartnerOrderID, Target: d.Target, Office: d.Office.Label(),
		Service: d.ServiceID, Ours: d.Ours, Theirs: d.Theirs, Report: d.Report, Unreported: d.Unreported, Since: d.FoundAt,
		Changed: d.PublicID != "" && d.State != d.Ours, AcceptedBy: d.AcceptedBy, Reason: d.Reason}
	if d.PublicID != "" {
		row.URL = "/staff/orders/" + d.PublicID
	}
	if d.Kind == portal.MissingHere {
		row.Sure = configured[d.Listed.ServiceID] != ""
	}
	if d.AcceptedAt != nil {
		row.AcceptedAt = *d.AcceptedAt
	}
	add := func(l views.DifferenceList) views.DifferenceList {
		return views.DifferenceList{Rows: append(l.Rows, row), Total: d.Total}
	}
	switch {
	case d.AcceptedBy != "":
		p.Accepted = add(p.Accepted)
	case !d.Known:
		p.Others = add(p.Others)
	default:
		p.Lists[d.Kind] = add(p.Lists[d.Kind])
	}
}

// staffReconciliationCreate compares now: one office while somebody waits, all of
// them in the background.
func (s *Server) staffReconciliationCreate(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	query := views.ReconciliationQuery{Connection: r.PostForm.Get("connection"), Office: r.PostForm.Get("office")}
	listing, err := s.reconciler.Listing(r.Context())
	if err != nil {
		return err
	}
	if !slices.Contains(listing, query.Connection) {
		return portal.Errorf(portal.NotFound, "reconciliation.no_list")
	}
	flash := portal.Say("flash.reconciliation_soon")
	if query.Office == "" {
		err = s.store.ReconcileSoon(r.Context(), query.Connection)
	} else {
		flash, err = s.reconcile(r, query)
	}
	if err != nil {
		return err
	}
	if err := s.store.SetFlash(r.Context(), about(r).visitor.session, flash); err != nil {
		return err
	}
	http.Redirect(w, r, query.URL(), http.StatusSeeOther)
	return nil
}

// reconcile compares an office's orders, also if the visitor does not wait for
// it, and returns what to say of it.
func (s *Server) reconcile(r *http.Request, query views.ReconciliationQuery) (portal.Sentence, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), reconcileTimeout)
	defer cancel()
	err := s.reconciler.Reconcile(ctx, query.Connection, query.Office, about(r).visitor.staff.Actor())
	var known *portal.Error
	if errors.As(err, &known) && known.Kind == portal.Unavailable {
		return known.Say, nil
	}
	return portal.Say("flash.reconciliation_run"), err
}

func (s *Server) staffReconciliationReport(w http.ResponseWriter, r *http.Request) error {
	return s.reconciliationAction(w, r, func(id int64, _ url.Values, by portal.Actor) error {
		return s.store.ReportAgain(r.Context(), id, by)
	})
}

func (s *Server) staffReconciliationAccept(w http.ResponseWriter, r *http.Request) error {
	return s.reconciliationAction(w, r, func(id int64, typed url.Values, by portal.Actor) error {
		return s.store.AcceptDifference(r.Context(), id, text(typed, "reason"), by)
	})
}

func (s *Server) staffReconciliationImport(w http.ResponseWriter, r *http.Request) error {
	return s.reconciliationAction(w, r, func(id int64, typed url.Values, by portal.Actor) error {
		svc, err := s.store.Service(r.Context(), typed.Get("service"))
		if portal.KindOf(err) == portal.NotFound {
			return portal.InvalidFields(portal.FieldErrors{"service": portal.Say("field.choose")})
		}
		if err != nil {
			return err
		}
		provider, err := s.store.Provider(r.Context())
		if err != nil {
			return err
		}
		svc.Ask = s.completion(provider, svc)
		return s.store.ImportOrder(r.Context(), id, svc, provider.Currency, by)
	})
}

// reconciliationAction settles a difference, and comes back to where it stood.
func (s *Server) reconciliationAction(w http.ResponseWriter, r *http.Request, do func(id int64, typed url.Values, by portal.Actor) error) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	id, err := strconv.ParseInt(r.PathValue("difference"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.NotFound, "error.not_found")
	}
	next, err := url.Parse(safeNext(r.PostForm.Get("next")))
	if err != nil || next.Path != "/staff/reconciliation" {
		next = &url.URL{Path: "/staff/reconciliation"}
	}
	v, form := about(r).visitor, lastSegment(r.URL.Path)
	if err := do(id, r.PostForm, v.staff.Actor()); err != nil {
		faults, ok := faultsOf(err)
		if !ok {
			return err
		}
		return s.showReconciliation(w, r, http.StatusUnprocessableEntity, next.Query(),
			views.RejectedForm{Form: r.PathValue("difference") + "/" + form, Typed: r.PostForm, Faults: faults})
	}
	if err := s.store.SetFlash(r.Context(), v.session, portal.Say("flash.reconciliation_"+form)); err != nil {
		return err
	}
	http.Redirect(w, r, next.String(), http.StatusSeeOther)
	return nil
}
