package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"portico/internal/portal"
)

var (
	errTimeout = &portal.ReportError{Outcome: portal.OutcomeUnknown, Err: errors.New("timeout")}
	errRefused = &portal.ReportError{Outcome: portal.OutcomeFailed, Err: errors.New("connection refused")}
)

func TestBreakerOpensAndTries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, calls := newBreaker(), 0
		call := func(err error) error {
			return b.do(func() error { calls++; return err })
		}
		for range breakerFailures {
			if err := call(errTimeout); !errors.Is(err, errTimeout) {
				t.Fatalf("the call's own error is lost: %v", err)
			}
		}
		if err := call(nil); !errors.Is(err, errNoCall) || calls != breakerFailures || !b.open() {
			t.Fatalf("after %d failures: %v, %d calls", breakerFailures, err, calls)
		}
		pass(breakerPause)
		if err := call(errRefused); !errors.Is(err, errRefused) { // the probe
			t.Fatalf("no probe: %v", err)
		}
		if err := call(nil); !errors.Is(err, errNoCall) {
			t.Fatalf("a probe that failed let others through: %v", err)
		}
		pass(breakerPause)
		for range 2 * breakerFailures {
			if err := call(nil); err != nil {
				t.Fatalf("the partner is back: %v", err)
			}
		}
	})
}

func TestBreakerCountsOnlyWhatIsNoAnswer(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"done":         nil,
		"refused":      &portal.ReportError{Outcome: portal.OutcomeRefused, Err: errors.New("400")},
		"busy":         &portal.ReportError{Outcome: portal.OutcomeBusy, Err: errors.New("429")},
		"credential":   &portal.ReportError{Outcome: portal.OutcomeCredential, Err: portal.ErrCredential},
		"visitor left": fmt.Errorf("exchange: %w", context.Canceled),
		"bad link":     &portal.Error{Kind: portal.Forbidden, Say: portal.Say("callback.invalid"), Err: errors.New("400")},
	} {
		b := newBreaker()
		for range 3 * breakerFailures {
			_ = b.do(func() error { return err })
		}
		if b.open() {
			t.Errorf("%s opens the breaker", name)
		}
	}
}

func TestOutageIsRememberedAndNotHammered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client.err = errTimeout
	for range breakerFailures {
		_ = w.report()
	}
	before := w.client.calls
	if got := portal.OutcomeOf(w.report()); got != portal.OutcomeBusy || w.client.calls != before {
		t.Errorf("with the breaker open: %s, %d calls more", got, w.client.calls-before)
	}
	w.client.err = nil
	if err := w.ticket(); err != nil {
		t.Errorf("reports that fail keep brokers out: %v", err)
	}
	outages, err := w.store.Outages(t.Context())
	if err != nil || len(outages) != 1 || outages[0].ConnectionID != "vitec" || !outages[0].Since.Equal(w.now) {
		t.Errorf("outages %+v, %v", outages, err)
	}
}

func TestTicketsStopWhenThePartnerIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client.err = &portal.Error{Kind: portal.Unavailable, Say: portal.Say("callback.unavailable"), Err: errTimeout}
	for range breakerFailures {
		_ = w.ticket()
	}
	before := w.client.calls
	if err := w.ticket(); portal.KindOf(err) != portal.Unavailable || w.client.calls != before {
		t.Errorf("%v, %d calls more", err, w.client.calls-before)
	}
}

// pass lets the bubble's own time go by, a little more than d.
func pass(d time.Duration) { <-time.After(d + time.Millisecond) }
