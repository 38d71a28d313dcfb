package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/internal/portal"
)

// operations returns what a workspace offers to ask the network for.
func (a answer) operations() string {
	a.b.t.Helper()
	var list []string
	inputs := a.page().Find("form[action$='/activation'] input[name=operation]")
	for i := range inputs.Length() {
		list = append(list, inputs.Eq(i).AttrOr("value", ""))
	}
	return strings.Join(list, " ")
}

func (br *browser) wantOperations(work, want string) answer {
	br.b.t.Helper()
	a := br.get(work)
	if got := a.operations(); got != want {
		br.b.t.Errorf("offered %q, want %q", got, want)
	}
	return a
}

// TestActivation: staff ask, the network answers, and each stage offers what it
// can be asked for then.
func TestActivation(t *testing.T) {
	t.Parallel()
	b, _ := newGuide(t)
	work := b.fetch(nil)
	staff, viewer := b.staff(staffEmail), b.staff(viewerEmail)
	viewer.wantOperations(work, "")
	viewer.post(work+"/activation", url.Values{"operation": {"activate"}}).want(http.StatusForbidden)
	b.browser().post(work+"/activation", url.Values{"operation": {"activate"}}).want(http.StatusUnauthorized)
	a := staff.wantOperations(work, "activate")
	if got, want := a.text("#activate-form [data-testid=preview]"), "POST orders/ activate AB100 on KC0101A06"; got != want {
		t.Errorf("shown %q, want %q", got, want)
	}

	staff.post(work+"/activation", url.Values{"operation": {"activate"}}).wantLocation(work)
	staff.wantFlash(work)
	a = staff.wantOperations(work, "")
	if got := a.page().Find("[data-testid=activation]").AttrOr("data-state", ""); got != "queued" {
		t.Errorf("it is %q", got)
	}
	expected := b.clock.Now().Add(3 * time.Hour)
	b.answers(portal.ActivationAnswer{NetworkID: "ord-77", State: portal.ActivationAccepted, ExpectedAt: &expected})
	a = staff.wantOperations(work, "withdraw reschedule")
	for _, text := range []string{"ord-77", "AB100", say("sv", portal.Say("activation.state_accepted"))} {
		if !strings.Contains(a.text("[data-testid=activation]"), text) {
			t.Errorf("the panel does not say %q: %s", text, a.text("[data-testid=activation]"))
		}
	}
	if who := a.text("[data-testid=timeline] [data-kind=network] strong"); !strings.HasPrefix(who, say("sv", portal.Say("actor.network"))) {
		t.Errorf("on the timeline it was %q", who)
	}
	staff.post(work+"/activation", url.Values{"operation": {"withdraw"}}).wantLocation(work)
	b.answers(portal.ActivationAnswer{State: portal.ActivationWithdrawn})
	staff.wantOperations(work, "activate").has(say("sv", portal.Say("event.network_gone")))

	staff.post(work+"/activation", url.Values{"operation": {"activate"}}).wantLocation(work)
	b.answers(portal.ActivationAnswer{NetworkID: "ord-78", State: portal.ActivationDone, Message: "Port 7 öppnad"})
	a = staff.wantOperations(work, "replace deactivate").has("Port 7 öppnad")
	if n := a.page().Find("[data-testid=activation]").Length(); n != 2 {
		t.Errorf("%d activations are shown", n)
	}
	today, later := b.clock.Now().Format(time.DateOnly), b.clock.Now().AddDate(0, 0, 9).Format(time.DateOnly)
	if got, want := a.text("#deactivate-form [data-testid=preview]"), "POST orders/ deactivate AB100 on KC0101A06 from "+today; got != want {
		t.Errorf("shown %q, want %q", got, want)
	}
	options := a.page().Find("#activation-service option")
	if options.Length() != 2 || options.Eq(1).AttrOr("value", "") != "AB250" {
		t.Errorf("it can be replaced by %q", options.Text())
	}
	choose := map[string]portal.Sentence{"activation-service": choose}
	staff.sendWrongly(t, work+"/activation", []formCase{
		{name: "none", typed: url.Values{"operation": {"replace"}}, faults: choose, lost: []string{"operation"}},
		{name: "its own", typed: url.Values{"operation": {"replace"}, "service": {"AB100"}}, faults: choose, lost: []string{"operation", "service"}},
		{name: "unknown", typed: url.Values{"operation": {"replace"}, "service": {"ZZ"}}, faults: choose, lost: []string{"operation", "service"}},
	})
	staff.post(work+"/activation", url.Values{"operation": {"replace"}, "service": {"AB250"}, "day": {today}}).wantLocation(work)
	b.answers(portal.ActivationAnswer{NetworkID: "ord-79", State: portal.ActivationDone})
	deactivate := func(day string) url.Values { return url.Values{"operation": {"deactivate"}, "day": {day}} }
	first, last := today, b.clock.Now().AddDate(2, 0, 0).Format(time.DateOnly)
	impossible := map[string]portal.Sentence{"deactivate-day": portal.Say("activation.day", "First", first, "Last", last)}
	staff.sendWrongly(t, work+"/activation", []formCase{
		{name: "no day", typed: deactivate(""), faults: map[string]portal.Sentence{"deactivate-day": portal.Say("field.date")}, lost: []string{"operation", "day"}},
		{name: "yesterday", typed: deactivate(b.clock.Now().AddDate(0, 0, -1).Format(time.DateOnly)), faults: impossible, lost: []string{"operation"}},
		{name: "a year mistyped", typed: deactivate("2206-12-01"), faults: impossible, lost: []string{"operation"}},
	})
	staff.post(work+"/activation", deactivate(later)).wantLocation(work)
	b.answers(portal.ActivationAnswer{NetworkID: "ord-80", State: portal.ActivationAccepted})
	a = staff.wantOperations(work, "withdraw reschedule")
	if got := a.page().Find("#reschedule-day").AttrOr("value", ""); got != later {
		t.Errorf("offered another day than %q, want %q", got, later)
	}
	staff.post(work+"/activation", url.Values{"operation": {"reschedule"}, "day": {today}}).wantLocation(work)
	b.answers(portal.ActivationAnswer{NetworkID: "ord-80", State: portal.ActivationAccepted})
	if got := b.query(`SELECT wished_for::date FROM activations WHERE network_id = 'ord-80'`); !strings.HasPrefix(got, today) {
		t.Errorf("moved to %s, want %s", got, today)
	}
	if got := b.query(`SELECT string_agg(operation || ' ' || service || ' ' || state, ', ' ORDER BY id) FROM activations`); got != "activate AB100 withdrawn, activate AB100 done, replace AB250 done, deactivate AB250 accepted" {
		t.Errorf("the network was asked for %s", got)
	}
}

// TestActivationIsRefused with a sentence, in each language, and asks nobody.
func TestActivationIsRefused(t *testing.T) {
	t.Parallel()
	b, _ := newGuide(t)
	staff := b.staff(staffEmail)
	fresh, asked := b.fetch(nil), b.fetch(nil)
	elsewhere := b.fetch(func(f *portal.Fetched) { f.Ticket.Target.ID = "ZZ0101A06" })
	voice := b.fetch(func(f *portal.Fetched) { f.Listed.ServiceID = "2450" })
	cancelled := b.fetch(nil)
	staff.post(asked+"/activation", url.Values{"operation": {"activate"}}).wantLocation(asked)
	staff.act(cancelled, "cancellation").want(http.StatusSeeOther)
	staff.wantOperations(elsewhere, "").has(say("sv", portal.Say("activation.by_hand")))
	staff.wantOperations(voice, "").hasNot(say("sv", portal.Say("activation.by_hand")))
	before := b.changes()
	for _, lang := range portal.Locales {
		staff.speak(lang)
		for _, c := range []struct {
			work, operation string
			status          int
			say             portal.Sentence
		}{
			{fresh, "deactivate", 409, portal.Say("order.refused_received", "To", "deactivate")},
			{fresh, "replace", 409, portal.Say("order.refused_received", "To", "replace")},
			{fresh, "withdraw", 409, portal.Say("activation.begun")},
			{fresh, "reschedule", 409, portal.Say("activation.begun")},
			{asked, "activate", 409, portal.Say("activation.pending")},
			{asked, "withdraw", 409, portal.Say("activation.begun")},
			{elsewhere, "activate", 409, portal.Say("activation.no_network")},
			{voice, "activate", 409, portal.Say("activation.no_network")},
			{cancelled, "activate", 409, portal.Say("order.refused_cancelled", "To", "activate")},
			{fresh, "", 422, portal.Say("error.bad_form")},
			{fresh, "explode\x00", 422, portal.Say("error.bad_form")},
		} {
			a := staff.post(c.work+"/activation", url.Values{"operation": {c.operation}}).want(c.status)
			if got, want := a.text("main .lead"), say(lang, c.say); got != want {
				t.Errorf("%s (%s): it says %q, want %q", c.operation, lang, got, want)
			}
		}
	}
	if after := b.changes(); after != before {
		t.Errorf("refused, and yet: %s, then %s", before, after)
	}
}

// TestActivationFails: what the network could not do is the order's failure, and
// somebody follows it up.
func TestActivationFails(t *testing.T) {
	t.Parallel()
	b, _ := newGuide(t)
	work, staff := b.fetch(nil), b.staff(staffEmail)
	staff.post(work+"/activation", url.Values{"operation": {"activate"}}).wantLocation(work)
	b.answers(portal.ActivationAnswer{State: portal.ActivationFailed, Message: "Porten svarar inte"})
	a := staff.wantOperations(work, "").has("Porten svarar inte")
	if a.text(".heading [data-testid=follow-up]") == "" {
		t.Error("nobody has to follow it up")
	}
	if got := a.page().Find(".heading [data-testid=state]").AttrOr("data-state", ""); got != "failed" {
		t.Errorf("the order is %s", got)
	}
	if slices.Contains(b.staff(viewerEmail).get(work).formsOf(work), "activation") {
		t.Error("a viewer may ask the network")
	}
}
