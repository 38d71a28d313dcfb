package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"portico/internal/portal"
)

// sketcher is a service whose form needs a file.
func sketcher(b *bundle) (page string, br *browser) {
	b.t.Helper()
	text := func(s string) portal.Text { return portal.Text{"sv": s, "nb": s, "en": s} }
	svc := portal.Service{ID: "planritning", ConnectionID: "vitec", Flow: portal.FlowPage, Auth: portal.AuthToken, Name: text("Planritning"),
		Form: portal.Form{Fields: []portal.Field{
			{ID: "rooms", Type: portal.FieldNumber, Required: true, Label: text("Rum")},
			{ID: "sketch", Type: portal.FieldFile, Required: true, Label: text("Skiss")},
			{ID: "more", Type: portal.FieldFile, Label: text("Mer")}}}}
	_, err := b.store.Apply(b.t.Context(), portal.Setup{Provider: testProvider, Connections: []portal.Connection{b.connection()}, Services: append(testServices(), svc)})
	b.check(err)
	_, address := b.order("planritning")
	br = b.browser()
	return br.open(address), br
}

// attached returns the names of the files that a page lists.
func (a answer) attached() string {
	a.b.t.Helper()
	var names []string
	links := a.page().Find("[data-testid=attached] a")
	for i := range links.Length() {
		names = append(names, links.Eq(i).Text())
	}
	return strings.Join(names, ", ")
}

// TestOrderFormWithFiles: what is wrong with the rest of the form does not lose the
// files, and what is wrong with a file does not lose the rest.
func TestOrderFormWithFiles(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	page, br := sketcher(b)
	send := page + "/submission"
	if kind := br.get(page).page().Find("[data-testid=order-form]").AttrOr("enctype", ""); kind != "multipart/form-data" {
		t.Fatalf("the form is sent as %q", kind)
	}
	missing, kind := portal.Say("field.file"), portal.Say("delivery.file_type", "Name", "bild.jpg")
	number := portal.Say("field.number")
	for _, lang := range portal.Locales {
		br.speak(lang)
		for _, c := range []struct {
			formCase
			files map[string]string
		}{
			{formCase{name: "no file", typed: url.Values{"rooms": {"4"}}, faults: map[string]portal.Sentence{"f-sketch": missing}}, nil},
			{formCase{name: "a file that is typed", typed: url.Values{"rooms": {"4"}, "sketch": {"plan.pdf"}}, lost: []string{"sketch"},
				faults: map[string]portal.Sentence{"f-sketch": missing}}, nil},
			{formCase{name: "a page called a picture", typed: url.Values{"rooms": {"fyra"}},
				faults: map[string]portal.Sentence{"f-sketch": kind, "f-rooms": number}}, map[string]string{"bild.jpg": webPage}},
		} {
			c.check(t, lang, br.sendFiles(send, "sketch", c.files, c.typed))
			if c.files == nil {
				c.check(t, lang, br.post(send, c.typed)) // as a script may send it
			}
		}
	}
	br.speak("sv")
	if left := b.blobs(); len(left) > 0 {
		t.Fatalf("left in the blob store: %v", left)
	}
	// A browser sends a file without a name where none was chosen.
	br.do(http.MethodPost, send, "multipart/form-data; boundary=border",
		strings.NewReader("--border\r\nContent-Disposition: form-data; name=\"sketch\"; filename=\"\"\r\n\r\n\r\n--border--\r\n")).want(422).has(say("sv", missing))

	a := br.sendFiles(send, "sketch", map[string]string{"plan.pdf": pdf, "kök.jpg": jpeg}, url.Values{"rooms": {"fyra"}}).want(422)
	formCase{name: "files and no number", typed: url.Values{"rooms": {"fyra"}}, faults: map[string]portal.Sentence{"f-rooms": number}}.check(t, "sv", a)
	if got := a.attached(); got != "kök.jpg, plan.pdf" || br.get(page).attached() != got {
		t.Errorf("kept: %q", got)
	}
	if _, required := a.page().Find("#f-sketch").Attr("required"); required {
		t.Error("a file is asked for that is there")
	}
	drop, _ := a.page().Find("[data-testid=attached] input[name=remove-file]").First().Attr("value")
	a = br.sendFiles(send, "sketch", nil, url.Values{"rooms": {"x"}, "remove-file": {drop, "none"}}).want(422)
	if got := a.attached(); got != "plan.pdf" {
		t.Errorf("after one was taken away: %q", got)
	}
	file, _ := a.page().Find("[data-testid=attached] a").Attr("href")
	b.browser().get(file).want(http.StatusUnauthorized)
	staff := b.staff(staffEmail)
	if got := staff.get("/staff" + page).attached(); got != "" {
		t.Errorf("staff see %q of a draft", got)
	}

	br.sendFiles(send, "more", map[string]string{"hall.jpg": jpeg}, url.Values{"rooms": {"4"}}).wantLocation(page)
	br.wantFlash(page)
	for _, who := range []struct {
		br   *browser
		page string
	}{{br, page}, {staff, "/staff" + page}} {
		a := who.br.get(who.page)
		if got := a.attached(); got != "plan.pdf, hall.jpg" {
			t.Errorf("%s lists %q", who.page, got)
		}
		link, _ := a.page().Find("[data-testid=attached] a").First().Attr("href")
		if got := who.br.get(link).want(http.StatusOK); got.body != pdf || !strings.HasPrefix(got.header.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %q, %v", link, got.body, got.header)
		}
	}
	if got := b.query(`SELECT answers::text FROM orders WHERE answers ? 'sketch'`); got != `{"more": ["hall.jpg"], "rooms": ["4"], "sketch": ["plan.pdf"]}` {
		t.Errorf("answers %s", got)
	}
	// The file that was taken away is deleted with what else is erased.
	if got := b.query(`SELECT count(*) FROM erased_files`); got != "1" || len(b.blobs()) != 3 {
		t.Errorf("%s files to be deleted, in the blob store: %v", got, b.blobs())
	}
}

// TestFilesThatAreNotTaken come too late, are too many or are of no field: they
// are not kept.
func TestFilesThatAreNotTaken(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	page, br := sketcher(b)
	send := page + "/submission"
	many := map[string]string{}
	for n := range portal.MaxAttachments + 1 {
		many[fmt.Sprintf("%03d.jpg", n)] = jpeg
	}
	tooMany := portal.Say("attachment.many", "Max", portal.MaxAttachments)
	br.sendFiles(send, "sketch", many, url.Values{"rooms": {"4"}}).want(422).has(say("sv", tooMany))
	if got := b.query(`SELECT count(*) FROM files`); got != fmt.Sprint(portal.MaxAttachments) || len(b.blobs()) != portal.MaxAttachments {
		t.Errorf("%s files, %d in the blob store", got, len(b.blobs()))
	}
	br.sendFiles(send, "more", map[string]string{"en.jpg": jpeg}, url.Values{"rooms": {"4"}}).want(422).has(say("sv", tooMany))
	whole := "--border\r\nContent-Disposition: form-data; name=\"sketch\"; filename=\"bild.jpg\"\r\n\r\n" + jpeg
	br.do(http.MethodPost, send, "multipart/form-data; boundary=border", strings.NewReader(whole+"\r\n"+whole)).want(422)
	// An input that takes no files.
	br.sendFiles(send, "rooms", map[string]string{"rum.jpg": jpeg}, nil).want(422)
	br.post(send, url.Values{"rooms": {"4"}}).wantLocation(page)
	br.sendFiles(send, "more", map[string]string{"sen.jpg": jpeg}, url.Values{"rooms": {"4"}}).wantLocation(page)
	if kept := b.blobs(); len(kept) != portal.MaxAttachments {
		t.Errorf("%d in the blob store", len(kept))
	}
	// Another order's page takes nothing for this one, and hands none of it out.
	_, address := b.order("skylt")
	other := br.open(address)
	id := b.query(`SELECT min(id) FROM files`)
	br.get(other + "/files/" + id).want(http.StatusNotFound)
	br.sendFiles(other+"/submission", "sketch", map[string]string{"a.jpg": jpeg}, nil)
	if kept := b.blobs(); len(kept) != portal.MaxAttachments || slices.ContainsFunc(kept, func(key string) bool { return strings.Contains(key, strings.TrimPrefix(other, "/orders/")) }) {
		t.Errorf("in the blob store: %v", kept)
	}
}
