package views

import (
	"net/url"
	"strconv"
	"time"

	"portico/internal/portal"
)

// ReconciliationQuery is what the screen's address asks for.
type ReconciliationQuery struct {
	Connection string // "connection": one whose partner has a list
	Office     string // "office"; empty: all
}

func (q ReconciliationQuery) values() url.Values {
	values := url.Values{"connection": {q.Connection}}
	if q.Office != "" {
		values.Set("office", q.Office)
	}
	return values
}

// URL returns the screen's address with the query.
func (q ReconciliationQuery) URL() string { return "/staff/reconciliation?" + q.values().Encode() }

func (q ReconciliationQuery) outboxURL() string { return "/staff/outbox?" + q.values().Encode() }

// ReconciliationStatus is how far the chosen offices have been compared.
type ReconciliationStatus struct {
	Last       *time.Time // of the office that has waited longest; nil: none has been compared
	Compared   int        // orders
	Unreported int        // orders left out, of which the partner is still to be told
	Never      int        // offices that have not been compared yet
	Failed     []FailedReconciliation
}

// maxFailed is how many offices are named that gave no list: mostly the reason is
// one for all of them.
const maxFailed = 3

// FailedReconciliation is an office whose list could not be had the last time.
type FailedReconciliation struct {
	Office string
	At     time.Time
	Since  *time.Time // when it last could; nil: never
	Error  string
}

// DifferenceList is one of the lists: its oldest rows, and how many it has.
type DifferenceList struct {
	Rows  []DifferenceRow
	Total int
}

// DifferenceRow is an order that we and its partner do not agree about.
type DifferenceRow struct {
	ID         int64
	Kind       portal.DifferenceKind
	URL        string // our order's; empty: we do not have it
	Number     string // the partner's order id
	Target     portal.Target
	Office     string
	Service    string       // ours by id, that it seems to be of; empty: we cannot say
	Sure       bool         // the configuration says so
	Ours       portal.State // empty: we do not have it
	Theirs     string       // the partner's word
	Report     portal.State // what the partner ought to be told; empty: nothing
	Changed    bool         // here, since
	Unreported bool
	Since      time.Time
	AcceptedBy string // empty: it waits for somebody
	AcceptedAt time.Time
	Reason     string
}

func (r DifferenceRow) form(name string) string { return strconv.FormatInt(r.ID, 10) + "/" + name }

func (r DifferenceRow) id() string { return "difference-" + strconv.FormatInt(r.ID, 10) }

func (r DifferenceRow) action(name string) string { return "/staff/reconciliation/" + r.form(name) }

// mayReport reports whether there is something to tell the partner once more.
func (r DifferenceRow) mayReport() bool {
	return r.Kind != portal.MissingHere && r.Report != "" && !r.Changed && !r.Unreported
}

// open is how many differences wait for somebody.
func (p StaffReconciliationPage) open() int {
	n := 0
	for _, l := range p.Lists {
		n += l.Total
	}
	return n
}

func (p StaffReconciliationPage) statusText() string {
	s := p.Status
	if s.Last == nil {
		return p.T("reconciliation.never")
	}
	differences := p.T("reconciliation.no_differences")
	if n := p.open(); n > 0 {
		differences = p.T("reconciliation.differences", "Count", n)
	}
	text := p.T("reconciliation.last", "When", p.When(*s.Last), "Compared", p.T("reconciliation.compared", "Count", s.Compared),
		"Differences", differences)
	if s.Never > 0 {
		text += " " + p.T("reconciliation.some_never", "Count", s.Never)
	}
	return text
}

func (p StaffReconciliationPage) failedText(f FailedReconciliation) string {
	args := []any{"Office", f.Office, "System", p.SystemName(p.System), "When", p.When(f.At)}
	if f.Since == nil {
		return p.T("reconciliation.failed", args...)
	}
	return p.T("reconciliation.failed_since", append(args, "Since", p.When(*f.Since))...)
}

// runKey is what the button says that compares now.
func (p StaffReconciliationPage) runKey() string {
	if p.Query.Office == "" && len(p.Offices) > 1 {
		return "reconciliation.run_all"
	}
	return "reconciliation.run"
}

// note says what else is to be known about a row.
func (p StaffReconciliationPage) note(r DifferenceRow) string {
	switch {
	case r.AcceptedBy != "":
		return p.T("reconciliation.accepted_by", "Name", r.AcceptedBy, "When", p.When(r.AcceptedAt))
	case r.Changed:
		return p.T("reconciliation.has_changed")
	case r.Kind == portal.StateDiffers && r.Report != "":
		return p.T("reconciliation.should", "State", p.StateWord(r.Report))
	case r.Kind == portal.MissingHere && r.Service != "":
		return p.serviceName(r.Service)
	}
	return ""
}

func (p StaffReconciliationPage) serviceName(id string) string {
	for _, s := range p.Services {
		if s.ID == id {
			return s.Label
		}
	}
	return ""
}

// serviceOf is the service that is offered to take an order in as: what was
// chosen, or what it seems to be.
func (p StaffReconciliationPage) serviceOf(r DifferenceRow) string {
	switch {
	case p.Rejected.Is(r.form("import")):
		return p.Rejected.Value(r.form("import"), "service")
	case r.Service == "" && len(p.Services) == 1:
		return p.Services[0].ID
	}
	return r.Service
}

// refusedIn reports whether a form of one of a list's rows was refused.
func (p StaffReconciliationPage) refusedIn(l DifferenceList) bool {
	for _, r := range l.Rows {
		if p.Rejected.Is(r.form("import")) || p.Rejected.Is(r.form("acceptance")) {
			return true
		}
	}
	return false
}
