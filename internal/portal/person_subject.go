package portal

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// SubjectKind says what a person appears in.
type SubjectKind string

// The kinds of subject.
const (
	SubjectOrder SubjectKind = "order"
	SubjectLead  SubjectKind = "lead"
	SubjectAside SubjectKind = "aside" // a fetched order that was not taken in
	SubjectOther SubjectKind = "other" // anything that belongs to no person
)

// PersonChoice is what is done about a subject.
type PersonChoice string

// The choices.
const (
	ChooseWhole PersonChoice = "whole" // it is the person's
	ChooseWords PersonChoice = "words" // it is somebody else's: the words are struck out of it
	ChooseLeave PersonChoice = "leave"
)

// PersonSubject is something that a person appears in.
type PersonSubject struct {
	Kind         SubjectKind
	ID           int64
	PublicID     string // of an order or a lead
	Number       string // the partner's id of it, "" where it has none
	Service      Text   // of an order
	ConnectionID string
	State        string // of an order or a lead
	Place        string // other: what it is
	CreatedAt    time.Time
	Erased       bool // it was emptied before
	OnItsWay     bool // a partner is still to be told something of it
	InProgress   bool // it is an order that somebody works on, or waits for
	Hits         []PersonHit
}

// PersonHit is where in a subject a person appears: the words with what stands
// around them. Of a personal number nothing is shown.
type PersonHit struct {
	Place                string
	Before, Match, After string
}

// Key tells subjects apart.
func (s PersonSubject) Key() string {
	if s.Kind == SubjectOther {
		return fmt.Sprintf("%s-%s-%d", s.Kind, s.Place, s.ID)
	}
	return fmt.Sprintf("%s-%d", s.Kind, s.ID)
}

// Choices returns what can be done about the subject; the first is what usually is.
func (s PersonSubject) Choices() []PersonChoice {
	choices := []PersonChoice{ChooseWhole, ChooseWords, ChooseLeave}
	return slices.DeleteFunc(choices, func(c PersonChoice) bool {
		switch c {
		case ChooseWhole:
			return s.Kind == SubjectOther || s.OnItsWay || s.InProgress
		case ChooseWords:
			return s.Kind == SubjectLead || s.Kind == SubjectAside || s.OnItsWay
		}
		return false
	})
}

// Allows says why a choice is not to be had: it returns Conflict if a partner is
// still to be told something, or somebody works on it.
func (s PersonSubject) Allows(c PersonChoice) error {
	switch {
	case slices.Contains(s.Choices(), c):
		return nil
	case s.OnItsWay:
		return Errorf(Conflict, "people.on_its_way", "Number", cmp.Or(s.Number, s.PublicID))
	case s.InProgress:
		return Errorf(Conflict, "people.in_progress", "Number", s.Number)
	}
	return Errorf(Invalid, "error.bad_form")
}

// ErasureReason is why people are erased.
type ErasureReason string

// ErasureReasons lists every reason.
var ErasureReasons = []ErasureReason{"request", "retention", "mistake"}

// Erasure says that people were erased, how much, and by whom. It names none of them.
type Erasure struct {
	Staff     string        `db:"staff"`
	Reason    ErasureReason `db:"reason"`
	Orders    int           `db:"orders"`
	Leads     int           `db:"leads"`
	Aside     int           `db:"aside"`
	Mentions  int           `db:"mentions"` // texts elsewhere in which words were struck out
	Files     int           `db:"files"`
	CreatedAt time.Time     `db:"created_at"`
}

// keptAnswers are the types of field whose answers say nothing about a person.
var keptAnswers = []FieldType{FieldChoice, FieldChoices, FieldCheckbox, FieldDate, FieldTime}

// Erase takes everything out of the order that is about a person, or may be: what
// was written and who the customer is. What was chosen, what it costs, when it was
// to be done and how far it came stays. It returns Conflict while somebody works
// on it, or it waits for an answer.
func (o *Order) Erase(by Actor, now time.Time) (Change, error) {
	if o.InProgress() {
		return Change{}, Errorf(Conflict, "people.in_progress", "Number", o.PartnerOrderID)
	}
	answers := Answers{}
	for _, f := range o.Service.Form.Fields {
		if values, ok := o.Answers[f.ID]; ok && slices.Contains(keptAnswers, f.Type) {
			answers[f.ID] = values
		}
	}
	d := o.Details
	o.Answers, o.Target.Name, o.ErasedAt = answers, "", &now
	o.Details = Details{Wished: d.Wished, Direct: d.Direct, OrderedAt: d.OrderedAt}
	return Change{Events: []Event{{Kind: EventEmptied, Actor: by, ForBroker: true, CreatedAt: now}}}, nil
}

// InProgress reports whether somebody works on the order, or is about to, or it
// waits for an answer.
func (o *Order) InProgress() bool {
	return slices.Contains([]State{Received, Active, Waiting}, o.State)
}

// Erase takes out of an event what was written and how files are called. What a
// partner shows of the order is its own word for a state, and stays.
func (e Event) Erase() Event {
	d := e.Data
	d.Body, d.Question = "", ""
	if d.File != "" {
		d.File = Struck
	}
	if e.Kind == EventDiffers {
		d.Before, d.After = Struck, Struck
	}
	if e.Actor.Kind == ActorBroker {
		e.Actor.Name = ""
	}
	e.Data = d
	return e
}
