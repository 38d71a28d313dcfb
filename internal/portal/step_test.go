package portal_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

const (
	issued    = portal.StepPolicyIssued
	activated = portal.StepPolicyActivated
)

// insured returns an order of an insurance whose first steps are taken.
func insured(s portal.State, taken int) *portal.Order {
	o := orderIn(s)
	o.Service.Insurance, o.Steps = true, slices.Clone(portal.Steps[:taken])
	return o
}

func TestTakeStep(t *testing.T) {
	t.Parallel()
	allowed := []portal.State{portal.Received, portal.Active, portal.Waiting, portal.Delivered}
	for _, state := range portal.States {
		for taken := range len(portal.Steps) + 1 {
			next := portal.Step("")
			for i, step := range portal.Steps {
				o := insured(state, taken)
				before := *o
				change, err := o.TakeStep(step, erik, noon)
				switch {
				case !slices.Contains(allowed, state):
					wantRefusal(t, err, "order.refused_"+string(state))
				case i < taken:
					wantRefusal(t, err, "step.taken")
				case i > taken:
					wantRefusal(t, err, "step.early")
				default:
					next = step
					wantStep(t, before, o, change, err, step)
					continue
				}
				if diff := cmp.Diff(before, *o); diff != "" || len(change.Events) > 0 || change.Report != nil {
					t.Errorf("%s while %s with %d taken: refused, and yet %+v\n%s", step, state, taken, change, diff)
				}
			}
			if got := insured(state, taken).NextStep(); got != next {
				t.Errorf("while %s with %d taken, %q is next, want %q", state, taken, got, next)
			}
		}
	}
}

// wantStep checks that a step was taken and nothing else has changed.
func wantStep(t *testing.T, before portal.Order, o *portal.Order, c portal.Change, err error, step portal.Step) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	want := before
	want.Steps, want.UpdatedAt = append(slices.Clone(before.Steps), step), noon
	if diff := cmp.Diff(want, *o); diff != "" {
		t.Errorf("%s while %s:\n%s", step, before.State, diff)
	}
	event := portal.Event{Kind: portal.EventKind(step), Actor: erik, ForBroker: true, CreatedAt: noon}
	if diff := cmp.Diff([]portal.Event{event}, c.Events); diff != "" {
		t.Error(diff)
	}
	message := before.StepMessage(step, noon)
	if diff := cmp.Diff(&message, c.Report); diff != "" {
		t.Errorf("what was shown before is not what is sent:\n%s", diff)
	}
	if message.Step != step || message.State != before.State || message.PartnerOrderID != "B9" || message.Asks() {
		t.Errorf("%s while %s: the message is %+v", step, before.State, message)
	}
}

func TestStepsAreOfInsurancesOnly(t *testing.T) {
	t.Parallel()
	for _, state := range portal.States {
		o := orderIn(state)
		_, err := o.TakeStep(issued, erik, noon)
		wantRefusal(t, err, "step.no_insurance")
		if next := o.NextStep(); next != "" {
			t.Errorf("%q is next of an order that is no insurance", next)
		}
	}
}

func TestStepRefusalsSayWhat(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		order *portal.Order
		step  portal.Step
		kind  portal.Kind
		say   portal.Sentence
	}{
		"unknown":           {insured(portal.Active, 0), "refunded", portal.Invalid, portal.Say("error.bad_form")},
		"none":              {insured(portal.Active, 0), "", portal.Invalid, portal.Say("error.bad_form")},
		"too early":         {insured(portal.Active, 0), activated, portal.Conflict, portal.Say("step.early", "Step", "policy_issued")},
		"taken":             {insured(portal.Active, 2), activated, portal.Conflict, portal.Say("step.taken", "Step", "policy_activated")},
		"cancelled":         {insured(portal.Cancelled, 1), activated, portal.Conflict, portal.Say("order.refused_cancelled", "To", "policy_activated")},
		"unknown and ended": {insured(portal.Failed, 0), "refunded", portal.Conflict, portal.Say("order.refused_failed", "To", "refunded")},
	} {
		_, err := c.order.TakeStep(c.step, erik, noon)
		e := asError(t, err)
		if diff := cmp.Diff(c.say, e.Say); diff != "" || e.Kind != c.kind {
			t.Errorf("%s: kind %d, want %d\n%s", name, e.Kind, c.kind, diff)
		}
	}
}

// TestStepsAreNotShared: what is taken of one copy of an order is not of another.
func TestStepsAreNotShared(t *testing.T) {
	t.Parallel()
	o := insured(portal.Active, 0)
	o.Steps = make([]portal.Step, 0, 2)
	copied := *o
	for _, one := range []*portal.Order{o, &copied} {
		if _, err := one.TakeStep(issued, erik, noon); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := o.TakeStep(activated, erik, noon); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]portal.Step{issued}, copied.Steps); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyQuestionsAsk(t *testing.T) {
	t.Parallel()
	for _, state := range portal.States {
		asks := state == portal.Waiting || state == portal.Draft
		if got := (portal.Message{State: state}).Asks(); got != asks {
			t.Errorf("%s asks: %t", state, got)
		}
		if (portal.Message{State: state, Step: issued}).Asks() {
			t.Errorf("a step while %s asks", state)
		}
	}
}

func TestCreateOrder(t *testing.T) {
	t.Parallel()
	form := portal.Form{Fields: []portal.Field{{ID: "where", Type: portal.FieldText}}}
	ticket := portal.Ticket{OrderID: "B1", Customer: "M1", Target: portal.Target{Type: "Case", ID: "66115"}}
	svc := portal.Service{ID: "foto", Flow: portal.FlowPage, Form: form, Reports: []portal.State{portal.Received}}
	o, change, err := portal.CreateOrder(svc, ticket, erik, noon)
	want := []portal.Event{{Kind: portal.EventCreated, Actor: erik, ForBroker: true, CreatedAt: noon}}
	if diff := cmp.Diff(want, change.Events); err != nil || o.State != portal.Draft || change.Report != nil || diff != "" {
		t.Errorf("%+v, report %v, %v\n%s", o, change.Report, err, diff)
	}
	svc.Form = portal.Form{}
	o, change, err = portal.CreateOrder(svc, ticket, erik, noon)
	want = append(want, portal.Event{Kind: portal.EventReceived, Actor: erik, ForBroker: true, CreatedAt: noon})
	if diff := cmp.Diff(want, change.Events); err != nil || o.State != portal.Received || change.Report == nil || diff != "" {
		t.Errorf("without a form: %+v, report %v, %v\n%s", o, change.Report, err, diff)
	}
}
