package vismatest

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"portico/internal/partner/door/doortest"
)

// base is what every page shows.
type base struct {
	Title  string
	Tab    string
	User   User
	Tenant Tenant
	Groups []group
	Faults int // how many are on
}

type group struct {
	Tenant Tenant
	Users  []User
}

func (s *Server) base(r *http.Request, title, tab string) base {
	b := base{Title: title, Tab: tab, User: s.acting(r), Faults: s.FaultCount()}
	b.Tenant, _ = s.tenant(b.User.Tenant)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tenant := range s.options.Tenants {
		g := group{Tenant: tenant}
		for _, user := range s.options.Users {
			if user.Tenant == tenant.ID {
				g.Users = append(g.Users, user)
			}
		}
		b.Groups = append(b.Groups, g)
	}
	return b
}

type casesPage struct {
	base
	Cases []caseRow
}

type caseRow struct {
	Case
	TypeName string
	Orders   int
	Latest   orderView
}

func (s *Server) caseIndex(w http.ResponseWriter, r *http.Request) {
	p := casesPage{base: s.base(r, "Oppdrag", "index")}
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
	s.render(w, http.StatusOK, "cases", p)
}

type casePage struct {
	base
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
	p := casePage{base: s.base(r, "", "index"), Services: s.services(), Failed: r.FormValue("failed") != ""}
	var ok bool
	if p.Case, ok = s.ownCase(r.PathValue("case"), p.User); !ok {
		s.missing(w, r)
		return
	}
	p.Title, p.TypeName, p.Orders = p.Case.Street, typeName(p.Case.Type), s.ordersOf(p.Case)
	p.Broker, _ = s.user(p.Case.Broker)
	for _, check := range s.options.Checklist {
		t := tick{Check: check}
		for _, o := range p.Orders {
			t.Done = t.Done || slices.ContainsFunc(o.Statuses, func(status Status) bool { return status.State == check.State })
		}
		p.Checks = append(p.Checks, t)
	}
	for _, f := range s.Files(p.Case.Tenant, p.Case.ID) {
		p.Files = append(p.Files, fileView{f, s.clock(f.At)})
	}
	slices.Reverse(p.Orders)
	s.render(w, http.StatusOK, "case", p)
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
			Name: stateName(o.State()), At: s.clock(o.CreatedAt), Opens: known}
		for _, status := range o.Statuses {
			v.Lines = append(v.Lines, line{At: s.clock(status.At), Name: stateName(status.State), Status: status.Status, State: status.State})
		}
		views = append(views, v)
	}
	return views
}

func (s *Server) clock(t time.Time) string { return t.In(s.oslo).Format("02.01.2006 15:04:05") }

type faultsPage struct {
	base
	Sections    []doortest.Section
	Ops         []doortest.OpName
	Permissions []permission
	Throttle    bool
	Limit       int
	Window      int // seconds
}

type permission struct {
	Name string
	Has  bool
}

func (s *Server) faultIndex(w http.ResponseWriter, r *http.Request) {
	p := faultsPage{base: s.base(r, "Feil", "faults"), Sections: s.FaultSections(), Ops: words.Ops, Limit: pageLimit, Window: int(pageWindow.Seconds())}
	for _, name := range AllPermissions {
		p.Permissions = append(p.Permissions, permission{name, slices.Contains(p.Tenant.Permissions, name)})
	}
	s.mu.Lock()
	p.Throttle = s.throttle.limit > 0
	s.mu.Unlock()
	s.render(w, http.StatusOK, "faults", p)
}

type logPage struct {
	base
	Requests []doortest.LogRow
	Total    int
}

func (s *Server) logIndex(w http.ResponseWriter, r *http.Request) {
	p := logPage{base: s.base(r, "Kall", "log")}
	p.Requests, p.Total = s.LogRows(s.clock)
	s.render(w, http.StatusOK, "log", p)
}
