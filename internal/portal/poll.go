package portal

import "time"

// Asap is the wish of a customer who wants something as soon as possible.
const Asap = "asap"

// PollRules say how a connection's partner, whose orders are fetched, takes part
// in them.
type PollRules struct {
	// Words are what the partner calls the states that it is told of.
	Words map[State]string
	// Acknowledges says that a new order is reported as received.
	Acknowledges bool
	// Follows says that somebody else fulfils the orders: a state that we have
	// not changed becomes what the partner shows.
	Follows bool
}

// Fetched is all that a partner tells of one of the orders that it lists.
type Fetched struct {
	Listed  Listed
	Ticket  Ticket
	Details Details
	// PersonalNumber identifies the customer to the state. It is sealed before it
	// is stored, and is nowhere else.
	PersonalNumber string
}

// FetchError says why an order that is listed could not be had.
type FetchError struct {
	Say Sentence // for staff
	Raw string   // what came instead, without personal numbers; empty: nothing
	Err error
}

// Error is for the log; it holds no personal number.
func (e *FetchError) Error() string { return e.Say.Key + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *FetchError) Unwrap() error { return e.Err }

// Poll is a fetch of a connection's orders that has been started.
type Poll struct {
	ConnectionID string
	Claim        int64     // whose it is
	Since        time.Time // the partner is asked for what was ordered from this day on
	At           time.Time // when it started
}

// Awaited is an order that a partner lists and that is to be fetched.
type Awaited struct {
	ID     int64
	Listed Listed
	Tries  int
}

// Arrived is an awaited order that was fetched.
type Arrived struct {
	ID      int64 // of the Awaited
	Fetched Fetched
}

// LogEntry is a line of what a partner keeps of an order.
type LogEntry struct {
	At   time.Time // zero: not known
	Who  string
	Kind string // the partner's word
	Text string // without personal numbers
}
