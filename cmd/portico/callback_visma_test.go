package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"portico/internal/partner/door/doortest"
	"portico/internal/partner/visma/vismatest"
	"portico/internal/portal"
)

const (
	expiredTitle    = "page.link_expired_title"
	invalidTitle    = "page.link_invalid_title"
	silentTitle     = "page.partner_title"
	credentialTitle = "page.credential_title"
)

// TestFlowTokenDecisions goes through what a browser's grant and Core's answer
// to a FlowToken come to.
func TestFlowTokenDecisions(t *testing.T) {
	t.Parallel()
	c := newCoreEntrance(t, "", vismatest.Options{})
	for _, row := range []struct {
		fault   doortest.FaultKind
		status  int
		heading string
	}{
		{doortest.FaultBadRequest, http.StatusForbidden, invalidTitle},
		{doortest.FaultNotFound, http.StatusForbidden, invalidTitle},
		{vismatest.FaultOtherOrder, http.StatusForbidden, invalidTitle},
		{vismatest.FaultNoOrder, http.StatusServiceUnavailable, silentTitle},
		{doortest.FaultServerError, http.StatusServiceUnavailable, silentTitle},
		{doortest.FaultUnavailable, http.StatusServiceUnavailable, silentTitle},
		{doortest.FaultTooMany, http.StatusServiceUnavailable, silentTitle},
		{doortest.FaultDrop, http.StatusServiceUnavailable, silentTitle},
		{doortest.FaultStoredDrop, http.StatusServiceUnavailable, silentTitle},
		{doortest.FaultHTML, http.StatusServiceUnavailable, silentTitle},
		{vismatest.FaultGarbage, http.StatusServiceUnavailable, silentTitle},
		{doortest.FaultTruncated, http.StatusServiceUnavailable, silentTitle},
		{doortest.FaultRedirect, http.StatusServiceUnavailable, silentTitle},
		{doortest.FaultStoredHang, http.StatusServiceUnavailable, silentTitle}, // no answer in time
	} {
		name := string(row.fault)
		_, address := c.order()
		broker := c.visitor()
		page := c.opens(broker, address, http.StatusSeeOther)
		c.opens(broker, page, http.StatusOK)
		if row.fault == doortest.FaultStoredHang {
			c.patience(300 * time.Millisecond)
		}
		c.fake.SetFault(vismatest.OpVerify, doortest.Fault{Kind: row.fault, RetryAfter: "30"})
		// With a grant, and at the very address that was good: nothing is remembered of that.
		for who, v := range map[string]visitor{"with a grant": broker, "without": c.visitor()} {
			if body := c.told(name+", "+who, v, address, row.status, row.heading); strings.Contains(body, caseStreet) || strings.Contains(body, "Solberg") {
				t.Errorf("%s, %s: the refusal shows the order:\n%s", name, who, body)
			}
		}
		header := c.stranger(address)
		if again := row.status == http.StatusServiceUnavailable; again != (header.Get("Retry-After") != "") || header.Get("Set-Cookie") != "" {
			t.Errorf("%s: header %v", name, header)
		}
		c.opens(broker, page, http.StatusOK) // the session stays the authority
		c.fake.ClearFaults()
		c.clock.Pass(time.Minute) // that Core has asked for
		c.patience(0)
		c.returns(name+", afterwards", broker, address, page)
	}
	if got := c.query(`SELECT count(*) FROM credentials WHERE blocked_until IS NOT NULL`); got != "0" {
		t.Errorf("%s credentials are blocked", got)
	}
}

// TestExpiredFlowToken: Core answers 401 to a token of its own that has run out.
func TestExpiredFlowToken(t *testing.T) {
	t.Parallel()
	c := newCoreEntrance(t, "", vismatest.Options{})
	o, address := c.order()
	other, _ := c.order()
	broker := c.visitor()
	page := c.opens(broker, address, http.StatusSeeOther)
	body := c.told("without a grant", c.visitor(), c.expired(o), http.StatusGone, expiredTitle)
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(body))
	c.check(err)
	doc.Find("a[href^='/callback/']").RemoveAttr("href") // what the visitor brought along
	body, err = doc.Html()
	c.check(err)
	for _, secret := range []string{caseStreet, "Solberg", o.GUID, "Fjordlys", page} {
		if strings.Contains(body, secret) {
			t.Errorf("the page holds %q:\n%s", secret, body)
		}
	}
	c.returns("with a grant", broker, c.expired(o), page)
	c.told("with a grant for another", broker, c.expired(other), http.StatusGone, expiredTitle)

	c.clock.Pass(50 * time.Minute)
	c.returns("before the grant ends", broker, c.expired(o), page)
	c.clock.Pass(10 * time.Minute)
	c.told("when it has ended", broker, c.expired(o), http.StatusGone, expiredTitle)
	c.opens(broker, page, http.StatusUnauthorized)
	c.returns("a good token again", broker, c.address(o), page)
	c.opens(broker, page, http.StatusOK)
}

// TestOrderOfCoreWithoutGrant: its address says nothing, not even whether there is one.
func TestOrderOfCoreWithoutGrant(t *testing.T) {
	t.Parallel()
	c := newCoreEntrance(t, "", vismatest.Options{})
	_, address := c.order()
	_, others := c.order()
	page := c.opens(c.visitor(), address, http.StatusSeeOther)
	granted := c.visitor()
	c.opens(granted, others, http.StatusSeeOther)
	calls := c.fake.Count(doortest.OpAny)
	nonce := regexp.MustCompile(`nonce="[^"]*"`)
	for who, v := range map[string]visitor{"nobody": c.visitor(), "with another's grant": granted} {
		var bodies [2]string
		for i, path := range []string{page, "/orders/" + strings.Repeat("A", 26)} {
			status, _, body := v(path, nil)
			if status != http.StatusUnauthorized || strings.Contains(body, caseStreet) {
				t.Errorf("%s: status %d:\n%s", who, status, body)
			}
			bodies[i] = strings.ReplaceAll(nonce.ReplaceAllString(body, ""), path, "PATH")
		}
		if bodies[0] != bodies[1] {
			t.Errorf("%s: an order that exists is answered otherwise:\n%s\n%s", who, bodies[0], bodies[1])
		}
	}
	c.wantCalls(doortest.OpAny, calls)
}

// TestFlowTokenOfAnother: a token opens its own order at its own tenant only.
func TestFlowTokenOfAnother(t *testing.T) {
	t.Parallel()
	c := newCoreEntrance(t, "", vismatest.Options{})
	o, address := c.order()
	other := c.fake.NewOrder(vismatest.Order{Case: 66120})
	theirs := c.fake.NewOrder(vismatest.Order{Tenant: "22"})
	c.opens(c.visitor(), address, http.StatusSeeOther)
	stolen := c.fake.Token(other.GUID)
	for _, row := range []struct {
		name, address string
		audits        string // so far; Core alone can tell whose a token is, and says only of its own tenant's
	}{
		{"another order", instead(address, "token", stolen), "1"},
		{"another case", instead(address, "caseId", "66120"), "2"},
		{"another tenant's token", instead(address, "token", c.fake.Token(theirs.GUID)), "2"},
		{"our token at another tenant", instead(c.address(theirs), "token", c.fake.Token(o.GUID)), "2"},
		{"our order at another tenant", instead(c.address(o), "tenantId", "22", "flowUrl", c.fake.Base(c.fake.URL, "22")), "2"},
	} {
		c.told(row.name, c.visitor(), row.address, http.StatusForbidden, invalidTitle)
		if got := c.query(`SELECT count(*) FROM audits WHERE action = 'callback.other_office'`); got != row.audits {
			t.Errorf("%s: %s audits, want %s", row.name, got, row.audits)
		}
	}
	log := c.log.String()
	if n := strings.Count(log, "request refused"); n != 5 || strings.Contains(log, stolen) {
		t.Errorf("%d refusals in the log:\n%s", n, log)
	}
	if got := c.query(`SELECT count(*) FROM orders`); got != "1" {
		t.Errorf("%s orders, want the one that was opened", got)
	}
	if got := c.query(`SELECT data::text FROM audits ORDER BY id LIMIT 1`); !strings.Contains(got, "boligfoto") || strings.Contains(got, stolen) {
		t.Errorf("audit %s", got)
	}
}

// TestBadFlowTokensAreCounted for each address that they come from.
func TestBadFlowTokensAreCounted(t *testing.T) {
	t.Parallel()
	for _, fault := range []doortest.FaultKind{doortest.FaultBadRequest, doortest.FaultNotFound} {
		c := newCoreEntrance(t, "", vismatest.Options{})
		_, address := c.order()
		c.fake.SetFault(vismatest.OpVerify, doortest.Fault{Kind: fault})
		guesser, status := c.visitor(), 0
		for range 40 { // the budget refills meanwhile
			if status, _, _ = guesser(address, nil); status != http.StatusForbidden {
				break
			}
		}
		if status != http.StatusTooManyRequests {
			t.Errorf("%s: the guesser is answered %d at last", fault, status)
		}
		c.fake.ClearFaults()
		calls := c.fake.Count(vismatest.OpVerify)
		if calls < 20 {
			t.Errorf("%s: stopped after %d", fault, calls)
		}
		c.opens(c.visitor(), address, http.StatusSeeOther)
		c.wantCalls(vismatest.OpVerify, calls+1)
	}
}

// TestCoreRefusesUs: a wrong secret is not hammered on, staff see it, who is in
// stays in, and the right one lets everybody in at once.
func TestCoreRefusesUs(t *testing.T) {
	t.Parallel()
	c := newCoreEntrance(t, "", vismatest.Options{})
	staff, _ := c.staff()
	broker := c.visitor()
	o, address := c.order()
	page := c.opens(broker, address, http.StatusSeeOther)
	c.fake.Revoke(true)
	c.apply("", "simulator-secret-14", "a mistyped secret") // {"error":"invalid_client"}
	verified, fetched := c.fake.Count(vismatest.OpVerify), c.fake.Count(vismatest.OpToken)
	for range 10 {
		c.told("a broker", c.visitor(), address, http.StatusServiceUnavailable, credentialTitle)
	}
	c.told("a broker with a grant", broker, address, http.StatusServiceUnavailable, credentialTitle)
	c.opens(broker, page, http.StatusOK)
	c.drain() // the same API user carries reports
	c.wantCalls(vismatest.OpToken, fetched+1)
	c.wantCalls(vismatest.OpVerify, verified)
	c.wantCalls(vismatest.OpState, 0)
	if got := c.alarms(staff); !strings.Contains(got, "Visma Core") || !strings.Contains(got, "400") {
		t.Errorf("alarms %q", got)
	}
	if strings.Contains(c.log.String(), "mistyped") {
		t.Error("the secret is in the log")
	}
	theirs := c.fake.NewOrder(vismatest.Order{Tenant: "22"}) // with a credential of its own
	c.opens(c.visitor(), c.address(theirs), http.StatusSeeOther)

	c.apply("")
	c.opens(c.visitor(), address, http.StatusSeeOther)
	if got := c.alarms(staff); got != "" {
		t.Errorf("alarms %q", got)
	}
	c.clock.Pass(5 * time.Minute)
	c.drain()
	if got := c.fake.Reported(o.GUID); len(got) != 1 || got[0] != "InProcess" {
		t.Errorf("told meanwhile and after: %v", got)
	}
}

// TestCoreRefusesUsForAWhile: the token endpoint's refusal is no FlowToken's,
// whichever it is, and one try tells that it is over.
func TestCoreRefusesUsForAWhile(t *testing.T) {
	t.Parallel()
	for _, fault := range []doortest.FaultKind{doortest.FaultUnauthorized, doortest.FaultForbidden, doortest.FaultBadRequest, doortest.FaultNotFound} {
		c := newCoreEntrance(t, "", vismatest.Options{})
		o, address := c.order()
		broker := c.visitor()
		page := c.opens(broker, address, http.StatusSeeOther)
		c.fake.Revoke(true)
		c.fake.SetFault(vismatest.OpToken, doortest.Fault{Kind: fault})
		c.told(string(fault), c.visitor(), address, http.StatusServiceUnavailable, credentialTitle)
		calls := c.fake.Count(doortest.OpAny)
		c.told(string(fault), c.visitor(), address, http.StatusServiceUnavailable, credentialTitle)
		c.clock.Pass(5*time.Minute - time.Second)
		c.told(string(fault), c.visitor(), c.address(o), http.StatusServiceUnavailable, credentialTitle)
		c.opens(broker, page, http.StatusOK)
		c.wantCalls(doortest.OpAny, calls)
		c.fake.ClearFaults()
		c.clock.Pass(time.Second)
		c.returns(string(fault), c.visitor(), c.address(o), page)
		if got := c.query(`SELECT count(*) FROM credentials WHERE blocked_until IS NOT NULL`); got != "0" {
			t.Errorf("%s: %s credentials are still blocked", fault, got)
		}
	}
}

// TestEndedOrderOfCoreOpens: its button leads to it for ever after.
func TestEndedOrderOfCoreOpens(t *testing.T) {
	t.Parallel()
	c := newCoreEntrance(t, "", vismatest.Options{})
	_, by := c.staff()
	for state, end := range map[string]func(id int64) error{
		"delivered": func(id int64) error {
			return c.store.DeliverOrder(t.Context(), id, portal.Delivery{Message: "Klart"}, by)
		},
		"cancelled": func(id int64) error { return c.store.CancelOrder(t.Context(), id, "Solgt", by) },
	} {
		o, address := c.order()
		page := c.opens(c.visitor(), address, http.StatusSeeOther)
		c.check(end(c.orderID(page)))
		c.clock.Pass(400 * 24 * time.Hour)
		broker := c.visitor()
		c.returns(state, broker, c.address(o), page)
		if _, _, body := broker(page, nil); !strings.Contains(body, `data-state="`+state+`"`) || strings.Contains(body, page+"/submission") {
			t.Errorf("%s: shown as\n%s", state, body)
		}
	}
}

// TestHostileFlowURL: our credential leaves for no host but a configured one,
// whatever the address says.
func TestHostileFlowURL(t *testing.T) {
	t.Parallel()
	var met atomic.Int64
	hostile := httptest.NewUnstartedServer(http.NotFoundHandler())
	hostile.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			met.Add(1)
		}
	}
	hostile.Start()
	defer hostile.Close()
	evil := strings.TrimPrefix(hostile.URL, "http://")
	tenants := append(vismatest.DemoTenants(), vismatest.Tenant{ID: "99", ClientID: "theirs", ClientSecret: "of somebody else"})
	c := newCoreEntrance(t, "", vismatest.Options{Tenants: tenants})
	// Core has three customers: one is not ours, and one is at an https address.
	c.apply("", `"id":"99"`, `"id":"33"`, c.fake.Base(c.fake.URL, "99"), "https://"+evil+"/core/33")
	o, address := c.order()
	for name, bad := range c.hostileAddresses(address, hostile.URL) {
		c.told(name, c.visitor(), bad, http.StatusForbidden, invalidTitle)
	}
	c.wantCalls(doortest.OpAny, 0)
	if got := c.query(`SELECT count(*) FROM tokens`); got != "0" {
		t.Errorf("%s tokens", got)
	}

	second, _ := c.order()
	c.told("an order that is not the token's", c.visitor(), instead(address, "StreamOrderId", second.GUID), http.StatusForbidden, invalidTitle)
	c.wantCalls(vismatest.OpToken, 1)
	if got := c.query(`SELECT count(*) FROM orders`); got != "0" {
		t.Errorf("%s orders", got)
	}
	for _, r := range c.fake.Log() {
		if r.Customer != o.Tenant {
			t.Errorf("a call at tenant %s: %s", r.Customer, r.Path)
		}
	}
	c.opens(c.visitor(), address, http.StatusSeeOther) // it was good all the time
	if n := met.Load(); n != 0 {
		t.Errorf("%d connections to the hostile host", n)
	}
}

// hostileAddresses are what a good address is made into to lead our credential
// astray.
func (c *coreEntrance) hostileAddresses(address, hostile string) map[string]string {
	evil, host, base := strings.TrimPrefix(hostile, "http://"), strings.TrimPrefix(c.fake.URL, "http://"), c.fake.Base(c.fake.URL, "14")
	flow := func(u string) string { return instead(address, "flowUrl", u) }
	return map[string]string{
		"another host":              flow(hostile + "/core/14/flow/"),
		"another host alone":        instead(flow(hostile+"/core/14/flow/"), "tenantId", ""),
		"ours as the user":          flow("http://" + host + "@" + evil + "/core/14/flow/"),
		"ours with a password":      flow("http://" + host + ":x@" + evil + "/core/14/flow/"),
		"a user at ours":            flow("http://user:word@" + host + "/core/14/flow/"),
		"a backslash":               flow("http://" + evil + `\@` + host + "/core/14/flow/"),
		"ours as the path":          flow(hostile + "/" + base),
		"ours as a longer name":     flow("http://" + host + ".evil.example/core/14/flow/"),
		"another path":              flow(c.fake.URL + "/core/14/flow/../../15/flow/"),
		"another path, encoded":     flow(c.fake.URL + "/core/%31%34/flow/"),
		"a query":                   flow(base + "/flow/?to=" + url.QueryEscape(hostile)),
		"a fragment":                flow(base + "/flow/#" + evil),
		"no scheme":                 flow("//" + host + "/core/14/flow/"),
		"https for http":            flow(strings.Replace(base, "http:", "https:", 1) + "/flow/"),
		"http for https":            instead(address, "tenantId", "33", "flowUrl", hostile+"/core/33/flow/"),
		"http for https, alone":     instead(address, "tenantId", "", "flowUrl", hostile+"/core/33/flow/"),
		"another tenant's":          flow(c.fake.Base(c.fake.URL, "22") + "/flow/"),
		"two":                       address + "&flowUrl=" + url.QueryEscape(hostile+"/core/14/flow/"),
		"an unknown tenant":         instead(address, "tenantId", "99", "flowUrl", ""),
		"an unknown tenant, at its": instead(address, "tenantId", "99", "flowUrl", c.fake.Base(c.fake.URL, "99")+"/flow/"),
		"an unknown tenant at ours": instead(address, "tenantId", "99"),
		"no tenant at all":          instead(address, "tenantId", "", "flowUrl", ""),
	}
}
