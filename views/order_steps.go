package views

import "portico/internal/portal"

// step is one of the three that an order takes.
type step struct {
	Name, When    string
	Done, Current bool
}

// steps are received, in progress, delivered; when each was, or will be.
func (p OrderPage) steps() []step {
	working := p.State == portal.Active || p.State == portal.Waiting
	done := p.State == portal.Delivered
	steps := []step{
		{Name: p.StateWord(portal.Received), When: p.at(portal.EventReceived), Done: true, Current: p.State == portal.Received},
		{Name: p.StateWord(portal.Active), Done: working || done, Current: working},
		{Name: p.StateWord(portal.Delivered), Done: done, Current: done},
	}
	switch {
	case p.State == portal.Waiting:
		steps[1].When = p.T("order.waits_for_you")
	case working || done:
		steps[1].When = p.at(portal.EventStarted, portal.EventAnswered, portal.EventReopened, portal.EventRevision)
	}
	switch {
	case done:
		steps[2].When = p.at(portal.EventDelivered)
	case p.DueAt != nil && p.State != portal.Waiting && p.DueAt.After(p.now):
		steps[2].When = p.T("order.latest", "When", p.Day(*p.DueAt))
	}
	return steps
}

func (p OrderPage) at(kinds ...portal.EventKind) string {
	e, ok := lastEvent(p.Events, kinds...)
	if !ok {
		return ""
	}
	return p.When(e.CreatedAt)
}
