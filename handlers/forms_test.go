package handlers_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"portico/internal/portal"
)

// formCase is a form that is sent wrongly: what is said at which element, and
// that what was typed is still there.
type formCase struct {
	name   string
	typed  url.Values
	faults map[string]portal.Sentence // by id of the element that is described
	lost   []string                   // inputs whose value no page can show again
}

// check checks the page of a refused form, in the page's language.
func (c formCase) check(t *testing.T, lang string, a answer) {
	t.Helper()
	a.want(http.StatusUnprocessableEntity)
	doc := a.page()
	if got := doc.Find("html").AttrOr("lang", ""); got != lang {
		t.Errorf("%s: the page is in %q, want %q", c.name, got, lang)
	}
	if got := doc.Find(".fault").Length(); got != len(c.faults) {
		t.Errorf("%s (%s): %d faults are shown, want %d: %s", c.name, lang, got, len(c.faults), a.text(".fault"))
	}
	for id, sentence := range c.faults {
		fault := doc.Find(`[id="` + id + `-fault"]`)
		if got, want := strings.Join(strings.Fields(fault.Text()), " "), say(lang, sentence); got != want {
			t.Errorf("%s (%s): at %s stands %q, want %q", c.name, lang, id, got, want)
		}
		described := doc.Find(`[aria-describedby~="` + id + `-fault"]`)
		if described.Length() != 1 || described.AttrOr("aria-invalid", "") != "true" {
			t.Errorf("%s: %d elements are described by the fault of %s", c.name, described.Length(), id)
		}
		if folded := described.ParentsFiltered("details:not([open])").Length(); folded > 0 {
			t.Errorf("%s: the fault of %s is folded away", c.name, id)
		}
	}
	for input, values := range c.typed {
		for _, value := range values {
			if !slices.Contains(c.lost, input) && !keeps(doc, input, strings.TrimSpace(value)) {
				t.Errorf("%s: input %s does not keep %.40q", c.name, input, value)
			}
		}
	}
}

// keeps reports whether an input of a page has a value.
func keeps(doc *goquery.Document, input, value string) bool {
	found := value == ""
	doc.Find(`[name="` + input + `"]`).Each(func(_ int, e *goquery.Selection) {
		switch kind := e.AttrOr("type", ""); {
		case goquery.NodeName(e) == "textarea":
			found = found || strings.TrimSpace(e.Text()) == value
		case goquery.NodeName(e) == "select":
			found = found || e.Find("option[selected]").AttrOr("value", "") == value
		case kind == "radio" || kind == "checkbox":
			_, checked := e.Attr("checked")
			found = found || checked && e.AttrOr("value", "") == value
		default:
			found = found || e.AttrOr("value", "") == value
		}
	})
	return found
}

// wantFlash checks that a page says once that something was done, in words.
func (br *browser) wantFlash(page string) {
	br.b.t.Helper()
	if flash := br.get(page).want(http.StatusOK).text("[data-testid=flash]"); flash == "" || catalogueKey.MatchString(flash) {
		br.b.t.Errorf("%s: after the action it says %q", page, flash)
	}
	if again := br.get(page).text("[data-testid=flash]"); again != "" {
		br.b.t.Errorf("%s: it says %q again", page, again)
	}
}

var catalogueKey = regexp.MustCompile(`^[a-z]+\.[a-z_]+$`)

var (
	required = portal.Say("field.required")
	choose   = portal.Say("field.choose")
	tooLong  = strings.Repeat("å", portal.MaxBody+1)
	longText = portal.Say("field.too_long", "Max", portal.MaxBody, "Count", portal.MaxBody+1)
	garbled  = portal.Say("field.characters")
)

// texts are the faults that every box for a text has.
func texts(input, id string) []formCase {
	at := func(s portal.Sentence) map[string]portal.Sentence { return map[string]portal.Sentence{id: s} }
	return []formCase{
		{name: "nothing", typed: url.Values{}, faults: at(required)},
		{name: "blank", typed: url.Values{input: {" \r\n\t "}}, faults: at(required)},
		{name: "too long", typed: url.Values{input: {tooLong}}, faults: at(longText)},
		{name: "no UTF-8", typed: url.Values{input: {"a\xff"}}, faults: at(garbled), lost: []string{input}},
		{name: "NUL", typed: url.Values{input: {"a\x00"}}, faults: at(garbled), lost: []string{input}},
	}
}
