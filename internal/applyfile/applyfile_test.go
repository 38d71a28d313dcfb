package applyfile

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/internal/portal"
)

// whole is the example of the manual, with every key of a service.
const whole = `
provider:
  name: Nordljus Foto AB
  support_email: support@nordljus.example
  locale: sv                 # sv | nb | en: default language of pages and mails
  time_zone: Europe/Stockholm
connections:
  - id: vitec
    system: fake
    base_url: https://connect.example
    credentials:             # per office where they differ; "*" is any office
      - {customer: "*", username: partner, password: "${VITEC_PASSWORD}"}
    set_status:
      method: PUT
      path: /Service/Order/Status/{customerId}
      body: {id: "{orderId}", status: "{status}", comment: "{comment}"}
    rate: {concurrent: 4, per_second: 2.5}
services:
  - id: expertfoto           # the {service} in /callback/{service}
    connection: vitec
    flow: page               # page | background
    auth: token              # token | basic | none (basic and none: background only)
    basic: {username: vitec, password: "${CALLBACK_PASSWORD}"}   # auth: basic
    secret: "…"              # auth: none: at least 128 bits
    allow_ips: []            # auth: basic, none
    customers: []            # offices that may order; empty: all
    name: {sv: Expertfotografering, nb: Ekspertfotografering, en: Expert photography}
    description: {sv: …}
    tags: [foto, bilder]
    turnaround_hours: 48
    partner_service: "2440"  # the partner's own id of it
    insurance: true          # the partner is told of its policy
    sellers: true            # the sellers' names are asked for
    form:                    # empty: the order is complete as it arrives
      - {id: package, type: choice, required: true, label: {sv: Paket}, options: [{id: small, label: {sv: "Liten, 15 bilder"}, price: 249000}, {id: large, label: {sv: "Stor, 30 bilder"}, hint: {sv: Mest vald}, price: 399000}]}
      - {id: day, type: date, label: {sv: Önskat datum}, hint: {sv: Vardag}}
      - {id: drone, type: checkbox, label: {sv: Drönare}, price: 99000}
      - {id: access, type: textarea, label: {sv: "Hur kommer vi in?"}, max_length: 2000}
`

func testEnv(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := vars[name]
		return value, ok
	}
}

var goodEnv = testEnv(map[string]string{"VITEC_PASSWORD": "${NOT_AGAIN}", "CALLBACK_PASSWORD": "short", "EMPTY": ""})

// fake is a partner system that keeps the whole connection as its settings. It
// wants a base_url and no key "bad".
func fake(raw json.RawMessage) (portal.Connection, []portal.Fault) {
	var c struct {
		BaseURL string         `json:"base_url"`
		Bad     map[string]any `json:"bad"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return portal.Connection{}, []portal.Fault{{Text: "is not read"}}
	}
	var faults []portal.Fault
	if c.BaseURL == "" {
		faults = append(faults, portal.Fault{Path: "base_url", Text: "is missing"})
	}
	if strings.Contains(c.BaseURL, "$") {
		faults = append(faults, portal.Fault{Path: "base_url", Text: "is no address"})
	}
	for key := range c.Bad {
		faults = append(faults, portal.Fault{Path: "bad." + key, Text: "is bad"},
			portal.Fault{Path: "bad." + key + "[1].deep", Text: "is bad too"})
	}
	return portal.Connection{InteractionLink: portal.LinkSigned, Settings: raw}, faults
}

var fakes = map[string]System{"fake": {Configure: fake, Insurance: true, Sellers: true}, "polled": {Configure: fake, Polls: true, Networks: true}}

func TestParseReadsEverything(t *testing.T) {
	t.Parallel()
	setup, faults := Parse([]byte(whole), goodEnv, fakes)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := portal.Setup{
		Provider: portal.Provider{Name: "Nordljus Foto AB", SupportEmail: "support@nordljus.example", Locale: "sv",
			TimeZone: "Europe/Stockholm", Currency: "SEK"},
		Connections: []portal.Connection{{ID: "vitec", System: "fake", InteractionLink: portal.LinkSigned}},
		Services: []portal.Service{{
			ID: "expertfoto", ConnectionID: "vitec", Flow: portal.FlowPage, Auth: portal.AuthToken,
			Name:        portal.Text{"sv": "Expertfotografering", "nb": "Ekspertfotografering", "en": "Expert photography"},
			Description: portal.Text{"sv": "…"}, Tags: []string{"foto", "bilder"}, TurnaroundHours: 48, PartnerService: "2440",
			Insurance: true, Sellers: true,
			Form: portal.Form{Fields: []portal.Field{
				{ID: "package", Type: portal.FieldChoice, Required: true, Label: portal.Text{"sv": "Paket"}, Options: []portal.Option{
					{ID: "small", Label: portal.Text{"sv": "Liten, 15 bilder"}, Price: 249000},
					{ID: "large", Label: portal.Text{"sv": "Stor, 30 bilder"}, Hint: portal.Text{"sv": "Mest vald"}, Price: 399000}}},
				{ID: "day", Type: portal.FieldDate, Label: portal.Text{"sv": "Önskat datum"}, Hint: portal.Text{"sv": "Vardag"}},
				{ID: "drone", Type: portal.FieldCheckbox, Label: portal.Text{"sv": "Drönare"}, Price: 99000},
				{ID: "access", Type: portal.FieldTextarea, Label: portal.Text{"sv": "Hur kommer vi in?"}, MaxLength: 2000}}},
		}},
	}
	if diff := cmp.Diff(want, setup, cmpopts.IgnoreFields(portal.Connection{}, "Settings")); diff != "" {
		t.Error(diff)
	}
	var given map[string]any
	if err := json.Unmarshal(setup.Connections[0].Settings, &given); err != nil {
		t.Fatal(err)
	}
	wantJSON := map[string]any{"id": "vitec", "system": "fake", "base_url": "https://connect.example",
		"credentials": []any{map[string]any{"customer": "*", "username": "partner", "password": "${NOT_AGAIN}"}},
		"set_status": map[string]any{"method": "PUT", "path": "/Service/Order/Status/{customerId}",
			"body": map[string]any{"id": "{orderId}", "status": "{status}", "comment": "{comment}"}},
		"rate": map[string]any{"concurrent": 4.0, "per_second": 2.5}}
	if diff := cmp.Diff(wantJSON, given); diff != "" {
		t.Error("what the system was given:", diff)
	}
}

// head is a good start of ten lines: what follows it is line 11 on.
const head = `provider:
  name: N
  support_email: n@n.example
  locale: nb
  time_zone: Europe/Oslo
connections:
  - id: c
    system: fake
    base_url: https://c.example
  - {id: p, system: polled, base_url: "https://p.example"}
`

func TestParseBackground(t *testing.T) {
	t.Parallel()
	setup, faults := Parse([]byte(head+`services:
  - id: basic
    connection: c
    flow: background
    auth: basic
    basic: {username: u, password: ["0123456789abcdef", "fedcba9876543210"]}
    allow_ips: [192.0.2.7, "2001:db8::/32", 198.51.100.77/24]
    name: {en: A}
  - {id: none, connection: c, flow: background, auth: none, secret: abcdefghijklmnopqrstu_-, name: {en: A}, customers: [M1, M2]}
  - {id: poll, connection: p, flow: poll, name: {nb: A}}
  - {id: fiber, connection: p, flow: poll, partner_service: "2440", on_api_service: AB100100, activate: staff, name: {nb: A}}
  - {id: atonce, connection: p, flow: poll, partner_service: "2441", on_api_service: AB.10-0, activate: import, name: {nb: A}}
`), goodEnv, fakes)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := []portal.Service{
		{ID: "basic", ConnectionID: "c", Flow: portal.FlowBackground, Auth: portal.AuthBasic, Username: "u",
			PasswordHashes: []string{"9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c28b548e564176929f", hash("fedcba9876543210")},
			AllowIPs: []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("2001:db8::/32"),
				netip.MustParsePrefix("198.51.100.0/24")}, Name: portal.Text{"en": "A"}},
		{ID: "none", ConnectionID: "c", Flow: portal.FlowBackground, Auth: portal.AuthNone, SecretHash: hash("abcdefghijklmnopqrstu_-"),
			Customers: []string{"M1", "M2"}, Name: portal.Text{"en": "A"}},
		{ID: "poll", ConnectionID: "p", Flow: portal.FlowPoll, Auth: portal.AuthToken, Name: portal.Text{"nb": "A"}},
		{ID: "fiber", ConnectionID: "p", Flow: portal.FlowPoll, Auth: portal.AuthToken, Name: portal.Text{"nb": "A"},
			PartnerService: "2440", NetworkService: "AB100100"},
		{ID: "atonce", ConnectionID: "p", Flow: portal.FlowPoll, Auth: portal.AuthToken, Name: portal.Text{"nb": "A"},
			PartnerService: "2441", NetworkService: "AB.10-0", ActivateOnImport: true},
	}
	if diff := cmp.Diff(want, setup.Services, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	if setup.Provider.Currency != "NOK" {
		t.Errorf("currency %q, want that of the locale", setup.Provider.Currency)
	}
}

func TestParseNamesEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	src := `provider:
  name: 12
  support_email: nobody
  locale: fi
  time_zone: Mars/Base
  colour: red
connections:
  - id: A!
    system: visma
services:
  - id: s
    connection: nowhere
    flow: page
    auth: basic
`
	_, faults := Parse([]byte(src), goodEnv, fakes)
	var lines []string
	for _, f := range faults {
		lines = append(lines, f.String())
	}
	want := []string{
		"line 2, column 3: provider.name: must be a text: put it in quotes",
		"line 3, column 3: provider.support_email: must be an e-mail address",
		"line 4, column 3: provider.locale: must be sv, nb or en",
		"line 5, column 3: provider.time_zone: must be a time zone like Europe/Stockholm",
		"line 6, column 3: provider.colour: unknown key; known are currency, locale, name, support_email, time_zone",
		"line 8, column 5: connections[0].id: must be an id: small letters, digits, - and _, at most 63",
		"line 9, column 5: connections[0].system: must be fake or polled",
		"line 11, column 5: services[0].basic: is missing",
		"line 11, column 5: services[0].name: is missing",
		"line 12, column 5: services[0].connection: there is no connection of this id in this file",
		"line 14, column 5: services[0].auth: must be token in the page flow: basic works in the background only",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
}
