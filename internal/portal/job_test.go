package portal_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"portico/internal/portal"
)

func TestBackoffIs75Hours(t *testing.T) {
	t.Parallel()
	var sum time.Duration
	for _, d := range portal.Backoff {
		sum += d
	}
	if len(portal.Backoff) != 10 || portal.Backoff[0] != 0 || sum.Truncate(time.Hour) != 75*time.Hour {
		t.Errorf("%d attempts, the first after %v, all after %v", len(portal.Backoff), portal.Backoff[0], sum)
	}
}

func TestJobStates(t *testing.T) {
	t.Parallel()
	for s, final := range map[portal.JobState]bool{portal.JobAvailable: false, portal.JobRunning: false, portal.JobParked: false,
		portal.JobCompleted: true, portal.JobSkipped: true} {
		if s.Final() != final {
			t.Errorf("%s is final: %v", s, s.Final())
		}
	}
}

func TestCheckReason(t *testing.T) {
	t.Parallel()
	for name, b := range bodies {
		if got := faults(t, portal.CheckReason(b.body))["reason"]; got != b.fault {
			t.Errorf("%s: %q, want %q", name, got, b.fault)
		}
	}
	if got := faults(t, portal.CheckReason(""))["reason"]; got != "field.required" {
		t.Errorf("no reason: %q", got)
	}
}

func TestOutcomeOf(t *testing.T) {
	t.Parallel()
	busy := &portal.ReportError{Outcome: portal.OutcomeBusy, Err: errors.New("429")}
	for _, c := range []struct {
		err  error
		want portal.Outcome
	}{
		{nil, portal.OutcomeDone},
		{busy, portal.OutcomeBusy},
		{fmt.Errorf("report: %w", busy), portal.OutcomeBusy},
		{errors.New("no idea"), portal.OutcomeUnknown},
		{context.DeadlineExceeded, portal.OutcomeUnknown},
	} {
		if got := portal.OutcomeOf(c.err); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
}
