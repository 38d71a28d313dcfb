package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"portico/internal/portal"
)

func submissionCases() []formCase {
	long := func(limit, n int) portal.Sentence { return portal.Say("field.too_long", "Max", limit, "Count", n) }
	one := func(id string, s portal.Sentence) map[string]portal.Sentence {
		return map[string]portal.Sentence{id: s}
	}
	with := func(input string, values ...string) url.Values {
		return url.Values{"package": {"small"}, input: values}
	}
	return []formCase{
		{name: "nothing", typed: url.Values{}, faults: one("f-package", choose)},
		{name: "unknown choice", typed: url.Values{"package": {"huge"}}, faults: one("f-package", choose), lost: []string{"package"}},
		{name: "two choices", typed: url.Values{"package": {"small", "large"}}, faults: one("f-package", portal.Say("field.one"))},
		{name: "unknown extra", typed: with("extras", "drone", "yacht"), faults: one("f-extras", choose), lost: []string{"extras"}},
		{name: "no date", typed: with("day", "i morgon"), faults: one("f-day", portal.Say("field.date"))},
		{name: "no such date", typed: with("day", "2026-02-30"), faults: one("f-day", portal.Say("field.date"))},
		{name: "no time", typed: with("at", "halv tre"), faults: one("f-at", portal.Say("field.time"))},
		{name: "no number", typed: with("rooms", "fem"), faults: one("f-rooms", portal.Say("field.number"))},
		{name: "no e-mail", typed: with("email", "maja@"), faults: one("f-email", portal.Say("field.email"))},
		{name: "e-mail with a name", typed: with("email", "Maja <maja@example.com>"), faults: one("f-email", portal.Say("field.email"))},
		{name: "no phone", typed: with("phone", "ring mig"), faults: one("f-phone", portal.Say("field.phone"))},
		{name: "short phone", typed: with("phone", "112"), faults: one("f-phone", portal.Say("field.phone"))},
		{name: "long text", typed: with("key", strings.Repeat("n", 21)), faults: one("f-key", long(20, 21))},
		{name: "long textarea", typed: with("access", strings.Repeat("ö", 2001)), faults: one("f-access", long(2000, 2001))},
		{name: "two texts", typed: with("key", "ett", "två"), faults: one("f-key", portal.Say("field.one")), lost: []string{"key"}},
		{name: "NUL", typed: with("key", "a\x00"), faults: one("f-key", garbled), lost: []string{"key"}},
		{name: "two ticks", typed: with("rush", "yes", "no"), faults: one("f-rush", portal.Say("field.one")), lost: []string{"rush"}},
		{name: "much at once", typed: url.Values{"package": {"large"}, "extras": {"plan", "drone"}, "rooms": {"x"}, "day": {"x"},
			"key": {`"><script>`}, "access": {"</textarea>\nNyckel"}, "email": {"maja@example.com"}, "rush": {"yes"}},
			faults: map[string]portal.Sentence{"f-rooms": portal.Say("field.number"), "f-day": portal.Say("field.date")}},
	}
}

// sendWrongly sends each case in each language, and checks that nothing came of it.
func (br *browser) sendWrongly(t *testing.T, address string, cases []formCase) {
	t.Helper()
	before := br.b.changes()
	for _, lang := range portal.Locales {
		br.speak(lang)
		for _, c := range cases {
			c.check(t, lang, br.post(address, c.typed))
		}
	}
	br.speak("sv")
	if after := br.b.changes(); after != before {
		t.Errorf("%s: refused, and yet: %s, then %s", address, before, after)
	}
}

func TestSubmissionForm(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("expertfoto")
	br := b.browser()
	page := br.open(address)
	br.sendWrongly(t, page+"/submission", submissionCases())

	// The summary at the top leads to each fault.
	a := br.post(page+"/submission", url.Values{"rooms": {"x"}}).want(http.StatusUnprocessableEntity)
	doc := a.page()
	links := doc.Find("[data-testid=fault-summary] a")
	if links.Length() != 2 {
		t.Errorf("%d links lead to 2 faults", links.Length())
	}
	for i := range links.Length() {
		if href := links.Eq(i).AttrOr("href", ""); doc.Find(href).Length() != 1 {
			t.Errorf("%s leads nowhere", href)
		}
	}

	right := url.Values{"package": {"small"}, "extras": {"plan", "drone"}, "day": {"2026-12-01"}, "at": {"14:30"}, "rooms": {"4,5"},
		"email": {" maja@example.com "}, "phone": {"070-123 45 67"}, "key": {"Kodlås"}, "access": {"<b>Portkod</b>\r\n1234"}, "rush": {"yes"}, "unasked": {"x"}}
	br.post(page+"/submission", right).wantLocation(page)
	br.wantFlash(page)
	shown := br.get(page).text("dl.facts")
	for _, text := range []string{"Liten, 15 bilder", "Planritning, Drönare", "tisdag 1 december", "14:30", "4,5", "maja@example.com", "070-123 45 67",
		"Kodlås", "<b>Portkod</b> 1234", "Ja"} {
		if !strings.Contains(shown, text) {
			t.Errorf("the receipt does not say %q: %s", text, shown)
		}
	}
	if total := br.get(page).text("[data-testid=total]"); total != "5 730 kr" {
		t.Errorf("total %q", total)
	}
}

// TestBrokerForms are the small forms of the order page, in the state that each is for.
func TestBrokerForms(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	broker := b.browser()
	_, address := b.order("expertfoto")
	draft := broker.open(address)
	broker.sendWrongly(t, draft+"/cancellation", texts("reason", "cancellation-reason"))
	broker.post(draft+"/cancellation", url.Values{"reason": {"Fel objekt"}}).wantLocation(draft)
	broker.wantFlash(draft)

	_, address = b.order("skylt")
	page := broker.open(address)
	broker.sendWrongly(t, page+"/messages", texts("body", "messages-body"))
	broker.post(page+"/messages", url.Values{"body": {"Hej"}}).wantLocation(page)
	broker.wantFlash(page)
	broker.sendWrongly(t, page+"/cancellation", texts("reason", "cancellation-reason"))

	b.staff(staffEmail).deliver("/staff"+page, nil, url.Values{"message": {"Klart"}}).want(http.StatusSeeOther)
	broker.sendWrongly(t, page+"/revisions", texts("body", "revisions-body"))
	broker.post(page+"/revisions", url.Values{"body": {"Ljusare"}}).wantLocation(page)
	broker.wantFlash(page)
	broker.post(page+"/cancellation", url.Values{"reason": {"Såld"}}).wantLocation(page)
	broker.wantFlash(page)
}

func TestAnswerForm(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff, broker := b.staff(staffEmail), b.browser()
	_, address := b.order("skylt")
	page := broker.open(address)
	ask := func(choices string) (question string) {
		staff.post("/staff"+page+"/interactions", url.Values{"comment": {"Vilken dag?"}, "choices": {choices}}).want(http.StatusSeeOther)
		return broker.get(page).page().Find("input[name=interaction]").AttrOr("value", "")
	}
	question := ask("")
	var cases []formCase
	for _, c := range texts("answer", "answers-answer") {
		c.typed.Set("interaction", question)
		cases = append(cases, c)
	}
	broker.sendWrongly(t, page+"/answers", cases)
	broker.post(page+"/answers", url.Values{"interaction": {question}, "answer": {"På tisdag"}}).wantLocation(page)
	broker.wantFlash(page)

	question = ask("Tisdag\nOnsdag")
	fault := map[string]portal.Sentence{"answers-answer": choose}
	broker.sendWrongly(t, page+"/answers", []formCase{
		{name: "nothing", typed: url.Values{"interaction": {question}}, faults: fault},
		{name: "unknown", typed: url.Values{"interaction": {question}, "answer": {"Lördag"}}, faults: fault, lost: []string{"answer"}},
	})
	broker.post(page+"/answers", url.Values{"interaction": {question}, "answer": {"Onsdag"}}).wantLocation(page)
	broker.wantFlash(page)
}

// TestBrokerConflicts: what the state does not allow is refused with a sentence,
// and changes nothing.
func TestBrokerConflicts(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff, broker := b.staff(staffEmail), b.browser()
	open := func(service string) string {
		_, address := b.order(service)
		return broker.open(address)
	}
	draft, received, cancelled, answered := open("expertfoto"), open("skylt"), open("skylt"), open("skylt")
	broker.post(cancelled+"/cancellation", url.Values{"reason": {"x"}}).want(http.StatusSeeOther)
	staff.post("/staff"+answered+"/interactions", url.Values{"comment": {"Vilken dag?"}}).want(http.StatusSeeOther)
	question := b.query(`SELECT id FROM interactions`)
	answer := url.Values{"interaction": {question}, "answer": {"Tisdag"}}
	broker.post(answered+"/answers", answer).want(http.StatusSeeOther)
	tests := []struct {
		name, address string
		form          url.Values
		status        int
		says          portal.Sentence
	}{
		{"message on a draft", draft + "/messages", url.Values{"body": {"x"}}, 409, portal.Say("order.not_completed")},
		{"revision of what is not delivered", received + "/revisions", url.Values{"body": {"x"}}, 409, portal.Say("order.refused_received", "To", "active")},
		{"cancelled twice", cancelled + "/cancellation", url.Values{"reason": {"x"}}, 409, portal.Say("order.refused_cancelled", "To", "cancelled")},
		{"answered twice", answered + "/answers", answer, 409, portal.Say("interaction.closed")},
		{"an answer to another order's question", received + "/answers", answer, 404, portal.Say("page.404_text")},
		{"an answer to nothing", received + "/answers", url.Values{"interaction": {"x"}, "answer": {"x"}}, 404, portal.Say("page.404_text")},
	}
	before := b.changes()
	for _, lang := range portal.Locales {
		broker.speak(lang)
		for _, test := range tests {
			a := broker.post(test.address, test.form).want(test.status)
			if got, want := a.text("main .lead"), say(lang, test.says); got != want {
				t.Errorf("%s: it says %q, want %q", test.name, got, want)
			}
		}
	}
	if after := b.changes(); after != before {
		t.Errorf("refused, and yet: %s, then %s", before, after)
	}
}

// TestFormsThatAreNone: a body that cannot be read is the sender's fault.
func TestFormsThatAreNone(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("expertfoto")
	br := b.browser()
	page := br.open(address)
	br.login(staffEmail, staffPassword).want(http.StatusSeeOther)
	for _, path := range []string{page + "/submission", "/staff" + page + "/notes", "/staff/outbox/1/skip", "/staff/login"} {
		br.do("POST", path, formType, strings.NewReader("body=%zz")).want(422).has("Det som skickades gick inte att läsa som ett formulär.")
		br.do("POST", path, formType, strings.NewReader("body="+strings.Repeat("x", 2<<20))).want(413).wantHeading("page.413_title")
	}
	br.post(page+"/submission", url.Values{"package": {"small"}}).want(http.StatusSeeOther)
	for _, body := range []string{"", "--x\r\nno part", "--x\r\nContent-Disposition: form-data; name=message\r\n\r\ncut"} {
		br.do("POST", "/staff"+page+"/deliveries", "multipart/form-data; boundary=x", strings.NewReader(body)).want(422)
	}
	br.do("POST", "/staff"+page+"/deliveries", "application/json", strings.NewReader("{}")).want(422)
}
