package vitectest

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

//go:embed templates style.css
var files embed.FS

var templates = parseTemplates("estates", "estate", "faults", "log", "missing")

func parseTemplates(names ...string) map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, name := range names {
		all[name] = template.Must(template.ParseFS(files, "templates/layout.html", "templates/"+name+".html"))
	}
	return all
}

// userCookie says who acts. Cookies of localhost are shared by its ports, hence
// the long name.
const userCookie = "vitec_simulator_user"

func (s *Server) routePages(mux *http.ServeMux) {
	pages := http.NewServeMux()
	pages.HandleFunc("GET /{$}", s.estateIndex)
	pages.HandleFunc("GET /estates/{estate}", s.estateShow)
	pages.HandleFunc("POST /estates/{estate}/orders", s.orderCreate)
	pages.HandleFunc("POST /orders/{office}/{order}/openings", s.openingCreate)
	pages.HandleFunc("GET /orders/{office}/{order}/interactions/{number}", s.interactionOpen)
	pages.HandleFunc("POST /acting", s.actingUpdate)
	pages.HandleFunc("GET /faults", s.faultIndex)
	pages.HandleFunc("POST /faults", s.faultUpdate)
	pages.HandleFunc("POST /settings", s.settingsUpdate)
	pages.HandleFunc("GET /log", s.logIndex)
	pages.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, files, "style.css") })
	pages.HandleFunc("/", s.missing)
	mux.Handle("/", http.NewCrossOriginProtection().Handler(pages))
}

// render writes a page whole or not at all.
func (s *Server) render(w http.ResponseWriter, status int, name string, page any) {
	var b bytes.Buffer
	if err := templates[name].ExecuteTemplate(&b, "layout", page); err != nil {
		s.options.Log.Error("render a page of the simulator", "page", name, "error", err)
		http.Error(w, "Sidan kunde inte visas.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	// No form-action: it would also forbid the redirect from an order to the portal.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	w.Write(b.Bytes()) // the browser may have gone
}

func (s *Server) missing(w http.ResponseWriter, r *http.Request) {
	s.render(w, http.StatusNotFound, "missing", s.base(r, "Sidan finns inte", ""))
}

// acting returns who the browser acts as: the first user if it has not said.
func (s *Server) acting(r *http.Request) User {
	if c, err := r.Cookie(userCookie); err == nil {
		if u, ok := s.user(c.Value); ok {
			return u
		}
	}
	return s.options.Users[0]
}

func (s *Server) actingUpdate(w http.ResponseWriter, r *http.Request) {
	u, ok := s.user(r.FormValue("user"))
	if !ok {
		s.missing(w, r)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: userCookie, Value: u.ID, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	back := "/"
	if e, ok := s.estate(r.FormValue("estate")); ok && e.Office == u.Office {
		back = "/estates/" + url.PathEscape(e.ID)
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

func (s *Server) orderCreate(w http.ResponseWriter, r *http.Request) {
	u := s.acting(r)
	e, ok := s.estate(r.PathValue("estate"))
	service, known := find(s.services(), func(v Service) bool { return v.ID == r.FormValue("service") })
	if !ok || !known || e.Office != u.Office {
		s.missing(w, r)
		return
	}
	s.mu.Lock()
	o := s.newOrder(Order{Office: e.Office, Estate: e.ID, User: u.ID, ServiceID: service.ID, CallbackURL: service.CallbackURL,
		Background: service.Background})
	address := s.callback(o, u.ID, s.options.TokenLife)
	s.mu.Unlock()
	s.open(w, r, o, address)
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
		s.missing(w, r)
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
		s.missing(w, r)
		return
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

func (s *Server) faultUpdate(w http.ResponseWriter, r *http.Request) {
	kind, op := FaultKind(r.FormValue("kind")), Op(r.FormValue("op"))
	times, _ := strconv.Atoi(r.FormValue("times")) // anything else is "until it is cleared"
	if kind == "" {
		s.ClearFaults()
	} else if info, ok := find(faultInfos, func(f faultInfo) bool { return f.Kind == kind }); !ok {
		s.missing(w, r)
		return
	} else if !s.clearKind(kind) {
		if !kind.concerns(op) {
			op = OpAny
		}
		s.SetFault(op, Fault{Kind: kind, Times: max(0, times), RetryAfter: info.retryAfter, Delay: info.delay})
	}
	http.Redirect(w, r, "/faults", http.StatusSeeOther)
}

// clearKind takes a fault off every method, and reports whether it was on any.
func (s *Server) clearKind(kind FaultKind) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := false
	for op, f := range s.faults {
		if f.Kind == kind {
			delete(s.faults, op)
			found = true
		}
	}
	return found
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
