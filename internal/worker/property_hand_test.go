package worker_test

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"portico/internal/portal"
	"portico/internal/worker"
)

// answer is what becomes of a call at the partner.
type answer string

// The answers.
const (
	taken      answer = "taken"
	notArrived answer = "not arrived"
	answerLost answer = "taken, the answer is lost"
	callLost   answer = "lost, it may have been taken"
	refused    answer = "refused"
	busy       answer = "busy"
	badLogin   answer = "credential"
)

// fault is what happens to one call and to the worker that makes it.
type fault struct {
	answer answer
	after  time.Duration // busy: for so long
	// The worker stands still before it sends or before it records, and a part
	// of the history takes place meanwhile.
	stops  moment
	pause  time.Duration
	steps  int
	killed bool // before it records
}

type moment int

const (
	never moment = iota
	beforeSending
	beforeRecording
)

// errand is how a worker's turn goes.
type errand int

// The errands.
const (
	works    errand = iota
	isTold          // to stop, as soon as it has claimed
	losesIts        // claim: it happened, and the worker never hears of it
)

func (e errand) String() string {
	return []string{"works", "is told to stop", "loses the answer to its claim"}[e]
}

// hand is one worker: a runner between a store and a partner that both go wrong
// as the history says. The runner calls about several orders at once; here each
// call waits until the one before it is recorded, so that a history always
// leads to the same.
type hand struct {
	m       *machine
	number  int
	runner  *worker.Runner
	errand  errand
	stop    context.CancelFunc
	running bool
	dead    bool

	mu    sync.Mutex
	turn  *sync.Cond
	queue []*claim
}

var errLost = errors.New("the database's answer is lost")

// claim is a job that a worker believes to be its own.
type claim struct {
	id       int64
	attempt  int
	job      *watchedJob
	deadline time.Time // of its call
}

func newHand(m *machine, number int) *hand {
	h := &hand{m: m, number: number}
	h.turn = sync.NewCond(&h.mu)
	h.runner = &worker.Runner{Store: h, Reporters: h, Links: h, Log: slog.New(slog.DiscardHandler), Now: m.clock.Now,
		Rand: func() float64 { return 0.5 }}
	return h
}

// run lets the worker do what is due; one that was killed has been started anew.
func (h *hand) run(e errand) {
	h.m.tell("worker %d %v", h.number, e)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	h.errand, h.stop, h.running, h.dead = e, stop, true, false
	defer func() { h.running = false }()
	if _, err := h.runner.RunOnce(ctx); err != nil {
		h.m.violated("worker %d: %w", h.number, err)
	}
	h.leavesNothing()
}

// leavesNothing checks that the worker has dealt with all that it claimed.
func (h *hand) leavesNothing() {
	for _, c := range h.queue {
		h.m.violated("worker %d has claimed %v and leaves it", h.number, c.job)
	}
	h.queue = nil
}

func (h *hand) ConnectionsDue(ctx context.Context) ([]string, error) {
	return h.m.store.ConnectionsDue(ctx)
}

func (h *hand) ClaimJobs(ctx context.Context, connection string, n int, lease time.Duration) ([]portal.Job, error) {
	if h.dead || h.m.err != nil {
		return nil, errKilled
	}
	h.leavesNothing()
	now := h.m.clock.Now()
	jobs, err := h.m.store.ClaimJobs(ctx, connection, n, lease)
	if err != nil || len(jobs) > n {
		h.m.violated("claim %d jobs of %s: %d, %w", n, connection, len(jobs), err)
	}
	slices.SortFunc(jobs, func(a, b portal.Job) int { return cmp.Compare(a.ID, b.ID) })
	for _, job := range jobs {
		c := &claim{id: job.ID, attempt: job.Attempt, deadline: now.Add(worker.CallTimeout)}
		if c.job = h.m.claimed(job, now); c.job == nil {
			return nil, h.m.err
		}
		c.job.holder, c.job.leased = c, now.Add(lease)
		h.queue = append(h.queue, c)
		h.m.tell("worker %d claims %v, attempt %d, uncertain %v", h.number, c.job, job.Attempt, job.Message.Uncertain)
	}
	switch h.errand {
	case isTold:
		h.stop()
	case losesIts:
		h.queue = nil
		return nil, errLost
	}
	return jobs, nil
}

// claimed checks that a job could be claimed: it is due and nobody has it. It
// returns nil for one that could not.
func (m *machine) claimed(job portal.Job, now time.Time) *watchedJob {
	all := m.reports()
	i := slices.IndexFunc(all, func(j *watchedJob) bool { return j.is(job.Message) })
	if i < 0 {
		m.violated("claimed what nobody caused: %+v", job)
		return nil
	}
	j := all[i]
	j.id = job.ID
	switch {
	case j.state == portal.JobAvailable && !job.RunAt.After(now):
	case j.state == portal.JobRunning && j.leased.Before(now):
	default:
		m.violated("%v is claimed, %s until %v, due %v", j, j.state, j.leased.Sub(m.start), job.RunAt.Sub(m.start))
		return nil
	}
	j.state = portal.JobRunning
	j.attempt++
	return j
}

// await waits for a claim's turn.
func (h *hand) await(is func(*claim) bool) *claim {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.queue[slices.IndexFunc(h.queue, is)]
	for h.queue[0] != c {
		h.turn.Wait()
	}
	return c
}

func (h *hand) next() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.queue = h.queue[1:]
	h.turn.Broadcast()
}

func (h *hand) Reporter(context.Context, string) (worker.Reporter, error) { return h, nil }

func (h *hand) Link(context.Context, portal.Message) (string, error) {
	return "https://portal.example/", nil
}

// Report is a call to the partner. After an attempt that may have arrived it
// reads before it sends, unless it asks: a question cannot be read.
func (h *hand) Report(_ context.Context, msg portal.Message) (portal.Receipt, error) {
	c := h.await(func(c *claim) bool { return c.job.is(msg) })
	if h.dead || h.m.err != nil {
		return portal.Receipt{}, errKilled
	}
	if c.attempt > len(portal.Backoff) {
		h.m.violated("%v is sent once more, after %d attempts", c.job, c.attempt-1)
	}
	f := h.m.fault(c.job.order)
	var there bool
	var err error
	if msg.Uncertain && !msg.Asks() {
		there, err = h.m.read(c, f)
	}
	h.meanwhile(f, beforeSending)
	if !there && err == nil {
		err = h.m.send(c, f)
	}
	h.m.tell("worker %d on %v: %s: %v", h.number, c.job, f.answer, err)
	h.meanwhile(f, beforeRecording)
	if h.dead = f.killed; h.dead {
		h.m.tell("worker %d is killed", h.number)
	}
	return portal.Receipt{}, err
}

// fault returns what happens to the next call about an order.
func (m *machine) fault(o *watchedOrder) fault {
	if m.calm || len(o.faults) == 0 {
		return fault{answer: taken}
	}
	f := o.faults[0]
	o.faults = o.faults[1:]
	return f
}

// meanwhile lets the history go on while the worker stands still in a call.
func (h *hand) meanwhile(f fault, at moment) {
	if f.stops != at {
		return
	}
	h.m.tell("worker %d stands still for %v in %s", h.number, f.pause, h.queue[0].job)
	h.m.clock.Pass(f.pause)
	for range f.steps {
		h.m.next()
	}
	h.m.tell("worker %d goes on", h.number)
}

// read asks the partner whether it has a report as its newest.
func (m *machine) read(c *claim, f fault) (bool, error) {
	switch f.answer {
	case notArrived, callLost, busy, badLogin:
		return false, f.err()
	}
	return c.job.order.newest == c.job, nil
}

// send sends a report, if the time for that is not over: a worker that stood
// still for too long does not send any more.
func (m *machine) send(c *claim, f fault) error {
	if m.clock.Now().After(c.deadline) && m.flaw != sendsLate {
		return context.DeadlineExceeded
	}
	if f.answer == taken || f.answer == answerLost {
		m.arrive(c.job, f.answer == answerLost || f.killed || f.stops == beforeRecording)
	}
	return f.err()
}

func (f fault) err() error {
	switch f.answer {
	case notArrived:
		return reported(portal.OutcomeFailed, 0)
	case answerLost, callLost:
		return reported(portal.OutcomeUnknown, 0)
	case refused:
		return reported(portal.OutcomeRefused, 0)
	case busy:
		return reported(portal.OutcomeBusy, f.after)
	case badLogin:
		return reported(portal.OutcomeCredential, 0)
	}
	return nil
}

// record writes how an attempt ended, and checks that it is written if and only
// if the job is still this worker's.
func (h *hand) record(job portal.Job, to portal.JobState, attempt int, write func() error) error {
	c := h.await(func(c *claim) bool { return c.id == job.ID })
	defer h.next()
	if h.dead || h.m.err != nil {
		return errKilled
	}
	mine := c.job.holder == c
	err := write()
	h.m.tell("worker %d records that %v is %s: %v", h.number, c.job, to, err)
	switch {
	case err == nil && !mine:
		h.m.violated("worker %d records that %v is %s, and has lost it", h.number, c.job, to)
	case mine && err != nil, err != nil && !errors.Is(err, portal.ErrLeaseLost):
		h.m.violated("worker %d cannot record that %v is %s: %w", h.number, c.job, to, err)
	case mine:
		c.job.holder, c.job.state, c.job.attempt = nil, to, attempt
	}
	return err
}

func (h *hand) CompleteJob(ctx context.Context, j portal.Job, took time.Duration) error {
	return h.record(j, portal.JobCompleted, j.Attempt, func() error {
		err := h.m.store.CompleteJob(ctx, j, took)
		if connection := j.Message.ConnectionID; err == nil && h.m.down[connection] {
			h.m.down[connection] = false
			h.m.up[connection] = append(h.m.up[connection], h.m.clock.Now())
			h.m.clock.Pass(recovery) // until whatever the lot says is due
		}
		return err
	})
}

func (h *hand) CompleteActivation(ctx context.Context, j portal.Job, answer portal.ActivationAnswer) error {
	return h.record(j, portal.JobCompleted, j.Attempt, func() error { return h.m.store.CompleteActivation(ctx, j, answer) })
}

func (h *hand) CompleteLead(ctx context.Context, j portal.Job, partnerID string) error {
	return h.record(j, portal.JobCompleted, j.Attempt, func() error { return h.m.store.CompleteLead(ctx, j, partnerID) })
}

func (h *hand) RefuseLead(ctx context.Context, j portal.Job, reason string, refusal portal.LeadRefusal) error {
	return h.record(j, portal.JobParked, j.Attempt, func() error { return h.m.store.RefuseLead(ctx, j, reason, refusal) })
}

func (h *hand) RetryJobLater(ctx context.Context, j portal.Job, runAt time.Time, reason string, uncertain bool) error {
	return h.record(j, portal.JobAvailable, j.Attempt, func() error { return h.m.store.RetryJobLater(ctx, j, runAt, reason, uncertain) })
}

func (h *hand) SnoozeJob(ctx context.Context, j portal.Job, runAt time.Time, reason string) error {
	return h.record(j, portal.JobAvailable, j.Attempt-1, func() error { return h.m.store.SnoozeJob(ctx, j, runAt, reason) })
}

func (h *hand) ParkJob(ctx context.Context, j portal.Job, reason string, uncertain bool) error {
	return h.record(j, portal.JobParked, min(j.Attempt, j.MaxAttempts), func() error { return h.m.store.ParkJob(ctx, j, reason, uncertain) })
}
