package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"portico/internal/portal"
)

// Reporter tells one connection's partner what became of an order, and returns
// what it answered. Its errors are *portal.ReportError; any other counts as an
// unknown outcome.
type Reporter interface {
	Report(ctx context.Context, m portal.Message) (portal.Receipt, error)
}

// Reporters finds a connection's reporter.
type Reporters interface {
	Reporter(ctx context.Context, connection string) (Reporter, error)
}

// Links makes the address at which the broker answers a question.
type Links interface {
	Link(ctx context.Context, m portal.Message) (string, error)
}

const (
	busyDelay       = 30 * time.Second // the partner is busy and does not say for how long
	maxBusyDelay    = time.Hour
	credentialDelay = 5 * time.Minute
	setupDelay      = time.Minute // a fault on our own side, before anything was sent
	jitter          = 0.2
)

func (r *Runner) report(ctx context.Context, m portal.Message) (receipt portal.Receipt, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("report panicked: %v", p)
		}
	}()
	reporter, err := r.Reporters.Reporter(ctx, m.ConnectionID)
	if err != nil {
		return portal.Receipt{}, &portal.ReportError{Outcome: portal.OutcomeBusy, RetryAfter: setupDelay, Err: err}
	}
	if m.Asks() {
		if m.URL, err = r.Links.Link(ctx, m); err != nil {
			return portal.Receipt{}, &portal.ReportError{Outcome: portal.OutcomeBusy, RetryAfter: setupDelay, Err: err}
		}
	}
	return reporter.Report(ctx, m)
}

// record stores how an attempt ended, by outcome.
func (r *Runner) record(ctx context.Context, job portal.Job, callErr error, took time.Duration) error {
	var e *portal.ReportError
	if errors.As(callErr, &e); e == nil {
		e = &portal.ReportError{}
	}
	reason := describe(callErr)
	outcome := portal.OutcomeOf(callErr)
	if recorded, err := r.recordLead(ctx, job, outcome, reason, e.Lead); recorded {
		return err
	}
	switch outcome {
	case portal.OutcomeDone:
		if answer := job.LastAttempt().Activation; answer != nil {
			return r.Store.CompleteActivation(ctx, job, *answer)
		}
		return r.Store.CompleteJob(ctx, job, took)
	case portal.OutcomeRefused:
		return r.Store.ParkJob(ctx, job, reason, false)
	case portal.OutcomeCredential:
		return r.Store.SnoozeJob(ctx, job, r.later(atLeast(e.RetryAfter, credentialDelay)), reason)
	case portal.OutcomeBusy:
		delay := min(e.RetryAfter, maxBusyDelay)
		if delay <= 0 {
			delay = busyDelay
		}
		return r.Store.SnoozeJob(ctx, job, r.later(delay), reason)
	default:
		// Once uncertain, uncertain until the partner has been read or says no.
		uncertain := job.Message.Uncertain || outcome == portal.OutcomeUnknown
		if job.Attempt >= job.MaxAttempts || job.Attempt >= len(portal.Backoff) {
			return r.Store.ParkJob(ctx, job, reason, uncertain)
		}
		return r.Store.RetryJobLater(ctx, job, r.spread(portal.Backoff[job.Attempt]), reason, uncertain)
	}
}

// later is at least d from now, and up to a fifth more, so that a herd that was
// sent away does not come back at once.
func (r *Runner) later(d time.Duration) time.Time {
	return r.Now().Add(d + time.Duration(float64(d)*jitter*r.Rand()))
}

// spread is d from now, give or take a fifth.
func (r *Runner) spread(d time.Duration) time.Time {
	return r.Now().Add(d + time.Duration(float64(d)*jitter*(2*r.Rand()-1)))
}

func atLeast(d, least time.Duration) time.Duration {
	if d <= 0 {
		return least
	}
	return d
}

// attempt returns what is kept of an attempt.
func attempt(started time.Time, took time.Duration, receipt portal.Receipt, err error) portal.Attempt {
	a := portal.Attempt{StartedAt: started, Took: took, Outcome: portal.OutcomeOf(err), Receipt: receipt, Error: describe(err)}
	var e *portal.ReportError
	if errors.As(err, &e) {
		a.Receipt = portal.Receipt{Status: e.Status, Answer: e.Answer}
	}
	return a
}

// maxReason is how much of an error the outbox keeps, in bytes.
const maxReason = 1000

func describe(err error) string {
	if err == nil {
		return ""
	}
	s := err.Error()
	var report *portal.ReportError
	if errors.As(err, &report) && report.Err != nil {
		s = report.Err.Error() // without our own word for the outcome: people read this
	}
	if len(s) > maxReason {
		s = s[:maxReason]
	}
	// A partner's answer may be cut in a letter or hold what PostgreSQL refuses.
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}
