package handlers

import (
	"net/http"
	"strings"

	"portico/db"
	"portico/internal/portal"
	"portico/views"
)

// staffLeadShow shows a lead, its personal number masked.
func (s *Server) staffLeadShow(w http.ResponseWriter, r *http.Request) error {
	return s.showLead(w, r, http.StatusOK, r.PathValue("id"), "", views.RejectedForm{})
}

func (s *Server) showLead(w http.ResponseWriter, r *http.Request, status int, id, number string, rejected views.RejectedForm) error {
	ctx := r.Context()
	lead, err := s.store.Lead(ctx, id)
	if err != nil {
		return err
	}
	b, err := s.staffBase(r)
	if err != nil {
		return err
	}
	taking, err := s.partners.ConnectionsWithLeads(ctx)
	if err != nil {
		return err
	}
	p := views.StaffLeadPage{Base: b, LeadPart: newLeadPart(lead, taking[lead.ConnectionID]), PersonalNumber: number, Rejected: rejected}
	p.Path = p.URL()
	if lead.State != portal.LeadErased {
		p.Route = leadRoute(lead.Lead, []portal.Office{{Customer: lead.Customer, Name: lead.OfficeName}})
	}
	notes, err := s.store.LeadNotes(ctx, id)
	if err != nil {
		return err
	}
	for _, n := range notes {
		p.Notes = append(p.Notes, newLeadNote(n))
	}
	return s.render(w, r, status, p)
}

func newLeadNote(n db.LeadNote) views.LeadNote {
	note := views.LeadNote{Action: n.Action, Reason: n.Reason, At: n.At}
	note.Who, _ = strings.CutPrefix(n.Actor, string(portal.ActorStaff)+" ")
	if note.Who == n.Actor {
		note.Who = ""
	}
	return note
}

// staffLeadNumberShow shows a lead with the personal number, once: the store
// notes who was shown it.
func (s *Server) staffLeadNumberShow(w http.ResponseWriter, r *http.Request) error {
	number, err := s.store.LeadNumber(r.Context(), r.PathValue("id"), about(r).visitor.staff.Actor())
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.showLead(w, r, http.StatusOK, r.PathValue("id"), number, views.RejectedForm{})
}

// staffLeadArrive says that a lead has arrived of which nobody knew.
func (s *Server) staffLeadArrive(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	id := r.PathValue("id")
	err := s.store.ConfirmLead(r.Context(), id, text(r.PostForm, "partner_id"), about(r).visitor.staff.Actor())
	if faults, ok := faultsOf(err); ok {
		return s.showLead(w, r, http.StatusUnprocessableEntity, id, "", views.RejectedForm{Form: "arrival", Typed: r.PostForm, Faults: faults})
	}
	if err != nil {
		return err
	}
	return s.leadDone(w, r, id, "flash.lead_arrival")
}

// staffLeadRetry sends a lead again by a person's word.
func (s *Server) staffLeadRetry(w http.ResponseWriter, r *http.Request) error {
	lead, err := s.store.Lead(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := s.store.RetryJob(r.Context(), lead.Job.ID, about(r).visitor.staff.Actor()); err != nil {
		return err
	}
	return s.leadDone(w, r, lead.PublicID, "flash.lead_retry")
}
