package vitectest

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
	Office Office
	Groups []group
	Faults int // how many are on
}

type group struct {
	Office Office
	Users  []User
}

func (s *Server) base(r *http.Request, title, tab string) base {
	u := s.acting(r)
	o, _ := s.office(u.Office)
	b := base{Title: title, Tab: tab, User: u, Office: o, Faults: s.FaultCount()}
	for _, office := range s.options.Offices {
		g := group{Office: office}
		for _, user := range s.options.Users {
			if user.Office == office.ID {
				g.Users = append(g.Users, user)
			}
		}
		b.Groups = append(b.Groups, g)
	}
	return b
}

type estatesPage struct {
	base
	Estates []estateRow
	Leads   []leadRow
}

type estateRow struct {
	Estate
	TypeName string
	Orders   int
	Latest   orderView
}

func (s *Server) estateIndex(w http.ResponseWriter, r *http.Request) {
	p := estatesPage{base: s.base(r, "Objekt", "index"), Leads: s.leadRows()}
	for _, e := range s.options.Estates {
		if e.Office != p.Office.ID {
			continue
		}
		row := estateRow{Estate: e, TypeName: typeName(e.Type)}
		for _, o := range s.ordersOf(e) {
			row.Latest = o
			row.Orders++
		}
		p.Estates = append(p.Estates, row)
	}
	s.render(w, http.StatusOK, "estates", p)
}

type estatePage struct {
	base
	Estate   Estate
	TypeName string
	Agent    string
	Own      bool // of the office that the user acts for
	Home     Office
	Services []Service
	Orders   []orderView
}

type orderView struct {
	Order
	Service  string
	Orderer  string
	Name     string // of the status
	At       string
	Changes  []line
	Requests []line
	Earlier  bool // there are questions beside the latest
}

// line is a status or a question of an order.
type line struct {
	At, Name, Code, Comment, URL string
	Number                       int
	Latest                       bool
}

func (s *Server) estateShow(w http.ResponseWriter, r *http.Request) {
	e, ok := s.estate(r.PathValue("estate"))
	if !ok {
		s.missing(w, r)
		return
	}
	agent, _ := s.user(e.Agent)
	home, _ := s.office(e.Office)
	p := estatePage{base: s.base(r, e.Street, "index"), Estate: e, TypeName: typeName(e.Type), Agent: agent.Name,
		Home: home, Services: s.services(), Orders: s.ordersOf(e)}
	p.Own = e.Office == p.Office.ID
	slices.Reverse(p.Orders)
	s.render(w, http.StatusOK, "estate", p)
}

// ordersOf returns the orders on an estate, the oldest first.
func (s *Server) ordersOf(e Estate) []orderView {
	services := s.services()
	var views []orderView
	for _, o := range s.Orders() {
		if o.Estate != e.ID || o.Office != e.Office {
			continue
		}
		service, _ := doortest.Find(services, func(v Service) bool { return v.ID == o.ServiceID })
		orderer, _ := s.user(o.User)
		v := orderView{Order: o, Service: cmp.Or(service.Name, o.ServiceID, "Tjänst"), Orderer: cmp.Or(orderer.Name, o.User),
			Name: statusName(o.Status), At: s.clock(o.CreatedAt)}
		for _, c := range o.History {
			v.Changes = append(v.Changes, line{At: s.clock(c.At), Name: statusName(c.Status), Code: c.Status, Comment: c.Comment})
		}
		for i, a := range o.Interactions {
			// That a later status ends a question is assumed.
			latest := i == len(o.Interactions)-1 && !a.At.Before(o.lastStatusAt())
			v.Earlier = v.Earlier || !latest
			v.Requests = append(v.Requests, line{At: s.clock(a.At), Comment: a.Comment, URL: a.URL, Number: i + 1, Latest: latest})
		}
		slices.Reverse(v.Requests)
		views = append(views, v)
	}
	return views
}

func (o Order) lastStatusAt() time.Time {
	if len(o.History) == 0 {
		return time.Time{}
	}
	return o.History[len(o.History)-1].At
}

func (s *Server) clock(t time.Time) string { return t.In(s.stockholm).Format("2006-01-02 15:04:05") }

type faultsPage struct {
	base
	Sections  []doortest.Section
	Ops       []doortest.OpName
	LinkToken bool
}

func (s *Server) faultIndex(w http.ResponseWriter, r *http.Request) {
	p := faultsPage{base: s.base(r, "Fel", "faults"), Sections: s.FaultSections(), Ops: words.Ops}
	s.mu.Lock()
	p.LinkToken = s.state.LinkToken
	s.mu.Unlock()
	s.render(w, http.StatusOK, "faults", p)
}

type logPage struct {
	base
	Requests []doortest.LogRow
	Total    int
}

func (s *Server) logIndex(w http.ResponseWriter, r *http.Request) {
	p := logPage{base: s.base(r, "Anrop", "log")}
	p.Requests, p.Total = s.LogRows(s.clock)
	s.render(w, http.StatusOK, "log", p)
}
