package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func get(method, path, accept string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	r.Header.Set("Accept-Encoding", accept)
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w
}

func TestHandler(t *testing.T) {
	t.Parallel()
	for name, contentType := range map[string]string{"app.css": "text/css; charset=utf-8", "app.js": "text/javascript; charset=utf-8",
		"icon.svg": "image/svg+xml", "vendor/htmx/htmx.min.js": "text/javascript; charset=utf-8"} {
		w := get(http.MethodGet, Path(name), "br, gzip")
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", name, w.Code)
		}
		for header, want := range map[string]string{"Content-Type": contentType, "Content-Encoding": "gzip", "Vary": "Accept-Encoding",
			"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
		r, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		want, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(body, want) {
			t.Errorf("%s arrives changed", name)
		}
	}
}

func TestHandlerRefuses(t *testing.T) {
	t.Parallel()
	css := Path("app.css")
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/static/app.css", http.StatusNotFound},
		{http.MethodGet, "/static/static.go", http.StatusNotFound},
		{http.MethodGet, "/static/", http.StatusNotFound},
		{http.MethodGet, css + "/..", http.StatusNotFound},
		{http.MethodPost, css, http.StatusMethodNotAllowed},
		{http.MethodHead, css, http.StatusOK},
	} {
		w := get(tt.method, tt.path, "gzip")
		if w.Code != tt.status {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, w.Code, tt.status)
		}
		if tt.method == http.MethodHead && w.Body.Len() > 0 {
			t.Error("HEAD has a body")
		}
	}
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]string{"": "", "identity": "", "gzip": "gzip", "deflate, gzip;q=0.5": "gzip", "gzip;q=0": "", "gzip; q=0": ""} {
		if got := get(http.MethodGet, Path("app.js"), accept).Header().Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q is answered with %q, want %q", accept, got, want)
		}
	}
}

func TestPathOfNoFile(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("a name that is not there has a path")
		}
	}()
	Path("nothing.css")
}

// TestPolicy: what the content policy would block must not be in our own files.
func TestPolicy(t *testing.T) {
	t.Parallel()
	css, err := files.ReadFile("app.css")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(css), "url(") || strings.Contains(string(css), "@import") {
		t.Error("app.css fetches something")
	}
	js, err := files.ReadFile("app.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"eval(", "Function(", ".style", "innerHTML", "setTimeout(\""} {
		if strings.Contains(string(js), word) {
			t.Errorf("app.js says %s", word)
		}
	}
	if len(js) > 4096 {
		t.Errorf("app.js has %d bytes", len(js))
	}
}
