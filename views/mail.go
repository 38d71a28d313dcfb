package views

import (
	"slices"
	"strings"

	"portico/internal/portal"
)

// AlarmMail is what administrators are told of what partners do not know, and of
// orders that are not fetched. It names no order: mails are read in places that
// orders must not be.
type AlarmMail struct {
	*Printer
	Provider string
	Outbox   string           // address of the screen that says more of what partners do not know
	Polls    string           // address of the one that says more of what is not fetched
	Troubles []portal.Trouble // none: what they were told of is over
}

// Subject returns the mail's subject.
func (m AlarmMail) Subject() string {
	left := 0
	for _, t := range m.Troubles {
		left += t.Overdue + t.Parked
	}
	switch {
	case len(m.Troubles) == 0:
		return m.T("mail.over", "Provider", m.Provider)
	case left > 0:
		return m.T("mail.left", "Provider", m.Provider, "Count", left)
	case m.onlyStale():
		return m.T("mail.stale", "Provider", m.Provider, "System", m.SystemName(m.Troubles[0].System))
	}
	return m.T("mail.stopped", "Provider", m.Provider, "System", m.SystemName(m.Troubles[0].System))
}

// Text returns what the mail says.
func (m AlarmMail) Text() string {
	var b strings.Builder
	if len(m.Troubles) == 0 {
		b.WriteString(m.T("mail.over_text") + "\n\n" + m.Outbox + "\n")
		return b.String()
	}
	lead := "mail.lead"
	if m.onlyStale() {
		lead = "mail.lead_stale"
	}
	b.WriteString(m.T(lead) + "\n")
	for _, t := range m.Troubles {
		b.WriteString("\n" + m.SystemName(t.System) + " (" + t.ConnectionID + ")\n")
		for _, line := range m.lines(t) {
			b.WriteString("- " + line + "\n")
		}
	}
	b.WriteString("\n" + m.T("mail.next") + "\n" + m.addresses() + "\n" + m.T("mail.again") + "\n")
	return b.String()
}

// onlyStale reports whether all that is wrong is that orders are not fetched.
func (m AlarmMail) onlyStale() bool {
	return !slices.ContainsFunc(m.Troubles, func(t portal.Trouble) bool {
		return t.StaleSince == nil || t.Overdue+t.Parked > 0 || t.DownSince != nil || t.RefusedSince != nil
	})
}

// addresses are the screens that say more, one a line.
func (m AlarmMail) addresses() string {
	text := ""
	if !m.onlyStale() {
		text = m.Outbox + "\n"
	}
	if slices.ContainsFunc(m.Troubles, func(t portal.Trouble) bool { return t.StaleSince != nil }) {
		text += m.Polls + "\n"
	}
	return text
}

// lines are what is to be said of a connection: what stops it first, then what
// has not arrived.
func (m AlarmMail) lines(t portal.Trouble) []string {
	var lines []string
	add := func(key string, args ...any) {
		lines = append(lines, m.T(key, append(args, "System", m.SystemName(t.System))...))
	}
	if t.RefusedSince != nil {
		add("alarm.credential_any", "Since", m.When(*t.RefusedSince))
	}
	if t.DownSince != nil {
		add("alarm.down", "Since", m.When(*t.DownSince))
	}
	if t.StaleSince != nil {
		add("alarm.stale", "Since", m.When(*t.StaleSince))
	}
	if t.Parked > 0 {
		add("mail.parked", "Count", t.Parked)
	}
	if t.Overdue > 0 {
		add("mail.overdue", "Count", t.Overdue)
	}
	if t.Oldest != nil {
		oldest := m.T("mail.oldest", "Span", m.Span(m.now.Sub(*t.Oldest)))
		if t.Last.Outcome != "" {
			oldest += " " + m.whyFailed(t.Last, t.System, t.DownSince != nil)
		}
		lines = append(lines, oldest)
	}
	return lines
}
