package portal

import (
	"strconv"
	"strings"
	"time"
)

// Order is one partner order. Its identity is connection, office and the
// partner's order id; its public id is random and is what addresses carry.
type Order struct {
	ID             int64
	PublicID       string
	Service        Service // with the form that the order was made for
	Office         Office
	PartnerOrderID string
	Tenant         string
	Target         Target
	BrokerID       int64
	Broker         string // how the broker is called on the timeline
	State          State
	Steps          []Step // that were taken, in their sequence
	Answers        Answers
	Total          int64 // minor units
	Currency       string
	AssignedTo     int64 // staff, 0: nobody
	Assignee       string
	ReceivedAt     *time.Time
	DueAt          *time.Time
	WaitingSince   *time.Time
	Unverified     bool // it came in without proof, and the partner's list has not confirmed it
	Unproven       bool // the partner did not prove who the user is
	FollowUp       bool // a problem that somebody has to see to beside the portal
	Details        Details
	Shown          string     // stands for what the partner shows of it
	ErasedAt       *time.Time // nothing about people is left in it since
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Change is what an action leaves to be stored with the order: lines for the
// timeline, the files that the partner is brought, what it is written, and the
// report to it that comes after them, nil if the partner is not told.
type Change struct {
	Events  []Event
	Uploads []Message
	Remarks []Message
	Report  *Message

	// Activation is what the access's network is asked for after all of it.
	Activation *Message
}

// NewOrder returns the order that a ticket brings in, and what stands on its
// timeline from the start. An order of a service without a form is received at
// once. In the background no page has opened: there the broker is asked
// through the partner to complete the order.
func NewOrder(svc Service, t Ticket, now time.Time) (*Order, Change, error) {
	return newOrder(svc, t, EventOpened, Actor{Kind: ActorBroker}, now)
}

// CreateOrder returns the order that staff made at the partner, as NewOrder
// does. A draft waits for the broker, who opens it there.
func CreateOrder(svc Service, t Ticket, by Actor, now time.Time) (*Order, Change, error) {
	return newOrder(svc, t, EventCreated, by, now)
}

func newOrder(svc Service, t Ticket, kind EventKind, by Actor, now time.Time) (*Order, Change, error) {
	o := &Order{Service: svc, Office: Office{Customer: t.Customer}, PartnerOrderID: t.OrderID, Tenant: t.Tenant,
		Target: t.Target, State: Draft, Answers: Answers{}, CreatedAt: now, UpdatedAt: now}
	c := Change{Events: []Event{{Kind: kind, Actor: by, ForBroker: true, CreatedAt: now}}}
	if len(svc.Form.Fields) == 0 {
		accepted, err := o.Accept(by, now)
		if err != nil {
			return nil, Change{}, err
		}
		c.Events, c.Report = append(c.Events, accepted.Events...), accepted.Report
	} else if svc.Flow == FlowBackground {
		m := o.message(Draft, svc.Ask, now)
		c.Report = &m
	}
	return o, c, nil
}

// Submit completes the order with the broker's answers.
func (o *Order) Submit(typed map[string][]string, by Actor, now time.Time) (Change, error) {
	answers, faults := o.Service.Form.Validate(typed)
	if o.State == Draft {
		if err := InvalidFields(faults); err != nil {
			return Change{}, err
		}
	}
	return o.receive(answers, by, now)
}

// Accept completes an order whose service asks nothing.
func (o *Order) Accept(by Actor, now time.Time) (Change, error) {
	return o.receive(Answers{}, by, now)
}

func (o *Order) receive(answers Answers, by Actor, now time.Time) (Change, error) {
	if err := o.allow(Received); err != nil {
		return Change{}, err
	}
	o.Answers, o.Total = answers, o.Service.Form.Total(answers)
	o.ReceivedAt = &now
	if d := o.Service.Turnaround(); d > 0 {
		due := now.Add(d)
		o.DueAt = &due
	}
	return o.become(Received, EventReceived, by, EventData{}, "", now)
}

// Start says that somebody works on the order. What is delivered or failed has
// to be reopened.
func (o *Order) Start(by Actor, now time.Time) (Change, error) {
	if o.State == Delivered || o.State == Failed {
		return Change{}, o.refuse(Active)
	}
	return o.become(Active, EventStarted, by, EventData{}, "", now)
}

// Ask puts a question to the broker, and the order waits for the answer.
func (o *Order) Ask(i Interaction, by Actor, now time.Time) (Change, error) {
	if err := o.allow(Waiting); err != nil {
		return Change{}, err
	}
	faults := FieldErrors{}
	checkBody("comment", i.Comment, true, faults)
	if len(i.Choices) > MaxChoices {
		faults["choices"] = Say("interaction.many_choices", "Max", MaxChoices)
	}
	if len(i.Choices) == 1 {
		faults["choices"] = Say("interaction.one_choice")
	}
	for _, c := range i.Choices {
		checkBody("choices", c, true, faults)
	}
	if err := InvalidFields(faults); err != nil {
		return Change{}, err
	}
	c, err := o.become(Waiting, EventAsked, by, EventData{Body: i.Comment}, i.Comment, now)
	if err == nil {
		o.WaitingSince = &now
		o.FollowUp = o.FollowUp || o.Service.TakesRemarks
	}
	return c, err
}

// Answer answers an open question, and the work goes on. The time that the
// order waited is added to when it is due.
func (o *Order) Answer(i *Interaction, answer string, by Actor, now time.Time) (Change, error) {
	if !i.Open() || o.State != Waiting {
		return Change{}, Errorf(Conflict, "interaction.closed")
	}
	if err := InvalidFields(i.check(answer)); err != nil {
		return Change{}, err
	}
	c, err := o.become(Active, EventAnswered, by, EventData{Body: answer, Question: i.Comment}, answer, now)
	if err != nil {
		return Change{}, err
	}
	i.Answer, i.AnsweredAt, i.ClosedAt = answer, &now, &now
	return c, nil
}

// Deliver hands over a delivery, its files too where the partner takes them.
func (o *Order) Deliver(d Delivery, by Actor, now time.Time) (Change, error) {
	if err := o.allow(Delivered); err != nil {
		return Change{}, err
	}
	faults := FieldErrors{}
	checkBody("message", d.Message, false, faults)
	if len(d.Files) == 0 && len(d.Links) == 0 && d.Message == "" {
		faults["files"] = Say("delivery.empty")
	}
	if err := InvalidFields(faults); err != nil {
		return Change{}, err
	}
	data := EventData{Body: d.Message, Version: d.Version, Files: len(d.Files)}
	c, err := o.become(Delivered, EventDelivered, by, data, d.Message, now)
	if err == nil && o.Service.TakesFiles {
		c.Uploads = o.uploads(d, now)
	}
	return c, err
}

// Fail says that the order cannot be done, and why.
func (o *Order) Fail(description string, by Actor, now time.Time) (Change, error) {
	if err := o.allow(Failed); err != nil {
		return Change{}, err
	}
	faults := FieldErrors{}
	checkBody("description", description, true, faults)
	if err := InvalidFields(faults); err != nil {
		return Change{}, err
	}
	c, err := o.become(Failed, EventFailed, by, EventData{Body: description}, description, now)
	o.FollowUp = o.FollowUp || err == nil && o.Service.TakesRemarks
	return c, err
}

// Cancel ends the order for a reason.
func (o *Order) Cancel(reason string, by Actor, now time.Time) (Change, error) {
	if err := o.allow(Cancelled); err != nil {
		return Change{}, err
	}
	faults := FieldErrors{}
	checkBody("reason", reason, true, faults)
	if err := InvalidFields(faults); err != nil {
		return Change{}, err
	}
	return o.become(Cancelled, EventCancelled, by, EventData{Body: reason}, reason, now)
}

// Reopen takes up a delivered or failed order again.
func (o *Order) Reopen(by Actor, now time.Time) (Change, error) {
	if o.State != Delivered && o.State != Failed {
		return Change{}, o.refuse(Active)
	}
	return o.become(Active, EventReopened, by, EventData{}, "", now)
}

// RequestRevision is the broker's wish for a change to what was delivered.
func (o *Order) RequestRevision(body string, by Actor, now time.Time) (Change, error) {
	if o.State != Delivered {
		return Change{}, o.refuse(Active)
	}
	faults := FieldErrors{}
	checkBody("body", body, true, faults)
	if err := InvalidFields(faults); err != nil {
		return Change{}, err
	}
	return o.become(Active, EventRevision, by, EventData{Body: body}, body, now)
}

// Write puts a message on the timeline; the state stays as it is.
func (o *Order) Write(body string, by Actor, now time.Time) (Change, error) {
	if o.State == Draft {
		return Change{}, Errorf(Conflict, "order.not_completed")
	}
	return write(EventMessage, body, by, true, now)
}

// Note puts a note on the timeline that only staff see.
func (o *Order) Note(body string, by Actor, now time.Time) (Change, error) {
	return write(EventNote, body, by, false, now)
}

// Assign gives the order to a member of staff, or with the zero Staff to nobody.
func (o *Order) Assign(to Staff, by Actor, now time.Time) Change {
	o.AssignedTo, o.Assignee = to.ID, to.Name
	return Change{Events: []Event{{Kind: EventAssigned, Actor: by, Data: EventData{Staff: to.Name}, CreatedAt: now}}}
}

func write(kind EventKind, body string, by Actor, forBroker bool, now time.Time) (Change, error) {
	faults := FieldErrors{}
	checkBody("body", body, true, faults)
	if err := InvalidFields(faults); err != nil {
		return Change{}, err
	}
	e := Event{Kind: kind, Actor: by, ForBroker: forBroker, Data: EventData{Body: body}, CreatedAt: now}
	return Change{Events: []Event{e}}, nil
}

// become is the only place where a state changes.
func (o *Order) become(to State, kind EventKind, by Actor, data EventData, comment string, now time.Time) (Change, error) {
	if err := o.allow(to); err != nil {
		return Change{}, err
	}
	if o.WaitingSince != nil {
		if o.DueAt != nil {
			due := o.DueAt.Add(now.Sub(*o.WaitingSince))
			o.DueAt = &due
		}
		o.WaitingSince = nil
	}
	o.State, o.UpdatedAt = to, now
	c := Change{Events: []Event{{Kind: kind, Actor: by, ForBroker: true, Data: data, CreatedAt: now}}}
	if o.Service.Tells(to) {
		m := o.message(to, comment, now)
		c.Report = &m
	}
	return c, nil
}

func (o *Order) message(state State, comment string, now time.Time) Message {
	svc := o.Service
	m := Message{OrderID: o.ID, ConnectionID: svc.ConnectionID, ServiceID: svc.ID,
		Customer: o.Office.Customer, Tenant: o.Tenant, PartnerOrderID: o.PartnerOrderID, Target: o.Target,
		State: state, Comment: strings.TrimSpace(comment), Since: now,
		PublicID: o.PublicID, Language: svc.Language, Title: svc.Name.In(svc.Language),
		Package: svc.Form.Package(o.Answers, svc.Language), Price: o.Total, Currency: o.Currency, Shown: o.Shown}
	if o.ID != 0 {
		m.Number = strconv.FormatInt(o.ID, 10)
	}
	if o.DueAt != nil {
		m.Day = o.DueAt.In(o.location()).Format(time.DateOnly)
	}
	return m
}

// MessageFor returns what the partner would be told if the order became state,
// and whether it would be told anything.
func (o *Order) MessageFor(state State, comment string, now time.Time) (Message, bool) {
	return o.message(state, comment, now), o.Service.Tells(state)
}

// allow refuses what the state does not allow. Actions ask before they look at
// what was typed: of a form that is no longer there nobody sees the faults.
func (o *Order) allow(to State) error {
	if !o.State.CanBecome(to) {
		return o.refuse(to)
	}
	return nil
}

func (o *Order) refuse(to State) error {
	return Errorf(Conflict, "order.refused_"+string(o.State), "To", string(to))
}
