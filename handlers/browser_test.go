package handlers_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/PuerkitoBio/goquery"

	"portico/internal/portal"
	"portico/views"
)

// browser is one visitor, from an address of their own: cookies are kept,
// redirects are not followed.
type browser struct {
	b      *bundle
	client *http.Client
	header http.Header // sent with each request
}

func (b *bundle) browser() *browser {
	b.t.Helper()
	jar, err := cookiejar.New(nil)
	b.check(err)
	address := fmt.Sprintf("2001:db8::%x", b.visitors.Add(1))
	return &browser{b: b, header: http.Header{"X-Forwarded-For": {address}},
		client: &http.Client{Jar: jar, Transport: b.web.Client().Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// staff is a browser that somebody is signed in with.
func (b *bundle) staff(email string) *browser {
	b.t.Helper()
	br := b.browser()
	br.login(email, staffPassword).want(http.StatusSeeOther)
	return br
}

// with is the browser with another header.
func (br *browser) with(name, value string) *browser {
	of := *br
	of.header = br.header.Clone()
	of.header.Set(name, value)
	return &of
}

func (br *browser) login(email, password string) answer {
	br.b.t.Helper()
	return br.post("/staff/login", url.Values{"email": {email}, "password": {password}})
}

// speak chooses a language, as a click in the language switch does.
func (br *browser) speak(lang string) {
	br.b.t.Helper()
	br.get("/?lang=" + lang).want(http.StatusSeeOther)
}

// answer is what came back.
type answer struct {
	b      *bundle
	status int
	header http.Header
	body   string
}

// try sends a request; unlike do it may be called in any goroutine.
func (br *browser) try(method, address, contentType string, body io.Reader) (answer, error) {
	if strings.HasPrefix(address, "/") {
		address = br.b.web.URL + address
	}
	req, err := http.NewRequestWithContext(br.b.t.Context(), method, address, body)
	if err != nil {
		return answer{}, err
	}
	req.Header = br.header.Clone()
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := br.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	return answer{b: br.b, status: res.StatusCode, header: res.Header, body: string(raw)}, err
}

func (br *browser) do(method, address, contentType string, body io.Reader) answer {
	br.b.t.Helper()
	a, err := br.try(method, address, contentType, body)
	br.b.check(err)
	return a
}

func (br *browser) get(address string) answer {
	br.b.t.Helper()
	return br.do(http.MethodGet, address, "", nil)
}

const formType = "application/x-www-form-urlencoded"

func (br *browser) post(address string, form url.Values) answer {
	br.b.t.Helper()
	return br.do(http.MethodPost, address, formType, strings.NewReader(form.Encode()))
}

// open follows a callback to the order's page and returns the page's path.
func (br *browser) open(address string) string {
	br.b.t.Helper()
	a := br.get(address)
	a.want(http.StatusSeeOther)
	location := a.header.Get("Location")
	if !orderPage.MatchString(location) {
		br.b.t.Fatalf("Location %q is no order's page", location)
	}
	return location
}

var orderPage = regexp.MustCompile(`^/orders/[A-Z2-7]{26}$`)

// cookie returns the browser's cookie of a name, nil if it has none.
func (br *browser) cookie(name string) *http.Cookie {
	br.b.t.Helper()
	base, err := url.Parse(br.b.web.URL)
	br.b.check(err)
	for _, c := range br.client.Jar.Cookies(base) {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// setCookie puts a cookie into the browser, whatever it had of that name.
func (br *browser) setCookie(name, value string) {
	br.b.t.Helper()
	base, err := url.Parse(br.b.web.URL)
	br.b.check(err)
	br.client.Jar.SetCookies(base, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}

func (a answer) want(status int) answer {
	a.b.t.Helper()
	if a.status != status {
		a.b.t.Fatalf("status %d, want %d; Location %q; body:\n%s", a.status, status, a.header.Get("Location"), a.body)
	}
	return a
}

func (a answer) wantLocation(location string) answer {
	a.b.t.Helper()
	a.want(http.StatusSeeOther)
	if got := a.header.Get("Location"); got != location {
		a.b.t.Fatalf("Location %q, want %q", got, location)
	}
	return a
}

func (a answer) wantHeader(name, value string) answer {
	a.b.t.Helper()
	if got := a.header.Get(name); got != value {
		a.b.t.Fatalf("%s: %q, want %q", name, got, value)
	}
	return a
}

func (a answer) has(text string) answer {
	a.b.t.Helper()
	if !strings.Contains(a.body, text) {
		a.b.t.Fatalf("the page does not say %q:\n%s", text, a.body)
	}
	return a
}

func (a answer) hasNot(texts ...string) answer {
	a.b.t.Helper()
	for _, text := range texts {
		if text != "" && strings.Contains(a.body, text) {
			a.b.t.Fatalf("the answer holds %q:\n%s", text, a.body)
		}
	}
	return a
}

func (a answer) page() *goquery.Document {
	a.b.t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(a.body))
	a.b.check(err)
	return doc
}

// text returns what the elements of a selector say.
func (a answer) text(selector string) string {
	a.b.t.Helper()
	return strings.Join(strings.Fields(a.page().Find(selector).Text()), " ")
}

// wantHeading checks which page it is, by the catalogue's key of its title.
func (a answer) wantHeading(key string, args ...any) answer {
	a.b.t.Helper()
	if got, want := a.text("h1"), say("sv", portal.Say(key, args...)); got != want {
		a.b.t.Fatalf("heading %q, want %q (%s)", got, want, key)
	}
	return a
}

// masked is the body with what differs from request to request made the same,
// and the page's own address with it.
func (a answer) masked(address string) string {
	return strings.ReplaceAll(nonce.ReplaceAllString(a.body, `nonce=""`), address, "ADDRESS")
}

var nonce = regexp.MustCompile(`nonce="[^"]*"`)

// formsOf returns the last part of the address of each form below a page.
func (a answer) formsOf(page string) []string {
	a.b.t.Helper()
	var forms []string
	a.page().Find("form").Each(func(_ int, form *goquery.Selection) {
		if name, ok := strings.CutPrefix(form.AttrOr("action", ""), page+"/"); ok {
			forms = append(forms, name)
		}
	})
	return forms
}

// say returns a sentence as a page of a language has it.
func say(lang string, s portal.Sentence) string {
	text := views.NewPrinter(lang, time.UTC, time.Time{}).Say(s)
	return strings.Join(strings.Fields(text), " ")
}
