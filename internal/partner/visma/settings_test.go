package visma

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

const (
	minimal  = `"id": "core", "system": "visma", "tenants": [` + tenant14 + `]`
	tenant14 = `{"id": "14", "base_url": "https://Integration.webtopsolutions.com/flow/", "client_id": "demo", "client_secret": "hemmelig"}`
)

func TestConfigureDefaults(t *testing.T) {
	t.Parallel()
	got, faults := Configure(json.RawMessage(`{` + minimal + `}`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	settings := string(got.Settings)
	got.Settings = nil
	want := portal.Connection{ID: "core", System: "visma", InteractionLink: portal.LinkCallback,
		Reports:     []portal.State{portal.Received, portal.Active, portal.Waiting, portal.Delivered, portal.Failed, portal.Cancelled},
		Credentials: []portal.Credential{{Customer: "14", Username: "demo", Password: "hemmelig"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, part := range []string{
		`"auth_type":"flow_token","tenants":[{"id":"14","base_url":"https://integration.webtopsolutions.com"}],`,
		`"query":{"case":"caseId","token":"token","order":"StreamOrderId","tenant":"tenantId","flow_url":"flowUrl","customer_name":"customerName"},`,
		`"metadata":["order_number","package","price","day","link"],"language":"nb",`,
		`"status_map":{"active":"InProcess","cancelled":"Cancelled","delivered":"Completed","failed":"Error","policy_activated":"Activated",` +
			`"policy_issued":"Created","received":"InProcess","waiting":"MissingInfo"}`,
	} {
		if !strings.Contains(settings, part) {
			t.Errorf("no %s in %s", part, settings)
		}
	}
	if strings.Contains(settings, "hemmelig") {
		t.Error("a secret is in the settings")
	}
}

func TestConfigureEverything(t *testing.T) {
	t.Parallel()
	got, faults := Configure(json.RawMessage(`{"id": "c-1", "system": "visma", "auth_type": "basic",
		"callback": {"username": "core", "password": "0123456789abcdef"},
		"tenants": [` + tenant14 + `, {"id": "t_2", "base_url": "http://127.0.0.1:8090/core/2", "client_id": "a", "client_secret": "b"}],
		"query": {"case": "$CaseId", "token": "t"}, "metadata": ["link", "price"], "language": "sv",
		"status_map": {"received": "", "delivered": "Activated"}, "status_text": {"delivered": {"sv": "Klart: {comment}"}},
		"action_text": {"waiting": {"nb": "Svar"}}, "status_length": 20, "case_field": "CaseId",
		"files": {"folder": "Foto", "image_tags": [7, "a"], "document_tags": []}, "rate": {"concurrent": 2, "per_second": 5}}`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	c, err := New(got, Options{Tokens: newMemory()})
	if err != nil {
		t.Fatal(err)
	}
	m := portal.Message{Customer: "t_2", PartnerOrderID: "x", State: portal.Delivered, Comment: "en lång berättelse", Title: "Foto"}
	want := "PATCH /flow/api/marketingintegrators/orders/x\n" + `{"Title":"Foto","ActionText":"Visa leveransen","Metadata":[]}` +
		"\n\nPOST /flow/api/marketingintegrators/orders/x/updatestate\n" + `{"Status":"Klart: en lång berä…","State":"Activated"}`
	if got, _ := c.Preview(m); got != want {
		t.Errorf("preview %s", got)
	}
	if got.Reports[0] != portal.Active || !got.TakesFiles || c.config.Query.Case != "$CaseId" || c.config.Query.Order != "StreamOrderId" ||
		string(c.config.Files.ImageTags[0]) != "7" || !c.Delivers() || len(c.config.CallbackHash) != 64 || c.config.CaseField != "CaseId" {
		t.Errorf("%+v", c.config)
	}
}

func TestConfigureFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		raw  string
		want []string // paths, in order
	}{
		"no object":   {`[]`, []string{""}},
		"empty":       {`{}`, []string{"id", "system", "tenants"}},
		"system":      {`{"id": "core", "system": "vitec", "tenants": [` + tenant14 + `]}`, []string{"system"}},
		"wrong types": {`{"id": 7, "system": true, "tenants": {}, "query": [], "metadata": "x", "rate": 1}`, []string{"id", "system", "tenants", "query", "metadata", "rate"}},
		"unknown": {`{` + minimal + `, "zeta": 1, "interaction_link": "signed", "query": {"x": "y"}, "rate": {"burst": 1}, "files": {"a": 1}}`,
			[]string{"query.x", "files.a", "rate.burst", "interaction_link", "zeta"}},
		"auth_type":            {`{` + minimal + `, "auth_type": "saml"}`, []string{"auth_type", "callback"}},
		"callback is missing":  {`{` + minimal + `, "auth_type": "oauth"}`, []string{"callback"}},
		"callback is too much": {`{` + minimal + `, "callback": {"client_id": "a", "client_secret": "b"}}`, []string{"callback"}},
		"callback": {`{` + minimal + `, "auth_type": "basic", "callback": {"username": "a:b", "password": "short", "client_id": "x"}}`,
			[]string{"callback.username", "callback.password", "callback.client_id"}},
		"tenants": {`{"id": "core", "system": "visma", "tenants": [{"id": "1/4", "base_url": "http://core.example", "client_id": "a", "client_secret": "b\nc"},
			{"id": "2"}, {"id": "2", "base_url": "https://x", "client_id": "a", "client_secret": "b", "secret": 1}]}`,
			[]string{"tenants[0].id", "tenants[0].base_url", "tenants[0].client_secret", "tenants[1].base_url", "tenants[1].client_id", "tenants[1].client_secret",
				"tenants[2].id", "tenants[2].secret"}},
		"query":    {`{` + minimal + `, "query": {"case": "a&b", "token": "", "order": "caseX", "tenant": "caseX"}}`, []string{"query.case", "query.token", "query.tenant"}},
		"metadata": {`{` + minimal + `, "metadata": ["link", "seller", "link"]}`, []string{"metadata", "metadata"}},
		"status_map": {`{` + minimal + `, "status_map": {"draft": "InProcess", "failed": "Broken", "received": "CreatedNotSent", "active": 2}}`,
			[]string{"status_map.received", "status_map.active", "status_map.failed", "status_map.draft"}},
		"texts": {`{` + minimal + `, "status_text": {"failed": {}, "draft": {"nb": "x"}, "active": {"da": "x"}}, "action_text": {"received": "x"}}`,
			[]string{"status_text.active.da", "status_text.active", "status_text.failed", "status_text.draft", "action_text.received", "action_text.received"}},
		"numbers": {`{` + minimal + `, "status_length": 5, "case_field": "id", "language": "da"}`, []string{"language", "status_length", "case_field"}},
		"files":   {`{` + minimal + `, "files": {"folder": 1, "image_tags": [{}], "document_tags": "x"}}`, []string{"files.folder", "files.image_tags", "files.document_tags"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, faults := Configure(json.RawMessage(tt.raw))
			var got []string
			for _, f := range faults {
				got = append(got, f.Path)
				if f.Text == "" || strings.Contains(f.Text, "hemmelig") {
					t.Errorf("%+v", f)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n%v", diff, faults)
			}
			if conn.ID != "" {
				t.Errorf("a connection in spite of faults: %+v", conn)
			}
		})
	}
}

func TestHome(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://A.webtopsolutions.com/flow":   "https://a.webtopsolutions.com",
		"https://a.webtopsolutions.com/FLOW//": "https://a.webtopsolutions.com",
		"https://a.webtopsolutions.com":        "https://a.webtopsolutions.com",
		"https://a.example/x/flow/":            "https://a.example/x",
		"https://a.example/workflow":           "https://a.example/workflow",
		"https://a.example:8443/":              "https://a.example:8443",
		"https://a@b.example":                  "",
		"https://b.example?x":                  "",
		"b.example":                            "",
		"":                                     "",
	} {
		if got := home(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
