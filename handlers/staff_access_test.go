package handlers_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/internal/portal"
)

// TestFetchedWorkspace: whose access it is and what they wish, and no word of a
// broker, whom nobody knows there.
func TestFetchedWorkspace(t *testing.T) {
	t.Parallel()
	b, _ := newGuide(t)
	work := b.fetch(nil)
	staff, viewer := b.staff(staffEmail), b.staff(viewerEmail)
	for _, br := range []*browser{staff, viewer} {
		a := br.get(work).want(http.StatusOK)
		for _, text := range []string{"KC0101A06", "Susanne Testqvist", "Testgatan 10b, 644 30 Torshälla", "Fibra Bredband", "snarast", "premise", "1002"} {
			if !strings.Contains(a.text("aside"), text) {
				t.Errorf("beside the order stands no %q", text)
			}
		}
		if mail, phone := a.page().Find(`aside a[href="mailto:testqvist@epost.example"]`), a.page().Find(`aside a[href="tel:0708530013"]`); mail.Length()+phone.Length() != 2 {
			t.Error("mail and phone are no links")
		}
		if got, want := a.text("h1"), "KC0101A06 · Testgatan 10b, 644 30 Torshälla"; got != want {
			t.Errorf("heading %q, want %q", got, want)
		}
		a.hasNot("mäklare", "Mäklare", `data-testid="direct"`, `data-testid="follow-up"`)
	}
	for _, lang := range portal.Locales {
		staff.speak(lang)
		for _, form := range []string{"messages", "interactions", "deliveries"} {
			a := staff.get(work)
			if a.page().Find("#"+form+"-form").Length() != 1 {
				t.Errorf("%s: no form", form)
			}
			a.hasNot("mäklar", "megler", "broker", `name="choices"`, `name="files"`, `name="links"`)
		}
	}
	staff.speak("sv")
	staff.post(work+"/interactions", url.Values{"comment": {"Porten i källaren är död"}}).wantLocation(work)
	a := staff.get(work).has("Porten i källaren är död").hasNot("mäklar")
	if got := a.text(".heading [data-testid=state]"); got != "Väntar på svar" {
		t.Errorf("the state is called %q", got)
	}
	if a.text(".heading [data-testid=follow-up]") == "" {
		t.Error("asked, and nobody has to follow up")
	}
	staff.act(work, "interactions").want(http.StatusConflict).hasNot("mäklar")
}

// TestFetchedDelivery: there is nothing to hand over, only something to say.
func TestFetchedDelivery(t *testing.T) {
	t.Parallel()
	b, _ := newGuide(t)
	work, staff := b.fetch(nil), b.staff(staffEmail)
	c := formCase{name: "nothing", faults: map[string]portal.Sentence{"deliveries-message": required}}
	c.check(t, "sv", staff.deliver(work, nil, url.Values{"message": {" "}}))
	staff.deliver(work, nil, url.Values{"message": {"Aktiverad hos nätet"}}).wantLocation(work)
	staff.get(work).has("Aktiverad hos nätet")
}

// TestDirectlyActivated: what was activated before it came in is marked so.
func TestDirectlyActivated(t *testing.T) {
	t.Parallel()
	b, _ := newGuide(t)
	work := b.fetch(func(f *portal.Fetched) {
		f.Listed.Status, f.Listed.State, f.Listed.New = "delivered", portal.Delivered, false
	})
	a := b.staff(staffEmail).get(work)
	if got, want := a.text("[data-testid=direct]"), say("sv", portal.Say("work.direct")); got != want {
		t.Errorf("marked %q, want %q", got, want)
	}
	a.has(say("sv", portal.Say("work.direct_why", "System", "tjansteguiden"))).has(say("sv", portal.Say("event.fetched_direct")))
	if a.page().Find("#activate-form").Length() != 0 {
		t.Error("it can be activated again")
	}
}

// TestPersonalNumber is in no answer but the one to whoever asks for it, once,
// and they stand on the timeline.
func TestPersonalNumber(t *testing.T) {
	t.Parallel()
	b, _ := newGuide(t)
	work := b.fetch(nil)
	staff, viewer := b.staff(staffEmail), b.staff(viewerEmail)
	forms := []string{personalNumber, personalNumber[2:], "19751011-6952", "751011-6952"}
	masked := func() {
		t.Helper()
		for _, br := range []*browser{staff, viewer} {
			for _, page := range []string{work, "/staff/orders", "/staff/orders?state=all&q=" + personalNumber, "/staff/outbox", work + "/log"} {
				a := br.get(page).want(http.StatusOK)
				for _, form := range forms {
					if strings.Contains(a.body, form) && !strings.Contains(page, form) {
						t.Errorf("%s shows %s", page, form)
					}
				}
			}
		}
	}
	masked()
	if rows, _ := staff.get("/staff/orders?q=" + personalNumber).rows(); len(rows) > 0 {
		t.Error("the queue finds the order by it")
	}
	staff.get(work).has("••••••••-••••")
	if a := viewer.get(work).has("••••••••-••••"); slices.Contains(a.formsOf(work), "personal-number") {
		t.Error("a viewer has a button")
	}
	viewer.post(work+"/personal-number", nil).want(http.StatusForbidden).hasNot(forms...)
	b.browser().post(work+"/personal-number", nil).want(http.StatusUnauthorized).hasNot(forms...)
	staff.get(work + "/personal-number").hasNot(forms...)

	a := staff.post(work+"/personal-number", nil).want(http.StatusOK).wantHeader("Cache-Control", "no-store")
	if got := a.text("[data-testid=personal-number]"); got != "19751011-6952" {
		t.Errorf("it shows %q", got)
	}
	if a.page().Find(`a[hreflang][href*="personal-number"]`).Length() > 0 {
		t.Error("the language links lead back to it")
	}
	masked()
	if by := b.query(`SELECT string_agg(actor_name, ', ') FROM events WHERE kind = 'disclosed'`); by != "Erik Berg" {
		t.Errorf("it was shown to %q", by)
	}
	if got := staff.get(work).text("[data-testid=timeline] [data-kind=disclosed] p"); got != "Erik Berg "+say("sv", portal.Say("event.disclosed")) {
		t.Errorf("the timeline says %q", got)
	}
	log := b.log.String()
	for _, form := range forms {
		if strings.Contains(log, form) {
			t.Errorf("%s is in the log", form)
		}
	}
	if dump := b.dump(); strings.Contains(dump, personalNumber) {
		t.Error("it is in the database as it is")
	}

	staff.post(work+"/cancellation", url.Values{"reason": {"x"}}).want(http.StatusSeeOther)
	b.clock.Pass(31 * 24 * time.Hour)
	if n, err := b.store.ErasePersonalNumbers(t.Context()); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	staff = b.staff(staffEmail)
	staff.post(work+"/personal-number", nil).want(http.StatusNotFound).hasNot(forms...)
	a = staff.get(work).hasNot("••••••••-••••").has(say("sv", portal.Say("event.erased")))
	if !strings.Contains(a.text("aside .facts"), "Personnummer"+say("sv", portal.Say("facts.erased"))) {
		t.Error("it is not said to be erased")
	}
}

// TestNoPersonalNumber: where none came there is no line.
func TestNoPersonalNumber(t *testing.T) {
	t.Parallel()
	b, _ := newGuide(t)
	work := b.fetch(func(f *portal.Fetched) { f.PersonalNumber = "" })
	b.staff(staffEmail).get(work).hasNot("Personnummer", "••••")
}

// TestFollowUp: a problem is marked until somebody says that it is known.
func TestFollowUp(t *testing.T) {
	t.Parallel()
	b, _ := newGuide(t)
	quiet, work := b.fetch(nil), b.fetch(nil)
	staff, viewer := b.staff(staffEmail), b.staff(viewerEmail)
	path := work + "/follow-up"
	staff.post(path, nil).want(http.StatusConflict).has(say("sv", portal.Say("follow_up.done")))
	staff.post(work+"/messages", url.Values{"kind": {"problem"}, "body": {"Port finns ej"}}).wantLocation(work)

	mark, why := say("sv", portal.Say("work.follow_up")), say("sv", portal.Say("work.follow_up_why", "System", "tjansteguiden"))
	for _, br := range []*browser{staff, viewer} {
		if got := br.get(work).has(why).text(".heading [data-testid=follow-up]"); got != mark {
			t.Errorf("marked %q, want %q", got, mark)
		}
		a := br.get("/staff/orders")
		if a.page().Find("[data-testid=order-row] [data-testid=follow-up]").Length() != 1 {
			t.Error("the queue marks not just the one")
		}
		rows, _ := br.get("/staff/orders?follow_up=1").rows()
		if want := []string{strings.TrimPrefix(work, "/staff/orders/")}; !slices.Equal(rows, want) {
			t.Errorf("to follow up: %v, want %v", rows, want)
		}
	}
	a := staff.get("/staff/orders?follow_up=1&state=all&sort=newest")
	if _, on := a.page().Find("input[name=follow_up]").Attr("checked"); !on {
		t.Error("the filter does not show")
	}
	for _, chip := range []string{"chip-open", "chip-active"} {
		if href := a.page().Find("[data-testid="+chip+"]").AttrOr("href", ""); !strings.Contains(href, "follow_up=1") || !strings.Contains(href, "sort=newest") {
			t.Errorf("%s forgets the filter: %s", chip, href)
		}
	}
	staff.get(quiet).hasNot(why)
	if slices.Contains(viewer.get(work).formsOf(work), "follow-up") {
		t.Error("a viewer has the form")
	}
	viewer.post(path, nil).want(http.StatusForbidden)
	b.browser().post(path, nil).want(http.StatusUnauthorized)

	staff.sendWrongly(t, path, texts("note", "follow-up-note")[2:]) // it may be left out
	staff.post(path, url.Values{"note": {"Ringt driften"}}).wantLocation(work)
	staff.wantFlash(work)
	staff.get(work).has("Ringt driften").has(say("sv", portal.Say("event.followed_up"))).hasNot(why)
	if rows, _ := staff.get("/staff/orders?follow_up=1").rows(); len(rows) != 0 {
		t.Errorf("still to follow up: %v", rows)
	}
	staff.post(path, nil).want(http.StatusConflict)
}

// TestRemarks: a message goes to the partner as what it is.
func TestRemarks(t *testing.T) {
	t.Parallel()
	b, _ := newGuide(t)
	work, staff := b.fetch(nil), b.staff(staffEmail)
	a := staff.get(work)
	for _, kind := range portal.Remarks {
		if got, want := a.text("#messages-form [data-kind="+string(kind)+"] pre"), `add_message `+string(kind)+` "«…»"`; got != want {
			t.Errorf("%s: shown %q, want %q", kind, got, want)
		}
	}
	staff.sendWrongly(t, work+"/messages", texts("body", "messages-body"))
	c := formCase{name: "kept", typed: url.Values{"kind": {"important"}}, faults: map[string]portal.Sentence{"messages-body": required}}
	c.check(t, "sv", staff.post(work+"/messages", c.typed))
	staff.post(work+"/messages", url.Values{"kind": {"shout"}, "body": {"x"}}).want(http.StatusUnprocessableEntity)
	for _, kind := range []string{"", "plain", "important"} {
		staff.post(work+"/messages", url.Values{"kind": {kind}, "body": {"Hej " + kind}}).wantLocation(work)
		staff.wantFlash(work)
	}
	if got := b.query(`SELECT string_agg(payload ->> 'remark' || ': ' || (payload ->> 'comment'), ', ' ORDER BY id) FROM jobs WHERE kind = 'remark'`); got != "plain: Hej, plain: Hej plain, important: Hej important" {
		t.Errorf("the partner is sent %q", got)
	}
	a = staff.get(work).has("Hej important").has(say("sv", portal.Say("event.message_important")))
	if got, want := a.text("[data-testid=job]:last-child strong"), say("sv", portal.Say("remark.important")); got != want {
		t.Errorf("the last message is %q, want %q", got, want)
	}
	b.query(`UPDATE jobs SET state = 'completed', finished_at = now(), attempt = 1 WHERE kind = 'report' RETURNING id`)
	b.clock.Pass(10 * time.Minute)
	for _, page := range []string{work, "/staff/orders"} {
		if got, want := staff.get(page).text("[data-testid=order-row] [data-testid=unsent], .heading [data-testid=unsent]"), say("sv", portal.Say("unsent.remark_trying")); got != want {
			t.Errorf("%s: marked %q, want %q", page, got, want)
		}
	}
	staff.get("/staff/outbox").has(say("sv", portal.Say("remark.important")))
}

// TestLog is the partner's own, and asked for when somebody looks.
func TestLog(t *testing.T) {
	t.Parallel()
	b, g := newGuide(t)
	log := b.fetch(nil) + "/log"
	viewer := b.staff(viewerEmail)
	viewer.get(strings.TrimSuffix(log, "/log")).has(`href="` + log + `"`)
	viewer.get(log).want(http.StatusOK).has(say("sv", portal.Say("log.none")))
	g.tells(nil, portal.LogEntry{At: b.clock.Now(), Who: "KO Torshälla", Kind: "alert", Text: "Port <ledig>"}, portal.LogEntry{Text: "utan tid"})
	a := viewer.get(log).want(http.StatusOK).wantHeading("log.title", "System", "tjansteguiden")
	for cell, want := range map[string]string{"c-who": "KO Torshälla", "c-kind": "alert", "c-text": "Port <ledig>"} {
		if got := a.text("[data-testid=log-row]:first-child ." + cell); got != want {
			t.Errorf("%s says %q, want %q", cell, got, want)
		}
	}
	if n := a.page().Find("[data-testid=log-row]").Length(); n != 2 {
		t.Errorf("%d lines", n)
	}
	for _, err := range []error{portal.Errorf(portal.Unavailable, "polls.no_answer"), &portal.ReportError{Outcome: portal.OutcomeCredential, Err: portal.ErrCredential}} {
		g.tells(err)
		viewer.get(log).want(http.StatusServiceUnavailable).has(say("sv", portal.Say("log.unavailable", "System", "tjansteguiden")))
	}
	g.tells(errors.New("inside: secret-of-the-house"))
	viewer.get(log).want(http.StatusInternalServerError).hasNot("secret-of-the-house")
	sign := "/staff/orders/" + b.addOrders("skylt", "M30011", 1)[0]
	viewer.get(sign).hasNot(sign + "/log")
	viewer.get(sign + "/log").want(http.StatusNotFound)
}
