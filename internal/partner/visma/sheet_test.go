package visma

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door/doortest"
	"portico/internal/portal"
)

const (
	sheetBefore = `name | Boligfoto
description | Bilder av hele boligen.
support | support@nordlys.example
url | https://portal.example/callback/boligfoto?caseId=<CASE_ID>&token=<ACCESS_TOKEN>&StreamOrderId=<ORDER_ID>` +
		`&tenantId=<TENANT_ID>&flowUrl=<FLOW_URL>&customerName=<CUSTOMER_NAME> # sheet.url_fields
ping | https://portal.example/ping
`
	verifyMethod = ` | POST /flow/api/MarketingIntegrators/VerifyToken(sheet.method_token)`
	orderMethods = ` | PATCH /flow/api/marketingintegrators/orders/{orderId}(sheet.method_show)` +
		` | POST /flow/api/marketingintegrators/orders/{orderId}/updatestate(sheet.method_status)`
	caseMethods = ` | POST /flow/api/Search/AdvancedPropertySearch(sheet.method_case)`
	fileMethods = ` | GET /flow/api/Cases/{caseId}/Directory[/{folderId}](sheet.method_folders)` +
		` | POST /flow/api/Cases/{caseId}/Directory/{folderId}/File/(sheet.method_files)`
	createMethod = ` | POST /flow/api/MarketingIntegrators/Cases/{caseId}/CreateOrderAsIntegrator(sheet.method_create)` + "\n"
)

func TestSheet(t *testing.T) {
	t.Parallel()
	const oauth = `, "callback": {"client_id": "core-client", "client_secret": "anropets-hemlighet-1"}`
	service := portal.Service{ID: "boligfoto", Flow: portal.FlowPage, Auth: portal.AuthToken,
		Name: portal.Text{"nb": "Boligfoto", "sv": "Bostadsfoto"}, Description: portal.Text{"nb": "Bilder av hele boligen."}}
	provider := portal.Provider{Name: "Nordlys", SupportEmail: "support@nordlys.example", Locale: "nb"}
	for name, c := range map[string]struct{ settings, want string }{
		"FlowToken": {``, `auth | FlowToken
methods` + verifyMethod + orderMethods + caseMethods + createMethod},
		"files": {`, "files": {"folder": "Bilder"}`, `auth | FlowToken
methods` + verifyMethod + orderMethods + caseMethods + fileMethods + createMethod},
		"OAuthSimplified": {`, "auth_type": "oauth_simplified"` + oauth, `auth | OAuthSimplified
auth_url | https://portal.example/oauth/core/token
client | secret
methods` + orderMethods + caseMethods + createMethod},
		"OAuth": {`, "auth_type": "oauth"` + oauth, `auth | OAuth
auth_url | https://portal.example/oauth/core/token
client | secret
methods` + orderMethods + caseMethods + createMethod},
		"Basic": {`, "auth_type": "basic", "callback": {"username": "core-client", "password": "anropets-hemlighet-1"}`, `auth | Basic authentication
login | secret
methods` + orderMethods + caseMethods + createMethod},
		"nothing is told": {`, "status_map": {"received": "", "active": "", "waiting": "", "delivered": "", "failed": "", "cancelled": ""}`, `auth | FlowToken
methods` + verifyMethod + caseMethods + createMethod},
	} {
		connection := sheetConnection(t, c.settings)
		sheet, err := Sheet(connection, service, "https://portal.example", provider)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text := doortest.SheetText(sheet)
		if diff := cmp.Diff(sheetBefore+c.want, text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for _, secret := range []string{"hemlig", "core-client", loginHash("core-client", "anropets-hemlighet-1")} {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %s is in it: %s", name, secret, text)
			}
		}
	}
	if _, err := Sheet(portal.Connection{Settings: []byte(`[]`)}, service, "", provider); err == nil {
		t.Error("settings that cannot be read make a sheet")
	}
}

// TestSheetNamesFieldsAsWeReadThem: an opening is read from the address of the
// sheet as soon as Core has filled it in.
func TestSheetNamesFieldsAsWeReadThem(t *testing.T) {
	t.Parallel()
	const guid = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
	for _, settings := range []string{``, `, "query": {"case": "$CaseId", "order": "OrderId", "flow_url": "base"}`} {
		connection := sheetConnection(t, settings)
		sheet, err := Sheet(connection, portal.Service{ID: "boligfoto"}, "https://portal.example", portal.Provider{})
		if err != nil {
			t.Fatal(err)
		}
		filled := strings.NewReplacer("<CASE_ID>", "66115", "<ACCESS_TOKEN>", "token-1", "<ORDER_ID>", guid, "<TENANT_ID>", "14",
			"<FLOW_URL>", "https%3A%2F%2Fintegration.webtopsolutions.com%2Fflow%2F", "<CUSTOMER_NAME>", "Nordlys").Replace(doortest.SheetText(sheet))
		var address *url.URL
		for line := range strings.Lines(filled) {
			if raw, ok := strings.CutPrefix(line, "url | "); ok {
				raw, _, _ = strings.Cut(raw, " # ")
				if address, err = url.Parse(raw); err != nil {
					t.Fatal(err)
				}
			}
		}
		c := &Client{config: defaults()}
		if err := json.Unmarshal(connection.Settings, &c.config); err != nil {
			t.Fatal(err)
		}
		got, err := c.opening(address.Query())
		want := opening{tenant: "14", order: guid, caseID: "66115", token: "token-1", customer: "Nordlys"}
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", address, got, err)
		}
	}
}

func sheetConnection(t *testing.T, settings string) portal.Connection {
	t.Helper()
	c, faults := Configure(json.RawMessage(`{"id": "core", "system": "visma", "tenants": [{"id": "14",
		"base_url": "https://integration.webtopsolutions.com", "client_id": "demo", "client_secret": "api-hemlighet"}]` + settings + `}`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return c
}
