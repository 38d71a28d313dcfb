package portal

import "time"

// FetchOrder returns the order that a partner without a callback lists. It is as
// far as the partner shows it; only one that nobody has read yet is reported as
// received, and, where the service says so, its network asked for it at once.
func FetchOrder(svc Service, f Fetched, rules PollRules, now time.Time) (*Order, Change, error) {
	t, l := f.Ticket, f.Listed
	o := &Order{Service: svc, Office: Office{Customer: t.Customer, Name: t.CustomerName}, PartnerOrderID: t.OrderID, Tenant: t.Tenant,
		Target: t.Target, State: l.State, Details: f.Details, Answers: Answers{}, ReceivedAt: &now, Shown: l.Status,
		CreatedAt: now, UpdatedAt: now}
	if o.State == "" {
		o.State = Received
	}
	o.Details.Wished, o.Details.OrderedAt = l.Wished, l.CreatedAt
	o.Details.Direct = rules.Acknowledges && l.State == Delivered
	if o.State == Waiting {
		o.WaitingSince = &now
	}
	o.DueAt = o.due(now)
	c := Change{Events: []Event{{Kind: EventFetched, Actor: Actor{Kind: ActorPartner}, ForBroker: true, CreatedAt: now,
		Data: EventData{State: o.State, After: l.Status, Direct: o.Details.Direct}}}}
	if !l.New || !rules.Acknowledges {
		return o, c, nil
	}
	if svc.Tells(Received) {
		m := o.message(Received, "", now)
		c.Report = &m
	}
	if svc.ActivateOnImport && o.HasNetwork() { // otherwise somebody sees to it by hand
		asking := o.requestActivation(ActivationRequest{Operation: Activate}, nil, Actor{Kind: ActorSystem}, now)
		c.Activation, c.Events = asking.Activation, append(c.Events, asking.Events...)
	}
	return o, c, nil
}

// due returns when a fetched order is due: when the customer wishes it, unless
// that is as soon as possible or over.
func (o *Order) due(now time.Time) *time.Time {
	if at, ok := o.wishedFor(); ok && at.After(now) {
		return &at
	}
	if d := o.Service.Turnaround(); d > 0 {
		at := now.Add(d)
		return &at
	}
	return nil
}

// wishedFor returns when the customer wishes the order done; a day is over at its end.
func (o *Order) wishedFor() (time.Time, bool) {
	if at, err := time.ParseInLocation("2006-01-02 15:04", o.Details.Wished, o.location()); err == nil {
		return at, true
	}
	day, err := time.ParseInLocation(time.DateOnly, o.Details.Wished, o.location())
	return day.AddDate(0, 0, 1).Add(-time.Minute), err == nil
}

// location is where the order is worked on.
func (o *Order) location() *time.Location {
	return Provider{TimeZone: o.Service.TimeZone}.Location()
}

// See notes what the partner shows of a fetched order, which somebody else has
// set there. The state stays ours, unless somebody else fulfils the orders and we
// had not changed it. It returns false if the partner shows what it did.
func (o *Order) See(l Listed, rules PollRules, now time.Time) (Change, bool) {
	if l.Status == o.Shown {
		return Change{}, false
	}
	follows := rules.Follows && o.mirrors(rules)
	before := o.Shown
	o.Shown = l.Status
	c := Change{Events: []Event{{Kind: EventSeen, Actor: Actor{Kind: ActorPartner}, ForBroker: true, CreatedAt: now,
		Data: EventData{State: l.State, Before: before, After: l.Status}}}}
	if follows && l.State != "" && o.State.CanBecome(l.State) {
		o.State, o.UpdatedAt, o.WaitingSince = l.State, now, nil
		if l.State == Waiting {
			o.WaitingSince = &now
		}
	}
	return c, true
}

// mirrors reports whether the state is what the partner has shown last. What it
// shows before it is told anything is received here.
func (o *Order) mirrors(rules PollRules) bool {
	list := Listing{Words: rules.Words}
	return list.says(o.Shown, o.State) || o.State == Received && !list.knows(o.Shown)
}

// Remark sends the partner a message about the order. One that matters is
// followed up by hand, since nobody there is promised to read it.
func (o *Order) Remark(kind Remark, body string, by Actor, now time.Time) (Change, error) {
	if !kind.Valid() {
		return Change{}, Errorf(Invalid, "error.bad_form")
	}
	c, err := o.Write(body, by, now)
	if err != nil {
		return Change{}, err
	}
	c.Events[0].Data.Remark = kind
	o.remark(&c, kind, body, now)
	return c, nil
}

// RemarkMessage returns what the partner would be sent as a message about the
// order, and whether it takes such.
func (o *Order) RemarkMessage(kind Remark, body string, now time.Time) (Message, bool) {
	m := o.message(o.State, body, now)
	m.Remark = kind
	return m, o.Service.TakesRemarks
}

// remark adds a message to the partner to a change, where it takes such.
func (o *Order) remark(c *Change, kind Remark, body string, now time.Time) {
	m, takes := o.RemarkMessage(kind, body, now)
	if !takes {
		return
	}
	c.Remarks = append(c.Remarks, m)
	o.FollowUp = o.FollowUp || kind != RemarkPlain
}

// FollowedUp says that somebody has seen to it that a problem is known.
func (o *Order) FollowedUp(note string, by Actor, now time.Time) (Change, error) {
	if !o.FollowUp {
		return Change{}, Errorf(Conflict, "follow_up.done")
	}
	if note != "" {
		faults := FieldErrors{}
		checkBody("note", note, false, faults)
		if err := InvalidFields(faults); err != nil {
			return Change{}, err
		}
	}
	o.FollowUp = false
	return Change{Events: []Event{{Kind: EventFollowedUp, Actor: by, Data: EventData{Body: note}, CreatedAt: now}}}, nil
}
