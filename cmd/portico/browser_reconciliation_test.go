package main

import (
	"net/url"
	"testing"
	"time"
)

const reconciliationAddress = "/staff/reconciliation"

// seedDifferences makes orders that the two sides do not agree about: one in
// another state, one that only we have, one that only the partner has.
func (s *scene) seedDifferences() (lost, gone ordered) {
	s.t.Helper()
	const user = "MED30011_118"
	s.ago(26 * time.Hour)
	same := s.photo(ekoln, "")
	lost, gone = s.photo(kungsgatan, ""), s.photo(malma, "")
	s.reported(lost, gone, same)
	s.post("/faults", user, url.Values{"op": {"status"}, "kind": {"lost"}, "times": {"1"}})
	s.start(lost)
	s.deliver(lost, "Här är bilderna.", nil, "01 kök.jpg")
	s.reported(lost)
	s.post("/orders/"+gone.office+"/"+gone.number+"/removal", user, nil)
	s.unopened("expertfoto")
	return lost, gone
}

// unopened orders what the portal never hears of.
func (s *scene) unopened(service string) {
	s.t.Helper()
	const user = "MED30011_118"
	s.post("/faults", user, url.Values{"kind": {"unopened"}, "times": {"1"}})
	s.post("/estates/"+kungsgatan+"/orders", user, url.Values{"service": {service}})
}

// compare chooses the office and compares its orders now.
func (b *tab) compare(address string) {
	b.t.Helper()
	b.open(address + "?connection=vitec&office=M30011")
	b.press("form[action='" + reconciliationAddress + "'][method=post] button")
}

// TestScreensOfReconciliation looks at the screen in its states, and follows a
// lost report until both sides agree.
func TestScreensOfReconciliation(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	b := newTab(t, s.demoRun, speaking("sv"))
	s.logIn(b)
	address := s.portal + reconciliationAddress
	b.open(address)
	b.inspect("reconciliation-no-offices")
	lost, gone := s.seedDifferences()
	b.open(address)
	b.inspect("reconciliation-never")
	s.fault("list", "unavailable")
	b.compare(address)
	b.inspect("reconciliation-failed")
	s.fault("list", "unavailable")

	b.compare(address)
	b.inspect("reconciliation")
	b.unfold()
	b.inspect("reconciliation-unfolded")
	b.pressFor(422, "[data-testid=missing_there] form[action$='/acceptance'] button")
	b.inspect("reconciliation-fault")
	b.write("[data-testid=missing_there] textarea", "Kontoret har tagit bort den.")
	b.press("[data-testid=missing_there] form[action$='/acceptance'] button")
	b.press("[data-testid=missing_here] form[action$='/import'] button")
	b.press("[data-testid=state_differs] form[action$='/report'] button")
	s.reported(lost)
	b.compare(address)
	b.inspect("reconciliation-equal")
	b.unfold()
	b.inspect("reconciliation-accepted")
	b.open(s.simulator + "/estates/" + kungsgatan)
	b.sees(`[data-order="` + lost.number + `"] [data-testid=order-status][data-status=Delivered]`)
	b.open(s.portal + "/staff/orders/" + lost.public)
	b.inspect("work-reconciled")

	s.exec(`UPDATE services SET partner_service = ''`)
	s.unopened("expertfoto")
	s.unopened("energideklaration")
	b.compare(address)
	b.unfold()
	b.inspect("reconciliation-unmapped")
	b.pressFor(422, "[data-testid=others] form[action$='/import'] button")
	b.inspect("reconciliation-unchosen")

	s.exec(`UPDATE orders SET unverified = true WHERE id = $1`, gone.id) // as if anybody had sent it
	b.open(s.portal + "/staff/orders")
	b.sees("[data-testid=order-row] [data-testid=unverified]")
	b.inspect("queue-unverified")
}
