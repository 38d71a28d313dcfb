package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"portico/views"
)

const (
	estate  = "OBJ30011_1684210"
	answer  = "Onsdag kl. 9"
	access  = "Nyckel i skåpet, kod 4711"
	message = "Hela serien, ljus och redigerad"
	film    = "https://film.example/visning"
	wish    = "Gör köket ljusare"
)

// journey is one order, from the click in the partner system to the broker's
// wish for a change, as the people do it.
type journey struct {
	t       testing.TB
	demo    *demoRun
	say     *views.Printer // the language of the screens
	scripts bool
	system  string // the partner's
	number  string // the order's, at the partner
}

func TestJourney(t *testing.T) {
	t.Parallel()
	for name, scripts := range map[string]bool{"sv": true, "nb": true, "en": true,
		"sv without scripts": false, "nb without scripts": false, "en without scripts": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lang, _, _ := strings.Cut(name, " ")
			j := &journey{t: t, demo: startDemo(t), say: views.NewPrinter(lang, time.UTC, time.Now()), scripts: scripts, system: "vitec"}
			broker, staff := j.tab(speaking(lang)), j.tab()
			j.order(broker)
			j.logIn(staff)
			j.ask(staff)
			j.answer(j.tab(speaking(lang)))
			j.deliver(staff)
			j.fetch(broker)
			j.revise(broker, staff)
		})
	}
}

// tab is a new person's browser.
func (j *journey) tab(setUp ...step) *tab {
	j.t.Helper()
	if !j.scripts {
		setUp = append(setUp, withoutScripts)
	}
	return newTab(j.t, j.demo, setUp...)
}

// reads checks that the screen is in the journey's language and says the texts
// of the keys.
func (j *journey) reads(b *tab, keys ...string) {
	b.t.Helper()
	if lang := eval[string](b, "document.documentElement.lang"); lang != j.say.Locale() {
		b.t.Errorf("the page is in %q, want %q", lang, j.say.Locale())
	}
	for _, key := range keys {
		b.reads(j.say.T(key, "Provider", "Nordljus Foto AB", "System", j.system))
	}
}

func (j *journey) estate() string { return j.demo.simulator + "/estates/" + estate }

// order orders an estate's pictures and reads the receipt.
func (j *journey) order(b *tab) {
	b.open(j.demo.simulator)
	b.press(fmt.Sprintf("[data-testid=estate] a[href$=%q]", estate))
	b.press("[data-testid=order-expertfoto]")
	j.reads(b, "order_form.submit", "order_form.summary", "form.optional")
	b.click("label:has(#f-package-large)")
	b.click("label:has(#f-extras-drone)")
	b.write("#f-day", "11112026") // the eleventh of the eleventh: whichever comes first in the browser's language
	b.write("#f-access", access)
	b.write("#f-phone", "070-123 45 67")
	total := j.say.Money(549000, "SEK")
	if j.scripts {
		b.sees("output[data-total-out]")
		if got := b.text("output[data-total-out]"); got != total {
			b.t.Errorf("the running total is %q, want %q", got, total)
		}
	}
	b.press(".order-form button:not([type=button])")
	j.reads(b, "flash.submission", "state.received", "order.next_received")
	b.reads(total, access, j.say.Date("2026-11-11"))
	b.sees("[data-testid=state][data-state=received]")

	b.reopens(j.estate(), "[data-testid=order-status][data-status=OrderReceived]")
	j.number = eval[string](b, "document.querySelector('[data-testid=order]').dataset.order")
}

// logIn chooses the language and signs in.
func (j *journey) logIn(b *tab) {
	b.open(j.demo.portal + "/staff/login")
	b.press(fmt.Sprintf(".languages a[hreflang=%s]", j.say.Locale()))
	j.reads(b, "login.button")
	j.demo.logIn(b)
	j.reads(b, "queue.title", "state.received")
	b.reads(j.number)
}

// logIn signs in to the staff screens, as whoever wants the queue.
func (d *demoRun) logIn(b *tab) {
	b.t.Helper()
	b.open(d.portal + "/staff/orders")
	b.write("#email", d.email)
	b.write("#password", d.password)
	b.press("form[action='/staff/login'] button")
	b.sees("[data-testid=order-row], [data-testid=empty]")
}

// ask opens the order from the queue, begins to work and asks the broker.
func (j *journey) ask(b *tab) {
	b.press("[data-testid=order-row] a")
	j.reads(b, "work.timeline", "work.button_start")
	b.reads(access)
	b.press("#start-form button")
	j.reads(b, "flash.staff_start", "state.active")
	b.click("#interactions > summary")
	b.write("#interactions-comment", "Vilken tid passar?")
	b.write("#interactions-choices", "Tisdag kl. 14\n"+answer)
	if j.scripts {
		if preview := b.text("#interactions [data-testid=preview]"); !strings.Contains(preview, "Vilken tid passar?") {
			b.t.Errorf("the preview does not hold the question: %s", preview)
		}
	}
	b.press("#interactions-form button")
	j.reads(b, "flash.staff_interactions", "state.waiting")
}

// answer follows the link that the partner system shows, in the browser of
// somebody else at the office.
func (j *journey) answer(b *tab) {
	b.reopens(j.estate(), "[data-testid=interaction-link]")
	b.reads("Vilken tid passar?")
	b.press("[data-testid=interaction-link]")
	j.answerHere(b)
}

// answerHere answers on the order's page.
func (j *journey) answerHere(b *tab) {
	j.reads(b, "order.needs_answer", "order.next_waiting")
	b.click(fmt.Sprintf("[data-testid=question] label:has(input[value=%q])", answer))
	b.press("[data-testid=question] button")
	j.reads(b, "flash.answers", "state.active")
	b.reads(answer)
}

func (j *journey) deliver(b *tab) {
	b.open(eval[string](b, "location.href"))
	j.reads(b, "state.active")
	b.reads(answer)
	b.attach("#files", "kök.png")
	b.write("#deliveries-message", message)
	b.write("#deliveries-links", film)
	b.press("#deliveries-form button")
	j.reads(b, "flash.staff_deliveries", "state.delivered")
	b.reads(message, film, "kök.png")
}

// pixel is a whole PNG of one pixel.
var pixel = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89" +
	"\x00\x00\x00\rIDATx\xdac\x64\xf8\xcf\x50\x0f\x00\x03\x86\x01\x80Z4}k\x00\x00\x00\x00IEND\xaeB`\x82")

// fetch comes back to the order the way it began, and downloads the file.
func (j *journey) fetch(b *tab) {
	b.reopens(j.estate(), "[data-testid=order-status][data-status=Delivered]")
	b.press("[data-testid=reopen]")
	j.reads(b, "state.delivered", "order.next_delivered")
	b.reads(message, film)
	if got := b.download("[data-testid=delivery] a[href*='/files/']"); !bytes.Equal(got, pixel) {
		b.t.Errorf("the file that came down is not the one that went up: %d bytes, want %d", len(got), len(pixel))
	}
}

// revise asks for a change, which reopens the order for staff.
func (j *journey) revise(broker, staff *tab) {
	broker.click("details:has(#revisions-body) > summary")
	broker.write("#revisions-body", wish)
	broker.press("form[action$='/revisions'] button")
	j.reads(broker, "flash.revisions", "state.active")
	staff.open(eval[string](staff, "location.href"))
	j.reads(staff, "state.active")
	staff.reads(wish)
}
