package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"portico/internal/portal"
)

// insured opens an order of an insurance and returns its workspace.
func (b *bundle) insured() string {
	b.t.Helper()
	svc := portal.Service{ID: "forsikring", ConnectionID: "vitec", Flow: portal.FlowPage, Auth: portal.AuthToken,
		Name: portal.Text{"nb": "Boligselgerforsikring"}, Insurance: true}
	_, err := b.store.Apply(b.t.Context(), portal.Setup{Provider: testProvider, Connections: []portal.Connection{b.connection()},
		Services: append(testServices(), svc)})
	b.check(err)
	_, address := b.order("forsikring")
	return "/staff" + b.browser().open(address)
}

// stepForms returns the steps that a workspace has a form for.
func (a answer) stepForms() string {
	a.b.t.Helper()
	var steps []string
	inputs := a.page().Find("form[action$='/steps'] input[name=step]")
	for i := range inputs.Length() {
		steps = append(steps, inputs.Eq(i).AttrOr("value", ""))
	}
	return strings.Join(steps, " ")
}

func TestSteps(t *testing.T) {
	t.Parallel()
	m := &maker{preview: func(m portal.Message) string { return fmt.Sprintf("told of %q while %s", m.Step, m.State) }}
	b := newBundleWith(t, setup{maker: m})
	work := b.insured()
	staff := b.staff(staffEmail)
	if forms := b.staff(viewerEmail).get(work).stepForms(); forms != "" {
		t.Errorf("a viewer is offered %s", forms)
	}
	staff.get(b.work()).hasNot("policy_issued")
	for _, step := range portal.Steps {
		a := staff.get(work)
		if forms := a.stepForms(); forms != string(step) {
			t.Errorf("offered %q, want %s", forms, step)
		}
		if got, want := a.text("form[action$='/steps'] [data-testid=preview]"), fmt.Sprintf("told of %q while received", step); got != want {
			t.Errorf("shown %q, want %q", got, want)
		}
		staff.post(work+"/steps", url.Values{"step": {string(step)}}).wantLocation(work)
		staff.wantFlash(work)
		word := say("sv", portal.Say("step."+string(step)))
		a = staff.get(work)
		if got := a.text("[data-testid=job]:last-child strong"); got != word {
			t.Errorf("the last message is %q, want %q", got, word)
		}
		if !strings.Contains(a.text("aside .facts"), word) {
			t.Errorf("%q is not among the facts", word)
		}
		staff.get("/staff/outbox").has(word)
	}
	if forms := staff.get(work).stepForms(); forms != "" {
		t.Errorf("after all steps %q is offered", forms)
	}
	if told := b.query(`SELECT string_agg(concat_ws(' ', payload ->> 'state', payload ->> 'step'), ', ' ORDER BY jobs.id)
		FROM jobs JOIN orders ON orders.id = order_id WHERE service_id = 'forsikring'`); told != "received, received policy_issued, received policy_activated" {
		t.Errorf("the partner is told of %s", told)
	}
}

// TestStepsAreRefused with a sentence, in each language, and change nothing.
func TestStepsAreRefused(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	fresh, taken, cancelled, other := b.insured(), b.insured(), b.insured(), b.work()
	staff := b.staff(staffEmail)
	staff.get(fresh).has(say("sv", portal.Say("work.sends_nothing", "System", "vitec"))) // this partner knows no steps
	staff.post(taken+"/steps", url.Values{"step": {"policy_issued"}}).want(http.StatusSeeOther)
	staff.act(cancelled, "cancellation").want(http.StatusSeeOther)
	before := b.changes()
	for _, lang := range portal.Locales {
		staff.speak(lang)
		for _, c := range []struct {
			work, step string
			status     int
			say        portal.Sentence
		}{
			{other, "policy_issued", 409, portal.Say("step.no_insurance")},
			{taken, "policy_issued", 409, portal.Say("step.taken", "Step", "policy_issued")},
			{fresh, "policy_activated", 409, portal.Say("step.early", "Step", "policy_issued")},
			{cancelled, "policy_issued", 409, portal.Say("order.refused_cancelled", "To", "policy_issued")},
			{fresh, "x\x00", 422, portal.Say("error.bad_form")},
			{fresh, "", 422, portal.Say("error.bad_form")},
		} {
			a := staff.post(c.work+"/steps", url.Values{"step": {c.step}}).want(c.status)
			if got, want := a.text("main .lead"), say(lang, c.say); got != want {
				t.Errorf("%s (%s): it says %q, want %q", c.step, lang, got, want)
			}
		}
	}
	if after := b.changes(); after != before {
		t.Errorf("refused, and yet: %s, then %s", before, after)
	}
}

// TestDetails: what the partner tells of the target is on the screens, and what
// is only for staff is on theirs alone.
func TestDetails(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("skylt")
	broker, staff := b.browser(), b.staff(staffEmail)
	page := broker.open(address)
	o := b.stored(page)
	for _, where := range []string{"/staff" + page, "/staff/orders"} {
		staff.get(where).has("OBJ30011").hasNot(say("sv", portal.Say("work.unproven")))
	}
	b.check(b.store.DescribeOrder(t.Context(), o.ID, portal.Details{Type: "HolidayHome", Number: "12-345", Street: "Storgata 5", ZipCode: "0155", City: "Oslo",
		Broker: "Kari Megler", Office: "Megleren Sentrum", Sellers: []string{"Ola Nordmann", "Eva Nordmann"}}))
	b.query(`UPDATE orders SET unproven = true WHERE id = $1 RETURNING id`, o.ID)
	unproven, why := say("sv", portal.Say("work.unproven")), say("sv", portal.Say("work.unproven_why", "System", "vitec"))
	common := []string{"Storgata 5, 0155 Oslo", "12-345", "Kari Megler", o.Target.ID, "Megleren Sentrum"}
	for where, a := range map[string]answer{"order page": broker.get(page), "workspace": staff.get("/staff" + page)} {
		for _, text := range common {
			if !strings.Contains(a.text("main"), text) {
				t.Errorf("%s: no %q", where, text)
			}
		}
		if !strings.Contains(a.text("h1"), common[0]) {
			t.Errorf("%s: the heading is %q", where, a.text("h1"))
		}
	}
	staff.get("/staff" + page).has("Ola Nordmann, Eva Nordmann").has("Fritidshus").has(unproven).has(why)
	staff.get("/staff/orders").has("Storgata 5, 0155 Oslo").has(unproven)
	broker.get(page).hasNot("Nordmann", unproven, why, `data-testid="unproven"`)
}
