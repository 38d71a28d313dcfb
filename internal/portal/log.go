package portal

import (
	"errors"
	"log/slog"
	"strings"
)

// Quoter is an error that says what somebody else answered, in their words.
type Quoter interface {
	error
	// Quoted returns those words as they stand in what Error returns, "" for none.
	Quoted() string
}

// Discreet is for slog.HandlerOptions.ReplaceAttr: it takes the words of partners
// out of errors. They may repeat what is known of a person, and the log cannot be
// erased; staff read them with the attempts.
func Discreet(_ []string, a slog.Attr) slog.Attr {
	err, ok := a.Value.Any().(error)
	if !ok || err == nil {
		return a
	}
	text := err.Error()
	for _, words := range quotes(err) {
		text = strings.ReplaceAll(text, words, "…")
	}
	return slog.String(a.Key, text)
}

// quotes returns what an error and its causes quote.
func quotes(err error) []string {
	var all []string
	if q, ok := err.(Quoter); ok && q.Quoted() != "" {
		all = append(all, q.Quoted())
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, cause := range many.Unwrap() {
			all = append(all, quotes(cause)...)
		}
		return all
	}
	if cause := errors.Unwrap(err); cause != nil {
		all = append(all, quotes(cause)...)
	}
	return all
}
