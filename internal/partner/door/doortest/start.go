package doortest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"time"
	_ "time/tzdata" // for Zone, also where no zones are installed
)

// T is the part of testing.TB that this package needs; the demo has a fake, and
// no tests.
type T interface {
	Helper()
	Cleanup(func())
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Start serves a fake on a port of its own until the test ends, and returns its address.
func Start(t T, fake http.Handler) string {
	t.Helper()
	web := httptest.NewServer(fake)
	t.Cleanup(web.Close)
	return web.URL
}

// Answer returns a partner that always says the same. An empty type is none.
func Answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		io.WriteString(w, body) // the caller may have gone
	}
}

// Send makes a call on a connection of its own. The status is 0 if that broke.
func Send(req *http.Request) (status int, body string, header http.Header) {
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return 0, "", nil
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, "", nil
	}
	return resp.StatusCode, string(answer), resp.Header
}

// Zone returns the time zone of a fake by its name. It panics if there is none.
func Zone(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return zone
}
