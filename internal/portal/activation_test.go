package portal

import (
	"errors"
	"testing"
	"time"
)

// TestActivationMessage is what would be asked for, and asks for nothing.
func TestActivationMessage(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	o := Order{ID: 7, State: Received, Target: Target{ID: "kc0101a06"}, Service: Service{NetworkService: "AB100", Networks: []string{"KC"}}}
	later := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	queued := []Activation{{ID: 3, ActivationAnswer: ActivationAnswer{State: ActivationQueued}, Request: ActivationRequest{Operation: Activate, Service: "AB100"}}}
	accepted := []Activation{{ID: 3, ActivationAnswer: ActivationAnswer{NetworkID: "f3f2", State: ActivationAccepted}, Request: ActivationRequest{Operation: Activate, Service: "AB100"}}}
	done := func(op Operation, service string, state ActivationState) Activation {
		return Activation{ActivationAnswer: ActivationAnswer{State: state}, Request: ActivationRequest{Operation: op, Service: service}}
	}
	replaced := []Activation{done(Deactivate, "AB500", ActivationFailed), done(Replace, "AB900", ActivationRefused),
		done(Replace, "AB500", ActivationDone), done(Activate, "AB100", ActivationDone)}
	for _, c := range []struct {
		name  string
		state State
		ask   ActivationRequest
		asked []Activation
		want  ActivationRequest
		ok    bool
	}{
		{"activate", Received, ActivationRequest{Operation: Activate}, nil, ActivationRequest{Operation: Activate, Service: "AB100"}, true},
		{"not yet", Received, ActivationRequest{Operation: Deactivate, WishedFor: &later}, nil, ActivationRequest{}, false},
		{"replace", Delivered, ActivationRequest{Operation: Replace, Service: "«…»", WishedFor: &later}, nil, ActivationRequest{Operation: Replace, Service: "«…»", WishedFor: &later}, true},
		{"under way", Received, ActivationRequest{Operation: Activate}, accepted, ActivationRequest{}, false},
		{"withdraw", Received, ActivationRequest{Operation: Withdraw}, accepted, ActivationRequest{ID: 3, Operation: Withdraw, Service: "AB100", NetworkID: "f3f2"}, true},
		{"reschedule", Received, ActivationRequest{Operation: Reschedule, WishedFor: &later}, accepted, ActivationRequest{ID: 3, Operation: Reschedule, Service: "AB100", NetworkID: "f3f2", WishedFor: &later}, true},
		{"reschedule what the network does not have yet", Received, ActivationRequest{Operation: Reschedule, WishedFor: &later}, queued, ActivationRequest{}, false},
		{"reschedule nothing", Received, ActivationRequest{Operation: Reschedule, WishedFor: &later}, nil, ActivationRequest{}, false},
		{"what is there", Delivered, ActivationRequest{Operation: Deactivate, WishedFor: &later}, replaced, ActivationRequest{Operation: Deactivate, Service: "AB500", WishedFor: &later}, true},
		{"no operation", Delivered, ActivationRequest{Operation: "explode"}, nil, ActivationRequest{}, false},
	} {
		o.State = c.state
		m, ok := o.ActivationMessage(c.ask, c.asked, now)
		if ok != c.ok || ok && *m.Activation != c.want {
			t.Errorf("%s: %+v, %t", c.name, m.Activation, ok)
		}
		if o.State != c.state || o.FollowUp {
			t.Errorf("%s changed the order", c.name)
		}
		if _, err := o.RequestActivation(c.ask, c.asked, Actor{}, now); (err == nil) != c.ok {
			t.Errorf("%s: asked for, it is %v", c.name, err)
		}
	}
	if _, err := o.RequestActivation(ActivationRequest{Operation: "explode"}, nil, Actor{}, now); KindOf(err) != Invalid {
		t.Errorf("no operation: %v", err)
	}
}

// TestActivationDays: a day is one where the order is worked on, and is told as
// its midnight in UTC, which is never on the day before.
func TestActivationDays(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 23, 30, 0, 0, time.UTC) // the 25th in Stockholm
	day := func(y int, m time.Month, d int) *time.Time { return new(time.Date(y, m, d, 0, 0, 0, 0, time.UTC)) }
	o := Order{State: Delivered, Target: Target{ID: "KC1"}, Service: Service{NetworkService: "AB100", Networks: []string{"KC"}, TimeZone: "Europe/Stockholm"}}
	for _, op := range []Operation{Replace, Deactivate} {
		for _, c := range []struct {
			day *time.Time
			ok  bool
		}{{nil, false}, {day(2026, 11, 24), false}, {day(2026, 11, 25), true}, {day(2028, 11, 25), true}, {day(2028, 11, 26), false}, {&time.Time{}, false}} {
			asked, err := o.RequestActivation(ActivationRequest{Operation: op, WishedFor: c.day}, nil, Actor{}, now)
			var e *Error
			if c.ok && (err != nil || !asked.Activation.Activation.WishedFor.Equal(*c.day)) {
				t.Errorf("%s on %v: %v", op, c.day, err)
			}
			if !c.ok && (!errors.As(err, &e) || e.Fields["day"].Key == "") {
				t.Errorf("%s on %v: %v, want a fault of the day", op, c.day, err)
			}
		}
	}
	o.State = Received
	for wished, want := range map[string]*time.Time{
		Asap: nil, "": nil, "2026-11-24": nil, "2026-11-25": nil, "2026-11-26": day(2026, 11, 26),
		"2026-11-25 00:00": nil, "2026-11-25 13:30": new(time.Date(2026, 11, 25, 12, 30, 0, 0, time.UTC)),
	} {
		o.Details.Wished = wished
		m, ok := o.ActivationMessage(ActivationRequest{Operation: Activate, WishedFor: day(2027, 1, 1)}, nil, now)
		if got := m.Activation.WishedFor; !ok || (got == nil) != (want == nil) || got != nil && !got.Equal(*want) {
			t.Errorf("wished for %q: asked for %v, want %v", wished, got, want)
		}
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
