package handlers_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"portico/internal/portal"
)

const (
	callPassword = "ett lösenord mellan maskiner"
	nextPassword = "det nya lösenordet mellan maskiner"
	pathSecret   = "q7Zt3Vb0mW9xL2kR8cYd5g"
)

func hexHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// newBackground is a bundle with a service of each kind of background flow: by
// token, with a form and without; by basic authentication; by none.
func newBackground(t *testing.T) *bundle {
	t.Helper()
	b := newBundle(t)
	call := portal.Service{ConnectionID: "vitec", Flow: portal.FlowBackground, Auth: portal.AuthToken, Name: portal.Text{"sv": "Skylt"}, TurnaroundHours: 48}
	form, basic, none, office := call, call, call, call
	call.ID, form.ID, basic.ID, none.ID, office.ID = "call", "callform", "callbasic", "callnone", "calloffice"
	form.Form = portal.Form{Fields: []portal.Field{{ID: "where", Type: portal.FieldText, Required: true, Label: portal.Text{"sv": "Var?"}}}}
	basic.Auth, basic.Username = portal.AuthBasic, "vitec"
	basic.PasswordHashes = []string{hexHash(nextPassword), hexHash(callPassword)}
	none.Auth, none.SecretHash = portal.AuthNone, hexHash(pathSecret)
	none.AllowIPs = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	office.Customers = []string{"M99999"}
	_, err := b.store.Apply(t.Context(), portal.Setup{Provider: testProvider, Connections: []portal.Connection{b.connection()},
		Services: []portal.Service{call, form, basic, none, office}})
	b.check(err)
	return b
}

// plain is the query of a call without a token.
func plain(order string) url.Values {
	return url.Values{"customerId": {"M30011"}, "orderId": {order}, "currentUserId": {"U1"}, "userId": {"U2"},
		"estateId": {"OBJ1"}, "estateType": {"House"}, "chainId": {"G41"}}
}

func withBasic(br *browser, username, password string) *browser {
	req := http.Request{Header: http.Header{}}
	req.SetBasicAuth(username, password)
	return br.with("Authorization", req.Header.Get("Authorization"))
}

// wantSilent checks that an answer to a call is no page, sets no cookie and says nothing.
func (a answer) wantSilent(words ...string) answer {
	a.b.t.Helper()
	a.hasNot(append(words, "<", "OBJ1", "M30011")...)
	if c := a.header.Get("Set-Cookie"); c != "" {
		a.b.t.Fatalf("the answer sets a cookie: %s", c)
	}
	return a
}

func (b *bundle) stateOf(order string) string {
	b.t.Helper()
	return b.query(`SELECT state FROM orders WHERE partner_order_id = $1`, order)
}

func TestBackgroundByToken(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		id, address := b.order("call")
		b.browser().do(method, address, "", nil).want(http.StatusOK).wantSilent(id)
		if got := b.stateOf(id); !strings.Contains(got, "received") {
			t.Errorf("%s: state %s, want received", method, got)
		}
		b.drain()
		b.wantStatuses(id) // the partner sets OrderReceived itself
	}
	id, address := b.order("callform")
	b.browser().get(address).want(http.StatusOK).wantSilent(id)
	b.browser().get(b.fake.Reopen(id)).want(http.StatusOK)
	b.drain()
	asked := b.fake.Interactions(id)
	if len(asked) != 1 || asked[0].Comment != "Komplettera beställningen: Skylt" || !strings.Contains(asked[0].URL, "/visit/") {
		t.Fatalf("what the broker is asked: %+v", asked)
	}
	broker := b.browser()
	page := broker.open(asked[0].URL)
	broker.post(page+"/submission", url.Values{"where": {"Vid grinden"}}).want(http.StatusSeeOther)
	b.drain()
	if got := b.stateOf(id); !strings.Contains(got, "received") {
		t.Errorf("completed: state %s", got)
	}
	b.wantStatuses(id)
}

// TestBackgroundJourney is the whole of it: the partner calls, sets the status
// itself, and learns of the delivery.
func TestBackgroundJourney(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	id, address := b.order("call")
	order, _ := b.fake.Order("M30011", id)
	if !b.fake.Call(t.Context(), order, address) {
		t.Fatal("the call was not answered with 200")
	}
	b.drain()
	b.wantStatuses(id, "OrderReceived")
	page := b.query(`SELECT public_id FROM orders WHERE partner_order_id = $1`, id)
	b.staff(staffEmail).deliver("/staff/orders/"+page, nil, url.Values{"message": {"Klart"}}).want(http.StatusSeeOther)
	b.drain()
	b.wantStatuses(id, "OrderReceived", "Delivered")
	if b.fake.Call(t.Context(), order, b.service("calloffice")) {
		t.Error("an answer of 403 counts as taken")
	}
}

func TestBackgroundParametersInABody(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	withBasic(b.browser(), "vitec", callPassword).post("/callback/callbasic", plain("B7")).want(http.StatusOK).wantSilent()
	b.wantOne("order B7", `SELECT count(*) FROM orders WHERE partner_order_id = 'B7' AND target_id = 'OBJ1' AND NOT unverified`)
	b.wantOne("owner", `SELECT count(*) FROM orders o JOIN brokers b ON b.id = o.broker_id WHERE b.user_id = 'U2'`)
}

func TestBackgroundRefusals(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	_, tokenAddress := b.order("call")
	_, officeAddress := b.order("calloffice")
	query := "?" + plain("B8").Encode()
	for name, c := range map[string]struct {
		browser *browser
		method  string
		address string
		want    int
	}{
		"put":                     {b.browser(), http.MethodPut, tokenAddress, http.StatusMethodNotAllowed},
		"head":                    {b.browser(), http.MethodHead, tokenAddress, http.StatusMethodNotAllowed},
		"no token":                {b.browser(), http.MethodGet, "/callback/call?customerId=M30011", http.StatusForbidden},
		"expired token":           {b.browser(), http.MethodGet, b.expired("call"), http.StatusForbidden},
		"office not served":       {b.browser(), http.MethodGet, officeAddress, http.StatusForbidden},
		"token by browser":        {b.browser().with("Sec-Fetch-Site", "none"), http.MethodGet, tokenAddress, http.StatusForbidden},
		"no password":             {b.browser(), http.MethodGet, "/callback/callbasic" + query, http.StatusUnauthorized},
		"wrong password":          {withBasic(b.browser(), "vitec", "fel"), http.MethodGet, "/callback/callbasic" + query, http.StatusUnauthorized},
		"wrong user":              {withBasic(b.browser(), "Vitec", callPassword), http.MethodGet, "/callback/callbasic" + query, http.StatusUnauthorized},
		"password by browser":     {withBasic(b.browser(), "vitec", callPassword).with("Sec-Fetch-Site", "cross-site"), http.MethodGet, "/callback/callbasic" + query, http.StatusForbidden},
		"no order":                {withBasic(b.browser(), "vitec", callPassword), http.MethodGet, "/callback/callbasic?customerId=M30011", http.StatusForbidden},
		"no office":               {withBasic(b.browser(), "vitec", callPassword), http.MethodGet, "/callback/callbasic?orderId=B8", http.StatusForbidden},
		"no secret":               {b.browser(), http.MethodGet, "/callback/callnone" + query, http.StatusNotFound},
		"wrong secret":            {b.browser(), http.MethodGet, "/callback/callnone/" + strings.ToLower(pathSecret) + query, http.StatusNotFound},
		"address not on the list": {b.browser().with("X-Forwarded-For", "198.51.100.7"), http.MethodGet, "/callback/callnone/" + pathSecret + query, http.StatusForbidden},
		"secret of a page":        {b.browser(), http.MethodGet, "/callback/expertfoto/" + pathSecret + query, http.StatusNotFound},
	} {
		before := b.query(`SELECT count(*) FROM orders`)
		a := c.browser.with("X-Test", name).do(c.method, c.address, "", nil)
		if a.status != c.want {
			t.Errorf("%s: status %d, want %d: %s", name, a.status, c.want, a.body)
		}
		if name != "secret of a page" {
			a.wantSilent("B8")
		}
		if after := b.query(`SELECT count(*) FROM orders`); after != before {
			t.Errorf("%s: an order came of it", name)
		}
		if got := a.header.Get("WWW-Authenticate") != ""; got != (c.want == http.StatusUnauthorized) {
			t.Errorf("%s: WWW-Authenticate %v", name, got)
		}
	}
}

// expired is the address of an order whose token can no longer be used.
func (b *bundle) expired(service string) string {
	b.t.Helper()
	id, address := b.order(service)
	u, err := url.Parse(address)
	b.check(err)
	u.RawQuery = url.Values{"customerId": {"M30011"}, "token": {b.fake.ExpiredToken(id)}}.Encode()
	return u.String()
}

func TestBackgroundPasswordRotation(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	for i, password := range []string{callPassword, nextPassword} {
		withBasic(b.browser(), "vitec", password).get("/callback/callbasic?" + plain(fmt.Sprint("B", i)).Encode()).want(http.StatusOK)
	}
}

func TestBackgroundWithoutAuthentication(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	b.browser().get("/callback/callnone/" + pathSecret + "?" + plain("B9").Encode()).want(http.StatusOK).wantSilent()
	b.wantOne("unverified order", `SELECT count(*) FROM orders WHERE partner_order_id = 'B9' AND unverified`)
	page := b.query(`SELECT public_id FROM orders WHERE partner_order_id = 'B9'`)
	b.staff(staffEmail).get("/staff/orders/" + page).want(http.StatusOK).has("ej verifierad")
	if log := b.log.String(); strings.Contains(log, pathSecret) || strings.Contains(log, "OBJ1") {
		t.Errorf("the log holds the secret or the query:\n%s", log)
	}
}

func TestBackgroundDailyCap(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	_, err := b.raw.Exec(`INSERT INTO throttles (key, count, expires_at) VALUES ('callback/callnone', 1000, '2027-01-01Z')`)
	b.check(err)
	address := "/callback/callnone/" + pathSecret + "?" + plain("B9").Encode()
	b.browser().get(address).want(http.StatusTooManyRequests).wantHeader("Retry-After", "15")
	_, err = b.raw.Exec(`UPDATE throttles SET count = 999`)
	b.check(err)
	b.browser().get(address).want(http.StatusOK)
}

func TestBackgroundGuessingIsThrottled(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	guesser := withBasic(b.browser(), "vitec", "fel")
	address := "/callback/callbasic?" + plain("B9").Encode()
	guesser.until(http.StatusTooManyRequests, 40, address)
	withBasic(guesser, "vitec", callPassword).get(address).want(http.StatusTooManyRequests)
	withBasic(b.browser(), "vitec", callPassword).get(address).want(http.StatusOK)
}

// TestOtherContentIsMarked: the same order with other content is never written
// over; both versions stand on its timeline, once.
func TestOtherContentIsMarked(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	caller := withBasic(b.browser(), "vitec", callPassword)
	other := plain("B9")
	other.Set("estateId", "OBJ2")
	for _, query := range []url.Values{plain("B9"), plain("B9"), other, other, plain("B9")} {
		caller.get("/callback/callbasic?" + query.Encode()).want(http.StatusOK)
	}
	b.wantOne("order", `SELECT count(*) FROM orders WHERE partner_order_id = 'B9' AND target_id = 'OBJ1'`)
	b.wantOne("mark", `SELECT count(*) FROM events WHERE kind = 'differs'`)
	page := b.query(`SELECT public_id FROM orders WHERE partner_order_id = 'B9'`)
	b.staff(staffEmail).get("/staff/orders/" + page).want(http.StatusOK).has("OBJ1").has("OBJ2")
}

func TestFiftyCallsOfOneOrder(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	b.all(http.StatusOK, func(int) (answer, error) {
		return withBasic(b.browser(), "vitec", callPassword).try(http.MethodGet, "/callback/callbasic?"+plain("B9").Encode(), "", nil)
	})
	b.wantOne("order", `SELECT count(*) FROM orders`)
	b.wantOne("received", `SELECT count(*) FROM events WHERE kind = 'received'`)
}
