package vitec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

func TestLeadFaults(t *testing.T) {
	t.Parallel()
	type m = map[string]string
	for body, want := range map[string]struct {
		fields m
		rest   string
	}{
		`{"Message":"The request is invalid.","ModelState":{"person.FirstName":["Förnamn krävs."],"person.Telephone.Cell":["För kort.","Ogiltig."]}}`: {
			m{"first_name": "Förnamn krävs.", "phone_cell": "För kort. Ogiltig."}, "The request is invalid."},
		`{"message":"x","modelState":{"person.message":["a"],"person.typeId":["b"],"marketing.utmTags[0].name":["c"],"person.agent.id":["d"],"person.office.id":["e"]}}`: {
			m{"message": "a", "source": "b", "utm_tags": "c", "agent_id": "d", "office_id": "e"}, "x"},
		`{"modelState":{"a.email":["a"],"a.email.emailAddress2":["b"],"a.agent.email":["c"],"a.id":["d"],"":["e"]}}`: {
			m{"email": "a", "email2": "b", "agent_email": "c"}, "d e"},
		`{"modelState":{"person.address":{"zipCode":["a"]},"person":["Efternamn krävs."]}}`: {m{"zip_code": "a", "last_name": "Efternamn krävs."}, ""},
		`{"type":"https://x","title":"Fel","status":400,"traceId":"00-1","errors":{"FirstName":["a"],"$.typeId":["b"]}}`: {
			m{"first_name": "a", "source": "b"}, "Fel"},
		`{"firstName":["a"],"lastName":"b"}`:                       {m{"first_name": "a", "last_name": "b"}, ""},
		`{"message":"Förnamn krävs."}`:                             {m{"first_name": "Förnamn krävs."}, ""},
		`{"message":"Ange id på befintlig leadskälla."}`:           {m{"source": "Ange id på befintlig leadskälla."}, ""},
		`{"message":"Förnamn och efternamn krävs."}`:               {m{}, "Förnamn och efternamn krävs."},
		`{"message":"Valideringsfel."}`:                            {m{}, "Valideringsfel."},
		`["Förnamn krävs.","Efternamn krävs.","Något annat."]`:     {m{"first_name": "Förnamn krävs.", "last_name": "Efternamn krävs."}, "Något annat."},
		`"Personnummer är ogiltigt."`:                              {m{"personal_number": "Personnummer är ogiltigt."}, ""},
		`Fältet socialSecurityNumber är för långt`:                 {m{"personal_number": "Fältet socialSecurityNumber är för långt"}, ""},
		`30 tecken får plats`:                                      {m{}, "30 tecken får plats"},
		`{"message":"x","modelState":{"person.LastName":["a"],"pe`: {m{"last_name": "a"}, "x"},
		`{"mess`:       {m{}, `{"mess`},
		`{"code":7}`:   {m{}, `{"code":7}`},
		`<h1>Fel</h1>`: {m{}, "<h1>Fel</h1>"},
		``:             {m{}, ""},
		`{"modelState":{"person.FirstName":["a","a"]}}`: {m{"first_name": "a"}, ""},
	} {
		fields, rest := LeadFaults(body)
		if diff := cmp.Diff(want.fields, fields); diff != "" || rest != want.rest {
			t.Errorf("%s: rest %q, want %q\n%s", body, rest, want.rest, diff)
		}
	}
}

// TestLeadFaultsAreOnInputs: what is found is an input of the form.
func TestLeadFaultsAreOnInputs(t *testing.T) {
	t.Parallel()
	inputs := map[string]bool{}
	for _, in := range new(portal.LeadForm).Inputs() {
		inputs[in.Name] = true
	}
	for _, names := range []map[string]string{leadInputs, leadWords} {
		for name, input := range names {
			if !inputs[input] || name != strings.ToLower(name) {
				t.Errorf("%s: %s", name, input)
			}
		}
	}
}

// TestTheFakesRefusals: what the fake refuses, one beyond each limit, is said on
// the input that it is about.
func TestTheFakesRefusals(t *testing.T) {
	t.Parallel()
	for input, c := range map[string]struct {
		change func(*portal.Lead)
		want   string
	}{
		"first_name":      {func(l *portal.Lead) { l.FirstName = strings.Repeat("å", 31) }, "Förnamn måste vara mellan 1 och 30 tecken."},
		"last_name":       {func(l *portal.Lead) { l.LastName = "" }, "Efternamn krävs."},
		"message":         {func(l *portal.Lead) { l.Message = "" }, "Meddelande krävs."},
		"source":          {func(l *portal.Lead) { l.SourceID = "99" }, "Ange id på befintlig leadskälla."},
		"intake":          {func(l *portal.Lead) { l.IntakeID = "17" }, "Ange id på befintlig intagskälla."},
		"personal_number": {func(l *portal.Lead) { l.PersonalNumber = strings.Repeat("1", 21) }, "Personnummer måste vara mellan 0 och 20 tecken."},
		"agent_id":        {func(l *portal.Lead) { l.Agent.Email = "nobody@kajplats.example" }, "Mäklaren finns inte."},
		"office_id":       {func(l *portal.Lead) { l.Office = portal.LeadOffice{ID: "FIR30011", CustomerID: "M30012"} }, "Kontoret finns inte."},
	} {
		b := setup(t, Options{})
		l := shortLead()
		c.change(&l)
		_, err := b.client.SendLead(t.Context(), l)
		fields, rest := refusal(t, err)
		if diff := cmp.Diff(map[string]string{input: c.want}, fields); diff != "" || rest != "The request is invalid." {
			t.Errorf("%s: rest %q\n%s", input, rest, diff)
		}
	}
	b := setup(t, Options{})
	b.fake.SetFault(vitectest.OpLead, vitectest.Fault{Kind: vitectest.FaultFields})
	_, err := b.client.SendLead(t.Context(), shortLead())
	fields, _ := refusal(t, err)
	if diff := cmp.Diff(map[string]string{"first_name": "Förnamn innehåller otillåtna tecken.", "phone_cell": "Mobiltelefon är ogiltig."}, fields); diff != "" {
		t.Error(diff)
	}
}

func refusal(t *testing.T, err error) (map[string]string, string) {
	t.Helper()
	report, ok := err.(*portal.ReportError)
	if !ok || report.Outcome != portal.OutcomeRefused {
		t.Fatalf("not refused: %v", err)
	}
	return LeadFaults(report.Answer)
}
