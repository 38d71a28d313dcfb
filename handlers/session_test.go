package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// login is what a log-in answers.
func (b *bundle) login() answer {
	b.t.Helper()
	return b.browser().login(staffEmail, staffPassword).want(http.StatusSeeOther)
}

// callback is what a good callback answers.
func (b *bundle) callback() answer {
	b.t.Helper()
	_, address := b.order("expertfoto")
	return b.browser().get(address).want(http.StatusSeeOther)
}

func TestCookieAttributes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		scheme, attributes string
		https              bool
	}{
		{"http", "%s; Path=/; HttpOnly; SameSite=%s", false},
		{"https", "__Host-%s; Path=/; HttpOnly; Secure; SameSite=%s", true},
	} {
		t.Run(test.scheme, func(t *testing.T) {
			t.Parallel()
			b := newBundleWith(t, setup{https: test.https})
			for name, a := range map[string]answer{"b/Lax": b.callback(), "s/Strict": b.login()} {
				var got []string
				for _, line := range a.header.Values("Set-Cookie") {
					cookie, err := http.ParseSetCookie(line)
					b.check(err)
					if cookie.MaxAge < 0 {
						continue // the session of before
					}
					if len(cookie.Value) < 60 || cookie.Domain != "" || cookie.MaxAge != 0 {
						t.Errorf("%s: %s", name, line)
					}
					got = append(got, strings.Replace(line, "="+cookie.Value, "", 1))
				}
				name, sameSite, _ := strings.Cut(name, "/")
				want := []string{strings.Replace(strings.Replace(test.attributes, "%s", name, 1), "%s", sameSite, 1)}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("Set-Cookie (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// seat is a browser that is in, and the page that shows it.
type seat struct {
	*browser
	page string
}

func (s seat) isIn() bool {
	s.b.t.Helper()
	a := s.get(s.page)
	out := a.status == http.StatusUnauthorized ||
		a.status == http.StatusSeeOther && strings.HasPrefix(a.header.Get("Location"), "/staff/login")
	if !out {
		a.want(http.StatusOK)
	}
	return !out
}

func (b *bundle) seats() map[string]func() seat {
	return map[string]func() seat{
		"broker": func() seat {
			_, address := b.order("expertfoto")
			br := b.browser()
			return seat{br, br.open(address)}
		},
		"staff": func() seat { return seat{b.staff(staffEmail), "/staff/orders"} },
	}
}

func TestSessionLimits(t *testing.T) {
	t.Parallel()
	limits := map[string]struct{ idle, absolute time.Duration }{
		"broker": {60 * time.Minute, 8 * time.Hour},
		"staff":  {30 * time.Minute, 12 * time.Hour},
	}
	for kind, limit := range limits {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			sit := b.seats()[kind]
			for range 2 { // a look keeps the session alive, and nothing else does
				idler := sit()
				b.clock.Pass(limit.idle - time.Second)
				if !idler.isIn() {
					t.Error("out before the idle limit")
				}
				b.clock.Pass(limit.idle - time.Second)
				if !idler.isIn() {
					t.Error("out before the idle limit of the second look")
				}
				b.clock.Pass(limit.idle)
				if idler.isIn() {
					t.Error("in at the idle limit")
				}
				if idler.isIn() {
					t.Error("a second try lets in again")
				}
			}
			worker, since := sit(), time.Duration(0)
			for ; since < limit.absolute-limit.idle/2; since += limit.idle / 2 {
				if !worker.isIn() {
					t.Fatalf("out after %s", since)
				}
				b.clock.Pass(limit.idle / 2)
			}
			b.clock.Pass(limit.absolute - since - time.Second)
			if !worker.isIn() {
				t.Error("out before the absolute limit")
			}
			b.clock.Pass(time.Second)
			if worker.isIn() {
				t.Error("in at the absolute limit, however busy")
			}
		})
	}
}

// TestLogout: the cookie that somebody copied before is worth nothing after.
func TestLogout(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff := b.staff(staffEmail)
	copied := staff.cookie("s").Value
	elsewhere := b.staff(staffEmail)
	staff.post("/staff/logout", nil).wantLocation("/staff/login")
	if staff.cookie("s") != nil {
		t.Error("the cookie is kept")
	}
	staff.get("/staff/orders").wantLocation("/staff/login?next=%2Fstaff%2Forders")
	staff.setCookie("s", copied)
	staff.get("/staff/orders").wantLocation("/staff/login?next=%2Fstaff%2Forders")
	staff.post("/staff/outbox/1/retry", nil).want(http.StatusUnauthorized)
	elsewhere.get("/staff/orders").want(http.StatusOK)
	b.browser().post("/staff/logout", nil).wantLocation("/staff/login") // nobody is signed in, and that is fine
}

// TestLoginChangesID: an id that somebody planted, or the one of before, is not
// the one of after.
func TestLoginChangesID(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	thief, victim := b.staff(viewerEmail), b.browser()
	planted := thief.cookie("s").Value
	victim.setCookie("s", planted)
	victim.login(staffEmail, staffPassword).want(http.StatusSeeOther)
	if victim.cookie("s").Value == planted {
		t.Error("the log-in keeps the id")
	}
	victim.get("/staff/orders").has("Erik Berg")
	thief.get("/staff/orders").want(http.StatusSeeOther)
	before := victim.cookie("s").Value
	victim.login(staffEmail, staffPassword).want(http.StatusSeeOther)
	stale := b.browser()
	stale.setCookie("s", before)
	stale.get("/staff/orders").want(http.StatusSeeOther)
	b.wantOne("sessions of staff", `SELECT count(*) FROM sessions WHERE kind = 'staff'`)
}

func TestBlockedStaffAreOutAtOnce(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	erik, err := b.store.StaffByEmail(t.Context(), staffEmail)
	b.check(err)
	staff := b.staff(staffEmail)
	copied := staff.cookie("s").Value
	// The row alone decides, even where the session is still there.
	_, err = b.raw.Exec(`UPDATE staff SET blocked_at = now() WHERE id = $1`, erik.ID)
	b.check(err)
	staff.get("/staff/orders").want(http.StatusSeeOther)
	b.browser().login(staffEmail, staffPassword).want(http.StatusUnprocessableEntity)
	_, err = b.raw.Exec(`UPDATE staff SET blocked_at = NULL WHERE id = $1`, erik.ID)
	b.check(err)
	staff.get("/staff/orders").want(http.StatusOK)

	b.check(b.store.BlockStaff(t.Context(), erik.ID))
	staff.get("/staff/orders").want(http.StatusSeeOther)
	_, err = b.raw.Exec(`UPDATE staff SET blocked_at = NULL WHERE id = $1`, erik.ID)
	b.check(err)
	staff.setCookie("s", copied)
	staff.get("/staff/orders").want(http.StatusSeeOther) // the session is gone too
}

// TestRoleIsReadOnEachRequest: who became a viewer may not change anything any more.
func TestRoleIsReadOnEachRequest(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("skylt")
	page := b.browser().open(address)
	staff := b.staff(staffEmail)
	_, err := b.raw.Exec(`UPDATE staff SET role = 'viewer' WHERE email = $1`, staffEmail)
	b.check(err)
	staff.post("/staff"+page+"/notes", url.Values{"body": {"x"}}).want(http.StatusForbidden)
	_, err = b.raw.Exec(`UPDATE staff SET role = 'admin' WHERE email = $1`, staffEmail)
	b.check(err)
	staff.post("/staff"+page+"/notes", url.Values{"body": {"x"}}).want(http.StatusSeeOther)
}

// TestForeignCookies: what we did not sign for this purpose is as nothing, and
// never a fault.
func TestForeignCookies(t *testing.T) {
	t.Parallel()
	b, other := newBundle(t), newBundle(t)
	_, address := b.order("expertfoto")
	broker := b.browser()
	page := broker.open(address)
	staff := b.staff(staffEmail)
	b1, s1 := broker.cookie("b").Value, staff.cookie("s").Value
	foreign := other.staff(staffEmail).cookie("s").Value
	tampered := func(s string) string {
		raw := []byte(s)
		if raw[len(raw)/2] != 'A' {
			raw[len(raw)/2] = 'A'
		} else {
			raw[len(raw)/2] = 'B'
		}
		return string(raw)
	}
	for name, value := range map[string]string{"tampered": tampered(s1), "cut": s1[:20], "empty": "", "no base64": "%%%;", "long": strings.Repeat("A", 5000),
		"a broker's": b1, "of another key": foreign} {
		br := b.browser()
		br.header.Set("Cookie", "s="+value)
		if a := br.get("/staff/orders"); a.status != http.StatusSeeOther {
			t.Errorf("staff cookie %s: status %d", name, a.status)
		}
	}
	for name, value := range map[string]string{"tampered": tampered(b1), "staff's": s1} {
		br := b.browser()
		br.header.Set("Cookie", "b="+value)
		br.get(page).want(http.StatusUnauthorized)
		br.get(address).wantLocation(page)
		if got := br.cookie("b"); got == nil || got.Value == value {
			t.Errorf("broker cookie %s: no new session", name)
		}
	}
}

// TestGrantsAddUp: two orders in one browser, each in its tab.
func TestGrantsAddUp(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	br := b.browser()
	var pages []string
	for range 3 {
		_, address := b.order("expertfoto")
		pages = append(pages, br.open(address))
	}
	cookie := br.cookie("b").Value
	for _, page := range pages {
		br.get(page).want(http.StatusOK)
	}
	if br.cookie("b").Value != cookie {
		t.Error("a grant replaces the session")
	}
	b.wantOne("sessions", `SELECT count(*) FROM sessions`)
}
