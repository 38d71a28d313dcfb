package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"portico/db"
	"portico/internal/portal"
	"portico/views"
)

// maxAside is how many of a connection's orders that are kept aside one screen shows.
const maxAside = 100

// staffPollIndex shows how the orders come in that partners do not tell of.
func (s *Server) staffPollIndex(w http.ResponseWriter, r *http.Request) error {
	return s.showPolls(w, r, http.StatusOK, views.RejectedForm{})
}

func (s *Server) showPolls(w http.ResponseWriter, r *http.Request, status int, rejected views.RejectedForm) error {
	b, err := s.staffBase(r)
	if err != nil {
		return err
	}
	p := views.StaffPollsPage{Base: b, Rejected: rejected}
	p.Path = "/staff/polls"
	polls, err := s.store.Polls(r.Context())
	if err != nil {
		return err
	}
	options, err := s.connectionOptions(r, p.Printer)
	if err != nil {
		return err
	}
	services, err := s.store.Services(r.Context())
	if err != nil {
		return err
	}
	for _, poll := range polls {
		aside, err := s.store.AsideOrders(r.Context(), poll.ConnectionID, maxAside)
		if err != nil {
			return err
		}
		c, names := newFetchedConnection(poll, options), map[string]string{}
		for _, svc := range services {
			if svc.ConnectionID == c.ID && svc.PartnerService != "" {
				names[svc.PartnerService] = p.In(svc.Name)
			}
		}
		for _, f := range aside {
			addAside(&c, f, names)
		}
		p.Connections = append(p.Connections, c)
	}
	return s.render(w, r, status, p)
}

func newFetchedConnection(p db.PollStatus, options []views.Option) views.FetchedConnection {
	name := p.ConnectionID
	for _, o := range options {
		if o.ID == p.ConnectionID {
			name = o.Label
		}
	}
	return views.FetchedConnection{ID: p.ConnectionID, Name: name, Every: p.Every, Cursor: p.Cursor, NextRunAt: p.NextRunAt,
		Running: p.Running, Failures: p.Failures, LastError: p.LastError, LastAt: p.LastAt, LastOKAt: p.LastOKAt,
		Listed: p.Listed, Imported: p.Imported, Waiting: p.Waiting, Stale: p.Stale, AsideTotal: p.Aside}
}

// addAside puts an order that is kept aside into the list that it belongs to;
// names are those of our services by the partner's id of them.
func addAside(c *views.FetchedConnection, f db.FetchedOrder, names map[string]string) {
	row := views.AsideRow{ID: f.ID, Number: f.Listed.OrderID, Service: names[f.Listed.ServiceID], ServiceID: f.Listed.ServiceID,
		FoundAt: f.FoundAt, NextRunAt: f.NextRunAt, Tries: f.Tries, Reason: *f.Reason, Raw: f.Raw, Dismisser: f.Dismisser, DismissedFor: f.DismissedFor}
	if f.DismissedAt == nil {
		c.Aside = append(c.Aside, row)
		return
	}
	row.DismissedAt = *f.DismissedAt
	c.Dismissed = append(c.Dismissed, row)
}

// staffPollCreate has a connection's orders fetched now, by the worker.
func (s *Server) staffPollCreate(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	connection := r.PostForm.Get("connection")
	polls, err := s.store.Polls(r.Context())
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(polls, func(p db.PollStatus) bool { return p.ConnectionID == connection }) {
		return portal.Errorf(portal.NotFound, "polls.not_fetched")
	}
	if err := s.store.PollSoon(r.Context(), connection); err != nil {
		return err
	}
	return s.backToPolls(w, r, "flash.polls_run")
}

func (s *Server) staffPollRetry(w http.ResponseWriter, r *http.Request) error {
	return s.asideAction(w, r, func(id int64, _ url.Values, _ portal.Actor) error {
		return s.store.RetryFetched(r.Context(), id)
	})
}

func (s *Server) staffPollDismiss(w http.ResponseWriter, r *http.Request) error {
	return s.asideAction(w, r, func(id int64, typed url.Values, by portal.Actor) error {
		return s.store.DismissFetched(r.Context(), id, text(typed, "reason"), by)
	})
}

// asideAction does something about an order that is kept aside. One that is not
// there any more has come in while somebody looked.
func (s *Server) asideAction(w http.ResponseWriter, r *http.Request, do func(id int64, typed url.Values, by portal.Actor) error) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	id, err := strconv.ParseInt(r.PathValue("order"), 10, 64)
	if err != nil {
		return portal.Errorf(portal.NotFound, "error.not_found")
	}
	form := lastSegment(r.URL.Path)
	err = do(id, r.PostForm, about(r).visitor.staff.Actor())
	if faults, ok := faultsOf(err); ok {
		return s.showPolls(w, r, http.StatusUnprocessableEntity,
			views.RejectedForm{Form: r.PathValue("order") + "/" + form, Typed: r.PostForm, Faults: faults})
	}
	if portal.KindOf(err) == portal.NotFound {
		return portal.Errorf(portal.Conflict, "polls.gone")
	}
	if err != nil {
		return err
	}
	return s.backToPolls(w, r, "flash.polls_"+form)
}

func (s *Server) backToPolls(w http.ResponseWriter, r *http.Request, flash string) error {
	if err := s.store.SetFlash(r.Context(), about(r).visitor.session, portal.Say(flash)); err != nil {
		return err
	}
	http.Redirect(w, r, "/staff/polls", http.StatusSeeOther)
	return nil
}
