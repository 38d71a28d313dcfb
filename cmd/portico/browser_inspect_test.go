package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

var shots = flag.String("shots", "", "write a picture of every screen in every state to this `folder`")

// look is how a screen is looked at.
type look struct {
	name          string
	width, height int64
	scheme        string
	rules         string // of axe: all of them need no second look in the other scheme
}

const (
	allRules   = `{type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}`
	colorRules = `{type: "rule", values: ["color-contrast", "link-in-text-block"]}`
)

var looks = []look{
	{"phone-light", 390, 844, "light", allRules},
	{"phone-dark", 390, 844, "dark", colorRules},
	{"desk-dark", 1440, 900, "dark", allRules},
	{"desk-light", 1440, 900, "light", colorRules},
}

// as makes the tab look at its page in a certain way.
func (b *tab) as(l look) {
	b.t.Helper()
	b.do("look as "+l.name, chromedp.Steps(stillness(l.scheme), func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride,
			emulation.SetDeviceMetricsOverrideParams{Width: l.width, Height: l.height, DeviceScaleFactor: 1})
		return chromedp.Void{}, err
	}))
}

// stillness asks pages for a colour scheme, and not to move: what is on its way
// is missed by a click, and a colour on its way to another is none.
func stillness(scheme string) step {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
		return chromedp.Void{}, err
	}
}

// inspect looks at the screen that the tab is on in every way, and reports what
// keeps people from using it.
func (b *tab) inspect(name string) {
	b.t.Helper()
	b.inspectAs(name, looks...)
}

func (b *tab) inspectAs(name string, chosen ...look) {
	b.t.Helper()
	b.do("bring axe", chromedp.Evaluate[chromedp.Void](axeSource()))
	for _, l := range chosen {
		b.as(l)
		for _, find := range []string{tooWide, tooSmall, fmt.Sprintf(runAxe, l.rules)} {
			b.report(name+", "+l.name, eval[[]string](b, find, chromedp.EvalAwaitPromise)...)
		}
		b.shoot(name, l)
	}
	b.as(look{name: "narrow", width: 320, height: 640, scheme: "light"})
	b.report(name+", 320 px", eval[[]string](b, tooWide)...)
	b.as(looks[3])
}

// report reports faults, each where it is seen first.
func (b *tab) report(where string, faults ...string) {
	b.t.Helper()
	for _, fault := range faults {
		if fault != "" && !b.reported[fault] {
			b.reported[fault] = true
			b.t.Errorf("%s: %s", where, fault)
		}
	}
}

var axeSource = sync.OnceValue(func() string {
	source, err := os.ReadFile(filepath.Join("testdata", "axe", "axe.min.js"))
	if err != nil {
		panic(err) // the file is part of the tests
	}
	return string(source) + "; void 0"
})

const runAxe = `axe.run(document, {resultTypes: ["violations"], runOnly: %s}).then(r => r.violations.map(v =>
	v.id + ": " + v.help + v.nodes.map(n => "\n\t" + n.target.join(" ") + ": " +
		[...n.any, ...n.all, ...n.none].map(c => c.message).join(" ")).join("")))`

// tooWide finds what makes the page scroll sideways: nothing that scrolls by
// itself, or is cut off.
const tooWide = `document.scrollingElement.scrollWidth <= innerWidth ? [] : ["the page scrolls sideways because of " +
	[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > innerWidth + .5)
		.filter(e => { while ((e = e.parentElement) && e !== document.body) if (getComputedStyle(e).overflowX !== "visible") return false; return true })
		.map(e => e.tagName.toLowerCase() + "." + e.className).slice(0, 5).join(", ")]`

// tooSmall finds what is hard to hit: under 24 pixels, on the portal's screens on
// a phone under 44. A link in a text is as high as its line; axe sees to it that
// none is too near to another.
const tooSmall = `[...document.querySelectorAll("a[href]:not(.skip), button, summary, select, textarea, input:not([type=hidden])")]
	.filter(e => e.checkVisibility({visibilityProperty: true}) && getComputedStyle(e).display !== "inline")
	.map(e => [e, (e.matches("input") && e.closest("label") || e).getBoundingClientRect()])
	.filter(([e, box]) => box.width < 24 || box.height < (innerWidth < 500 && !document.querySelector("[data-testid=simulator]") ? 44 : 24))
	.map(([e, box]) => "hard to hit: " + box.width.toFixed(1) + " x " + box.height.toFixed(1) + " " + e.outerHTML.slice(0, 120))`

// steady opens an address anew and reports whether anything moved while it loaded.
func (b *tab) steady(name, address string) {
	b.t.Helper()
	for _, l := range looks[:3:3] {
		b.as(l)
		b.open(address)
		b.report(name+", "+l.name, eval[[]string](b, layoutShift, chromedp.EvalAwaitPromise)...)
	}
}

// layoutShift finds what moved by more than nobody sees: Google calls ten times
// as much good.
const layoutShift = `new Promise(done => {
	const moved = [];
	const observer = new PerformanceObserver(list => list.getEntries().filter(e => !e.hadRecentInput && e.value > .01).forEach(e =>
		moved.push("moved by " + e.value.toFixed(3) + ": " + e.sources.map(s => s.node?.parentElement?.outerHTML.slice(0, 150)).join(", "))));
	observer.observe({type: "layout-shift", buffered: true});
	document.fonts.ready.then(() => requestAnimationFrame(() => requestAnimationFrame(() => done(moved))));
})`

// focusShows walks through the screen with the Tab key, and reports what has the
// focus without showing it, or behind something else.
func (b *tab) focusShows(name string) {
	b.t.Helper()
	for _, l := range []look{looks[0], looks[3]} {
		b.as(l)
		b.do("remember how things look", chromedp.Evaluate[chromedp.Void](rememberLooks))
		for range eval[int](b, "seen.size + 5") { // a date has several stops
			b.do("press Tab", chromedp.KeyEvent(kb.Tab))
			b.report(name+", "+l.name, eval[string](b, focusHidden, chromedp.EvalAwaitPromise))
		}
		if n := eval[int](b, "walked.size"); n < 5 {
			b.t.Errorf("%s: the Tab key reaches only %d things", name, n)
		}
		b.report(name+", "+l.name, eval[[]string](b, `[...walked].filter(e => !shown.has(e)).map(e => "no sign of focus on " + e.outerHTML.slice(0, 120))`)...)
	}
}

const rememberLooks = `var walked = new Set(), shown = new Set(), appearance = e => [e, e.closest("label") ?? e].map(e => {
		const s = getComputedStyle(e);
		return [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow].join(" ");
	}).join();
	document.activeElement.blur();
	var seen = new Map([...document.querySelectorAll("a[href], button, summary, select, textarea, input, pre[tabindex]")]
		.filter(e => e.checkVisibility({visibilityProperty: true})).map(e => [e, appearance(e)]))`

const focusHidden = `new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn))).then(() => {
	const e = document.activeElement;
	if (!seen.has(e)) return "";
	walked.add(e);
	if (appearance(e) !== seen.get(e)) shown.add(e);
	const box = (e.matches("input") && e.closest("label") || e).getBoundingClientRect();
	const on = [.02, .5, .98].map(x => document.elementFromPoint(box.x + box.width * x, box.y + Math.min(box.height, 80) / 2)).filter(on => on);
	return on.some(on => on.contains(e) || e.contains(on) || e.closest("label")?.contains(on)) ? ""
		: "the focus is on " + e.outerHTML.slice(0, 80) + " behind " + on[0]?.outerHTML.slice(0, 80);
})`

// unfold opens everything that can be opened on the page.
func (b *tab) unfold() {
	b.t.Helper()
	b.do("unfold", chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("main details").forEach(d => d.open = true)`))
}

// shoot writes a picture of the whole page, if pictures are asked for.
func (b *tab) shoot(name string, l look) {
	b.t.Helper()
	if *shots == "" {
		return
	}
	// What sticks to the foot of the screen stands at the foot of the page.
	l.height = max(l.height, eval[int64](b, "document.documentElement.scrollHeight"))
	b.as(l)
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.MkdirAll(*shots, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(*shots, name+"-"+l.name+".png"), picture, 0o644)
	}
	if err != nil {
		b.t.Errorf("picture of %s: %v", name, err)
	}
}

// TestInspection does what pages must not do, and checks that it is noticed.
func TestInspection(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	b := newTab(t, d)
	for script, want := range map[string]string{
		`new Promise(done => { document.onsecuritypolicyviolation = done; document.body.setAttribute("style", "color: red") })`: "style-src",
		`new Promise(done => { Object.assign(new Image(), {onerror: done, src: "https://elsewhere.example/x.png"}) })`:          "elsewhere.example",
		`new Promise(done => { window.onerror = () => done(); setTimeout(() => { throw new Error("not caught") }) })`:           "not caught",
		`console.error("went wrong")`: "went wrong",
		`fetch("/no/such/file")`:      "404 for",
	} {
		b.open(d.portal)
		b.do(script, chromedp.Evaluate[chromedp.Void](script, chromedp.EvalAwaitPromise))
		b.open(d.portal) // what happened before has been told then
		if faults := b.forget(); !strings.Contains(strings.Join(faults, "\n"), want) {
			t.Errorf("%s is not noticed, but: %q", script, faults)
		}
	}
	b.do("spoil the page", chromedp.Evaluate[chromedp.Void](`document.querySelector("main").innerHTML = "<table width=3000><td><img src=''><button></button></table>"`))
	b.do("bring axe", chromedp.Evaluate[chromedp.Void](axeSource()))
	for find, want := range map[string]string{tooWide: "sideways", tooSmall: "hard to hit", fmt.Sprintf(runAxe, allRules): "image-alt"} {
		if faults := eval[[]string](b, find, chromedp.EvalAwaitPromise); !strings.Contains(strings.Join(faults, "\n"), want) {
			t.Errorf("no %q in %q", want, faults)
		}
	}
	b.forget()
}

// forget returns what the watch has seen, and forgets it.
func (b *tab) forget() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	faults := b.faults
	b.faults = nil
	return faults
}
