package main

import (
	"bytes"
	"testing"
	"time"

	"portico/views"
)

// caseStreet is what the demo's case in Visma Core is called.
const caseStreet = "Nygårdsgaten 84 C"

// TestJourneyFromVisma is the journey of an order from the other partner
// system, in Norwegian: its button leads to the same order ever after, and its
// checklist ticks.
func TestJourneyFromVisma(t *testing.T) {
	t.Parallel()
	for name, scripts := range map[string]bool{"with scripts": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := &coreJourney{&journey{t: t, demo: startDemo(t), say: views.NewPrinter("nb", time.UTC, time.Now()), scripts: scripts, system: "visma"}}
			broker, staff := j.tab(speaking("nb")), j.tab()
			j.order(broker)
			j.logIn(staff)
			j.ask(staff)
			j.answer(j.tab(speaking("nb")))
			j.deliver(staff)
			j.fetch(broker)
			j.expires(j.tab(speaking("nb")))
		})
	}
}

// coreJourney is a journey that begins and ends in Visma Core.
type coreJourney struct{ *journey }

func (j *coreJourney) caseAddress() string { return j.demo.visma + "/cases/66115" }

// shows waits until Core shows a state of the order, and what it says of it.
func (j *coreJourney) shows(b *tab, state string, texts ...string) {
	b.t.Helper()
	b.reopens(j.caseAddress(), "[data-testid=order-status][data-status="+state+"]")
	b.reads(texts...)
}

func (j *coreJourney) order(b *tab) {
	b.open(j.demo.visma)
	b.press("a[href='/cases/66115']")
	b.press("[data-testid=order-boligfoto]")
	j.reads(b, "order_form.submit")
	b.reads(caseStreet)
	b.click("label:has(#f-package-large)")
	b.write("#f-access", access)
	b.press(".order-form button:not([type=button])")
	j.reads(b, "flash.submission", "state.received")
	b.reads(caseStreet, access)

	j.shows(b, "InProcess", "Boligfoto", "Stor, 30 bilder", "Bestilling mottatt")
	b.sees("[data-testid=checklist] [data-state=InProcess][data-done=true]")
	b.sees("[data-testid=checklist] [data-state=Completed][data-done=false]")
	j.number = caseStreet // what staff find the order by
}

// answer presses the button on the order, in the browser of a colleague.
func (j *coreJourney) answer(b *tab) {
	j.shows(b, "MissingInfo", "Vilken tid passar?")
	b.press("[data-testid=reopen]")
	j.answerHere(b)
	j.shows(b, "InProcess")
}

func (j *coreJourney) fetch(b *tab) {
	j.shows(b, "Completed", "Levert", "kök 1-1.png") // the file with order and delivery
	b.sees("[data-testid=checklist] [data-state=Completed][data-done=true]")
	b.sees("[data-testid=files]")
	b.press("[data-testid=reopen]")
	j.reads(b, "state.delivered", "order.next_delivered")
	b.reads(message, film)
	if got := b.download("[data-testid=delivery] a[href*='/files/']"); !bytes.Equal(got, pixel) {
		b.t.Errorf("the file that came down is not the one that went up: %d bytes, want %d", len(got), len(pixel))
	}
}

// expires opens the order with a token that has run out, in a browser that has
// no grant.
func (j *coreJourney) expires(b *tab) {
	b.open(j.caseAddress())
	b.pressFor(410, "[data-testid=open-expired]")
	b.reads("Lenken er utløpt")
	if b.has("[data-testid=state]") {
		b.t.Error("the page shows the order")
	}
}
