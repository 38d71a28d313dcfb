package handlers_test

import (
	"net/http"
	"testing"

	"portico/internal/portal"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	br := b.browser()
	for _, path := range []string{"/healthz", "/readyz", "/ping"} {
		if a := br.get(path).want(http.StatusOK); a.body != "ok\n" {
			t.Errorf("GET %s: %q", path, a.body)
		}
		br.do(http.MethodHead, path, "", nil).want(http.StatusOK)
	}
	b.check(b.store.Close())
	br.get("/readyz").want(http.StatusServiceUnavailable).hasNot("sql")
	br.get("/healthz").want(http.StatusOK)
	br.get("/ping").want(http.StatusOK)
}

// TestOldSchemaIsNotReady: a portal does not serve a schema of another version.
func TestOldSchemaIsNotReady(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, err := b.raw.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`)
	b.check(err)
	b.browser().get("/readyz").want(http.StatusServiceUnavailable)
}

// TestHomePage leads staff in and brokers back, and shows no orders.
func TestHomePage(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.work()
	a := b.browser().get("/").want(http.StatusOK).hasNot("M30011", "OBJ30011")
	if got, want := a.text("h1"), say("sv", portal.Say("home.title", "Provider", testProvider.Name)); got != want {
		t.Errorf("heading %q", got)
	}
	if a.page().Find(`main a[href="/staff/orders"]`).Length() != 1 {
		t.Error("no way in for staff")
	}
}
