package views

import (
	"slices"
	"time"

	"portico/internal/portal"
)

// timelineItem is an event in words: who did what, and what they wrote.
type timelineItem struct {
	Kind      string
	Who, What string
	Body      string
	Note      bool // only staff see it
	At        time.Time
}

// brokerTimeline puts events into words for a broker, the newest first. Lines
// that are not for brokers are left out, whatever the caller passed, and so is
// that they opened the page.
func brokerTimeline(b Base, o OrderPart, viewer int64, events []portal.Event) []timelineItem {
	var items []timelineItem
	for _, e := range slices.Backward(events) {
		if !e.ForBroker || e.Kind == portal.EventOpened {
			continue
		}
		i := newTimelineItem(b, o, e)
		if e.Actor.Kind == portal.ActorBroker && (viewer == 0 || e.Actor.ID == viewer) {
			i.Who = b.T("actor.you")
		}
		if e.Actor.Kind == portal.ActorSystem {
			i.Who = b.Provider
		}
		items = append(items, i)
	}
	return items
}

// staffTimeline puts all events into words for staff, the newest first.
func staffTimeline(b Base, o OrderPart, events []portal.Event) []timelineItem {
	var items []timelineItem
	for _, e := range slices.Backward(events) {
		i := newTimelineItem(b, o, e)
		if e.Actor.Kind == portal.ActorBroker && e.Actor.Name != "" {
			i.Who = b.T("actor.broker_named", "Name", e.Actor.Name)
		}
		items = append(items, i)
	}
	return items
}

func newTimelineItem(b Base, o OrderPart, e portal.Event) timelineItem {
	return timelineItem{Kind: string(e.Kind), Who: who(b, o, e), What: what(b, e), Body: body(b, e),
		Note: e.Kind == portal.EventNote, At: e.CreatedAt}
}

// byNetwork are changes that no partner makes itself, but the network of an access.
var byNetwork = []portal.EventKind{portal.EventStarted, portal.EventDelivered, portal.EventFailed}

func who(b Base, o OrderPart, e portal.Event) string {
	a := e.Actor
	switch {
	case a.Kind == portal.ActorPartner && (e.Data.Operation != "" || slices.Contains(byNetwork, e.Kind)):
		return b.T("actor.network")
	case a.Kind == portal.ActorPartner:
		return b.SystemName(o.System)
	case a.Kind == portal.ActorSystem:
		return "Portico"
	case a.Name != "":
		return a.Name
	}
	return b.T("actor." + string(a.Kind))
}

func what(b Base, e portal.Event) string {
	d := e.Data
	switch e.Kind {
	case portal.EventReceived:
		if e.Actor.Kind != portal.ActorBroker {
			return b.T("event.imported")
		}
	case portal.EventDelivered:
		if d.Files == 0 {
			return b.T("event.delivered_text")
		}
		return b.T("event.delivered", "Count", d.Files)
	case portal.EventAssigned:
		if d.Staff == "" {
			return b.T("event.unassigned")
		}
		if d.Staff == e.Actor.Name {
			return b.T("event.taken")
		}
		return b.T("event.assigned", "Name", d.Staff)
	case portal.EventImported:
		return b.T("event.imported_list")
	case portal.EventReportedAgain, portal.EventAccepted:
		if d.After == "" {
			return b.T("event."+string(e.Kind)+"_absent", "State", b.StateWord(d.State))
		}
		return b.T("event."+string(e.Kind), "State", b.StateWord(d.State), "Theirs", d.After)
	case portal.EventReported, portal.EventParked, portal.EventRetried, portal.EventSkipped:
		return b.T(reportKey(e), "State", b.Told(d.State, d.Step), "File", d.File, "Operation", operationWord(b, d.Operation),
			"Attempt", d.Attempt, "Took", b.Took(d.Took))
	case portal.EventMessage:
		if d.Remark != "" && d.Remark != portal.RemarkPlain {
			return b.T("event.message_" + string(d.Remark))
		}
	case portal.EventFetched, portal.EventSeen, portal.EventNetwork:
		return whatFetched(b, e)
	}
	return b.T("event." + string(e.Kind))
}

// whatFetched is what happened to an order that is fetched, at its partner or at
// the network of its access.
func whatFetched(b Base, e portal.Event) string {
	d := e.Data
	switch {
	case e.Kind == portal.EventNetwork && d.Operation == portal.Withdraw && d.Activation == portal.ActivationWithdrawn:
		return b.T("event.network_gone")
	case e.Kind == portal.EventNetwork:
		return b.T("event.network_"+string(d.Activation), "Operation", operationWord(b, d.Operation))
	case d.Direct:
		return b.T("event.fetched_direct")
	case e.Kind == portal.EventSeen && d.Before != "":
		return b.T("event.seen_instead", "Before", d.Before, "Theirs", d.After)
	}
	return b.T("event."+string(e.Kind), "Theirs", d.After)
}

// operationWord names an operation within a sentence.
func operationWord(b Base, op portal.Operation) string {
	if op == "" {
		return ""
	}
	return b.T("asked." + string(op))
}

// reportKey returns the key of what became of a message, which may bring a file,
// or be none of a state.
func reportKey(e portal.Event) string {
	key := "event." + string(e.Kind)
	switch d := e.Data; {
	case d.File != "":
		key += "_file"
	case d.Remark != "":
		key += "_remark"
	case d.Operation != "":
		key += "_operation"
	}
	return key
}

func body(b Base, e portal.Event) string {
	d := e.Data
	if e.Kind == portal.EventDiffers {
		return b.T("event.differs_body", "Before", d.Before, "After", d.After)
	}
	if e.Kind == portal.EventNetwork && d.Operation == portal.Replace && d.Body == "" {
		return d.After
	}
	if e.Kind == portal.EventAnswered && d.Question != "" {
		return b.T("event.answered_body", "Question", d.Question, "Answer", d.Body)
	}
	return d.Body
}

// lastEvent returns the newest event of one of the kinds.
func lastEvent(events []portal.Event, kinds ...portal.EventKind) (portal.Event, bool) {
	for _, e := range slices.Backward(events) {
		if slices.Contains(kinds, e.Kind) {
			return e, true
		}
	}
	return portal.Event{}, false
}
