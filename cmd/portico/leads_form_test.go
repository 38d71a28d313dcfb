package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"portico/internal/partner/vitec/vitectest"
	"portico/internal/password"
	"portico/internal/portal"
	"portico/views"
)

// tipScreens are the screens of an installation with leads, and somebody who is
// signed in there.
type tipScreens struct {
	*tip
	web    *httptest.Server
	client *http.Client
}

func newTipScreens(t *testing.T) *tipScreens {
	t.Helper()
	h := newTip(t, direct)
	h.env[baseURLName] = "http://portal.example"
	h.now = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	h.send() // the one that is there
	hash, err := password.Hash(t.Context(), "en lång lösenfras")
	h.must(err)
	_, err = h.store.AddStaff(t.Context(), portal.Staff{Email: "maja@n.example", Name: "Maja", Role: portal.RoleFulfiller, PasswordHash: hash})
	h.must(err)
	c, err := readConfig(h.env.lookup, databaseURL, secretKeys, baseURLName)
	h.must(err)
	handler, err := newServer(c, h.store, h.web.partners, nil, slog.New(slog.NewTextHandler(&h.log, nil)))
	h.must(err)
	s := &tipScreens{tip: h, web: httptest.NewServer(handler)}
	t.Cleanup(s.web.Close)
	jar, err := cookiejar.New(nil)
	h.must(err)
	s.client = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	s.post("/staff/login", http.StatusSeeOther, url.Values{"email": {"maja@n.example"}, "password": {"en lång lösenfras"}})
	return s
}

// post sends a form and returns where that leads, or the page.
func (s *tipScreens) post(path string, status int, form url.Values) string {
	s.Helper()
	res, err := s.client.PostForm(s.web.URL+path, form)
	s.must(err)
	return s.read(res, status)
}

func (s *tipScreens) get(path string) string {
	s.Helper()
	res, err := s.client.Get(s.web.URL + path)
	s.must(err)
	return s.read(res, http.StatusOK)
}

func (s *tipScreens) read(res *http.Response, status int) string {
	s.Helper()
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	s.must(err)
	if res.StatusCode != status {
		s.Fatalf("%s: status %d, want %d:\n%s", res.Request.URL, res.StatusCode, status, body)
	}
	if to := res.Header.Get("Location"); to != "" {
		return to
	}
	return string(body)
}

// arrived sends what is due and returns the last lead that the partner has.
func (s *tipScreens) arrived() vitectest.Lead {
	s.Helper()
	s.send()
	leads := s.fake.Leads()
	return leads[len(leads)-1]
}

// needed is the form of a lead with what must be in it.
func needed() url.Values {
	return url.Values{"connection": {"vitec"}, "customer": {"M30011"}, "first_name": {"Bo"}, "last_name": {"Ek"}, "message": {"Sälja"}, "source": {"17"},
		"consent_how": {"På telefon"}, "consent_day": {"2026-11-20"}}
}

// long is a text of so many characters.
func long(n int) string { return strings.Repeat("å", n) }

// whole is the form with every input filled to its limit.
func whole() url.Values {
	mail := func(n int) string { return strings.Repeat("a", n-len("@n.example")) + "@n.example" }
	return url.Values{"connection": {"vitec"}, "customer": {"M30011"}, "source": {"21"}, "first_name": {long(30)}, "last_name": {long(30)}, "message": {long(4000)},
		"personal_number": {long(20)}, "foreign": {"on"}, "phone_cell": {"+46 70 174 06 05" + strings.Repeat(" ", 23) + ")"}, "phone_home": {"018-10 20 30"},
		"phone_work": {"(018) 10 20 31"}, "phone_other": {"+47 22 33 44 55"}, "email": {mail(254)}, "email2": {mail(254)},
		"street": {long(100)}, "zip_code": {long(10)}, "city": {long(100)}, "intake": {"5"}, "referrer": {long(500)},
		"utm_tags": {"utm_source=" + long(3900) + "\r\nutm_medium = brev"}, "agent_id": {"MED30011_118"}, "agent_external_id": {"E118"},
		"agent_email": {"maja.lindqvist@kajplats.example"}, "office_id": {"FIR30012"}, "office_customer_id": {"M30012"}, "office_external_id": {""},
		"consent_how": {long(500)}, "consent_day": {"2026-11-24"}}
}

// TestTheWholeFormOfALead: exactly the documented JSON arrives, with every field
// at its limit and with none that is not needed.
func TestTheWholeFormOfALead(t *testing.T) {
	t.Parallel()
	s := newTipScreens(t)
	form := whole()
	for _, u := range vitectest.DemoUsers() {
		if u.ID == "MED30011_118" {
			form.Set("agent_external_id", u.ExternalID)
			form.Set("agent_email", u.Email)
		}
	}
	page := s.post("/staff/leads", http.StatusSeeOther, form)
	at := s.arrived()
	sender := `"sender":{"user":{"id":"2","name":"Maja"},"company":{"name":"N"}}`
	want := `{"firstName":"` + long(30) + `","lastName":"` + long(30) + `","message":"` + long(4000) + `","typeId":"21",` +
		`"socialSecurityNumber":"` + long(20) + `","isForeignSocialSecurityNumber":true,` +
		`"telephone":{"home":"018-10 20 30","work":"(018) 10 20 31","cell":"` + form.Get("phone_cell") + `","other":"+47 22 33 44 55"},` +
		`"email":{"emailAddress":"` + form.Get("email") + `","emailAddress2":"` + form.Get("email2") + `"},` +
		`"address":{"streetAddress":"` + long(100) + `","zipCode":"` + long(10) + `","city":"` + long(100) + `"},"assignmentSourceId":"5",` +
		`"marketing":{"referrer":"` + long(500) + `","utmTags":[{"name":"utm_source","value":"` + long(3900) + `"},{"name":"utm_medium","value":"brev"}]},` +
		`"agent":{"id":"MED30011_118","externalId":"` + form.Get("agent_external_id") + `","email":"` + form.Get("agent_email") + `"},` +
		`"office":{"id":"FIR30012","customerId":"M30012"},` + sender + `}`
	if at.Body != want || at.Customer != "M30011" {
		t.Errorf("%s\n%s\nwant\n%s", at.Customer, at.Body, want)
	}
	if got := s.get(page); !strings.Contains(got, at.ID) {
		t.Errorf("its id %s is not shown", at.ID)
	}

	s.post("/staff/leads", http.StatusSeeOther, needed())
	if got := s.arrived().Body; got != `{"firstName":"Bo","lastName":"Ek","message":"Sälja","typeId":"17",`+sender+`}` {
		t.Errorf("with what is needed: %s", got)
	}

	before := len(s.fake.Leads())
	for input, values := range whole() {
		if input == "connection" || input == "office_external_id" {
			continue
		}
		beyond := whole()
		switch value := values[0]; input {
		case "source", "intake":
			beyond.Set(input, value+"x")
		case "customer":
			beyond.Set(input, long(65))
		case "foreign":
			beyond.Set(input, strings.Repeat("x", 11))
		case "phone_home", "phone_work", "phone_other":
			beyond.Set(input, strings.Repeat("0", 16))
		case "consent_day":
			beyond.Set(input, "2026-11-25")
		case "agent_id", "agent_external_id", "office_id", "office_customer_id":
			beyond.Set(input, long(101))
		case "agent_email":
			beyond.Set(input, strings.Repeat("a", 255-len("@n.example"))+"@n.example")
		case "utm_tags":
			beyond.Set(input, "utm_source="+long(3990))
		default:
			beyond.Set(input, "1"+value)
		}
		if got := s.post("/staff/leads", http.StatusUnprocessableEntity, beyond); !strings.Contains(got, `id="`+input+`-fault"`) {
			t.Errorf("%s: nothing is said at it", input)
		}
	}
	s.send()
	if n := len(s.fake.Leads()); n != before {
		t.Errorf("%d leads arrived that are at fault", n-before)
	}
	for _, canary := range []string{"åå", "174 06 05"} {
		if strings.Contains(s.log.String(), canary) {
			t.Errorf("%s is in the log", canary)
		}
	}
}

// TestARefusalComesBackToTheForm: what Vitec says stands at the inputs, and what
// is corrected arrives.
func TestARefusalComesBackToTheForm(t *testing.T) {
	t.Parallel()
	s := newTipScreens(t)
	s.fake.SetFault(vitectest.OpLead, vitectest.Fault{Kind: vitectest.FaultFields, Times: 1})
	page := s.post("/staff/leads", http.StatusSeeOther, needed())
	before := len(s.fake.Leads())
	s.send()
	for _, path := range []string{page, page + "/edit"} {
		got := s.get(path)
		for _, words := range []string{"Förnamn innehåller otillåtna tecken.", "Mobiltelefon är ogiltig.", "The request is invalid."} {
			if !strings.Contains(got, words) {
				t.Errorf("%s does not say %q", path, words)
			}
		}
	}
	if form := s.get(page + "/edit"); !strings.Contains(form, `id="first_name-fault"`) || !strings.Contains(form, `id="phone_cell-fault"`) {
		t.Error("the words are not at the inputs")
	}
	right := needed()
	right.Set("first_name", "Bosse")
	s.post(page+"/correction", http.StatusSeeOther, right)
	if at := s.arrived(); at.FirstName != "Bosse" || len(s.fake.Leads()) != before+1 || !strings.Contains(s.get(page), at.ID) {
		t.Errorf("%+v", at)
	}
}

// TestTheRouteOfALead: what the page says of a lead is what the partner does.
func TestTheRouteOfALead(t *testing.T) {
	t.Parallel()
	s := newTipScreens(t)
	user := vitectest.DemoUsers()[0]
	for _, c := range []struct {
		agent, office, zip string
		key                string
		to                 vitectest.Receiver
	}{
		{key: "lead.route_customer", to: vitectest.Receiver{Kind: vitectest.ToRedistributor, Office: "M30011", Agent: "MED30011_124"}},
		{zip: "745 31", key: "lead.route_address", to: vitectest.Receiver{Kind: vitectest.ToSharkTank, Office: "M30012"}},
		{office: "M30012", key: "lead.route_office", to: vitectest.Receiver{Kind: vitectest.ToSharkTank, Office: "M30012"}},
		{office: "M30011", zip: "745 31", key: "lead.route_office", to: vitectest.Receiver{Kind: vitectest.ToRedistributor, Office: "M30011", Agent: "MED30011_124"}},
		{agent: user.ID, key: "lead.route_agent_customer", to: vitectest.Receiver{Kind: vitectest.ToAgent, Office: "M30011", Agent: user.ID}},
		{agent: user.ID, zip: "745 31", key: "lead.route_agent_address", to: vitectest.Receiver{Kind: vitectest.ToAgent, Office: "M30012", Agent: user.ID}},
		{agent: user.ID, office: "M30012", key: "lead.route_agent_office", to: vitectest.Receiver{Kind: vitectest.ToAgent, Office: "M30012", Agent: user.ID}},
		{agent: user.ID, office: "M30011", zip: "745 31", key: "lead.route_agent_office", to: vitectest.Receiver{Kind: vitectest.ToAgent, Office: "M30011", Agent: user.ID}},
	} {
		form := needed()
		form.Set("agent_id", c.agent)
		form.Set("office_customer_id", c.office)
		form.Set("zip_code", c.zip)
		want := views.NewPrinter("sv", time.UTC, time.Now()).T(c.key, "Customer", "M30011")
		preview := s.post("/staff/leads/preview", http.StatusOK, form)
		page := s.get(s.post("/staff/leads", http.StatusSeeOther, form))
		if !strings.Contains(preview, want) || !strings.Contains(page, want) {
			t.Errorf("%+v: neither form nor lead says %q", c, want)
		}
		if got := s.arrived().To; got != c.to {
			t.Errorf("%+v: it went to %+v", c, got)
		}
	}
}
