package handlers

import (
	"net/http"
	"net/url"
	"strconv"

	"portico/internal/portal"
	"portico/views"
)

// maxOutbox is how much of the outbox one screen shows; what comes first is the oldest.
const maxOutbox = 200

// staffOutboxIndex shows what has not been reported yet.
func (s *Server) staffOutboxIndex(w http.ResponseWriter, r *http.Request) error {
	return s.showOutbox(w, r, http.StatusOK, views.RejectedForm{})
}

func (s *Server) showOutbox(w http.ResponseWriter, r *http.Request, status int, rejected views.RejectedForm) error {
	b, err := s.staffBase(r)
	if err != nil {
		return err
	}
	b.Path = "/staff/outbox"
	unreported, err := s.store.Outbox(r.Context(), maxOutbox)
	if err != nil {
		return err
	}
	p := views.StaffOutboxPage{Base: b, Rejected: rejected}
	for _, u := range unreported {
		p.Rows = append(p.Rows, views.OutboxRow{Job: u.Job, URL: "/staff/orders/" + u.PublicID, System: u.System,
			Number: u.Job.Message.PartnerOrderID, Target: u.Job.Message.Target, Office: u.Office.Label(), Behind: u.Behind})
	}
	return s.render(w, r, status, p)
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
	if err := do(job, r.PostForm, v.staff.Actor()); err != nil {
		faults, ok := faultsOf(err)
		if !ok {
			return err
		}
		return s.showOutbox(w, r, http.StatusUnprocessableEntity, views.RejectedForm{Form: r.PathValue("job") + "/" + form, Typed: r.PostForm, Faults: faults})
	}
	if err := s.store.SetFlash(r.Context(), v.session, portal.Say("flash.outbox_"+form)); err != nil {
		return err
	}
	next := "/staff/outbox"
	if order := safeNext(r.PostForm.Get("next")); order != "" {
		next = order
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}
