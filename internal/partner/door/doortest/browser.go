package doortest

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// Browser looks at a fake's pages. It keeps cookies and stays where it is sent to.
type Browser struct {
	t          T
	base       string
	everywhere []string
	http       *http.Client
}

// NewBrowser returns a browser for the fake at base, which says some things on
// every page.
func NewBrowser(t T, base string, everywhere ...string) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatalf("make a cookie jar: %v", err)
	}
	return &Browser{t, base, everywhere, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// Do sends a request, as http.NewRequest returns one.
func (b *Browser) Do(req *http.Request, err error) (status int, location, body string) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("%v", err)
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatalf("%v", err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatalf("%v", err)
	}
	return resp.StatusCode, resp.Header.Get("Location"), string(raw)
}

// Get opens a page.
func (b *Browser) Get(path string) (status int, location, body string) {
	b.t.Helper()
	return b.Do(http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.base+path, nil))
}

// Post sends a form, given as names and values in turn.
func (b *Browser) Post(path string, pairs ...string) (status int, location string) {
	b.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	status, location, _ = b.Do(req, err)
	return status, location
}

// PostFromElsewhere sends an empty form as a page of another site would.
func (b *Browser) PostFromElsewhere(path string) (status int) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+path, nil)
	if err == nil {
		req.Header.Set("Sec-Fetch-Site", "cross-site")
	}
	status, _, _ = b.Do(req, err)
	return status
}

// Sees checks that a page opens and what it says.
func (b *Browser) Sees(page string, wants ...string) {
	b.t.Helper()
	b.wants(page, http.StatusOK, wants...)
}

// Misses checks that there are no such pages, and no such forms, each with its
// names and values in turn.
func (b *Browser) Misses(pages []string, forms map[string][]string) {
	b.t.Helper()
	for _, page := range pages {
		b.wants(page, http.StatusNotFound)
	}
	for path, pairs := range forms {
		if status, _ := b.Post(path, pairs...); status != http.StatusNotFound {
			b.t.Errorf("%s: status %d, want 404", path, status)
		}
	}
}

func (b *Browser) wants(page string, wantStatus int, wants ...string) {
	b.t.Helper()
	status, _, body := b.Get(page)
	if status != wantStatus {
		b.t.Errorf("%s: status %d, want %d", page, status, wantStatus)
	}
	for _, want := range append(wants, b.everywhere...) {
		if !strings.Contains(body, want) {
			b.t.Errorf("%s: no %q", page, want)
		}
	}
}
