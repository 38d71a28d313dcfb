package main

import (
	"context"
	"net/netip"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"portico/internal/portal"
)

// addServices adds the ways in that the demo has no service of.
func (s *scene) addServices() {
	s.t.Helper()
	provider, err := s.store.Provider(s.t.Context())
	s.check(err)
	basic := portal.Service{ID: "hemstadning", ConnectionID: "vitec", Flow: portal.FlowBackground, Auth: portal.AuthBasic,
		Username: "express", PasswordHashes: []string{strings.Repeat("5ec2e7", 10)}, Customers: []string{"M30011", "M30420"},
		AllowIPs: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, Name: portal.Text{"sv": "Städning inför visning"}}
	none := portal.Service{ID: "nyckelkopior", ConnectionID: "vitec", Flow: portal.FlowBackground, Auth: portal.AuthNone,
		SecretHash: strings.Repeat("5ec2e7", 10), Name: portal.Text{"sv": "Nyckelkopior"}}
	_, err = s.store.Apply(s.t.Context(), portal.Setup{Provider: provider, Services: []portal.Service{basic, none}})
	s.check(err)
}

func (s *scene) serviceScreens(b *tab) []screen {
	s.addServices()
	s.logInAs(b, viewer)
	list := s.portal + "/staff/services"
	return []screen{
		{"services", func() {
			b.open(list)
			b.focusShows("services")
			b.steady("services", list)
		}},
		{"service-page", func() {
			b.open(list + "/expertfoto")
			b.focusShows("service-page")
			b.steady("service-page", list+"/expertfoto")
		}},
		{"service-basic", func() { b.open(list + "/hemstadning") }},
		{"service-none", func() { b.open(list + "/nyckelkopior") }},
		{"service-fields", func() { b.open(list + "/boligfoto") }},
		{"error-404-service", func() { b.openFor(404, list+"/nowhere") }},
	}
}

// TestRegistrationSheet copies a line, takes the document, and looks at the
// page as it is printed.
func TestRegistrationSheet(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	b := newTab(t, d, speaking("sv"))
	d.logIn(b)
	b.press("nav a[href='/staff/services']")
	b.press("a[href='/staff/services/expertfoto']")
	b.do("watch the clipboard", chromedp.Evaluate[chromedp.Void](`navigator.clipboard.writeText = async text => { window.clipboard = text }`))
	address := d.portal + "/callback/expertfoto"
	b.click("[data-copy='" + address + "']")
	b.watches("[data-copy='"+address+"']", "Kopierat")
	if got := eval[string](b, "window.clipboard"); got != address {
		t.Errorf("on the clipboard is %q", got)
	}
	if document := string(b.download("a[href$='/registration.md']")); !strings.Contains(document, "`"+address+"`") {
		t.Errorf("no address in the document:\n%s", document)
	}
	b.do("look as paper does", chromedp.Steps(func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print",
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
		return chromedp.Void{}, err
	}))
	b.reads("Registrering i Vitec Express", address, "Nordljus Foto AB · support@nordljus.example")
	b.report("on paper", eval[[]string](b, notOnPaper)...)
}

// notOnPaper finds what is of no use on paper, and what is dark there.
const notOnPaper = `[...document.querySelectorAll("nav, button, .btn, aside, form")].filter(e => e.checkVisibility()).map(e => "printed: " + e.outerHTML.slice(0, 120))
	.concat(["body", ".panel"].filter(part => !["rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"].includes(getComputedStyle(document.querySelector(part)).backgroundColor))
	.map(part => part + " is " + getComputedStyle(document.querySelector(part)).backgroundColor))`
