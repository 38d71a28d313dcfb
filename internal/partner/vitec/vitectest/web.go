package vitectest

import (
	"embed"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"portico/internal/partner/door/doortest"
)

//go:embed templates style.css
var files embed.FS

var pages = doortest.ParsePages("sv", files)

func (s *Server) routePages() {
	s.site = doortest.NewSite(s.Door, doortest.SiteOptions{Pages: pages, Clock: clock, Cookie: "vitec_simulator_user",
		Acting: s.users, More: s.unknowns, Log: s.options.Log})
	s.site.HandleFunc("GET /{$}", s.estateIndex)
	s.site.HandleFunc("GET /estates/{estate}", s.estateShow)
	s.site.HandleFunc("POST /estates/{estate}/orders", s.orderCreate)
	s.site.HandleFunc("POST /orders/{office}/{order}/openings", s.openingCreate)
	s.site.HandleFunc("POST /orders/{office}/{order}/removal", s.removalCreate)
	s.site.HandleFunc("GET /orders/{office}/{order}/interactions/{number}", s.interactionOpen)
	s.site.HandleFunc("POST /acting", s.actingUpdate)
	s.site.HandleFunc("POST /settings", s.settingsUpdate)
}

// acting returns who the browser acts as: the first user if it has not said.
func (s *Server) acting(r *http.Request) User {
	if u, ok := s.user(s.site.Actor(r)); ok {
		return u
	}
	return s.options.Users[0]
}

func (s *Server) actingUpdate(w http.ResponseWriter, r *http.Request) {
	u, ok := s.user(r.FormValue("user"))
	if !ok {
		s.site.Missing(w, r)
		return
	}
	back := "/"
	if e, ok := s.estate(r.FormValue("estate")); ok && e.Office == u.Office {
		back = "/estates/" + url.PathEscape(e.ID)
	}
	s.site.Act(w, r, u.ID, back)
}

func (s *Server) orderCreate(w http.ResponseWriter, r *http.Request) {
	u := s.acting(r)
	e, ok := s.estate(r.PathValue("estate"))
	service, known := doortest.Find(s.services(), func(v Service) bool { return v.ID == r.FormValue("service") })
	if !ok || !known || e.Office != u.Office {
		s.site.Missing(w, r)
		return
	}
	order := Order{Office: e.Office, Estate: e.ID, User: u.ID, ServiceID: service.ID, CallbackURL: service.CallbackURL,
		Background: service.Background}
	if s.TakeFault(doortest.OpOrder).Kind == FaultUnopened {
		order.CreatedAt = s.options.Now().Add(-time.Hour) // nobody has noticed
		s.NewOrder(order)
		http.Redirect(w, r, "/estates/"+url.PathEscape(e.ID), http.StatusSeeOther)
		return
	}
	s.mu.Lock()
	o := s.newOrder(order)
	address := s.callback(o, u.ID, s.options.TokenLife)
	s.mu.Unlock()
	s.open(w, r, o, address)
}

// removalCreate takes an order away, to see what a provider makes of that.
func (s *Server) removalCreate(w http.ResponseWriter, r *http.Request) {
	o, ok := s.Order(r.PathValue("office"), r.PathValue("order"))
	if !ok {
		s.site.Missing(w, r)
		return
	}
	s.Remove(o.Office, o.ID)
	http.Redirect(w, r, "/estates/"+url.PathEscape(o.Estate), http.StatusSeeOther)
}

// openingCreate opens an order once more, as whoever acts now.
func (s *Server) openingCreate(w http.ResponseWriter, r *http.Request) {
	life := s.options.TokenLife
	if r.FormValue("expired") != "" {
		life = -time.Minute
	}
	s.mu.Lock()
	var o Order
	address := ""
	if known := s.order(r.PathValue("office"), r.PathValue("order")); known != nil && known.CallbackURL != "" {
		o, address = known.clone(), s.callback(*known, s.acting(r).ID, life)
	}
	s.mu.Unlock()
	if address == "" {
		s.site.Missing(w, r)
		return
	}
	s.open(w, r, o, address)
}

// open sends the browser to the provider, or in the background calls there and
// shows the estate again.
func (s *Server) open(w http.ResponseWriter, r *http.Request, o Order, address string) {
	if o.Background {
		s.Call(r.Context(), o, address)
		address = "/estates/" + o.Estate
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// interactionOpen follows the link of a question. Whether Vitec adds its token
// to it is documented nowhere; LinkToken decides.
func (s *Server) interactionOpen(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(r.PathValue("number"))
	s.mu.Lock()
	address := ""
	o := s.order(r.PathValue("office"), r.PathValue("order"))
	if o != nil && err == nil && number >= 1 && number <= len(o.Interactions) {
		address = o.Interactions[number-1].URL
		if s.state.LinkToken {
			address = CallbackURL(address, o.Office, s.token(*o, s.acting(r).ID, s.options.TokenLife))
		}
	}
	s.mu.Unlock()
	if address == "" {
		s.site.Missing(w, r)
		return
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func (s *Server) settingsUpdate(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.state.LinkToken = strings.EqualFold(r.FormValue("link_token"), "on")
	s.save()
	s.mu.Unlock()
	http.Redirect(w, r, "/faults", http.StatusSeeOther)
}

func (s *Server) services() []Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.Services
}
