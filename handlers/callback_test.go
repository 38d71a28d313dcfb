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

// vitecName is the name of the partner system on the pages of these tests.
var vitecName = []any{"System", "vitec"}

// decision is a row of the table of what a browser's grant and the partner's
// answer come to.
type decision struct {
	name   string
	fault  vitectest.FaultKind
	status int
	page   string // the error page's heading
}

const expiredPage, invalidPage, partnerPage = "page.link_expired_title", "page.link_invalid_title", "page.partner_title"

var (
	decisionsWithoutGrant = []decision{
		{"good", "", 303, ""},
		{"expired", vitectest.FaultExpired, 410, expiredPage},
		{"without hasExpired", vitectest.FaultNoExpiry, 410, expiredPage},
		{"expired and empty", vitectest.FaultExpiredBare, 410, expiredPage},
	}
	decisionsWithGrant = []decision{
		{"good", "", 303, ""},
		{"expired", vitectest.FaultExpired, 303, ""},
		{"without hasExpired", vitectest.FaultNoExpiry, 303, ""},
		{"the same link, expired and empty", vitectest.FaultExpiredBare, 303, ""},
	}
	decisionsForAnyone = []decision{
		{"of another office", vitectest.FaultOtherOffice, 403, "page.other_office_title"},
		{"401", vitectest.FaultUnauthorized, 503, "page.credential_title"},
		{"400", vitectest.FaultBadRequest, 403, invalidPage},
		{"403", vitectest.FaultForbidden, 403, invalidPage},
		{"404", vitectest.FaultNotFound, 403, invalidPage},
		{"429", vitectest.FaultTooMany, 503, partnerPage},
		{"500", vitectest.FaultServerError, 503, partnerPage},
		{"503", vitectest.FaultUnavailable, 503, partnerPage},
		{"500 after the exchange", vitectest.FaultStoredError, 503, partnerPage},
		{"reset", vitectest.FaultDrop, 503, partnerPage},
		{"reset after the exchange", vitectest.FaultStoredDrop, 503, partnerPage},
		{"a web page", vitectest.FaultHTML, 503, partnerPage},
		{"half of the JSON", vitectest.FaultTruncated, 503, partnerPage},
		{"a redirect", vitectest.FaultRedirect, 503, partnerPage},
		{"no order", vitectest.FaultEmptyTicket, 503, partnerPage},
	}
)

// TestCallbackDecisions goes through the table. The rows share a portal, one
// after another, since faults are the partner's and not a row's.
func TestCallbackDecisions(t *testing.T) {
	t.Parallel()
	all := newBundle(t)
	for _, row := range slices.Concat(decisionsWithoutGrant, decisionsForAnyone) {
		t.Run("none/"+row.name, func(t *testing.T) {
			b := all.in(t)
			_, address := b.order("expertfoto")
			br := b.browser()
			row.check(br, address, "")
			if row.status != http.StatusSeeOther && br.cookie("b") != nil {
				t.Error("a browser that was refused has a session")
			}
		})
	}
	for _, row := range slices.Concat(decisionsWithGrant, decisionsForAnyone) {
		t.Run("live/"+row.name, func(t *testing.T) {
			b := all.in(t)
			_, address := b.order("expertfoto")
			br := b.browser()
			page := br.open(address)
			row.check(br, address, page)
			br.get(page).want(http.StatusOK) // whatever the partner says, the session stays the authority
		})
	}
}

// check visits a callback; page is the order's if the browser knows it already.
func (d decision) check(br *browser, address, page string) {
	br.b.t.Helper()
	br.b.fake.SetFault(vitectest.OpToken, vitectest.Fault{Kind: d.fault})
	defer br.b.fake.ClearFaults()
	a := br.get(address).want(d.status)
	switch {
	case d.page != "":
		a.wantHeading(d.page, vitecName...).refusal(address)
	case page != "":
		a.wantLocation(page)
	}
}

// refusal checks that an answer to an address gives nothing away, sets nothing,
// and where trying again may help, says so.
func (a answer) refusal(address string) {
	a.b.t.Helper()
	u, err := url.Parse(address)
	a.b.check(err)
	if got := a.header.Values("Set-Cookie"); len(got) > 0 {
		a.b.t.Errorf("a refusal sets cookies: %v", got)
	}
	a.wantHeader("Cache-Control", "no-store").wantHeader("Referrer-Policy", "no-referrer")
	doc := a.page()
	retry := false
	// Links back to the same address hold only what the visitor brought along.
	doc.Find("a").Each(func(_ int, link *goquery.Selection) {
		href := link.AttrOr("href", "")
		retry = retry || href == u.RequestURI()
		if strings.HasPrefix(href, u.Path+"?") {
			link.RemoveAttr("href")
		}
	})
	html, err := doc.Html()
	a.b.check(err)
	orders := a.b.fake.Orders()
	o := orders[len(orders)-1]
	for _, secret := range []string{o.ID, o.Estate, o.Office, o.User, "T2011", "M30012", u.Query().Get("token")} {
		if strings.Contains(html, secret) {
			a.b.t.Errorf("the refusal holds %q:\n%s", secret, html)
		}
	}
	if again := a.status == http.StatusServiceUnavailable; again != retry || again != (a.header.Get("Retry-After") != "") {
		a.b.t.Errorf("status %d with Retry-After %q, link to try again: %t", a.status, a.header.Get("Retry-After"), retry)
	}
}

func TestCallbackOfSilentPartner(t *testing.T) {
	t.Parallel()
	b := newBundleWith(t, setup{timeout: 200 * time.Millisecond})
	for _, fault := range []vitectest.FaultKind{vitectest.FaultSlow, vitectest.FaultStoredHang} {
		_, address := b.order("expertfoto")
		b.fake.SetFault(vitectest.OpToken, vitectest.Fault{Kind: fault})
		b.browser().get(address).want(http.StatusServiceUnavailable).wantHeading("page.partner_title", vitecName...).refusal(address)
		b.fake.ClearFaults()
	}
}

// TestCallbackRetryLink is that trying again is all that it takes.
func TestCallbackRetryLink(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("expertfoto")
	br := b.browser()
	b.fake.SetFault(vitectest.OpToken, vitectest.Fault{Kind: vitectest.FaultServerError, Times: 1})
	retry, _ := br.get(address).want(http.StatusServiceUnavailable).page().Find("main a.btn").Attr("href")
	br.open(retry)
}

func TestCallbackExpiredToken(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	id, address := b.order("expertfoto")
	br := b.browser()
	late := vitectest.CallbackURL(b.service("expertfoto"), "M30011", b.fake.ExpiredToken(id))
	br.get(late).want(http.StatusGone).refusal(late)
	page := br.open(address)
	br.get(late).wantLocation(page) // by the order that the partner still names
	other, otherAddress := b.order("expertfoto")
	br.get(vitectest.CallbackURL(b.service("expertfoto"), "M30011", b.fake.ExpiredToken(other))).want(http.StatusGone)

	// An empty ticket says nothing but "expired": only the very link that let
	// this browser in is known.
	b.fake.SetFault(vitectest.OpToken, vitectest.Fault{Kind: vitectest.FaultExpiredBare})
	br.get(address).wantLocation(page)
	br.get(b.fake.Reopen(id)).want(http.StatusGone)
	b.browser().get(address).want(http.StatusGone)
	b.fake.ClearFaults()
	otherPage := br.open(otherAddress)
	b.fake.SetFault(vitectest.OpToken, vitectest.Fault{Kind: vitectest.FaultExpiredBare})
	br.get(address).wantLocation(page)
	br.get(otherAddress).wantLocation(otherPage)
}

// TestExpiredLinkDoesNotProlong: the session is the authority, and an expired
// link must not keep it alive.
func TestExpiredLinkDoesNotProlong(t *testing.T) {
	t.Parallel()
	for _, fault := range []vitectest.FaultKind{vitectest.FaultExpired, vitectest.FaultExpiredBare} {
		b := newBundle(t)
		_, address := b.order("expertfoto")
		br := b.browser()
		page := br.open(address)
		b.fake.SetFault(vitectest.OpToken, vitectest.Fault{Kind: fault})
		b.clock.Pass(50 * time.Minute)
		br.get(address).wantLocation(page)
		b.clock.Pass(10 * time.Minute)
		br.get(address).want(http.StatusGone)
		br.get(page).want(http.StatusUnauthorized)
	}
}

// TestOrderPageWithoutGrant: whoever guesses learns nothing, not even whether
// there is such an order.
func TestOrderPageWithoutGrant(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("expertfoto")
	page := b.browser().open(address)
	stranger, other := b.browser(), b.browser()
	_, otherAddress := b.order("expertfoto")
	other.open(otherAddress)
	calls := b.fake.Count(vitectest.OpAny)
	invented := "/orders/" + strings.Repeat("A", 26)
	for _, suffix := range []string{"", "/files/" + strings.Repeat("B", 26), "/files.zip"} {
		for name, br := range map[string]*browser{"without a session": stranger, "with another's": other} {
			existing := br.get(page + suffix).want(http.StatusUnauthorized)
			missing := br.get(invented + suffix).want(http.StatusUnauthorized)
			if a, b := existing.masked(page), missing.masked(invented); a != b {
				t.Errorf("%s, %q: an order that exists is answered otherwise:\n%s\n%s", name, suffix, a, b)
			}
		}
	}
	stranger.get(page).wantHeading("page.no_grant_title", "System", say("sv", portal.Say("page.your_system"))).hasNot("M30011", "OBJ30011")
	if n := b.fake.Count(vitectest.OpAny) - calls; n != 0 {
		t.Errorf("the partner was asked %d times", n)
	}
}

// TestEndedOrderOpensReadOnly: the link opens the order for ever after.
func TestEndedOrderOpensReadOnly(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff := b.staff(staffEmail)
	tests := map[string]struct {
		end    func(page string)
		status string
		forms  []string
	}{
		"cancelled": {func(page string) {
			staff.post("/staff"+page+"/cancellation", url.Values{"reason": {"Såld ändå"}}).want(303)
		}, "cancelled", []string{"messages"}},
		"delivered": {func(page string) {
			staff.deliver("/staff"+page, nil, url.Values{"message": {"Klart"}}).want(303)
		}, "delivered", []string{"revisions", "messages"}},
		"failed": {func(page string) {
			staff.post("/staff"+page+"/failure", url.Values{"description": {"Ingen hemma"}}).want(303)
		}, "failed", []string{"messages"}},
	}
	for name, test := range tests {
		id, address := b.order("skylt")
		page := b.browser().open(address)
		test.end(page)
		b.clock.Pass(400 * 24 * time.Hour)
		br := b.browser()
		if got := br.open(b.fake.Reopen(id)); got != page {
			t.Errorf("%s: the link leads to %s, want %s", name, got, page)
		}
		a := br.get(page).want(http.StatusOK)
		doc := a.page()
		if got := doc.Find("[data-testid=state]").AttrOr("data-state", ""); got != test.status {
			t.Errorf("%s: shown as %q", name, got)
		}
		if got := a.formsOf(page); strings.Join(got, " ") != strings.Join(test.forms, " ") {
			t.Errorf("%s: forms %q, want %q", name, got, test.forms)
		}
		staff = b.staff(staffEmail)
	}
}
