package tjansteguidentest

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// people are who acts, and who else may.
type people struct {
	Person Person
	People []Person
}

func (s *Server) people(r *http.Request) any { return people{s.acting(r), DemoPeople()} }

type formPage struct {
	Form      orderForm
	Wrong     map[string]string // by field
	Services  []Service
	Addresses []Address
	Today     string
	Orders    []orderView // the latest of the person
}

func (s *Server) renderForm(w http.ResponseWriter, r *http.Request, status int, form orderForm, wrong map[string]string) {
	person := s.acting(r)
	p := formPage{Form: form, Wrong: wrong, Services: s.services(), Addresses: DemoAddresses(),
		Today: s.options.Now().In(stockholm).Format(time.DateOnly)}
	p.Orders = s.latest(func(o Order) bool { return o.Customer.Serial == person.Serial }, 5)
	s.site.Show(w, r, status, "form", "Beställ", p)
}

type ordersPage struct {
	Orders []orderView
	Total  int
}

// maxShown is how many orders the page of orders shows.
const maxShown = 100

func (s *Server) orderIndex(w http.ResponseWriter, r *http.Request) {
	p := ordersPage{Total: len(s.Orders())}
	p.Orders = s.latest(func(Order) bool { return true }, maxShown)
	s.site.Show(w, r, http.StatusOK, "orders", "Beställningar", p)
}

type orderPage struct {
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
		s.site.Missing(w, r)
		return
	}
	p := orderPage{Order: s.view(o), Follows: r.FormValue("follow") != "off"}
	for _, status := range statuses {
		p.Statuses = append(p.Statuses, statusView{status, statusName(status), status == o.Status})
	}
	if p.Follows {
		w.Header().Set("Refresh", refresh)
	}
	s.site.Show(w, r, http.StatusOK, "order", "Beställning "+o.ID, p)
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
	v := orderView{Order: o, Name: statusName(o.Status), At: second(o.CreatedAt), When: "Så snart som möjligt", Provider: cmp.Or(provider.Name, o.XSP)}
	if !o.Delivery.IsZero() {
		v.When = o.Delivery.In(stockholm).Format(time.DateOnly)
	}
	for _, e := range o.Log {
		name := typeName(e.Type)
		if e.Status != "" {
			name = statusName(e.Status)
		}
		v.Lines = append(v.Lines, line{At: second(e.At), Name: name, Entry: e})
	}
	return v
}

// unknowns are what the page of faults can set beside them.
type unknowns struct{ Shapes []shapeView }

type shapeView struct {
	Shape   Shape
	Name    string
	Current bool
}

func (s *Server) unknowns(*http.Request) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	var u unknowns
	for _, shape := range Shapes {
		u.Shapes = append(u.Shapes, shapeView{shape, shapeNames[shape], shape == s.state.Shape})
	}
	return u
}
