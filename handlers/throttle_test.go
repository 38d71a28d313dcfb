package handlers_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestClientAddress: whose tries are counted cannot be chosen by who tries. Only
// a proxy beside us is believed, and only about who spoke to it.
func TestClientAddress(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	for name, test := range map[string]struct {
		peer      string
		forwarded func(n int) []string
		counted   bool
	}{
		"a proxy of ours":               {"10.0.0.7:1", func(n int) []string { return []string{fmt.Sprintf("198.51.100.%d", n)} }, false},
		"a visitor who makes it up":     {"203.0.113.9:1", func(n int) []string { return []string{fmt.Sprintf("198.51.100.%d", n)} }, true},
		"behind a proxy, made up":       {"10.0.0.7:1", func(n int) []string { return []string{fmt.Sprintf("198.51.100.%d, 203.0.113.1", n)} }, true},
		"made up, in a line of its own": {"127.0.0.1:1", func(n int) []string { return []string{fmt.Sprintf("198.51.100.%d", n), "203.0.113.2"} }, true},
		"a proxy that says nothing":     {"[fd00::1]:1", func(int) []string { return nil }, true},
		"a proxy that says nonsense":    {"192.168.1.1:1", func(n int) []string { return []string{fmt.Sprintf("nobody-%d", n)} }, true},
	} {
		counted := false
		for n := range 40 {
			r := httptest.NewRequest(http.MethodGet, "/visit/guess", nil)
			r.RemoteAddr, r.Header["X-Forwarded-For"] = test.peer, test.forwarded(n)
			w := httptest.NewRecorder()
			b.web.Config.Handler.ServeHTTP(w, r)
			counted = counted || w.Code == http.StatusTooManyRequests
		}
		if counted != test.counted {
			t.Errorf("%s: counted together %t, want %t", name, counted, test.counted)
		}
	}
}
