package handlers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"portico/internal/portal"
)

// subjects returns what the page has found, by the name of its input: what can
// be chosen, what is chosen with a star.
func (a answer) subjects() map[string]string {
	a.b.t.Helper()
	found := map[string]string{}
	a.page().Find("[data-testid=subject]").Each(func(_ int, s *goquery.Selection) {
		var choices []string
		name := ""
		s.Find("input[type=radio]").Each(func(_ int, input *goquery.Selection) {
			name = input.AttrOr("name", "")
			choice := input.AttrOr("value", "")
			if _, chosen := input.Attr("checked"); chosen {
				choice += "*"
			}
			choices = append(choices, choice)
		})
		found[name] = strings.Join(choices, " ")
	})
	return found
}

func (b *bundle) admin() *browser {
	b.t.Helper()
	b.addStaff(adminEmail, "Maja Ek", portal.RoleAdmin, quickHash(staffPassword))
	return b.staff(adminEmail)
}

// TestPeopleAreForAdministrators: also the link to the screen.
func TestPeopleAreForAdministrators(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	admin, other := b.admin(), b.staff(staffEmail)
	admin.get("/staff/orders").want(http.StatusOK).has(`href="/staff/people"`)
	other.get("/staff/orders").want(http.StatusOK).hasNot(`href="/staff/people"`)
	other.get("/staff/people").want(http.StatusForbidden)
	a := admin.get("/staff/people?q=Kanarie").want(http.StatusOK).wantHeader("Cache-Control", "no-store")
	if a.text("textarea") != "" || a.page().Find("[data-testid=subject]").Length() > 0 {
		t.Error("it looks for what stands in the address")
	}
	for typed, status := range map[string]int{"": 422, "Bo": 422, "0701": 422, "Ingen Alls": 200} {
		a := admin.post("/staff/people/search", form("q", typed)).want(status).wantHeader("Cache-Control", "no-store")
		if got := a.text("textarea"); got != typed {
			t.Errorf("%q comes back as %q", typed, got)
		}
		for _, path := range []string{"export", "confirmation", "erasure"} {
			admin.post("/staff/people/"+path, form("q", typed)).want(http.StatusUnprocessableEntity)
		}
	}
	if log := b.log.String(); strings.Contains(log, "Ingen") {
		t.Error("the log has what was looked for")
	}
}

// TestEachPlaceIsFound: whatever somebody is looked for by, and wherever it stands.
func TestEachPlaceIsFound(t *testing.T) {
	t.Parallel()
	a := newAviary(t)
	order, fetched, other := a.stored(a.order).ID, a.stored(a.fetched).ID, a.stored(a.other).ID
	keys := map[string]string{fmt.Sprintf("order-%d", order): "whole* words leave", fmt.Sprintf("order-%d", fetched): "whole* words leave",
		fmt.Sprintf("order-%d", other): "words* leave", "lead-1": "whole* leave", "lead-2": "whole* leave", "aside-2": "whole* leave"}
	for _, typed := range []string{canaryName, "KANARIE FÅGELSTRÖM", canaryMail, canaryPhone, "+46 70 987 65 43", canaryNumber, "7510116952", canaryStreet} {
		found := a.admin.post("/staff/people/search", form("q", typed)).want(http.StatusOK)
		got := found.subjects()
		for key, choices := range keys {
			if got[key] != choices {
				t.Errorf("%s: %s is %q, want %q; all: %v", typed, key, got[key], choices, got)
			}
		}
		if typed == canaryName {
			found.hasNot("751011", "6952") // nor is it shown beside other words
		}
	}
}

// TestErasingWaits: nothing is erased that a partner is still to be told of, or
// that somebody works on; and nothing without a reason and a tick.
func TestErasingWaits(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	admin := b.admin()
	_, address := b.order("skylt")
	page := b.browser().open(address)
	work, key := "/staff"+page, fmt.Sprintf("order-%d", b.stored(page).ID)
	b.staff(staffEmail).does(work, "notes", form("body", "Till "+canaryName))
	search := form("q", canaryName)
	wants := func(choices string) {
		t.Helper()
		if got := admin.post("/staff/people/search", search).want(http.StatusOK).subjects()[key]; got != choices {
			t.Errorf("%q can be chosen, want %q", got, choices)
		}
	}
	before := b.dump()
	whole, words := form("q", canaryName, key, "whole", "reason", "request", "confirm", "yes"), form("q", canaryName, key, "words", "reason", "request", "confirm", "yes")
	wants("leave*")
	admin.post("/staff/people/erasure", whole).want(http.StatusConflict)
	admin.post("/staff/people/erasure", words).want(http.StatusConflict)
	admin.post("/staff/people/confirmation", words).want(http.StatusConflict)
	if b.dump() != before {
		t.Error("something has changed")
	}
	b.drain()
	wants("words* leave")
	admin.post("/staff/people/erasure", whole).want(http.StatusConflict)
	b.staff(staffEmail).does(work, "cancellation", form("reason", "Ångrat"))
	wants("leave*")
	b.drain()
	wants("whole* words leave")
	before = b.dump()
	for _, form := range []string{"reason", "confirm"} {
		typed := words
		typed.Del(form)
		admin.post("/staff/people/erasure", typed).want(http.StatusUnprocessableEntity)
	}
	admin.post("/staff/people/erasure", form("q", canaryName, key, "leave", "reason", "request", "confirm", "yes")).want(http.StatusUnprocessableEntity)
	admin.post("/staff/people/erasure", form("q", canaryName, key, "whole", "reason", "spite", "confirm", "yes")).want(http.StatusUnprocessableEntity)
	admin.post("/staff/people/erasure", form("q", canaryName, "order-999", "whole", "reason", "request", "confirm", "yes")).want(http.StatusUnprocessableEntity)
	if b.dump() != before {
		t.Error("something has changed")
	}
	admin.post("/staff/people/erasure", whole).wantLocation("/staff/people")
	shown := admin.get("/staff/people").want(http.StatusOK).text("[data-testid=erasures]")
	for _, text := range []string{"Maja Ek", say("sv", portal.Say("people.reason_request")), say("sv", portal.Say("people.n_orders", "Count", 1))} {
		if !strings.Contains(shown, text) {
			t.Errorf("the evidence does not say %q: %s", text, shown)
		}
	}
}

// TestExportOfAPerson: everything of the subjects that are the person's, and only of those.
func TestExportOfAPerson(t *testing.T) {
	t.Parallel()
	a := newAviary(t)
	kept := a.query(books)
	chosen := a.admin.post("/staff/people/search", form("q", canaryTerms)).want(http.StatusOK).chosen()
	chosen.Set("lead-2", "leave")
	a.admin.post("/staff/people/export", chosen).want(http.StatusOK).has(`"personal_number": "•••"`).hasNot("197510116952")
	chosen.Set("numbers", "yes")
	sent := a.admin.post("/staff/people/export", chosen).want(http.StatusOK).wantHeader("Content-Type", "application/json").
		wantHeader("Cache-Control", "no-store").wantHeader("Content-Disposition", "attachment; filename=person.json")
	var export struct {
		Orders []map[string]any `json:"orders"`
		Leads  []map[string]any `json:"leads"`
		Aside  []map[string]any `json:"orders_kept_aside"`
	}
	a.check(json.Unmarshal([]byte(sent.body), &export))
	if len(export.Orders) != 2 || len(export.Leads) != 1 || len(export.Aside) != 1 {
		t.Fatalf("%d orders, %d leads, %d aside", len(export.Orders), len(export.Leads), len(export.Aside))
	}
	if export.Orders[1]["personal_number"] != "197510116952" || export.Leads[0]["personal_number"] != "197510116952" || export.Orders[0]["personal_number"] != nil {
		t.Error("the personal numbers are not those that are kept")
	}
	for _, text := range []string{"Ring " + canary, "Obs: " + canary, "Fågelbursvägen 7.pdf", "Vi når inte " + canary, "Klart hos " + canary, "Granne till " + canary, "Vem är " + canary, canary + "</more>"} {
		quoted, err := json.Marshal(text)
		a.check(err)
		if !strings.Contains(sent.body, strings.Trim(string(quoted), `"`)) {
			t.Errorf("the export does not say %q", text)
		}
	}
	sent.hasNot("Porten har kod", "Grannen "+canary)
	if got := a.query(`SELECT actor || ' ' || (data ->> 'orders') || (data ->> 'leads') || (data ->> 'aside') FROM audits WHERE action = 'person.exported' ORDER BY id DESC LIMIT 1`); got != "staff Maja Ek 211" {
		t.Errorf("written down: %s", got)
	}
	if n := a.query(`SELECT count(*) FROM events WHERE kind = 'disclosed'`); n != "1" {
		t.Errorf("%s timelines say that the number was shown", n)
	}
	a.check(a.raw.QueryRowContext(t.Context(), `SELECT count(*) FROM events WHERE kind <> 'disclosed'`).Err())
	if lines := strings.Split(a.query(books), "\n"); len(lines) != len(strings.Split(kept, "\n"))+1 {
		t.Error("an export changes something")
	}
}

// TestFilesAreDeletedLater: one that cannot be deleted now is tried again.
func TestFilesAreDeletedLater(t *testing.T) {
	t.Parallel()
	a := newAviary(t)
	for _, key := range a.blobs() {
		a.check(a.bucket.Delete(t.Context(), key)) // gone already
	}
	a.query(`INSERT INTO erased_files (blob_key, created_at) VALUES ('orders/x/y', now()) RETURNING blob_key`)
	a.check(a.bucket.WriteAll(t.Context(), "orders/x/y", []byte(canary), nil))
	a.erase(map[string]portal.PersonChoice{fmt.Sprintf("order-%d", a.stored(a.other).ID): portal.ChooseWords}).wantLocation("/staff/people")
	if left := a.blobs(); len(left) > 0 || a.query(`SELECT count(*) FROM erased_files`) != "0" {
		t.Errorf("left: %v", left)
	}
}
