package onapitest

import (
	"strings"
	"testing"

	"portico/internal/partner/door/doortest"
)

func newBrowser(t *testing.T, c *caller) *doortest.Browser {
	t.Helper()
	return doortest.NewBrowser(t, c.URL, `lang="sv"`, "Simulerat stadsnät")
}

func TestOrdersOnThePage(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Auto: true})
	b := newBrowser(t, c)
	b.Sees("/", "Inga ordrar ännu", "klar efter tio")
	_, done := c.place(Activate, "AB100100", "")
	_, failed := c.place(Activate, "IPTV", `,"requestedDateTime":"2040-01-02T00:00:00Z"`)
	b.Sees("/", `data-order="`+done+`"`, `data-status="RECEIVED">Mottagen`, "Aktivera AB100100 på KC1", `data-testid="order-finish"`, `data-testid="order-fail"`, "2040-01-02 01:00:00")
	for _, path := range []string{"/orders/" + done + "/completion", "/orders/" + failed + "/failure"} {
		if status, location := b.Post(path); status != 303 || location != "/" {
			t.Errorf("%s: %d %s", path, status, location)
		}
		if status, _ := b.Post(path); status != 404 {
			t.Errorf("%s again: %d", path, status)
		}
	}
	b.Sees("/", `data-status="DONE_SUCCESS">Klar`, `data-status="DONE_FAILED">Misslyckad`, failedText)
	if _, _, body := b.Get("/"); strings.Contains(body, "order-finish") {
		t.Error("a closed order has buttons")
	}
	b.Sees("/log", "Ny order", "AB100100")
}

func TestPagesRefuse(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	b := newBrowser(t, c)
	_, id := c.place(Activate, "AB100100", "")
	b.Misses([]string{"/x", "/orders/" + id, "/templates/orders.html"}, map[string][]string{"/faults": {"kind", "x"}})
	if status := b.PostFromElsewhere("/orders/" + id + "/completion"); status != 403 || c.state(id) != Received {
		t.Errorf("a button on another site: %d", status)
	}
}

func TestFaultsOnThePage(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	b := newBrowser(t, c)
	for _, info := range faultInfos {
		b.Sees("/faults", `data-testid="fault-`+string(info.Kind)+`"`)
	}
	b.Post("/faults", "kind", "conflict", "op", "place", "times", "3")
	b.Sees("/faults", "På för: Ny order, 3 anrop kvar", "1 på")
	if status, _ := c.place(Activate, "AB100100", ""); status != 409 {
		t.Errorf("with the fault on: %d", status)
	}
	if status, _, _ := b.Get("/style.css"); status != 200 {
		t.Errorf("style: %d", status)
	}
}
