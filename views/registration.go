package views

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"portico/internal/portal"
)

func (p StaffServicePage) name() string { return p.In(p.Service.Name) }

// say returns the text of a key that may name the partner system.
func (p StaffServicePage) say(key string) string { return p.T(key, "System", p.Service.System) }

// signature says on paper whose service it is, and since when the page is true.
func (p StaffServicePage) signature() string {
	return strings.Join([]string{p.Provider, p.SupportEmail, p.now.Format(time.DateOnly)}, " · ")
}

func (p StaffServicePage) facts() []AnswerLine {
	s := p.Service
	lines := []AnswerLine{{p.T("services.system"), p.SystemName(s.System)}, {p.T("services.connection"), s.ConnectionID},
		{p.T("service.partner_id"), s.PartnerService}, {p.T("services.flow"), p.T("flow." + string(s.Flow))}}
	if s.Flow != portal.FlowPoll {
		lines = append(lines, AnswerLine{p.T("service.auth"), p.T("auth." + string(s.Auth))})
	}
	lines = append(lines, AnswerLine{p.T("service.username"), s.Username}, AnswerLine{p.T("service.ips"), addresses(s)},
		AnswerLine{p.T("sheet.offices"), p.offices()}, AnswerLine{p.T("service.form"), p.form()},
		AnswerLine{p.T("service.reports"), p.reported()}, AnswerLine{p.T("sheet.tags"), strings.Join(s.Tags, ", ")})
	if s.TurnaroundHours > 0 {
		lines = append(lines, AnswerLine{p.T("facts.turnaround"), p.Span(s.Turnaround())})
	}
	last := p.T("services.never")
	if p.LastAt != nil {
		last = p.When(*p.LastAt)
	}
	lines = append(lines, AnswerLine{p.T("services.last"), last})
	return slices.DeleteFunc(lines, func(l AnswerLine) bool { return l.Value == "" })
}

func addresses(s portal.Service) string {
	var all []string
	for _, prefix := range s.AllowIPs {
		all = append(all, prefix.String())
	}
	return strings.Join(all, ", ")
}

func (p StaffServicePage) offices() string {
	if len(p.Service.Customers) == 0 {
		return p.T("sheet.any_office")
	}
	return strings.Join(p.Service.Customers, ", ")
}

func (p StaffServicePage) form() string {
	form := p.Service.Form
	if len(form.Fields) == 0 {
		return p.T("service.no_form")
	}
	return p.T("service.fields", "Count", len(form.Fields), "Version", form.Version)
}

func (p StaffServicePage) reported() string {
	var words []string
	for _, state := range portal.States {
		if p.Service.Tells(state) {
			words = append(words, p.StateWord(state))
		}
	}
	return strings.Join(words, ", ")
}

// copied is what the button of a line puts on the clipboard.
func (p StaffServicePage) copied(l portal.SheetLine) string {
	var texts []string
	for _, v := range l.Values {
		texts = append(texts, p.answer(v))
	}
	return strings.Join(texts, "\n")
}

func (p StaffServicePage) answer(v portal.SheetValue) string {
	if v.Text == "" {
		return p.say(v.Word)
	}
	return v.Text
}

// Markdown returns the sheet as a document. What is to be copied stands in code
// spans: nothing that it holds means anything there.
func (p StaffServicePage) Markdown() string {
	var b strings.Builder
	write := func(parts ...string) {
		for _, s := range parts {
			b.WriteString(s)
		}
	}
	write("# ", p.say("sheet.title"), ": ", codeSpan(p.name()), "\n\n", codeSpan(p.signature()), "\n\n")
	for _, l := range p.Sheet {
		write("- **", p.say(l.Key), "**")
		switch {
		case l.Secret:
			write(": ", p.T("sheet.secret"))
		case len(l.Values) == 0:
			write(": ", p.T("sheet.missing"))
		case len(l.Values) == 1:
			write(": ", p.spans(l.Values[0]))
		}
		if l.Note != "" {
			write(`\`, "\n  ", p.say(l.Note)) // a backslash at its end breaks a line
		}
		write("\n")
		if len(l.Values) > 1 {
			for _, v := range l.Values {
				write("  - ", p.spans(v), "\n")
			}
		}
	}
	return b.String()
}

// spans returns a value in Markdown, and what is said of it.
func (p StaffServicePage) spans(v portal.SheetValue) string {
	s := codeSpan(p.answer(v))
	if v.Text != "" && v.Word != "" {
		s += " – " + p.say(v.Word)
	}
	return s
}

// codeSpan returns a text as a code span of CommonMark's: between more backticks
// than there are in a row inside, and on one line, since a line could begin
// another block.
func codeSpan(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }), " ")
	run, longest := 0, 0
	for _, r := range s {
		run++
		if r != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	if strings.Trim(s, "`") != s || strings.TrimSpace(s) == "" || s[0] == ' ' && s[len(s)-1] == ' ' {
		s = " " + s + " " // one space on each side is not part of the text
	}
	return fence + s + fence
}
