package handlers

import (
	"net/http"
	"net/url"
	"strconv"

	"portico/db"
	"portico/internal/portal"
	"portico/views"
)

// staffOutboxRetryMany sends again what was chosen, or with "all" whatever the
// filter finds.
func (s *Server) staffOutboxRetryMany(w http.ResponseWriter, r *http.Request) error {
	return s.outboxDecision(w, r, "retry", "flash.outbox_retried", func(f db.OutboxFilter, _ url.Values, by portal.Actor) (db.Decided, error) {
		return s.store.RetryJobs(r.Context(), f, by)
	})
}

// staffOutboxSkipMany gives up what was chosen, for one reason.
func (s *Server) staffOutboxSkipMany(w http.ResponseWriter, r *http.Request) error {
	return s.outboxDecision(w, r, "skip", "flash.outbox_skipped", func(f db.OutboxFilter, typed url.Values, by portal.Actor) (db.Decided, error) {
		return s.store.SkipJobs(r.Context(), f.Jobs, text(typed, "reason"), by)
	})
}

func (s *Server) outboxDecision(w http.ResponseWriter, r *http.Request, form, flash string, do func(f db.OutboxFilter, typed url.Values, by portal.Actor) (db.Decided, error)) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	query := parseOutboxQuery(r.PostForm)
	filter, faults := db.OutboxFilter{}, portal.FieldErrors{}
	if form == "retry" && r.PostForm.Get("all") != "" {
		filter = outboxFilter(query)
	} else {
		for _, job := range r.PostForm["job"] {
			id, err := strconv.ParseInt(job, 10, 64)
			if err != nil {
				return portal.Errorf(portal.NotFound, "error.not_found")
			}
			filter.Jobs = append(filter.Jobs, id)
		}
		if len(filter.Jobs) == 0 {
			faults["job"] = portal.Say("outbox.choose_one")
		}
	}
	var decided db.Decided
	err := portal.InvalidFields(faults)
	if err == nil {
		decided, err = do(filter, r.PostForm, about(r).visitor.staff.Actor())
	}
	if err != nil {
		faults, ok := faultsOf(err)
		if !ok {
			return err
		}
		return s.showOutbox(w, r, http.StatusUnprocessableEntity, query, views.RejectedForm{Form: form, Typed: r.PostForm, Faults: faults})
	}
	if err := s.store.SetFlash(r.Context(), about(r).visitor.session, decidedFlash(flash, decided)); err != nil {
		return err
	}
	http.Redirect(w, r, query.URL(), http.StatusSeeOther)
	return nil
}

// decidedFlash says how many messages a decision concerned. The counts are texts:
// a number that was kept as JSON does not come back as a whole one.
func decidedFlash(key string, d db.Decided) portal.Sentence {
	done, left := strconv.Itoa(d.Done), strconv.Itoa(d.Left)
	switch {
	case d.Done == 0:
		return portal.Say(key + "_none")
	case d.Left > 0:
		return portal.Say(key+"_some", "Done", done, "Left", left)
	}
	return portal.Say(key, "Count", done)
}
