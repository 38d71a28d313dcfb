package portal

import "time"

// Settlement is what a person did about a difference.
type Settlement string

// The settlements.
const (
	Imported Settlement = "imported"
	Reported Settlement = "reported" // again
	Accepted Settlement = "accepted" // as it is, for a reason
)

// ImportOrder returns the order that a partner's list names and that never came
// in, as NewOrder does. Less is known of it than a ticket tells: not the kind of
// target, and of the owner only who ordered. A partner that shows more than
// received already is not told of it.
func ImportOrder(svc Service, d Difference, customer string, by Actor, now time.Time) (*Order, Change, error) {
	if d.Kind != MissingHere || d.Listed == nil {
		return nil, Change{}, Errorf(Conflict, "reconciliation.no_import")
	}
	o, c, err := NewOrder(svc, d.Listed.Ticket(customer), now)
	if err != nil {
		return nil, Change{}, err
	}
	for i := range c.Events {
		c.Events[i].Actor = by
	}
	c.Events[0] = Event{Kind: EventImported, Actor: by, Data: EventData{After: d.Theirs}, CreatedAt: now}
	if d.Report == "" {
		c.Report = nil
	}
	return o, c, nil
}

// Ticket returns what a list tells of who ordered what.
func (l Listed) Ticket(customer string) Ticket {
	return Ticket{OrderID: l.OrderID, Customer: customer, UserID: l.UserID, OwnerID: l.UserID, Target: Target{ID: l.TargetID}}
}

// ReportAgain tells the partner once more what it ought to show already, in the
// words of that time. It returns Conflict for an order that has changed since the
// comparison, and where there is nothing to tell.
func (o *Order) ReportAgain(d Difference, comment string, by Actor, now time.Time) (Change, error) {
	switch {
	case d.Kind == MissingHere || d.Report == "":
		return Change{}, Errorf(Conflict, "reconciliation.no_report")
	case o.State != d.Ours:
		return Change{}, Errorf(Conflict, "reconciliation.changed")
	}
	m := o.message(d.Report, comment, now)
	return Change{Report: &m, Events: []Event{{Kind: EventReportedAgain, Actor: by,
		Data: EventData{State: d.Report, After: d.Theirs}, CreatedAt: now}}}, nil
}

// AcceptDifference leaves the order as it is, for a reason. It returns Conflict
// for an order that has changed since the comparison.
func (o *Order) AcceptDifference(d Difference, reason string, by Actor, now time.Time) (Change, error) {
	if o.State != d.Ours {
		return Change{}, Errorf(Conflict, "reconciliation.changed")
	}
	return Change{Events: []Event{{Kind: EventAccepted, Actor: by, CreatedAt: now,
		Data: EventData{State: o.State, Body: reason, After: d.Theirs}}}}, nil
}

// Verify says that the partner's own list has an order that came in without
// proof. An order on another target there is not confirmed.
func (o *Order) Verify(l Listed, now time.Time) (Change, bool) {
	if !o.Unverified || l.OrderID != o.PartnerOrderID || l.TargetID != "" && l.TargetID != o.Target.ID {
		return Change{}, false
	}
	o.Unverified = false
	return Change{Events: []Event{{Kind: EventVerified, Actor: Actor{Kind: ActorPartner}, CreatedAt: now}}}, true
}
