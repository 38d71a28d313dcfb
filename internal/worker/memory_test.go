package worker_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"portico/db"
	"portico/internal/portal"
)

// memory is the outbox and its orders without a database: what *db.Store
// promises, written a second time so that thousands of histories can be played
// on it. TestThePropertyHoldsOnTheRealStore compares the two.
type memory struct {
	mu       sync.Mutex
	now      func() time.Time
	flaw     flaw
	services map[string]portal.Service
	orders   []*storedOrder // by id, from 1
	jobs     []*storedJob   // by id, from 1
	down     map[string]bool
}

type storedOrder struct {
	portal.Order
	interactions []portal.Interaction
}

type storedJob struct {
	portal.Job
	leasedUntil time.Time
}

// flaw is something that memory does wrong on purpose.
type flaw string

// The flaws. Each is a rule that somebody could forget.
const (
	sound          flaw = ""
	overtakes      flaw = "a report does not wait for the earlier ones of its order"
	passesParked   flaw = "a parked report holds up nothing"
	passesSnoozed  flaw = "a report that waits for its time holds up nothing"
	ignoresLease   flaw = "a lease keeps nobody away"
	neverFrees     flaw = "a lease never runs out"
	lapseTrusts    flaw = "a lease that runs out ends the doubt"
	recordTrusts   flaw = "a record ends the doubt"
	parkTrusts     flaw = "parking ends the doubt"
	snoozeTrusts   flaw = "a snooze ends the doubt"
	retryTrusts    flaw = "a retry by hand ends the doubt"
	snoozeSpends   flaw = "a snooze spends the attempt"
	retrySpends    flaw = "a retry by hand gives no attempts"
	unguarded      flaw = "a record is not guarded"
	guardsState    flaw = "a record is guarded by the state alone"
	parkDrops      flaw = "what is parked is dropped"
	parkCompletes  flaw = "what is parked counts as sent"
	parkSkips      flaw = "what is parked is skipped by itself"
	decidesRunning flaw = "people decide about what is being sent"
	losesReport    flaw = "a question is stored without its report"
	doublesReport  flaw = "a delivery is reported twice"
	recoverUnparks flaw = "the end of an outage sends what is parked"
	startsAll      flaw = "what is cancelled can be started"
	sendsLate      flaw = "a worker that has lost its lease still sends" // not the store's
)

// recovery is the time over which what has waited for a partner is sent again.
const recovery = 20 * time.Second

func newMemory(setup portal.Setup, now func() time.Time) *memory {
	s := &memory{now: now, services: map[string]portal.Service{}, down: map[string]bool{}}
	for _, svc := range setup.Services {
		for _, c := range setup.Connections {
			if c.ID == svc.ConnectionID {
				svc.Reports = c.Reports
			}
		}
		s.services[svc.ID] = svc
	}
	return s
}

func (s *memory) Service(_ context.Context, id string) (portal.Service, error) {
	return s.services[id], nil
}

func (s *memory) OpenOrder(_ context.Context, svc portal.Service, t portal.Ticket, _ string) (db.Opened, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, change, err := portal.NewOrder(svc, t, s.now())
	if err != nil {
		return db.Opened{}, err
	}
	o.ID, o.PublicID = int64(len(s.orders)+1), t.OrderID
	s.orders = append(s.orders, &storedOrder{Order: *o})
	s.insert(o.ID, change.Report)
	return db.Opened{ID: o.ID, PublicID: o.PublicID, New: true}, nil
}

func (s *memory) OrderForStaff(_ context.Context, publicID string) (portal.Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.orders {
		if o.PublicID == publicID {
			return o.Order, nil
		}
	}
	return portal.Order{}, portal.Errorf(portal.NotFound, "error.not_found")
}

func (s *memory) Interactions(_ context.Context, orderID int64) ([]portal.Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := slices.Clone(s.orders[orderID-1].interactions)
	slices.Reverse(newest)
	return newest, nil
}

func (s *memory) insert(order int64, m *portal.Message) {
	if m == nil {
		return
	}
	now := s.now()
	stored := *m
	stored.OrderID, stored.Since = order, now
	s.jobs = append(s.jobs, &storedJob{Job: portal.Job{ID: int64(len(s.jobs) + 1), Message: stored, State: portal.JobAvailable,
		MaxAttempts: len(portal.Backoff), RunAt: now, CreatedAt: now}})
}

// change lets the domain decide and stores what it leaves. The order itself is
// changed, not a copy: a refusal that changes something shows.
func (s *memory) change(id int64, do func(o *storedOrder, now time.Time) (portal.Change, error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, now := s.orders[id-1], s.now()
	c, err := do(o, now)
	if err != nil {
		return fmt.Errorf("change order %d: %w", id, err)
	}
	if o.State != portal.Waiting {
		for i := range o.interactions {
			if o.interactions[i].Open() {
				o.interactions[i].ClosedAt = &now
			}
		}
	}
	switch {
	case s.flaw == losesReport && o.State == portal.Waiting:
		return nil
	case s.flaw == doublesReport && o.State == portal.Delivered:
		s.insert(id, c.Report)
	}
	s.insert(id, c.Report)
	return nil
}

func (s *memory) SubmitOrder(_ context.Context, id int64, typed map[string][]string, by portal.Actor) error {
	return s.change(id, func(o *storedOrder, now time.Time) (portal.Change, error) { return o.Submit(typed, by, now) })
}

func (s *memory) StartOrder(_ context.Context, id int64, by portal.Actor) error {
	return s.change(id, func(o *storedOrder, now time.Time) (portal.Change, error) {
		if s.flaw == startsAll && o.State == portal.Cancelled {
			o.State = portal.Received
		}
		return o.Start(by, now)
	})
}

func (s *memory) AskBroker(_ context.Context, id int64, i portal.Interaction, by portal.Actor) error {
	return s.change(id, func(o *storedOrder, now time.Time) (portal.Change, error) {
		c, err := o.Ask(i, by, now)
		if err == nil {
			i.ID, i.AskedAt = int64(len(o.interactions)+1), now
			o.interactions = append(o.interactions, i)
		}
		return c, err
	})
}

func (s *memory) AnswerInteraction(_ context.Context, id, interaction int64, answer string, by portal.Actor) error {
	return s.change(id, func(o *storedOrder, now time.Time) (portal.Change, error) {
		for i := range o.interactions {
			if o.interactions[i].ID == interaction {
				return o.Answer(&o.interactions[i], answer, by, now)
			}
		}
		return portal.Change{}, portal.Errorf(portal.NotFound, "error.not_found")
	})
}

func (s *memory) DeliverOrder(_ context.Context, id int64, d portal.Delivery, by portal.Actor) error {
	return s.change(id, func(o *storedOrder, now time.Time) (portal.Change, error) { return o.Deliver(d, by, now) })
}

func (s *memory) FailOrder(_ context.Context, id int64, description string, by portal.Actor) error {
	return s.change(id, func(o *storedOrder, now time.Time) (portal.Change, error) { return o.Fail(description, by, now) })
}

func (s *memory) CancelOrder(_ context.Context, id int64, reason string, by portal.Actor) error {
	return s.change(id, func(o *storedOrder, now time.Time) (portal.Change, error) { return o.Cancel(reason, by, now) })
}

func (s *memory) ReopenOrder(_ context.Context, id int64, by portal.Actor) error {
	return s.change(id, func(o *storedOrder, now time.Time) (portal.Change, error) { return o.Reopen(by, now) })
}

func (s *memory) RequestRevision(_ context.Context, id int64, body string, by portal.Actor) error {
	return s.change(id, func(o *storedOrder, now time.Time) (portal.Change, error) { return o.RequestRevision(body, by, now) })
}

// behind reports whether a job has to wait for an earlier one of its order.
func (s *memory) behind(j *storedJob) bool {
	return slices.ContainsFunc(s.jobs[:j.ID-1], func(e *storedJob) bool {
		return e.Message.OrderID == j.Message.OrderID && !e.State.Final()
	})
}

func (s *memory) due(j *storedJob) bool {
	now := s.now()
	first := !slices.ContainsFunc(s.jobs[:j.ID-1], func(e *storedJob) bool {
		return e.Message.OrderID == j.Message.OrderID && !e.State.Final() &&
			s.flaw != overtakes &&
			!(s.flaw == passesParked && e.State == portal.JobParked) &&
			!(s.flaw == passesSnoozed && e.State == portal.JobAvailable && e.RunAt.After(now))
	})
	switch j.State {
	case portal.JobAvailable:
		return first && !j.RunAt.After(now)
	case portal.JobRunning:
		return first && (s.flaw == ignoresLease || s.flaw != neverFrees && j.leasedUntil.Before(now))
	}
	return false
}

func (s *memory) ConnectionsDue(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, j := range s.jobs {
		if s.due(j) {
			ids = append(ids, j.Message.ConnectionID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

func (s *memory) ClaimJobs(_ context.Context, connection string, n int, lease time.Duration) ([]portal.Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []*storedJob
	for _, j := range s.jobs {
		if j.Message.ConnectionID == connection && s.due(j) {
			due = append(due, j)
		}
	}
	slices.SortFunc(due, func(a, b *storedJob) int { return cmp.Or(a.RunAt.Compare(b.RunAt), cmp.Compare(a.ID, b.ID)) })
	var claimed []portal.Job
	for _, j := range due[:min(n, len(due))] {
		if j.State == portal.JobRunning && s.flaw != lapseTrusts {
			j.Message.Uncertain = true
		}
		j.State, j.leasedUntil, j.Attempt = portal.JobRunning, s.now().Add(lease), j.Attempt+1
		job := j.Job
		job.Attempts = nil
		claimed = append(claimed, job)
	}
	return claimed, nil
}

// record stores how an attempt ended if the job is still the caller's.
func (s *memory) record(j portal.Job, write func(j *storedJob)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.jobs[j.ID-1]
	running := mine.State == portal.JobRunning
	switch {
	case s.flaw == unguarded, s.flaw == guardsState && running:
	case !running || mine.Attempt != j.Attempt || !mine.RunAt.Equal(j.RunAt):
		return fmt.Errorf("record job %d: %w", j.ID, portal.ErrLeaseLost)
	}
	if len(j.Attempts) > 0 {
		mine.Attempts = append(mine.Attempts, j.Attempts[len(j.Attempts)-1])
	}
	mine.leasedUntil = time.Time{}
	write(mine)
	return nil
}

// CompleteActivation is never called: no order of the property's has a network.
func (*memory) CompleteActivation(context.Context, portal.Job, portal.ActivationAnswer) error {
	return errors.New("there are no activations here")
}

// CompleteLead is never called: the property is about orders.
func (*memory) CompleteLead(context.Context, portal.Job, string) error {
	return errors.New("there are no leads here")
}

// RefuseLead is never called either.
func (*memory) RefuseLead(context.Context, portal.Job, string, portal.LeadRefusal) error {
	return errors.New("there are no leads here")
}

func (s *memory) CompleteJob(_ context.Context, j portal.Job, _ time.Duration) error {
	return s.record(j, func(j *storedJob) {
		now := s.now()
		j.State, j.FinishedAt, j.LastError = portal.JobCompleted, &now, ""
		if s.down[j.Message.ConnectionID] {
			delete(s.down, j.Message.ConnectionID)
			s.recover(j.Message.ConnectionID, now)
		}
	})
}

// recover brings forward what failed during an outage.
func (s *memory) recover(connection string, now time.Time) {
	for _, j := range s.jobs {
		if j.Message.ConnectionID != connection {
			continue
		}
		if s.flaw == recoverUnparks && j.State == portal.JobParked {
			j.State = portal.JobAvailable
		}
		if j.State == portal.JobAvailable && j.LastError != "" && j.RunAt.After(now.Add(recovery)) {
			j.RunAt = now.Add(recovery / 2)
		}
	}
}

func (s *memory) RetryJobLater(_ context.Context, j portal.Job, runAt time.Time, reason string, uncertain bool) error {
	return s.record(j, func(j *storedJob) {
		j.State, j.RunAt, j.LastError = portal.JobAvailable, runAt, reason
		j.Message.Uncertain = uncertain && s.flaw != recordTrusts
	})
}

func (s *memory) SnoozeJob(_ context.Context, j portal.Job, runAt time.Time, reason string) error {
	return s.record(j, func(j *storedJob) {
		j.State, j.RunAt, j.LastError = portal.JobAvailable, runAt, reason
		if s.flaw != snoozeSpends {
			j.Attempt--
		}
		if s.flaw == snoozeTrusts {
			j.Message.Uncertain = false
		}
	})
}

func (s *memory) ParkJob(_ context.Context, j portal.Job, reason string, uncertain bool) error {
	return s.record(j, func(j *storedJob) {
		now := s.now()
		j.State, j.LastError, j.Attempt = portal.JobParked, reason, min(j.Attempt, j.MaxAttempts)
		j.Message.Uncertain = uncertain && s.flaw != parkTrusts
		switch s.flaw {
		case parkDrops:
			j.Message.OrderID = 0
			fallthrough
		case parkSkips:
			j.State, j.FinishedAt = portal.JobSkipped, &now
		case parkCompletes:
			j.State, j.FinishedAt = portal.JobCompleted, &now
		}
	})
}

func (s *memory) RetryJob(_ context.Context, id int64, _ portal.Actor) error {
	return s.decide(id, func(j *storedJob, now time.Time) error {
		j.State, j.LastError, j.RunAt = portal.JobAvailable, "", now
		if s.flaw != retrySpends {
			j.Attempt = 0
		}
		if s.flaw == retryTrusts {
			j.Message.Uncertain = false
		}
		return nil
	})
}

func (s *memory) SkipJob(_ context.Context, id int64, reason string, _ portal.Actor) error {
	return s.decide(id, func(j *storedJob, now time.Time) error {
		if err := portal.CheckReason(reason); err != nil {
			return err
		}
		j.State, j.FinishedAt = portal.JobSkipped, &now
		return nil
	})
}

// decide lets a person decide about a job that nobody is sending just now.
func (s *memory) decide(id int64, do func(j *storedJob, now time.Time) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	j := s.jobs[id-1]
	switch {
	case j.State.Final():
		return portal.Errorf(portal.Conflict, "outbox.over")
	case j.State == portal.JobRunning && s.flaw != decidesRunning:
		return portal.Errorf(portal.Conflict, "outbox.running")
	}
	return do(j, s.now())
}

func (s *memory) ConnectionDown(_ context.Context, id string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	news := !s.down[id]
	s.down[id] = true
	return news, nil
}

func (s *memory) Jobs(_ context.Context, orderID int64) ([]portal.Job, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var jobs []portal.Job
	for _, j := range s.jobs {
		if j.Message.OrderID == orderID {
			jobs = append(jobs, j.Job)
		}
	}
	return jobs, nil
}

// Outbox returns everything that is not over, whatever the filter.
func (s *memory) Outbox(context.Context, db.OutboxFilter) (db.OutboxPage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var page db.OutboxPage
	for _, j := range s.jobs { // their ids are in the sequence of their creation
		if !j.State.Final() {
			page.Rows = append(page.Rows, db.Unreported{Job: j.Job, Behind: s.behind(j)})
		}
	}
	return page, nil
}
