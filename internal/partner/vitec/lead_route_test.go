package vitec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

// promises are who gets a lead by each sentence, of the offices that are given,
// found by the address and sent to.
var promises = map[string]func(given, found, sent string) vitectest.Receiver{
	"lead.route_agent_office":   func(given, _, _ string) vitectest.Receiver { return toAgent(given) },
	"lead.route_agent_address":  func(_, found, _ string) vitectest.Receiver { return toAgent(found) },
	"lead.route_agent_customer": func(_, _, sent string) vitectest.Receiver { return toAgent(sent) },
	"lead.route_office":         func(given, _, _ string) vitectest.Receiver { return handedOut(given) },
	"lead.route_address":        func(_, found, _ string) vitectest.Receiver { return handedOut(found) },
	"lead.route_customer":       func(_, _, sent string) vitectest.Receiver { return handedOut(sent) },
}

const anAgent = "MED30420_301"

func toAgent(office string) vitectest.Receiver {
	return vitectest.Receiver{Kind: vitectest.ToAgent, Office: office, Agent: anAgent}
}

// handedOut returns who gets a lead of an office that names no agent.
func handedOut(office string) vitectest.Receiver {
	for _, o := range vitectest.DemoOffices() {
		if o.ID == office && o.Redistributor != "" {
			return vitectest.Receiver{Kind: vitectest.ToRedistributor, Office: office, Agent: o.Redistributor}
		}
	}
	return vitectest.Receiver{Kind: vitectest.ToSharkTank, Office: office}
}

// TestTheRouteIsWhatHappens: for each combination of agent, office and address,
// and each kind of office there is, the fake does what the sentence says.
func TestTheRouteIsWhatHappens(t *testing.T) {
	t.Parallel()
	fake := vitectest.Start(t, vitectest.Options{})
	raw := strings.Replace(string(fake.Connection("vitec", fake.URL)), "{", `{"rate":{"concurrent":4,"per_second":1000},`, 1)
	client := newClient(t, []byte(raw), Options{})
	route := func(l portal.Lead) (portal.Sentence, vitectest.Receiver) {
		if _, err := client.SendLead(t.Context(), l); err != nil {
			t.Fatal(err)
		}
		leads := fake.Leads()
		return l.Route(), leads[len(leads)-1].To
	}
	seen := map[string]bool{}
	for _, sent := range []string{"M30011", "M30012", "M30420"} {
		for _, given := range []string{"", "M30011", "M30012", "M30420"} {
			for zip, found := range map[string]string{"": sent, "753 10": "M30011", "745 31": "M30012", "79171": "M30420",
				"744 32": sent, "111 22": sent} { // several cover the one, none the other
				for _, agent := range []string{"", anAgent} {
					l := shortLead()
					l.Customer, l.Office.CustomerID, l.ZipCode, l.Agent.ID = sent, given, zip, agent
					say, got := route(l)
					if c, named := say.Args["Customer"]; named && c != sent {
						t.Errorf("%s names %v, not %s", say.Key, c, sent)
					}
					if diff := cmp.Diff(promises[say.Key](given, found, sent), got); diff != "" {
						t.Errorf("%s, to %s, office %q, zip %q:\n%s", say.Key, sent, given, zip, diff)
					}
					seen[say.Key] = true
				}
			}
		}
	}
	if len(seen) != len(promises) {
		t.Errorf("sentences %v", seen)
	}
}
