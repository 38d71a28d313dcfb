package portal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

var leadOptions = portal.LeadOptions{
	ConnectionID: "vitec", OrderID: 7, Customers: []string{"M30011", "M30012"},
	Settings: portal.LeadSettings{Sources: []portal.LeadSource{{ID: "17", Name: "Tips"}, {ID: "21", Name: "Foto"}},
		Intakes: []portal.LeadSource{{ID: "3", Name: "Granne"}}},
	Sender: portal.LeadSender{UserID: "4", UserName: "Disa", CompanyID: "nordljus", CompanyName: "Nordljus Foto AB"},
	Today:  time.Date(2026, 11, 24, 0, 30, 0, 0, time.FixedZone("CET", 3600)),
}

// shortLead is a form with what it must hold and nothing else.
func shortLead() portal.LeadForm {
	return portal.LeadForm{Customer: "M30011", Source: "17", FirstName: "Åsa", LastName: "Ek", Message: "Vill sälja.",
		ConsentHow: "På telefon", ConsentDay: "2026-11-24"}
}

func TestLeadInputs(t *testing.T) {
	t.Parallel()
	å := func(n int) string { return strings.Repeat("å", n) }
	email := func(n int) string { return "a@" + strings.Repeat("b", n-10) + ".example" }
	tags := func(n int) string { return strings.Repeat("utm_source=brev\r\n", n) }
	const none, unreadable, long, phone = "", "field.characters", "field.too_long", "field.phone"
	phones := map[string]string{"": none, "+46 (0)70-123 45 67": none, "12345": none, "1234": phone, "123456789012345": none,
		"1234567890123456": phone, "070.1234567": phone, "ring 12345": phone, "--()--": phone, "07+12345": phone,
		"1" + strings.Repeat(" ", 35) + "2345": none, "1" + strings.Repeat(" ", 36) + "2345": long}
	emails := map[string]string{"": none, "a@b.example": none, email(254): none, email(255): long, "a@b": "field.email", "a@": "field.email",
		"Å <a@b.example>": "field.email", "a@b.example, c@d.example": "field.email"}
	for input, values := range map[string]map[string]string{ // what is typed -> the fault
		"customer": {"": "lead.customer", "M30012": none, "M30420": "lead.customer", "..": "lead.customer", "M1/2": "lead.customer"},
		"source":   {"": "field.choose", "21": none, "3": "field.choose"},
		"first_name": {"": "field.required", " \t": "field.required", "Å": none, å(30): none, " " + å(30) + " ": none, å(31): long,
			"A\x00": unreadable, "A\nB": unreadable, "A\xff": unreadable, "A\u0085B": unreadable},
		"last_name": {"": "field.required", "E": none, å(30): none, å(31): long, "A\tB": unreadable},
		"message":   {"": "field.required", "\r\n": "field.required", å(4000): none, å(4001): long, "a\r\n\tb": none, "a\x1bb": unreadable, "a\rb": unreadable},
		"personal_number": {"": none, "19811218-9876": none, "811218-9876": none, "19811218-9875": "lead.personal_number",
			"Z123456": "lead.personal_number", strings.Repeat("1", 21): long},
		"phone_cell":  phones,
		"phone_home":  phones,
		"phone_work":  phones,
		"phone_other": phones,
		"email":       emails,
		"email2":      emails,
		"agent_email": emails,
		"street":      {"": none, å(100): none, å(101): long, "a\nb": unreadable},
		"zip_code":    {"": none, "753 10": none, "75310": none, "SE-753 10": none, "0150": none, "12": none, "1": "lead.zip_code", "SW1A 2AAB1": none, "SW1A 2AAB12": long, "753_10": "lead.zip_code", "-- ": "lead.zip_code"},
		"city":        {"": none, å(100): none, å(101): long},
		"intake":      {"": none, "3": none, "17": "field.choose"},
		"referrer":    {"": none, å(500): none, å(501): long},
		"utm_tags": {"": none, "utm_source=brev": none, "utm_source": "lead.utm_tag", "=brev": "lead.utm_tag", "utm_source= ": "lead.utm_tag",
			"a=b\r\n\r\n c = d=e ": none, tags(20): none, tags(21): "lead.many_utm_tags", "a=" + å(3998): none, "a=" + å(3999): long, "a\tb=c": unreadable},
		"agent_id":           {"": none, å(100): none, å(101): long},
		"agent_external_id":  {å(100): none, å(101): long},
		"office_id":          {å(100): none, å(101): long},
		"office_customer_id": {å(100): none, å(101): long},
		"office_external_id": {å(100): none, å(101): long},
		"consent_how":        {"": "lead.consent_how", å(500): none, å(501): long},
		"consent_day":        {"": "lead.consent_day", "2026-11-24": none, "2026-11-25": "lead.consent_future", "2026-02-30": "field.date", "24/11/26": "field.date", "i går": "field.date"},
		"foreign":            {"": none, "on": none},
	} {
		for typed, want := range values {
			f := shortLead()
			*leadInput(t, &f, input) = typed
			_, faults := f.Validate(leadOptions)
			wantFaults := map[string]string{}
			if want != none {
				wantFaults[input] = want
			}
			if diff := cmp.Diff(wantFaults, keysOf(faults)); diff != "" {
				t.Errorf("%s %.40q:\n%s", input, typed, diff)
			}
		}
	}
}

func keysOf(faults portal.FieldErrors) map[string]string {
	keys := map[string]string{}
	for name, s := range faults {
		keys[name] = s.Key
	}
	return keys
}

func leadInput(t *testing.T, f *portal.LeadForm, name string) *string {
	t.Helper()
	for _, in := range f.Inputs() {
		if in.Name == name {
			return in.Value
		}
	}
	t.Fatalf("the form has no input %q", name)
	return nil
}

func TestForeignNumbers(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]struct {
		fault   string
		foreign bool
	}{
		"":                           {},
		"Z1-234567 A":                {foreign: true},
		"19811218-9875":              {foreign: true},
		strings.Repeat("1", 20):      {foreign: true},
		strings.Repeat("1", 21):      {fault: "field.too_long"},
		"12345\x00":                  {fault: "field.characters"},
		" " + "19811218-9876" + "\n": {foreign: true},
	} {
		f := shortLead()
		f.PersonalNumber, f.Foreign = number, "on"
		l, faults := f.Validate(leadOptions)
		if faults["personal_number"].Key != want.fault || l.Foreign != want.foreign {
			t.Errorf("%q: %v, foreign %t", number, faults, l.Foreign)
		}
		if want.fault == "" && l.PersonalNumber != strings.TrimSpace(number) {
			t.Errorf("%q became %q", number, l.PersonalNumber)
		}
	}
}

func TestAnyCustomer(t *testing.T) {
	t.Parallel()
	o := leadOptions
	o.Customers = []string{portal.AnyCustomer}
	for customer, want := range map[string]string{"M30420": "", "": "lead.customer", "*": "lead.customer", "..": "lead.customer",
		strings.Repeat("M", 64): "", strings.Repeat("M", 65): "field.too_long"} {
		f := shortLead()
		f.Customer = customer
		if _, faults := f.Validate(o); faults["customer"].Key != want {
			t.Errorf("%q: %v", customer, faults)
		}
	}
}

func TestLeadFaultsAreNamedTogether(t *testing.T) {
	t.Parallel()
	l, faults := portal.LeadForm{FirstName: strings.Repeat("a", 31), UTMTags: "x"}.Validate(leadOptions)
	want := portal.FieldErrors{"customer": portal.Say("lead.customer"), "source": portal.Say("field.choose"),
		"first_name": portal.Say("field.too_long", "Max", 30, "Count", 31), "last_name": portal.Say("field.required"),
		"message": portal.Say("field.required"), "consent_how": portal.Say("lead.consent_how"), "consent_day": portal.Say("lead.consent_day"),
		"utm_tags": portal.Say("lead.utm_tag", "Line", "x")}
	if diff := cmp.Diff(want, faults); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(portal.Lead{}, l); diff != "" {
		t.Errorf("a lead in spite of faults:\n%s", diff)
	}
}

// fullLead is a form with every field filled in, and what becomes of it.
func fullLead() (portal.LeadForm, portal.Lead) {
	f := portal.LeadForm{Customer: "M30011", Source: "17", FirstName: " Åsa ", LastName: "Ek", Message: "Rad 1\r\nRad 2\n",
		PersonalNumber: "FO 1234", Foreign: "on", PhoneCell: "070-1", PhoneHome: "018-2", PhoneWork: "018-3", PhoneOther: "018-4",
		Email: "a@b.example", Email2: "c@d.example", Street: "Ågatan 1", ZipCode: "753 10", City: "Uppsala", Intake: "3",
		Referrer: "https://nordljus.example", UTMTags: "utm_source=brev\r\n\r\nutm_term = a=b ",
		AgentID: "MED1", AgentExternalID: "E1", AgentEmail: "m@k.example", OfficeID: "FIR1", OfficeCustomerID: "M30012",
		OfficeExternalID: "K1", ConsentHow: "På visningen", ConsentDay: "2026-11-23"}
	for _, phone := range []*string{&f.PhoneCell, &f.PhoneHome, &f.PhoneWork, &f.PhoneOther} {
		*phone += "23 45 67"
	}
	return f, portal.Lead{ConnectionID: "vitec", Customer: "M30011", OrderID: 7, State: portal.LeadQueued,
		FirstName: "Åsa", LastName: "Ek", Message: "Rad 1\nRad 2", SourceID: "17", PersonalNumber: "FO 1234", Foreign: true,
		Telephone: portal.LeadTelephone{Cell: "070-123 45 67", Home: "018-223 45 67", Work: "018-323 45 67", Other: "018-423 45 67"},
		Email:     "a@b.example", Email2: "c@d.example", Street: "Ågatan 1", ZipCode: "753 10", City: "Uppsala", IntakeID: "3",
		Marketing: portal.LeadMarketing{Referrer: "https://nordljus.example", UTMTags: []portal.LeadTag{{Name: "utm_source", Value: "brev"}, {Name: "utm_term", Value: "a=b"}}},
		Agent:     portal.LeadAgent{ID: "MED1", ExternalID: "E1", Email: "m@k.example"},
		Office:    portal.LeadOffice{ID: "FIR1", CustomerID: "M30012", ExternalID: "K1"},
		Sender:    leadOptions.Sender, Consent: portal.LeadConsent{How: "På visningen", Day: "2026-11-23"}}
}

func TestLeadFormAndBack(t *testing.T) {
	t.Parallel()
	full, want := fullLead()
	for _, in := range full.Inputs() {
		if *in.Value == "" {
			t.Errorf("%s is empty in the full form", in.Name)
		}
	}
	for name, f := range map[string]portal.LeadForm{"full": full, "short": shortLead()} {
		l, faults := f.Validate(leadOptions)
		if len(faults) > 0 {
			t.Fatalf("%s: %v", name, faults)
		}
		if name == "full" {
			if diff := cmp.Diff(want, l); diff != "" {
				t.Error(diff)
			}
		}
		again, faults := l.Form().Validate(leadOptions)
		if diff := cmp.Diff(l, again); diff != "" || len(faults) > 0 {
			t.Errorf("%s, through its form: %v\n%s", name, faults, diff)
		}
	}
	if diff := cmp.Diff(" Åsa ", full.FirstName); diff != "" {
		t.Errorf("what was typed is changed:\n%s", diff)
	}
}
