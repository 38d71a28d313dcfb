package views

import (
	"maps"
	"slices"
	"strings"
	"time"

	"portico/internal/portal"
)

// SubjectRow is something in which a person was found, with what can be done about it.
type SubjectRow struct {
	Key       string // name of its input
	Title     string
	URL       string       // where it is shown; empty: nowhere
	State     portal.State // of an order
	CreatedAt time.Time    // zero: not known
	Erased    bool         // before
	Blocked   portal.Sentence
	Hits      []portal.PersonHit
	Choices   []portal.PersonChoice
	Chosen    portal.PersonChoice
}

// NewSubjectRow returns the row of a subject; chosen is what was chosen before,
// "" for nothing.
func NewSubjectRow(p *Printer, s portal.PersonSubject, chosen portal.PersonChoice) SubjectRow {
	row := SubjectRow{Key: s.Key(), Title: p.T("people.subject_" + string(s.Kind)), CreatedAt: s.CreatedAt, Erased: s.Erased,
		Hits: s.Hits, Choices: s.Choices(), Chosen: chosen}
	if s.Number != "" {
		row.Title += " " + s.Number
	}
	switch s.Kind {
	case portal.SubjectOrder:
		row.Title += ", " + p.In(s.Service)
		row.URL, row.State = "/staff/orders/"+s.PublicID, portal.State(s.State)
	case portal.SubjectLead:
		row.URL = "/staff/leads/" + s.PublicID
	case portal.SubjectAside:
		row.URL = "/staff/polls"
	case portal.SubjectOther:
		row.Title += ": " + p.T("people.place_"+s.Place)
	}
	switch {
	case s.OnItsWay:
		row.Blocked = portal.Say("people.on_its_way", "Number", row.Title)
	case s.InProgress:
		row.Blocked = portal.Say("people.in_progress", "Number", s.Number)
	}
	if !slices.Contains(row.Choices, row.Chosen) {
		row.Chosen = row.Choices[0]
	}
	return row
}

// goes are the lines about what an erasure takes away.
func (p StaffErasurePage) goes() []string {
	return counted(p.Printer, "people.goes_", p.Plan)
}

// erasedWords say how much was erased.
func erasedWords(p *Printer, e portal.Erasure) string {
	return strings.Join(counted(p, "people.n_", e), ", ")
}

func counted(p *Printer, key string, e portal.Erasure) []string {
	var lines []string
	for _, c := range []struct {
		name string
		n    int
	}{{"orders", e.Orders}, {"files", e.Files}, {"leads", e.Leads}, {"aside", e.Aside}, {"mentions", e.Mentions}} {
		if c.n > 0 {
			lines = append(lines, p.T(key+c.name, "Count", c.n))
		}
	}
	return lines
}

// subjects are the keys of what is chosen, in one order every time.
func (p StaffErasurePage) subjects() []string { return slices.Sorted(maps.Keys(p.Choices)) }
