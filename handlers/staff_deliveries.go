package handlers

import (
	"net/http"

	"portico/internal/portal"
)

// staffDeliveryCreate hands over files, links and a message. Files go straight
// to the blob store; a delivery that is refused takes them away again.
func (s *Server) staffDeliveryCreate(w http.ResponseWriter, r *http.Request) error {
	order, err := s.store.OrderForStaff(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	s.allowTime(w, r, uploadTimeout)
	r.Body = http.MaxBytesReader(w, r.Body, portal.MaxDeliverySize+maxBody)
	form, err := s.readUpload(r, order, uploadLimits{size: portal.MaxFileSize, files: portal.MaxFiles, tooMany: "delivery.many_files",
		takes: func(input string) bool { return input == "files" }})
	if err == nil {
		err = portal.InvalidFields(form.faults)
	}
	if err == nil {
		err = s.deliver(r, order, form)
	}
	if err != nil {
		s.discard(r, form.files)
	}
	return s.afterStaffAction(w, r, order, form.typed, err)
}

func (s *Server) deliver(r *http.Request, o portal.Order, form upload) error {
	links, fault := portal.ParseLinks(form.typed.Get("links"))
	if fault != nil {
		return portal.InvalidFields(portal.FieldErrors{"links": *fault})
	}
	d := portal.Delivery{Message: text(form.typed, "message"), Links: links}
	for _, a := range form.files {
		d.Files = append(d.Files, a.File)
	}
	if o.Service.Flow == portal.FlowPoll && o.State.CanBecome(portal.Delivered) && d.Message == "" && len(d.Files) == 0 && len(d.Links) == 0 {
		// Its form has room for nothing else.
		return portal.InvalidFields(portal.FieldErrors{"message": portal.Say("field.required")})
	}
	return s.store.DeliverOrder(r.Context(), o.ID, d, about(r).visitor.staff.Actor())
}
