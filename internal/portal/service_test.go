package portal_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

func TestTells(t *testing.T) {
	t.Parallel()
	all := []portal.State{portal.Received, portal.Waiting, portal.Delivered, portal.Failed, portal.Cancelled}
	for _, c := range []struct {
		flow    portal.Flow
		reports []portal.State
		want    []portal.State
	}{
		{portal.FlowPage, all, all},
		{portal.FlowBackground, all, all[1:]}, // the partner sets received itself
		{portal.FlowPoll, all, all},
		{portal.FlowPage, nil, nil},
		{portal.FlowPage, []portal.State{portal.Active}, []portal.State{portal.Active}},
		{portal.FlowBackground, []portal.State{portal.Received}, nil},
	} {
		var told []portal.State
		for _, s := range portal.States {
			if (portal.Service{Flow: c.flow, Reports: c.reports}).Tells(s) {
				told = append(told, s)
			}
		}
		if diff := cmp.Diff(c.want, told); diff != "" {
			t.Errorf("%s with %v:\n%s", c.flow, c.reports, diff)
		}
	}
}

func TestABackgroundOrderReportsWhatComesAfter(t *testing.T) {
	t.Parallel()
	o := orderIn(portal.Draft)
	o.Service.Flow = portal.FlowBackground
	if change, err := o.Accept(broker, noon); err != nil || change.Report != nil {
		t.Errorf("received: report %+v, %v", change.Report, err)
	}
	if change, err := o.Fail("Finns inte", erik, noon); err != nil || change.Report == nil {
		t.Errorf("failed: no report, %v", err)
	}
}

func TestServes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		customers []string
		want      bool
	}{{nil, true}, {[]string{"M1"}, true}, {[]string{"M2", "M1"}, true}, {[]string{"M2"}, false}, {[]string{"m1"}, false}} {
		if got := (portal.Service{Customers: c.customers}).Serves("M1"); got != c.want {
			t.Errorf("%v serve M1: %v", c.customers, got)
		}
	}
}

func TestCredentialFor(t *testing.T) {
	t.Parallel()
	anyone, own := portal.Credential{Customer: "*", Username: "any"}, portal.Credential{Customer: "M1", Username: "own"}
	for name, c := range map[string]struct {
		have []portal.Credential
		want string
	}{
		"its own before any":      {[]portal.Credential{anyone, own}, "own"},
		"in whatever order":       {[]portal.Credential{own, anyone}, "own"},
		"any":                     {[]portal.Credential{anyone}, "any"},
		"another office's is not": {[]portal.Credential{{Customer: "M2"}}, ""},
		"none":                    {nil, ""},
	} {
		got, ok := portal.Connection{Credentials: c.have}.CredentialFor("M1")
		if got.Username != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v", name, got.Username, ok)
		}
	}
}

func TestProviderLocation(t *testing.T) {
	t.Parallel()
	if loc := (portal.Provider{TimeZone: "Europe/Stockholm"}).Location(); loc.String() != "Europe/Stockholm" {
		t.Errorf("location %v", loc)
	}
	if loc := (portal.Provider{TimeZone: "Nowhere/Atall"}).Location(); loc != time.UTC {
		t.Errorf("location %v, want UTC", loc)
	}
}

func TestTextIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text   portal.Text
		locale string
		want   string
	}{
		{portal.Text{"sv": "Foto", "en": "Photo"}, "en", "Photo"},
		{portal.Text{"sv": "Foto", "en": "Photo"}, "nb", "Foto"},
		{portal.Text{"en": "Photo", "sv": ""}, "sv", "Photo"},
		{portal.Text{"en": "Photo"}, "fi", "Photo"},
		{nil, "sv", ""},
	} {
		if got := c.text.In(c.locale); got != c.want {
			t.Errorf("%v in %s: %q, want %q", c.text, c.locale, got, c.want)
		}
	}
}

func TestOfficeLabel(t *testing.T) {
	t.Parallel()
	for want, o := range map[string]portal.Office{"Kajplats": {Customer: "M1", Name: "Kajplats"}, "M1": {Customer: "M1"}} {
		if got := o.Label(); got != want {
			t.Errorf("%+v: %q", o, got)
		}
	}
}
