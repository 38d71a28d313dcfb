package doortest

import (
	"log/slog"
	"net/http"
	"time"
)

// SiteOptions are what a fake has of its own on its pages.
type SiteOptions struct {
	Pages  Pages
	Clock  func(time.Time) string    // writes when a call came
	Cookie string                    // says who acts; those of localhost are shared by its ports, hence a long name
	Acting func(r *http.Request) any // who acts and who else may, for the template "users"; nil: nobody
	More   func(r *http.Request) any // for the template "more" of the page of faults; nil: it needs nothing
	Log    *slog.Logger
}

// Site is a fake's pages for people: the pages of calls and of faults, to which
// the fake adds its own. It refuses forms of other sites.
type Site struct {
	*http.ServeMux
	door    *Door
	options SiteOptions
	guarded http.Handler
}

// NewSite returns the site of a fake whose calls come in by a door.
func NewSite(d *Door, o SiteOptions) *Site {
	mux := http.NewServeMux()
	s := &Site{ServeMux: mux, door: d, options: o, guarded: http.NewCrossOriginProtection().Handler(mux)}
	s.HandleFunc("GET /faults", s.faultIndex)
	s.HandleFunc("POST /faults", s.faultSwitch)
	s.HandleFunc("GET /log", s.logIndex)
	s.HandleFunc("GET /style.css", o.Pages.serveStyle)
	s.HandleFunc("/", s.Missing)
	return s
}

// ServeHTTP answers with a page.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.guarded.ServeHTTP(w, r) }

// page is what the layout shows.
type page struct {
	Title  string
	Tab    string
	Acting any
	Faults int // how many are on
	Main   any // for the page's template
}

func (s *Site) show(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	p.Faults = s.door.faultCount()
	if s.options.Acting != nil {
		p.Acting = s.options.Acting(r)
	}
	if err := s.options.Pages.render(w, status, name, p); err != nil {
		s.options.Log.Error("render a page of the simulator", "error", err)
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

// Show answers with a page of the fake's own, which is given main.
func (s *Site) Show(w http.ResponseWriter, r *http.Request, status int, name, title string, main any) {
	s.show(w, r, status, name, page{Title: title, Tab: "index", Main: main})
}

// Missing answers that there is no such page.
func (s *Site) Missing(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusNotFound, "missing", page{})
}

// Actor returns the id of who acts in a browser, "" if it has not said.
func (s *Site) Actor(r *http.Request) string {
	c, err := r.Cookie(s.options.Cookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// Act makes somebody act in a browser, and sends it to a page.
func (s *Site) Act(w http.ResponseWriter, r *http.Request, id, to string) {
	http.SetCookie(w, &http.Cookie{Name: s.options.Cookie, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, to, http.StatusSeeOther)
}
