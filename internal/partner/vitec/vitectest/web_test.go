package vitectest

import (
	"strings"
	"testing"

	"portico/internal/partner/door/doortest"
)

func newBrowser(t *testing.T, s *Server) *doortest.Browser {
	t.Helper()
	return doortest.NewBrowser(t, s.URL, `lang="sv"`, "Detta är inte Vitec Express")
}

const (
	callback = "https://portal.example/callback/foto"
	flat     = "/estates/OBJ30011_1684210"
)

func TestOrderOnThePages(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Services: []Service{{ID: "foto", Name: "Expertfoto", CallbackURL: callback}}})
	b := newBrowser(t, s)
	b.Sees("/", "Kungsängsgatan 21 B", "M30011")
	if status, location := b.Post("/acting", "user", "MED30011_124", "estate", "OBJ30011_1684210"); status != 303 || location != flat {
		t.Errorf("acting: %d %s", status, location)
	}
	b.Sees(flat, `data-testid="service-foto"`, "Inget är beställt")
	status, location := b.Post(flat+"/orders", "service", "foto")
	if status != 303 || !strings.HasPrefix(location, callback+"?customerId=M30011&token=%2B%2F") {
		t.Fatalf("order: %d %s", status, location)
	}
	o := s.Orders()[0]
	if o.User != "MED30011_124" || o.Owner != "MED30011_118" || o.ServiceID != "foto" {
		t.Errorf("order %+v", o)
	}
	order := "/orders/M30011/" + o.ID
	for _, form := range []string{"", "1"} {
		if status, again := b.Post(order+"/openings", "expired", form); status != 303 || again == location {
			t.Errorf("opening %q: %d %s", form, status, again)
		}
	}
	send(t, "PUT", s.URL+"/Service/Order/Status/M30011", "one", `{"id": "`+o.ID+`", "status": "Error", "comment": "<b>Ingen nyckel"}`)
	send(t, "PUT", s.URL+"/Service/Order/UserInteraction/M30011", "one", `{"id": "`+o.ID+`", "url": "https://portal.example/visit/x", "comment": "När?"}`)
	b.Sees(flat, `data-status="Error"`, "&lt;b&gt;Ingen nyckel", "När?", order+"/interactions/1")
	if status, location, _ := b.Get(order + "/interactions/1"); status != 303 || location != "https://portal.example/visit/x" {
		t.Errorf("question: %d %s", status, location)
	}
	b.Post("/settings", "link_token", "on")
	if _, location, _ := b.Get(order + "/interactions/1"); !strings.HasPrefix(location, "https://portal.example/visit/x?customerId=M30011&token=%2B%2F") {
		t.Errorf("question with token: %s", location)
	}
	b.Sees("/log", "/Service/Order/Status/M30011", "Fråga till användaren, utfört")
}

func TestPagesRefuse(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Services: []Service{{ID: "foto", Name: "Expertfoto", CallbackURL: callback}}})
	b := newBrowser(t, s)
	b.Misses([]string{"/x", "/estates/x", "/orders/M30011/x/interactions/1", "/templates/layout.html"}, map[string][]string{
		"/acting":                          {"user", "x"},
		flat + "/orders":                   {"service", "x"},
		"/estates/OBJ30420_0417720/orders": {"service", "foto"}, // another office's
		"/orders/M30011/x/openings":        {},
		"/faults":                          {"kind", "x"},
	})
	if status := b.PostFromElsewhere(flat + "/orders?service=foto"); status != 403 || len(s.Orders()) != 0 {
		t.Errorf("an order from another site: %d", status)
	}
	b.Sees("/estates/OBJ30420_0417720", `data-testid="not-own"`)
}

func TestFaultSwitches(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	b := newBrowser(t, s)
	for _, info := range faultInfos {
		b.Sees("/faults", `data-testid="fault-`+string(info.Kind)+`"`)
	}
	b.Post("/faults", "kind", "server_error", "op", "status", "times", "3")
	b.Post("/faults", "kind", "expired", "op", "list") // happens to tokens only
	b.Sees("/faults", "På för: Sätt status, 3 anrop kvar", "På för: Alla anrop, tills vidare", "2 på")
	if f := s.TakeFault(OpToken); f.Kind != FaultExpired {
		t.Errorf("fault %+v", f)
	}
	b.Post("/faults", "kind", "server_error")
	if f := s.TakeFault(OpStatus); f.Kind != "" {
		t.Errorf("still on: %+v", f)
	}
	b.Post("/faults")
	if f := s.TakeFault(OpToken); f.Kind != "" {
		t.Errorf("still on: %+v", f)
	}
}
