package door

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"portico/internal/portal"
)

// MaxQuoted is how much of an answer is kept, in bytes.
const MaxQuoted = 1 << 10

// maxRetryAfter keeps a nonsensical Retry-After from silencing a connection.
const maxRetryAfter = 24 * time.Hour

// Error is a call that gave no result. Partners rarely document the shape of
// their error messages, so the start of the answer is kept as it is.
type Error struct {
	Op         string        // method and path, without the query
	Status     int           // 0 without an answer
	Body       string        // how the answer starts; secrets are struck out
	RetryAfter time.Duration // 0: the answer does not say
	Sent       bool          // the request may have reached the partner
	Refused    bool          // the answer says no, though its status may not
	Err        error
}

// Error is for the log and the outbox; it holds no secret and no line break.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Status != 0 {
		fmt.Fprintf(&b, ": %d", e.Status)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.Body != "" {
		b.WriteString(": " + e.Body)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Quoted returns how the partner's answer starts.
func (e *Error) Quoted() string { return e.Body }

// Classify says how a call ended that returned err. Nil stays nil.
func Classify(err error) *portal.ReportError {
	if err == nil {
		return nil
	}
	r := &portal.ReportError{Outcome: portal.OutcomeUnknown, Err: err}
	var e *Error
	if !errors.As(err, &e) {
		return r
	}
	r.Status, r.Answer, r.RetryAfter = e.Status, e.Body, e.RetryAfter
	switch e.Status {
	case 0:
		if !e.Sent {
			r.Outcome = portal.OutcomeFailed
		}
	case http.StatusUnauthorized, http.StatusForbidden:
		r.Outcome, r.Err = portal.OutcomeCredential, fmt.Errorf("%w: %w", portal.ErrCredential, err)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		r.Outcome = portal.OutcomeBusy
	case http.StatusRequestTimeout, http.StatusTooEarly:
	default:
		if e.Status >= 400 && e.Status < 500 {
			r.Outcome = portal.OutcomeRefused
		}
	}
	if e.Refused {
		r.Outcome = portal.OutcomeRefused
	}
	if errors.Is(err, portal.ErrCredential) {
		r.Outcome, r.Err = portal.OutcomeCredential, err
	}
	return r
}

// retryAfter reads the header of that name: seconds or an HTTP date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	var wait time.Duration
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		wait = time.Duration(min(seconds, int64(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	}
	return max(0, min(wait, maxRetryAfter))
}

// forms returns all the forms in which secrets may come back in an answer.
func forms(secrets []string) []string {
	var all []string
	for _, s := range secrets {
		if s == "" {
			continue
		}
		quoted := string(JSON(s))
		quoted = quoted[1 : len(quoted)-1]
		all = append(all, s, quoted, strings.ReplaceAll(quoted, "/", `\/`), url.QueryEscape(s))
	}
	return all
}

// excerpt returns how an answer starts, with the secrets of its call struck out.
func excerpt(body []byte, secrets []string, redact func(string) string) string {
	s := string(body)
	for _, secret := range secrets {
		s = strings.ReplaceAll(s, secret, "***")
	}
	if redact != nil {
		s = redact(s)
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' { // would break a log's line
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	if len(s) <= MaxQuoted {
		return s
	}
	cut := MaxQuoted
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}
