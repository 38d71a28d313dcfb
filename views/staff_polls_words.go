package views

import (
	"strconv"
	"time"

	"portico/internal/portal"
)

// FetchedConnection is a connection whose partner does not tell of orders.
type FetchedConnection struct {
	ID         string
	Name       string
	Every      time.Duration
	Cursor     time.Time // the day that all has been listed before; zero: nothing has been asked for yet
	NextRunAt  time.Time
	Running    bool
	Failures   int              // in a row
	LastError  *portal.Sentence // nil: the last fetch was good
	LastAt     *time.Time       // nil: none has begun
	LastOKAt   *time.Time       // nil: none was good
	Listed     int              // by the last good one
	Imported   int              // by the last good one
	Waiting    int              // orders on their way in
	Stale      bool             // the last good one is too long ago
	Aside      []AsideRow       // the newest first
	AsideTotal int
	Dismissed  []AsideRow // those that stay aside, because somebody says so
}

// AsideRow is an order that the partner lists and that could not be taken in.
type AsideRow struct {
	ID           int64
	Number       string // the partner's order id; empty: it has none
	Service      string // its name; empty: it is none of ours
	ServiceID    string // the partner's
	FoundAt      time.Time
	NextRunAt    time.Time
	Tries        int
	Reason       portal.Sentence
	Raw          string    // what came, without personal numbers
	DismissedAt  time.Time // zero: it is tried again
	Dismisser    string
	DismissedFor string
}

func (r AsideRow) id() string { return strconv.FormatInt(r.ID, 10) }

func (r AsideRow) form(name string) string { return r.id() + "/" + name }

func (r AsideRow) action(name string) string { return "/staff/polls/orders/" + r.form(name) }

func (p StaffPollsPage) asideService(r AsideRow) string {
	switch {
	case r.Service != "":
		return r.Service
	case r.ServiceID != "":
		return p.T("polls.service", "Service", r.ServiceID)
	}
	return p.T("polls.no_service")
}

// fetchFault says what is wrong with a connection's fetches, "" if nothing is.
func (p StaffPollsPage) fetchFault(c FetchedConnection) string {
	switch {
	case c.LastError != nil && c.LastAt != nil:
		return p.T("polls.failures", "Count", c.Failures, "When", p.When(*c.LastAt)) + " " + p.Say(*c.LastError)
	case !c.Running && p.now.Sub(c.NextRunAt) > idle:
		return p.T("polls.untried")
	}
	return ""
}

// fetchFact is one of the small facts about a connection's fetches.
type fetchFact struct {
	name, value, more string
	exact             string // to the second, where the value is a time
	late              bool
}

func (p StaffPollsPage) fetchFacts(c FetchedConnection) []fetchFact {
	last := fetchFact{name: p.T("polls.last"), value: p.T("polls.never"), late: c.Stale}
	if c.LastOKAt != nil {
		last.value, last.exact = p.When(*c.LastOKAt), p.Exact(*c.LastOKAt)
		last.more = p.T("polls.ago", "Span", p.Span(p.now.Sub(*c.LastOKAt)))
	}
	next := fetchFact{name: p.T("polls.next"), value: p.T("polls.running")}
	if !c.Running {
		next.value, next.exact = p.soon(c.NextRunAt), p.Exact(c.NextRunAt)
	}
	facts := []fetchFact{last, next}
	if c.LastOKAt != nil {
		facts = append(facts, fetchFact{name: p.T("polls.listed"), value: p.Number(c.Listed)},
			fetchFact{name: p.T("polls.new"), value: p.Number(c.Imported)})
	}
	if c.Waiting > 0 {
		facts = append(facts, fetchFact{name: p.T("polls.waiting"), value: p.Number(c.Waiting)})
	}
	if !c.Cursor.IsZero() {
		facts = append(facts, fetchFact{name: p.T("polls.cursor"), value: p.Day(time.Date(c.Cursor.Year(), c.Cursor.Month(), c.Cursor.Day(), 12, 0, 0, 0, p.loc))})
	}
	return facts
}

// soon returns how far away a moment is, "soon" for one that is over.
func (p *Printer) soon(t time.Time) string {
	if t.After(p.now) {
		return p.Until(t)
	}
	return p.T("next.soon")
}
