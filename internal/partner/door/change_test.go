package door

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"portico/internal/partner/door/doortest"
	"portico/internal/portal"
)

// change is a GET that changes something.
func change() Request {
	return Request{Method: "GET", Path: "/status", Ordered: "method=set&id=1", Changes: true}
}

// stops is a transport before which the process is stopped until at.
type stops struct {
	*http.Transport
	at time.Time
}

func (s stops) RoundTrip(r *http.Request) (*http.Response, error) {
	fenceOf(r.Context()).now = func() time.Time { return s.at }
	// Its timers have not fired: the transport sees a context without a deadline.
	return s.Transport.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
}

func TestStoppedProcessChangesNothing(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int64
	answer := func(w http.ResponseWriter, r *http.Request) {
		arrived.Add(1)
		doortest.Answer(200, "application/json", "true")(w, r)
	}
	plain, secure := httptest.NewServer(http.HandlerFunc(answer)), httptest.NewTLSServer(http.HandlerFunc(answer))
	defer plain.Close()
	defer secure.Close()
	for _, server := range []*httptest.Server{plain, secure} {
		for stopped, late := range map[time.Duration]bool{time.Second: false, time.Hour: true} {
			arrived.Store(0)
			through := singleTransport(server.URL)
			through.TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
			d := New("partner", server.URL, quick, Options{Base: stops{through, time.Now().Add(stopped)}, Timeout: time.Minute})
			_, err := d.Do(t.Context(), change())
			var e *Error
			switch {
			case !late && (err != nil || arrived.Load() != 1):
				t.Errorf("%s, stopped for %s: %d arrived, %v", server.URL, stopped, arrived.Load(), err)
			case late && (!errors.As(err, &e) || e.Sent || !errors.Is(err, errLate) || outcome(err) != portal.OutcomeFailed || arrived.Load() != 0):
				t.Errorf("%s, stopped for %s: %d arrived, %v, want it failed and not sent", server.URL, stopped, arrived.Load(), err)
			}
		}
	}
}

// TestAGoodbyeIsNotLate: the connection of a request that has left is closed
// after its deadline too.
func TestAGoodbyeIsNotLate(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	d := New("partner", server.URL, quick, Options{Timeout: 2 * time.Second})
	d.single.Transport.(*http.Transport).TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
	var e *Error
	if _, err := d.Do(t.Context(), change()); !errors.As(err, &e) || !e.Sent || outcome(err) != portal.OutcomeUnknown {
		t.Errorf("%v, want it unknown", err)
	}
}

// TestAChangeIsSentOnce, also where a connection breaks on which net/http would
// try a GET again.
func TestAChangeIsSentOnce(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int64
	d := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" {
			doortest.Answer(200, "application/json", "true")(w, r)
			return
		}
		arrived.Add(1)
		panic(http.ErrAbortHandler)
	})
	if _, err := d.Do(t.Context(), Request{Method: "GET", Path: "/status"}); err != nil { // leaves a connection
		t.Fatal(err)
	}
	if _, err := d.Do(t.Context(), change()); outcome(err) != portal.OutcomeUnknown || arrived.Load() != 1 {
		t.Errorf("%d arrived, %v", arrived.Load(), err)
	}
	r := change()
	r.Changes = false
	if _, err := d.Do(t.Context(), r); err == nil || arrived.Load() != 3 {
		t.Errorf("%d arrived, %v: net/http no longer repeats a GET, and its own connection can go", arrived.Load(), err)
	}
}

func TestOrderedQueryAndName(t *testing.T) {
	t.Parallel()
	d := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.RequestURI != "/status?method=set&id=1" {
			t.Errorf("asked for %s", r.RequestURI)
		}
		doortest.Answer(400, "text/plain", "number 751011-6952"+strings.Repeat("x", MaxQuoted))(w, r)
	})
	r := change()
	r.Name, r.Redact = "set", portal.Redact
	_, err := d.Do(t.Context(), r)
	if err == nil || !strings.HasPrefix(err.Error(), "set: 400: number ••••xx") {
		t.Errorf("error %v", err)
	}
}

func TestRefusedByAGoodStatus(t *testing.T) {
	t.Parallel()
	if got := outcome(&Error{Status: 200, Sent: true, Refused: true}); got != portal.OutcomeRefused {
		t.Errorf("outcome %s", got)
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	bad := errors.New("bad")
	for name, tt := range map[string]struct {
		status, size int
		err          error
		want         portal.Outcome
	}{
		"long":     {status: 200, size: 2 * MaxAnswer, want: portal.OutcomeDone},
		"at most":  {status: 200, size: MaxStream, want: portal.OutcomeDone},
		"too long": {status: 200, size: MaxStream + 1, want: portal.OutcomeUnknown},
		"unusable": {status: 200, size: 1, err: bad, want: portal.OutcomeUnknown},
		"refused":  {status: 400, size: 1, want: portal.OutcomeRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				w.WriteHeader(tt.status)
				io.CopyN(w, zeroes{}, int64(tt.size)) // the caller may have gone
			})
			var read int64
			a, err := d.Do(t.Context(), Request{Method: "GET", Path: "/", Stream: func(contentType string, body io.Reader) (err error) {
				if contentType != "text/plain" {
					t.Errorf("type %q", contentType)
				}
				if read, err = io.Copy(io.Discard, body); err == nil {
					err = tt.err
				}
				return err
			}})
			if outcome(err) != tt.want || tt.err != nil && !errors.Is(err, tt.err) || a.Body != nil {
				t.Errorf("%v, %d bytes of body", err, len(a.Body))
			}
			if tt.want == portal.OutcomeDone && read != int64(tt.size) {
				t.Errorf("%d bytes, want %d", read, tt.size)
			}
		})
	}
}
