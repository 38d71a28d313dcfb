package vitectest

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
	Office Office
	Users  []User
}

func (s *Server) users(r *http.Request) any {
	u := users{User: s.acting(r)}
	for _, office := range s.options.Offices {
		g := group{Office: office}
		for _, user := range s.options.Users {
			if user.Office == office.ID {
				g.Users = append(g.Users, user)
			}
		}
		u.Groups = append(u.Groups, g)
	}
	return u
}

type estatesPage struct {
	Office  Office
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
	p := estatesPage{Leads: s.leadRows()}
	p.Office, _ = s.office(s.acting(r).Office)
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
	s.site.Show(w, r, http.StatusOK, "estates", "Objekt", p)
}

type estatePage struct {
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
		s.site.Missing(w, r)
		return
	}
	agent, _ := s.user(e.Agent)
	home, _ := s.office(e.Office)
	p := estatePage{Estate: e, TypeName: typeName(e.Type), Agent: agent.Name, Own: e.Office == s.acting(r).Office,
		Home: home, Services: s.services(), Orders: s.ordersOf(e)}
	slices.Reverse(p.Orders)
	s.site.Show(w, r, http.StatusOK, "estate", e.Street, p)
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
			Name: statusName(o.Status), At: clock(o.CreatedAt)}
		for _, c := range o.History {
			v.Changes = append(v.Changes, line{At: clock(c.At), Name: statusName(c.Status), Code: c.Status, Comment: c.Comment})
		}
		for i, a := range o.Interactions {
			// That a later status ends a question is assumed.
			latest := i == len(o.Interactions)-1 && !a.At.Before(o.lastStatusAt())
			v.Earlier = v.Earlier || !latest
			v.Requests = append(v.Requests, line{At: clock(a.At), Comment: a.Comment, URL: a.URL, Number: i + 1, Latest: latest})
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

var stockholm = doortest.Zone("Europe/Stockholm")

func clock(t time.Time) string { return t.In(stockholm).Format(time.DateTime) }

// unknowns are what the page of faults can set beside them.
type unknowns struct{ LinkToken bool }

func (s *Server) unknowns(*http.Request) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return unknowns{s.state.LinkToken}
}
