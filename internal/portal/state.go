package portal

import "slices"

// State is the state of an order.
type State string

// The states of an order.
const (
	Draft     State = "draft" // opened, not completed
	Received  State = "received"
	Active    State = "active"
	Waiting   State = "waiting" // for the broker
	Delivered State = "delivered"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// States lists all states in the order in which people meet them.
var States = []State{Draft, Received, Active, Waiting, Delivered, Failed, Cancelled}

// OpenStates are the states in which staff still have something to do.
var OpenStates = []State{Received, Active, Waiting, Failed}

var allowed = map[State][]State{
	Draft:     {Received, Cancelled},
	Received:  {Active, Waiting, Delivered, Failed, Cancelled},
	Active:    {Waiting, Delivered, Failed, Cancelled},
	Waiting:   {Active, Delivered, Failed, Cancelled},
	Delivered: {Active},
	Failed:    {Active},
	Cancelled: {},
}

// Valid reports whether s is a state.
func (s State) Valid() bool { _, ok := allowed[s]; return ok }

// CanBecome reports whether an order in s may change to t.
func (s State) CanBecome(t State) bool { return slices.Contains(allowed[s], t) }
