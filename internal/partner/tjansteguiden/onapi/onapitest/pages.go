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

var pages = doortest.ParsePages("sv", files)

func (s *Server) routePages() {
	s.site = doortest.NewSite(s.Door, doortest.SiteOptions{Pages: pages, Clock: clock, Log: s.options.Log})
	s.site.HandleFunc("GET /{$}", s.orderIndex)
	s.site.HandleFunc("POST /orders/{order}/completion", s.end(func(r *http.Request, id string) bool { return s.Finish(id) }))
	s.site.HandleFunc("POST /orders/{order}/failure", s.end(func(r *http.Request, id string) bool {
		return s.Fail(id, cmp.Or(r.FormValue("message"), failedText))
	}))
}

// failedText is why an order fails if the page does not say why.
const failedText = "Ingen signal i uttaget."

var stateNames = map[string]string{Received: "Mottagen", InProgress: "Pågår", Succeeded: "Klar", Failed: "Misslyckad"}

var operationNames = map[string]string{Activate: "Aktivera", Deactivate: "Avaktivera", Change: "Byt till"}

// end answers a button that ends an order.
func (s *Server) end(do func(r *http.Request, id string) bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !do(r, r.PathValue("order")) {
			s.site.Missing(w, r)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

type ordersPage struct {
	Orders []orderRow
	Auto   bool
}

// orderRow is an order as its page shows it.
type orderRow struct {
	Order
	Asked, Name, At, Wish, Changed string
}

// orderIndex shows the orders, the last first.
func (s *Server) orderIndex(w http.ResponseWriter, r *http.Request) {
	p := ordersPage{Auto: s.options.Auto}
	for _, o := range slices.Backward(s.Orders()) {
		row := orderRow{Order: o, Asked: operationNames[o.Operation], Name: stateNames[o.State], At: clock(o.CreatedAt)}
		if !o.WishedFor.IsZero() {
			row.Wish = clock(o.WishedFor)
		}
		if o.ChangedAt.After(o.CreatedAt) {
			row.Changed = clock(o.ChangedAt)
		}
		p.Orders = append(p.Orders, row)
	}
	s.site.Show(w, r, http.StatusOK, "orders", "Ordrar", p)
}

var stockholm = doortest.Zone("Europe/Stockholm")

func clock(t time.Time) string { return t.In(stockholm).Format(time.DateTime) }
