package main

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// broadband orders broadband in the simulated Tjänsteguide and waits until it is in.
func (s *scene) broadband(service, access, name string, direct bool) ordered {
	s.t.Helper()
	form := url.Values{"service": {service}, "socket": {access}, "firstname": {name}, "surname": {"Testqvist"}, "serial": {"19900101-2385"},
		"email": {"testqvist@epost.example"}, "phone": {"070-853 00 13"}, "message": {"Dörren till fastighetsboxen kärvar."}}
	if direct {
		form.Set("direct", "1")
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.guide+"/orders", strings.NewReader(form.Encode()))
	s.check(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultTransport.RoundTrip(r)
	s.check(err)
	s.check(answer.Body.Close())
	to, err := answer.Location()
	if err != nil {
		s.t.Fatalf("order broadband: status %d, no way on", answer.StatusCode)
	}
	return s.imported(path.Base(to.Path))
}

// imported waits until an order of the simulated Tjänsteguide is here.
func (s *scene) imported(number string) ordered {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	o := ordered{number: number}
	for o.id == 0 {
		s.check(s.sql.QueryRowContext(ctx, `SELECT COALESCE(max(id), 0), COALESCE(max(public_id), '') FROM orders
			WHERE connection_id = 'tjansteguiden' AND partner_order_id = $1`, number).Scan(&o.id, &o.public))
	}
	return o
}

// activated waits until the network has done what it was asked for.
func (s *scene) activated(o ordered) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for done := false; !done; {
		s.check(s.sql.QueryRowContext(ctx, `SELECT state = 'delivered' FROM orders WHERE id = $1`, o.id).Scan(&done))
	}
}

func (s *scene) accessScreens(b *tab) []screen {
	s.logInAs(b, helper)
	fresh := s.broadband("2440", "KC0101A06", "Susanne", false)
	stuck := s.broadband("2440", "CCTW0151B87", "Anton", false)
	direct := s.broadband("2440", "KC0102B01", "Birgit", true)
	work := func(o ordered) string { return s.portal + "/staff/orders/" + o.public }
	return []screen{
		{"access", func() {
			b.open(work(fresh))
			b.focusShows("access")
			b.steady("access", work(fresh))
		}},
		{"access-unfolded", b.unfold},
		{"access-message-fault", func() { b.pressFor(422, "#messages-form button") }},
		{"access-number", func() {
			b.open(work(fresh))
			b.press("#personal-number-form button")
			b.reads("19900101-2385")
		}},
		{"access-asked", func() {
			b.open(work(fresh))
			b.press("#activate-form button")
			b.sees("[data-testid=activation]")
		}},
		{"access-follow-up", func() {
			b.open(work(stuck))
			b.unfold()
			b.do("choose the kind", chromedp.SetValue(visible("#messages-kind"), "problem"))
			b.write("#messages-body", "Porten finns inte.")
			b.press("#messages-form button")
			b.sees("#follow-up")
		}},
		{"access-follow-up-unfolded", b.unfold},
		{"access-direct", func() {
			b.open(work(direct))
			b.sees("[data-testid=direct]")
		}},
		{"access-log", func() {
			b.open(work(stuck))
			b.press("#reports a[href$='/log']")
			b.sees("[data-testid=log-row]")
		}},
		{"access-replace-fault", func() {
			s.activated(fresh)
			b.open(work(fresh))
			b.unfold()
			b.pressFor(422, "#replace-form button")
		}},
		{"access-deactivate", func() {
			b.unfold()
			day := time.Now().AddDate(0, 0, 30).Format(time.DateOnly)
			b.do("choose a day", chromedp.SetValue(visible("#deactivate-day"), day))
			b.watches("#deactivate-form [data-testid=preview]", day+"T00:00:00Z")
			b.do("choose a service", chromedp.SetValue(visible("#activation-service"), "AB1000100"))
			b.watches("#replace-form [data-testid=preview]", "AB1000100")
			if shown := b.text("#replace-form [data-testid=preview]"); strings.Count(shown, "AB1000100") != 1 || strings.Contains(shown, day) {
				s.t.Errorf("what replaces the service shows %s", shown)
			}
		}},
		{"access-ending", func() {
			b.press("#deactivate-form button")
			b.reopens(work(fresh), "[data-testid=activation][data-state=accepted]")
			b.unfold()
		}},
		{"access-reschedule-fault", func() {
			b.do("choose no day", chromedp.SetValue(visible("#reschedule-day"), ""))
			b.pressFor(422, "#reschedule-form button")
		}},
		{"queue-follow-up", func() {
			b.open(s.portal + "/staff/orders?follow_up=1&state=all")
			b.sees("[data-testid=order-row] [data-testid=follow-up]")
		}},
		{"queue-access", func() { b.open(s.portal + "/staff/orders?service=bredband100&state=all") }},
		{"outbox-access", func() {
			s.exec(`UPDATE jobs SET state = 'parked', finished_at = NULL, attempt = 1, last_error = 'add_message: 400' WHERE order_id = $1 AND kind = 'remark'`, stuck.id)
			b.open(s.portal + "/staff/outbox?connection=tjansteguiden")
			b.sees("[data-testid=outbox-row]")
		}},
		{"access-viewer", func() {
			b.click("header details.menu summary")
			b.press("form[action='/staff/logout'] button")
			s.logInAs(b, viewer)
			b.open(work(stuck))
		}},
	}
}
