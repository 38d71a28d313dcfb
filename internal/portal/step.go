package portal

import (
	"slices"
	"time"
)

// Step is something that a partner is told of between two states of an order.
type Step string

// The steps of a service that is an insurance.
const (
	StepPolicyIssued    Step = "policy_issued"    // there is a provisional policy
	StepPolicyActivated Step = "policy_activated" // the insurance is in force
)

// Steps lists every step in the sequence in which they are taken.
var Steps = []Step{StepPolicyIssued, StepPolicyActivated}

// stepStates are the states in which there is an order to insure.
var stepStates = []State{Received, Active, Waiting, Delivered}

// TakeStep tells of a step of an insurance. The state stays as it is. It returns
// Conflict where the service, the state or the sequence does not allow it.
func (o *Order) TakeStep(step Step, by Actor, now time.Time) (Change, error) {
	if err := o.allowStep(step); err != nil {
		return Change{}, err
	}
	o.Steps, o.UpdatedAt = append(slices.Clip(o.Steps), step), now
	m := o.StepMessage(step, now)
	return Change{Events: []Event{{Kind: EventKind(step), Actor: by, ForBroker: true, CreatedAt: now}}, Report: &m}, nil
}

func (o *Order) allowStep(step Step) error {
	at := slices.Index(Steps, step)
	switch {
	case !o.Service.Insurance:
		return Errorf(Conflict, "step.no_insurance")
	case !slices.Contains(stepStates, o.State):
		return Errorf(Conflict, "order.refused_"+string(o.State), "To", string(step))
	case at < 0:
		return Errorf(Invalid, "error.bad_form")
	case at < len(o.Steps):
		return Errorf(Conflict, "step.taken", "Step", string(step))
	case at > len(o.Steps):
		return Errorf(Conflict, "step.early", "Step", string(Steps[len(o.Steps)]))
	}
	return nil
}

// NextStep returns the step that can be taken now, "" if none can.
func (o *Order) NextStep() Step {
	for _, step := range Steps {
		if o.allowStep(step) == nil {
			return step
		}
	}
	return ""
}

// StepMessage returns what the partner is told of a step.
func (o *Order) StepMessage(step Step, now time.Time) Message {
	m := o.message(o.State, "", now)
	m.Step = step
	return m
}
