package vismatest

import (
	"cmp"
	"embed"
	"net/http"
	"slices"
	"strconv"
	"time"

	"portico/internal/partner/door/doortest"
)

//go:embed templates style.css
var assets embed.FS

var pages = doortest.ParsePages("nb", assets)

func (s *Server) routePages() {
	s.site = doortest.NewSite(s.Door, doortest.SiteOptions{Pages: pages, Clock: clock, Cookie: "visma_simulator_user",
		Acting: s.users, More: s.limits, Log: s.options.Log})
	s.site.HandleFunc("GET /{$}", s.caseIndex)
	s.site.HandleFunc("GET /cases/{case}", s.caseShow)
	s.site.HandleFunc("POST /cases/{case}/orders", s.orderCreate)
	s.site.HandleFunc("POST /orders/{order}/openings", s.openingCreate)
	s.site.HandleFunc("POST /acting", s.actingUpdate)
	s.site.HandleFunc("POST /permissions", s.permissionUpdate)
	s.site.HandleFunc("POST /throttle", s.throttleUpdate)
}

// address returns where Core is, as the provider knows it.
func (s *Server) address(r *http.Request) string { return cmp.Or(s.URL, "http://"+r.Host) }

// acting returns who the browser acts as: the first user if it has not said.
func (s *Server) acting(r *http.Request) User {
	id, _ := strconv.Atoi(s.site.Actor(r)) // what is none is nobody
	if u, ok := s.user(id); ok {
		return u
	}
	return s.options.Users[0]
}

func (s *Server) actingUpdate(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.Atoi(r.FormValue("user")) // what is none is nobody
	u, ok := s.user(id)
	if !ok {
		s.site.Missing(w, r)
		return
	}
	back := "/"
	if c, ok := s.ownCase(r.FormValue("case"), u); ok {
		back = "/cases/" + strconv.Itoa(c.ID)
	}
	s.site.Act(w, r, strconv.Itoa(u.ID), back)
}

// ownCase returns a case that the user may see: one of the same tenant.
func (s *Server) ownCase(id string, u User) (Case, bool) {
	n, err := strconv.Atoi(id)
	if err != nil {
		return Case{}, false
	}
	return s.caseOf(u.Tenant, n)
}

func (s *Server) orderCreate(w http.ResponseWriter, r *http.Request) {
	u := s.acting(r)
	c, ok := s.ownCase(r.PathValue("case"), u)
	service, known := doortest.Find(s.services(), func(v Service) bool { return v.ID == r.FormValue("service") })
	if !ok || !known {
		s.site.Missing(w, r)
		return
	}
	address, err := s.Place(r.Context(), s.address(r), c.Tenant, c.ID, u.ID, service)
	s.open(w, r, c, address, err)
}

// openingCreate opens an order once more, as whoever acts now.
func (s *Server) openingCreate(w http.ResponseWriter, r *http.Request) {
	u := s.acting(r)
	o, ok := s.Order(r.PathValue("order"))
	service, known := doortest.Find(s.services(), func(v Service) bool { return v.ID == o.ServiceID })
	c, own := s.caseOf(u.Tenant, o.Case)
	if !ok || !known || !own || o.Tenant != u.Tenant {
		s.site.Missing(w, r)
		return
	}
	life := s.options.TokenLife
	if r.FormValue("expired") != "" {
		life = -time.Minute
	}
	address, err := s.Open(r.Context(), s.address(r), o, u.ID, service, life)
	s.open(w, r, c, address, err)
}

// open sends the browser to the provider, or back to the case if Core could not
// get a token of it.
func (s *Server) open(w http.ResponseWriter, r *http.Request, c Case, address string, err error) {
	if err != nil {
		s.options.Log.Error("open the provider's page", "case", c.ID, "error", err)
		address = "/cases/" + strconv.Itoa(c.ID) + "?failed=1"
	}
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// permissionUpdate gives or takes a permission of the API user of whoever acts.
func (s *Server) permissionUpdate(w http.ResponseWriter, r *http.Request) {
	t, _ := s.tenant(s.acting(r).Tenant)
	name := r.FormValue("permission")
	if !slices.Contains(AllPermissions, name) {
		s.site.Missing(w, r)
		return
	}
	var permissions []string
	for _, p := range AllPermissions {
		if slices.Contains(t.Permissions, p) != (p == name) {
			permissions = append(permissions, p)
		}
	}
	s.SetPermissions(t.ID, permissions...)
	http.Redirect(w, r, "/faults", http.StatusSeeOther)
}

// The throttle mode of the pages.
const (
	pageLimit  = 4
	pageWindow = 20 * time.Second
)

func (s *Server) throttleUpdate(w http.ResponseWriter, r *http.Request) {
	limit := 0
	if r.FormValue("throttle") == "on" {
		limit = pageLimit
	}
	s.SetThrottle(limit, pageWindow)
	http.Redirect(w, r, "/faults", http.StatusSeeOther)
}
