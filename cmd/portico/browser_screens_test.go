package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// screen is a screen in a state.
type screen struct {
	name string
	show func() // leaves the tab on it
}

// TestScreens looks at every screen in every state.
func TestScreens(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.seed()
	s.crowd()
	if *shots != "" {
		s.settle()
	}
	if *readme {
		s.drawReadme(newTab(t, s.demoRun, speaking("sv")), newTab(t, s.demoRun, speaking("sv")))
	}
	for name, screens := range map[string]func(*scene, *tab) []screen{"broker": (*scene).brokerScreens,
		"queue": (*scene).queueScreens, "workspace": (*scene).workspaceScreens, "simulator": (*scene).simulatorScreens,
		"services": (*scene).serviceScreens, "accesses": (*scene).accessScreens} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTab(t, s.demoRun, speaking("sv"))
			for _, screen := range screens(s.in(t), b) {
				screen.show()
				b.inspect(screen.name)
			}
		})
	}
}

func (s *scene) brokerScreens(b *tab) []screen {
	shows := func(name string, o ordered) screen {
		return screen{"order-" + name, func() { b.open(s.reopen(o)) }}
	}
	refused := func(name, button string) screen { // the form is sent empty
		return screen{"order-" + name, func() { b.unfold(); b.pressFor(422, button) }}
	}
	return []screen{
		{"home", func() { b.open(s.portal) }},
		{"error-401", func() { b.openFor(401, s.portal+"/orders/"+s.received.public) }},
		{"error-403", func() { b.openFor(403, s.portal+"/callback/expertfoto?customerId=M30011&token=x") }},
		{"error-404", func() { b.openFor(404, s.portal+"/nowhere") }},
		{"error-410", func() { b.openFor(410, s.expired(s.received)) }},
		{"error-503", func() {
			address := s.reopen(s.received)
			s.fault("token", "unavailable")
			b.openFor(503, address)
			s.fault("token", "unavailable")
		}},
		{"form", func() {
			b.open(s.reopen(s.draft))
			b.focusShows("form")
			b.steady("form", s.reopen(s.draft))
		}},
		refused("form-faults", submit),
		{"form-filled", func() {
			b.open(s.reopen(s.draft))
			b.click("label:has(#f-package-film)")
			b.click("label:has(#f-extras-plan)")
		}},
		refused("form-cancel", "form[action$='/cancellation'] button"),
		{"form-plan", func() { b.open(s.reopen(s.plan)) }},
		{"form-plan-faults", func() {
			b.write("#f-area", "många")
			b.write("#f-email", "namn")
			b.click("label:has(#f-rush)")
			b.attach("#f-sketch", "Övre våningen, uppmätt 1987 av förra ägaren.png", "källare.png")
			b.pressFor(422, submit)
			b.sees("[data-testid=attached]")
		}},
		{"form-plan-more", func() {
			b.click("label:has([name=remove-file])")
			b.attach("#f-sketch", "gavel.png")
			b.watches("[data-files]", "gavel.png")
		}},
		{"order-attached", func() {
			b.do("say how large it is", chromedp.SetValue(visible("#f-area"), "87"))
			b.do("say who asks", chromedp.SetValue(visible("#f-email"), "maja@maklare.example"))
			b.press(submit)
			b.watches("[data-testid=attached]", "gavel.png")
			if shown := b.text("[data-testid=attached]"); strings.Contains(shown, "1987") || !strings.Contains(shown, "källare.png") {
				s.t.Errorf("attached are %s", shown)
			}
		}},
		shows("received", s.received),
		{"order-received-unfolded", b.unfold},
		refused("received-message", "form[action$='/messages'] button"),
		refused("received-cancel", "form[action$='/cancellation'] button"),
		shows("active", s.active),
		shows("waiting-text", s.text),
		shows("waiting", s.waiting),
		refused("waiting-fault", "[data-testid=question] button"),
		shows("once", s.once),
		{"order-delivered", func() { b.steady("order-delivered", s.reopen(s.delivered)) }},
		{"order-delivered-unfolded", b.unfold},
		refused("delivered-revision", "form[action$='/revisions'] button"),
		shows("failed", s.failed),
		shows("cancelled", s.cancelled),
		shows("sign", s.sign),
	}
}

func (s *scene) queueScreens(b *tab) []screen {
	queue, few := s.portal+"/staff/orders", s.portal+"/staff/orders?state=delivered"
	outbox := s.portal + "/staff/outbox"
	return []screen{
		{"login", func() { b.open(s.portal + "/staff/login") }},
		{"login-wrong", func() {
			b.write("#email", s.email)
			b.write("#password", "fel lösenord")
			b.pressFor(422, "form[action='/staff/login'] button")
		}},
		{"queue", func() {
			s.logIn(b)
			b.open(few)
			b.focusShows("queue")
			b.open(queue)
			for _, width := range []int64{390, 1030, 1440} {
				b.as(look{name: "queue", width: width, height: 800, scheme: "light"})
				b.report(fmt.Sprintf("queue, %d px", width), eval[[]string](b, cutOff)...)
			}
			b.steady("queue", queue)
		}},
		{"queue-menu", func() {
			b.open(few)
			b.click("header details.menu summary")
		}},
		{"queue-states", func() {
			b.open(few)
			b.unfold()
		}},
		{"queue-filters", func() {
			b.open(few)
			b.as(looks[0])
			b.click("[popovertarget=filters]")
			b.inspectAs("queue-filters-open", looks[:2]...)
			b.open(queue + "?state=waiting&state=active&service=expertfoto&office=M30011&sort=newest")
		}},
		{"queue-no-match", func() { b.open(queue + "?q=finns+inte") }},
		{"outbox", func() {
			b.steady("outbox", outbox)
			b.focusShows("outbox")
		}},
		{"outbox-unfolded", b.unfold},
		{"outbox-skip-fault", func() {
			b.open(outbox)
			b.click("[data-testid=outbox-row] .do summary")
			b.pressFor(422, "form[action$='/skip'] button")
		}},
		{"outbox-none-chosen", func() { b.pressFor(422, "#bulk .actions > button") }},
		{"outbox-chosen", func() { b.press("[data-testid=choose]") }},
		{"outbox-skip-many-fault", func() {
			b.click("#bulk summary")
			b.pressFor(422, "#bulk [formaction]")
		}},
		{"outbox-filters", func() {
			b.as(looks[0])
			b.click("[popovertarget=filters]")
			b.inspectAs("outbox-filters-open", looks[:2]...)
			b.open(outbox + "?kind=parked&office=M30011&age=1h")
		}},
		{"outbox-no-match", func() { b.open(outbox + "?age=24h&kind=waiting&office=nowhere") }},
		{"error-404-staff", func() { b.openFor(404, s.portal+"/staff/orders/nowhere") }},
		{"work-viewer", func() {
			b.click("header details.menu summary")
			b.press("form[action='/staff/logout'] button")
			s.logInAs(b, viewer)
			b.open(s.portal + "/staff/orders/" + s.delivered.public)
		}},
		{"error-403-staff", func() { b.post(403, "/reopening") }}, // a viewer must not
	}
}

// cutOff finds rows of the queue that hide what they are about, or that the
// partner does not know.
const cutOff = `[...document.querySelectorAll("[data-testid=order-row]")].flatMap(row => {
	const target = row.querySelector(".row-link").parentElement, unsent = row.querySelector("[data-testid=unsent]");
	const right = e => e.getBoundingClientRect().right;
	return [target.clientWidth < 150 && "target has " + target.clientWidth + " px",
		unsent && right(unsent) > right(unsent.parentElement) && "mark is cut off: " + row.innerText].filter(fault => fault);
})`

func (s *scene) workspaceScreens(b *tab) []screen {
	s.logInAs(b, helper)
	shows := func(name string, o ordered) screen {
		return screen{"work-" + name, func() { b.open(s.portal + "/staff/orders/" + o.public) }}
	}
	unfolded := func(name string) screen { return screen{"work-" + name + "-unfolded", b.unfold} }
	refused := func(form string) screen { // it is sent empty
		return screen{"work-active-" + form, func() {
			b.unfold()
			b.pressFor(422, "#"+form+"-form button")
		}}
	}
	return []screen{
		shows("draft", s.draft),
		shows("received", s.received), unfolded("received"),
		{"work-active", func() {
			shows("active", s.active).show()
			b.focusShows("work-active")
			b.steady("work-active", s.portal+"/staff/orders/"+s.active.public)
		}},
		unfolded("active"), refused("deliveries"), refused("interactions"), refused("failure"),
		shows("waiting", s.waiting), unfolded("waiting"),
		shows("delivered", s.delivered), unfolded("delivered"),
		shows("failed", s.failed), shows("cancelled", s.cancelled),
		shows("trying", s.trying), unfolded("trying"), shows("parked", s.parked),
		{"error-409-staff", func() {
			shows("taken", s.taken).show()
			s.start(s.taken)
			b.pressFor(409, "#start-form button")
		}},
		{"error-422-staff", func() {
			shows("active", s.active).show()
			b.post(422, "/deliveries") // as no form of ours would
		}},
		{"error-401-staff", func() {
			shows("received", s.received).show()
			s.exec(`DELETE FROM sessions USING staff WHERE staff_id = staff.id AND email = $1`, helper)
			b.pressFor(401, "#start-form button")
		}},
	}
}

// post sends an empty form to an address below the page's own.
func (b *tab) post(status int, path string) {
	b.t.Helper()
	const send = `(f => { f.method = "post"; f.action = location.pathname + %q; document.body.append(f); f.submit() })(document.createElement("form"))`
	b.loads(status, "post to "+path, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(send, path)))
}

func (s *scene) simulatorScreens(b *tab) []screen {
	return []screen{
		{"vitec", func() { b.open(s.simulator) }},
		{"vitec-estate", func() {
			s.reported(s.waiting, s.delivered)
			b.open(s.estate())
			b.unfold()
		}},
		{"vitec-other-office", func() { b.open(s.simulator + "/estates/OBJ30420_0417720") }},
		{"vitec-missing", func() { b.openFor(404, s.simulator+"/nowhere") }},
		{"vitec-faults", func() { b.open(s.simulator + "/faults") }},
		{"vitec-faults-on", func() {
			b.do("choose what fails", chromedp.SetValue(visible("select[name=op]"), "list"))
			b.press("button[value=slow]")
		}},
		{"vitec-log", func() { b.open(s.simulator + "/log") }},
		{"vitec-log-unfolded", func() {
			b.do("unfold", chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll("main details")].slice(0, 6).forEach(d => d.open = true)`))
		}},
	}
}

// TestScreensOfNewPortal looks at the screens before the first order, and while
// the partner refuses our credential.
func TestScreensOfNewPortal(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	b := newTab(t, d, speaking("sv"))
	d.logIn(b)
	b.inspect("queue-empty")
	for name, address := range map[string]string{"outbox-empty": d.portal + "/staff/outbox",
		"vitec-estate-empty": d.estate(), "vitec-log-empty": d.simulator + "/log"} {
		b.open(address)
		b.inspect(name)
	}
	b.open(d.simulator + "/faults")
	b.do("choose what fails", chromedp.SetValue(visible("select[name=op]"), "status"))
	b.press("button[value=unauthorized]")
	d.submitted(b)
	b.reopens(d.portal+"/staff/orders", "[data-testid=alarms]")
	b.inspect("queue-alarm")
	b.press("[data-testid=order-row] a")
	b.inspect("work-alarm")
	b.open(d.portal + "/staff/outbox")
	b.inspect("outbox-alarm")
	b.open(d.estate())
	b.pressFor(503, "[data-testid=reopen]")
	b.inspect("error-503-credential")
}

// logInAs signs in as somebody else; everybody has the same password.
func (s *scene) logInAs(b *tab, email string) {
	b.t.Helper()
	d := *s.demoRun
	d.email = email
	d.logIn(b)
}

// fault switches a fault of the simulator on, or off again.
func (s *scene) fault(op, kind string) {
	s.t.Helper()
	s.post("/faults", "MED30011_118", url.Values{"op": {op}, "kind": {kind}})
}

// expired returns the address of an order with a token that is too old.
func (s *scene) expired(o ordered) string {
	s.t.Helper()
	return s.post(fmt.Sprintf("/orders/%s/%s/openings", o.office, o.number), "MED30011_118", url.Values{"expired": {"1"}}).String()
}

// in returns the scene as a subtest uses it.
func (s *scene) in(t *testing.T) *scene {
	c := *s
	c.t = t
	return &c
}
