package onapitest

import (
	"cmp"
	"embed"
	"net/http"
	"slices"
	"time"

	"portico/internal/partner/door/doortest"
)

//go:embed templates style.css
var files embed.FS

var pages = doortest.ParsePages(files)

func (s *Server) routePages(mux *http.ServeMux) {
	site := http.NewServeMux()
	site.HandleFunc("GET /{$}", s.orderIndex)
	site.HandleFunc("POST /orders/{order}/completion", s.end(func(r *http.Request, id string) bool { return s.Finish(id) }))
	site.HandleFunc("POST /orders/{order}/failure", s.end(func(r *http.Request, id string) bool {
		return s.Fail(id, cmp.Or(r.FormValue("message"), failedText))
	}))
	site.HandleFunc("GET /faults", s.faultIndex)
	site.HandleFunc("POST /faults", s.SwitchFaults(s.missing))
	site.HandleFunc("GET /log", s.logIndex)
	site.HandleFunc("GET /style.css", pages.Style)
	site.HandleFunc("/", s.missing)
	mux.Handle("/", http.NewCrossOriginProtection().Handler(site))
}

// failedText is why an order fails if the page does not say why.
const failedText = "Ingen signal i uttaget."

var stateNames = map[string]string{Received: "Mottagen", InProgress: "Pågår", Succeeded: "Klar", Failed: "Misslyckad"}

var operationNames = map[string]string{Activate: "Aktivera", Deactivate: "Avaktivera", Change: "Byt till"}

func (s *Server) render(w http.ResponseWriter, status int, name string, page any) {
	if err := pages.Render(w, status, name, page); err != nil {
		s.options.Log.Error("render a page of the simulator", "error", err)
		http.Error(w, "Sidan kunde inte visas.", http.StatusInternalServerError)
	}
}

func (s *Server) missing(w http.ResponseWriter, _ *http.Request) {
	s.render(w, http.StatusNotFound, "missing", s.base("Sidan finns inte", ""))
}

// end answers a button that ends an order.
func (s *Server) end(do func(r *http.Request, id string) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !do(r, r.PathValue("order")) {
			s.missing(w, r)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// base is what every page shows.
type base struct {
	Title  string
	Tab    string
	Faults int // how many are on
}

func (s *Server) base(title, tab string) base {
	return base{Title: title, Tab: tab, Faults: s.FaultCount()}
}

type ordersPage struct {
	base
	Orders []orderRow
	Auto   bool
}

// orderRow is an order as its page shows it.
type orderRow struct {
	Order
	Asked, Name, At, Wish, Changed string
}

// orderIndex shows the orders, the last first.
func (s *Server) orderIndex(w http.ResponseWriter, _ *http.Request) {
	p := ordersPage{base: s.base("Ordrar", "index"), Auto: s.options.Auto}
	for _, o := range slices.Backward(s.Orders()) {
		row := orderRow{Order: o, Asked: operationNames[o.Operation], Name: stateNames[o.State], At: s.clock(o.CreatedAt)}
		if !o.WishedFor.IsZero() {
			row.Wish = s.clock(o.WishedFor)
		}
		if o.ChangedAt.After(o.CreatedAt) {
			row.Changed = s.clock(o.ChangedAt)
		}
		p.Orders = append(p.Orders, row)
	}
	s.render(w, http.StatusOK, "orders", p)
}

func (s *Server) clock(t time.Time) string { return t.In(s.stockholm).Format("2006-01-02 15:04:05") }

type faultsPage struct {
	base
	Sections []doortest.Section
	Ops      []doortest.OpName
}

func (s *Server) faultIndex(w http.ResponseWriter, _ *http.Request) {
	s.render(w, http.StatusOK, "faults", faultsPage{base: s.base("Fel", "faults"), Sections: s.FaultSections(), Ops: words.Ops})
}

type logPage struct {
	base
	Requests []doortest.LogRow
	Total    int
}

func (s *Server) logIndex(w http.ResponseWriter, _ *http.Request) {
	p := logPage{base: s.base("Anrop", "log")}
	p.Requests, p.Total = s.LogRows(s.clock)
	s.render(w, http.StatusOK, "log", p)
}
