// Package worker sends what the outbox holds: claim, commit, call, record. No
// transaction is open during a call; a worker that dies loses its lease and
// nothing else. It knows the domain only: store, partners and links are given.
package worker

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"portico/internal/portal"
)

// Store is what the runner needs of the outbox. The methods that record an
// attempt return portal.ErrLeaseLost if the job is no longer the caller's.
type Store interface {
	ConnectionsDue(ctx context.Context) ([]string, error)
	ClaimJobs(ctx context.Context, connection string, n int, lease time.Duration) ([]portal.Job, error)
	CompleteJob(ctx context.Context, j portal.Job, took time.Duration) error
	CompleteActivation(ctx context.Context, j portal.Job, answer portal.ActivationAnswer) error
	CompleteLead(ctx context.Context, j portal.Job, partnerID string) error
	RefuseLead(ctx context.Context, j portal.Job, reason string, refusal portal.LeadRefusal) error
	RetryJobLater(ctx context.Context, j portal.Job, runAt time.Time, reason string, uncertain bool) error
	SnoozeJob(ctx context.Context, j portal.Job, runAt time.Time, reason string) error
	ParkJob(ctx context.Context, j portal.Job, reason string, uncertain bool) error
}

// Limits of a runner. A killed worker's job waits for its lease to run out. The
// lease is as long as a call and its record together, both counted from before
// the claim: whoever has lost the lease no longer sends. What brings a file has
// longer, by portal.Message.Extra.
const (
	PerConnection = 4                // jobs at once; a slow partner uses up only its own
	CallTimeout   = 20 * time.Second // waiting for a turn, reading back and sending
	RecordTimeout = 10 * time.Second
	Lease         = CallTimeout + RecordTimeout
	Tick          = time.Second      // polling underneath the notifications
	StopTimeout   = 10 * time.Second // for calls in flight when the program stops
)

// Runner drains the outbox. Any number of them may share one database.
type Runner struct {
	Store     Store
	Reporters Reporters
	Links     Links
	Log       *slog.Logger
	Now       func() time.Time
	Rand      func() float64 // jitter, in [0, 1)
	Grace     time.Duration  // instead of StopTimeout

	mu    sync.Mutex
	lanes map[string]*lane // by connection
	busy  sync.WaitGroup
}

// lane is how much goes on at one connection.
type lane struct {
	workers int  // at most PerConnection
	again   bool // something became due while all of them were at work
}

// Run drains the outbox until ctx ends, looking whenever wake says so and each
// Tick. It returns when every call in flight has been recorded.
func (r *Runner) Run(ctx context.Context, wake <-chan struct{}) {
	tick := time.NewTicker(Tick)
	defer tick.Stop()
	defer r.busy.Wait()
	for {
		if due, err := r.Store.ConnectionsDue(ctx); err == nil {
			for _, connection := range due {
				r.open(ctx, connection)
			}
		} else if ctx.Err() == nil {
			r.Log.Error("look for due jobs", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case _, ok := <-wake:
			if !ok {
				wake = nil
			}
		}
	}
}

// open sets as many to work at a connection as there may be. One slow call does
// not keep what becomes due meanwhile waiting.
func (r *Runner) open(ctx context.Context, connection string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lanes == nil {
		r.lanes = map[string]*lane{}
	}
	l := r.lanes[connection]
	if l == nil {
		l = &lane{}
		r.lanes[connection] = l
	}
	l.again = l.workers == PerConnection
	for ; l.workers < PerConnection; l.workers++ {
		r.busy.Go(func() { r.work(ctx, connection, l) })
	}
}

// work sends one job after another until nothing is due.
func (r *Runner) work(ctx context.Context, connection string, l *lane) {
	for {
		for ctx.Err() == nil && r.step(ctx, connection, 1) > 0 {
		}
		if !r.lookAgain(ctx, l) {
			return
		}
	}
}

// lookAgain takes a worker that found nothing off its lane, unless something
// may have become due after it looked.
func (r *Runner) lookAgain(ctx context.Context, l *lane) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.again && ctx.Err() == nil {
		l.again = false
		return true
	}
	l.workers--
	return false
}

// RunOnce claims what is due of each connection, at most PerConnection jobs,
// and sends it. It returns how many jobs it took.
func (r *Runner) RunOnce(ctx context.Context) (int, error) {
	due, err := r.Store.ConnectionsDue(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, connection := range due {
		n += r.step(ctx, connection, PerConnection)
	}
	return n, nil
}

// step claims up to n jobs and sends each; it returns how many it claimed.
func (r *Runner) step(ctx context.Context, connection string, n int) int {
	// The real clock, like that of the call's own limits.
	deadline := time.Now().Add(CallTimeout)
	// A claim that is cut off may have happened, and keeps its jobs from all others.
	claim, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer cancel()
	jobs, err := r.Store.ClaimJobs(claim, connection, n, Lease)
	if err != nil {
		r.Log.Error("claim jobs", "connection", connection, "err", err)
		return 0
	}
	var group sync.WaitGroup
	for _, job := range jobs {
		if ctx.Err() != nil && !mustNotRepeat(job.Message) {
			r.giveBack(claim, job)
			continue
		}
		group.Go(func() { r.send(ctx, job, deadline.Add(job.Message.Extra())) })
	}
	group.Wait()
	return len(jobs)
}

// giveBack returns a job that was claimed while the program was being stopped.
func (r *Runner) giveBack(ctx context.Context, job portal.Job) {
	if err := r.Store.SnoozeJob(ctx, job, r.Now(), job.LastError); err != nil {
		r.Log.Error("give a job back: its lease will run out", "job", job.ID, "err", err)
	}
}

// send makes one attempt and records how it ended. When the program stops, the
// call has StopTimeout to end; what is cut off then has an unknown outcome.
func (r *Runner) send(ctx context.Context, job portal.Job, deadline time.Time) {
	record, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline.Add(RecordTimeout))
	defer cancel()
	log := r.Log.With("job", job.ID, "order", job.Message.OrderID, "connection", job.Message.ConnectionID,
		"state", job.Message.State, "attempt", job.Attempt)
	if job.Message.LeadID != 0 {
		log = r.Log.With("job", job.ID, "lead", job.Message.LeadID, "connection", job.Message.ConnectionID, "attempt", job.Attempt)
	}
	if job.Attempt > job.MaxAttempts || mustNotRepeat(job.Message) { // each of them may have killed its worker
		reason := cmp.Or(job.LastError, "the last attempt was cut off")
		if err := r.Store.ParkJob(record, job, reason, job.Message.Uncertain); err != nil {
			log.Error("park", "err", err)
		}
		return
	}
	call, cut := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer cut()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(cmp.Or(r.Grace, StopTimeout), cut) })()
	started := r.Now()
	receipt, callErr := r.report(call, job.Message)
	took := r.Now().Sub(started)
	job.Attempts = append(job.Attempts, attempt(started, took, receipt, callErr))
	log = log.With("took", took)
	switch err := r.record(record, job, callErr, took); {
	case errors.Is(err, portal.ErrLeaseLost):
		log.Warn("lease lost: another worker has the job", "err", callErr)
	case err != nil:
		log.Error("record attempt: the lease will run out and the job is tried again", "err", err)
	case callErr != nil:
		log.Warn("report", "outcome", portal.OutcomeOf(callErr), "err", callErr)
	default:
		log.Info("report", "outcome", portal.OutcomeDone)
	}
}
