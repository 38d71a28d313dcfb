package worker

import (
	"context"

	"portico/internal/portal"
)

// mustNotRepeat reports whether a message brings a lead that may have arrived:
// the partner makes another one each time, so that a person has to look there.
func mustNotRepeat(m portal.Message) bool { return m.LeadID != 0 && m.Uncertain }

// recordLead stores how an attempt to bring a lead ended, and reports whether it
// did: what says nothing about the lead is recorded as of any other message.
func (r *Runner) recordLead(ctx context.Context, job portal.Job, outcome portal.Outcome, reason string, refusal portal.LeadRefusal) (bool, error) {
	if job.Message.LeadID == 0 {
		return false, nil
	}
	switch outcome {
	case portal.OutcomeDone:
		return true, r.Store.CompleteLead(ctx, job, job.LastAttempt().LeadID)
	case portal.OutcomeRefused:
		return true, r.Store.RefuseLead(ctx, job, reason, refusal)
	case portal.OutcomeUnknown:
		return true, r.Store.ParkJob(ctx, job, reason, true)
	}
	return false, nil
}
