package visma

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"portico/internal/portal"
)

// authNames are what Visma calls the authentication types.
var authNames = map[string]string{authFlowToken: "FlowToken", authOAuthSimplified: "OAuthSimplified", authOAuth: "OAuth",
	authBasic: "Basic authentication"}

// Sheet returns what Visma asks for when a marketing integrator is set up. The
// connection needs no credentials. It refuses settings that it cannot read.
//
// https://visma-real-estate-solutions.github.io/core-documentation/docs/marketing-integrator/setup.html
func Sheet(c portal.Connection, s portal.Service, baseURL string, provider portal.Provider) (portal.Sheet, error) {
	settings := defaults()
	settings.StatusMap = nil
	if err := json.Unmarshal(c.Settings, &settings); err != nil {
		return nil, fmt.Errorf("settings of connection %s: %w", c.ID, err)
	}
	address := baseURL + "/callback/" + s.ID
	sheet := portal.Sheet{
		{Key: "sheet.name", Values: portal.Verbatim(s.Name.In(provider.Locale))},
		{Key: "sheet.description", Values: portal.Verbatim(s.Description.In(provider.Locale))},
		{Key: "sheet.support", Values: portal.Verbatim(provider.SupportEmail)},
		{Key: "sheet.url", Values: portal.Verbatim(address + settings.Query.mergeFields()), Note: "sheet.url_fields"},
		{Key: "sheet.ping", Values: portal.Verbatim(baseURL + "/ping")},
		{Key: "sheet.auth", Values: portal.Verbatim(authNames[settings.AuthType])},
	}
	sheet = append(sheet, settings.loginLines(baseURL+"/oauth/"+c.ID+"/token")...)
	return append(sheet, portal.SheetLine{Key: "sheet.methods", Values: settings.methods()}), nil
}

// mergeFields returns the query of the address that is registered: Core puts
// something in the place of each field. How a field is marked was lost from the
// page; <CASE_ID> is a guess.
func (q queryNames) mergeFields() string {
	query := ""
	for _, f := range []struct{ name, field string }{{q.Case, "CASE_ID"}, {q.Token, "ACCESS_TOKEN"}, {q.Order, "ORDER_ID"},
		{q.Tenant, "TENANT_ID"}, {q.FlowURL, "FLOW_URL"}, {q.CustomerName, "CUSTOMER_NAME"}} {
		query += "&" + url.QueryEscape(f.name) + "=<" + f.field + ">"
	}
	return "?" + query[1:]
}

// loginLines are what Core is to show us. Nothing but a hash of it is kept.
func (c config) loginLines(tokenAddress string) portal.Sheet {
	switch c.AuthType {
	case authOAuth, authOAuthSimplified:
		return portal.Sheet{{Key: "sheet.auth_url", Values: portal.Verbatim(tokenAddress)}, {Key: "sheet.client", Secret: true}}
	case authBasic:
		return portal.Sheet{{Key: "sheet.login", Secret: true}}
	}
	return nil
}

// methods lists what the API user needs: Visma gives permissions by it.
func (c config) methods() []portal.SheetValue {
	const order = api + "marketingintegrators/orders/{orderId}"
	var all []portal.SheetValue
	add := func(method, path, what string) {
		all = append(all, portal.SheetValue{Text: method + " " + path, Word: what})
	}
	if c.AuthType == authFlowToken {
		add(http.MethodPost, api+"MarketingIntegrators/VerifyToken", "sheet.method_token")
	}
	if len(c.reports()) > 0 {
		add(http.MethodPatch, order, "sheet.method_show")
		add(http.MethodPost, order+"/updatestate", "sheet.method_status")
	}
	add(http.MethodPost, api+"Search/AdvancedPropertySearch", "sheet.method_case")
	if c.Files.Folder != "" {
		const directory = api + "Cases/{caseId}/Directory"
		add(http.MethodGet, directory+"[/{folderId}]", "sheet.method_folders")
		add(http.MethodPost, directory+"/{folderId}/File/", "sheet.method_files")
	}
	add(http.MethodPost, api+"MarketingIntegrators/Cases/{caseId}/CreateOrderAsIntegrator", "sheet.method_create")
	return all
}
