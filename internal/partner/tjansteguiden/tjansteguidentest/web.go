package tjansteguidentest

import (
	"embed"
	"net/http"
	"slices"

	"portico/internal/partner/door/doortest"
)

//go:embed templates style.css
var files embed.FS

var pages = doortest.ParsePages("sv", files)

func (s *Server) routePages() {
	s.site = doortest.NewSite(s.Door, doortest.SiteOptions{Pages: pages, Clock: second, Cookie: "tjansteguiden_simulator_person",
		Acting: s.people, More: s.unknowns, Log: s.options.Log})
	s.site.HandleFunc("GET /{$}", s.orderNew)
	s.site.HandleFunc("POST /orders", s.orderCreate)
	s.site.HandleFunc("GET /orders", s.orderIndex)
	s.site.HandleFunc("GET /orders/{order}", s.orderShow)
	s.site.HandleFunc("POST /orders/{order}/status", s.statusCreate)
	s.site.HandleFunc("POST /acting", s.actingUpdate)
	s.site.HandleFunc("POST /shape", s.shapeUpdate)
	s.site.HandleFunc("POST /logout", s.logoutCreate)
}

// acting returns who the browser acts as: the first person if it has not said.
func (s *Server) acting(r *http.Request) Person {
	if p, ok := person(s.site.Actor(r)); ok {
		return p
	}
	return DemoPeople()[0]
}

func (s *Server) actingUpdate(w http.ResponseWriter, r *http.Request) {
	p, ok := person(r.FormValue("user"))
	if !ok {
		s.site.Missing(w, r)
		return
	}
	s.site.Act(w, r, p.ID, "/")
}

func (s *Server) orderNew(w http.ResponseWriter, r *http.Request) {
	s.renderForm(w, r, http.StatusOK, formOf(s.acting(r), s.services()), nil)
}

func (s *Server) orderCreate(w http.ResponseWriter, r *http.Request) {
	form := readForm(r)
	order, faults := form.order(s.services(), s.options.Now().In(stockholm))
	if len(faults) > 0 {
		s.renderForm(w, r, http.StatusUnprocessableEntity, form, faults)
		return
	}
	http.Redirect(w, r, "/orders/"+s.AddOrder(order).ID, http.StatusSeeOther)
}

// statusCreate is what the network does to an order by hand.
func (s *Server) statusCreate(w http.ResponseWriter, r *http.Request) {
	id, status := r.PathValue("order"), r.FormValue("status")
	if !slices.Contains(statuses, status) || !s.SetStatus(id, status, Network) {
		s.site.Missing(w, r)
		return
	}
	http.Redirect(w, r, "/orders/"+id, http.StatusSeeOther)
}

func (s *Server) shapeUpdate(w http.ResponseWriter, r *http.Request) {
	shape := Shape(r.FormValue("shape"))
	if !slices.Contains(Shapes, shape) {
		s.site.Missing(w, r)
		return
	}
	s.SetShape(shape)
	http.Redirect(w, r, "/faults", http.StatusSeeOther)
}

func (s *Server) logoutCreate(w http.ResponseWriter, r *http.Request) {
	s.ExpireHashes()
	http.Redirect(w, r, "/faults", http.StatusSeeOther)
}
