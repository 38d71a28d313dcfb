package door

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// Request is one call to a partner.
type Request struct {
	Method  string
	Path    string     // escaped, from the base address on
	Name    string     // in errors and logs; empty: the method and the path
	Query   url.Values // never in an error or a log
	Ordered string     // the query, encoded, where its order matters; instead of Query
	Header  http.Header
	Body    []byte
	Type    string        // of the body; empty: JSON
	Accept  string        // a media type; empty: JSON, and nothing else will do
	Secrets []string      // struck out of whatever is kept of the answer
	Private bool          // a good answer holds secrets, or people's data: nothing of it is kept
	Timeout time.Duration // instead of the door's

	// Changes says of a request without a body that it changes something. It goes
	// on a connection of its own, not after its deadline and never twice: net/http
	// repeats a GET by itself when a connection that it had before breaks.
	Changes bool
	// Redact is what is kept of an answer put through, before it is cut.
	Redact func(string) string
	// Stream reads a good answer, MaxStream bytes at most, while it arrives; the
	// Answer has no body then. Its error becomes that of the call.
	Stream func(contentType string, body io.Reader) error

	// Open returns the body, Size bytes, where it is too long to be held in Body.
	Open func() (io.ReadCloser, error)
	Size int64
}

// Op returns what errors and logs call a call.
func (r Request) Op() string { return cmp.Or(r.Name, r.Method+" "+r.Path) }

// BasicAuth returns the value of an Authorization header.
func BasicAuth(username, password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(username, password)
	return r.Header.Get("Authorization")
}

// Answer is what a partner said to a call that succeeded.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // a JSON text, or nothing, unless the request accepted something else

	request Request
}

// Excerpt returns how the answer starts, with the call's secrets struck out.
func (a Answer) Excerpt() string {
	if a.request.Private && a.good() {
		return ""
	}
	return excerpt(a.Body, forms(a.request.Secrets), a.request.Redact)
}

func (a Answer) good() bool { return a.Status/100 == 2 }

// Unusable returns the error of an answer that does not say what it should. The
// answer itself is not kept: it may be about people.
func (a Answer) Unusable(why string) *Error {
	return &Error{Op: a.request.Op(), Status: a.Status, Sent: true, Err: errors.New(why)}
}

// Do makes a call. Any end but an answer that can be used is an *Error.
//
// No body leaves once the deadline of ctx has passed, even if the process was
// stopped meanwhile and nobody has told ctx yet.
func (d *Door) Do(ctx context.Context, r Request) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.Timeout, d.timeout))
	defer cancel()
	started := d.now()
	answer, err := d.send(ctx, r)
	attrs := []any{"connection", d.name, "op", r.Op(), "took", d.now().Sub(started)}
	if err != nil {
		attrs = append(attrs, "error", r.logged(err))
	}
	d.log.DebugContext(ctx, "partner call", attrs...)
	return answer, err
}

// logged returns an error as the log may have it: of a private call without what
// the partner said, which may be about people in other words than ours.
func (r Request) logged(err error) error {
	var e *Error
	if !r.Private || !errors.As(err, &e) {
		return err
	}
	quiet := *e
	quiet.Body = ""
	return &quiet
}

func (d *Door) send(ctx context.Context, r Request) (Answer, error) {
	release, err := d.turn(ctx)
	if err != nil {
		return Answer{}, &Error{Op: r.Op(), Err: err}
	}
	defer release()

	var connected atomic.Bool
	fence := newFence(ctx)
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	req, err := d.newRequest(httptrace.WithClientTrace(ctx, trace), r)
	if err != nil {
		return Answer{}, &Error{Op: r.Op(), Err: err}
	}
	client := d.http
	if r.Changes {
		if fence.passed() { // where there is a proxy nothing else holds it back
			return Answer{}, &Error{Op: r.Op(), Err: errLate}
		}
		client, req = d.single, req.WithContext(withFence(req.Context(), fence))
	}
	fence.guard(req)
	resp, err := client.Do(req)
	if err == nil {
		defer resp.Body.Close()
	}
	if fence.stopped() { // whatever was answered: it was to no whole request
		return Answer{}, &Error{Op: r.Op(), Err: errLate}
	}
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address: its query is not for logs
		}
		return Answer{}, &Error{Op: r.Op(), Sent: connected.Load(), Err: err}
	}
	return d.read(resp, r)
}

func (d *Door) read(resp *http.Response, r Request) (Answer, error) {
	if r.Stream != nil && resp.StatusCode/100 == 2 {
		if err := r.Stream(resp.Header.Get("Content-Type"), &limited{r: resp.Body, left: MaxStream}); err != nil {
			return Answer{}, &Error{Op: r.Op(), Status: resp.StatusCode, Sent: true, Err: err}
		}
		return Answer{Status: resp.StatusCode, Header: resp.Header, request: r}, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	if err == nil || resp.StatusCode/100 != 2 {
		err = r.check(resp, body)
	}
	answer := Answer{Status: resp.StatusCode, Header: resp.Header, Body: body, request: r}
	if err != nil {
		e := &Error{Op: r.Op(), Status: answer.Status, Sent: true, RetryAfter: retryAfter(resp.Header, d.now()), Body: answer.Excerpt()}
		if !errors.Is(err, errStatus) {
			e.Err = err
		}
		return Answer{}, e
	}
	return answer, nil
}

func (d *Door) newRequest(ctx context.Context, r Request) (*http.Request, error) {
	address := d.base + r.Path
	if query := cmp.Or(r.Ordered, r.Query.Encode()); query != "" {
		address += "?" + query
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, address, bytes.NewReader(r.Body))
	if err != nil {
		return nil, errors.New("the address of the call is no URL")
	}
	if r.Open != nil {
		if req.Body, err = r.Open(); err != nil {
			return nil, fmt.Errorf("open what is to be sent: %w", err)
		}
		req.GetBody, req.ContentLength = r.Open, r.Size
	}
	for name, values := range r.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	req.Header.Set("Accept", cmp.Or(r.Accept, "application/json"))
	req.Header.Set("User-Agent", userAgent)
	if r.Body != nil || r.Open != nil {
		req.Header.Set("Content-Type", cmp.Or(r.Type, "application/json; charset=utf-8"))
	}
	return req, nil
}

var errStatus = errors.New("the status is no success")

// check refuses what is not JSON where JSON is due: a proxy's or a login's HTML
// page with status 200 says nothing about what the partner did.
func (r Request) check(resp *http.Response, body []byte) error {
	switch {
	case resp.StatusCode/100 != 2:
		return errStatus
	case len(body) > MaxAnswer:
		return fmt.Errorf("the answer is longer than %d bytes", MaxAnswer)
	case len(bytes.TrimSpace(body)) == 0, r.Accept != "":
		return nil
	}
	if t := resp.Header.Get("Content-Type"); t != "" {
		media, _, err := mime.ParseMediaType(t)
		if err != nil || media != "application/json" && media != "text/json" && !strings.HasSuffix(media, "+json") {
			return fmt.Errorf("the answer is %q, not JSON", t)
		}
	}
	if !utf8.Valid(body) || !json.Valid(body) {
		return errors.New("the answer is broken JSON")
	}
	return nil
}

// limited is a body that must not be longer than what is left.
type limited struct {
	r    io.Reader
	left int
}

// Read returns an error where a longer body goes on.
func (l *limited) Read(p []byte) (int, error) {
	if len(p) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if n > l.left {
		return l.left, fmt.Errorf("the answer is longer than %d bytes", MaxStream)
	}
	l.left -= n
	return n, err
}
