package views

import (
	"strconv"
	"time"

	"portico/internal/portal"
)

// Unsent is a message about an order that its partner has not got.
type Unsent struct {
	State   portal.JobState // empty: everything is reported
	Attempt int             // made so far
	Error   string          // of the last attempt
	Since   time.Time       // when there was something to report
	Behind  bool            // waits for an earlier message about the same order
	Kind    string          // UnsentRemark, UnsentActivation, UnsentLead; empty: a report, or what goes with it
}

// The kinds of unsent message that are no reports.
const (
	UnsentRemark     = "remark"
	UnsentActivation = "activation"
	UnsentLead       = "lead"
)

func unsentOf(j portal.Job, behind bool) Unsent {
	u := Unsent{State: j.State, Attempt: j.Attempt, Error: j.LastError, Since: j.CreatedAt, Behind: behind}
	switch {
	case j.Message.Remark != "":
		u.Kind = UnsentRemark
	case j.Message.Activation != nil:
		u.Kind = UnsentActivation
	case j.Message.LeadID != 0:
		u.Kind = UnsentLead
	}
	return u
}

// unsentWord says how bad it is: queued, behind, trying, parked.
func (p *Printer) unsentWord(u Unsent) string {
	switch {
	case u.State == portal.JobParked:
		return "parked"
	case u.Behind:
		return "behind"
	case u.Error == "" && u.Attempt <= 1 && p.now.Sub(u.Since) < portal.Overdue:
		return "queued"
	}
	return "trying"
}

// unsentText says it in words, which differ by what it is.
func (p *Printer) unsentText(u Unsent) string {
	word := p.unsentWord(u)
	if u.Kind != "" && word != "behind" {
		word = u.Kind + "_" + word
	}
	return p.T("unsent." + word)
}

// receiver is who gets a message: the partner, or the network of an access.
func receiver(m portal.Message, system string) string {
	if m.Activation != nil {
		return "network"
	}
	return system
}

// idle is how long a message may be due before somebody has to see whether the
// worker runs.
const idle = time.Minute

// whyUnsent says in words why a partner has not got a message; down is that it
// has not answered for a while.
func (p *Printer) whyUnsent(j portal.Job, system string, behind, down bool) string {
	key := ""
	switch {
	case behind:
		key = "why.behind"
	case j.State == portal.JobRunning:
		key = "why.running"
	case mustDecide(j):
		key = "why.lead_unknown"
	case j.Retryable():
		to := receiver(j.Message, system)
		return p.whyFailed(j.LastAttempt(), to, down && to == system)
	case p.now.Sub(j.RunAt) > idle:
		key = "why.untried"
	default:
		key = "why.queued"
	}
	return p.T(key)
}

// mustDecide reports whether a message brings a lead that may have arrived: only
// whoever has looked at the partner's can say what to do.
func mustDecide(j portal.Job) bool {
	return j.Message.LeadID != 0 && j.Message.Uncertain && j.State == portal.JobParked
}

// whyFailed says in words how an attempt ended.
func (p *Printer) whyFailed(a portal.Attempt, system string, down bool) string {
	key := "why.cut"
	switch a.Outcome {
	case portal.OutcomeRefused:
		key = "why.refused"
		if a.Status == 0 { // found without asking: a file or a folder is missing
			key = "why.missing"
		}
	case portal.OutcomeCredential:
		key = "why.credential"
	case portal.OutcomeBusy:
		switch {
		case a.Status != 0:
			key = "why.busy"
		case down:
			key = "why.down"
		default:
			key = "why.own"
		}
	case portal.OutcomeFailed:
		key = "why.failed"
	case portal.OutcomeUnknown:
		key = "why.unknown"
		if a.Status != 0 {
			key = "why.error"
		}
	}
	answer := ""
	if a.Status != 0 {
		answer = nbsp + "(" + strconv.Itoa(a.Status) + ")"
	}
	return p.T(key, "System", p.SystemName(system), "Answer", answer)
}

// nextAttempt says when a message is tried again, and which attempt that is;
// empty where it is not decided by time.
func (p *Printer) nextAttempt(j portal.Job, behind bool) string {
	args := []any{"Attempt", j.Attempt, "Max", j.MaxAttempts}
	switch {
	case j.State == portal.JobParked && j.Attempt >= j.MaxAttempts:
		return p.T("next.used_up", args...)
	case j.State == portal.JobParked:
		return p.T("next.parked")
	case behind || !j.Retryable():
		return ""
	case j.RunAt.After(p.now):
		args = append(args, "Next", p.Until(j.RunAt))
	default:
		args = append(args, "Next", p.T("next.soon"))
	}
	if j.Attempt == 0 { // sent away without an attempt being spent
		return p.T("next.at", args...)
	}
	return p.T("next.after", args...)
}
