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
	case op.OfPending():
		if !pending || asked[0].State != ActivationAccepted {
			return Errorf(Conflict, "activation.begun")
		}
		if op == Reschedule && (o.State == Cancelled || o.State == Failed) {
			return o.refuseOperation(op)
		}
		return nil
	case pending:
		return Errorf(Conflict, "activation.pending")
	case op == Activate && !slices.Contains(activateStates, o.State),
		op != Activate && o.State != Delivered:
		return o.refuseOperation(op)
	}
	return nil
}

func (o *Order) refuseOperation(op Operation) error {
	return Errorf(Conflict, "order.refused_"+string(o.State), "To", string(op))
}

// RequestActivation asks the access's network for an operation. Of r only the
// operation, the network's name of a service ("" is the one that is there) and
// the wished time count. asked is what the network was asked for before, newest
// first. It returns Conflict where the state or what is going on does not allow
// it, and Invalid for what is no operation, and for no possible day.
func (o *Order) RequestActivation(r ActivationRequest, asked []Activation, by Actor, now time.Time) (Change, error) {
	if !r.Operation.Valid() {
		return Change{}, Errorf(Invalid, "error.bad_form")
	}
	if err := o.allowOperation(r.Operation, asked); err != nil {
		return Change{}, err
	}
	if r.Operation.TakesDay() {
		if fault := o.dayFault(r.WishedFor, now); fault.Key != "" {
			return Change{}, InvalidFields(FieldErrors{"day": fault})
		}
	}
	return o.requestActivation(r, asked, by, now), nil
}

func (o *Order) requestActivation(r ActivationRequest, asked []Activation, by Actor, now time.Time) Change {
	if r.Operation.OfPending() {
		r.ID, r.Service, r.NetworkID = asked[0].ID, asked[0].Request.Service, asked[0].NetworkID
	} else {
		r.Service = cmp.Or(r.Service, o.ActiveService(asked))
	}
	if r.Operation == Activate {
		r.WishedFor = o.wishedFrom(now)
	}
	m := o.message(o.State, "", now)
	m.Activation = &r
	return Change{Activation: &m, Events: []Event{o.networkEvent(&r, ActivationAnswer{State: ActivationQueued}, by, now)}}
}

// ActivationDays returns the first and the last day on which an operation can be
// wished for: today, where the order is worked on, and two years from then on.
func (o *Order) ActivationDays(now time.Time) (first, last time.Time) {
	y, m, d := now.In(o.location()).Date()
	first = time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	return first, first.AddDate(2, 0, 0)
}

func (o *Order) dayFault(day *time.Time, now time.Time) Sentence {
	if day == nil {
		return Say("field.date")
	}
	if first, last := o.ActivationDays(now); day.Before(first) || day.After(last) {
		return Say("activation.day", "First", first.Format(time.DateOnly), "Last", last.Format(time.DateOnly))
	}
	return Sentence{}
}

// ActivationMessage returns what the access's network would be asked for, on
// whatever day, and whether it can be asked for that now.
func (o *Order) ActivationMessage(r ActivationRequest, asked []Activation, now time.Time) (Message, bool) {
	if !r.Operation.Valid() || o.allowOperation(r.Operation, asked) != nil {
		return Message{}, false
	}
	return *o.requestActivation(r, asked, Actor{}, now).Activation, true
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

// wishedFrom returns from when on the customer wishes the service; nil: at once.
func (o *Order) wishedFrom(now time.Time) *time.Time {
	if at, err := time.ParseInLocation("2006-01-02 15:04", o.Details.Wished, o.location()); err == nil && at.After(now) {
		return &at
	}
	first, _ := o.ActivationDays(now)
	// As the standard's examples have it: the midnight before is on the day before
	// for a network that reads the date alone.
	if day, err := time.Parse(time.DateOnly, o.Details.Wished); err == nil && day.After(first) {
		return &day
	}
	return nil
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

// AnsweredOf takes what a network says to being asked to forget or to reschedule
// an activation.
func (o *Order) AnsweredOf(a *Activation, r ActivationRequest, answer ActivationAnswer, now time.Time) Change {
	c := Change{Events: []Event{o.networkEvent(&r, answer, Actor{Kind: ActorPartner}, now)}}
	switch {
	case a.State.Final() || answer.State == ActivationRefused:
	case r.Operation == Withdraw:
		a.State, a.ChangedAt = ActivationWithdrawn, now
	case r.Operation == Reschedule:
		a.Request.WishedFor, a.ExpectedAt, a.ChangedAt = r.WishedFor, nil, now
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
