package portal

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Flow says how an order of a service comes in.
type Flow string

// The flows.
const (
	FlowPage       Flow = "page"
	FlowBackground Flow = "background"
	FlowPoll       Flow = "poll"
)

// Auth says how a callback proves where it comes from.
type Auth string

// The authentications.
const (
	AuthToken Auth = "token"
	AuthBasic Auth = "basic"
	AuthNone  Auth = "none"
)

// Provider is whose portal this is.
type Provider struct {
	Name         string `db:"name"`
	SupportEmail string `db:"support_email"`
	Locale       string `db:"locale"`
	TimeZone     string `db:"time_zone"`
	Currency     string `db:"currency"` // ISO 4217
}

// zones are the time zones that were read: reading one opens a file.
var zones sync.Map

// Location returns the provider's time zone, UTC if it is unknown here.
func (p Provider) Location() *time.Location {
	if known, ok := zones.Load(p.TimeZone); ok {
		return known.(*time.Location)
	}
	loc, err := time.LoadLocation(p.TimeZone)
	if err != nil {
		return time.UTC
	}
	zones.Store(p.TimeZone, loc)
	return loc
}

// LinkKind is the address that a question to the broker carries.
type LinkKind string

// The kinds of link.
const (
	LinkSigned   LinkKind = "signed"   // Portico's own, good for that order alone
	LinkCallback LinkKind = "callback" // the partner adds its token
)

// Connection is one configured account at a partner system.
type Connection struct {
	ID              string
	System          string
	InteractionLink LinkKind
	Reports         []State       // the states that the partner is told of
	TakesFiles      bool          // the files of a delivery are brought to the partner
	TakesRemarks    bool          // messages about an order are told to the partner
	PollEvery       time.Duration // how often its orders are fetched; 0: they are not
	PollFrom        time.Time     // the first fetch is of what was ordered from this day on
	PersonalDays    int           // how long a personal number is kept after its order has ended
	LeadDays        int           // how long a lead is kept after it was sent or given up; 0: for ever
	Networks        []string      // the beginnings of access ids whose network can be asked for activations
	Settings        []byte        // JSON that only the partner's package understands
	Credentials     []Credential
	UpdatedAt       time.Time
}

// Credential is what we show a partner to act for one office, or for any ("*").
type Credential struct {
	Customer string `json:"customer"`
	Username string `json:"username"`
	Password string `json:"password"`
}

// AnyCustomer is the customer of a credential that serves every office.
const AnyCustomer = "*"

// CredentialFor returns the credential of a customer, or the one for any.
func (c Connection) CredentialFor(customer string) (Credential, bool) {
	for _, want := range []string{customer, AnyCustomer} {
		for _, cred := range c.Credentials {
			if cred.Customer == want {
				return cred, true
			}
		}
	}
	return Credential{}, false
}

// Service is what the provider offers through a connection.
type Service struct {
	ID               string
	ConnectionID     string
	System           string
	Flow             Flow
	Auth             Auth
	Username         string         // auth basic
	PasswordHashes   []string       // auth basic: two during a rotation
	SecretHash       string         // auth none
	AllowIPs         []netip.Prefix // empty: any
	Customers        []string       // offices that may order; empty: all
	Name             Text
	Description      Text
	Tags             []string
	TurnaroundHours  int
	PartnerService   string // the partner's own id of it; empty: not known
	NetworkService   string // what networks call it, for activations; empty: they cannot be asked
	ActivateOnImport bool   // a network is asked as soon as an order comes in
	Form             Form
	Reports          []State  // of the connection
	TakesFiles       bool     // the connection does
	TakesRemarks     bool     // the connection does
	Networks         []string // of the connection
	Insurance        bool     // an insurance, of whose policy the partner is told
	Sellers          bool     // asks for the sellers' names
	Ask              string   // what a broker is told to whom no page opens; set by who opens the order

	// The provider's, for what people at the partner read.
	Language string
	TimeZone string
}

// Serves reports whether an office may order the service.
func (s Service) Serves(customer string) bool {
	return len(s.Customers) == 0 || slices.Contains(s.Customers, customer)
}

// Tells reports whether the partner is told of a state. In the background flow
// the partner sets received itself as soon as it has our answer.
func (s Service) Tells(state State) bool {
	if state == Received && s.Flow == FlowBackground {
		return false
	}
	return slices.Contains(s.Reports, state)
}

// Turnaround returns how long the provider takes from received to delivered.
func (s Service) Turnaround() time.Duration {
	return time.Duration(s.TurnaroundHours) * time.Hour
}

// Fault is something wrong in a configuration file: where, as a path of keys
// and indexes ("set_status.method", "credentials[1].username"), and what.
type Fault struct {
	Path string
	Text string
}
