package handlers_test

import (
	"archive/zip"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
)

// delivered is an order with files, and browsers that may see it.
type delivered struct {
	*bundle
	page          string
	broker, staff *browser
}

func newDelivered(t *testing.T, files map[string]string) delivered {
	t.Helper()
	b := newBundle(t)
	_, address := b.order("skylt")
	d := delivered{bundle: b, broker: b.browser(), staff: b.staff(staffEmail)}
	d.page = d.broker.open(address)
	d.staff.deliver("/staff"+d.page, files, nil).want(http.StatusSeeOther)
	return d
}

// links returns the addresses of the files that a page shows, of which there
// are at least so many.
func (br *browser) links(page string, atLeast int) []string {
	br.b.t.Helper()
	var links []string
	br.get(page).want(http.StatusOK).page().Find(`main a[href*="/files/"]`).Each(func(_ int, a *goquery.Selection) {
		links = append(links, a.AttrOr("href", ""))
	})
	if len(links) < atLeast {
		br.b.t.Fatalf("%s shows %d files, want %d", page, len(links), atLeast)
	}
	return links
}

func TestFileIsForItsOrder(t *testing.T) {
	t.Parallel()
	d := newDelivered(t, map[string]string{"kök.jpg": jpeg})
	link := d.broker.links(d.page, 1)[0]
	file := link[strings.LastIndex(link, "/")+1:]
	d.broker.get(link).want(http.StatusOK).has(jpeg)
	staffLink := d.staff.links("/staff"+d.page, 1)[0]
	d.staff.get(staffLink).want(http.StatusOK).has(jpeg)
	d.bundle.staff(viewerEmail).get(staffLink).want(http.StatusOK).has(jpeg)

	_, address := d.order("skylt")
	other := d.browser()
	otherPage := other.open(address)
	other.get(otherPage + "/files/" + file).want(http.StatusNotFound).hasNot(jpeg)
	d.broker.get(link + "x").want(http.StatusNotFound)
	d.staff.get("/staff" + otherPage + "/files/" + file).want(http.StatusNotFound)
	other.get(link).want(http.StatusUnauthorized)
	other.get(otherPage + "/files.zip").want(http.StatusNotFound) // nothing to put into it
}

// TestFileIsADownload: no browser runs what somebody uploaded, whatever it is.
func TestFileIsADownload(t *testing.T) {
	t.Parallel()
	const script = "alert('a text that is a script, of more than a kilobyte so that it is worth compressing')//"
	long := strings.Repeat(script, 20)
	d := newDelivered(t, map[string]string{"köksbild “ny”.jpg": jpeg, "plan.pdf": pdf, "skript.js": long})
	types := map[string]string{"köksbild “ny”.jpg": "image/jpeg", "plan.pdf": "application/pdf", "skript.js": "text/plain"}
	links := d.broker.links(d.page, 3)
	for _, link := range links {
		a := d.broker.get(link).want(http.StatusOK).wantHeader("X-Content-Type-Options", "nosniff").wantHeader("Cache-Control", "no-store")
		disposition, params, err := mime.ParseMediaType(a.header.Get("Content-Disposition"))
		if err != nil || disposition != "attachment" {
			t.Fatalf("Content-Disposition %q: %v", a.header.Get("Content-Disposition"), err)
		}
		if got := a.header.Get("Content-Type"); got != types[params["filename"]] {
			t.Errorf("%s: Content-Type %q", params["filename"], got)
		}
		if policy := a.header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") {
			t.Errorf("Content-Security-Policy %q", policy)
		}
		delete(types, params["filename"])
	}
	if len(types) > 0 {
		t.Errorf("not downloaded: %v", types)
	}
	if got := d.broker.get(links[2]).body; got != long {
		t.Errorf("the script came as %d bytes, want %d", len(got), len(long))
	}
	if raw := d.broker.get(links[0]).header.Get("Content-Disposition"); !strings.Contains(raw, "filename*=utf-8''k%C3%B6ksbild") {
		t.Errorf("a name beyond ASCII is sent as %q", raw)
	}
}

func TestFileRanges(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789", 500)
	d := newDelivered(t, map[string]string{"film.txt": text})
	link := d.broker.links(d.page, 1)[0]
	for _, test := range []struct{ ask, contentRange, want string }{
		{"bytes=0-9", "bytes 0-9/5000", "0123456789"},
		{"bytes=4990-", "bytes 4990-4999/5000", "0123456789"},
		{"bytes=-3", "bytes 4997-4999/5000", "789"},
		{"bytes=0-2999", "bytes 0-2999/5000", text[:3000]}, // long enough to be compressed, and must not be
	} {
		for _, encoding := range []string{"identity", "gzip"} {
			br := d.broker.with("Range", test.ask).with("Accept-Encoding", encoding)
			a := br.get(link).want(http.StatusPartialContent).wantHeader("Content-Range", test.contentRange).wantHeader("Content-Encoding", "")
			if a.body != test.want {
				t.Errorf("%s, %s: %q", test.ask, encoding, a.body)
			}
		}
	}
	d.broker.with("Range", "bytes=9000-").get(link).want(http.StatusRequestedRangeNotSatisfiable)
	head := d.broker.with("Accept-Encoding", "identity").do(http.MethodHead, link, "", nil).want(http.StatusOK).wantHeader("Content-Length", "5000")
	if head.header.Get("Accept-Ranges") != "bytes" || head.body != "" {
		t.Errorf("HEAD: %v, %q", head.header, head.body)
	}
}

// TestArchive has every file of every version, each under a name of its own.
func TestArchive(t *testing.T) {
	t.Parallel()
	d := newDelivered(t, map[string]string{"kök.jpg": jpeg, "plan.pdf": pdf})
	entries := func() map[string]string {
		t.Helper()
		a := d.broker.get(d.page+"/files.zip").want(http.StatusOK).wantHeader("Content-Type", "application/zip")
		if !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment; filename=B") {
			t.Errorf("Content-Disposition %q", a.header.Get("Content-Disposition"))
		}
		archive, err := zip.NewReader(strings.NewReader(a.body), int64(len(a.body)))
		d.check(err)
		files := map[string]string{}
		for _, f := range archive.File {
			r, err := f.Open()
			d.check(err)
			content, err := io.ReadAll(r)
			d.check(err)
			if _, twice := files[f.Name]; twice || strings.Contains(f.Name, "..") || strings.HasPrefix(f.Name, "/") {
				t.Errorf("an entry is called %q", f.Name)
			}
			files[f.Name] = string(content)
		}
		return files
	}
	if diff := cmp.Diff(map[string]string{"kök.jpg": jpeg, "plan.pdf": pdf}, entries()); diff != "" {
		t.Errorf("one delivery (-want +got):\n%s", diff)
	}
	d.broker.post(d.page+"/revisions", url.Values{"body": {"Ljusare"}}).want(http.StatusSeeOther)
	// Two names that are one without their folders.
	body := "--border\r\nContent-Disposition: form-data; name=\"files\"; filename=\"kök.jpg\"\r\n\r\n" + jpeg + "1\r\n" +
		"--border\r\nContent-Disposition: form-data; name=\"files\"; filename=\"C:\\\\kök.jpg\"\r\n\r\n" + jpeg + "2\r\n" +
		"--border\r\nContent-Disposition: form-data; name=\"files\"; filename=\"kök (2).jpg\"\r\n\r\n" + jpeg + "3\r\n--border--\r\n"
	d.staff.do("POST", "/staff"+d.page+"/deliveries", "multipart/form-data; boundary=border", strings.NewReader(body)).want(http.StatusSeeOther)
	want := map[string]string{"1/kök.jpg": jpeg, "1/plan.pdf": pdf, "2/kök.jpg": jpeg + "1", "2/kök (2).jpg": jpeg + "2", "2/kök (2) (2).jpg": jpeg + "3"}
	if diff := cmp.Diff(want, entries()); diff != "" {
		t.Errorf("two deliveries (-want +got):\n%s", diff)
	}
}

// TestLostFile: what is gone from the blob store is our fault, and never a file
// that is quietly shorter.
func TestLostFile(t *testing.T) {
	t.Parallel()
	d := newDelivered(t, map[string]string{"a.jpg": jpeg, "b.jpg": jpeg})
	keys := d.blobs()
	slices.Sort(keys)
	d.check(d.bucket.Delete(t.Context(), keys[1]))
	statuses := map[int]int{}
	for _, link := range d.broker.links(d.page, 2) {
		statuses[d.broker.get(link).hasNot(keys[1], "memblob").status]++
	}
	if statuses[200] != 1 || statuses[500] != 1 {
		t.Errorf("statuses %v", statuses)
	}
	if a, err := d.broker.try(http.MethodGet, d.page+"/files.zip", "", nil); err == nil {
		t.Errorf("the archive came whole: status %d, %d bytes", a.status, len(a.body))
	}
	if !strings.Contains(d.log.String(), "send archive") {
		t.Error("the broken archive is not in the log")
	}
}
