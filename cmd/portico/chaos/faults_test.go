package chaos

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"portico/internal/worker"
)

// last lets time pass that belongs to a fault.
func (w *world) last(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-w.Context().Done():
	}
}

// between draws a time.
func between(rng *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rng.Int64N(int64(most-least)))
}

func pick[E any](rng *rand.Rand, all []E) E { return all[rng.IntN(len(all))] }

const calmName = "calm"

func calm(d time.Duration) func(*world, *episode, *rand.Rand) {
	return func(w *world, e *episode, _ *rand.Rand) {
		w.last(d)
		w.until(springTime, func() (both bool) { // a busy machine is given longer
			w.clients.update(func() { both = e.orders.acknowledged > 0 && e.statuses.acknowledged > 0 })
			return both
		})
		e.ended = time.Now()
		w.clients.mu.Lock()
		defer w.clients.mu.Unlock()
		if e.orders.unknown+e.statuses.unknown > 0 {
			e.blame(found(alive, "%d orders and %d statuses are unknown, and nothing was broken", e.orders.unknown, e.statuses.unknown))
		}
		p99, sent := w.percentile(e, ownPartner, 0.99)
		w.calm, e.note = p99, fmt.Sprintf("p99 %s, %d sent", p99.Round(time.Millisecond), sent)
		if e.orders.acknowledged == 0 || e.statuses.acknowledged == 0 {
			e.blame(found(alive, "nothing happens: %+v, %+v", e.orders, e.statuses))
		}
	}
}

// killPortals kills portals at any time. The other one serves.
func killPortals(times int) func(*world, *episode, *rand.Rand) {
	return func(w *world, e *episode, rng *rand.Rand) {
		for range times {
			w.last(between(rng, 500*time.Millisecond, 2*time.Second))
			victim := w.portal(rng.IntN(2))[0]
			from := time.Now()
			victim.kill()
			if err := w.within(startTime, victim.await); err != nil {
				e.blame(finding{alive, err.Error()})
			}
			e.blame(w.mustServe(from, victim)...)
		}
	}
}

// mustServe looks whether the portals that nothing happened to have answered.
func (w *world) mustServe(from time.Time, harmed ...*process) []finding {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []finding
	for _, r := range w.requests {
		hurt := false
		for _, p := range harmed {
			hurt = hurt || p == r.portal
		}
		if !hurt && r.from.After(from) && (r.err != nil || r.status >= 500) {
			all = append(all, found(alive, "%s, to which nothing happened, answers %s with %d, %v", r.portal.name, r.path, r.status, r.err))
		}
	}
	return all
}

// killWorkers kills workers, at any time or just after they have claimed a job.
func killWorkers(times int) func(*world, *episode, *rand.Rand) {
	return func(w *world, e *episode, rng *rand.Rand) {
		for range times {
			victim, claims := pick(rng, w.workers), rng.IntN(2) == 0
			w.last(between(rng, 500*time.Millisecond, 2*time.Second))
			if claims {
				w.spring(e, victim, bait{moment: atClaim, spring: func([][]byte) { victim.kill() }})
			} else {
				victim.kill()
			}
			if err := w.within(startTime, victim.await); err != nil {
				e.blame(finding{alive, err.Error()})
			}
		}
	}
}

// springTime is how long a moment may not come while the clients are at it.
const springTime = 20 * time.Second

// spring lays a trap and waits until it has sprung.
func (w *world) spring(e *episode, p *process, b bait) {
	defer p.link.trap.lift()
	select {
	case <-p.link.trap.lay(b):
	case <-time.After(springTime):
		e.blame(found(alive, "%s: no %s comes in %s", p.name, b.name, springTime))
	case <-w.Context().Done():
	}
}

// killBeforeAnswer kills a portal that has committed and has not said so.
func killBeforeAnswer(times int) func(*world, *episode, *rand.Rand) {
	return func(w *world, e *episode, rng *rand.Rand) {
		for i := range times {
			victim := w.portal(rng.IntN(2))[0]
			from := time.Now()
			w.spring(e, victim, bait{moment: []moment{atOrder, atCommit}[i%2], spring: func([][]byte) { victim.kill() }})
			if err := w.within(startTime, victim.await); err != nil {
				e.blame(finding{alive, err.Error()})
			}
			e.blame(w.mustServe(from, victim)...)
		}
	}
}

// cutAtCommit cuts links to the database before a commit arrives, or before its
// answer does.
func cutAtCommit(times int) func(*world, *episode, *rand.Rand) {
	return func(w *world, e *episode, rng *rand.Rand) {
		for range times {
			victim, at := w.portal(rng.IntN(2))[0], pick(rng, []moment{atOrder, atCommit})
			if rng.IntN(2) == 0 {
				victim, at = pick(rng, w.workers), pick(rng, []moment{atClaim, atRecord})
			}
			w.spring(e, victim, bait{moment: at, before: rng.IntN(2) == 0, spring: func([][]byte) {}})
		}
	}
}

// quick is how long an answer may take that says that there is no database.
const quick = 5 * time.Second

// crashDatabase stops PostgreSQL as a power cut does, and starts it again. The
// portals say so meanwhile, cleanly and at once.
func crashDatabase(d time.Duration) func(*world, *episode, *rand.Rand) {
	return func(w *world, e *episode, rng *rand.Rand) {
		w.last(between(rng, time.Second, 2*time.Second))
		if err := w.cluster.crash(); err != nil {
			w.Errorf("stop PostgreSQL: %v", err)
			return
		}
		w.eachLink((*link).down)
		for over := time.Now().Add(d); time.Now().Before(over); {
			for _, p := range w.portal(0) {
				e.blame(w.saysSo(p)...)
			}
			w.last(interval)
		}
		w.eachLink((*link).up)
		if err := w.cluster.start(); err != nil {
			w.Errorf("start PostgreSQL again: %v", err)
		}
	}
}

func (w *world) eachLink(f func(*link)) {
	for _, p := range w.processes() {
		f(p.link)
	}
}

// saysSo looks at what a portal answers without a database.
func (w *world) saysSo(p *process) []finding {
	var all []finding
	for _, look := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/healthz", http.StatusOK},
		{http.MethodGet, "/readyz", http.StatusServiceUnavailable},
		{http.MethodGet, "/visit/unknown", http.StatusServiceUnavailable},
		{http.MethodPost, "/callback/energi", http.StatusServiceUnavailable},
	} {
		form := url.Values{"orderId": {"x"}, "customerId": {"M30011"}}
		if look.method == http.MethodGet {
			form = nil
		}
		from := time.Now()
		got, err := w.prober.askPortal(p, look.method, look.path, form)
		if refusedConnection(err) {
			return all // it is being started, and waits for the database
		}
		if took := time.Since(from); err != nil || got.status != look.status || took > quick {
			all = append(all, found(alive, "%s without a database: %s is answered %d, %v, after %s", p.name, look.path, got.status, err, took))
		}
	}
	return all
}

// deploy stops a portal and a worker under load, while the next version of each starts.
func deploy(w *world, e *episode, rng *rand.Rand) {
	i, j := rng.IntN(2), rng.IntN(len(w.workers))
	portal, one := w.portal(i)[0], w.workers[j]
	w.last(between(rng, time.Second, 2*time.Second))
	from := time.Now()
	lives := map[string]*life{portal.name: portal.retire(syscall.SIGTERM), one.name: one.retire(syscall.SIGTERM)}
	next := w.startNext(portal, "serve", "--worker=false")
	nextWorker := w.startNext(one, "work")
	for name, l := range lives {
		if err := w.within(startTime+worker.StopTimeout, l.exitedWell); err != nil {
			e.blame(found(alive, "%s, asked to stop: %v", name, err))
		}
	}
	for _, p := range []*process{next, nextWorker} {
		if err := w.within(startTime, p.await); err != nil {
			e.blame(finding{alive, err.Error()})
		}
	}
	w.mu.Lock()
	for k, p := range w.portals {
		if p == portal {
			w.portals[k] = next
		}
	}
	w.workers[j] = nextWorker
	w.mu.Unlock()
	e.blame(w.mustServe(from, portal)...)
	e.blame(w.mustFinish(from, portal)...)
}

// mustFinish looks whether a portal that was asked to stop has answered what it
// was asked before.
func (w *world) mustFinish(asked time.Time, portal *process) []finding {
	const accepting = 100 * time.Millisecond // a connection may not be accepted yet
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []finding
	for _, r := range w.requests {
		if r.portal == portal && r.from.Before(asked.Add(-accepting)) && r.to.After(asked) && (r.err != nil || r.status >= 500) {
			all = append(all, found(alive, "%s was asked to stop, and answers %s with %d, %v", portal.name, r.path, r.status, r.err))
		}
	}
	return all
}

// freeze stops a worker just after it has claimed a job, and lets it go on when
// others have taken over long ago. What is returned waits for that.
func (w *world) freeze() (thawed func() *episode) {
	e := &episode{name: "a worker stands still for two leases", began: time.Now()}
	w.spring(e, w.frozen, bait{moment: atClaim, passes: true, spring: func(columns [][]byte) {
		w.frozen.signal(syscall.SIGSTOP, false)
		w.favour(columns)
	}})
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.last(2 * worker.Lease)
		n := w.learnt(e.began)
		e.note = fmt.Sprintf("the partner had learnt %d more of its order", n)
		w.frozen.signal(syscall.SIGCONT, false)
		w.over(e)
	}()
	return func() *episode { <-done; return e }
}

// learnt returns how much the partner was told of the favourite since a time.
func (w *world) learnt(since time.Time) int {
	w.mu.Lock()
	favourite := w.favourite
	w.mu.Unlock()
	n := 0
	for _, a := range w.arrivals() {
		if favourite != nil && a.key == favourite.key && a.at.After(since) {
			n++
		}
	}
	return n
}

// favour has staff go on with the order whose job stands still, so that there is
// something to come too late for.
func (w *world) favour(columns [][]byte) {
	var message struct {
		OrderID int64 `json:"order_id"`
	}
	for _, column := range columns {
		if bytes.HasPrefix(column, []byte("{")) {
			_ = json.Unmarshal(column, &message) // if it is none, there is no such order
		}
	}
	var k key
	err := w.cluster.own().QueryRowContext(w.Context(), `
		SELECT o.connection_id, p.customer_id, o.partner_order_id FROM orders o JOIN offices p ON p.id = o.office_id WHERE o.id = $1`,
		message.OrderID).Scan(&k.connection, &k.office, &k.id)
	if err != nil {
		w.find(found(alive, "order %d of a claimed job: %v", message.OrderID, err))
		return
	}
	w.clients.mu.Lock()
	defer w.clients.mu.Unlock()
	for _, o := range w.clients.orders {
		if o.key == k {
			w.mu.Lock()
			w.favourite = o
			w.mu.Unlock()
		}
	}
}
