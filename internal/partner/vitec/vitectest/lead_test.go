package vitectest

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func tell(t *testing.T, s *Server, customer, password, fields string) (int, string) {
	t.Helper()
	return send(t, "POST", s.URL+"/Service/Contact/"+customer+"/Lead/Person", password, `{"firstName":"Åsa","lastName":"Ek",`+fields+`"message":"m","typeId":"17"}`)
}

func TestLeadAnswers(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	for name, c := range map[string]struct {
		customer, password, fields string
		status                     int
		want                       string
	}{
		"no login":        {"M30011", "", "", 401, "inloggning"},
		"wrong login":     {"M30011", "three", "", 401, "inloggning"},
		"another's login": {"M30011", "two", "", 403, "saknas"},
		"unknown office":  {"M1", "one", "", 403, "saknas"},
		"broken":          {"M30011", "one", `"`, 400, "JSON"},
		"a number":        {"M30011", "one", `"firstName": 7,`, 400, "JSON"},
		"long":            {"M30011", "one", `"firstName": "` + strings.Repeat("å", 31) + `",`, 400, `"modelState":{"person.FirstName":["Förnamn måste`},
		"several":         {"M30011", "one", `"lastName": "", "assignmentSourceId": "17",`, 400, `"person.LastName":["Efternamn krävs."]`},
		"good":            {"M30011", "one", "", 200, `"480001"`},
	} {
		status, body := tell(t, s, c.customer, c.password, c.fields)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if n := len(s.Leads()); n != 1 || s.Count(OpLead) != 9 || s.Log()[0].Customer == "Person" {
		t.Errorf("%d leads of %d calls", n, s.Count(OpLead))
	}
	if status, _ := send(t, "GET", s.URL+"/Service/Contact/M30011/Lead/Person", "one", ""); status != http.StatusNotFound {
		t.Errorf("another method: %d", status)
	}
}

// TestDuplicates: the check is on persons. Each lead is a new one.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	var persons []string
	for _, fields := range []string{
		`"socialSecurityNumber":"19811218-9876",`,
		`"socialSecurityNumber":"198112189876","firstName":"Annat",`,                                 // the number
		`"email":{"emailAddress":"asa@ek.example"},`,                                                 // nothing in common but the name
		`"email":{"emailAddress2":"ASA@ek.example"},"telephone":{"cell":"070-123 45 67"},`,           // the name and an address
		`"telephone":{"home":"0701234567"},`,                                                         // the name and a telephone number that came later
		`"telephone":{"home":"0701234567"},"firstName":"Bo",`,                                        // another name
		`"telephone":{"home":"0701234567"},"firstName":"Bo","socialSecurityNumber":"19900101-0017",`, // the same, with a number
		`"telephone":{"home":"0701234567"},"firstName":"Bo","socialSecurityNumber":"19811218-9876",`, // the number of the first
		``, // nothing in common but the name
	} {
		if status, body := tell(t, s, "M30011", "one", fields); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
	}
	ids := map[string]bool{}
	for _, l := range s.Leads() {
		persons = append(persons, l.Person)
		ids[l.ID] = true
	}
	if diff := cmp.Diff([]string{"P7001", "P7001", "P7002", "P7002", "P7002", "P7003", "P7003", "P7001", "P7004"}, persons); diff != "" {
		t.Error(diff)
	}
	if len(ids) != len(persons) {
		t.Errorf("ids %v", ids)
	}
}

func TestLeadsOnThePage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.json")
	s := start(t, Options{Path: path, Now: func() time.Time { return time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC) }})
	b := newBrowser(t, s)
	b.Sees("/", "Tips", "Inga tips ännu")
	tell(t, s, "M30011", "one", `"agent":{"email":"elin@bergvik.example"},"firstName":"<b>Bo",`)
	tell(t, s, "M30011", "one", ``)
	tell(t, s, "M30012", "two", ``)
	b.Sees("/", `data-testid="lead"`, "480001", "&lt;b&gt;Bo Ek", "Elin Bergvik, Kajplats Fastighetsmäkleri Uppsala", "Jonas Öberg som fördelar, Kajplats Fastighetsmäkleri Uppsala",
		"Shark tank, Kajplats Fastighetsmäkleri Enköping", "2026-11-02 09:00:00")
	again := start(t, Options{Path: path})
	if diff := cmp.Diff(s.Leads(), again.Leads()); diff != "" || len(again.Leads()) != 3 {
		t.Errorf("leads are lost with a restart:\n%s", diff)
	}
	if status, body := tell(t, again, "M30011", "one", ``); status != http.StatusOK || body != `"480004"` {
		t.Errorf("the next lead: %d %s", status, body)
	}
}

// TestOfficesAndAgents: any of the ids names one, and all that are given must.
func TestOfficesAndAgents(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	for fields, want := range map[string]Receiver{
		`"office":{"id":"FIR30012"},`:                          {ToSharkTank, "M30012", ""},
		`"office":{"customerId":"M30012"},`:                    {ToSharkTank, "M30012", ""},
		`"office":{"externalId":"bergvik"},`:                   {ToRedistributor, "M30420", "MED30420_302"},
		`"office":{},"agent":{},`:                              {ToRedistributor, "M30011", "MED30011_124"},
		`"agent":{"id":"MED30012_207"},`:                       {ToAgent, "M30011", "MED30012_207"},
		`"agent":{"externalId":"E207"},`:                       {ToAgent, "M30011", "MED30012_207"},
		`"agent":{"email":"Karin.Sjostrom@kajplats.example"},`: {ToAgent, "M30011", "MED30012_211"},
		`"agent":{"id":"MED30012_207","externalId":"E211"},`:   {},
		`"office":{"id":"FIR30012","customerId":"M30011"},`:    {},
		`"office":{"id":"M30012"},`:                            {},
	} {
		before := len(s.Leads())
		status, _ := tell(t, s, "M30011", "one", fields)
		leads := s.Leads()
		if want.Kind == "" {
			if status != http.StatusBadRequest || len(leads) != before {
				t.Errorf("%s: %d", fields, status)
			}
		} else if status != http.StatusOK || leads[len(leads)-1].To != want {
			t.Errorf("%s: %d, %+v", fields, status, leads[len(leads)-1].To)
		}
	}
}
