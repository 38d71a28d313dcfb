package door

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"portico/internal/partner/door/doortest"
	"portico/internal/portal"
)

// unaware is a context that has not noticed its own deadline: the process was
// stopped, and no timer has fired since it was continued.
type unaware struct {
	context.Context
	deadline time.Time
}

func (c unaware) Deadline() (time.Time, bool) { return c.deadline, true }

// pauses is a transport before which the process is stopped until at.
type pauses struct {
	http.RoundTripper
	at time.Time
}

func (p pauses) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Body.(*fenced).fence.now = func() time.Time { return p.at }
	// Its timers have not fired: the transport sees a context without a deadline.
	return p.RoundTripper.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
}

func TestFence(t *testing.T) {
	t.Parallel()
	deadline := time.Now().Add(time.Minute)
	for name, tt := range map[string]struct {
		now  time.Time
		late bool
	}{
		"before":                       {now: deadline.Add(-time.Second)},
		"at the deadline":              {now: deadline, late: true},
		"after":                        {now: deadline.Add(time.Second), late: true},
		"after, by the wall clock":     {now: deadline.Add(time.Second).Round(0), late: true},
		"deadline without a monotonic": {now: deadline.Add(-time.Second).Round(0)},
	} {
		req := httptest.NewRequestWithContext(unaware{t.Context(), deadline}, "PUT", "/", nil)
		req.Body, req.ContentLength = io.NopCloser(strings.NewReader("body")), 4
		f := newFence(req.Context())
		f.guard(req)
		f.now = func() time.Time { return tt.now }
		body, err := io.ReadAll(req.Body)
		if late := errors.Is(err, errLate); late != tt.late || f.stopped() != tt.late || (string(body) == "body") == tt.late {
			t.Errorf("%s: read %q, %v, stopped %t", name, body, err, f.stopped())
		}
	}
}

// TestTheEndOfAWholeBodyIsNotLate: what has left altogether was sent.
func TestTheEndOfAWholeBodyIsNotLate(t *testing.T) {
	t.Parallel()
	deadline := time.Now().Add(time.Minute)
	req := httptest.NewRequestWithContext(unaware{t.Context(), deadline}, "PUT", "/", nil)
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(make([]byte, 10))), 10
	f := newFence(req.Context())
	f.guard(req)
	if n, err := io.ReadFull(req.Body, make([]byte, 10)); n != 10 || err != nil {
		t.Fatal(n, err)
	}
	f.now = func() time.Time { return deadline.Add(time.Hour) }
	if n, err := req.Body.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) || f.stopped() {
		t.Errorf("%d, %v, stopped %t", n, err, f.stopped())
	}
}

// TestStoppedProcessSendsNothing: stopped between the claim and the write, and
// continued after the deadline.
func TestStoppedProcessSendsNothing(t *testing.T) {
	t.Parallel()
	whole := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil {
			whole <- string(body)
		}
		doortest.Answer(200, "application/json", "true")(w, r)
	}))
	for name, tt := range map[string]struct {
		stopped time.Duration
		late    bool
	}{"for a moment": {stopped: time.Second}, "for longer than the lease": {stopped: time.Hour, late: true}} {
		d := New("partner", server.URL, quick, Options{Base: pauses{transport(), time.Now().Add(tt.stopped)}, Timeout: time.Minute})
		_, err := d.Do(t.Context(), put())
		if !tt.late {
			if err != nil || <-whole != `{"a":1}` {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var e *Error
		if !errors.As(err, &e) || e.Sent || !errors.Is(err, errLate) || outcome(err) != portal.OutcomeFailed {
			t.Errorf("%s: %v, want it failed and not sent", name, err)
		}
	}
	server.Close() // waits for what has arrived
	if len(whole) > 0 {
		t.Errorf("a whole request arrived: %s", <-whole)
	}
}

// TestTheCallersDeadlineCounts, whatever a call itself may take.
func TestTheCallersDeadlineCounts(t *testing.T) {
	t.Parallel()
	d := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("sent too late") })
	ctx := unaware{t.Context(), time.Now().Add(-time.Second)}
	for _, r := range []Request{put(), {Method: "POST", Path: "/"}} {
		if _, err := d.Do(ctx, r); outcome(err) != portal.OutcomeFailed {
			t.Errorf("%s: %v", r.Op(), err)
		}
	}
}
