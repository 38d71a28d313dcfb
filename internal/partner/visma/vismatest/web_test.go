package vismatest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"portico/internal/partner/door/doortest"
)

func newBrowser(t *testing.T, c *caller) *doortest.Browser {
	t.Helper()
	return doortest.NewBrowser(t, c.URL, `lang="nb"`, "Dette er ikke Visma Core")
}

const (
	callback = "https://portal.example/callback/foto"
	flat     = "/cases/66115"
)

func TestOrderOnThePages(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Services: []Service{{ID: "foto", Name: "Boligfoto", URL: callback}}})
	b := newBrowser(t, c)
	b.Sees("/", "Nygårdsgaten 84 C", `data-testid="tenant">14`)
	if status, location := b.Post("/acting", "user", "502", "case", "66115"); status != 303 || location != flat {
		t.Errorf("acting: %d %s", status, location)
	}
	b.Sees(flat, `data-testid="service-foto"`, "Ingenting er bestilt", `data-state="Completed" data-done="false"`)
	status, location := b.Post(flat+"/orders", "service", "foto")
	u, err := url.Parse(location)
	if err != nil || status != 303 || !strings.HasPrefix(location, callback+"?") {
		t.Fatalf("order: %d %s", status, location)
	}
	o := c.Orders()[0]
	q := u.Query()
	if o.User != 502 || o.ServiceID != "foto" || q.Get("StreamOrderId") != o.GUID || q.Get("caseId") != "66115" || q.Get("tenantId") != "14" ||
		q.Get("flowUrl") != c.URL+"/core/14/flow/" || q.Get("token") == "" || q.Get("customerName") == "" {
		t.Errorf("order %+v, address %s", o, location)
	}
	for _, form := range []string{"", "1"} {
		if status, again := b.Post("/orders/"+o.GUID+"/openings", "expired", form); status != 303 || again == location || !strings.HasPrefix(again, callback) {
			t.Errorf("opening %q: %d %s", form, status, again)
		}
	}
	c.send("PATCH", apiBase+"marketingintegrators/orders/"+o.GUID, `{"Title": "Foto <b>", "ActionText": "Svar leverandøren", "Metadata": [{"Key": "Pris", "Value": "2 490 NOK"}]}`)
	c.send("POST", apiBase+"marketingintegrators/orders/"+o.GUID+"/updatestate", `{"State": "MissingInfo", "Status": "Hvilken dag?"}`)
	c.send("POST", apiBase+"marketingintegrators/orders/"+o.GUID+"/updatestate", `{"State": "Completed", "Status": "Levert"}`)
	b.Sees(flat, "Foto &lt;b&gt;", "Svar leverandøren", "Hvilken dag?", "Levert", "<dt>Pris</dt><dd>2 490 NOK</dd>", `data-status="Completed"`,
		`data-state="Completed" data-done="true"`, `data-state="InProcess" data-done="false"`)
	b.Sees("/log", "updatestate", "Ny status (updatestate), utført")
}

func TestOtherWaysIn(t *testing.T) {
	t.Parallel()
	gives := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case !strings.Contains(string(body), `"client_secret":"hemmelig"`):
			w.WriteHeader(http.StatusUnauthorized)
		case strings.Contains(string(body), "grant_type"):
			io.WriteString(w, `{"access_token":"ours-2"}`)
		default:
			io.WriteString(w, `{"token":"ours-1"}`)
		}
	}))
	defer gives.Close()
	service := func(id, auth, secret string) Service {
		return Service{ID: id, Name: id, URL: callback, AuthType: auth, TokenURL: gives.URL, Login: "core", Secret: secret, Query: map[string]string{"token": "t"}}
	}
	c := start(t, Options{Services: []Service{service("a", "oauth_simplified", "hemmelig"), service("b", "oauth", "hemmelig"),
		service("c", "basic", "hemmelig"), service("d", "oauth", "feil")}})
	b := newBrowser(t, c)
	for id, want := range map[string]string{"a": callback + "?t=ours-1", "b": callback + "?t=ours-2", "c": callback + "?t=Y29yZTpoZW1tZWxpZw%3D%3D", "d": flat + "?failed=1"} {
		if _, location := b.Post(flat+"/orders", "service", id); location != want {
			t.Errorf("%s: %s", id, location)
		}
	}
	b.Sees(flat+"?failed=1", `data-testid="failed"`)
}

func TestPagesRefuse(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Services: []Service{{ID: "foto", Name: "Foto", URL: callback}}})
	b := newBrowser(t, c)
	theirs := c.NewOrder(Order{Tenant: "22", ServiceID: "foto"})
	b.Misses([]string{"/x", "/cases/x", "/cases/70402", "/templates/layout.html"}, map[string][]string{
		"/acting":                              {"user", "x"},
		flat + "/orders":                       {"service", "x"},
		"/cases/70402/orders":                  {"service", "foto"}, // another customer's
		"/orders/x/openings":                   {},
		"/faults":                              {"kind", "x"},
		"/permissions":                         {"permission", "x"},
		"/orders/" + theirs.GUID + "/openings": {},
	})
	if status := b.PostFromElsewhere(flat + "/orders?service=foto"); status != 403 || len(c.Orders()) != 1 {
		t.Errorf("an order from another site: %d", status)
	}
}

func TestSwitches(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	b := newBrowser(t, c)
	for _, info := range faultInfos {
		b.Sees("/faults", `data-testid="fault-`+string(info.Kind)+`"`)
	}
	b.Post("/faults", "kind", "server_error", "op", "state", "times", "3")
	b.Post("/faults", "kind", "other_order", "op", "update") // happens to tokens only
	b.Sees("/faults", "På for: Ny status (updatestate), 3 kall igjen", "På for: Alle kall, til det slås av", "2 på")
	if f := c.TakeFault(OpVerify); f.Kind != FaultOtherOrder {
		t.Errorf("fault %+v", f)
	}
	b.Post("/faults", "kind", "server_error")
	b.Post("/faults")
	if f := c.TakeFault(OpState); f.Kind != "" {
		t.Errorf("still on: %+v", f)
	}
	b.Post("/permissions", "permission", PermissionOrders)
	if status, _ := c.send("PATCH", apiBase+"marketingintegrators/orders/1", `{}`); status != 403 {
		t.Errorf("without the permission: %d", status)
	}
	b.Post("/permissions", "permission", PermissionOrders)
	b.Post("/throttle", "throttle", "on")
	b.Sees("/faults", `aria-checked="true" aria-labelledby="throttle"`)
	for i := range pageLimit + 1 {
		if status, _ := c.send("PATCH", apiBase+"marketingintegrators/orders/1", `{}`); (status == 429) != (i == pageLimit) {
			t.Errorf("call %d: %d", i, status)
		}
	}
	b.Post("/throttle", "throttle", "off")
	if status, _ := c.send("PATCH", apiBase+"marketingintegrators/orders/1", `{}`); status != 404 {
		t.Errorf("afterwards: %d", status)
	}
}
