package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// evidence is what the judge looks at. Each part was taken after those above it,
// the second arrivals last: what is in one has had time to be in the next.
type evidence struct {
	first   []arrival
	orders  []order // what the clients know
	rows    []row
	jobs    []job
	visible map[int64]bool // jobs on /staff/outbox
	second  []arrival
	calm    bool // nothing was broken so far
}

// arrival is something that the partner stored, in the order of storing.
type arrival struct {
	key
	status, comment string
	at              time.Time
}

// row is an order as the database has it.
type row struct {
	key
	service, estate, estateType, owner string
	answers                            map[string][]string
}

// job is a message to the partner as the database has it.
type job struct {
	id int64
	key
	status, comment string
	state           string
	unknown         int // attempts whose end nobody knows
	takeovers       int // claims of a job whose worker had not said how its attempt ended
}

// rules are what the judge goes by.
const (
	kept       = "I1 every acknowledged order exists once, unchanged"
	lossless   = "I2 every acknowledged status is at the partner, or parked and visible"
	inSequence = "I3 what arrives of an order arrives in sequence"
	bounded    = "I4 no more doubles than attempts whose end is unknown"
	discreet   = "I5 no order data without a grant"
	silent     = "I6 no secret and no personal data in a log"
	alive      = "I7 the portal serves, and sending resumes within a minute"
)

// finding is a promise that was broken.
type finding struct{ rule, text string }

func (f finding) String() string { return f.rule + ": " + f.text }

func found(rule, format string, args ...any) finding {
	return finding{rule, fmt.Sprintf(format, args...)}
}

// judge returns what is wrong.
func (e evidence) judge() []finding {
	return slices.Concat(e.keeps(), e.losesNothing(), e.keepsSequence(), e.sendsOnce())
}

func (k key) String() string { return k.connection + "/" + k.office + "/" + k.id }

// keeps looks for orders that are lost, there twice, changed, or nobody's.
func (e evidence) keeps() []finding {
	var all []finding
	rows := map[key][]row{}
	for _, r := range e.rows {
		rows[r.key] = append(rows[r.key], r)
	}
	for _, o := range e.orders {
		found := rows[o.key]
		delete(rows, o.key)
		switch {
		case len(found) > 1:
			all = append(all, finding{kept, fmt.Sprintf("%s is there %d times", o.key, len(found))})
		case len(found) == 1:
			if fault := o.differs(found[0]); fault != "" {
				all = append(all, finding{kept, fmt.Sprintf("%s: %s", o.key, fault)})
			}
		case o.opened == acknowledged:
			all = append(all, finding{kept, fmt.Sprintf("%s was acknowledged and is lost", o.key)})
		}
	}
	for k := range rows {
		all = append(all, found(kept, "nobody ordered %s", k))
	}
	return all
}

// differs says what of the order is not as it was ordered.
func (o order) differs(r row) string {
	want := [...]string{o.service, o.estate, o.estateType, o.owner}
	if got := [...]string{r.service, r.estate, r.estateType, r.owner}; got != want {
		return fmt.Sprintf("it was ordered as %q and is %q", want, got)
	}
	if len(r.answers) == 0 && o.submitted != acknowledged {
		return ""
	}
	if !maps.EqualFunc(r.answers, o.form, slices.Equal) {
		return fmt.Sprintf("the broker answered %q and it has %q", o.form, r.answers)
	}
	return ""
}

// message is what a partner is told of an order. The comment of a question that
// no client chose is empty.
type message struct {
	key
	status, comment string
}

// follow returns a message as the judge knows it, given those before it. That an
// order is under way has no text of its own: it is known by what it comes after.
func follow(before map[key]message, m message) message {
	if m.status == underway {
		return before[m.key].next()
	}
	before[m.key] = m
	return m
}

// next is that the order is under way after a message.
func (m message) next() message {
	return message{m.key, underway, fmt.Sprintf("after %s %q", m.status, m.comment)}
}

// messages returns what a step's message may be: that an order is under way
// comes after the last message that is known, or one since that is not.
func (o order) messages(i int) []message {
	own := message{o.key, o.steps[i].status, o.steps[i].comment}
	if own.status != underway {
		return []message{own}
	}
	var all []message
	for _, s := range slices.Backward(o.steps[:i]) {
		if s.outcome == refused || s.status == underway || s.status == tellsNothing {
			continue
		}
		all = append(all, message{o.key, s.status, s.comment}.next())
		if s.outcome == acknowledged {
			break
		}
	}
	return all
}

// message returns the message of what the partner has, or is to be told.
func (e evidence) message(k key, status, comment string) message {
	if status != interaction {
		return message{k, status, comment}
	}
	for _, o := range e.orders {
		if o.key == k && slices.ContainsFunc(o.steps, func(s step) bool { return s.status == status && s.comment == comment }) {
			return message{k, status, comment}
		}
	}
	return message{k, status, ""}
}

func (e evidence) counted(arrivals []arrival) map[message]int {
	n := map[message]int{}
	for _, a := range arrivals {
		n[e.message(a.key, a.status, a.comment)]++
	}
	return n
}

// losesNothing looks for messages that are neither at the partner nor waiting.
// Of those that a client knows nothing about, the database says whether they are.
func (e evidence) losesNothing() []finding {
	var all []finding
	there := e.counted(e.second)
	jobs := map[message]job{}
	for _, j := range e.jobs {
		m := e.message(j.key, j.status, j.comment)
		jobs[m] = j
		switch {
		case j.state == "completed" && there[m] == 0:
			all = append(all, found(lossless, "%s %s %q is said to be at the partner, which does not have it", j.key, j.status, j.comment))
		case j.state == "parked" && e.visible != nil && !e.visible[j.id]:
			all = append(all, found(lossless, "%s %s %q is parked, and nobody can see it", j.key, j.status, j.comment))
		}
	}
	for _, o := range e.orders {
		for i, s := range o.steps {
			arrived := slices.ContainsFunc(o.messages(i), func(m message) bool {
				_, waits := jobs[m]
				return waits || there[m] > 0
			})
			if s.outcome == acknowledged && s.status != tellsNothing && !arrived {
				all = append(all, found(lossless, "%s %s %q was acknowledged and is lost", o.key, s.status, s.comment))
			}
		}
	}
	return all
}

// keepsSequence looks for what overtook or came after something newer, and for
// what the partner was told though nobody asked for it.
func (e evidence) keepsSequence() []finding {
	var all []finding
	place := map[message]int{}
	for _, o := range e.orders {
		for i, s := range o.steps {
			if s.outcome == refused {
				continue
			}
			for _, m := range o.messages(i) {
				if _, known := place[m]; !known {
					place[m] = i
				}
			}
		}
	}
	latest := map[key]arrival{}
	reached := map[key]int{}
	for _, a := range e.first {
		at, asked := place[e.message(a.key, a.status, a.comment)]
		newest, any := reached[a.key]
		switch {
		case !asked:
			all = append(all, found(inSequence, "%s: nobody asked for %s %q", a.key, a.status, a.comment))
		case any && at < newest:
			all = append(all, found(inSequence, "%s: %s %q came %s after %s %q, which is newer", a.key, a.status, a.comment,
				a.at.Sub(latest[a.key].at), latest[a.key].status, latest[a.key].comment))
		default:
			latest[a.key], reached[a.key] = a, at
		}
	}
	return all
}

// doubles returns how often each message came too often.
func (e evidence) doubles(arrivals []arrival) map[message]int {
	n := e.counted(arrivals)
	for m, times := range n {
		if n[m] = times - 1; n[m] == 0 {
			delete(n, m)
		}
	}
	return n
}

// sendsOnce looks for doubles that no attempt with an unknown end excuses.
func (e evidence) sendsOnce() []finding {
	var all []finding
	excuses := map[message]int{}
	for _, j := range e.jobs {
		excuses[e.message(j.key, j.status, j.comment)] += j.unknown + j.takeovers
	}
	for m, n := range e.doubles(e.first) {
		if e.calm || n > excuses[m] {
			all = append(all, found(bounded, "%s %s %q came %d times too often, with %d attempts whose end is unknown", m.key, m.status, m.comment, n, excuses[m]))
		}
	}
	return all
}

// leaks looks for secrets in a log. Each is looked for as it is, and as JSON and
// addresses write it.
func leaks(log string, secrets map[string]string) []finding {
	var all []finding
	for secret, what := range secrets {
		for _, form := range forms(secret) {
			if i := strings.Index(log, form); i >= 0 {
				line := log[strings.LastIndexByte(log[:i], '\n')+1:]
				line, _, _ = strings.Cut(line, "\n")
				all = append(all, found(silent, "%s: %s", what, line))
				break
			}
		}
	}
	return all
}
