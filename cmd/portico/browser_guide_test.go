package main

import (
	"strings"
	"testing"
	"time"

	"portico/internal/partner/tjansteguiden/tjansteguidentest"
	"portico/views"
)

// TestJourneyFromTheGuide: a customer orders broadband, the poll takes the order
// in, staff activate it, its network reports that it is done, and the customer
// sees it delivered.
func TestJourneyFromTheGuide(t *testing.T) {
	t.Parallel()
	for name, scripts := range map[string]bool{"sv": true, "en without scripts": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lang, _, _ := strings.Cut(name, " ")
			j := &guideJourney{&journey{t: t, demo: startDemo(t), say: views.NewPrinter(lang, time.UTC, time.Now()), scripts: scripts, system: "tjansteguiden"}}
			customer, staff := j.tab(), j.tab(speaking(lang))
			page := j.order(customer)
			j.show(customer, page, "received")
			j.logIn(staff)
			j.activate(staff)
			j.show(customer, page, "delivered")
			j.delivered(staff)
		})
	}
}

// guideJourney is a journey that begins and ends in Tjänsteguiden.
type guideJourney struct{ *journey }

// order orders broadband, and returns the address of what the customer sees.
func (j *guideJourney) order(b *tab) string {
	b.open(j.demo.guide)
	b.press("[data-testid=order-button]")
	j.number = b.text("[data-testid=order-id]")
	return j.demo.guide + "/orders/" + j.number + "?follow=off"
}

func (j *guideJourney) show(b *tab, page, status string) {
	b.reopens(page, "[data-testid=order-status][data-status="+status+"]")
}

func (j *guideJourney) activate(b *tab) {
	person := tjansteguidentest.DemoPeople()[0]
	b.press("[data-testid=order-row] a")
	j.reads(b, "work.timeline", "work.button_activate")
	b.reads(tjansteguidentest.DemoAddresses()[0].Socket, person.Firstname+" "+person.Surname)
	serial := person.Serial[:8] + "-" + person.Serial[8:]
	b.hides(serial)
	workspace := eval[string](b, "location.href")
	b.press("form[action$='/personal-number'] button")
	b.reads(serial)
	b.open(workspace)
	b.hides(serial)
	b.press("#activate-form button")
	if j.scripts { // the page follows by itself
		b.watches("[data-testid=activation]", j.say.T("activation.state_done"))
		b.watches("#order-state", j.say.T("state.delivered"))
		b.watches("#events", j.say.T("state.delivered"))
		return
	}
	b.reopens(workspace, "[data-testid=activation][data-state=done]")
}

func (j *guideJourney) delivered(b *tab) {
	b.open(eval[string](b, "location.href"))
	j.reads(b, "state.delivered")
	b.reopens(j.demo.portal+"/staff/polls", "h1")
	j.reads(b, "nav.polls")
}

// hides checks that a personal number is nowhere on the page, in no form.
func (b *tab) hides(serial string) {
	b.t.Helper()
	html := eval[string](b, "document.documentElement.outerHTML")
	for _, form := range []string{serial, strings.ReplaceAll(serial, "-", ""), serial[2:]} {
		if strings.Contains(html, form) {
			b.t.Errorf("%s is on the page", form)
		}
	}
}
