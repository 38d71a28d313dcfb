package handlers_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"portico/internal/partner/vitec"
	"portico/internal/portal"
)

func (p onePartner) Sheet(_ context.Context, svc portal.Service) (portal.Sheet, error) {
	if svc.Flow == portal.FlowPoll {
		return nil, nil
	}
	return vitec.Sheet(portal.Connection{ID: svc.ConnectionID, Settings: []byte(`{}`)}, svc, p.base, testProvider)
}

func (brokenPartners) Sheet(context.Context, portal.Service) (portal.Sheet, error) {
	return nil, errors.New("inside: secret-of-the-house")
}

const (
	callbackPassword = "lösenordet-för-anropen"
	callbackSecret   = "c2bd40a1f9e87d6655443322110ffeed"
	wildName         = "Foto` **fet** </h1>\n# Rubrik\n\n<script>alert(1)</script> [länk](javascript:x) ``` | \\"
)

func sha256Of(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// addServices adds a service of each way in to those of the bundle.
func (b *bundle) addServices() {
	b.t.Helper()
	page := portal.Service{ConnectionID: "vitec", Flow: portal.FlowPage, Auth: portal.AuthToken}
	basic, none, poll, wild := page, page, page, page
	basic.ID, basic.Name, basic.Flow, basic.Auth = "basic", portal.Text{"sv": "Med lösenord"}, portal.FlowBackground, portal.AuthBasic
	basic.Username, basic.PasswordHashes = "express", []string{sha256Of(callbackPassword)}
	basic.AllowIPs = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	none.ID, none.Name, none.Flow, none.Auth = "none", portal.Text{"sv": "Hemlig adress"}, portal.FlowBackground, portal.AuthNone
	none.SecretHash = sha256Of(callbackSecret)
	poll.ID, poll.Name, poll.Flow, poll.PartnerService = "poll", portal.Text{"sv": "Hämtas"}, portal.FlowPoll, "2440"
	wild.ID, wild.Name, wild.Description, wild.Tags = "wild", portal.Text{"sv": wildName}, portal.Text{"sv": wildName}, []string{wildName, "`"}
	_, err := b.store.Apply(b.t.Context(), portal.Setup{Provider: testProvider, Connections: []portal.Connection{b.connection()},
		Services: []portal.Service{basic, none, poll, wild}})
	b.check(err)
}

func TestServiceList(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.addServices()
	b.addOrders("skylt", "M30011", 1)
	b.clock.Pass(26 * time.Hour)
	list := b.staff(viewerEmail).get("/staff/services").want(http.StatusOK).wantHeading("services.title")
	rows := list.page().Find("[data-testid=service-row]")
	if rows.Length() != 7 {
		t.Errorf("%d services", rows.Length())
	}
	names := rows.Find("a").Map(func(_ int, a *goquery.Selection) string { return a.AttrOr("href", "")[len("/staff/services/"):] })
	if want := []string{"avtal", "expertfoto", "wild", "none", "poll", "basic", "skylt"}; !slices.Equal(names, want) {
		t.Errorf("in the order %s, want %s", names, want)
	}
	for id, want := range map[string]string{"skylt": "Skylt på plats | Vitec Express | vitec | En sida öppnas | i går 10.13",
		"poll": "Hämtas | Vitec Express | vitec | Beställningar hämtas | Ingen än"} {
		row := rows.Has("a[href='/staff/services/" + id + "']")
		cells := row.Find("td").Map(func(_ int, td *goquery.Selection) string { return strings.TrimSpace(td.Text()) })
		if got := strings.Join(cells, " | "); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
	if current := list.text("nav [aria-current=page]"); current != "Tjänster" {
		t.Errorf("the menu says that this is %q", current)
	}
}

func TestServicePage(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.addServices()
	viewer := b.staff(viewerEmail)
	for id, want := range map[string][]string{
		"expertfoto": {b.web.URL + "/callback/expertfoto", "POST /Service/Order/Token/{customerId}", "Nordljus Foto AB", "11 frågor, version 1"},
		"avtal":      {"M99999"},
		"basic":      {"express", "Lämnas över separat", "192.0.2.0/24", "Asynkront"},
		"none":       {b.web.URL + "/callback/none/{secret}", "så den går inte att visa", "hemlig adress"},
		"poll":       {"Ingenting att registrera", "2440"},
	} {
		page := viewer.get("/staff/services/" + id).want(http.StatusOK)
		text := page.text("main")
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %q in %s", id, w, text)
			}
		}
	}
	viewer.get("/staff/services/nowhere").want(http.StatusNotFound)
	viewer.get("/staff/services/nowhere/registration.md").want(http.StatusNotFound)
	viewer.get("/staff/services/poll/registration.md").want(http.StatusNotFound)
	if lines := viewer.get("/staff/services/poll").page().Find("[data-testid=sheet-line], a[href$='.md']").Length(); lines > 0 {
		t.Error("a service that nobody registers has a sheet")
	}
}

// TestServiceSecrets: no password, secret or hash of one is on a screen or in
// a document.
func TestServiceSecrets(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.addServices()
	secrets := []string{callbackPassword, callbackSecret, sha256Of(callbackPassword), sha256Of(callbackSecret)}
	for _, c := range b.connection().Credentials {
		secrets = append(secrets, c.Password)
	}
	if len(secrets) < 5 {
		t.Fatal("the connection has no password to look for")
	}
	staff := b.staff(staffEmail)
	for _, id := range []string{"expertfoto", "basic", "none", "wild"} {
		staff.get("/staff/services/" + id).want(http.StatusOK).hasNot(secrets...)
		staff.get("/staff/services/" + id + "/registration.md").want(http.StatusOK).hasNot(secrets...)
	}
	staff.get("/staff/services").want(http.StatusOK).hasNot(secrets...)
}

func TestRegistrationDocument(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.addServices()
	staff := b.staff(staffEmail)
	for lang, want := range map[string]string{"sv": "Registrering i Vitec Express", "nb": "Registrering i Vitec Express", "en": "Registration in Vitec Express"} {
		staff.speak(lang)
		a := staff.get("/staff/services/basic/registration.md").want(http.StatusOK).
			wantHeader("Content-Type", "text/markdown; charset=utf-8").
			wantHeader("Content-Disposition", "attachment; filename=registration-basic.md")
		a.has("# " + want + ": `Med lösenord`\n").has("`" + b.web.URL + "/callback/basic`").
			has(say(lang, portal.Say("sheet.password")) + "**: " + say(lang, portal.Say("sheet.secret")) + "\n")
		staff.get("/staff/services/basic").want(http.StatusOK).has(want).has(say(lang, portal.Say("sheet.secret")))
	}
}

// TestRegistrationDocumentIsNotBroken: what a provider calls a service is text,
// whatever it looks like.
func TestRegistrationDocumentIsNotBroken(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.addServices()
	staff := b.staff(staffEmail)
	document := staff.get("/staff/services/wild/registration.md").want(http.StatusOK).body
	oneLine := strings.Join(strings.Fields(wildName), " ")
	if n := strings.Count(document, oneLine); n != 4 {
		t.Errorf("the name stands there %d times, not as heading, name, description and tag:\n%s", n, document)
	}
	ours := regexp.MustCompile(`^(# [^*\\<>|[]+|- \*\*[^*\\<>|[]+\*\*[^*\\<>|[]*\\?|  (- )?[^*\\<>|[]*|)$`)
	for line := range strings.Lines(document) {
		if plain := outsideCode(t, strings.TrimSuffix(line, "\n")); !ours.MatchString(plain) {
			t.Errorf("%q is more than our text, in %q", plain, line)
		}
	}
	page := staff.get("/staff/services/wild").want(http.StatusOK).hasNot("<script>alert", "</h1>\n#")
	if got := page.page().Find("h1").Text(); got != wildName {
		t.Errorf("heading %q", got)
	}
}

// outsideCode returns a line of Markdown without its code spans, read as
// CommonMark says: a run of backticks up to the next run that is as long.
func outsideCode(t *testing.T, line string) string {
	t.Helper()
	runs := regexp.MustCompile("`+").FindAllStringIndex(line, -1)
	plain, from := "", 0
	for i := 0; i < len(runs); i++ {
		plain += line[from:runs[i][0]]
		end := i + 1
		for end < len(runs) && runs[end][1]-runs[end][0] != runs[i][1]-runs[i][0] {
			end++
		}
		if end == len(runs) {
			t.Fatalf("a code span does not end: %q", line)
		}
		i, from = end, runs[end][1]
	}
	return plain + line[from:]
}
