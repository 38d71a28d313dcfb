package portal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Kind says what sort of refusal an error is; handlers turn it into a status.
type Kind int

// The kinds. Internal is the zero value on purpose: what nobody classified
// never reaches a visitor.
const (
	Internal     Kind = iota
	Invalid           // the input is wrong, and the sentence says how
	NotFound          // not there, or not for this visitor
	Conflict          // the state does not allow it
	Unauthorized      // nobody is signed in, or no grant
	Forbidden         // somebody is, and still may not
	Unavailable       // a partner or the database does not answer
)

// Args are the values that a sentence of the catalogue is filled with.
type Args = map[string]any

// Sentence is a text for people: a key of the catalogue and what to fill in.
type Sentence struct {
	Key  string
	Args Args
}

// Say returns the sentence of a key; args are name, value, name, value.
func Say(key string, args ...any) Sentence {
	s := Sentence{Key: key}
	for i := 0; i+1 < len(args); i += 2 {
		if s.Args == nil {
			s.Args = Args{}
		}
		s.Args[args[i].(string)] = args[i+1]
	}
	return s
}

// FieldErrors holds a sentence for each input that is at fault, by input name.
type FieldErrors map[string]Sentence

// Error is an error whose sentence may be shown to whoever asked.
type Error struct {
	Kind   Kind
	Say    Sentence
	Fields FieldErrors // only with Invalid
	Err    error       // the cause, for the log alone
}

// Error is for the log; people are shown Say in their language.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Say.Key)
	for _, name := range sortedKeys(e.Fields) {
		fmt.Fprintf(&b, " %s=%s", name, e.Fields[name].Key)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an Error of a kind whose sentence is key with args.
func Errorf(kind Kind, key string, args ...any) *Error {
	return &Error{Kind: kind, Say: Say(key, args...)}
}

// InvalidFields returns the Invalid error of a form, nil if no field is at fault.
func InvalidFields(f FieldErrors) error {
	if len(f) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Say: Say("error.form"), Fields: f}
}

// KindOf returns the kind of the first Error in err's chain, else Internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
