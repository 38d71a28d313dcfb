package portal

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// ErrCredential is in the chain of an error when the partner refused our own
// credential. It is a configuration fault: no retry, but an alarm to staff.
var ErrCredential = errors.New("the partner refused our credential")

// ErrOtherOffice is in the chain of an error when a ticket is of another office
// than the address that it came with.
var ErrOtherOffice = errors.New("the ticket is of another office")

// Ticket is the verified answer to "who orders what".
type Ticket struct {
	OrderID      string // the partner's
	Customer     string // the office that owns the order
	CustomerName string // what it is called; empty: not known
	UserID       string // who is logged in
	UserName     string // empty: not known
	OwnerID      string // who owns the order
	Tenant       string
	Chain        string
	Target       Target
	Expired      bool // the token can no longer be used; the rest may be empty
	Unproven     bool // it does not prove who the user is, only that the partner's customer sent somebody
	Raw          json.RawMessage
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
	Name string `db:"target_name" json:"name,omitempty"` // as people call it, an address say; empty: not known
}

// Details are what a partner tells of an order's target beside its ids. What it
// does not tell is empty.
type Details struct {
	Type    string   `json:"type,omitempty"`   // the partner's word; any text
	Number  string   `json:"number,omitempty"` // the broker's own, of the assignment
	Street  string   `json:"street,omitempty"`
	ZipCode string   `json:"zip_code,omitempty"`
	City    string   `json:"city,omitempty"`
	Broker  string   `json:"broker,omitempty"`
	Office  string   `json:"office,omitempty"`
	Sellers []string `json:"sellers,omitempty"` // only for a service that asks for them

	// Of a customer's access.
	Name      string    `json:"name,omitempty"` // the customer's
	Email     string    `json:"email,omitempty"`
	Phone     string    `json:"phone,omitempty"`
	Wished    string    `json:"wished,omitempty"`    // for when: Asap, 2026-11-24 or 2026-11-24 13:30
	Direct    bool      `json:"direct,omitempty"`    // it was activated before it came in
	OrderedAt time.Time `json:"ordered_at,omitzero"` // there
	More      []Fact    `json:"more,omitempty"`      // what else the partner tells, in its own words
}

// Fact is something that a partner tells under a name of its own.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Empty reports whether nothing is known.
func (d Details) Empty() bool {
	return d.Type+d.Number+d.Address()+d.Broker+d.Office+d.Name+d.Email+d.Phone+d.Wished == "" && len(d.Sellers)+len(d.More) == 0
}

// Address returns the address on one line, "" if it is not known.
func (d Details) Address() string {
	place := strings.TrimSpace(d.ZipCode + " " + d.City)
	if d.Street == "" || place == "" {
		return d.Street + place
	}
	return d.Street + ", " + place
}
