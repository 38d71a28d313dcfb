package portal

import "time"

// ActorKind says who did something.
type ActorKind string

// The kinds of actor.
const (
	ActorBroker  ActorKind = "broker"
	ActorStaff   ActorKind = "staff"
	ActorSystem  ActorKind = "system"  // Portico itself
	ActorPartner ActorKind = "partner" // the partner system
)

// Actor is who did something. ID is the broker's or staff member's, 0 for others.
type Actor struct {
	Kind ActorKind
	ID   int64
	Name string
}

// EventKind says what happened to an order.
type EventKind string

// The kinds of event.
const (
	EventOpened    EventKind = "opened"
	EventCreated   EventKind = "created" // staff made it at the partner
	EventReceived  EventKind = "received"
	EventStarted   EventKind = "started"
	EventAsked     EventKind = "asked"
	EventAnswered  EventKind = "answered"
	EventDelivered EventKind = "delivered"
	EventFailed    EventKind = "failed"
	EventCancelled EventKind = "cancelled"
	EventReopened  EventKind = "reopened"
	EventRevision  EventKind = "revision"
	EventMessage   EventKind = "message"
	EventNote      EventKind = "note"
	EventAssigned  EventKind = "assigned"
	EventReported  EventKind = "reported" // the partner has a state
	EventParked    EventKind = "parked"
	EventRetried   EventKind = "retried"
	EventSkipped   EventKind = "skipped"
	EventDiffers   EventKind = "differs" // the same order came in with other content

	// Steps are told by their own names.
	EventPolicyIssued    = EventKind(StepPolicyIssued)
	EventPolicyActivated = EventKind(StepPolicyActivated)

	EventImported      EventKind = "imported"       // taken from the partner's list
	EventVerified      EventKind = "verified"       // the partner's list has it too
	EventReportedAgain EventKind = "reported_again" // because the partner shows something else
	EventAccepted      EventKind = "accepted"       // that the partner shows something else

	EventFetched    EventKind = "fetched"     // the partner lists it, and has no callback
	EventSeen       EventKind = "seen"        // somebody else has set another status at the partner
	EventNetwork    EventKind = "network"     // how far a network is with what it was asked for
	EventFollowedUp EventKind = "followed_up" // by hand
	EventDisclosed  EventKind = "disclosed"   // staff were shown the personal number
	EventErased     EventKind = "erased"      // the personal number is no longer kept
	EventEmptied    EventKind = "emptied"     // everything about people was taken out of the order
)

// EventKinds lists every kind of event.
var EventKinds = []EventKind{EventOpened, EventCreated, EventReceived, EventStarted, EventAsked, EventAnswered, EventDelivered,
	EventFailed, EventCancelled, EventReopened, EventRevision, EventMessage, EventNote, EventAssigned,
	EventReported, EventParked, EventRetried, EventSkipped, EventDiffers, EventPolicyIssued, EventPolicyActivated,
	EventImported, EventVerified, EventReportedAgain, EventAccepted, EventFetched, EventSeen, EventNetwork,
	EventFollowedUp, EventDisclosed, EventErased, EventEmptied}

// Event is a line of an order's timeline. Events are never rewritten, but for what
// they say of people who are erased.
type Event struct {
	Kind      EventKind
	Actor     Actor
	ForBroker bool // the broker may see it
	Data      EventData
	CreatedAt time.Time
}

// EventData is what an event is about; only what the kind needs is set.
type EventData struct {
	Body     string        `json:"body,omitempty"`     // what was written
	State    State         `json:"state,omitempty"`    // reported, parked, retried, skipped: which state
	Step     Step          `json:"step,omitempty"`     // the same: which step, where it was one
	File     string        `json:"file,omitempty"`     // the same: which file, where it was one
	Version  int           `json:"version,omitempty"`  // delivered: which delivery
	Files    int           `json:"files,omitempty"`    // delivered: how many
	Question string        `json:"question,omitempty"` // answered: to what
	Staff    string        `json:"staff,omitempty"`    // assigned: to whom
	Attempt  int           `json:"attempt,omitempty"`  // reported: at which
	Took     time.Duration `json:"took,omitempty"`     // reported: how long, in nanoseconds
	Before   string        `json:"before,omitempty"`   // differs: what we have
	After    string        `json:"after,omitempty"`    // differs: what came; reported again, accepted, fetched, seen: what the partner has
	Direct   bool          `json:"direct,omitempty"`   // fetched: it was activated before
	Remark   Remark        `json:"remark,omitempty"`   // message, reported, parked, retried, skipped: which kind, where it was one to the partner

	Operation  Operation       `json:"operation,omitempty"`  // network, reported, parked, retried, skipped: what a network was asked for
	Activation ActivationState `json:"activation,omitempty"` // network: how far it is
}
