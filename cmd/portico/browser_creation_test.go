package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const (
	newOrderAddress = "/staff/orders/new"
	createButton    = "form.new-order button"
)

// core returns the address of the second simulator.
func (s *scene) core() string {
	s.t.Helper()
	var base string
	s.check(s.sql.QueryRowContext(s.t.Context(), `SELECT settings -> 'tenants' -> 0 ->> 'base_url' FROM connections WHERE system = 'visma'`).Scan(&base))
	address, _, _ := strings.Cut(base, "/core/")
	return address
}

// atCore presses a button of the second simulator and returns where that leads.
func (s *scene) atCore(path string, form url.Values) *url.URL {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.core()+path, strings.NewReader(form.Encode()))
	s.check(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultTransport.RoundTrip(r)
	s.check(err)
	s.check(answer.Body.Close())
	to, err := answer.Location()
	s.check(err)
	return to
}

// creates fills in the form for a new order and sends it.
func (b *tab) creates(status int, service, target string) {
	b.t.Helper()
	b.do("choose a service", chromedp.SetValue(visible("#service"), service))
	b.do("choose an office", chromedp.SetValue(visible("#office"), "14"))
	b.do("name the target", chromedp.SetValue(visible("#target"), target))
	b.pressFor(status, createButton)
}

// TestScreensOfNewOrder makes orders at the partner, in every way in which that
// ends, and takes an insurance through its steps.
func TestScreensOfNewOrder(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	b := newTab(t, s.demoRun, speaking("nb"))
	s.logIn(b)
	queue := s.portal + "/staff/orders"
	b.open(queue)
	b.press("a[href='" + newOrderAddress + "']")
	b.focusShows("new-order")
	b.steady("new-order", s.portal+newOrderAddress)
	b.inspect("new-order")
	b.pressFor(422, createButton)
	b.inspect("new-order-faults")
	b.creates(422, "boligforsikring", "99999")
	b.reads("Kontoret har ikke noe oppdrag med id 99999.")
	for kind, c := range map[string]struct {
		status int
		says   string
	}{
		"forbidden":   {422, "Visma Core lar oss ikke opprette bestillinger."},
		"unavailable": {503, "Ingenting er opprettet."},
		"stored_drop": {503, "Vi vet ikke om bestillingen ble opprettet."},
	} {
		s.atCore("/faults", url.Values{"op": {"create"}, "kind": {kind}, "times": {"1"}})
		b.creates(c.status, "boligforsikring", "66115")
		b.reads(c.says)
		b.inspect("new-order-" + kind)
	}

	b.creates(200, "boligfoto", "66131")
	b.reads("Bestillingen er opprettet i Visma Core.", "Rjuvenvegen 311, 5713 Vossestrand")
	b.inspect("work-created")
	b.open(s.portal + newOrderAddress)
	b.creates(200, "boligforsikring", "66115")
	work := eval[string](b, "location.href")
	for _, step := range []string{"policy_issued", "policy_activated"} {
		b.inspect("work-" + step)
		b.press("#" + step + "-form button")
	}
	b.reopens(work, "[data-testid=reports] [data-testid=job][data-state=completed]:last-child")
	b.reads("Nygårdsgaten 84 C, 5008 Bergen", "Forsikring i kraft")
	s.exec(`UPDATE orders SET unproven = true WHERE public_id = $1`, work[strings.LastIndexByte(work, '/')+1:])
	b.open(work)
	b.inspect("work-insured")
	b.open(queue)
	b.sees("[data-testid=order-row] [data-testid=unproven]")
	b.inspect("queue-unproven")

	var number string
	s.check(s.sql.QueryRowContext(t.Context(), `SELECT partner_order_id FROM orders WHERE service_id = 'boligforsikring'`).Scan(&number))
	broker := newTab(t, s.demoRun, speaking("nb"))
	broker.open(s.atCore("/orders/"+number+"/openings", nil).String())
	broker.reads("Nygårdsgaten 84 C, 5008 Bergen", "14-25-0117")
	broker.inspect("order-insured")
}
