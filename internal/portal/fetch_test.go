package portal_test

import (
	"slices"
	"testing"
	"time"

	"portico/internal/portal"
)

var guideRules = portal.PollRules{Acknowledges: true, Words: map[portal.State]string{portal.Received: "received", portal.Active: "active",
	portal.Waiting: "waiting", portal.Delivered: "delivered", portal.Failed: "cancelled", portal.Cancelled: "cancelled"}}

// fiber is a service whose orders are fetched.
func fiber() portal.Service {
	return portal.Service{ID: "fiber", ConnectionID: "guiden", Flow: portal.FlowPoll, TakesRemarks: true, TurnaroundHours: 48,
		TimeZone: "Europe/Stockholm", NetworkService: "AB100", Networks: []string{"KC"}, Reports: portal.States}
}

func guided(status string, state portal.State) portal.Listed {
	return portal.Listed{OrderID: "19530", Status: status, State: state, New: status == "new"}
}

func fetch(t *testing.T, svc portal.Service, l portal.Listed, access string) (*portal.Order, portal.Change) {
	t.Helper()
	o, c, err := portal.FetchOrder(svc, portal.Fetched{Listed: l, Ticket: portal.Ticket{OrderID: l.OrderID, Target: portal.Target{ID: access}}}, guideRules, noon)
	if err != nil {
		t.Fatal(err)
	}
	return o, c
}

func TestFetchedOrdersAreDueAsWished(t *testing.T) {
	t.Parallel()
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	turnaround := noon.Add(48 * time.Hour)
	for wished, want := range map[string]time.Time{
		portal.Asap: turnaround,
		"":          turnaround,
		"soon":      turnaround,
		noon.AddDate(0, 0, -1).Format(time.DateOnly):          turnaround,
		noon.AddDate(0, 1, 0).Format(time.DateOnly):           time.Date(noon.Year(), noon.Month()+1, noon.Day(), 23, 59, 0, 0, stockholm),
		noon.AddDate(1, 0, 0).Format("2006") + "-03-02 13:30": time.Date(noon.Year()+1, 3, 2, 13, 30, 0, 0, stockholm),
	} {
		l := guided("new", portal.Received)
		l.Wished = wished
		o, _ := fetch(t, fiber(), l, "KC1")
		if o.DueAt == nil || !o.DueAt.Equal(want) {
			t.Errorf("%q: due %v, want %v", wished, o.DueAt, want)
		}
	}
	svc := fiber()
	svc.TurnaroundHours = 0
	if o, _ := fetch(t, svc, guided("new", portal.Received), "KC1"); o.DueAt != nil {
		t.Errorf("due %v of a service without a turnaround", o.DueAt)
	}
}

func TestWhatIsSaidOfAFetchedOrder(t *testing.T) {
	t.Parallel()
	svc := fiber()
	svc.ActivateOnImport = true
	for name, tt := range map[string]struct {
		listed            portal.Listed
		access            string
		state             portal.State
		reports, activate bool
	}{
		"new":                  {guided("new", portal.Received), "kc0101", portal.Received, true, true},
		"new, of no network":   {guided("new", portal.Received), "XX0101", portal.Received, true, false},
		"read already":         {guided("received", portal.Received), "KC0101", portal.Received, false, false},
		"activated directly":   {guided("delivered", portal.Delivered), "KC0101", portal.Delivered, false, false},
		"a word of their own":  {guided("paused", ""), "KC0101", portal.Received, false, false},
		"waiting for somebody": {guided("waiting", portal.Waiting), "KC0101", portal.Waiting, false, false},
	} {
		o, c := fetch(t, svc, tt.listed, tt.access)
		if o.State != tt.state || (c.Report != nil) != tt.reports || (c.Activation != nil) != tt.activate {
			t.Errorf("%s: %s, report %v, activation %v", name, o.State, c.Report, c.Activation)
		}
		if o.Details.Direct != (tt.state == portal.Delivered) || (o.WaitingSince != nil) != (tt.state == portal.Waiting) {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	accepted := []portal.Activation{{ActivationAnswer: portal.ActivationAnswer{State: portal.ActivationAccepted}}}
	begun := []portal.Activation{{ActivationAnswer: portal.ActivationAnswer{State: portal.ActivationInProgress}}}
	done := []portal.Activation{{ActivationAnswer: portal.ActivationAnswer{State: portal.ActivationDone}}}
	for name, tt := range map[string]struct {
		state portal.State
		asked []portal.Activation
		want  []portal.Operation
	}{
		"received":          {portal.Received, nil, []portal.Operation{portal.Activate}},
		"active":            {portal.Active, done, []portal.Operation{portal.Activate}},
		"waiting":           {portal.Waiting, nil, []portal.Operation{portal.Activate}},
		"not begun":         {portal.Active, accepted, []portal.Operation{portal.Withdraw, portal.Reschedule}},
		"begun":             {portal.Active, begun, nil},
		"delivered":         {portal.Delivered, done, []portal.Operation{portal.Replace, portal.Deactivate}},
		"failed":            {portal.Failed, nil, nil},
		"cancelled":         {portal.Cancelled, nil, nil},
		"failed in time":    {portal.Failed, accepted, []portal.Operation{portal.Withdraw}},
		"to be ended":       {portal.Delivered, accepted, []portal.Operation{portal.Withdraw, portal.Reschedule}},
		"cancelled in time": {portal.Cancelled, accepted, []portal.Operation{portal.Withdraw}},
	} {
		o := &portal.Order{State: tt.state, Service: fiber(), Target: portal.Target{ID: "KC0101"}}
		if got := o.Operations(tt.asked); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
		o.Target.ID = "XX0101"
		if got := o.Operations(tt.asked); got != nil {
			t.Errorf("%s, of no network: %v", name, got)
		}
	}
}

func TestRemarksAreFollowedUp(t *testing.T) {
	t.Parallel()
	for kind, want := range map[portal.Remark]bool{portal.RemarkPlain: false, portal.RemarkImportant: true, portal.RemarkProblem: true} {
		o := &portal.Order{State: portal.Active, Service: fiber()}
		c, err := o.Remark(kind, "Port finns ej", erik, noon)
		if err != nil || len(c.Remarks) != 1 || c.Remarks[0].Remark != kind || c.Report != nil || o.FollowUp != want {
			t.Errorf("%s: %+v, %v, follow up %t", kind, c, err, o.FollowUp)
		}
	}
	o := &portal.Order{State: portal.Active, Service: fiber()}
	for kind, body := range map[portal.Remark]string{"loud": "Hej", portal.RemarkPlain: ""} {
		if _, err := o.Remark(kind, body, erik, noon); portal.KindOf(err) != portal.Invalid {
			t.Errorf("%s, %q: %v", kind, body, err)
		}
	}
	silent := fiber()
	silent.TakesRemarks = false
	o = &portal.Order{State: portal.Active, Service: silent}
	if c, err := o.Remark(portal.RemarkProblem, "Hej", erik, noon); err != nil || len(c.Remarks) > 0 || o.FollowUp {
		t.Errorf("%+v, %v: nobody is told there", c, err)
	}
}
