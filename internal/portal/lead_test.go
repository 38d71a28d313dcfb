package portal_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

func TestLeadStates(t *testing.T) {
	t.Parallel()
	allowed := map[portal.LeadState]string{
		portal.LeadQueued:    "sent refused uncertain given_up erased",
		portal.LeadSent:      "erased",
		portal.LeadRefused:   "queued given_up erased",
		portal.LeadUncertain: "queued sent given_up erased",
		portal.LeadGivenUp:   "erased",
		portal.LeadErased:    "",
	}
	for _, from := range portal.LeadStates {
		var got []string
		for _, to := range portal.LeadStates {
			l := portal.Lead{State: from}
			err := l.Become(to)
			if err == nil && l.State == to {
				got = append(got, string(to))
				continue
			}
			if e := asError(t, err); e.Kind != portal.Conflict || e.Say.Key != "lead.refused_"+string(from) || l.State != from {
				t.Errorf("%s to %s: %v, now %s", from, to, err, l.State)
			}
		}
		if got := strings.Join(got, " "); got != allowed[from] {
			t.Errorf("%s becomes %q, want %q", from, got, allowed[from])
		}
	}
}

// TestLeadJSON: what is sealed is what the lead says, whole and nothing beside it.
func TestLeadJSON(t *testing.T) {
	t.Parallel()
	_, full := fullLead()
	raw, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	got := portal.Lead{ConnectionID: full.ConnectionID, Customer: full.Customer, OrderID: full.OrderID, State: full.State}
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(full, got); diff != "" {
		t.Error(diff)
	}
	empty, err := json.Marshal(portal.Lead{ID: 1, ConnectionID: "vitec", Customer: "M1", OrderID: 2, State: portal.LeadSent, PartnerID: "x", Refusal: "y"})
	if err != nil || string(empty) != "{}" {
		t.Errorf("%s, %v", empty, err)
	}
}

func TestRoute(t *testing.T) {
	t.Parallel()
	m := func(key string) portal.Sentence { return portal.Say(key, "Customer", "M30011") }
	for _, c := range []struct {
		agent, office, address bool
		want                   portal.Sentence
	}{
		{true, true, true, portal.Say("lead.route_agent_office")},
		{true, true, false, portal.Say("lead.route_agent_office")},
		{true, false, true, m("lead.route_agent_address")},
		{true, false, false, m("lead.route_agent_customer")},
		{false, true, true, portal.Say("lead.route_office")},
		{false, true, false, portal.Say("lead.route_office")},
		{false, false, true, m("lead.route_address")},
		{false, false, false, m("lead.route_customer")},
	} {
		if diff := cmp.Diff(c.want, portal.RouteOf(c.agent, c.office, c.address, "M30011")); diff != "" {
			t.Errorf("agent %t, office %t, address %t:\n%s", c.agent, c.office, c.address, diff)
		}
	}
}

// TestRouteOfALead: any of the ids gives an agent or office, any part an address.
func TestRouteOfALead(t *testing.T) {
	t.Parallel()
	for want, leads := range map[string][]portal.Lead{
		"lead.route_customer": {{}, {FirstName: "Åsa", Email: "a@b.example"}},
		"lead.route_address":  {{Street: "x"}, {ZipCode: "x"}, {City: "x"}},
		"lead.route_office": {{Office: portal.LeadOffice{ID: "x"}}, {Office: portal.LeadOffice{CustomerID: "x"}},
			{Office: portal.LeadOffice{ExternalID: "x"}, City: "x"}},
		"lead.route_agent_customer": {{Agent: portal.LeadAgent{ID: "x"}}, {Agent: portal.LeadAgent{ExternalID: "x"}}, {Agent: portal.LeadAgent{Email: "x"}}},
		"lead.route_agent_office":   {{Agent: portal.LeadAgent{ID: "x"}, Office: portal.LeadOffice{ID: "x"}}},
		"lead.route_agent_address":  {{Agent: portal.LeadAgent{ID: "x"}, ZipCode: "x"}},
	} {
		for _, l := range leads {
			if got := l.Route().Key; got != want {
				t.Errorf("%+v: %s, want %s", l, got, want)
			}
		}
	}
}
