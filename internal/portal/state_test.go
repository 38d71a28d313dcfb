package portal_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

// transitions is the whole table: what is not in it is refused.
var transitions = map[portal.State][]portal.State{
	portal.Draft:     {portal.Received, portal.Cancelled},
	portal.Received:  {portal.Active, portal.Waiting, portal.Delivered, portal.Failed, portal.Cancelled},
	portal.Active:    {portal.Waiting, portal.Delivered, portal.Failed, portal.Cancelled},
	portal.Waiting:   {portal.Active, portal.Delivered, portal.Failed, portal.Cancelled},
	portal.Delivered: {portal.Active},
	portal.Failed:    {portal.Active},
	portal.Cancelled: {},
}

// actions are the methods that change the state, and the states they start from.
var actions = []struct {
	name string
	from []portal.State
	to   portal.State
	kind portal.EventKind
	key  string // of the refusal, if it is not order.refused_<state>
	do   func(o *portal.Order) (portal.Change, error)
}{
	{name: "submit", from: []portal.State{portal.Draft}, to: portal.Received, kind: portal.EventReceived,
		do: func(o *portal.Order) (portal.Change, error) {
			return o.Submit(map[string][]string{"key": {"1234"}}, broker, noon)
		}},
	{name: "accept", from: []portal.State{portal.Draft}, to: portal.Received, kind: portal.EventReceived,
		do: func(o *portal.Order) (portal.Change, error) { return o.Accept(broker, noon) }},
	{name: "start", from: []portal.State{portal.Received, portal.Waiting}, to: portal.Active, kind: portal.EventStarted,
		do: func(o *portal.Order) (portal.Change, error) { return o.Start(erik, noon) }},
	{name: "ask", from: []portal.State{portal.Received, portal.Active}, to: portal.Waiting, kind: portal.EventAsked,
		do: func(o *portal.Order) (portal.Change, error) {
			return o.Ask(portal.Interaction{Comment: "Vilken dag?"}, erik, noon)
		}},
	{name: "answer", from: []portal.State{portal.Waiting}, to: portal.Active, kind: portal.EventAnswered, key: "interaction.closed",
		do: func(o *portal.Order) (portal.Change, error) {
			return o.Answer(&portal.Interaction{Comment: "Vilken dag?"}, "Tisdag", broker, noon)
		}},
	{name: "deliver", from: []portal.State{portal.Received, portal.Active, portal.Waiting}, to: portal.Delivered, kind: portal.EventDelivered,
		do: func(o *portal.Order) (portal.Change, error) {
			return o.Deliver(portal.Delivery{Message: "Klart"}, erik, noon)
		}},
	{name: "fail", from: []portal.State{portal.Received, portal.Active, portal.Waiting}, to: portal.Failed, kind: portal.EventFailed,
		do: func(o *portal.Order) (portal.Change, error) { return o.Fail("Huset är rivet", erik, noon) }},
	{name: "cancel", from: []portal.State{portal.Draft, portal.Received, portal.Active, portal.Waiting}, to: portal.Cancelled, kind: portal.EventCancelled,
		do: func(o *portal.Order) (portal.Change, error) { return o.Cancel("Ångrat", broker, noon) }},
	{name: "reopen", from: []portal.State{portal.Delivered, portal.Failed}, to: portal.Active, kind: portal.EventReopened,
		do: func(o *portal.Order) (portal.Change, error) { return o.Reopen(erik, noon) }},
	{name: "request revision", from: []portal.State{portal.Delivered}, to: portal.Active, kind: portal.EventRevision,
		do: func(o *portal.Order) (portal.Change, error) { return o.RequestRevision("Ljusare", broker, noon) }},
}

func TestCanBecome(t *testing.T) {
	t.Parallel()
	for _, from := range portal.States {
		for _, to := range portal.States {
			if got, want := from.CanBecome(to), slices.Contains(transitions[from], to); got != want {
				t.Errorf("%s can become %s: %v, want %v", from, to, got, want)
			}
		}
		if from.CanBecome("frozen") || portal.State("frozen").CanBecome(from) {
			t.Errorf("an unknown state changes to or from %s", from)
		}
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	if len(portal.States) != len(transitions) {
		t.Errorf("%d states, want %d", len(portal.States), len(transitions))
	}
	for _, s := range append(slices.Clone(portal.States), "", "frozen", "Draft") {
		if got, want := s.Valid(), slices.Contains(portal.States, s); got != want {
			t.Errorf("%q is valid: %v", s, got)
		}
	}
	for _, s := range portal.OpenStates {
		if !s.Valid() || s == portal.Draft || s == portal.Delivered || s == portal.Cancelled {
			t.Errorf("staff have something to do while %s", s)
		}
	}
}

func TestActionsFollowTheTable(t *testing.T) {
	t.Parallel()
	reached := map[portal.State]map[portal.State]bool{}
	for _, from := range portal.States {
		reached[from] = map[portal.State]bool{}
		for _, a := range actions {
			t.Run(a.name+" "+string(from), func(t *testing.T) {
				o := orderIn(from)
				before := *o
				change, err := a.do(o)
				if slices.Contains(a.from, from) {
					reached[from][a.to] = true
					wantChange(t, o, change, err, a.to, a.kind)
					return
				}
				key := "order.refused_" + string(from)
				if a.key != "" {
					key = a.key
				}
				wantRefusal(t, err, key)
				if diff := cmp.Diff(before, *o); diff != "" || len(change.Events) > 0 || change.Report != nil {
					t.Errorf("a refusal left %+v and changed the order:\n%s", change, diff)
				}
			})
		}
		for _, to := range portal.States {
			if want := slices.Contains(transitions[from], to); reached[from][to] != want {
				t.Errorf("some action takes %s to %s: %v, want %v", from, to, reached[from][to], want)
			}
		}
	}
}

func wantChange(t *testing.T, o *portal.Order, c portal.Change, err error, to portal.State, kind portal.EventKind) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if o.State != to || !o.UpdatedAt.Equal(noon) {
		t.Errorf("state %s at %v, want %s at %v", o.State, o.UpdatedAt, to, noon)
	}
	if len(c.Events) != 1 || c.Events[0].Kind != kind || !c.Events[0].ForBroker || !c.Events[0].CreatedAt.Equal(noon) {
		t.Errorf("events %+v, want one %s for the broker", c.Events, kind)
	}
	if told := c.Report != nil; told != (to != portal.Active) {
		t.Errorf("the partner is told of %s: %v", to, told)
	}
	if (o.State == portal.Waiting) != (o.WaitingSince != nil) {
		t.Errorf("%s, waiting since %v", o.State, o.WaitingSince)
	}
}

func wantRefusal(t *testing.T, err error, key string) {
	t.Helper()
	e := asError(t, err)
	if e.Kind != portal.Conflict || e.Say.Key != key {
		t.Errorf("refused with kind %d and %q, want a conflict and %q", e.Kind, e.Say.Key, key)
	}
}

var (
	noon   = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	broker = portal.Actor{Kind: portal.ActorBroker, ID: 7, Name: "Åsa"}
	erik   = portal.Actor{Kind: portal.ActorStaff, ID: 3, Name: "Erik"}
)

// orderIn returns an order that got to a state in an ordinary way.
func orderIn(s portal.State) *portal.Order {
	received, due := noon.Add(-24*time.Hour), noon.Add(24*time.Hour)
	o := &portal.Order{ID: 42, PartnerOrderID: "B9", State: s, Tenant: "T1", Office: portal.Office{Customer: "M1"},
		Target: portal.Target{Type: "House", ID: "OBJ1"},
		Service: portal.Service{ID: "foto", ConnectionID: "vitec", Flow: portal.FlowPage, TurnaroundHours: 48,
			Reports: []portal.State{portal.Received, portal.Waiting, portal.Delivered, portal.Failed, portal.Cancelled},
			Form: portal.Form{Fields: []portal.Field{{ID: "key", Type: portal.FieldText, Required: true},
				{ID: "rush", Type: portal.FieldCheckbox, Price: 75000}}}}}
	if s != portal.Draft {
		o.ReceivedAt, o.DueAt = &received, &due
	}
	if s == portal.Waiting {
		since := noon.Add(-3 * time.Hour)
		o.WaitingSince = &since
	}
	return o
}
