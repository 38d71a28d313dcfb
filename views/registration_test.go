package views

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

// registered is a service that is called in the background, with a sheet of
// every kind of line.
func registered(locale string) StaffServicePage {
	svc := service
	svc.ConnectionID, svc.Flow, svc.Auth, svc.Username = "vitec", portal.FlowBackground, portal.AuthBasic, "express"
	svc.Customers, svc.Tags, svc.Form.Version = []string{"M123", "M200"}, []string{"foto", "bilder"}, 3
	svc.AllowIPs = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	return StaffServicePage{Base: staffBase(locale, "/staff/services/expertfoto"), Service: svc, LastAt: at(26 * time.Hour), Sheet: portal.Sheet{
		{Key: "sheet.partner", Values: portal.Verbatim("Nordljus Foto AB"), Note: "sheet.partner_note"},
		{Key: "sheet.name", Values: portal.Verbatim("Expertfotografering")},
		{Key: "sheet.description"},
		{Key: "sheet.url", Values: portal.Verbatim("https://portal.example/callback/expertfoto?caseId=<CASE_ID>&token=<ACCESS_TOKEN>"), Note: "sheet.url_fields"},
		{Key: "sheet.flow", Values: portal.Worded("flow.background")},
		{Key: "sheet.password", Secret: true},
		{Key: "sheet.methods", Values: []portal.SheetValue{{Text: "GET /Service/Order/{customerId}", Word: "sheet.method_list"},
			{Text: "PUT /Service/Order/Status/{customerId}", Word: "sheet.method_status"}}, Note: "sheet.methods_note"},
	}}
}

func addServicePages(p map[string]Page) {
	list := StaffServiceIndexPage{Base: staffBase("sv", "/staff/services"), Rows: []ServiceRow{
		{ID: "expertfoto", Name: "Expertfotografering", System: "vitec", Connection: "vitec", Flow: portal.FlowPage, LastAt: at(20 * time.Minute)},
		{ID: "energi", Name: "Energideklaration", System: "vitec", Connection: "vitec-2", Flow: portal.FlowBackground},
		{ID: "fiber", Name: "Bredband 100/100", System: "tjansteguiden", Connection: "guiden", Flow: portal.FlowPoll, LastAt: at(50 * 24 * time.Hour)}}}
	p["services"] = list
	list.Rows = nil
	p["services_empty"] = list
	p["service"] = registered("sv")
	fetched := registered("nb")
	fetched.Sheet, fetched.LastAt = nil, nil
	fetched.Service = portal.Service{ID: "fiber", ConnectionID: "guiden", System: "tjansteguiden", Flow: portal.FlowPoll, Auth: portal.AuthToken,
		Name: text("Bredband 100/100", "Bredbånd 100/100", "Broadband 100/100"), PartnerService: "2440"}
	p["service_fetched"] = fetched
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	const want = "# Registration in Vitec Express: `Expert photography`\n" + `
` + "`Nordljus Foto AB · support@nordljus.example · 2026-11-24`" + `

- **Partner**: ` + "`Nordljus Foto AB`" + `\
  If you have been given a partner id, it can stand in place of the name.
- **Name of the service**: ` + "`Expertfotografering`" + `
- **Description**: Missing in the set-up
- **Address to call on order**: ` + "`https://portal.example/callback/expertfoto?caseId=<CASE_ID>&token=<ACCESS_TOKEN>`" + `\
  The documentation does not show which characters go around a merge field. Ask the system's owner before the address is registered.
- **Flow**: ` + "`Asynchronous, in the background`" + `
- **Password**: Handed over separately. It is never shown here.
- **Methods needed**\
  The help page of the method that sets the status is not public. Ask the system's owner about it.
  - ` + "`GET /Service/Order/{customerId}`" + ` – list orders
  - ` + "`PUT /Service/Order/Status/{customerId}`" + ` – report a status
`
	if diff := cmp.Diff(want, registered("en").Markdown()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCodeSpan(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Foto":                 "`Foto`",
		"**Foto** [x](y) <b>":  "`**Foto** [x](y) <b>`",
		"a ` b":                "``a ` b``",
		"`a`":                  "`` `a` ``",
		"```":                  "```` ``` ````",
		"a `` b ` c":           "```a `` b ` c```",
		"two\r\n\n# lines\x00": "`two # lines`",
		"two\u2028lines":       "`two lines`",
		" padded ":             "`  padded  `",
		"":                     "`  `",
	} {
		if got := codeSpan(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestSheetTextsAreNoMarkdown: they stand in a document as they are.
func TestSheetTextsAreNoMarkdown(t *testing.T) {
	t.Parallel()
	for _, locale := range portal.Locales {
		messages, err := readLocale(localeFiles, locale)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			if f := family(m.ID); (f == "sheet" || f == "flow" || f == "auth") && strings.ContainsAny(m.Other, "*_`<>[]|\\#\n") {
				t.Errorf("%s: %s: %q means something in Markdown", locale, m.ID, m.Other)
			}
		}
	}
}
