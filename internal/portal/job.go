package portal

import (
	"errors"
	"slices"
	"time"
)

// JobState is the state of a job in the outbox.
type JobState string

// The states of a job. A parked job is not final: it waits for a person, and
// so does everything after it on the same order.
const (
	JobAvailable JobState = "available"
	JobRunning   JobState = "running"
	JobCompleted JobState = "completed"
	JobParked    JobState = "parked"
	JobSkipped   JobState = "skipped"
)

// ErrLeaseLost says that a job is no longer the caller's: its lease ran out and
// somebody else has it, or it is over.
var ErrLeaseLost = errors.New("the lease on the job was lost")

// Final reports whether the job is over.
func (s JobState) Final() bool { return s == JobCompleted || s == JobSkipped }

// Message is what a partner is to be told about an order, in our words.
type Message struct {
	OrderID        int64  `json:"order_id"`
	ConnectionID   string `json:"connection_id"`
	ServiceID      string `json:"service_id"`
	Customer       string `json:"customer"`
	Tenant         string `json:"tenant,omitempty"`
	PartnerOrderID string `json:"partner_order_id"`
	Target         Target `json:"target"`
	State          State  `json:"state"`
	Comment        string `json:"comment,omitempty"`
	InteractionID  int64  `json:"interaction_id,omitempty"` // waiting: which question
	Step           Step   `json:"step,omitempty"`           // what is told instead of the state, which stays as it is

	// Remark is what kind of message the comment is that is told instead of the state.
	Remark Remark `json:"remark,omitempty"`

	// Activation is what the access's network is asked for instead.
	Activation *ActivationRequest `json:"activation,omitempty"`

	// Upload is a file that is brought, of a delivery that is reported after it.
	Upload *Upload `json:"upload,omitempty"`

	// LeadID is a lead that is brought instead of anything about an order. What it
	// says is not in the message: it is about a person.
	LeadID int64 `json:"lead_id,omitempty"`

	// What a partner may show of the order beside its state; empty is not shown.
	Language string `json:"language,omitempty"` // a locale: of every text for people at the partner
	Title    string `json:"title,omitempty"`    // the service's name
	Number   string `json:"-"`                  // the order's own number here
	Package  string `json:"package,omitempty"`  // what was chosen
	Price    int64  `json:"price,omitempty"`    // minor units
	Currency string `json:"currency,omitempty"` // ISO 4217
	Day      string `json:"day,omitempty"`      // 2026-11-24: when it is expected to be ready
	Link     string `json:"-"`                  // the order's page, the same for ever
	PublicID string `json:"public_id,omitempty"`

	// URL is where the broker answers. It is made for each attempt and never stored.
	URL string `json:"-"`
	// Uncertain says that an earlier attempt may have arrived: read before sending.
	Uncertain bool `json:"-"`
	// Doubts is how many earlier attempts may have arrived; at least 1 if Uncertain.
	Doubts int `json:"-"`
	// Since is when the change happened: a report that the partner made before is not this one.
	Since time.Time `json:"-"`
	// Earlier are the reports of the order that have arrived, where it matters which
	// of them the partner shows: only if Uncertain.
	Earlier []Arrival `json:"-"`
	// Shown is what the last receipt of the order said that the partner shows.
	Shown string `json:"-"`
}

// Remark is what kind of message a partner is sent about an order.
type Remark string

// The kinds of remark.
const (
	RemarkPlain     Remark = "plain"
	RemarkImportant Remark = "important"
	RemarkProblem   Remark = "problem"
)

// Remarks lists every kind of remark; the first is the usual one.
var Remarks = []Remark{RemarkPlain, RemarkImportant, RemarkProblem}

// Valid reports whether r is a kind of remark.
func (r Remark) Valid() bool { return slices.Contains(Remarks, r) }

// Arrival is a report that has arrived.
type Arrival struct {
	State State     `json:"state"`
	At    time.Time `json:"at"` // by our clock, when its answer came
}

// Asks reports whether the message asks the broker to come: to answer a
// question, or to complete a draft. A step asks nothing, whatever the state.
func (m Message) Asks() bool {
	return m.Step == "" && m.Remark == "" && m.Activation == nil && (m.State == Waiting || m.State == Draft)
}

// Told returns what an event about the message says of it.
func (m Message) Told() EventData {
	d := EventData{State: m.State, Step: m.Step, File: m.FileName(), Remark: m.Remark}
	if m.Activation != nil {
		d.Operation = m.Activation.Operation
	}
	return d
}

// Receipt is what a partner answered to a report.
type Receipt struct {
	Status int    // HTTP
	Answer string // how it starts, secrets struck out
	Shown  string // stands for what the partner shows of the order now, beside its state

	Activation *ActivationAnswer // of a message that asked for one
	LeadID     string            // the partner's id of the lead that was brought
}

// Attempt is one time that a report was sent, or tried to be.
type Attempt struct {
	StartedAt time.Time
	Took      time.Duration
	Outcome   Outcome
	Receipt   // zero without an answer
	Error     string
}

// Job is a stored message to a partner.
type Job struct {
	ID          int64
	Message     Message
	State       JobState
	Attempt     int
	MaxAttempts int
	RunAt       time.Time
	LastError   string
	CreatedAt   time.Time
	FinishedAt  *time.Time
	// Attempts are those that were made, oldest first. The one that is being
	// recorded stands last.
	Attempts []Attempt
}

// Retryable reports whether trying again by hand means something: the job has
// been tried or put aside, and nobody is sending it.
func (j Job) Retryable() bool {
	return j.State == JobParked || j.State == JobAvailable && (j.Attempt > 0 || j.LastError != "")
}

// LastAttempt returns the attempt that was made last, zero if none was.
func (j Job) LastAttempt() Attempt {
	if len(j.Attempts) == 0 {
		return Attempt{}
	}
	return j.Attempts[len(j.Attempts)-1]
}

// Outcome says how an attempt to report ended.
type Outcome string

// The outcomes of an attempt.
const (
	OutcomeDone       Outcome = "done"
	OutcomeRefused    Outcome = "refused"    // the partner will never take it: parked at once
	OutcomeCredential Outcome = "credential" // our credential is wrong: no attempt spent, staff alerted
	OutcomeBusy       Outcome = "busy"       // the partner asks us to wait: no attempt spent
	OutcomeFailed     Outcome = "failed"     // it did not arrive: again later
	OutcomeUnknown    Outcome = "unknown"    // it was sent and may have arrived: again later, after reading
)

// ReportError is how a partner's package says that a report did not succeed.
type ReportError struct {
	Outcome    Outcome
	Status     int           // HTTP status, 0 without an answer
	Answer     string        // how the answer starts, secrets struck out
	RetryAfter time.Duration // busy: how long the partner asks us to wait, 0 if it does not say
	Lead       LeadRefusal   // of a lead that was refused
	Err        error
}

// Error is for the outbox and the log; it holds no secret.
func (e *ReportError) Error() string {
	if e.Err == nil {
		return string(e.Outcome)
	}
	return string(e.Outcome) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *ReportError) Unwrap() error { return e.Err }

// Quoted returns how the partner's answer starts.
func (e *ReportError) Quoted() string { return e.Answer }

// OutcomeOf returns how an attempt ended that returned err. An error that
// nobody classified may have arrived.
func OutcomeOf(err error) Outcome {
	var e *ReportError
	switch {
	case err == nil:
		return OutcomeDone
	case errors.As(err, &e):
		return e.Outcome
	default:
		return OutcomeUnknown
	}
}

// Backoff is the time before each attempt, the first included: 75 hours in all.
var Backoff = []time.Duration{0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
	5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour}

// CheckReason says what is wrong with the reason for giving a job up.
func CheckReason(reason string) error {
	faults := FieldErrors{}
	checkBody("reason", reason, true, faults)
	return InvalidFields(faults)
}
