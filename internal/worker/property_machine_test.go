package worker_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"portico/db"
	"portico/internal/portal"
	"portico/internal/worker"
	"portico/internal/worldtest"
)

// outbox is the store as workers, brokers and staff meet it.
type outbox interface {
	worker.Store
	Service(ctx context.Context, id string) (portal.Service, error)
	OpenOrder(ctx context.Context, svc portal.Service, t portal.Ticket, currency string) (db.Opened, error)
	OrderForStaff(ctx context.Context, publicID string) (portal.Order, error)
	Interactions(ctx context.Context, orderID int64) ([]portal.Interaction, error)
	SubmitOrder(ctx context.Context, id int64, typed map[string][]string, by portal.Actor) error
	StartOrder(ctx context.Context, id int64, by portal.Actor) error
	AskBroker(ctx context.Context, id int64, i portal.Interaction, by portal.Actor) error
	AnswerInteraction(ctx context.Context, id, interaction int64, answer string, by portal.Actor) error
	DeliverOrder(ctx context.Context, id int64, d portal.Delivery, by portal.Actor) error
	FailOrder(ctx context.Context, id int64, description string, by portal.Actor) error
	CancelOrder(ctx context.Context, id int64, reason string, by portal.Actor) error
	ReopenOrder(ctx context.Context, id int64, by portal.Actor) error
	RequestRevision(ctx context.Context, id int64, body string, by portal.Actor) error
	Jobs(ctx context.Context, orderID int64) ([]portal.Job, error)
	Outbox(ctx context.Context, f db.OutboxFilter) (db.OutboxPage, error)
	RetryJob(ctx context.Context, id int64, by portal.Actor) error
	SkipJob(ctx context.Context, id int64, reason string, by portal.Actor) error
	ConnectionDown(ctx context.Context, id string) (bool, error)
}

// machine plays a history on a store and knows by itself what has to come of
// it: it asks the store only to compare.
type machine struct {
	store  outbox
	flaw   flaw
	clock  *worldtest.Clock
	start  time.Time
	by     portal.Actor
	hands  []*hand
	orders []*watchedOrder
	steps  []step // that are still to come
	played int
	look   int  // after so many steps
	calm   bool // all faults have ended
	down   map[string]bool
	up     map[string][]time.Time // when a connection's outages ended
	err    error                  // what was violated first
	story  []line
	sights []sight
}

// watchedOrder is what the machine knows of an order.
type watchedOrder struct {
	offer
	number int
	id     int64
	public string
	state  portal.State
	jobs   []*watchedJob
	newest *watchedJob // at the partner
	faults []fault
}

// watchedJob is what the machine knows of a report.
type watchedJob struct {
	order    *watchedOrder
	place    int // among the order's
	says     portal.State
	since    time.Time
	id       int64 // 0 until it has been seen
	state    portal.JobState
	attempt  int
	leased   time.Time
	holder   *claim // who may record how the attempt ended
	arrivals int
	doubts   int // arrivals that nobody here could know of
}

func (j *watchedJob) String() string {
	return fmt.Sprintf("%s of order %d (#%d)", j.says, j.order.number, j.place)
}

func (j *watchedJob) asks() bool { return j.says == portal.Waiting || j.says == portal.Draft }

// is reports whether the job is that of a message.
func (j *watchedJob) is(msg portal.Message) bool {
	return j.order.id == msg.OrderID && j.since.Equal(msg.Since)
}

// play plays a history to its end, or until something is violated.
func play(s outbox, c *worldtest.Clock, by portal.Actor, h history, f flaw) *machine {
	m := &machine{store: s, flaw: f, clock: c, start: c.Now(), by: by, steps: h.steps, look: h.look,
		down: map[string]bool{}, up: map[string][]time.Time{}}
	for i := range 3 {
		m.hands = append(m.hands, newHand(m, i+1))
	}
	for i, o := range h.orders {
		m.open(i+1, o)
	}
	m.check()
	for m.next() {
	}
	m.end()
	return m
}

// next plays the next step, if there is one.
func (m *machine) next() bool {
	if m.err != nil || len(m.steps) == 0 {
		return false
	}
	step := m.steps[0]
	m.steps = m.steps[1:]
	m.clock.Pass(time.Millisecond) // no two things happen at the same time
	step(m)
	if m.played++; m.played%m.look == 0 {
		m.check()
	}
	return true
}

// violated remembers the first thing that must not be.
func (m *machine) violated(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf(format, args...)
		m.tell("VIOLATED: %v", m.err)
	}
}

// line is a line of the story, formatted only if somebody reads it.
type line struct {
	at     time.Duration
	inside int // so many workers' turns
	format string
	args   []any
}

func (m *machine) tell(format string, args ...any) {
	m.story = append(m.story, line{m.clock.Now().Sub(m.start), m.inside(), format, args})
}

// inside returns how many workers are at it: all but the last stand still.
func (m *machine) inside() int {
	n := 0
	for _, h := range m.hands {
		if h.running {
			n++
		}
	}
	return n
}

// told returns the story so far.
func (m *machine) told() string {
	var b strings.Builder
	for _, l := range m.story {
		fmt.Fprintf(&b, "\n%14s %s%s", l.at, strings.Repeat("   ", l.inside), fmt.Sprintf(l.format, l.args...))
	}
	return b.String()
}

func (m *machine) open(number int, p planned) {
	m.clock.Pass(time.Millisecond)
	o := &watchedOrder{offer: p.offer, number: number, faults: p.faults, state: p.offer.begins}
	svc, err := m.store.Service(context.Background(), o.service)
	if err == nil {
		var opened db.Opened
		opened, err = m.store.OpenOrder(context.Background(), svc, portal.Ticket{OrderID: fmt.Sprint("B", number), Customer: "M30011",
			UserID: "U1", OwnerID: "U1", Target: portal.Target{Type: "HousingCooperative", ID: "OBJ1"}}, "SEK")
		o.id, o.public = opened.ID, opened.PublicID
	}
	m.tell("order %d of %s opens as %s", number, o.service, o.state)
	if err != nil {
		m.violated("open order %d: %w", number, err)
		return
	}
	m.orders = append(m.orders, o)
	m.caused(o, o.state)
}

// caused expects a report if the partner is told of a state.
func (m *machine) caused(o *watchedOrder, says portal.State) {
	if slices.Contains(o.told, says) {
		o.jobs = append(o.jobs, &watchedJob{order: o, place: len(o.jobs), says: says, since: m.clock.Now(), state: portal.JobAvailable})
	}
}

// act lets somebody do something to an order, whether it is allowed or not.
func (m *machine) act(o *watchedOrder, d deed) {
	err := d.do(context.Background(), m.store, o.id, m.by)
	m.tell("%s order %d, which is %s: %v", d.name, o.number, o.state, err)
	switch allowed := slices.Contains(d.from, o.state); {
	case allowed && err != nil:
		m.violated("%s order %d, which is %s: %w", d.name, o.number, o.state, err)
	case allowed:
		o.state = d.to
		m.caused(o, d.to)
	case err == nil || portal.KindOf(err) != portal.Conflict && !(d.name == "answer" && portal.KindOf(err) == portal.NotFound):
		m.violated("%s order %d, which is %s, is not refused as a conflict: %v", d.name, o.number, o.state, err)
	}
}

// pass lets time pass.
func (m *machine) pass(d time.Duration) {
	m.clock.Pass(d)
	m.tell("%v pass", d)
}

// reports returns every report.
func (m *machine) reports() []*watchedJob {
	var all []*watchedJob
	for _, o := range m.orders {
		all = append(all, o.jobs...)
	}
	return all
}

// pick returns one of the reports, or nil; those that are parked come first.
func (m *machine) pick(n int) *watchedJob {
	all := m.reports()
	parked := slices.DeleteFunc(slices.Clone(all), func(j *watchedJob) bool { return j.state != portal.JobParked })
	if all = append(parked, all...); len(all) == 0 {
		return nil
	}
	return all[n%len(all)]
}

// decide lets a person retry a report, or skip it for a reason.
func (m *machine) decide(j *watchedJob, skip bool, reason string) {
	if j.id == 0 {
		m.check()
	}
	if m.err != nil {
		return
	}
	was, verb, want := j.state, "retry", portal.Internal
	var err error
	if skip {
		verb, err = "skip", m.store.SkipJob(context.Background(), j.id, reason, m.by)
	} else {
		err = m.store.RetryJob(context.Background(), j.id, m.by)
	}
	m.tell("%s %v, which is %s: %v", verb, j, was, err)
	switch {
	case was != portal.JobParked && was != portal.JobAvailable:
		want = portal.Conflict
	case skip && reason == "":
		want = portal.Invalid
	case skip:
		j.state = portal.JobSkipped
	default:
		j.state, j.attempt = portal.JobAvailable, 0
	}
	if (err == nil) != (want == portal.Internal) || portal.KindOf(err) != want {
		m.violated("%s %v, %s: %v, want kind %d", verb, j, was, err, want)
	}
}

// goDown marks a connection as one whose partner does not answer.
func (m *machine) goDown(connection string) {
	news, err := m.store.ConnectionDown(context.Background(), connection)
	m.tell("connection %s is down", connection)
	if err != nil || news == m.down[connection] {
		m.violated("connection %s is down: news %v, %v", connection, news, err)
	}
	m.down[connection] = true
}

// run lets a worker do what is due; another one if this one is in a call.
func (m *machine) run(first int, e errand) {
	for i := range m.hands {
		if h := m.hands[(first+i)%len(m.hands)]; !h.running {
			h.run(e)
			return
		}
	}
}

// end lets all faults end and works until the outbox is empty; staff send again
// what is parked.
func (m *machine) end() {
	m.calm = true
	m.tell("the faults have ended")
	rounds := 2*len(m.reports()) + 5
	for round := 0; m.err == nil && !m.over(); round++ {
		if round == rounds {
			m.violated("the outbox does not get empty")
			return
		}
		for _, j := range m.reports() {
			if j.state == portal.JobParked {
				m.decide(j, false, "")
			}
		}
		m.run(0, works)
		m.clock.Pass(25 * time.Hour) // longer than any delay
		m.check()
	}
	for _, o := range m.orders {
		m.arrived(o)
	}
}

func (m *machine) over() bool {
	return !slices.ContainsFunc(m.reports(), func(j *watchedJob) bool { return !j.state.Final() })
}

// arrived checks that the partner has what nobody skipped, the newest last.
func (m *machine) arrived(o *watchedOrder) {
	var newest *watchedJob
	for _, j := range o.jobs {
		if j.state == portal.JobSkipped {
			continue
		}
		newest = j
		if j.arrivals == 0 {
			m.violated("%v never arrived", j)
		}
	}
	if m.err == nil && newest != nil && newest != o.newest && (o.newest.state != portal.JobSkipped || o.newest.place < newest.place) {
		m.violated("the partner's newest is %v, not %v", o.newest, newest)
	}
}

// arrive is the partner, which takes in a report.
func (m *machine) arrive(j *watchedJob, doubtful bool) {
	o := j.order
	from := 0
	if o.newest != nil {
		if from = o.newest.place + 1; j.place < o.newest.place {
			m.violated("%v arrives after %v", j, o.newest)
		}
	}
	for place := from; place < j.place; place++ {
		if earlier := o.jobs[place]; earlier.state != portal.JobSkipped {
			m.violated("%v arrives before %v, which is %s", j, earlier, earlier.state)
		}
	}
	j.arrivals++
	switch {
	case j.arrivals > 1 && !j.asks():
		m.violated("%v arrives %d times, and could have been read", j, j.arrivals)
	case j.arrivals > 1+j.doubts:
		m.violated("%v arrives %d times after %d doubtful arrivals", j, j.arrivals, j.doubts)
	}
	if doubtful {
		j.doubts++
	}
	o.newest = j
}
