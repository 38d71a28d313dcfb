package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"portico/internal/portal"
)

// TestDeliveryForm: what is refused is said at the files, keeps what was typed,
// and leaves nothing behind.
func TestDeliveryForm(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff, work := b.staff(staffEmail), b.work()
	many := map[string]string{}
	for n := range portal.MaxFiles + 1 {
		many[fmt.Sprintf("%03d.jpg", n)] = jpeg
	}
	kind := func(name string) portal.Sentence { return portal.Say("delivery.file_type", "Name", name) }
	tests := []struct {
		name  string
		files map[string]string
		typed url.Values
		fault portal.Sentence
	}{
		{"nothing at all", nil, nil, portal.Say("delivery.empty")},
		{"blank", nil, url.Values{"message": {" \n"}, "links": {"\n\n"}}, portal.Say("delivery.empty")},
		{"an empty file", map[string]string{"tom.jpg": ""}, nil, kind("tom.jpg")},
		{"a page called a picture", map[string]string{"bild.jpg": webPage}, nil, kind("bild.jpg")},
		{"a drawing with a script", map[string]string{"logotyp.svg": vector}, nil, kind("logotyp.svg")},
		{"a program", map[string]string{"bilder.exe": program}, nil, kind("bilder.exe")},
		{"a program called a picture", map[string]string{"bild.png": program}, nil, kind("bild.png")},
		{"one bad among good", map[string]string{"a.jpg": jpeg, "b.html": webPage, "c.pdf": pdf}, nil, kind("b.html")},
		{"too many", many, nil, portal.Say("delivery.many_files", "Max", portal.MaxFiles)},
	}
	before := b.changes()
	for _, lang := range portal.Locales {
		staff.speak(lang)
		for _, test := range tests {
			typed := url.Values{"message": {"Hela \"serien\""}, "links": {"https://example.com/film"}}
			if test.files == nil {
				typed = test.typed
			}
			c := formCase{name: test.name, typed: typed, faults: map[string]portal.Sentence{"files": test.fault}}
			c.check(t, lang, staff.deliver(work, test.files, typed))
			if left := b.blobs(); len(left) > 0 {
				t.Fatalf("%s: %d files are left in the blob store", test.name, len(left))
			}
		}
	}
	if after := b.changes(); after != before {
		t.Errorf("refused, and yet: %s, then %s", before, after)
	}
	staff.speak("sv")
	staff.get(work).hasNot(say("sv", portal.Say("work.files_again")))
	staff.deliver(work, map[string]string{"bild.jpg": webPage}, nil).has(say("sv", portal.Say("work.files_again")))
	// A browser sends a file without a name where none was chosen.
	staff.upload(work, `filename=""`, "").want(422).has(say("sv", portal.Say("delivery.empty")))
}

// TestRefusedDeliveryLeavesNoFile, whatever it is refused for.
func TestRefusedDeliveryLeavesNoFile(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff, work, cancelled := b.staff(staffEmail), b.work(), b.work()
	staff.post(cancelled+"/cancellation", url.Values{"reason": {"Såld"}}).want(http.StatusSeeOther)
	files := map[string]string{"bild.jpg": jpeg, "plan.pdf": pdf}
	whole := "--border\r\nContent-Disposition: form-data; name=\"files\"; filename=\"bild.jpg\"\r\n\r\n" + jpeg
	for name, send := range map[string]func() answer{
		"a cancelled order": func() answer { return staff.deliver(cancelled, files, nil).want(http.StatusConflict) },
		"a bad link":        func() answer { return staff.deliver(work, files, url.Values{"links": {"x"}}).want(422) },
		"a long message":    func() answer { return staff.deliver(work, files, url.Values{"message": {tooLong}}).want(422) },
		"a NUL":             func() answer { return staff.deliver(work, files, url.Values{"message": {"a\x00"}}).want(422) },
		"a connection that broke": func() answer {
			return staff.do("POST", work+"/deliveries", "multipart/form-data; boundary=border", strings.NewReader(whole)).want(422)
		},
		"a connection that broke in the second": func() answer {
			return staff.do("POST", work+"/deliveries", "multipart/form-data; boundary=border", strings.NewReader(whole+"\r\n"+whole)).want(422)
		},
		"an unknown order": func() answer { return staff.deliver("/staff/orders/x", files, nil).want(404) },
		"a viewer":         func() answer { return b.staff(viewerEmail).deliver(work, files, nil).want(403) },
	} {
		send()
		if left := b.blobs(); len(left) > 0 {
			t.Errorf("%s: left in the blob store: %v", name, left)
		}
	}
	staff.deliver(work, files, nil).want(http.StatusSeeOther)
	if kept := b.blobs(); len(kept) != 2 || strings.Contains(strings.Join(kept, " "), "bild") {
		t.Errorf("in the blob store, under names of our own: %v", kept)
	}
}

// TestFileNames: a name keeps what people read in it, and nothing else.
func TestFileNames(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff, work := b.staff(staffEmail), b.work()
	long := strings.Repeat("å", 300)
	tests := []struct{ disposition, want string }{
		{`filename="kök & hall.jpg"`, "kök & hall.jpg"},
		{`filename="../../etc/passwd"`, "passwd"},
		{`filename="C:\\Bilder\\kök.jpg"`, "kök.jpg"},
		{`filename="/"`, "file"},
		{`filename=".."`, "file"},
		{`filename="..."`, "file"},
		{`filename=".htaccess"`, "htaccess"},
		{`filename*=UTF-8''a%01b%7F%1B%5B31mc.jpg`, "ab[31mc.jpg"},
		{`filename*=UTF-8''rad%0D%0Abrytning%00.jpg`, "radbrytning.jpg"},
		{`filename*=UTF-8''bild%E2%80%AEgpj.exe`, "bildgpj.exe"},
		{`filename="a<b>c:d|e?f*g.jpg"`, "abcdefg.jpg"},
		{"filename=\"\xff\xfebild.jpg\"", "bild.jpg"},
		{`filename="` + long + `.jpg"`, strings.Repeat("å", 146) + ".jpg"},
		{`filename="a.` + long + `"`, "a." + strings.Repeat("å", 148)},
		{`filename="` + long + "." + long + `"`, strings.Repeat("å", 150)},
	}
	for _, test := range tests {
		if a := staff.upload(work, test.disposition, jpeg); a.status != http.StatusSeeOther {
			t.Errorf("%.60q: status %d: %s", test.disposition, a.status, a.text(".fault"))
			continue
		}
		name := b.query(`SELECT name FROM files ORDER BY delivery_id DESC LIMIT 1`)
		if name != test.want || !utf8.ValidString(name) {
			t.Errorf("%.60q is kept as %q, want %q", test.disposition, name, test.want)
		}
		staff.get(work).want(http.StatusOK)
		staff.post(work+"/reopening", nil).want(http.StatusSeeOther)
	}
}

// TestDeliveryVersions: what was handed over before stays.
func TestDeliveryVersions(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("skylt")
	broker, staff := b.browser(), b.staff(staffEmail)
	page := broker.open(address)
	staff.deliver("/staff"+page, map[string]string{"kök.jpg": jpeg}, url.Values{"message": {"Första"}}).want(http.StatusSeeOther)
	broker.post(page+"/revisions", url.Values{"body": {"Ljusare"}}).want(http.StatusSeeOther)
	broker.get(page).has("Första") // also while the new one is in the making
	staff.deliver("/staff"+page, map[string]string{"kök.jpg": jpeg + " ljusare"}, url.Values{"message": {"Andra"}}).want(http.StatusSeeOther)
	deliveries := broker.get(page).page().Find("[data-testid=delivery]")
	if deliveries.Length() != 2 || !strings.Contains(deliveries.Eq(0).Text(), "Andra") || !strings.Contains(deliveries.Eq(1).Text(), "Första") {
		t.Errorf("deliveries: %s", deliveries.Text())
	}
	for i, want := range []string{jpeg + " ljusare", jpeg} {
		href := deliveries.Eq(i).Find(`a[href*="/files/"]`).AttrOr("href", "")
		if got := broker.get(href).want(http.StatusOK); got.body != want {
			t.Errorf("version %d holds %q", 2-i, got.body)
		}
	}
}
