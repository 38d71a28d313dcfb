package portal

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// activateStates are the states in which there is something to activate.
var activateStates = []State{Received, Active, Waiting}

// HasNetwork reports whether the access's network can be asked for the order's service.
func (o *Order) HasNetwork() bool {
	return o.Service.NetworkService != "" && slices.ContainsFunc(o.Service.Networks, func(prefix string) bool {
		return strings.HasPrefix(strings.ToUpper(o.Target.ID), prefix)
	})
}

// Operations returns what the access's network can be asked for now. asked is what
// it was asked for before, newest first.
func (o *Order) Operations(asked []Activation) []Operation {
	var list []Operation
	for _, op := range Operations {
		if o.allowOperation(op, asked) == nil {
			list = append(list, op)
		}
	}
	return list
}

func (o *Order) allowOperation(op Operation, asked []Activation) error {
	pending := len(asked) > 0 && !asked[0].State.Final()
	switch {
	case !o.HasNetwork():
		return Errorf(Conflict, "activation.no_network")
	case op == Withdraw:
		if !pending || asked[0].State != ActivationAccepted {
			return Errorf(Conflict, "activation.begun")
		}
		return nil
	case pending:
		return Errorf(Conflict, "activation.pending")
	case op == Activate && !slices.Contains(activateStates, o.State),
		op != Activate && o.State != Delivered:
		return Errorf(Conflict, "order.refused_"+string(o.State), "To", string(op))
	}
	return nil
}

// RequestActivation asks the access's network for an operation, with the
// network's name of a service; "" is the one that is there. asked is what it was
// asked for before, newest first. It returns Conflict where the state or what is
// going on does not allow it, and Invalid for what is no operation.
func (o *Order) RequestActivation(op Operation, service string, asked []Activation, by Actor, now time.Time) (Change, error) {
	if !op.Valid() {
		return Change{}, Errorf(Invalid, "error.bad_form")
	}
	if err := o.allowOperation(op, asked); err != nil {
		return Change{}, err
	}
	var c Change
	if op == Withdraw {
		m, last := o.message(o.State, "", now), asked[0]
		m.Activation = &ActivationRequest{ID: last.ID, Operation: Withdraw, Service: last.Request.Service, NetworkID: last.NetworkID}
		c.Activation = &m
		c.Events = append(c.Events, o.networkEvent(m.Activation, ActivationAnswer{State: ActivationQueued}, by, now))
		return c, nil
	}
	o.request(&c, op, cmp.Or(service, o.ActiveService(asked)), by, now)
	return c, nil
}

// ActivationMessage returns what the access's network would be asked for, and
// whether it can be asked for that now.
func (o *Order) ActivationMessage(op Operation, service string, asked []Activation, now time.Time) (Message, bool) {
	asking := *o
	c, err := asking.RequestActivation(op, service, asked, Actor{}, now)
	if err != nil || c.Activation == nil {
		return Message{}, false
	}
	return *c.Activation, true
}

// ActiveService returns the network's name of the service that the access has, or
// is to have.
func (o *Order) ActiveService(asked []Activation) string {
	for _, a := range asked {
		if a.State == ActivationDone && (a.Request.Operation == Activate || a.Request.Operation == Replace) {
			return a.Request.Service
		}
	}
	return o.Service.NetworkService
}

// request adds a question to the access's network to a change. Without a network
// it adds none: somebody has to see to it by hand.
func (o *Order) request(c *Change, op Operation, service string, by Actor, now time.Time) {
	if !o.HasNetwork() {
		return
	}
	r := &ActivationRequest{Operation: op, Service: service}
	if op == Activate && o.Details.Wished != "" {
		if at, ok := o.wishedFrom(); ok && at.After(now) {
			r.WishedFor = &at
		}
	}
	m := o.message(o.State, "", now)
	m.Activation = r
	c.Activation = &m
	c.Events = append(c.Events, o.networkEvent(r, ActivationAnswer{State: ActivationQueued}, by, now))
}

// wishedFrom returns from when on the customer wishes the service.
func (o *Order) wishedFrom() (time.Time, bool) {
	where := Provider{TimeZone: o.Service.TimeZone}.Location()
	for _, layout := range []string{"2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, o.Details.Wished, where); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// Answered takes what a network says of an activation, and the order follows:
// what it works on is active, what it has activated is delivered, and what it
// could not has failed. What says nothing new changes nothing.
func (o *Order) Answered(a *Activation, answer ActivationAnswer, now time.Time) (Change, error) {
	op, known := a.Request.Operation, a.State
	if a.State.Final() {
		return Change{}, nil
	}
	by := Actor{Kind: ActorPartner}
	a.ActivationAnswer, a.ChangedAt = a.merge(answer), now
	var c Change
	if answer.State != known {
		c.Events = append(c.Events, o.networkEvent(&a.Request, answer, by, now))
	}
	if op != Activate {
		o.trouble(&c, answer, now)
		return c, nil
	}
	var then Change
	var err error
	switch answer.State {
	case ActivationAccepted, ActivationInProgress:
		if o.State == Received || o.State == Waiting {
			then, err = o.become(Active, EventStarted, by, EventData{}, "", now)
		}
	case ActivationDone:
		if o.State.CanBecome(Delivered) {
			then, err = o.become(Delivered, EventDelivered, by, EventData{}, "", now)
		}
	case ActivationFailed:
		if o.State.CanBecome(Failed) {
			then, err = o.become(Failed, EventFailed, by, EventData{Body: answer.Message}, answer.Message, now)
			o.FollowUp = true
		}
	default:
		o.trouble(&c, answer, now)
	}
	c.Events, c.Report = append(c.Events, then.Events...), then.Report
	return c, err
}

// Withdrawn takes what a network says to being asked to forget an activation.
func (o *Order) Withdrawn(a *Activation, answer ActivationAnswer, now time.Time) Change {
	r := a.Request
	r.Operation = Withdraw
	c := Change{Events: []Event{o.networkEvent(&r, answer, Actor{Kind: ActorPartner}, now)}}
	if answer.State == ActivationWithdrawn && !a.State.Final() {
		a.State, a.ChangedAt = ActivationWithdrawn, now
	}
	return c
}

// trouble tells the partner, and staff, that a network would not or could not.
func (o *Order) trouble(c *Change, answer ActivationAnswer, now time.Time) {
	if answer.State != ActivationRefused && answer.State != ActivationFailed {
		return
	}
	o.FollowUp = true
	if answer.Message != "" {
		o.remark(c, RemarkProblem, answer.Message, now)
	}
}

// merge keeps what an earlier answer said and this one does not.
func (a *Activation) merge(answer ActivationAnswer) ActivationAnswer {
	if answer.NetworkID == "" {
		answer.NetworkID = a.NetworkID
	}
	if answer.ExpectedAt == nil {
		answer.ExpectedAt = a.ExpectedAt
	}
	return answer
}

func (o *Order) networkEvent(r *ActivationRequest, answer ActivationAnswer, by Actor, now time.Time) Event {
	return Event{Kind: EventNetwork, Actor: by, CreatedAt: now,
		Data: EventData{Operation: r.Operation, Activation: answer.State, Body: answer.Message, After: r.Service}}
}

// looks are the times between two looks at an activation that is under way.
var looks = []time.Duration{2 * time.Second, 3 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute}

// NextLook returns when a network is asked again about an activation.
func (a Activation) NextLook(now time.Time) time.Time {
	at := now.Add(looks[min(a.Looks, len(looks)-1)])
	// What is wished for next week is not asked about every five minutes.
	if w := a.Request.WishedFor; w != nil && w.Sub(now) > time.Hour {
		return now.Add(time.Hour)
	}
	return at
}
