package tjansteguiden

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"portico/internal/portal"
)

// onAPI is a network that accepts each order and knows the number of one.
func onAPI(t *testing.T, username string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != username || password != "hemligt" {
			t.Errorf("%s %s as %q", r.Method, r.URL.Path, user)
		}
		order := map[string]any{"orderId": "N1", "state": "IN_PROGRESS"}
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodPost {
			if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
				t.Error(err)
			}
			if text := fmt.Sprint(order); !strings.Contains(text, "spReference:2026-000117") {
				t.Errorf("asked for %s", text)
			}
			order["orderId"], order["state"] = "N1", "RECEIVED"
			w.WriteHeader(http.StatusCreated)
		}
		raw, err := json.Marshal(order)
		if err != nil {
			t.Error(err)
		}
		w.Write(raw) // the caller may have gone
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	g := start(t, "tl")
	short, long := onAPI(t, "short"), onAPI(t, "long")
	c := g.client(fmt.Sprintf(`"on_api":[{"prefix":"k","base_url":%q,"username":"short","password":"hemligt"},{"prefix":"Kc","base_url":%q,"username":"long","password":"hemligt"}],`, short, long))
	for access, want := range map[string]string{"KC0101A06": "on_api/KC", "kc0101A06": "on_api/KC", "KA1": "on_api/K", "AB1": "", "": ""} {
		if got, ok := c.NetworkOf(access); got != want || ok != (want != "") {
			t.Errorf("%s: %s", access, got)
		}
		m := g.message(portal.Active, "")
		m.Target.ID = access
		m.Activation = &portal.ActivationRequest{ID: 1, Operation: portal.Activate, Service: "AB100100"}
		receipt, err := c.Report(t.Context(), m)
		preview, ok := c.Preview(m)
		looked, lookErr := c.Look(t.Context(), portal.Activation{AccessID: access, ActivationAnswer: portal.ActivationAnswer{NetworkID: "N1"}})
		if want == "" {
			if portal.OutcomeOf(err) != portal.OutcomeRefused || portal.OutcomeOf(lookErr) != portal.OutcomeRefused || ok {
				t.Errorf("%s: %v, %v, %q", access, err, lookErr, preview)
			}
			continue
		}
		if err != nil || receipt.Activation == nil || receipt.Activation.NetworkID != "N1" || receipt.Activation.State != portal.ActivationAccepted {
			t.Errorf("%s: %+v, %v", access, receipt, err)
		}
		if lookErr != nil || looked.State != portal.ActivationInProgress || !strings.Contains(preview, access) || strings.Contains(preview, "hemligt") {
			t.Errorf("%s: %+v, %v, %q", access, looked, lookErr, preview)
		}
	}
	if calls := g.made(); len(calls) > 0 {
		t.Errorf("%v", calls)
	}
}
