package vitec

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door"
	"portico/internal/partner/door/doortest"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

// shortLead is what a lead must say and nothing else.
func shortLead() portal.Lead {
	return portal.Lead{Customer: office, SourceID: "17", FirstName: "Åsa", LastName: "Kanariefågel", Message: "Vill sälja i vår.",
		Consent: portal.LeadConsent{How: "På telefon", Day: "2026-11-24"}}
}

// longForm is a form with every field as long as it may be.
func longForm() portal.LeadForm {
	of := func(n int) string { return strings.Repeat("ö", n) }
	return portal.LeadForm{Customer: office, Source: "17", FirstName: of(30), LastName: of(30), Message: of(4000),
		PersonalNumber: strings.Repeat("9", 20), Foreign: "on", PhoneHome: "018 123456789012", PhoneWork: "018 223456789012",
		PhoneCell: "+46 (0)70-1234567890", PhoneOther: "018 323456789012", Email: "a@" + strings.Repeat("b", 244) + ".example",
		Email2: "c@d.example", Street: of(100), ZipCode: "SW1A 2AAB1", City: of(100), Intake: "3", Referrer: of(500),
		UTMTags: "utm_source=brev\nutm_term=a=b", AgentID: "MED30011_118", AgentExternalID: "E118", AgentEmail: "asa.lindqvist@kajplats.example",
		OfficeID: "FIR30012", OfficeCustomerID: "M30012", OfficeExternalID: "kajplats-enkoping",
		ConsentHow: "På visningen", ConsentDay: "2026-11-23"}
}

const longJSON = `{"firstName":"{30}","lastName":"{30}","message":"{4000}","typeId":"17",` +
	`"socialSecurityNumber":"99999999999999999999","isForeignSocialSecurityNumber":true,` +
	`"telephone":{"home":"018 123456789012","work":"018 223456789012","cell":"+46 (0)70-1234567890","other":"018 323456789012"},` +
	`"email":{"emailAddress":"a@{b}.example","emailAddress2":"c@d.example"},` +
	`"address":{"streetAddress":"{100}","zipCode":"SW1A 2AAB1","city":"{100}"},"assignmentSourceId":"3",` +
	`"marketing":{"referrer":"{500}","utmTags":[{"name":"utm_source","value":"brev"},{"name":"utm_term","value":"a=b"}]},` +
	`"agent":{"id":"MED30011_118","externalId":"E118","email":"asa.lindqvist@kajplats.example"},` +
	`"office":{"id":"FIR30012","customerId":"M30012","externalId":"kajplats-enkoping"},` +
	`"sender":{"user":{"id":"4","name":"Disa"},"company":{"id":"nordljus","name":"Nordljus Foto AB"}}}`

// TestTheWholeLead: the form filled to its limits arrives as it is documented, to
// the letter.
func TestTheWholeLead(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	settings, ok := LeadOptions(b.client.conn)
	if !ok {
		t.Fatal("the connection takes no leads")
	}
	l, faults := longForm().Validate(portal.LeadOptions{Customers: []string{office}, Settings: settings, Today: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC),
		Sender: portal.LeadSender{UserID: "4", UserName: "Disa", CompanyID: "nordljus", CompanyName: "Nordljus Foto AB"}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	id, err := b.client.SendLead(t.Context(), l)
	leads := b.fake.Leads()
	if err != nil || len(leads) != 1 || id != leads[0].ID || leads[0].Customer != office {
		t.Fatalf("id %q, %v; leads %+v", id, err, leads)
	}
	var pairs []string
	for n, name := range map[int]string{30: "{30}", 100: "{100}", 500: "{500}", 4000: "{4000}"} {
		pairs = append(pairs, name, strings.Repeat("ö", n))
	}
	want := strings.NewReplacer(append(pairs, "{b}", strings.Repeat("b", 244))...).Replace(longJSON)
	if diff := cmp.Diff(want, leads[0].Body); diff != "" {
		t.Error(diff)
	}
	call := b.fake.Log()[0]
	if call.Method != "POST" || call.Path != "/Service/Contact/M30011/Lead/Person" || call.Username != "partner" || call.Query != "" {
		t.Errorf("%s %s as %s", call.Method, call.Path, call.Username)
	}
}

const shortJSON = `"firstName":"Åsa","lastName":"Kanariefågel","message":"Vill sälja i vår.","typeId":"17"`

// TestAbsentStaysAbsent: what nobody filled in is neither null nor empty.
func TestAbsentStaysAbsent(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	for want, changes := range map[string][]func(*portal.Lead){
		``:                               {func(*portal.Lead) {}, func(l *portal.Lead) { l.Foreign = true }}, // of no number
		`,"telephone":{"work":"018-1"}`:  {func(l *portal.Lead) { l.Telephone.Work = "018-1" }},
		`,"email":{"emailAddress2":"c"}`: {func(l *portal.Lead) { l.Email2 = "c" }},
		`,"address":{"city":"Falun"}`:    {func(l *portal.Lead) { l.City = "Falun" }},
		`,"marketing":{"referrer":"r"}`:  {func(l *portal.Lead) { l.Marketing.Referrer = "r" }},
		`,"marketing":{"utmTags":[{"name":"a","value":"b"}]}`: {func(l *portal.Lead) {
			l.Marketing.UTMTags = []portal.LeadTag{{Name: "a", Value: "b"}}
		}},
		`,"agent":{"externalId":"E118"}`:                                                {func(l *portal.Lead) { l.Agent.ExternalID = "E118" }},
		`,"office":{"customerId":"M30012"}`:                                             {func(l *portal.Lead) { l.Office.CustomerID = "M30012" }},
		`,"sender":{"user":{"name":"D"}}`:                                               {func(l *portal.Lead) { l.Sender.UserName = "D" }},
		`,"sender":{"company":{"id":"n"}}`:                                              {func(l *portal.Lead) { l.Sender.CompanyID = "n" }},
		`,"assignmentSourceId":"3"`:                                                     {func(l *portal.Lead) { l.IntakeID = "3" }},
		`,"socialSecurityNumber":"19811218-9876","isForeignSocialSecurityNumber":false`: {func(l *portal.Lead) { l.PersonalNumber = "19811218-9876" }},
		`,"socialSecurityNumber":"Z1","isForeignSocialSecurityNumber":true`:             {func(l *portal.Lead) { l.PersonalNumber, l.Foreign = "Z1", true }},
	} {
		for _, change := range changes {
			l := shortLead()
			change(&l)
			if _, err := b.client.SendLead(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			leads := b.fake.Leads()
			if diff := cmp.Diff("{"+shortJSON+want+"}", leads[len(leads)-1].Body); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func TestLeadPreview(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	l := shortLead()
	l.PersonalNumber = "19811218-9876"
	preview := b.client.PreviewLead(l)
	if _, err := b.client.SendLead(t.Context(), l); err != nil || l.PersonalNumber != "19811218-9876" {
		t.Fatal(err)
	}
	want := "POST /Service/Contact/M30011/Lead/Person\n" + strings.Replace(b.fake.Leads()[0].Body, "19811218-9876", "••••", 1)
	if diff := cmp.Diff(want, preview); diff != "" {
		t.Error(diff)
	}
	if text := b.client.PreviewLead(shortLead()); text != "POST /Service/Contact/M30011/Lead/Person\n{"+shortJSON+"}" {
		t.Errorf("without a number: %s", text)
	}
}

func TestLeadIDs(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`"480001"`: "480001", `480001`: "480001", `{"id": "480001"}`: "480001", `{"id": 480001}`: "480001", `" a-b "`: "a-b",
		`12345678901234567890`: "12345678901234567890",
		``:                     "", `""`: "", `" "`: "", `null`: "", `{}`: "", `{"id": null}`: "", `{"id": {}}`: "", `[]`: "", `true`: "", `false`: "", `["1"]`: "",
		`"a\u0000"`: "", `"` + strings.Repeat("1", maxID+1) + `"`: "", `"a\nb"`: "",
	} {
		c := serve(t, doortest.Answer(http.StatusOK, "application/json", body))
		got, err := c.SendLead(t.Context(), shortLead())
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", body, got, err)
		}
		if want == "" && portal.OutcomeOf(err) != portal.OutcomeUnknown {
			t.Errorf("%s: %s, want unknown: the lead may be there", body, portal.OutcomeOf(err))
		}
	}
}

func TestLeadOutcomes(t *testing.T) {
	t.Parallel()
	for kind, want := range map[vitectest.FaultKind]struct {
		outcome portal.Outcome
		leads   int
	}{
		vitectest.FaultUnauthorized: {portal.OutcomeCredential, 0},
		vitectest.FaultForbidden:    {portal.OutcomeCredential, 0},
		vitectest.FaultBadRequest:   {portal.OutcomeRefused, 0},
		vitectest.FaultFields:       {portal.OutcomeRefused, 0},
		vitectest.FaultNotFound:     {portal.OutcomeRefused, 0},
		vitectest.FaultTooMany:      {portal.OutcomeBusy, 0},
		vitectest.FaultUnavailable:  {portal.OutcomeBusy, 0},
		vitectest.FaultServerError:  {portal.OutcomeUnknown, 0},
		vitectest.FaultHTML:         {portal.OutcomeUnknown, 0},
		vitectest.FaultRedirect:     {portal.OutcomeUnknown, 0},
		vitectest.FaultDrop:         {portal.OutcomeUnknown, 0},
		vitectest.FaultStoredDrop:   {portal.OutcomeUnknown, 1},
		vitectest.FaultStoredError:  {portal.OutcomeUnknown, 1},
		vitectest.FaultStoredHang:   {portal.OutcomeUnknown, 1},
		vitectest.FaultTruncated:    {portal.OutcomeUnknown, 1},
		vitectest.FaultNoLeadID:     {portal.OutcomeUnknown, 1},
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			var o Options
			if kind == vitectest.FaultStoredHang {
				o.Timeout = 300 * time.Millisecond
			}
			b := setup(t, o)
			b.fake.SetFault(vitectest.OpLead, vitectest.Fault{Kind: kind})
			id, err := b.client.SendLead(t.Context(), shortLead())
			var report *portal.ReportError
			if id != "" || !errors.As(err, &report) || report.Outcome != want.outcome || len(b.fake.Leads()) != want.leads || b.fake.Count(vitectest.OpLead) != 1 {
				t.Errorf("id %q, %v; %d leads of %d calls", id, err, len(b.fake.Leads()), b.fake.Count(vitectest.OpLead))
			}
		})
	}
}

func TestLeadNeedsACredential(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	b.client.conn.Credentials = b.client.conn.Credentials[1:]
	_, err := b.client.SendLead(t.Context(), shortLead())
	if portal.OutcomeOf(err) != portal.OutcomeCredential || b.fake.Count(vitectest.OpAny) != 0 {
		t.Errorf("%v after %d calls", err, b.fake.Count(vitectest.OpAny))
	}
	falun := shortLead()
	falun.Customer = "M30420"
	if _, err := b.client.SendLead(t.Context(), falun); err != nil || b.fake.Log()[0].Username != "falun" {
		t.Errorf("the office's own credential: %v", err)
	}
}

// TestLeadIsNotQuoted: whatever the answer, no error and no log line has anything
// of the person in it.
func TestLeadIsNotQuoted(t *testing.T) {
	t.Parallel()
	l := shortLead()
	l.FirstName, l.LastName, l.PersonalNumber = "Kanarie O'Ek Åsa", "Fågel", "19811218-9876"
	l.Telephone = portal.LeadTelephone{Home: "018-123 45 67", Work: "018-223 45 67", Cell: "070-323 45 67", Other: "018-423 45 67"}
	l.Email, l.Email2 = "kanarie+1@fagel.example", "kanarie2@fagel.example"
	l.Street, l.ZipCode, l.City = "Fågelsången 1", "753 10", "Burträsk"
	canaries := []string{"anarie", "ågel", "O'Ek", "O\\u0027Ek", "19811218", "198112189876", "sången", "18-123", "18-223", "70-323", "18-423", "fagel", "753 10", "Burtr", "sälja", "s\\u00e4lja"}
	plain := strings.Join([]string{l.FirstName, l.LastName, l.Message, l.PersonalNumber, "198112189876", l.Telephone.Home, l.Telephone.Work,
		l.Telephone.Cell, l.Telephone.Other, l.Email, l.Email2, l.Street, l.ZipCode, l.City}, " | ")
	for _, status := range []int{200, 400, 500} {
		for _, echo := range []string{plain, string(door.JSON(plain)), escaped(plain, "%04x"), escaped(plain, "%04X")} {
			body := `{"message":"Personnummer ` + strings.Trim(echo, `"`) + `"}`
			var log bytes.Buffer
			c := serve(t, doortest.Answer(status, "application/json", body))
			c.door = door.New("vitec", c.config.BaseURL, c.config.Rate, Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
			_, err := c.SendLead(t.Context(), l)
			var report *portal.ReportError
			if !errors.As(err, &report) {
				t.Fatalf("%d: %v", status, err)
			}
			if status == 400 && !strings.Contains(report.Answer, "Personnummer *** | *** | ***") {
				t.Errorf("Connect's words are gone: %s", report.Answer)
			}
			for _, canary := range canaries {
				if strings.Contains(err.Error()+report.Answer+log.String(), canary) {
					t.Errorf("%d: %q is in %v\n%s", status, canary, err, log.String())
				}
			}
		}
	}
}

// TestLeadAnswersAreNotKept: what else Connect tells may be about people.
func TestLeadAnswersAreNotKept(t *testing.T) {
	t.Parallel()
	c := serve(t, doortest.Answer(http.StatusOK, "text/html", "Någon Annan"))
	_, err := c.SendLead(t.Context(), shortLead())
	var report *portal.ReportError
	if !errors.As(err, &report) || strings.Contains(err.Error()+report.Answer, "Annan") {
		t.Errorf("%v", err)
	}
}

func TestLeadOptions(t *testing.T) {
	t.Parallel()
	raw := `{` + minimal + `, "lead_sources": [{"id": "17", "name": "Tips"}], "assignment_sources": [{"id": "3", "name": "Webb"}], "lead_retention_days": 30}`
	got, ok := LeadOptions(configured(t, raw))
	want := portal.LeadSettings{Sources: []portal.LeadSource{{ID: "17", Name: "Tips"}}, Intakes: []portal.LeadSource{{ID: "3", Name: "Webb"}}, RetentionDays: 30}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("%t\n%s", ok, diff)
	}
	other := configured(t, raw)
	other.System = "visma"
	for name, c := range map[string]portal.Connection{"no sources": configured(t, `{`+minimal+`}`), "another system": other,
		"unreadable": {System: System, Settings: json.RawMessage(`[]`)}} {
		if got, ok := LeadOptions(c); ok || len(got.Sources) > 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestLeadNotSentInTime(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.client.SendLead(ctx, shortLead()); portal.OutcomeOf(err) != portal.OutcomeFailed || len(b.fake.Leads()) != 0 {
		t.Errorf("%v", err)
	}
}
