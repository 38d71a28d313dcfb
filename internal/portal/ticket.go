package portal

import (
	"encoding/json"
	"errors"
	"strings"
)

// ErrCredential is in the chain of an error when the partner refused our own
// credential. It is a configuration fault: no retry, but an alarm to staff.
var ErrCredential = errors.New("the partner refused our credential")

// ErrOtherOffice is in the chain of an error when a ticket is of another office
// than the address that it came with.
var ErrOtherOffice = errors.New("the ticket is of another office")

// Ticket is the verified answer to "who orders what".
type Ticket struct {
	OrderID  string // the partner's
	Customer string // the office that owns the order
	UserID   string // who is logged in
	OwnerID  string // who owns the order
	Tenant   string
	Chain    string
	Target   Target
	Expired  bool // the token can no longer be used; the rest may be empty
	Raw      json.RawMessage
}

// Content returns what must not change between two tickets of one order, as
// people compare it.
func (t Ticket) Content() string {
	return strings.Join([]string{t.Target.Type, t.Target.ID, t.OwnerID}, "\n")
}

// Target is what an order concerns: an estate, a case, an access.
type Target struct {
	Type string `db:"target_type" json:"type"` // the partner's word; any text
	ID   string `db:"target_id" json:"id"`
}
