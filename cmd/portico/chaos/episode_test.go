package chaos

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// episode is one thing that goes wrong, and what became of it.
type episode struct {
	name             string
	orders, statuses tally // guarded by the history
	began, ended     time.Time
	lastJob          int64         // that was there at the end
	recovered        chan struct{} // closed when all of these have arrived
	recovery         time.Duration
	late             int // jobs that people have to send, or that wait for hours
	doubles          int
	note             string
	findings         []finding
}

func (e *episode) blame(all ...finding) { e.findings = append(e.findings, all...) }

// verdict returns what was found, alike things once.
func (e *episode) verdict() []string {
	const shown = 3
	byRule := map[string][]string{}
	for _, f := range e.findings {
		byRule[f.rule] = append(byRule[f.rule], f.text)
	}
	var all []string
	for _, rule := range slices.Sorted(maps.Keys(byRule)) {
		texts := byRule[rule]
		for _, text := range texts[:min(len(texts), shown)] {
			all = append(all, finding{rule, text}.String())
		}
		if more := len(texts) - shown; more > 0 {
			all = append(all, fmt.Sprintf("%s: and %d more", rule, more))
		}
	}
	return all
}

// play lets something go wrong, while the clients go on.
func (w *world) play(name string, f func(*world, *episode, *rand.Rand), rng *rand.Rand) *episode {
	w.Helper()
	e := &episode{name: name, began: time.Now()}
	w.clients.turn(e)
	w.Logf("%s", name)
	f(w, e, rng)
	w.over(e)
	w.clients.turn(&episode{})
	return e
}

// over notes the end of an episode's fault, and has somebody look when all that
// was to be sent by then has arrived.
func (w *world) over(e *episode) {
	e.ended, e.recovered = time.Now(), make(chan struct{})
	if err := w.cluster.own().QueryRowContext(w.Context(), `SELECT COALESCE(max(id), 0) FROM jobs`).Scan(&e.lastJob); err != nil {
		e.blame(found(alive, "the database does not answer: %v", err))
	}
	go func() {
		defer close(e.recovered)
		w.until(10*resumes, func() bool {
			left, err := w.left(e)
			if err != nil || len(left.due) > 0 {
				return false
			}
			e.recovery, e.late = time.Since(e.ended), len(left.late)
			return true
		})
	}()
}

// waiting are jobs that have not arrived.
type waiting struct {
	due  []string // that should be on their way
	late []int64  // parked, or due at a time that is too late
}

// left returns what of the jobs of an episode has not arrived. What waits behind
// a job that is late is not late itself.
func (w *world) left(e *episode) (waiting, error) {
	var l waiting
	rows, err := w.cluster.own().QueryContext(w.Context(), `
		WITH late AS (
			SELECT id, subject FROM jobs
			WHERE finished_at IS NULL AND (state = 'parked' OR state = 'available' AND run_at > $2))
		SELECT j.id, late.id IS NOT NULL, format('%s of order %s: %s, attempt %s, due %s, %s', j.id, j.order_id, j.state, j.attempt, j.run_at, j.last_error)
		FROM jobs j LEFT JOIN late ON late.id = j.id
		WHERE j.finished_at IS NULL AND j.id <= $1
			AND NOT EXISTS (SELECT 1 FROM late l WHERE l.subject = j.subject AND l.id < j.id)
		ORDER BY j.id`, e.lastJob, e.ended.Add(resumes))
	if err != nil {
		return l, err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var late bool
		var text string
		if err := rows.Scan(&id, &late, &text); err != nil {
			return l, err
		}
		if late {
			l.late = append(l.late, id)
		} else {
			l.due = append(l.due, text)
		}
	}
	return l, rows.Err()
}

// settle waits until everything is as if the episodes had not been, has people
// send what waits for them, and judges.
func (w *world) settle(s *staff, episodes ...*episode) evidence {
	w.Helper()
	last := episodes[len(episodes)-1]
	w.recover(last.ended.Add(resumes), episodes...)
	left, err := w.left(last)
	if err != nil {
		last.blame(found(alive, "the database does not answer: %v", err))
		return evidence{}
	}
	e, err := w.collect(s, last.name == calmName)
	if err != nil {
		last.blame(found(alive, "the outbox cannot be seen: %v", err))
	}
	for _, f := range e.judge() {
		if !w.told[f] {
			w.told[f] = true
			last.blame(f)
		}
	}
	w.resend(s, last, left.late)
	return e
}

// recover waits until the jobs of each episode have arrived.
func (w *world) recover(deadline time.Time, episodes ...*episode) {
	for _, e := range episodes {
		arrived := w.until(time.Until(deadline), func() bool {
			select {
			case <-e.recovered:
				return true
			default:
				return false
			}
		})
		if !arrived {
			left, err := w.left(e)
			e.blame(found(alive, "%d messages are not sent yet: %s, %v", len(left.due), strings.Join(left.due[:min(len(left.due), 5)], "; "), err))
		}
	}
}

// resend has people send what was parked, or would wait for hours.
func (w *world) resend(s *staff, e *episode, jobs []int64) {
	for _, id := range jobs {
		if err := s.retry(id); err != nil {
			e.blame(found(lossless, "%v", err))
		}
	}
	again := &episode{}
	w.over(again)
	w.recover(again.ended.Add(resumes), again)
	if again.late > 0 {
		again.blame(found(lossless, "%d of %d messages do not arrive though people had them sent", again.late, len(jobs)))
	}
	e.blame(again.findings...)
}

// attribute counts each double for the episode that had begun last when it came.
func (e evidence) attribute(episodes []*episode) {
	for m := range e.doubles(e.first) {
		first := true
		for _, a := range e.first {
			if e.message(a.key, a.status, a.comment) != m {
				continue
			}
			if !first {
				during(episodes, a.at).doubles++
			}
			first = false
		}
	}
}

// during returns the episode that had begun last at a time.
func during(episodes []*episode, at time.Time) *episode {
	last := episodes[0]
	for _, e := range episodes {
		if e.began.Before(at) && !e.began.Before(last.began) {
			last = e
		}
	}
	return last
}

// collect takes the evidence.
func (w *world) collect(s *staff, calm bool) (evidence, error) {
	e := evidence{first: w.arrivals(), orders: w.clients.snapshot(), calm: calm}
	var errs [3]error
	e.rows, errs[0] = w.rows()
	e.jobs, errs[1] = w.jobs()
	e.visible, errs[2] = s.outbox()
	e.second = w.arrivals()
	// What was ordered after the snapshot is not nobody's.
	known := map[key]bool{}
	for _, o := range e.orders {
		known[o.key] = true
	}
	for _, o := range w.clients.snapshot() {
		if !known[o.key] {
			e.rows = slices.DeleteFunc(e.rows, func(r row) bool { return r.key == o.key })
		}
	}
	for _, err := range errs {
		if err != nil {
			return e, err
		}
	}
	return e, nil
}

func (w *world) rows() ([]row, error) {
	return query(w, `
		SELECT o.connection_id, p.customer_id, o.partner_order_id, o.service_id, o.target_id, o.target_type, b.user_id, o.answers
		FROM orders o JOIN offices p ON p.id = o.office_id JOIN brokers b ON b.id = o.broker_id`,
		func(scan func(...any) error) (r row, err error) {
			var answers []byte
			err = scan(&r.connection, &r.office, &r.id, &r.service, &r.estate, &r.estateType, &r.owner, &answers)
			if err == nil {
				err = json.Unmarshal(answers, &r.answers)
			}
			return r, err
		})
}

// statuses are the words for the states that partners are told of.
var statuses = map[string]string{"draft": interaction, "waiting": interaction, "received": received, "active": underway,
	"delivered": delivered, "failed": failure, "cancelled": failure}

func (w *world) jobs() ([]job, error) {
	before := map[key]message{}
	return query(w, `
		SELECT j.id, j.connection_id, p.customer_id, o.partner_order_id, j.payload ->> 'state', COALESCE(j.payload ->> 'comment', ''), j.state,
			(SELECT count(*) FROM attempts a WHERE a.job_id = j.id AND a.outcome = 'unknown'),
			(SELECT count(*) FROM chaos_takeovers t WHERE t.job_id = j.id)
		FROM jobs j JOIN orders o ON o.id = j.order_id JOIN offices p ON p.id = o.office_id
		ORDER BY j.id`,
		func(scan func(...any) error) (j job, err error) {
			var state string
			err = scan(&j.id, &j.connection, &j.office, &j.key.id, &state, &j.comment, &j.state, &j.unknown, &j.takeovers)
			j.status = statuses[state]
			j.comment = follow(before, message{j.key, j.status, j.comment}).comment
			return j, err
		})
}

func query[T any](w *world, statement string, read func(scan func(...any) error) (T, error), args ...any) ([]T, error) {
	rows, err := w.cluster.own().QueryContext(w.Context(), statement, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := read(rows.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// percentile returns how long the messages of a connection took that an episode caused.
func (w *world) percentile(e *episode, connection string, part float64) (p time.Duration, sent int) {
	var seconds sql.NullFloat64
	err := w.cluster.own().QueryRowContext(w.Context(), `
		SELECT percentile_cont($4) WITHIN GROUP (ORDER BY EXTRACT(epoch FROM finished_at - created_at)), count(*) FROM jobs
		WHERE connection_id = $1 AND created_at BETWEEN $2 AND $3 AND state = 'completed'`, connection, e.began, e.ended, part).Scan(&seconds, &sent)
	if err != nil {
		e.blame(found(alive, "the database does not answer: %v", err))
	}
	return time.Duration(seconds.Float64 * float64(time.Second)), sent
}

// secretsInLogs looks through everything that was ever logged.
func (w *world) secretsInLogs() []finding {
	var all []finding
	secrets := w.secrets.list()
	for _, p := range w.processes() {
		log := p.log.String()
		for _, f := range leaks(log, secrets) {
			all = append(all, found(silent, "%s: %s", p.name, f.text))
		}
		for _, cry := range []string{"DATA RACE", "panic: ", "panic:\\n"} {
			if i := strings.Index(log, cry); i >= 0 {
				all = append(all, found(alive, "%s: %s", p.name, log[max(0, i-200):min(len(log), i+3000)]))
			}
		}
		for _, fault := range p.unwantedEnds() {
			all = append(all, finding{alive, fault})
		}
	}
	return all
}
