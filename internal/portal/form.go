package portal

import (
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// FieldType is the type of a form field.
type FieldType string

// The field types.
const (
	FieldText     FieldType = "text"
	FieldTextarea FieldType = "textarea"
	FieldNumber   FieldType = "number"
	FieldChoice   FieldType = "choice"
	FieldChoices  FieldType = "choices"
	FieldCheckbox FieldType = "checkbox"
	FieldDate     FieldType = "date"
	FieldTime     FieldType = "time"
	FieldEmail    FieldType = "email"
	FieldPhone    FieldType = "phone"
	FieldFile     FieldType = "file"
)

// FieldTypes lists every field type.
var FieldTypes = []FieldType{FieldText, FieldTextarea, FieldNumber, FieldChoice, FieldChoices,
	FieldCheckbox, FieldDate, FieldTime, FieldEmail, FieldPhone, FieldFile}

// Form is one version of a service's order form.
type Form struct {
	ID      int64
	Version int
	Fields  []Field
}

// Field is one question of a form. Its id is the name of its HTML input.
type Field struct {
	ID        string    `json:"id"`
	Type      FieldType `json:"type"`
	Required  bool      `json:"required,omitempty"`
	Label     Text      `json:"label"`
	Hint      Text      `json:"hint,omitempty"`
	MaxLength int       `json:"max_length,omitempty"` // runes; 0: the type's own limit
	Price     int64     `json:"price,omitempty"`      // minor units, of a ticked checkbox
	Options   []Option  `json:"options,omitempty"`
}

// Option is one answer to choose. Price is in the currency's minor unit.
type Option struct {
	ID    string `json:"id"`
	Label Text   `json:"label"`
	Hint  Text   `json:"hint,omitempty"`
	Price int64  `json:"price,omitempty"`
}

// Answers holds what was answered, by field id. A field that was left empty is absent.
type Answers map[string][]string

// Limit returns how many characters an answer may have.
func (f Field) Limit() int {
	switch {
	case f.MaxLength > 0:
		return f.MaxLength
	case f.Type == FieldTextarea:
		return 5000
	default:
		return 200
	}
}

// Option returns the option with an id.
func (f Field) Option(id string) (Option, bool) {
	i := slices.IndexFunc(f.Options, func(o Option) bool { return o.ID == id })
	if i < 0 {
		return Option{}, false
	}
	return f.Options[i], true
}

// Package returns what was chosen in the form's first choice, in a language; ""
// if there is none.
func (f Form) Package(a Answers, locale string) string {
	for _, field := range f.Fields {
		if field.Type != FieldChoice || len(a[field.ID]) == 0 {
			continue
		}
		o, _ := field.Option(a[field.ID][0])
		return o.Label.In(locale)
	}
	return ""
}

// Validate turns what was typed into answers, or says what is wrong with which field.
func (f Form) Validate(typed map[string][]string) (Answers, FieldErrors) {
	answers, faults := Answers{}, FieldErrors{}
	for _, field := range f.Fields {
		values := clean(typed[field.ID])
		if len(values) == 0 {
			if field.Required {
				faults[field.ID] = Say(requiredKey(field.Type))
			}
			continue
		}
		if fault, ok := field.check(values); !ok {
			faults[field.ID] = fault
			continue
		}
		answers[field.ID] = values
	}
	return answers, faults
}

// Total returns the price of the answers in minor units.
func (f Form) Total(a Answers) int64 {
	var total int64
	for _, line := range f.Lines(a) {
		total += line.Price
	}
	return total
}

// PriceLine is one answer that has a price.
type PriceLine struct {
	Label Text
	Price int64
}

// Lines returns the answers that cost something, in the form's order.
func (f Form) Lines(a Answers) []PriceLine {
	var lines []PriceLine
	for _, field := range f.Fields {
		if field.Type == FieldCheckbox && len(a[field.ID]) > 0 && field.Price != 0 {
			lines = append(lines, PriceLine{field.Label, field.Price})
		}
		for _, value := range a[field.ID] {
			if o, ok := field.Option(value); ok && o.Price != 0 {
				lines = append(lines, PriceLine{o.Label, o.Price})
			}
		}
	}
	return lines
}

// Priced reports whether any answer to the form can cost something.
func (f Form) Priced() bool {
	return slices.ContainsFunc(f.Fields, func(field Field) bool {
		return field.Price != 0 || slices.ContainsFunc(field.Options, func(o Option) bool { return o.Price != 0 })
	})
}

func clean(typed []string) []string {
	var values []string
	for _, v := range typed {
		v = strings.TrimSpace(strings.ReplaceAll(v, "\r\n", "\n"))
		if v != "" && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
}

func requiredKey(t FieldType) string {
	switch t {
	case FieldChoice, FieldChoices:
		return "field.choose"
	case FieldCheckbox:
		return "field.tick"
	case FieldFile:
		return "field.file"
	}
	return "field.required"
}

var (
	phonePattern  = regexp.MustCompile(`^\+?[0-9 ()./-]+$`)
	numberPattern = regexp.MustCompile(`^-?[0-9]+([.,][0-9]+)?$`)
)

func (f Field) check(values []string) (Sentence, bool) {
	if f.Type != FieldChoices && f.Type != FieldFile && len(values) > 1 {
		return Say("field.one"), false
	}
	for _, v := range values {
		if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
			return Say("field.characters"), false
		}
		if n := utf8.RuneCountInString(v); n > f.Limit() {
			return Say("field.too_long", "Max", f.Limit(), "Count", n), false
		}
		if key := f.checkOne(v); key != "" {
			return Say(key), false
		}
	}
	return Sentence{}, true
}

func (f Field) checkOne(v string) string {
	switch f.Type {
	case FieldNumber:
		if !numberPattern.MatchString(v) {
			return "field.number"
		}
	case FieldChoice, FieldChoices:
		if _, ok := f.Option(v); !ok {
			return "field.choose"
		}
	case FieldDate:
		if _, err := time.Parse(time.DateOnly, v); err != nil {
			return "field.date"
		}
	case FieldTime:
		if _, err := time.Parse("15:04", v); err != nil {
			return "field.time"
		}
	case FieldEmail:
		if a, err := mail.ParseAddress(v); err != nil || a.Address != v {
			return "field.email"
		}
	case FieldPhone:
		if n := digits(v); !phonePattern.MatchString(v) || n < 5 || n > 15 {
			return "field.phone"
		}
	}
	return ""
}

func digits(s string) int {
	n := 0
	for _, r := range s {
		if _, err := strconv.Atoi(string(r)); err == nil {
			n++
		}
	}
	return n
}
