package handlers_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"portico/internal/partner/vitec/vitectest"
)

// guarded is a request that never reaches the partner.
type guarded struct {
	name, method, address string
	header                http.Header
	status                int
}

// guardedRequests are made of the address of a good callback.
func (b *bundle) guardedRequests(good string) []guarded {
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	return []guarded{
		{"HEAD, as of a mail scanner", "HEAD", good, nil, 405},
		{"POST", "POST", good, nil, 405},
		{"PUT", "PUT", good, nil, 405},
		{"prefetch", "GET", good, header("Sec-Purpose", "prefetch"), 503},
		{"prerender", "GET", good, header("Sec-Purpose", "prefetch;prerender"), 503},
		{"prefetch of old browsers", "GET", good, header("Purpose", "prefetch"), 503},
		{"in a frame", "GET", good, header("Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"), 403},
		{"by a script", "GET", good, header("Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"), 403},
		{"by a script that says no more", "GET", good, header("Sec-Fetch-Mode", "cors"), 403},
		{"as a picture", "GET", good, header("Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"), 403},
		{"no query", "GET", b.service("expertfoto"), nil, 403},
		{"no token", "GET", b.service("expertfoto") + "?customerId=M30011", nil, 403},
		{"no office", "GET", b.service("expertfoto") + "?token=abc", nil, 403},
		{"two offices", "GET", good + "&customerId=M30012", nil, 403},
		{"an office that is none", "GET", b.service("expertfoto") + "?token=abc&customerId=..%2F..", nil, 403},
		{"token too long", "GET", vitectest.CallbackURL(b.service("expertfoto"), "M30011", strings.Repeat("a", 513)), nil, 403},
		{"query too long", "GET", good + "&x=" + strings.Repeat("a", 5000), nil, 403},
		{"token with a control character", "GET", good + "%00", nil, 403},
		{"unknown service", "GET", strings.Replace(good, "expertfoto", "trolleri", 1), nil, 404},
		{"a service that no database can hold", "GET", strings.Replace(good, "expertfoto", "%00", 1), nil, 404},
		{"a service that is no text", "GET", strings.Replace(good, "expertfoto", "%ff", 1), nil, 404},
		{"an office that is not served", "GET", strings.Replace(good, "expertfoto", "avtal", 1), nil, 403},
	}
}

func TestCallbackGuards(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, good := b.order("expertfoto")
	for _, test := range b.guardedRequests(good) {
		br := b.browser()
		for name, values := range test.header {
			br.header[name] = values
		}
		a := br.do(test.method, test.address, "", nil)
		if a.status != test.status {
			t.Errorf("%s: status %d, want %d", test.name, a.status, test.status)
		}
		if len(a.header.Values("Set-Cookie")) > 0 || strings.Contains(a.body, "OBJ30011") {
			t.Errorf("%s: the answer lets the browser in: %v", test.name, a.header)
		}
	}
	if n := b.fake.Count(vitectest.OpAny); n != 0 {
		t.Errorf("the partner was asked %d times: %+v", n, b.fake.Log())
	}
	if a := b.browser().do("HEAD", good, "", nil); a.header.Get("Allow") != "GET" || a.body != "" {
		t.Errorf("HEAD: Allow %q, body %q", a.header.Get("Allow"), a.body)
	}
	// What was refused has used nothing up.
	click := b.browser().with("Sec-Fetch-Mode", "navigate").with("Sec-Fetch-Dest", "document").with("Sec-Fetch-Site", "cross-site")
	click.open(good)
}

// TestCallbackNotServed is that an office is told why, and by which service.
func TestCallbackNotServed(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("avtal")
	b.browser().get(address).want(http.StatusForbidden).has("Ditt kontor kan inte beställa den här tjänsten.")
	closed := vitectest.CallbackURL(b.service("avtal"), "M99999", "abc")
	b.browser().get(closed).want(http.StatusForbidden)
	if n := b.fake.Count(vitectest.OpToken); n != 1 {
		t.Errorf("%d exchanges, want that of the served office alone", n)
	}
}

func TestCallbackThrottle(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, good := b.order("expertfoto")
	unknown := strings.Replace(good, "expertfoto", "trolleri", 1)
	br := b.browser()
	if n := br.until(429, 300, unknown); n < 50 {
		t.Errorf("refused after %d callbacks: an office behind one address needs more", n)
	}
	a := br.get(good).want(http.StatusTooManyRequests).wantHeading("page.429_title")
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if n := b.fake.Count(vitectest.OpAny); n != 0 {
		t.Errorf("the partner was asked %d times", n)
	}
	b.browser().get(unknown).want(http.StatusNotFound) // others are not held up
	b.clock.Pass(time.Second)
	br.get(good).want(http.StatusSeeOther)
}

// TestInvalidLinksAreCounted: guessing tokens ends soon, at callbacks and at our
// own links alike, and good links of the same address with it.
func TestInvalidLinksAreCounted(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, good := b.order("expertfoto")
	for name, guess := range map[string]string{
		"a token that nobody gave out": vitectest.CallbackURL(b.service("expertfoto"), "M30011", "guess"),
		"a visit that nobody gave out": b.web.URL + "/visit/guess",
	} {
		br := b.browser()
		if n := br.until(429, 60, guess); n < 10 || n > 40 {
			t.Errorf("%s: refused after %d tries", name, n)
		}
		br.get(good).want(http.StatusTooManyRequests)
		b.browser().get(good).want(http.StatusSeeOther)
	}
}

// until repeats a request until it is answered with a status, and returns how
// often it was not.
func (br *browser) until(status, atMost int, address string) int {
	br.b.t.Helper()
	for n := range atMost {
		if br.get(address).status == status {
			return n
		}
	}
	br.b.t.Fatalf("%d requests, and none was answered with %d", atMost, status)
	return 0
}

func TestOtherOfficeIsAudited(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	id, good := b.order("expertfoto")
	token := b.fake.Token(id)
	// The fake refuses by itself what it knows to be another's; the fault is a
	// partner that does not.
	b.browser().get(vitectest.CallbackURL(b.service("expertfoto"), "M30012", token)).want(http.StatusForbidden)
	b.fake.SetFault(vitectest.OpToken, vitectest.Fault{Kind: vitectest.FaultOtherOffice})
	br := b.browser()
	br.get(good).want(http.StatusForbidden)
	var data map[string]string
	b.check(json.Unmarshal([]byte(b.query(`SELECT data FROM audits WHERE action = 'callback.other_office'`)), &data))
	if data["service"] != "expertfoto" || data["address"] != br.header.Get("X-Forwarded-For") {
		t.Errorf("audited: %v", data)
	}
	if n := b.query(`SELECT count(*) FROM orders`); n != "0" {
		t.Errorf("%s orders were stored", n)
	}
}

// TestCallbackLeavesNoTrace: neither token nor what people type is in the page's
// address, its headers or our log, and no secret is in the database.
func TestCallbackLeavesNoTrace(t *testing.T) {
	t.Parallel()
	const canary = "kanarie-19850709-1234"
	b := newBundle(t)
	id, good := b.order("expertfoto")
	token := good[strings.Index(good, "token="):]
	plain, err := url.QueryUnescape(strings.TrimPrefix(token, "token="))
	b.check(err)
	br := b.browser()
	a := br.get(good).want(http.StatusSeeOther).wantHeader("Referrer-Policy", "no-referrer").wantHeader("Cache-Control", "no-store")
	page := a.hasNot(token, plain).header.Get("Location")
	if !orderPage.MatchString(page) {
		t.Errorf("Location %q", page)
	}
	br.get(page).want(http.StatusOK).wantHeader("Referrer-Policy", "same-origin").hasNot(token, plain)
	visit := b.useWith(canary, br, id, good, page)
	visitToken := visit[strings.LastIndex(visit, "/")+1:]

	log, dump := b.log.String(), b.dump()
	if !strings.Contains(log, `"path":"/callback/expertfoto"`) || !strings.Contains(log, `"path":"`+page) {
		t.Fatalf("the log does not have the requests:\n%s", log)
	}
	if !strings.Contains(dump, canary) || !strings.Contains(dump, "OBJ30011") {
		t.Fatal("the dump does not have the order")
	}
	secrets := map[string]string{"the token": plain, "the encoded token": token, "our password": vitectest.DemoPassword,
		"a link": visitToken, "a cookie": br.cookie("b").Value}
	for name, secret := range secrets {
		if strings.Contains(dump, secret) {
			t.Errorf("the database holds %s (%q)", name, secret)
		}
	}
	secrets["a query"], secrets["what was typed"], secrets["a staff password"] = "customerId=", canary, staffPassword
	for name, secret := range secrets {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %s (%q)", name, secret)
		}
	}
}

// useWith types a word into every sort of form, rightly and wrongly, lets the
// partner fail in every way, and returns the signed link of a question.
func (b *bundle) useWith(word string, br *browser, id, good, page string) string {
	b.t.Helper()
	br.get(page + "/submission?note=" + word)
	br.post(page+"/submission", url.Values{"day": {word}, "access": {word}}).want(422)
	br.post(page+"/submission", url.Values{"package": {"small"}, "access": {word}}).want(303)
	br.post(page+"/messages", url.Values{"body": {word + strings.Repeat("x", 6000)}}).want(422)
	br.post(page+"/messages", url.Values{"body": {word}}).want(303)
	b.drain()
	for _, fault := range []vitectest.FaultKind{vitectest.FaultUnauthorized, vitectest.FaultBadRequest, vitectest.FaultServerError,
		vitectest.FaultDrop, vitectest.FaultTruncated, vitectest.FaultHTML, vitectest.FaultOtherOffice} {
		b.fake.SetFault(vitectest.OpToken, vitectest.Fault{Kind: fault})
		b.browser().get(good)
	}
	b.fake.ClearFaults()
	staff := b.staff(staffEmail)
	b.browser().login(staffEmail, "fel "+word).want(422)
	staff.deliver("/staff"+page, map[string]string{"bild.jpg": jpeg}, url.Values{"links": {word}}).want(422)
	staff.post("/staff"+page+"/interactions", url.Values{"comment": {word}}).want(303)
	b.drain()
	visit := b.fake.Interactions(id)[0].URL
	b.browser().open(visit)
	b.browser().open(visit + "?" + good[strings.Index(good, "customerId"):])
	return visit
}

// TestLogLinesCannotBeForged: a line break in an address makes no line.
func TestLogLinesCannotBeForged(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.browser().get("/x%0A%7B%22level%22%3A%22ERROR%22%7D").want(http.StatusNotFound)
	b.browser().with("X-Forwarded-For", "1.2.3.4\u2028{\"level\":\"ERROR\"}").get(b.service("trolleri")).want(http.StatusNotFound)
	for line := range strings.Lines(b.log.String()) {
		var record struct {
			Time  time.Time
			Level string
		}
		b.check(json.Unmarshal([]byte(line), &record))
		if record.Time.IsZero() || record.Level == "ERROR" {
			t.Errorf("a line of the log is %s", line)
		}
	}
}
