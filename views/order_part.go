package views

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"portico/internal/portal"
)

// OrderPart is what every screen about one order shows of it.
type OrderPart struct {
	URL      string         // the order's own address; its forms post below it
	Number   string         // the partner's order id
	System   string         // the kind of partner system
	Service  string         // the service's name
	Target   portal.Target  // what the order concerns
	Details  portal.Details // what its partner tells of that; never the sellers, whom only staff see
	Office   string         // the office's name
	State    portal.State
	DueAt    *time.Time      // nil: no promise
	ErasedAt *time.Time      // since when nothing about people is left in it; nil: it is
	Answers  []AnswerLine    // empty while draft
	Attached []AttachedField // the files of the form
	Lines    []PriceLine     // what costs something
	Total    int64           // minor units
	Currency string          // ISO 4217
}

// NewOrderPart returns the part of an order that lives at url.
func NewOrderPart(p *Printer, o portal.Order, url string) OrderPart {
	details := o.Details
	details.Sellers = nil
	return OrderPart{URL: url, Number: o.PartnerOrderID, System: o.Service.System, Service: p.In(o.Service.Name),
		Target: o.Target, Details: details, Office: cmp.Or(o.Details.Office, o.Office.Label()), State: o.State, DueAt: o.DueAt, ErasedAt: o.ErasedAt,
		Answers: AnswerLines(p, o.Service.Form, o.Answers), Lines: PriceLines(p, o.Service.Form, o.Answers),
		Total: o.Total, Currency: o.Currency}
}

// detailLines are what the partner tells of the target, and its id where the
// heading has its address instead.
func (o OrderPart) detailLines(p *Printer) []AnswerLine {
	lines := []AnswerLine{{p.T("facts.assignment"), o.Details.Number}, {p.T("facts.case_broker"), o.Details.Broker}}
	if o.Target.Name != "" {
		lines = append(lines, AnswerLine{p.T("facts.id"), o.Target.ID})
	}
	return slices.DeleteFunc(lines, func(l AnswerLine) bool { return l.Value == "" })
}

// AnswerLine is an answer as it is read back.
type AnswerLine struct {
	Label, Value string
}

// long reports whether the value needs lines of its own.
func (l AnswerLine) long() bool {
	return utf8.RuneCountInString(l.Value) > 40 || strings.Contains(l.Value, "\n")
}

// AnswerLines returns the answers to a form in its order, choices and dates in
// words. Files are no lines: see AttachedFields.
func AnswerLines(p *Printer, f portal.Form, a portal.Answers) []AnswerLine {
	var lines []AnswerLine
	for _, field := range f.Fields {
		values := slices.Clone(a[field.ID])
		if len(values) == 0 || field.Type == portal.FieldFile {
			continue
		}
		for i, v := range values {
			values[i] = answerWord(p, field, v)
		}
		lines = append(lines, AnswerLine{p.In(field.Label), strings.Join(values, ", ")})
	}
	return lines
}

func answerWord(p *Printer, f portal.Field, value string) string {
	switch f.Type {
	case portal.FieldChoice, portal.FieldChoices:
		if o, ok := f.Option(value); ok {
			return p.In(o.Label)
		}
	case portal.FieldCheckbox:
		return p.T("form.yes")
	case portal.FieldDate:
		return p.Date(value)
	}
	return value
}

// AttachedField is a field of a form with the files that answer it.
type AttachedField struct {
	ID, Label string
	Files     []portal.File // never empty
}

// AttachedFields returns the files that answer a form, in its order.
func AttachedFields(p *Printer, f portal.Form, files []portal.Attachment) []AttachedField {
	var fields []AttachedField
	for _, field := range f.Fields {
		a := AttachedField{ID: field.ID, Label: p.In(field.Label)}
		for _, file := range files {
			if file.Field == field.ID {
				a.Files = append(a.Files, file.File)
			}
		}
		if len(a.Files) > 0 {
			fields = append(fields, a)
		}
	}
	return fields
}

// PriceLine is an answer that costs something, in minor units.
type PriceLine struct {
	Label string
	Price int64
}

// PriceLines returns what costs something of the answers to a form.
func PriceLines(p *Printer, f portal.Form, a portal.Answers) []PriceLine {
	var lines []PriceLine
	for _, l := range f.Lines(a) {
		lines = append(lines, PriceLine{p.In(l.Label), l.Price})
	}
	return lines
}

// FormField is one question of an order form as it is asked, with what was typed.
type FormField struct {
	ID        string // name of the input
	Type      portal.FieldType
	Label     string
	Hint      string
	Required  bool
	MaxLength int   // characters; texts only
	Price     int64 // minor units; of a ticked checkbox
	Value     string
	Options   []Option        // choice and choices
	Error     portal.Sentence // zero: nothing wrong
}

// Option is one answer to choose.
type Option struct {
	ID, Label, Hint string
	Price           int64 // minor units
	Checked         bool
}

// FormFields returns a form's questions with what was typed and what is wrong with it.
func FormFields(p *Printer, f portal.Form, typed url.Values, faults portal.FieldErrors) []FormField {
	var fields []FormField
	for _, field := range f.Fields {
		v := FormField{ID: field.ID, Type: field.Type, Label: p.In(field.Label), Hint: p.In(field.Hint),
			Required: field.Required, MaxLength: field.Limit(), Price: field.Price, Value: typed.Get(field.ID),
			Error: faults[field.ID]}
		for _, o := range field.Options {
			v.Options = append(v.Options, Option{ID: o.ID, Label: p.In(o.Label), Hint: p.In(o.Hint), Price: o.Price,
				Checked: slices.Contains(typed[field.ID], o.ID)})
		}
		fields = append(fields, v)
	}
	return fields
}

// RejectedForm is the form of a page that was sent and refused: which one, what
// was typed and what is wrong. The zero value is a page whose forms are untouched.
type RejectedForm struct {
	Form   string // the last part of the address that it was posted to: "messages"
	Typed  url.Values
	Faults portal.FieldErrors
}

// Is reports whether the form was the one that was refused.
func (f RejectedForm) Is(form string) bool { return f.Form == form }

// Value returns what was typed into an input of a form.
func (f RejectedForm) Value(form, input string) string {
	if f.Form != form {
		return ""
	}
	return f.Typed.Get(input)
}

// Fault returns what is wrong with an input of a form; zero: nothing.
func (f RejectedForm) Fault(form, input string) portal.Sentence {
	if f.Form != form {
		return portal.Sentence{}
	}
	return f.Faults[input]
}

// focusOrder is the order in which the inputs of the small forms are met.
var focusOrder = []string{"files", "message", "comment", "choices", "links", "answer", "body", "description", "reason", "note", "kind", "staff", "service", "day", "office", "target"}

// focuses reports whether an input is the first of its form that is at fault.
func (f RejectedForm) focuses(form, input string) bool {
	i := slices.IndexFunc(focusOrder, func(name string) bool { return f.Fault(form, name).Key != "" })
	return i >= 0 && focusOrder[i] == input
}
