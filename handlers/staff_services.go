package handlers

import (
	"io"
	"net/http"
	"slices"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"portico/internal/portal"
	"portico/views"
)

// staffServiceIndex lists what can be ordered, by name.
func (s *Server) staffServiceIndex(w http.ResponseWriter, r *http.Request) error {
	b, err := s.staffBase(r)
	if err != nil {
		return err
	}
	services, err := s.store.Services(r.Context())
	if err != nil {
		return err
	}
	last, err := s.store.LastOrders(r.Context())
	if err != nil {
		return err
	}
	p := views.StaffServiceIndexPage{Base: b}
	for _, svc := range services {
		row := views.ServiceRow{ID: svc.ID, Name: b.In(svc.Name), System: svc.System, Connection: svc.ConnectionID, Flow: svc.Flow}
		if order, ok := last[svc.ID]; ok {
			row.LastAt = &order.CreatedAt
		}
		p.Rows = append(p.Rows, row)
	}
	alphabet := collate.New(language.Make(b.Locale()))
	slices.SortStableFunc(p.Rows, func(x, y views.ServiceRow) int { return alphabet.CompareString(x.Name, y.Name) })
	return s.render(w, r, http.StatusOK, p)
}

// staffServiceShow shows how a service is set up, and what is asked for when it
// is registered.
func (s *Server) staffServiceShow(w http.ResponseWriter, r *http.Request) error {
	p, err := s.servicePage(r)
	if err != nil {
		return err
	}
	last, err := s.store.LastOrders(r.Context())
	if err != nil {
		return err
	}
	if order, ok := last[p.Service.ID]; ok {
		p.LastAt = &order.CreatedAt
	}
	if p.Base, err = s.staffBase(r); err != nil {
		return err
	}
	return s.render(w, r, http.StatusOK, p)
}

// staffRegistrationShow sends a service's registration sheet as a document.
func (s *Server) staffRegistrationShow(w http.ResponseWriter, r *http.Request) error {
	p, err := s.servicePage(r)
	if err != nil {
		return err
	}
	if len(p.Sheet) == 0 {
		return portal.Errorf(portal.NotFound, "error.not_found")
	}
	w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
	attachment(w, "registration-"+p.Service.ID+".md")
	if _, err := io.WriteString(w, p.Markdown()); err != nil {
		s.requestLog(r).Info("visitor left", "err", err)
	}
	return nil
}

// servicePage returns the page of the service in the address, with the frame of
// any page.
func (s *Server) servicePage(r *http.Request) (views.StaffServicePage, error) {
	svc, err := s.store.Service(r.Context(), r.PathValue("id"))
	if err != nil {
		return views.StaffServicePage{}, err
	}
	sheet, err := s.partners.Sheet(r.Context(), svc)
	return views.StaffServicePage{Base: s.base(r), Service: svc, Sheet: sheet}, err
}
