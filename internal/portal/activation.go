package portal

import (
	"slices"
	"time"
)

// Operation is what a network is asked to do with a service on an access.
type Operation string

// The operations.
const (
	Activate   Operation = "activate"
	Deactivate Operation = "deactivate"
	Replace    Operation = "replace"    // by another service
	Withdraw   Operation = "withdraw"   // an operation that the network has not begun
	Reschedule Operation = "reschedule" // likewise, to another day
)

// Operations lists every operation in the order in which people meet them.
var Operations = []Operation{Activate, Replace, Deactivate, Withdraw, Reschedule}

// Valid reports whether op is an operation.
func (op Operation) Valid() bool { return slices.Contains(Operations, op) }

// OfPending reports whether the operation is on one that the network was asked
// for before, and none of its own.
func (op Operation) OfPending() bool { return op == Withdraw || op == Reschedule }

// TakesDay reports whether staff say from which day on the operation is to be done.
func (op Operation) TakesDay() bool { return op == Replace || op == Deactivate || op == Reschedule }

// ActivationState is how far a network is with an operation.
type ActivationState string

// The states of an activation. Those from done on are final.
const (
	ActivationQueued     ActivationState = "queued"      // on its way to the network
	ActivationAccepted   ActivationState = "accepted"    // the network has it, and has not begun
	ActivationInProgress ActivationState = "in_progress" // the network works on it
	ActivationDone       ActivationState = "done"
	ActivationFailed     ActivationState = "failed"    // the network could not
	ActivationRefused    ActivationState = "refused"   // the network would not
	ActivationWithdrawn  ActivationState = "withdrawn" // by us, before the network began
)

// ActivationStates lists every state of an activation.
var ActivationStates = []ActivationState{ActivationQueued, ActivationAccepted, ActivationInProgress, ActivationDone,
	ActivationFailed, ActivationRefused, ActivationWithdrawn}

// Final reports whether nothing more comes of an activation.
func (s ActivationState) Final() bool {
	switch s {
	case ActivationDone, ActivationFailed, ActivationRefused, ActivationWithdrawn:
		return true
	}
	return false
}

// ActivationRequest is what of an activation its network is told.
type ActivationRequest struct {
	ID        int64      `json:"id"` // ours
	Operation Operation  `json:"operation"`
	Service   string     `json:"service"`              // the network's own name of it
	WishedFor *time.Time `json:"wished_for,omitzero"`  // a day is its midnight in UTC; what has passed, and nil: at once
	NetworkID string     `json:"network_id,omitempty"` // of what is withdrawn or rescheduled: what the network calls it
}

// ActivationAnswer is what a network says of an activation.
type ActivationAnswer struct {
	NetworkID  string // what the network calls it; empty: it does not say
	State      ActivationState
	Message    string     // the network's words; empty: none
	ExpectedAt *time.Time // when the network expects to be ready; nil: it does not say
}

// Activation is an operation on a customer's access that a network was asked for.
type Activation struct {
	ActivationAnswer
	ID           int64
	OrderID      int64
	ConnectionID string
	AccessID     string
	Request      ActivationRequest
	RequestedAt  time.Time
	ChangedAt    time.Time
	Looks        int // how often the network was asked since
}
