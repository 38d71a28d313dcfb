package vismatest

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"portico/internal/partner/door/doortest"
)

// users are who acts, and who else may.
type users struct {
	User   User
	Groups []group
}

type group struct {
	Tenant Tenant
	Users  []User
}

func (s *Server) users(r *http.Request) any {
	u := users{User: s.acting(r)}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tenant := range s.options.Tenants {
		g := group{Tenant: tenant}
		for _, user := range s.options.Users {
			if user.Tenant == tenant.ID {
				g.Users = append(g.Users, user)
			}
		}
		u.Groups = append(u.Groups, g)
	}
	return u
}

type casesPage struct {
	Tenant Tenant
	Cases  []caseRow
}

type caseRow struct {
	Case
	TypeName string
	Orders   int
	Latest   orderView
}

func (s *Server) caseIndex(w http.ResponseWriter, r *http.Request) {
	var p casesPage
	p.Tenant, _ = s.tenant(s.acting(r).Tenant)
	for _, c := range s.options.Cases {
		if c.Tenant != p.Tenant.ID {
			continue
		}
		row := caseRow{Case: c, TypeName: typeName(c.Type)}
		for _, o := range s.ordersOf(c) {
			row.Latest = o
			row.Orders++
		}
		p.Cases = append(p.Cases, row)
	}
	s.site.Show(w, r, http.StatusOK, "cases", "Oppdrag", p)
}

type casePage struct {
	Case     Case
	TypeName string
	Broker   User
	Services []Service
	Orders   []orderView
	Checks   []tick
	Files    []fileView
	Failed   bool // the provider gave Core no token
}

// tick is an item of the checklist.
type tick struct {
	Check
	Done bool
}

type orderView struct {
	Order
	Service string
	Orderer string
	Name    string // of the state
	At      string
	Lines   []line
	Opens   bool // there is a service to open it with
}

// line is an entry of an order's history.
type line struct {
	At, Name, Status, State string
}

type fileView struct {
	File
	When string
}

func (s *Server) caseShow(w http.ResponseWriter, r *http.Request) {
	p := casePage{Services: s.services(), Failed: r.FormValue("failed") != ""}
	var ok bool
	if p.Case, ok = s.ownCase(r.PathValue("case"), s.acting(r)); !ok {
		s.site.Missing(w, r)
		return
	}
	p.TypeName, p.Orders = typeName(p.Case.Type), s.ordersOf(p.Case)
	p.Broker, _ = s.user(p.Case.Broker)
	for _, check := range s.options.Checklist {
		t := tick{Check: check}
		for _, o := range p.Orders {
			t.Done = t.Done || slices.ContainsFunc(o.Statuses, func(status Status) bool { return status.State == check.State })
		}
		p.Checks = append(p.Checks, t)
	}
	for _, f := range s.Files(p.Case.Tenant, p.Case.ID) {
		p.Files = append(p.Files, fileView{f, clock(f.At)})
	}
	slices.Reverse(p.Orders)
	s.site.Show(w, r, http.StatusOK, "case", p.Case.Street, p)
}

// ordersOf returns the orders on a case, the oldest first.
func (s *Server) ordersOf(c Case) []orderView {
	services := s.services()
	var views []orderView
	for _, o := range s.Orders() {
		if o.Case != c.ID || o.Tenant != c.Tenant {
			continue
		}
		service, known := doortest.Find(services, func(v Service) bool { return v.ID == o.ServiceID })
		orderer, _ := s.user(o.User)
		v := orderView{Order: o, Service: cmp.Or(o.Title, service.Name, "Tjeneste"), Orderer: orderer.Name,
			Name: stateName(o.State()), At: clock(o.CreatedAt), Opens: known}
		for _, status := range o.Statuses {
			v.Lines = append(v.Lines, line{At: clock(status.At), Name: stateName(status.State), Status: status.Status, State: status.State})
		}
		views = append(views, v)
	}
	return views
}

var oslo = doortest.Zone("Europe/Oslo")

func clock(t time.Time) string { return t.In(oslo).Format("02.01.2006 15:04:05") }

// limits are what the page of faults can set beside them.
type limits struct {
	Tenant      Tenant
	Permissions []permission
	Throttle    bool
	Limit       int
	Window      int // seconds
}

type permission struct {
	Name string
	Has  bool
}

func (s *Server) limits(r *http.Request) any {
	l := limits{Limit: pageLimit, Window: int(pageWindow.Seconds())}
	l.Tenant, _ = s.tenant(s.acting(r).Tenant)
	for _, name := range AllPermissions {
		l.Permissions = append(l.Permissions, permission{name, slices.Contains(l.Tenant.Permissions, name)})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l.Throttle = s.throttle.limit > 0
	return l
}
