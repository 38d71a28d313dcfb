package main

import (
	"testing"
	"time"

	"portico/internal/portal"
)

// seedPerson makes orders with one person in them: one that is hers and done, one
// that somebody works on, and one that only mentions her.
func (s *scene) seedPerson() ordered {
	s.t.Helper()
	ctx, store := s.t.Context(), s.store
	s.ago(6 * 24 * time.Hour)
	hers := s.photo(kungsgatan, "Ring Kanarie Fågelström på 070-987 65 43, hon är hemma efter fyra. Annars ligger nyckeln hos grannen på nummer 6.")
	s.start(hers)
	s.check(store.WriteNote(ctx, hers.id, "Kanarie Fågelström vill inte ha bilder av källaren.", s.maja))
	s.deliver(hers, "Här är bilderna av Kanarie Fågelströms lägenhet.", nil, "kanarie_fågelström 01.jpg", "kanarie_fågelström 02.jpg")
	mentions := s.photo(ekoln, "")
	s.check(store.WriteMessage(ctx, mentions.id, "Grannen Kanarie Fågelström undrar också.", mentions.broker))
	s.check(store.CancelOrder(ctx, mentions.id, "Säljaren har ändrat sig.", mentions.broker))
	active := s.photo(malma, "Nyckeln är hos Kanarie Fågelström.")
	s.check(store.Audit(ctx, "create_order", portal.Actor{Kind: portal.ActorStaff, Name: "Maja Ek"}, map[string]string{"target": "Kanarie Fågelström"}))
	s.reported(hers, mentions, active)
	return hers
}

// TestScreensOfPeople looks at the screens in their states, and erases somebody by them.
func TestScreensOfPeople(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	hers := s.seedPerson()
	b := newTab(t, s.demoRun, speaking("sv"))
	s.logIn(b)
	address := s.portal + "/staff/people"
	b.open(address)
	b.inspect("people")
	b.focusShows("people")
	b.steady("people", address)
	find := func(status int, typed string) {
		t.Helper()
		b.write("#q", typed)
		b.pressFor(status, "form[action$='/search'] button")
	}
	find(422, "Bo")
	b.inspect("people-fault")
	b.open(address)
	find(200, "Ingen Alls")
	b.inspect("people-none")
	b.open(address)
	find(200, "Kanarie Fågelström")
	b.inspect("people-found")
	b.focusShows("people-found")
	b.pressFor(200, ".found .btn[data-variant=destructive]")
	b.inspect("erasure")
	b.pressFor(422, "form[action$='/erasure'] .btn[data-variant=destructive]")
	b.inspect("erasure-fault")
	b.click("label:has([name=reason])")
	b.click("label:has([name=confirm])")
	b.press("form[action$='/erasure'] .btn[data-variant=destructive]")
	b.sees("[data-testid=erasures] li")
	b.inspect("people-erased")
	b.open(s.portal + "/staff/orders/" + hers.public)
	b.sees("[data-testid=erased]")
	b.inspect("work-erased")
	b.open(s.reopen(hers))
	b.sees("[data-testid=erased]")
	b.inspect("order-erased")
}
