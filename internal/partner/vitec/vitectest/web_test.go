package vitectest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// browser keeps cookies and stays where it is sent to.
type browser struct {
	t    *testing.T
	base string
	http *http.Client
}

func newBrowser(t *testing.T, s *Server) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, s.URL, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

func (b *browser) do(req *http.Request, err error) (int, string, string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Location"), string(body)
}

func (b *browser) get(path string) (status int, location, body string) {
	b.t.Helper()
	return b.do(http.NewRequestWithContext(b.t.Context(), "GET", b.base+path, nil))
}

func (b *browser) post(path string, pairs ...string) (int, string) {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	req, err := http.NewRequestWithContext(b.t.Context(), "POST", b.base+path, strings.NewReader(form.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	status, location, _ := b.do(req, err)
	return status, location
}

func (b *browser) sees(page string, wants ...string) {
	b.t.Helper()
	status, _, body := b.get(page)
	if status != http.StatusOK {
		b.t.Errorf("%s: status %d", page, status)
	}
	for _, want := range append(wants, `lang="sv"`, "Detta är inte Vitec Express") {
		if !strings.Contains(body, want) {
			b.t.Errorf("%s: no %q", page, want)
		}
	}
}

const (
	callback = "https://portal.example/callback/foto"
	flat     = "/estates/OBJ30011_1684210"
)

func TestOrderOnThePages(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Services: []Service{{ID: "foto", Name: "Expertfoto", CallbackURL: callback}}})
	b := newBrowser(t, s)
	b.sees("/", "Kungsängsgatan 21 B", "M30011")
	if status, location := b.post("/acting", "user", "MED30011_124", "estate", "OBJ30011_1684210"); status != 303 || location != flat {
		t.Errorf("acting: %d %s", status, location)
	}
	b.sees(flat, `data-testid="service-foto"`, "Inget är beställt")
	status, location := b.post(flat+"/orders", "service", "foto")
	if status != 303 || !strings.HasPrefix(location, callback+"?customerId=M30011&token=%2B%2F") {
		t.Fatalf("order: %d %s", status, location)
	}
	o := s.Orders()[0]
	if o.User != "MED30011_124" || o.Owner != "MED30011_118" || o.ServiceID != "foto" {
		t.Errorf("order %+v", o)
	}
	order := "/orders/M30011/" + o.ID
	for _, form := range []string{"", "1"} {
		if status, again := b.post(order+"/openings", "expired", form); status != 303 || again == location {
			t.Errorf("opening %q: %d %s", form, status, again)
		}
	}
	send(t, "PUT", s.URL+"/Service/Order/Status/M30011", "one", `{"id": "`+o.ID+`", "status": "Error", "comment": "<b>Ingen nyckel"}`)
	send(t, "PUT", s.URL+"/Service/Order/UserInteraction/M30011", "one", `{"id": "`+o.ID+`", "url": "https://portal.example/visit/x", "comment": "När?"}`)
	b.sees(flat, `data-status="Error"`, "&lt;b&gt;Ingen nyckel", "När?", order+"/interactions/1")
	if status, location, _ := b.get(order + "/interactions/1"); status != 303 || location != "https://portal.example/visit/x" {
		t.Errorf("question: %d %s", status, location)
	}
	b.post("/settings", "link_token", "on")
	if _, location, _ := b.get(order + "/interactions/1"); !strings.HasPrefix(location, "https://portal.example/visit/x?customerId=M30011&token=%2B%2F") {
		t.Errorf("question with token: %s", location)
	}
	b.sees("/log", "/Service/Order/Status/M30011", "Fråga till användaren, utfört")
}

func TestPagesRefuse(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Services: []Service{{ID: "foto", Name: "Expertfoto", CallbackURL: callback}}})
	b := newBrowser(t, s)
	for _, path := range []string{"/x", "/estates/x", "/orders/M30011/x/interactions/1", "/templates/layout.html"} {
		if status, _, body := b.get(path); status != 404 || !strings.Contains(body, "Sidan finns inte") {
			t.Errorf("%s: %d", path, status)
		}
	}
	for path, pairs := range map[string][]string{
		"/acting":                          {"user", "x"},
		flat + "/orders":                   {"service", "x"},
		"/estates/OBJ30420_0417720/orders": {"service", "foto"}, // another office's
		"/orders/M30011/x/openings":        {},
		"/faults":                          {"kind", "x"},
	} {
		if status, _ := b.post(path, pairs...); status != 404 {
			t.Errorf("%s: %d, want 404", path, status)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+flat+"/orders?service=foto", nil)
	if err == nil {
		req.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	if status, _, _ := b.do(req, err); status != 403 || len(s.Orders()) != 0 {
		t.Errorf("an order from another site: %d", status)
	}
	b.sees("/estates/OBJ30420_0417720", `data-testid="not-own"`)
}

func TestFaultSwitches(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	b := newBrowser(t, s)
	for _, info := range faultInfos {
		b.sees("/faults", `data-testid="fault-`+string(info.Kind)+`"`)
	}
	b.post("/faults", "kind", "server_error", "op", "status", "times", "3")
	b.post("/faults", "kind", "expired", "op", "list") // happens to tokens only
	b.sees("/faults", "På för: Sätt status, 3 anrop kvar", "På för: Alla anrop, tills vidare", "2 på")
	if f := s.takeFault(OpToken); f.Kind != FaultExpired {
		t.Errorf("fault %+v", f)
	}
	b.post("/faults", "kind", "server_error")
	if f := s.takeFault(OpStatus); f.Kind != "" {
		t.Errorf("still on: %+v", f)
	}
	b.post("/faults")
	if f := s.takeFault(OpToken); f.Kind != "" {
		t.Errorf("still on: %+v", f)
	}
}
