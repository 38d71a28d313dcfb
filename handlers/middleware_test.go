package handlers_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"portico/handlers"
	"portico/internal/portal"
)

const policy = "default-src 'none'; script-src 'nonce-NONCE' 'strict-dynamic'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

// screens are a page of every kind, as those see it who may, and also as those
// who may not.
func (b *bundle) screens() map[string]answer {
	b.t.Helper()
	broker, staff := b.browser(), b.staff(staffEmail)
	_, address := b.order("expertfoto")
	draft := broker.open(address)
	id, address := b.order("skylt")
	page := broker.open(address)
	waiting := staff.post("/staff"+page+"/interactions", url.Values{"comment": {"Vilken dag?"}, "choices": {"Tisdag\nOnsdag"}})
	waiting.want(http.StatusSeeOther)
	b.stuck()
	screens := map[string]answer{
		"home": broker.get("/"), "order form": broker.get(draft), "order": broker.get(page),
		"refused form": broker.post(draft+"/submission", url.Values{"rooms": {"x"}}), "not found": broker.get("/nowhere"),
		"no grant": b.browser().get(page), "link expired": b.browser().get(b.web.URL + "/visit/x"),
		"link invalid": b.browser().get(b.service("skylt")), "not allowed": b.browser().do("POST", b.service("skylt"), "", nil),
		"login": b.browser().get("/staff/login"), "refused login": b.browser().login("x", "y"),
		"queue": staff.get("/staff/orders?state=all"), "empty queue": staff.get("/staff/orders?q=finnsinte"),
		"workspace": staff.get("/staff" + page), "outbox": staff.get("/staff/outbox"),
		"conflict": staff.post("/staff"+page+"/reopening", nil), "viewer": b.staff(viewerEmail).get("/staff" + page),
	}
	staff.deliver("/staff"+page, map[string]string{"kök.jpg": jpeg, "plan.pdf": pdf}, url.Values{"message": {"Klart " + id}, "links": {"https://example.com/film"}})
	screens["delivered"], screens["delivered workspace"] = broker.get(page), staff.get("/staff"+page)
	return screens
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	for _, https := range []bool{false, true} {
		b := newBundleWith(t, setup{https: https})
		want := map[string]string{"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin",
			"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8",
			"Strict-Transport-Security": ""}
		if https {
			want["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
		}
		nonces := map[string]bool{}
		for name, a := range b.screens() {
			for header, value := range want {
				if got := a.header.Get(header); got != value {
					t.Errorf("%s: %s: %q, want %q", name, header, got, value)
				}
			}
			referrer := "same-origin"
			if strings.HasPrefix(name, "link ") || name == "not allowed" {
				referrer = "no-referrer" // their address holds a token
			}
			if got := a.header.Get("Referrer-Policy"); got != referrer {
				t.Errorf("%s: Referrer-Policy: %q, want %q", name, got, referrer)
			}
			got := a.header.Get("Content-Security-Policy")
			match := regexp.MustCompile(`'nonce-([^']{22,})'`).FindStringSubmatch(got)
			if match == nil || strings.Replace(got, match[1], "NONCE", 1) != policy || nonces[match[1]] {
				t.Fatalf("%s: Content-Security-Policy: %q", name, got)
			}
			nonces[match[1]] = true
			checkScripts(t, name, a.page(), match[1])
		}
	}
}

// checkScripts checks that a page needs no exception from its policy, and
// nothing from another host.
func checkScripts(t *testing.T, name string, doc *goquery.Document, nonce string) {
	t.Helper()
	scripts := doc.Find("script")
	if scripts.Length() == 0 {
		t.Errorf("%s: no script", name)
	}
	scripts.Each(func(_ int, s *goquery.Selection) {
		if s.AttrOr("nonce", "") != nonce || s.AttrOr("src", "") == "" || strings.TrimSpace(s.Text()) != "" {
			t.Errorf("%s: a script with nonce %q from %q, want %q and a file", name, s.AttrOr("nonce", ""), s.AttrOr("src", ""), nonce)
		}
	})
	if n := doc.Find("style, [style], base, iframe, object, embed, meta[http-equiv]").Length(); n > 0 {
		t.Errorf("%s: %d elements that the policy is against", name, n)
	}
	doc.Find("*").Each(func(_ int, e *goquery.Selection) {
		for _, attr := range e.Nodes[0].Attr {
			switch {
			case strings.HasPrefix(attr.Key, "on"), strings.HasPrefix(attr.Key, "hx-on"):
				t.Errorf("%s: inline script %s=%q", name, attr.Key, attr.Val)
			case attr.Key == "src" || attr.Key == "action" || attr.Key == "srcset" || attr.Key == "href" && goquery.NodeName(e) == "link":
				if !strings.HasPrefix(attr.Val, "/") || strings.HasPrefix(attr.Val, "//") {
					t.Errorf("%s: <%s %s=%q> is on another host", name, goquery.NodeName(e), attr.Key, attr.Val)
				}
			}
		}
	})
}

// TestPagesAreLight is that the broker's order page with all that it links is at
// most 60 kB on the wire.
func TestPagesAreLight(t *testing.T) {
	t.Parallel()
	const limit = 60_000
	b := newBundle(t)
	_, address := b.order("expertfoto")
	broker := b.browser().with("Accept-Encoding", "gzip") // asked for like this, the client does not unpack it
	form := broker.open(address)
	_, address = b.order("skylt")
	page := broker.open(address)
	files := map[string]string{}
	for n := range 20 {
		files[strings.Repeat("bild ", 5)+string(rune('a'+n))+".jpg"] = jpeg
	}
	b.staff(staffEmail).deliver("/staff"+page, files, url.Values{"message": {strings.Repeat("Hela serien. ", 50)}}).want(http.StatusSeeOther)
	for name, path := range map[string]string{"form": form, "delivered": page} {
		a := broker.get(path).want(http.StatusOK).wantHeader("Content-Encoding", "gzip")
		size := len(a.body)
		a.body = unzip(t, a.body)
		a.page().Find("link[href], script[src], img[src]").Each(func(_ int, e *goquery.Selection) {
			asset := broker.get(e.AttrOr("href", e.AttrOr("src", ""))).want(http.StatusOK)
			asset.wantHeader("Cache-Control", "public, max-age=31536000, immutable").wantHeader("X-Content-Type-Options", "nosniff")
			size += len(asset.body)
			if asset.header.Get("Content-Encoding") == "gzip" && bytes.HasPrefix([]byte(unzip(t, asset.body)), []byte("\x1f\x8b")) {
				t.Errorf("%s is packed twice", e.AttrOr("href", e.AttrOr("src", "")))
			}
		})
		t.Logf("%s: %d bytes", name, size)
		if size > limit {
			t.Errorf("%s: %d bytes with all that it links, want at most %d", name, size, limit)
		}
	}
}

func unzip(t *testing.T, body string) string {
	t.Helper()
	r, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	seen := map[string]bool{}
	for _, path := range []string{"/", "/nowhere", "/ping", "/staff/orders"} {
		id := b.browser().with("X-Request-Id", "forged").get(path).header.Get("X-Request-Id")
		if len(id) != 12 || seen[id] {
			t.Errorf("%s: request id %q", path, id)
		}
		seen[id] = true
		if logged := strings.Contains(b.log.String(), `"request":"`+id+`"`); logged == (path == "/ping") {
			t.Errorf("%s: in the log: %t", path, logged)
		}
	}
}

// brokenPartners are a fault of our own in the middle of a request.
type brokenPartners struct{ panics bool }

func (p brokenPartners) Entry(context.Context, string) (handlers.Entry, error) {
	if p.panics {
		panic("inside: secret-of-the-house")
	}
	return nil, errors.New("inside: secret-of-the-house")
}

func (p brokenPartners) Preview(context.Context, portal.Message) (string, bool, error) {
	return "", false, errors.New("inside: secret-of-the-house")
}

func (p brokenPartners) Authorize(context.Context, string, http.Header, []byte) (int, []byte, error) {
	return 0, nil, errors.New("inside: secret-of-the-house")
}

func (p brokenPartners) KeepsLog(string) bool { return true }

func (p brokenPartners) Log(context.Context, portal.Order) ([]portal.LogEntry, error) {
	return nil, errors.New("inside: secret-of-the-house")
}

// TestOurFault: the visitor is told an id and nothing else, the log has it all.
func TestOurFault(t *testing.T) {
	t.Parallel()
	for _, panics := range []bool{true, false} {
		b := newBundleWith(t, setup{partners: brokenPartners{panics}})
		_, address := b.order("skylt")
		a := b.browser().get(address).want(http.StatusInternalServerError).wantHeading("page.500_title").hasNot("secret-of-the-house", "goroutine", ".go:")
		id := a.header.Get("X-Request-Id")
		if shown := a.text("main code"); id == "" || shown != id {
			t.Errorf("the page shows the id %q, it is %q", shown, id)
		}
		var logged string
		for line := range strings.Lines(b.log.String()) {
			if strings.Contains(line, `"request":"`+id+`"`) && strings.Contains(line, "request failed") {
				logged = line
			}
		}
		if !strings.Contains(logged, "secret-of-the-house") || panics != strings.Contains(logged, "handlers_test.brokenPartners.Entry") {
			t.Errorf("panics %t: in the log: %q", panics, logged)
		}
		b.browser().get("/").want(http.StatusOK) // and the portal lives on
	}
}

// TestPreviewIsNotNeeded: a partner that cannot say what it would be sent leaves
// the workspace usable.
func TestPreviewIsNotNeeded(t *testing.T) {
	t.Parallel()
	b := newBundleWith(t, setup{partners: brokenPartners{}})
	svc, err := b.store.Service(t.Context(), "skylt")
	b.check(err)
	o, err := b.store.OpenOrder(t.Context(), svc, portal.Ticket{OrderID: "B1", Customer: "M30011", UserID: "u", OwnerID: "u"}, "SEK")
	b.check(err)
	staff, work := b.staff(staffEmail), "/staff/orders/"+o.PublicID
	staff.get(work).want(http.StatusOK)
	staff.get(work + "/log").want(http.StatusInternalServerError).hasNot("secret-of-the-house")
	staff.post(work+"/failure", url.Values{"description": {"Ingen hemma"}}).wantLocation(work)
}
