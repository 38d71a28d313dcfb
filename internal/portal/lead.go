package portal

import (
	"slices"
	"strings"
	"time"
)

// LeadState is how far a lead has come.
type LeadState string

// The states of a lead.
const (
	LeadQueued    LeadState = "queued"    // to be sent
	LeadSent      LeadState = "sent"      // the partner has it
	LeadRefused   LeadState = "refused"   // the partner said what is wrong: correct it and send it again
	LeadUncertain LeadState = "uncertain" // it may have arrived: a person must decide
	LeadGivenUp   LeadState = "given_up"  // a person decided that it is not sent
	LeadErased    LeadState = "erased"    // nothing about the person is left
)

// LeadStates lists all states of a lead in the order in which people meet them.
var LeadStates = []LeadState{LeadQueued, LeadSent, LeadRefused, LeadUncertain, LeadGivenUp, LeadErased}

var leadAllowed = map[LeadState][]LeadState{
	LeadQueued:    {LeadSent, LeadRefused, LeadUncertain, LeadGivenUp, LeadErased},
	LeadSent:      {LeadErased},
	LeadRefused:   {LeadQueued, LeadGivenUp, LeadErased},
	LeadUncertain: {LeadQueued, LeadSent, LeadGivenUp, LeadErased},
	LeadGivenUp:   {LeadErased},
	LeadErased:    {},
}

// CanBecome reports whether a lead in s may change to t.
func (s LeadState) CanBecome(t LeadState) bool { return slices.Contains(leadAllowed[s], t) }

// Lead is a person who wants to sell, of whom the broker's office is told. Its
// JSON is what it says; what is kept about it beside that is not part of it.
type Lead struct {
	ID           int64     `json:"-"`
	ConnectionID string    `json:"-"`
	Customer     string    `json:"-"` // the office that it is sent to; the routing may give it to another
	OrderID      int64     `json:"-"` // where it was heard of, 0: on no order
	State        LeadState `json:"-"`
	PartnerID    string    `json:"-"` // the partner's id of it, "" until it is known
	Refusal      string    `json:"-"` // the partner's words
	CreatedAt    time.Time `json:"-"`

	FirstName      string        `json:"first_name,omitempty"`
	LastName       string        `json:"last_name,omitempty"`
	Message        string        `json:"message,omitempty"`
	SourceID       string        `json:"source_id,omitempty"` // one of LeadSettings.Sources
	PersonalNumber string        `json:"personal_number,omitempty"`
	Foreign        bool          `json:"foreign,omitempty"` // the personal number is no Swedish one
	Telephone      LeadTelephone `json:"telephone,omitzero"`
	Email          string        `json:"email,omitempty"`
	Email2         string        `json:"email2,omitempty"`
	Street         string        `json:"street,omitempty"`
	ZipCode        string        `json:"zip_code,omitempty"`
	City           string        `json:"city,omitempty"`
	IntakeID       string        `json:"intake_id,omitempty"` // one of LeadSettings.Intakes
	Marketing      LeadMarketing `json:"marketing,omitzero"`
	Agent          LeadAgent     `json:"agent,omitzero"`
	Office         LeadOffice    `json:"office,omitzero"`
	Sender         LeadSender    `json:"sender,omitzero"`
	Consent        LeadConsent   `json:"consent,omitzero"`
}

// LeadTelephone is where the person can be called.
type LeadTelephone struct {
	Home  string `json:"home,omitempty"`
	Work  string `json:"work,omitempty"`
	Cell  string `json:"cell,omitempty"`
	Other string `json:"other,omitempty"`
}

// LeadMarketing is how the person came to us.
type LeadMarketing struct {
	Referrer string    `json:"referrer,omitempty"`
	UTMTags  []LeadTag `json:"utm_tags,omitempty"`
}

// LeadTag is a UTM tag: utm_source, spring-letter.
type LeadTag struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// LeadAgent is who is to receive the lead, by any of the ids.
type LeadAgent struct {
	ID         string `json:"id,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
	Email      string `json:"email,omitempty"`
}

// LeadOffice is which office is to receive the lead, by any of the ids.
type LeadOffice struct {
	ID         string `json:"id,omitempty"`
	CustomerID string `json:"customer_id,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
}

// LeadSender is who sends the lead: the member of staff and the provider.
type LeadSender struct {
	UserID      string `json:"user_id,omitempty"`
	UserName    string `json:"user_name,omitempty"`
	CompanyID   string `json:"company_id,omitempty"`
	CompanyName string `json:"company_name,omitempty"`
}

// LeadConsent is how and when the person agreed. It is ours and never sent.
type LeadConsent struct {
	How string `json:"how,omitempty"`
	Day string `json:"day,omitempty"` // 2026-11-24
}

// LeadSettings are what a connection says about leads.
type LeadSettings struct {
	Sources       []LeadSource // which a lead may come from
	Intakes       []LeadSource // where the assignment may come from; most leads name none
	RetentionDays int          // how long a lead is kept, 0: the connection does not say
}

// LeadSource is a source that exists at the partner, which lists them nowhere.
type LeadSource struct {
	ID   string
	Name string
}

// Name returns the person's name.
func (l Lead) Name() string { return strings.TrimSpace(l.FirstName + " " + l.LastName) }

// Become changes the state of the lead. It returns Conflict, and says why, where
// the state does not allow it.
func (l *Lead) Become(s LeadState) error {
	if !l.State.CanBecome(s) {
		return Errorf(Conflict, "lead.refused_"+string(l.State))
	}
	l.State = s
	return nil
}
