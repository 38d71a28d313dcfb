package handlers_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"portico/internal/partner/vitec/vitectest"
)

// visit gives out a signed link to the order whose page is at a path.
func (b *bundle) visit(page string) string {
	b.t.Helper()
	token, err := b.store.IssueVisit(b.t.Context(), b.stored(page).ID, 0)
	b.check(err)
	return b.web.URL + "/visit/" + token
}

// appended is a link with what the partner may add to it.
func appended(link, token string) string {
	return link + "?customerId=M30011&token=" + url.QueryEscape(token)
}

// newVisit opens an order and returns its id, its page and a signed link to it.
func (b *bundle) newVisit() (id, page, link string) {
	b.t.Helper()
	id, address := b.order("expertfoto")
	page = b.browser().open(address)
	return id, page, b.visit(page)
}

func TestVisitIsForOneOrder(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, page, link := b.newVisit()
	_, otherPage, _ := b.newVisit()
	guest := b.browser()
	calls := b.fake.Count(vitectest.OpAny)
	a := guest.get(link).wantLocation(page).wantHeader("Referrer-Policy", "no-referrer").wantHeader("Cache-Control", "no-store")
	a.hasNot(link[strings.LastIndex(link, "/"):])
	guest.get(page).want(http.StatusOK)
	guest.get(otherPage).want(http.StatusUnauthorized)
	guest.post(page+"/submission", url.Values{"package": {"small"}}).want(http.StatusSeeOther)
	if n := b.fake.Count(vitectest.OpAny); n != calls {
		t.Error("the partner was asked about our own link")
	}
	// A link is good more than once: mail programs and second clicks look first.
	b.browser().get(link).wantLocation(page)
}

func TestVisitGuards(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, _, link := b.newVisit()
	for name, status := range map[string]int{"HEAD": 405, "Sec-Purpose": 503, "Sec-Fetch-Dest": 403} {
		br, method := b.browser(), "GET"
		switch name {
		case "HEAD":
			method = "HEAD"
		case "Sec-Purpose":
			br = br.with(name, "prefetch")
		default:
			br = br.with(name, "iframe")
		}
		a := br.do(method, link, "", nil).want(status)
		if len(a.header.Values("Set-Cookie")) > 0 {
			t.Errorf("%s lets the browser in", name)
		}
	}
}

func TestVisitEnds(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, page, link := b.newVisit()
	owner := b.browser()
	refused := func(link string) {
		t.Helper()
		a := b.browser().get(link).want(http.StatusGone).hasNot("M30011", "OBJ30011")
		if len(a.header.Values("Set-Cookie")) > 0 {
			t.Error("a refusal sets cookies")
		}
	}
	refused(b.web.URL + "/visit/" + strings.Repeat("A", 52))
	refused(b.web.URL + "/visit/%00")
	b.clock.Pass(7*24*time.Hour - time.Second)
	b.browser().get(link).wantLocation(page)
	b.clock.Pass(time.Second)
	refused(link)

	fresh := b.visit(page)
	owner.open(fresh)
	owner.post(page+"/cancellation", url.Values{"reason": {"Fel objekt"}}).wantLocation(page)
	refused(fresh)
	owner.get(page).want(http.StatusOK) // who is in stays in
}

// TestVisitWithToken: what the partner appends to our link is used as at the
// callback; the link stands in where it is of no use.
func TestVisitWithToken(t *testing.T) {
	t.Parallel()
	all := newBundle(t)
	tests := []struct {
		name  string
		dead  bool
		fault vitectest.FaultKind
		late  bool // the token has expired
		page  string
	}{
		{name: "live link, good token"},
		{name: "live link, expired token", late: true},
		{name: "live link, expired and empty", fault: vitectest.FaultExpiredBare},
		{name: "live link, 500", fault: vitectest.FaultServerError},
		{name: "live link, 401", fault: vitectest.FaultUnauthorized},
		{name: "live link, 400", fault: vitectest.FaultBadRequest},
		{name: "live link, reset", fault: vitectest.FaultDrop},
		{name: "dead link, good token", dead: true},
		{name: "dead link, expired token", dead: true, late: true, page: "page.link_expired_title"},
		{name: "dead link, 400", dead: true, fault: vitectest.FaultBadRequest, page: "page.link_invalid_title"},
		{name: "dead link, 500", dead: true, fault: vitectest.FaultServerError, page: "page.partner_title"},
		{name: "dead link, other office", dead: true, fault: vitectest.FaultOtherOffice, page: "page.other_office_title"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := all.in(t)
			id, page, link := b.newVisit()
			if test.dead {
				b.clock.Pass(8 * 24 * time.Hour)
			}
			token := b.fake.Token(id)
			if test.late {
				token = b.fake.ExpiredToken(id)
			}
			b.fake.SetFault(vitectest.OpToken, vitectest.Fault{Kind: test.fault})
			defer b.fake.ClearFaults()
			guest := b.browser()
			a := guest.get(appended(link, token))
			if test.page == "" {
				a.wantLocation(page)
				guest.get(page).want(http.StatusOK)
				return
			}
			if a.wantHeading(test.page, vitecName...); a.status < 400 || len(a.header.Values("Set-Cookie")) > 0 {
				t.Errorf("status %d, cookies %v", a.status, a.header.Values("Set-Cookie"))
			}
			guest.get(page).want(http.StatusUnauthorized)
		})
	}
}

// TestVisitAsUser: with a good token the visitor is who the partner says, not
// the owner of the order that a bare link stands for.
func TestVisitAsUser(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	id, page, link := b.newVisit()
	for token, want := range map[string]string{
		"":                      "MED30011_118",
		b.fake.Token(id):        "MED30011_118",
		b.fake.ExpiredToken(id): "MED30011_118",
		b.fake.TokenFor("", id, "MED30011_124", time.Hour): "MED30011_124",
	} {
		guest := b.browser()
		if token != "" {
			guest.open(appended(link, token))
		} else {
			guest.open(link)
		}
		guest.post(page+"/submission", url.Values{"package": {"small"}})
		guest.post(page+"/messages", url.Values{"body": {"Hej från " + want}}).want(http.StatusSeeOther)
		got := b.query(`
			SELECT b.user_id FROM events e JOIN brokers b ON b.id = e.actor_id
			WHERE e.kind = 'message' ORDER BY e.id DESC LIMIT 1`)
		if got != want {
			t.Errorf("token %q: written by %s, want %s", token, got, want)
		}
	}
}

// TestVisitIsKeptAsHash: whoever reads the database cannot open an order.
func TestVisitIsKeptAsHash(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	id, address := b.order("skylt")
	page := b.browser().open(address)
	b.staff(staffEmail).post("/staff"+page+"/interactions", url.Values{"comment": {"Vilken dag?"}}).want(http.StatusSeeOther)
	b.fake.SetFault(vitectest.OpInteraction, vitectest.Fault{Kind: vitectest.FaultStoredError, Times: 1})
	b.drain() // the attempt's error goes into the outbox
	link := b.fake.Interactions(id)[0].URL
	token := link[strings.LastIndex(link, "/")+1:]
	dump := b.dump()
	for name, secret := range map[string]string{"the token": token, "its link": link, "the token in base64": base64.StdEncoding.EncodeToString([]byte(token))} {
		if strings.Contains(dump, secret) {
			t.Errorf("the database holds %s", name)
		}
	}
	hash := sha256.Sum256([]byte(token))
	if n := b.query(`SELECT count(*) FROM visits WHERE token_hash = $1`, hash[:]); n != "1" {
		t.Errorf("%s visits by the token's hash", n)
	}
}
