package tjansteguidentest

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
	Person Person
	People []Person
	Faults int // how many are on
}

func (s *Server) base(r *http.Request, title, tab string) base {
	return base{Title: title, Tab: tab, Person: s.acting(r), People: DemoPeople(), Faults: s.FaultCount()}
}

type formPage struct {
	base
	Form      orderForm
	Wrong     map[string]string // by field
	Services  []Service
	Addresses []Address
	Today     string
	Orders    []orderView // the latest of the person
}

func (s *Server) renderForm(w http.ResponseWriter, r *http.Request, status int, form orderForm, wrong map[string]string) {
	p := formPage{base: s.base(r, "Beställ", "index"), Form: form, Wrong: wrong, Services: s.services(), Addresses: DemoAddresses(),
		Today: s.options.Now().In(s.stockholm).Format(time.DateOnly)}
	p.Orders = s.latest(func(o Order) bool { return o.Customer.Serial == p.Person.Serial }, 5)
	s.render(w, status, "form", p)
}

type ordersPage struct {
	base
	Orders []orderView
	Total  int
}

// maxShown is how many orders the page of orders shows.
const maxShown = 100

func (s *Server) orderIndex(w http.ResponseWriter, r *http.Request) {
	p := ordersPage{base: s.base(r, "Beställningar", "index"), Total: len(s.Orders())}
	p.Orders = s.latest(func(Order) bool { return true }, maxShown)
	s.render(w, http.StatusOK, "orders", p)
}

type orderPage struct {
	base
	Order    orderView
	Follows  bool // the page loads itself again
	Statuses []statusView
}

type orderView struct {
	Order
	Name     string // of the status
	At, When string
	Provider string
	Lines    []line
}

// line is an entry of an order's log; Name is a status or a type of message.
type line struct {
	At, Name string
	Entry
}

type statusView struct {
	Code, Name string
	Current    bool
}

// refresh is how often the page of an order loads itself again.
const refresh = "5"

func (s *Server) orderShow(w http.ResponseWriter, r *http.Request) {
	o, ok := s.Order(r.PathValue("order"))
	if !ok {
		s.missing(w, r)
		return
	}
	p := orderPage{base: s.base(r, "Beställning "+o.ID, "index"), Order: s.view(o), Follows: r.FormValue("follow") != "off"}
	for _, status := range statuses {
		p.Statuses = append(p.Statuses, statusView{status, statusName(status), status == o.Status})
	}
	if p.Follows {
		w.Header().Set("Refresh", refresh)
	}
	s.render(w, http.StatusOK, "order", p)
}

// latest returns the newest orders that match, the newest first.
func (s *Server) latest(match func(Order) bool, n int) []orderView {
	var views []orderView
	for _, o := range slices.Backward(s.Orders()) {
		if match(o) && len(views) < n {
			views = append(views, s.view(o))
		}
	}
	return views
}

func (s *Server) view(o Order) orderView {
	provider := s.provider(o.XSP)
	v := orderView{Order: o, Name: statusName(o.Status), At: s.second(o.CreatedAt), When: "Så snart som möjligt", Provider: cmp.Or(provider.Name, o.XSP)}
	if !o.Delivery.IsZero() {
		v.When = o.Delivery.In(s.stockholm).Format(time.DateOnly)
	}
	for _, e := range o.Log {
		name := typeName(e.Type)
		if e.Status != "" {
			name = statusName(e.Status)
		}
		v.Lines = append(v.Lines, line{At: s.second(e.At), Name: name, Entry: e})
	}
	return v
}

type faultsPage struct {
	base
	Sections []doortest.Section
	Ops      []doortest.OpName
	Shape    Shape
	Shapes   []shapeView
}

type shapeView struct {
	Shape   Shape
	Name    string
	Current bool
}

func (s *Server) faultIndex(w http.ResponseWriter, r *http.Request) {
	p := faultsPage{base: s.base(r, "Fel", "faults"), Sections: s.FaultSections(), Ops: words.Ops}
	s.mu.Lock()
	p.Shape = s.state.Shape
	s.mu.Unlock()
	for _, shape := range Shapes {
		p.Shapes = append(p.Shapes, shapeView{shape, shapeNames[shape], shape == p.Shape})
	}
	s.render(w, http.StatusOK, "faults", p)
}

type logPage struct {
	base
	Requests []doortest.LogRow
	Total    int
}

func (s *Server) logIndex(w http.ResponseWriter, r *http.Request) {
	p := logPage{base: s.base(r, "Anrop", "log")}
	p.Requests, p.Total = s.LogRows(s.second)
	s.render(w, http.StatusOK, "log", p)
}
