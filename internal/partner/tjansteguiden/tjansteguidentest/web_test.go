package tjansteguidentest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"portico/internal/partner/door/doortest"
)

func newBrowser(t *testing.T, c *caller) *doortest.Browser {
	t.Helper()
	return doortest.NewBrowser(t, c.URL, `lang="sv"`, "Detta är inte Tjänsteguiden")
}

// filled returns a form that can be ordered, with some fields changed.
func filled(pairs ...string) []string {
	return append([]string{"socket", "KC0101A07", "service", "2440", "firstname", "Anton", "surname", "Testblom",
		"serial", "19850412-2386", "email", "anton@epost.example", "phone", "0701740606", "message", "Ring <b>först"}, pairs...)
}

func startPages(t *testing.T) (*caller, *doortest.Browser) {
	t.Helper()
	at := time.Date(2026, 11, 1, 23, 30, 0, 0, time.UTC) // the second of November in Sweden
	c := start(t, Options{Now: func() time.Time { return at }})
	c.SetServices(Service{ID: "2440", UID: "AB100100", Name: "Bredband 100/100"}, Service{ID: "2441", UID: "AB250", Name: "Bredband 250/250"})
	return c, newBrowser(t, c)
}

func TestOrderOnThePages(t *testing.T) {
	t.Parallel()
	c, b := startPages(t)
	b.Sees("/", "Testgatan 10 B", `value="19900101-2385"`, "Bredband 250/250", `data-testid="order-button"`, "Inget är beställt")
	if status, location := b.Post("/acting", "user", "anton"); status != 303 || location != "/" {
		t.Errorf("acting: %d %s", status, location)
	}
	b.Sees("/", `value="KC0101A07" selected`, `value="19850412-2386"`)
	status, location := b.Post("/orders", filled("delivery", "2026-11-02")...)
	if status != 303 || location != "/orders/19530" {
		t.Fatalf("order: %d %s", status, location)
	}
	o := c.Orders()[0]
	if o.ServiceUID != "AB100100" || o.Customer.Socket != "KC0101A07" || o.Customer.Serial != "198504122386" || o.Status != StatusNew ||
		o.Customer.Data["premise"] != "1003" || o.Customer.Data["message"] != "Ring <b>först" {
		t.Errorf("order %+v", o)
	}
	if _, body := c.tl("method=orders&date=2026-11-02"); !strings.Contains(body, "<delivery>2026-11-02 00:00:00<") {
		t.Errorf("list %s", body)
	}
	b.Sees(location, `data-testid="order-id">19530<`, `data-status="new">Ny<`, "Ring &lt;b&gt;först", "Sluta uppdatera")
	c.tl("method=set_status&status=received&id=19530")
	c.tl("method=add_message&api_user=1234&type=alert&message=%3Ci%3EHej&id=19530")
	if status, back := b.Post(location+"/status", "status", "waiting"); status != 303 || back != location {
		t.Errorf("the network: %d %s", status, back)
	}
	b.Sees(location+"?follow=off", `data-testid="order-status" data-status="waiting">Väntar<`, "<b>Mottagen</b>", "&lt;i&gt;Hej", "Viktigt", Network)
	b.Sees("/orders", `data-order="19530"`, "Anton Testblom")
	b.Sees("/log", `data-op="set_status"`, "Sätt status (set_status), utfört")
	if c.Statuses("19530")[0] != "received" || len(c.Statuses("19530")) != 1 {
		t.Errorf("statuses %v", c.Statuses("19530"))
	}
}

func TestAnOrderThatIsDeliveredAtOnce(t *testing.T) {
	t.Parallel()
	c, b := startPages(t)
	b.Post("/orders", filled("direct", "1")...)
	if o := c.Orders()[0]; o.Status != StatusDelivered || !o.Delivery.IsZero() {
		t.Errorf("order %+v", o)
	}
}

func TestTheFormRefuses(t *testing.T) {
	t.Parallel()
	c, b := startPages(t)
	for _, tt := range [][2]string{{"socket", "X"}, {"service", "1"}, {"firstname", " "}, {"surname", ""}, {"email", "anton"}, {"email", "Anton <a@b.example>"},
		{"serial", "19850412-2385"}, {"serial", "8504122386"}, {"serial", "19851341-2386"}, {"serial", "abcdefghijkl"}, {"delivery", "2026-11-01"}, {"delivery", "i morgon"}} {
		if status, location := b.Post("/orders", filled(tt[0], tt[1])...); status != http.StatusUnprocessableEntity || location != "" {
			t.Errorf("%v: %d %s", tt, status, location)
		}
	}
	if len(c.Orders()) != 0 {
		t.Errorf("%d orders", len(c.Orders()))
	}
	form := strings.NewReader("socket=KC0101A07&surname=T%22est")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL+"/orders", form)
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	_, _, body := b.Do(req, err)
	for _, want := range []string{`data-testid="refused"`, `value="T&#34;est"`, "Välj en tjänst.", "Fyll i namnet.", "Skriv en e-postadress."} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q", want)
		}
	}
}

func TestPagesRefuse(t *testing.T) {
	t.Parallel()
	c, b := startPages(t)
	c.AddOrder(Order{ID: "7"})
	b.Misses([]string{"/x", "/orders/8", "/plain", "/templates/layout.html"}, map[string][]string{
		"/acting":          {"user", "x"},
		"/orders/8/status": {"status", "active"},
		"/orders/7/status": {"status", "x"},
		"/faults":          {"kind", "x"},
		"/shape":           {"shape", "x"},
	})
	if status := b.PostFromElsewhere("/orders/7/status?status=active"); status != 403 {
		t.Errorf("a status from another site: %d", status)
	}
	if o, _ := c.Order("7"); o.Status != StatusNew {
		t.Errorf("status %s", o.Status)
	}
}

func TestSwitches(t *testing.T) {
	t.Parallel()
	c, b := startPages(t)
	for _, info := range faultInfos {
		b.Sees("/faults", `data-testid="fault-`+string(info.Kind)+`"`)
	}
	b.Post("/faults", "kind", "server_error", "op", "set_status", "times", "3")
	b.Post("/faults", "kind", "no_socket", "op", "orders") // happens to customer_info only
	b.Sees("/faults", "På för: Sätt status (set_status), 3 anrop kvar", "På för: Alla anrop, tills vidare", "2 på")
	b.Post("/faults")
	b.Post("/shape", "shape", "nested")
	b.Sees("/faults", `value="nested" selected`)
	if _, body := c.tl("method=orders&date=2026-11-02"); !strings.Contains(body, "<Atlas_Serviceguide>") {
		t.Errorf("the shape of %s", body)
	}
	b.Post("/logout")
	if status, _ := c.tl("method=orders&date=2026-11-02"); status != http.StatusBadRequest {
		t.Errorf("after every hash has gone: %d", status)
	}
}

func TestDemoPeople(t *testing.T) {
	t.Parallel()
	for _, p := range DemoPeople() {
		if _, ok := address(p.Socket); !ok || !validSerial(p.Serial) || !strings.HasSuffix(p.Email, ".example") {
			t.Errorf("%+v", p)
		}
	}
}
