package worker_test

import (
	"context"
	"time"

	"portico/db"
	"portico/internal/portal"
)

// sight is what a store shows, without what differs between two stores.
type sight struct {
	At     time.Duration
	Due    []string // connections
	Orders []portal.State
	Jobs   []seenJob
}

type seenJob struct {
	Order     int
	Says      portal.State
	State     portal.JobState
	Attempt   int
	RunAt     time.Duration
	Uncertain bool
	LastError string
	Finished  bool
	Listed    bool
	Behind    bool
	Attempts  []portal.Outcome
}

// check compares what the store shows with what the machine knows.
func (m *machine) check() {
	if m.err != nil {
		return
	}
	ctx := context.Background()
	due, err := m.store.ConnectionsDue(ctx)
	if err != nil {
		m.violated("connections due: %w", err)
	}
	page, err := m.store.Outbox(ctx, db.OutboxFilter{Limit: 1000})
	if err != nil {
		m.violated("outbox: %w", err)
	}
	listed := map[int64]db.Unreported{}
	for _, u := range page.Rows {
		listed[u.Job.ID] = u
	}
	s := sight{At: m.clock.Now().Sub(m.start), Due: due}
	for _, o := range m.orders {
		shown, err := m.store.OrderForStaff(ctx, o.public)
		if err != nil || shown.State != o.state {
			m.violated("order %d is %s, %v; want %s", o.number, shown.State, err, o.state)
		}
		s.Orders = append(s.Orders, shown.State)
		s.Jobs = append(s.Jobs, m.checkJobs(o, listed)...)
	}
	if len(listed) > 0 {
		m.violated("the outbox lists %d jobs too many", len(listed))
	}
	m.sights = append(m.sights, s)
}

// checkJobs checks that every report that an order caused is a job, once, in
// the state that it was brought into, and listed as long as it is not over. It
// takes what it finds off the list.
func (m *machine) checkJobs(o *watchedOrder, listed map[int64]db.Unreported) []seenJob {
	jobs, err := m.store.Jobs(context.Background(), o.id)
	if err != nil || len(jobs) != len(o.jobs) {
		m.violated("order %d has %d reports, %v; it caused %d", o.number, len(jobs), err, len(o.jobs))
		return nil
	}
	var seen []seenJob
	blocked := false
	for i, shown := range jobs {
		j := o.jobs[i]
		if j.id == 0 {
			j.id = shown.ID
		}
		if shown.ID != j.id || shown.Message.State != j.says || !shown.CreatedAt.Equal(j.since) {
			m.violated("report %d of order %d is %+v, want %v of %v", i, o.number, shown, j, j.since)
		}
		if shown.State != j.state || shown.Attempt != j.attempt {
			m.violated("%v is %s after %d attempts, want %s after %d", j, shown.State, shown.Attempt, j.state, j.attempt)
		}
		if shown.State == portal.JobCompleted && j.arrivals == 0 {
			m.violated("%v is completed and has not arrived", j)
		}
		u, ok := listed[j.id]
		delete(listed, j.id)
		if ok == j.state.Final() || ok && u.Behind != blocked {
			m.violated("%v is %s; listed %v, behind another %v, want %v", j, j.state, ok, u.Behind, blocked)
		}
		blocked = blocked || !j.state.Final()
		seen = append(seen, m.seen(j, shown, u, ok))
	}
	return seen
}

func (m *machine) seen(j *watchedJob, shown portal.Job, u db.Unreported, listed bool) seenJob {
	runAt := shown.RunAt
	for _, up := range m.up[j.order.connection] {
		if shown.RunAt.After(up) && !shown.RunAt.After(up.Add(recovery)) {
			runAt = up // when exactly is drawn by lot
		}
	}
	s := seenJob{Order: j.order.number, Says: j.says, State: shown.State, Attempt: shown.Attempt, RunAt: runAt.Sub(m.start),
		Uncertain: shown.Message.Uncertain, LastError: shown.LastError, Finished: shown.FinishedAt != nil, Listed: listed, Behind: u.Behind}
	for _, a := range shown.Attempts {
		s.Attempts = append(s.Attempts, a.Outcome)
	}
	return s
}
