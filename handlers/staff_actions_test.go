package handlers_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

// work opens an order that is received and returns its workspace.
func (b *bundle) work() string {
	b.t.Helper()
	_, address := b.order("skylt")
	return "/staff" + b.browser().open(address)
}

func TestStaffForms(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff := b.staff(staffEmail)
	work := b.work()
	one := func(id string, s portal.Sentence) map[string]portal.Sentence {
		return map[string]portal.Sentence{id: s}
	}
	staff.sendWrongly(t, work+"/messages", texts("body", "messages-body"))
	staff.sendWrongly(t, work+"/notes", texts("body", "notes-body"))
	staff.sendWrongly(t, work+"/failure", texts("description", "failure-description"))
	staff.sendWrongly(t, work+"/cancellation", texts("reason", "cancellation-reason"))
	staff.sendWrongly(t, work+"/interactions", append(texts("comment", "interactions-comment"),
		formCase{name: "one choice", typed: url.Values{"comment": {"När?"}, "choices": {"\nTisdag\n"}},
			faults: one("interactions-choices", portal.Say("interaction.one_choice"))},
		formCase{name: "many choices", typed: url.Values{"comment": {"När?"}, "choices": {strings.Repeat("dag\n", portal.MaxChoices+1)}},
			faults: one("interactions-choices", portal.Say("interaction.many_choices", "Max", portal.MaxChoices))},
		formCase{name: "a long choice", typed: url.Values{"comment": {"När?"}, "choices": {"Tisdag\n" + tooLong}},
			faults: one("interactions-choices", longText)},
	))
	for _, lang := range portal.Locales { // links have faults of their own; see TestDeliveryForm for the files
		staff.speak(lang)
		typed := url.Values{"message": {"Hela serien"}, "links": {"https://example.com/film\nwww.example.com"}}
		c := formCase{name: "no address", typed: typed, faults: one("deliveries-links", portal.Say("delivery.bad_link", "Link", "www.example.com"))}
		c.check(t, lang, staff.deliver(work, nil, typed))
	}
	staff.speak("sv")

	steps := []struct{ form, input, value string }{
		{"messages", "body", "Hej"}, {"notes", "body", "Ring först"}, {"start", "", ""}, {"interactions", "comment", "Vilken dag?"},
		{"start", "", ""}, {"failure", "description", "Ingen hemma"}, {"reopening", "", ""}, {"assignment", "staff", "1"},
		{"assignment", "staff", "0"}, {"cancellation", "reason", "Såld ändå"},
	}
	for _, step := range steps {
		staff.post(work+"/"+step.form, url.Values{step.input: {step.value}}).wantLocation(work)
		staff.wantFlash(work)
	}
}

// act sends one of the workspace's forms with everything that any of them needs.
func (br *browser) act(work, form string) answer {
	br.b.t.Helper()
	typed := url.Values{"body": {"x"}, "description": {"x"}, "reason": {"x"}, "comment": {"x"}, "message": {"x"}}
	if form == "deliveries" {
		return br.deliver(work, nil, typed)
	}
	return br.post(work+"/"+form, typed)
}

// TestStaffConflicts: what the state does not allow is refused with a sentence
// in the reader's language, and changes nothing, at the partner neither.
func TestStaffConflicts(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff := b.staff(staffEmail)
	after := func(form string) string {
		work := b.work()
		staff.act(work, form).want(http.StatusSeeOther)
		return work
	}
	_, address := b.order("expertfoto")
	draft := "/staff" + b.browser().open(address)
	active, waiting, delivered := after("start"), after("interactions"), after("deliveries")
	failed, cancelled := after("failure"), after("cancellation")
	tests := []struct{ work, form, key, to string }{
		{draft, "messages", "order.not_completed", ""},
		{draft, "start", "order.refused_draft", "active"},
		{draft, "deliveries", "order.refused_draft", "delivered"},
		{active, "start", "order.refused_active", "active"},
		{active, "reopening", "order.refused_active", "active"},
		{waiting, "interactions", "order.refused_waiting", "waiting"},
		{delivered, "deliveries", "order.refused_delivered", "delivered"},
		{delivered, "failure", "order.refused_delivered", "failed"},
		{delivered, "cancellation", "order.refused_delivered", "cancelled"},
		{failed, "interactions", "order.refused_failed", "waiting"},
		{cancelled, "deliveries", "order.refused_cancelled", "delivered"},
		{cancelled, "failure", "order.refused_cancelled", "failed"},
		{cancelled, "start", "order.refused_cancelled", "active"},
		{cancelled, "reopening", "order.refused_cancelled", "active"},
		{cancelled, "cancellation", "order.refused_cancelled", "cancelled"},
	}
	before := b.changes()
	for _, lang := range portal.Locales {
		staff.speak(lang)
		for _, test := range tests {
			a := staff.act(test.work, test.form).want(http.StatusConflict)
			if got, want := a.text("main .lead"), say(lang, portal.Say(test.key, "To", test.to)); got != want {
				t.Errorf("%s: it says %q, want %q", test.form, got, want)
			}
			if a.page().Find("header nav a[href='/staff/orders']").Length() != 1 {
				t.Errorf("%s: the refusal is no staff screen", test.form)
			}
		}
	}
	if now := b.changes(); now != before {
		t.Errorf("refused, and yet: %s, then %s", before, now)
	}
}

// TestStaffAssignment: who left, or only looks, is given no order.
func TestStaffAssignment(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff, work := b.staff(staffEmail), b.work()
	id := func(email string) string { return b.query(`SELECT id FROM staff WHERE email = $1`, email) }
	var cases []formCase
	for _, value := range []string{id(viewerEmail), "999", "-1", "Erik", "\x00"} {
		cases = append(cases, formCase{name: value, typed: url.Values{"staff": {value}}, lost: []string{"staff"},
			faults: map[string]portal.Sentence{"staff": choose}})
	}
	staff.sendWrongly(t, work+"/assignment", cases)
	staff.post(work+"/assignment", url.Values{"staff": {id(staffEmail)}}).wantLocation(work)
	if got := staff.get(work).page().Find("#staff option[selected]").Text(); got != "Erik Berg" {
		t.Errorf("given to %q", got)
	}
	staff.get("/staff/orders").has("Erik Berg")
}

// TestNotesAreForStaff: the broker sees messages, and no note.
func TestNotesAreForStaff(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("skylt")
	broker, staff := b.browser(), b.staff(staffEmail)
	page := broker.open(address)
	staff.post("/staff"+page+"/notes", url.Values{"body": {"Ring inte Maja"}}).want(http.StatusSeeOther)
	staff.post("/staff"+page+"/messages", url.Values{"body": {"Vi kommer på tisdag"}}).want(http.StatusSeeOther)
	broker.get(page).has("Vi kommer på tisdag").hasNot("Ring inte Maja")
	b.staff(viewerEmail).get("/staff" + page).has("Ring inte Maja")
}

// stuck makes a job that the partner refuses, and returns its id.
func (b *bundle) stuck() string {
	b.t.Helper()
	b.work()
	b.fake.SetFault(vitectest.OpStatus, vitectest.Fault{Kind: vitectest.FaultBadRequest})
	b.drain()
	b.fake.ClearFaults()
	return b.query(`SELECT max(id) FROM jobs WHERE state = 'parked'`)
}

func TestOutboxForms(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff, job := b.staff(staffEmail), b.stuck()
	skip := "/staff/outbox/" + job + "/skip"
	staff.sendWrongly(t, skip, texts("reason", job+"/skip-reason"))
	staff.post(skip, url.Values{"reason": {"De vet redan"}}).wantLocation("/staff/outbox")
	staff.wantFlash("/staff/outbox")
	if state := b.query(`SELECT state FROM jobs WHERE id = $1`, job); state != "skipped" {
		t.Errorf("the job is %s", state)
	}
	if by := b.query(`SELECT actor_name || ': ' || (data->>'body') FROM events WHERE kind = 'skipped'`); by != "Erik Berg: De vet redan" {
		t.Errorf("remembered as %q", by)
	}
	for _, again := range []string{skip, "/staff/outbox/" + job + "/retry"} {
		a := staff.post(again, url.Values{"reason": {"x"}}).want(http.StatusConflict)
		if got := a.text("main .lead"); got != say("sv", portal.Say("outbox.over")) {
			t.Errorf("it says %q", got)
		}
	}

	job = b.stuck()
	next := "/staff/orders/" + strings.Repeat("A", 26)
	staff.post("/staff/outbox/"+job+"/retry", url.Values{"next": {next}}).wantLocation(next)
	staff.wantFlash("/staff/outbox")
	staff.post("/staff/outbox/"+job+"/retry", url.Values{"next": {"//evil.example"}}).wantLocation("/staff/outbox")
	b.drain()
	if state := b.query(`SELECT state FROM jobs WHERE id = $1`, job); state != "completed" {
		t.Errorf("tried again, the job is %s", state)
	}
	missing, err := strconv.Atoi(job)
	b.check(err)
	staff.post("/staff/outbox/"+strconv.Itoa(missing+100)+"/retry", nil).want(http.StatusNotFound)
	staff.post("/staff/outbox/x/skip", url.Values{"reason": {"x"}}).want(http.StatusNotFound)
}
