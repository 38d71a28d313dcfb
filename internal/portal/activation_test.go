package portal

import (
	"testing"
	"time"
)

// TestActivationMessage is what would be asked for, and asks for nothing.
func TestActivationMessage(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	o := Order{ID: 7, State: Received, Target: Target{ID: "kc0101a06"}, Service: Service{NetworkService: "AB100", Networks: []string{"KC"}}}
	accepted := []Activation{{ID: 3, ActivationAnswer: ActivationAnswer{NetworkID: "f3f2", State: ActivationAccepted}, Request: ActivationRequest{Operation: Activate, Service: "AB100"}}}
	done := func(op Operation, service string, state ActivationState) Activation {
		return Activation{ActivationAnswer: ActivationAnswer{State: state}, Request: ActivationRequest{Operation: op, Service: service}}
	}
	replaced := []Activation{done(Deactivate, "AB500", ActivationFailed), done(Replace, "AB900", ActivationRefused),
		done(Replace, "AB500", ActivationDone), done(Activate, "AB100", ActivationDone)}
	for _, c := range []struct {
		name    string
		state   State
		op      Operation
		service string
		asked   []Activation
		want    ActivationRequest
		ok      bool
	}{
		{"activate", Received, Activate, "", nil, ActivationRequest{Operation: Activate, Service: "AB100"}, true},
		{"not yet", Received, Deactivate, "", nil, ActivationRequest{}, false},
		{"replace", Delivered, Replace, "«…»", nil, ActivationRequest{Operation: Replace, Service: "«…»"}, true},
		{"under way", Received, Activate, "", accepted, ActivationRequest{}, false},
		{"withdraw", Received, Withdraw, "", accepted, ActivationRequest{ID: 3, Operation: Withdraw, Service: "AB100", NetworkID: "f3f2"}, true},
		{"what is there", Delivered, Deactivate, "", replaced, ActivationRequest{Operation: Deactivate, Service: "AB500"}, true},
		{"no operation", Delivered, "explode", "", nil, ActivationRequest{}, false},
	} {
		o.State = c.state
		m, ok := o.ActivationMessage(c.op, c.service, c.asked, now)
		if ok != c.ok || ok && *m.Activation != c.want {
			t.Errorf("%s: %+v, %t", c.name, m.Activation, ok)
		}
		if o.State != c.state || o.FollowUp {
			t.Errorf("%s changed the order", c.name)
		}
		if _, err := o.RequestActivation(c.op, c.service, c.asked, Actor{}, now); (err == nil) != c.ok {
			t.Errorf("%s: asked for, it is %v", c.name, err)
		}
	}
	if _, err := o.RequestActivation("explode", "", nil, Actor{}, now); KindOf(err) != Invalid {
		t.Errorf("no operation: %v", err)
	}
}

func TestRemarkMessage(t *testing.T) {
	t.Parallel()
	o := Order{State: Active}
	if _, takes := o.RemarkMessage(RemarkPlain, "x", time.Time{}); takes {
		t.Error("a partner that takes none is sent one")
	}
	o.Service.TakesRemarks = true
	if m, takes := o.RemarkMessage(RemarkProblem, " Porten finns inte ", time.Time{}); !takes || m.Remark != RemarkProblem || m.Comment != "Porten finns inte" || m.State != Active {
		t.Errorf("%+v, %t", m, takes)
	}
}
