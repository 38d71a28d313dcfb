package vitec

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"portico/internal/portal"
)

// Sheet returns what Vitec asks for when a service is listed in Express. The
// connection needs no credentials. It refuses settings that it cannot read.
//
// https://connect.maklare.vitec.net/Help/Services
func Sheet(c portal.Connection, s portal.Service, baseURL string, provider portal.Provider) (portal.Sheet, error) {
	settings := defaults()
	if err := json.Unmarshal(c.Settings, &settings); err != nil {
		return nil, fmt.Errorf("settings of connection %s: %w", c.ID, err)
	}
	wishes := portal.Verbatim(strings.Join(s.Customers, ", "))
	if len(s.Customers) == 0 {
		wishes = portal.Worded("sheet.any_office")
	}
	sheet := portal.Sheet{
		{Key: "sheet.partner", Values: portal.Verbatim(provider.Name), Note: "sheet.partner_note"},
		{Key: "sheet.name", Values: portal.Verbatim(s.Name.In(provider.Locale))},
		{Key: "sheet.description", Values: portal.Verbatim(s.Description.In(provider.Locale))},
	}
	sheet = append(sheet, callLines(s, baseURL+"/callback/"+s.ID)...)
	return append(sheet,
		portal.SheetLine{Key: "sheet.tags", Values: portal.Verbatim(strings.Join(s.Tags, ", "))},
		portal.SheetLine{Key: "sheet.offices", Values: wishes},
		portal.SheetLine{Key: "sheet.methods", Values: settings.methods(s), Note: "sheet.methods_note"}), nil
}

// callLines say how Express is to call us when somebody orders.
func callLines(s portal.Service, address string) portal.Sheet {
	url := portal.SheetLine{Key: "sheet.url", Values: portal.Verbatim(address)}
	flow := portal.SheetLine{Key: "sheet.flow", Values: portal.Worded("flow." + string(s.Flow))}
	auth := portal.SheetLine{Key: "sheet.auth", Values: portal.Worded("auth." + string(s.Auth))}
	switch s.Auth {
	case portal.AuthBasic:
		return portal.Sheet{url, flow, auth,
			{Key: "sheet.username", Values: portal.Verbatim(s.Username)},
			{Key: "sheet.password", Secret: true}}
	case portal.AuthNone:
		url.Values, url.Note = portal.Verbatim(address+"/{secret}"), "sheet.url_secret"
	}
	return portal.Sheet{url, flow, auth}
}

// methods lists what of Connect a service needs: rights are given by groups of
// methods.
func (c config) methods(s portal.Service) []portal.SheetValue {
	var all []portal.SheetValue
	if s.Auth == portal.AuthToken {
		all = append(all, portal.SheetValue{Text: http.MethodPost + " /Service/Order/Token/{customerId}", Word: "sheet.method_token"})
	}
	if c.setsStatus() {
		all = append(all, portal.SheetValue{Text: c.SetStatus.Method + " " + c.SetStatus.Path, Word: "sheet.method_status"})
	}
	return append(all,
		portal.SheetValue{Text: http.MethodPut + " /Service/Order/UserInteraction/{customerId}", Word: "sheet.method_interaction"},
		portal.SheetValue{Text: http.MethodGet + " /Service/Order/{customerId}", Word: "sheet.method_list"})
}

// setsStatus reports whether Connect is told of any state by its status.
func (c config) setsStatus() bool {
	for _, status := range c.StatusMap {
		if status != "" {
			return true
		}
	}
	return false
}
