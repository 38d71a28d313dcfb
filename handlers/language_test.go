package handlers_test

import (
	"net/http"
	"net/url"
	"testing"

	"portico/internal/portal"
)

func (a answer) lang() string {
	a.b.t.Helper()
	return a.page().Find("html").AttrOr("lang", "")
}

func TestLanguageOfBrowser(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	for accept, want := range map[string]string{
		"": "sv", "sv-SE,sv;q=0.9,en;q=0.8": "sv", "nb-NO,nb;q=0.9,en;q=0.8": "nb", "nn": "nb", "nn-NO": "nb", "no": "nb",
		"en-US,en;q=0.9": "en", "en-GB": "en", "ja,ko;q=0.5": "sv", "fr;q=0.9,nb;q=0.3": "nb", "*": "sv", ";;;q=": "sv", "xx-yy-zz-1": "sv",
	} {
		if got := b.browser().with("Accept-Language", accept).get("/").lang(); got != want {
			t.Errorf("Accept-Language %q: %q, want %q", accept, got, want)
		}
	}
}

func TestLanguageOfProvider(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	provider := testProvider
	provider.Locale = "nb"
	_, err := b.store.Apply(t.Context(), portal.Setup{Provider: provider})
	b.check(err)
	for accept, want := range map[string]string{"": "nb", "ja": "nb", "sv": "sv"} {
		if got := b.browser().with("Accept-Language", accept).get("/").lang(); got != want {
			t.Errorf("Accept-Language %q: %q, want %q", accept, got, want)
		}
	}
}

// TestLanguageSwitch: each screen's own links choose a language, for ever, and
// come back to the same screen.
func TestLanguageSwitch(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	br := b.browser().with("Accept-Language", "en")
	_, address := b.order("expertfoto")
	page := br.open(address)
	br.login(staffEmail, staffPassword).want(http.StatusSeeOther)
	queue := "/staff/orders?office=M30011&q=villa+%26+gård&state=draft&state=received"
	for _, screen := range []string{"/", page, "/staff/login?next=%2Fstaff%2Foutbox", queue, "/staff" + page, "/staff/outbox", "/nowhere"} {
		br.client.Jar.SetCookies(&url.URL{Scheme: "http", Host: "127.0.0.1"}, []*http.Cookie{{Name: "lang", Path: "/", MaxAge: -1}})
		before := br.get(screen)
		if got := before.lang(); got != "en" {
			t.Fatalf("%s is in %q", screen, got)
		}
		for _, lang := range []string{"nb", "sv", "en"} {
			href := br.get(screen).page().Find(`nav.languages a[lang=`+lang+`]`).AttrOr("href", "")
			a := br.get(href).want(http.StatusSeeOther)
			back, err := url.Parse(a.header.Get("Location"))
			b.check(err)
			want, err := url.Parse(screen)
			b.check(err)
			if back.Path != want.Path || back.Query().Encode() != want.Query().Encode() || back.Host != "" {
				t.Errorf("%s in %s: back to %s", screen, lang, back)
			}
			after := br.get(back.String())
			if after.status != before.status || after.lang() != lang {
				t.Errorf("%s: status %d in %q, want %d in %q", screen, after.status, after.lang(), before.status, lang)
			}
		}
	}
	cookie, err := http.ParseSetCookie(br.get("/?lang=nb").header.Get("Set-Cookie"))
	b.check(err)
	if cookie.Value != "nb" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.MaxAge < 30*24*3600 {
		t.Errorf("cookie %+v", cookie)
	}
}

// TestLanguageSwitchAfterForm: the page of a refused form is not where its
// language links lead, but its screen.
func TestLanguageSwitchAfterForm(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	br := b.browser()
	_, address := b.order("skylt")
	page := br.open(address)
	br.login(staffEmail, staffPassword).want(http.StatusSeeOther)
	work := "/staff" + page
	for path, a := range map[string]answer{
		page:            br.post(page+"/messages", nil).want(http.StatusUnprocessableEntity),
		work:            br.post(work+"/notes", nil).want(http.StatusUnprocessableEntity),
		"/staff/login":  br.login("x", "y").want(http.StatusUnprocessableEntity),
		"/staff/outbox": br.post("/staff/outbox/1/skip", nil).want(http.StatusUnprocessableEntity),
	} {
		if href := a.page().Find(`nav.languages a[lang=nb]`).AttrOr("href", ""); href != path+"?lang=nb" {
			t.Errorf("%s: the link leads to %s", path, href)
		}
	}
}

// TestLanguageSwitchAfterRefusal: what answers a form that cannot be sent again
// leads back to the screen that it stood on, if that is one of ours.
func TestLanguageSwitchAfterRefusal(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff, work := b.staff(staffEmail), b.work()
	for referer, want := range map[string]string{b.web.URL + work + "?x=1": work + "?lang=nb&x=1", "": "/?lang=nb",
		"https://evil.example/staff": "/?lang=nb", "%zz": "/?lang=nb"} {
		a := staff.with("Referer", referer).post(work+"/reopening", nil).want(http.StatusConflict)
		if href := a.page().Find(`nav.languages a[lang=nb]`).AttrOr("href", ""); href != want {
			t.Errorf("from %q: the link leads to %s, want %s", referer, href, want)
		}
	}
}

// TestLanguageSwitchStaysHere: the switch is no way to send people elsewhere.
func TestLanguageSwitchStaysHere(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	for _, path := range []string{"//evil.example/?lang=nb", "/%5Cevil.example?lang=nb", "/%2F/evil.example?lang=nb", "/.//evil.example?lang=nb", "/?lang=nb&x=//evil.example"} {
		a := b.browser().get(b.web.URL + path)
		location, err := url.Parse(a.header.Get("Location"))
		if err != nil || location.Host != "" && location.Host != b.web.Listener.Addr().String() || len(a.header.Get("Location")) > 1 && a.header.Get("Location")[1] == '\\' {
			t.Errorf("%s: %d to %q", path, a.status, a.header.Get("Location"))
		}
	}
	br := b.browser()
	br.get("/?lang=%3Cscript%3E").wantLocation("/")
	if got := br.get("/").lang(); got != "sv" {
		t.Errorf("an unknown language is shown as %q", got)
	}
}
