package views

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"portico/internal/portal"
)

// LeadPart is a lead as the screens show it, without its personal number.
type LeadPart struct {
	portal.Lead
	PublicID       string
	System         string            // the kind of partner system
	OfficeLabel    string            // of the office that it is sent to
	Source, Intake string            // their names
	HasNumber      bool              // a personal number is kept
	Faults         map[string]string // the partner's words by input; the rest is Refusal
	OrderURL       string            // where it was heard of; empty: on no order
	OrderNumber    string            // the partner's order id
	SentBy         string            // who of the staff sent it
	ConfirmedBy    string            // who says that it has arrived; empty: the partner does
	SentAt         *time.Time
	Job            portal.Job // that brings it
}

// URL returns the address of the lead's screen.
func (l LeadPart) URL() string { return "/staff/leads/" + l.PublicID }

// Title returns whose lead it is; of one that is erased what it is called.
func (l LeadPart) Title(p *Printer) string {
	return cmp.Or(l.Name(), leadName(p, l.ID))
}

// AgentLabel returns what is known of who is to receive the lead.
func (l LeadPart) AgentLabel() string { return cmp.Or(l.Agent.Email, l.Agent.ID, l.Agent.ExternalID) }

// OfficeName returns the office that is to receive the lead, the one that it is
// sent to if none is given.
func (l LeadPart) OfficeName() string {
	return cmp.Or(l.Office.CustomerID, l.Office.ID, l.Office.ExternalID, l.OfficeLabel)
}

// stopped reports whether the lead has not arrived and is not sent by itself.
func (l LeadPart) stopped() bool {
	return l.State == portal.LeadQueued && l.Job.State == portal.JobParked
}

// correctable reports whether what the lead says can be changed.
func (l LeadPart) correctable() bool { return l.State == portal.LeadRefused || l.stopped() }

// leadName is what a lead is called where nothing may tell whose it is.
func leadName(p *Printer, id int64) string {
	return p.T("leads.name", "Number", strconv.FormatInt(id, 10))
}

// leadColours are the states of orders whose colours the states of leads have.
var leadColours = map[portal.LeadState]portal.State{portal.LeadQueued: portal.Received, portal.LeadSent: portal.Delivered,
	portal.LeadRefused: portal.Failed, portal.LeadUncertain: portal.Waiting}

// LeadStateWord names a state of a lead.
func (p *Printer) LeadStateWord(s portal.LeadState) string { return p.T("leads.state_" + string(s)) }

// Timestamp writes a time for a spreadsheet, and nothing for none.
func (p *Printer) Timestamp(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.In(p.loc).Format("2006-01-02 15:04:05")
}

// LeadNote is something that somebody did about a lead.
type LeadNote struct {
	Action string // "lead.created", …
	Who    string // empty: Portico itself
	Reason string
	At     time.Time
}

// leadTimeline puts notes into words, the newest first.
func leadTimeline(p *Printer, notes []LeadNote) []timelineItem {
	var items []timelineItem
	for _, n := range slices.Backward(notes) {
		items = append(items, timelineItem{Kind: strings.TrimPrefix(n.Action, "lead."), Who: cmp.Or(n.Who, "Portico"),
			What: p.T(n.Action), Body: n.Reason, At: n.At})
	}
	return items
}
