package tjansteguidentest

import (
	"embed"
	"net/http"
	"slices"

	"portico/internal/partner/door/doortest"
)

//go:embed templates style.css
var files embed.FS

var pages = doortest.ParsePages(files)

// personCookie says who acts. Cookies of localhost are shared by its ports, hence
// the long name.
const personCookie = "tjansteguiden_simulator_person"

func (s *Server) routePages(mux *http.ServeMux) {
	site := http.NewServeMux()
	site.HandleFunc("GET /{$}", s.orderNew)
	site.HandleFunc("POST /orders", s.orderCreate)
	site.HandleFunc("GET /orders", s.orderIndex)
	site.HandleFunc("GET /orders/{order}", s.orderShow)
	site.HandleFunc("POST /orders/{order}/status", s.statusCreate)
	site.HandleFunc("POST /acting", s.actingUpdate)
	site.HandleFunc("GET /faults", s.faultIndex)
	site.HandleFunc("POST /faults", s.SwitchFaults(s.missing))
	site.HandleFunc("POST /shape", s.shapeUpdate)
	site.HandleFunc("POST /logout", s.logoutCreate)
	site.HandleFunc("GET /log", s.logIndex)
	site.HandleFunc("GET /style.css", pages.Style)
	site.HandleFunc("/", s.missing)
	mux.Handle("/", http.NewCrossOriginProtection().Handler(site))
}

func (s *Server) render(w http.ResponseWriter, status int, name string, page any) {
	if err := pages.Render(w, status, name, page); err != nil {
		s.options.Log.Error("render a page of the simulator", "error", err)
		http.Error(w, "Sidan kunde inte visas.", http.StatusInternalServerError)
	}
}

func (s *Server) missing(w http.ResponseWriter, r *http.Request) {
	s.render(w, http.StatusNotFound, "missing", s.base(r, "Sidan finns inte", ""))
}

// acting returns who the browser acts as: the first person if it has not said.
func (s *Server) acting(r *http.Request) Person {
	if c, err := r.Cookie(personCookie); err == nil {
		if p, ok := person(c.Value); ok {
			return p
		}
	}
	return DemoPeople()[0]
}

func (s *Server) actingUpdate(w http.ResponseWriter, r *http.Request) {
	p, ok := person(r.FormValue("user"))
	if !ok {
		s.missing(w, r)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: personCookie, Value: p.ID, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (s *Server) orderNew(w http.ResponseWriter, r *http.Request) {
	s.renderForm(w, r, http.StatusOK, formOf(s.acting(r), s.services()), nil)
}

func (s *Server) orderCreate(w http.ResponseWriter, r *http.Request) {
	form := readForm(r)
	order, faults := form.order(s.services(), s.options.Now().In(s.stockholm))
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
		s.missing(w, r)
		return
	}
	http.Redirect(w, r, "/orders/"+id, http.StatusSeeOther)
}

func (s *Server) shapeUpdate(w http.ResponseWriter, r *http.Request) {
	shape := Shape(r.FormValue("shape"))
	if !slices.Contains(Shapes, shape) {
		s.missing(w, r)
		return
	}
	s.SetShape(shape)
	http.Redirect(w, r, "/faults", http.StatusSeeOther)
}

func (s *Server) logoutCreate(w http.ResponseWriter, r *http.Request) {
	s.ExpireHashes()
	http.Redirect(w, r, "/faults", http.StatusSeeOther)
}
