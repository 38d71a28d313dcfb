package vitec

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

const minimal = `"id": "vitec", "system": "vitec", "credentials": [{"customer": "*", "username": "partner", "password": "hemligt"}]`

func TestConfigureDefaults(t *testing.T) {
	t.Parallel()
	got, faults := Configure(json.RawMessage(`{` + minimal + `}`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := portal.Connection{ID: "vitec", System: "vitec", InteractionLink: portal.LinkSigned,
		Reports:     []portal.State{portal.Received, portal.Waiting, portal.Delivered, portal.Failed, portal.Cancelled},
		Credentials: []portal.Credential{{Customer: "*", Username: "partner", Password: "hemligt"}},
		Settings: []byte(`{"base_url":"https://connect.maklare.vitec.net",` +
			`"set_status":{"method":"PUT","path":"/Service/Order/Status/{customerId}","body":{"id":"{orderId}","status":"{status}","comment":"{comment}"}},` +
			`"status_map":{"active":"","cancelled":"Error","delivered":"Delivered","failed":"Error","received":"OrderReceived"},` +
			`"list_query":{"target_id":"TargetId","created_min":"MinValue","created_max":"MaxValue","status":"Status"},` +
			`"rate":{"concurrent":4,"per_second":10}}`)}
	if diff := cmp.Diff(want, got, cmp.Transformer("text", func(b []byte) string { return string(b) })); diff != "" {
		t.Error(diff)
	}
}

func TestConfigureEverything(t *testing.T) {
	t.Parallel()
	got, faults := Configure(json.RawMessage(`{"id": "v-1", "system": "vitec", "base_url": "http://127.0.0.1:8090/connect/",
		"credentials": [{"customer": "M1", "username": "a", "password": "hemligt"}, {"customer": "*", "username": "a", "password": "annat"}],
		"set_status": {"method": "POST", "path": "/x/{orderId}", "body": {"zebra": "{status}", "apa": 1}},
		"status_map": {"received": "", "active": "Påbörjad"},
		"list_query": {"created_min": "criteria.createdAt.minValue"},
		"rate": {"concurrent": 1, "per_second": 0.5}, "interaction_link": "callback",
		"lead_sources": [{"id": "17", "name": "Tips"}], "assignment_sources": [{"id": "3", "name": "Webb"}], "lead_retention_days": 30}`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if strings.Contains(string(got.Settings), "hemligt") || strings.Contains(string(got.Settings), "annat") {
		t.Error("a password is in the settings")
	}
	if got.InteractionLink != portal.LinkCallback || got.Reports[0] != portal.Active || len(got.Credentials) != 2 {
		t.Errorf("%+v", got)
	}
	c, err := New(got, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := c.Preview(message(portal.Active, "7", "x")); got != "POST /x/7\n"+`{"zebra":"Påbörjad","apa":1}` {
		t.Errorf("preview %s", got)
	}
	if c.config.BaseURL != "http://127.0.0.1:8090/connect" || c.config.ListQuery.TargetID != "TargetId" ||
		c.config.LeadSources[0].Name != "Tips" || c.config.AssignmentSources[0].ID != "3" || c.config.LeadRetentionDays != 30 {
		t.Errorf("settings %+v", c.config)
	}
}

func TestConfigureFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		raw  string
		want []string // paths, in order
	}{
		"no object":         {`[]`, []string{""}},
		"empty":             {`{}`, []string{"id", "system", "credentials"}},
		"null":              {`{"id": null, "system": "visma", "credentials": null}`, []string{"id", "system", "credentials"}},
		"wrong types":       {`{"id": 7, "system": true, "credentials": {}, "rate": [], "interaction_link": 1}`, []string{"id", "system", "interaction_link", "credentials", "rate"}},
		"id":                {`{"id": "a b", "system": "vitec", "credentials": [{"customer": "*", "username": "u", "password": "p"}]}`, []string{"id"}},
		"unknown keys":      {`{` + minimal + `, "zeta": 1, "Base_url": "x", "rate": {"burst": 1}}`, []string{"rate.burst", "Base_url", "zeta"}},
		"empty credentials": {`{"id": "v", "system": "vitec", "credentials": []}`, []string{"credentials"}},
		"credentials": {`{"id": "v", "system": "vitec", "credentials": [
			{"customer": "M1", "username": "u"}, "x", {"customer": "M/1", "username": "a:b", "password": "p", "note": ""},
			{"customer": "M1", "username": "u", "password": "a\nb"}]}`,
			[]string{"credentials[1]", "credentials[0].password", "credentials[2].customer", "credentials[2].username", "credentials[2].note", "credentials[3].password", "credentials[3].customer"}},
		"plain http":     {`{` + minimal + `, "base_url": "http://connect.example"}`, []string{"base_url"}},
		"not quite here": {`{` + minimal + `, "base_url": "http://127.0.0.1.example"}`, []string{"base_url"}},
		"other scheme":   {`{` + minimal + `, "base_url": "ftp://localhost"}`, []string{"base_url"}},
		"no host":        {`{` + minimal + `, "base_url": "https://:443"}`, []string{"base_url"}},
		"user in URL":    {`{` + minimal + `, "base_url": "https://u:p@connect.example"}`, []string{"base_url"}},
		"query in URL":   {`{` + minimal + `, "base_url": "https://connect.example?x"}`, []string{"base_url"}},
		"set_status": {`{` + minimal + `, "set_status": {"method": "GET", "path": "x/{comment}/{order}?a=b", "body": {"{orderId}": "{OrderId}", "n": ["{foo}"]}}}`,
			[]string{"set_status.method", "set_status.path", "set_status.path", "set_status.path", "set_status.path", "set_status.body", "set_status.body", "set_status.body", "set_status.body"}},
		"no order":    {`{` + minimal + `, "set_status": {"body": {"status": "{status}"}}}`, []string{"set_status.body"}},
		"body a list": {`{` + minimal + `, "set_status": {"body": ["{status}", "{orderId}"]}}`, []string{"set_status.body"}},
		"body a text": {`{` + minimal + `, "set_status": {"body": "{status} {orderId}"}}`, []string{"set_status.body"}},
		"status_map": {`{` + minimal + `, "status_map": {"waiting": "X", "draft": "X", "failed": "a b", "active": 1}}`,
			[]string{"status_map.waiting", "status_map.active", "status_map.failed", "status_map.draft"}},
		"list_query":  {`{` + minimal + `, "list_query": {"target_id": "", "status": "a&b", "created_max": "MinValue"}}`, []string{"list_query.target_id", "list_query.created_max", "list_query.status"}},
		"rate":        {`{` + minimal + `, "rate": {"concurrent": 0, "per_second": -1}}`, []string{"rate.concurrent", "rate.per_second"}},
		"half a call": {`{` + minimal + `, "rate": {"concurrent": 1.5, "per_second": "10"}}`, []string{"rate.concurrent", "rate.per_second"}},
		"link":        {`{` + minimal + `, "interaction_link": "none"}`, []string{"interaction_link"}},
		"sources": {`{` + minimal + `, "lead_sources": [{"id": 17, "name": "a"}, {"id": "1"}, {"id": "1", "name": "b"}], "assignment_sources": {}, "lead_retention_days": 0}`,
			[]string{"lead_sources[0].id", "lead_sources[1].name", "lead_sources[2].id", "assignment_sources", "lead_retention_days"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, faults := Configure(json.RawMessage(tt.raw))
			var got []string
			for _, f := range faults {
				got = append(got, f.Path)
				if f.Text == "" {
					t.Errorf("%s: no text", f.Path)
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

func TestFaultsHoldNoSecret(t *testing.T) {
	t.Parallel()
	_, faults := Configure(json.RawMessage(`{"id": "v", "system": "vitec", "base_url": "https://u:hemligt@x",
		"credentials": [{"customer": "hem ligt", "username": "u", "password": "hemligt\u0001"}]}`))
	for _, f := range faults {
		if strings.Contains(f.Text, "hemligt") {
			t.Errorf("%+v", f)
		}
	}
}
