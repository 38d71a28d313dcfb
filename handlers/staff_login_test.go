package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

const nobodyEmail = "ingen@nordljus.example"

// refused is a log-in page without what differs by right: the nonce and the
// e-mail as typed.
func (a answer) refused(email string) string {
	a.b.t.Helper()
	a.want(http.StatusUnprocessableEntity)
	if len(a.header.Values("Set-Cookie")) > 0 {
		a.b.t.Errorf("a refused log-in sets cookies: %v", a.header.Values("Set-Cookie"))
	}
	return strings.ReplaceAll(a.masked("/none"), email, "EMAIL")
}

// TestLoginDoesNotTellWhoExists: page, headers and work are the same.
func TestLoginDoesNotTellWhoExists(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	known := b.browser().login(staffEmail, "fel").has("E-posten eller lösenordet stämmer inte.").refused(staffEmail)
	if b.passwords.verified.Load() != 1 || b.passwords.unknown.Load() != 0 {
		t.Error("a known person's password was not looked at once")
	}
	unknown := b.browser().login(nobodyEmail, "fel").refused(nobodyEmail)
	if b.passwords.verified.Load() != 1 || b.passwords.unknown.Load() != 1 {
		t.Error("an unknown person's password costs less")
	}
	_, err := b.raw.Exec(`UPDATE staff SET blocked_at = now() WHERE email = $1`, viewerEmail)
	b.check(err)
	blocked := b.browser().login(viewerEmail, staffPassword).refused(viewerEmail)
	if known != unknown || known != blocked {
		t.Errorf("pages differ:\n%s\n%s\n%s", known, unknown, blocked)
	}
}

func TestLoginOddInput(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	for name, form := range map[string]url.Values{
		"nothing":           {},
		"no password":       {"email": {staffEmail}},
		"no e-mail":         {"password": {staffPassword}},
		"blank":             {"email": {"  "}, "password": {"  "}},
		"long password":     {"email": {staffEmail}, "password": {strings.Repeat("x", 100_000)}},
		"long e-mail":       {"email": {strings.Repeat("x", 10_000)}, "password": {"x"}},
		"NUL":               {"email": {"erik\x00@nordljus.example"}, "password": {staffPassword}},
		"no UTF-8":          {"email": {"erik\xff@nordljus.example"}, "password": {staffPassword}},
		"markup":            {"email": {`"><script>alert(1)</script>`}, "password": {"x"}},
		"password in space": {"email": {staffEmail}, "password": {" " + staffPassword + " "}},
	} {
		a := b.browser().post("/staff/login", form)
		if fault := a.text("#login-fault"); a.status != 422 || fault != "E-posten eller lösenordet stämmer inte. Försök igen." {
			t.Errorf("%s: status %d, %q", name, a.status, fault)
		}
		if a.page().Find("main script").Length() > 0 {
			t.Errorf("%s: markup is not escaped", name)
		}
	}
	a := b.browser().login(staffEmail, "fel")
	for _, input := range []string{"email", "password"} {
		if by := a.page().Find("#"+input).AttrOr("aria-describedby", ""); by != "login-fault" {
			t.Errorf("%s is described by %q", input, by)
		}
	}
	if kept := a.page().Find("#email").AttrOr("value", ""); kept != staffEmail {
		t.Errorf("e-mail %q is kept", kept)
	}
	if _, kept := a.page().Find("#password").Attr("value"); kept {
		t.Error("the password is sent back")
	}
	b.browser().login("  ERIK@Nordljus.Example ", staffPassword).want(http.StatusSeeOther)
	if n := b.passwords.verified.Load(); n != 4 { // no password, one in space, "fel", the right one
		t.Errorf("%d passwords were hashed, want 4: the long one not", n)
	}
}

// TestLoginThrottledByAccount: guessing at one account ends after ten tries, from
// wherever they come, and the page does not tell whether there is the account.
func TestLoginThrottledByAccount(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	locked := map[string]string{}
	for _, email := range []string{staffEmail, nobodyEmail} {
		for n := range 10 {
			if b.browser().login(email, "fel").has("stämmer inte").status != http.StatusUnprocessableEntity {
				t.Fatalf("try %d", n)
			}
		}
		locked[email] = b.browser().login(email, "fel").has("För många försök. Vänta 15 minuter").refused(email)
	}
	if locked[staffEmail] != locked[nobodyEmail] {
		t.Error("the page tells who exists")
	}
	verified := b.passwords.verified.Load()
	b.browser().login(staffEmail, staffPassword).has("För många försök").want(422) // the right one too: else a guess is confirmed
	b.browser().login(strings.ToUpper(staffEmail), staffPassword).has("För många försök").want(422)
	if b.passwords.verified.Load() != verified {
		t.Error("a locked account's password is hashed")
	}
	b.browser().login(viewerEmail, staffPassword).want(http.StatusSeeOther)
	b.clock.Pass(15 * time.Minute)
	b.browser().login(staffEmail, staffPassword).want(http.StatusSeeOther)
}

func TestLoginThrottledByAddress(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	br := b.browser()
	for n := range 50 {
		email := string(rune('a'+n%26)) + string(rune('a'+n/26)) + "@nordljus.example"
		br.login(email, "fel").has("stämmer inte").want(422)
	}
	br.login(nobodyEmail, "fel").has("För många försök").want(422)
	br.login(staffEmail, staffPassword).has("För många försök").want(422)
	b.browser().login(staffEmail, staffPassword).want(http.StatusSeeOther)
}

// TestLoginResetsAccount: who remembers in time is not locked out by old slips,
// and guesses at others from the address still count.
func TestLoginResetsAccount(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	br := b.browser()
	for range 5 {
		for range 9 {
			br.login(staffEmail, "fel").has("stämmer inte")
		}
		br.login(staffEmail, staffPassword).want(http.StatusSeeOther)
	}
	for range 5 {
		br.login(staffEmail, "fel").has("stämmer inte")
	}
	br.login(viewerEmail, staffPassword).has("För många försök")
}

func TestLoginNext(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.browser().get("/staff/orders?q=villa&state=all").wantLocation("/staff/login?next=%2Fstaff%2Forders%3Fq%3Dvilla%26state%3Dall")
	own := []string{"/staff/orders?q=villa&state=all", "/staff/outbox", "/staff/orders/" + strings.Repeat("A", 26), "/staff/"}
	foreign := []string{"", "/", "orders", "//evil.example", `/\evil.example`, `\\evil.example`, "https://evil.example/staff/orders",
		"https:/evil.example", "javascript:alert(1)", "/orders", "/staff", "/staffing/", "/staff/login", "/staff/login?next=/staff/", "/staff/logout",
		"/staff/../orders", "/staff/..", "/staff/orders/../../orders", "/staff/%2e%2e/orders", "/staff/.%2E/orders", "/staff/..%2forders",
		`/staff/\..\orders`, "/staff//evil.example", "/staff/\r\nSet-Cookie: s=x", "/staff/\x00", "//staff/orders", " /staff/orders", "/staff/\t/x", "/staff/%zz"}
	for _, next := range append(own, foreign...) {
		want := "/staff/orders"
		for _, page := range own {
			if page == next {
				want = next
			}
		}
		form := url.Values{"email": {staffEmail}, "password": {staffPassword}, "next": {next}}
		a := b.browser().post("/staff/login", form)
		if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != want {
			t.Errorf("next %q: %d to %q, want %q", next, a.status, got, want)
		}
		kept := b.browser().get("/staff/login?next="+url.QueryEscape(next)).page().Find("input[name=next]").AttrOr("value", "")
		if next != want && kept != "" || next == want && kept != next {
			t.Errorf("next %q: the form holds %q", next, kept)
		}
	}
	form := url.Values{"email": {staffEmail}, "password": {"fel"}, "next": {"/staff/outbox"}}
	if kept := b.browser().post("/staff/login", form).page().Find("input[name=next]").AttrOr("value", ""); kept != "/staff/outbox" {
		t.Errorf("after a wrong password the form holds %q", kept)
	}
}
