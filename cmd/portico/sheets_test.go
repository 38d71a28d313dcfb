package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"portico/db"
)

// TestSheetOfService: a sheet needs none of the secret keys that credentials
// are sealed with.
func TestSheetOfService(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	keyless, err := db.Open(t.Context(), w.env[databaseURL], nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keyless.Close() })
	p := webPartners{newPartners(keyless, w.partners.log), "https://portal.example"}
	svc, err := keyless.Service(t.Context(), "foto")
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := p.Sheet(t.Context(), svc)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, line := range sheet {
		if len(line.Values) > 0 {
			values[line.Key] = line.Values[0].Text
		}
	}
	for key, want := range map[string]string{"sheet.partner": "Nordljus", "sheet.name": "Foto", "sheet.url": "https://portal.example/callback/foto"} {
		if values[key] != want {
			t.Errorf("%s is %q, want %q", key, values[key], want)
		}
	}
	svc.System = "fetched"
	if sheet, err := p.Sheet(t.Context(), svc); err != nil || sheet != nil {
		t.Errorf("a system that registers nothing: %v, %v", sheet, err)
	}
	for name, system := range systems {
		if _, ok := sheets[name]; ok == system.Polls {
			t.Errorf("%s: polls %t, has a sheet %t", name, system.Polls, ok)
		}
	}
}

const registeredFile = `provider: {name: Nordlys, support_email: s@n.example, locale: nb, time_zone: Europe/Oslo}
connections:
  - id: core
    system: visma
    auth_type: oauth_simplified
    callback: {client_id: core-client, client_secret: anropets-hemlighet-1}
    tenants: [{id: "14", base_url: https://core.example, client_id: demo, client_secret: api-hemlighet}]
services:
  - {id: boligfoto, connection: core, flow: page, auth: token, name: {nb: Boligfoto}}
`

// TestSheetsAddressesAreOurs: whatever address of ours is registered, something
// answers there.
func TestSheetsAddressesAreOurs(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	if r := portico(t, env, registeredFile, "apply", "-"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	c, err := readConfig(env.lookup)
	if err != nil {
		t.Fatal(err)
	}
	store, log := open(t, env), slog.New(slog.DiscardHandler)
	p := newPartners(store, log)
	server, err := newServer(c, store, p, nil, log)
	if err != nil {
		t.Fatal(err)
	}
	svc, err := store.Service(t.Context(), "boligfoto")
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := webPartners{p, c.BaseURL}.Sheet(t.Context(), svc)
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]struct {
		method, body string
		want         int
	}{
		"sheet.url":      {http.MethodGet, "", http.StatusForbidden}, // nobody has filled it in
		"sheet.ping":     {http.MethodHead, "", http.StatusOK},
		"sheet.auth_url": {http.MethodPost, `{"client_id": "core-client", "client_secret": "anropets-hemlighet-1"}`, http.StatusOK},
	}
	for _, line := range sheet {
		if how, ok := left[line.Key]; ok {
			delete(left, line.Key)
			w, r := httptest.NewRecorder(), httptest.NewRequest(how.method, line.Values[0].Text, strings.NewReader(how.body))
			r.Header.Set("Content-Type", "application/json")
			if server.ServeHTTP(w, r); w.Code != how.want {
				t.Errorf("%s %s: status %d, want %d", line.Key, line.Values[0].Text, w.Code, how.want)
			}
		}
	}
	if len(left) > 0 {
		t.Errorf("not on the sheet: %v", left)
	}
}
