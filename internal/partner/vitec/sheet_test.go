package vitec

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door/doortest"
	"portico/internal/portal"
)

const (
	sheetBefore = `partner | Nordljus Foto AB # sheet.partner_note
name | Fotografering
description | Bilder av hela bostaden.
`
	sheetAfter = `methods%s | PUT /Service/Order/Status/{customerId}(sheet.method_status) | ` +
		`PUT /Service/Order/UserInteraction/{customerId}(sheet.method_interaction) | ` +
		`GET /Service/Order/{customerId}(sheet.method_list) # sheet.methods_note
`
	exchange = ` | POST /Service/Order/Token/{customerId}(sheet.method_token)`
)

func TestSheet(t *testing.T) {
	t.Parallel()
	service := portal.Service{ID: "foto", Flow: portal.FlowPage, Auth: portal.AuthToken, Name: portal.Text{"sv": "Fotografering", "en": "Photography"},
		Description: portal.Text{"sv": "Bilder av hela bostaden."}, Tags: []string{"foto", "bilder"}}
	provider := portal.Provider{Name: "Nordljus Foto AB", Locale: "sv"}
	for name, c := range map[string]struct {
		change func(*portal.Service)
		want   string
	}{
		"page": {func(*portal.Service) {}, `url | https://portal.example/callback/foto
flow | (flow.page)
auth | (auth.token)
tags | foto, bilder
offices | (sheet.any_office)
` + strings.Replace(sheetAfter, "%s", exchange, 1)},
		"background, token, some offices": {func(s *portal.Service) {
			s.Flow, s.Customers, s.Tags = portal.FlowBackground, []string{"M30011", "M30420"}, nil
		}, `url | https://portal.example/callback/foto
flow | (flow.background)
auth | (auth.token)
tags
offices | M30011, M30420
` + strings.Replace(sheetAfter, "%s", exchange, 1)},
		"background, basic": {func(s *portal.Service) {
			s.Flow, s.Auth, s.Username, s.PasswordHashes = portal.FlowBackground, portal.AuthBasic, "express", []string{"5ec2e7"}
		}, `url | https://portal.example/callback/foto
flow | (flow.background)
auth | (auth.basic)
username | express
password | secret
tags | foto, bilder
offices | (sheet.any_office)
` + strings.Replace(sheetAfter, "%s", "", 1)},
		"background, none": {func(s *portal.Service) {
			s.Flow, s.Auth, s.SecretHash = portal.FlowBackground, portal.AuthNone, "5ec2e7"
		}, `url | https://portal.example/callback/foto/{secret} # sheet.url_secret
flow | (flow.background)
auth | (auth.none)
tags | foto, bilder
offices | (sheet.any_office)
` + strings.Replace(sheetAfter, "%s", "", 1)},
	} {
		s := service
		c.change(&s)
		connection := configured(t, `{`+minimal+`}`)
		sheet, err := Sheet(connection, s, "https://portal.example", provider)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(sheetBefore+c.want, doortest.SheetText(sheet)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if text := doortest.SheetText(sheet); strings.Contains(text, "5ec2e7") || strings.Contains(text, "hemligt") {
			t.Errorf("%s: a secret is in it: %s", name, text)
		}
	}
}

// TestSheetFollowsTheConnection: the method that sets a status is a setting, and
// may not be needed at all.
func TestSheetFollowsTheConnection(t *testing.T) {
	t.Parallel()
	for settings, want := range map[string]string{
		`"set_status": {"method": "POST", "path": "/x/{orderId}"}`:                                            "POST /x/{orderId}(sheet.method_status)",
		`"status_map": {"received": "", "active": "", "delivered": "", "failed": "", "cancelled": ""}`:        "",
		`"status_map": {"received": "", "active": "Started", "delivered": "", "failed": "", "cancelled": ""}`: "PUT /Service/Order/Status/{customerId}(sheet.method_status)",
	} {
		sheet, err := Sheet(configured(t, `{`+minimal+`, `+settings+`}`), portal.Service{ID: "foto"}, "", portal.Provider{})
		if err != nil {
			t.Fatal(err)
		}
		text := doortest.SheetText(sheet)
		if !strings.Contains(text, want) || want == "" && strings.Contains(text, "method_status") {
			t.Errorf("%s: no %q in %s", settings, want, text)
		}
	}
	if _, err := Sheet(portal.Connection{Settings: []byte(`[]`)}, portal.Service{}, "", portal.Provider{}); err == nil {
		t.Error("settings that cannot be read make a sheet")
	}
}

// TestSheetSpeaksAsTheProvider: what is copied is in the provider's language,
// whoever looks.
func TestSheetSpeaksAsTheProvider(t *testing.T) {
	t.Parallel()
	service := portal.Service{Name: portal.Text{"sv": "Fotografering", "en": "Photography"}}
	for locale, want := range map[string]string{"sv": "name | Fotografering\n", "en": "name | Photography\n", "nb": "name | Fotografering\n"} {
		sheet, err := Sheet(configured(t, `{`+minimal+`}`), service, "", portal.Provider{Locale: locale})
		if err != nil {
			t.Fatal(err)
		}
		if text := doortest.SheetText(sheet); !strings.Contains(text, want) || !strings.Contains(text, "description\n") {
			t.Errorf("%s: %s", locale, text)
		}
	}
}

func configured(t *testing.T, raw string) portal.Connection {
	t.Helper()
	c, faults := Configure(json.RawMessage(raw))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return c
}
