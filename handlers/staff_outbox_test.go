package handlers_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

// boxes returns the jobs that a page of the outbox offers to choose, and those
// of them that are chosen.
func (a answer) boxes() (offered, chosen []string) {
	a.b.t.Helper()
	a.page().Find("input[name=job][form=bulk]").Each(func(_ int, box *goquery.Selection) {
		job := box.AttrOr("value", "")
		offered = append(offered, job)
		if _, ok := box.Attr("checked"); ok {
			chosen = append(chosen, job)
		}
	})
	return offered, chosen
}

// states returns the states of all jobs, oldest first.
func (b *bundle) states() string {
	b.t.Helper()
	return b.query(`SELECT string_agg(state, ' ' ORDER BY id) FROM jobs`)
}

func TestOutboxRetriesWhatIsChosen(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	jobs := []string{b.stuck(), b.stuck(), b.stuck()}
	staff := b.staff(staffEmail)
	if offered, chosen := staff.get("/staff/outbox?kind=parked").boxes(); !slices.Equal(offered, jobs) || len(chosen) != 0 {
		t.Errorf("offered %q, chosen %q", offered, chosen)
	}
	if _, chosen := staff.get("/staff/outbox?chosen=all").boxes(); !slices.Equal(chosen, jobs) {
		t.Errorf("chosen %q of %q", chosen, jobs)
	}
	staff.post("/staff/outbox/retry", url.Values{"job": jobs[:2], "kind": {"parked"}, "office": {"M30011"}}).
		wantLocation("/staff/outbox?kind=parked&office=M30011")
	if got := staff.get("/staff/outbox").text("[data-testid=flash]"); got != "2 meddelanden skickas igen." {
		t.Errorf("it says %q", got)
	}
	if got := b.states(); got != "available available parked" {
		t.Error(got)
	}
	staff.post("/staff/outbox/retry", url.Values{"job": jobs}).want(http.StatusSeeOther)
	if got := staff.get("/staff/outbox").text("[data-testid=flash]"); got != "1 skickas igen. 2 lämnades: de skickas just nu, är redan klara, väntar på sin tur eller ska avgöras." {
		t.Errorf("it says %q", got)
	}
	staff.post("/staff/outbox/retry", url.Values{"job": jobs}).want(http.StatusSeeOther)
	if got := staff.get("/staff/outbox").text("[data-testid=flash]"); !strings.HasPrefix(got, "Inget skickas igen.") {
		t.Errorf("it says %q", got)
	}
	b.clock.Pass(20 * time.Second) // the time that a herd is spread over
	b.drain()
	if got := b.states(); got != "completed completed completed" {
		t.Error(got)
	}
}

func TestOutboxRetriesWhatTheFilterFinds(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.stuck()
	b.stuck()
	b.addOrders("skylt", "M30012", 1)
	b.fake.SetFault(vitectest.OpStatus, vitectest.Fault{Kind: vitectest.FaultBadRequest})
	b.drain()
	b.fake.ClearFaults()
	staff := b.staff(staffEmail)
	if got := staff.get("/staff/outbox?office=M30011").text("button[name=all]"); got != say("sv", portal.Say("outbox.retry_all", "Number", "2")) {
		t.Errorf("the button says %q", got)
	}
	staff.post("/staff/outbox/retry", url.Values{"all": {"1"}, "office": {"M30011"}, "after": {"nonsense"}}).want(http.StatusSeeOther)
	if got := b.states(); got != "available available parked" {
		t.Error(got)
	}
	if by := b.query(`SELECT string_agg(actor_name, ', ') FROM events WHERE kind = 'retried'`); by != "Erik Berg, Erik Berg" {
		t.Errorf("remembered as %q", by)
	}
	staff.post("/staff/outbox/skip", url.Values{"all": {"1"}, "reason": {"x"}}).want(http.StatusUnprocessableEntity) // never all at once
	staff.post("/staff/outbox/retry", url.Values{"all": {"1"}}).want(http.StatusSeeOther)
	if got := b.states(); got != "available available available" {
		t.Error(got)
	}
}

// TestOutboxLeavesUncertainLeads: the button counts what it sends, and beside it
// stands how many leads it leaves for somebody to decide about.
func TestOutboxLeavesUncertainLeads(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.stuck()
	b.stuck()
	staff := b.staff(staffEmail)
	if n := staff.get("/staff/outbox").page().Find("#undecided, [aria-describedby~=undecided]").Length(); n != 0 {
		t.Errorf("without leads it says something of them %d times", n)
	}
	b.uncertain(b.leadOf("Åsa"))
	one := staff.get("/staff/outbox")
	if got, want := one.text("#undecided"), say("sv", portal.Say("outbox.undecided", "Count", 1)); got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	b.uncertain(b.leadOf("Bo"))
	b.ended(b.leadOf("Cia"), func(j portal.Job) error { return b.store.CompleteLead(t.Context(), j, "480001") })
	for _, lang := range portal.Locales {
		staff.speak(lang)
		a := staff.get("/staff/outbox?kind=parked&connection=vitec&office=M30011")
		if got, want := a.text("button[name=all]"), say(lang, portal.Say("outbox.retry_all", "Number", "2")); got != want {
			t.Errorf("%s: the button says %q, want %q", lang, got, want)
		}
		if got, want := a.text("[data-testid=choose]"), say(lang, portal.Say("outbox.choose_all", "Count", 2)); got != want {
			t.Errorf("%s: to choose there is %q, want %q", lang, got, want)
		}
		if got, want := a.text("#undecided"), say(lang, portal.Say("outbox.undecided", "Count", 2)); got != want {
			t.Errorf("%s: beside it stands %q, want %q", lang, got, want)
		}
		if got := a.page().Find("button[name=all]").AttrOr("aria-describedby", ""); got != "undecided" {
			t.Errorf("%s: the button is described by %q", lang, got)
		}
	}
	staff.speak("sv")
	parked := staff.get("/staff/outbox?kind=parked&connection=vitec&office=M30011")
	link := parked.page().Find("#undecided a").AttrOr("href", "")
	if link != "/staff/leads?connection=vitec&office=M30011&state=uncertain" {
		t.Errorf("it links to %s", link)
	}
	if rows := staff.get(link).want(http.StatusOK).page().Find("[data-testid=lead-row]").Length(); rows != 2 {
		t.Errorf("%s shows %d leads, want 2", link, rows)
	}
	if n := staff.get("/staff/outbox?kind=waiting").page().Find("#undecided").Length(); n != 0 {
		t.Error("of those that wait, none is to be decided about")
	}
	staff.post("/staff/outbox/retry", url.Values{"all": {"1"}}).want(http.StatusSeeOther)
	if got := b.states(); got != "available available parked parked completed" {
		t.Error(got)
	}
	if got := staff.get("/staff/outbox").text("[data-testid=flash]"); got != say("sv", portal.Say("flash.outbox_retried_some", "Done", "2", "Left", "2")) {
		t.Errorf("it says %q", got)
	}
}

func TestOutboxSkipsWhatIsChosen(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	jobs := []string{b.stuck(), b.stuck()}
	staff := b.staff(staffEmail)
	staff.sendWrongly(t, "/staff/outbox/skip", []formCase{
		{name: "no reason", typed: url.Values{"job": jobs[1:], "reason": {""}, "kind": {"parked"}}, faults: map[string]portal.Sentence{"skip-reason": required}},
		{name: "long", typed: url.Values{"job": jobs[1:], "reason": {tooLong}}, faults: map[string]portal.Sentence{"skip-reason": longText}},
	})
	for _, lang := range portal.Locales {
		staff.speak(lang)
		a := staff.post("/staff/outbox/skip", url.Values{"reason": {"Ringde"}, "office": {"M30011"}}).want(http.StatusUnprocessableEntity)
		if got := a.text("#job-fault"); got != say(lang, portal.Say("outbox.choose_one")) || !keeps(a.page(), "reason", "Ringde") || !keeps(a.page(), "office", "M30011") {
			t.Errorf("%s: %q", lang, got)
		}
		a = staff.post("/staff/outbox/retry", nil).want(http.StatusUnprocessableEntity)
		if got := a.text("#job-fault"); got != say(lang, portal.Say("outbox.choose_one")) {
			t.Errorf("%s: %q", lang, got)
		}
	}
	staff.speak("sv")
	staff.post("/staff/outbox/skip", url.Values{"job": jobs, "reason": {"Ringde"}}).wantLocation("/staff/outbox")
	staff.get("/staff/outbox").want(http.StatusOK).has("2 meddelanden hoppades över.").has(say("sv", portal.Say("outbox.none")))
	if by := b.query(`SELECT string_agg(actor_name || ': ' || (data->>'body'), ', ') FROM events WHERE kind = 'skipped'`); by != "Erik Berg: Ringde, Erik Berg: Ringde" {
		t.Errorf("remembered as %q", by)
	}
	staff.post("/staff/outbox/skip", url.Values{"job": {"x"}, "reason": {"Ringde"}}).want(http.StatusNotFound)
}

func TestOutboxPages(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.addOrders("skylt", "M30011", 203)
	staff := b.staff(staffEmail)
	a := staff.get("/staff/outbox?office=M30011&chosen=all")
	first, chosen := a.boxes()
	if got := a.text("[data-testid=shown]"); len(first) != 200 || len(chosen) != 200 || !strings.HasPrefix(got, "200 av 203") {
		t.Errorf("%d boxes, %d chosen, %q", len(first), len(chosen), got)
	}
	a = staff.get(a.page().Find("a[rel=next]").AttrOr("href", ""))
	rest, chosen := a.boxes()
	if got := a.text("[data-testid=shown]"); len(rest) != 3 || len(chosen) != 0 || !strings.HasPrefix(got, "3 av 203") || slices.Contains(first, rest[0]) {
		t.Errorf("%q, %d chosen, %q", rest, len(chosen), got)
	}
	if next := a.page().Find("a[rel=next]").Length(); next != 0 {
		t.Error("the last page has a next one")
	}
	a = staff.get(a.page().Find("a[rel=first]").AttrOr("href", ""))
	if again, _ := a.boxes(); !slices.Equal(again, first) {
		t.Error("the first page is another one")
	}
}

func TestOutboxFilters(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	parked := b.stuck()
	b.clock.Pass(10 * time.Minute)
	b.addOrders("skylt", "M30012", 1)
	fresh := b.query(`SELECT max(id) FROM jobs`)
	staff := b.staff(staffEmail)
	for query, want := range map[string][]string{
		"":                               {parked, fresh},
		"?kind=parked":                   {parked},
		"?kind=waiting":                  {fresh},
		"?kind=nonsense":                 {parked, fresh},
		"?age=5m":                        {parked},
		"?age=1h":                        nil,
		"?age=nonsense":                  {parked, fresh},
		"?office=M30012":                 {fresh},
		"?connection=vitec":              {parked, fresh},
		"?connection=other":              nil,
		"?after=nonsense":                {parked, fresh},
		"?office=M30011&kind=waiting":    nil,
		"?office=M30011&age=5m":          {parked},
		"?connection=vitec&kind=waiting": {fresh},
	} {
		a := staff.get("/staff/outbox" + query).want(http.StatusOK)
		if got, _ := a.boxes(); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
		if empty := a.text("[data-testid=empty] h2"); want == nil && empty != say("sv", portal.Say("outbox.none_match")) {
			t.Errorf("%q: it says %q", query, empty)
		}
	}
	if got := staff.get("/staff/outbox?age=5m&kind=parked").page().Find("#filter-age option[selected]").AttrOr("value", ""); got != "5m" {
		t.Errorf("the filter shows %q", got)
	}
	if offered, _ := b.staff(viewerEmail).get("/staff/outbox").has("M30012").boxes(); len(offered) != 0 {
		t.Errorf("a viewer may choose %q", offered)
	}
}

// TestOverdueInNavigation: it counts what people should look at, and nothing else.
func TestOverdueInNavigation(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff := b.staff(staffEmail)
	want := func(want string) {
		t.Helper()
		if got := staff.get("/staff/orders").text("nav a[href='/staff/outbox'] .num"); got != want {
			t.Errorf("the navigation counts %q, want %q", got, want)
		}
	}
	b.work()
	want("")
	b.clock.Pass(portal.Overdue)
	want("1")
	b.drain()
	want("")
	b.stuck()
	want("1")
}

// TestTheSameMark: on the queue, on the workspace and in the outbox.
func TestTheSameMark(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff := b.staff(staffEmail)
	work := b.work()
	same := func(word string) {
		t.Helper()
		want := say("sv", portal.Say("unsent."+word))
		for page, mark := range map[string]string{"/staff/orders": "[data-testid=order-row] [data-testid=unsent]",
			work: ".heading [data-testid=unsent]", "/staff/outbox": "[data-testid=outbox-row] [data-testid=unsent]"} {
			if got := staff.get(page).text(mark); got != want {
				t.Errorf("%s: %q, want %q", page, got, want)
			}
		}
		if got := staff.get(work).text("#reports [data-testid=unsent]"); got != want {
			t.Errorf("the panel: %q, want %q", got, want)
		}
	}
	same("queued")
	b.fake.SetFault(vitectest.OpStatus, vitectest.Fault{Kind: vitectest.FaultUnauthorized})
	b.drain() // sent away without an attempt being spent
	same("trying")
	b.fake.SetFault(vitectest.OpStatus, vitectest.Fault{Kind: vitectest.FaultBadRequest})
	b.clock.Pass(10 * time.Minute)
	b.drain()
	same("parked")
}

// TestSkipOnTheWorkspace: a form that is refused comes back where it stands.
func TestSkipOnTheWorkspace(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	job := b.stuck()
	work := "/staff/orders/" + b.query(`SELECT public_id FROM orders`)
	staff := b.staff(staffEmail)
	a := staff.post("/staff/outbox/"+job+"/skip", url.Values{"next": {work}}).want(http.StatusUnprocessableEntity)
	if fault := a.text(`#reports [id="` + job + `/skip-reason-fault"]`); fault != say("sv", required) {
		t.Errorf("the panel says %q", fault)
	}
	a = staff.post("/staff/outbox/"+job+"/skip", url.Values{"next": {"/staff/outbox?kind=parked"}}).want(http.StatusUnprocessableEntity)
	if got := a.text(".chips [aria-current]"); !strings.HasPrefix(got, say("sv", portal.Say("outbox.kind_parked"))) {
		t.Errorf("the filter is %q", got)
	}
	staff.post("/staff/outbox/"+job+"/skip", url.Values{"next": {work}, "reason": {"Ringde"}}).wantLocation(work)
}
