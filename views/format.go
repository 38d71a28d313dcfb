package views

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/currency"

	"portico/internal/portal"
)

// nbsp keeps a number and its unit on one line.
const nbsp = "\u00a0"

// When returns a moment as people say it: "i dag 10.40", "tis 24 nov 09.12".
func (p *Printer) When(t time.Time) string { return p.Day(t) + " " + p.Clock(t) }

// Day returns the day of a moment: "i dag", "i går", "tis 24 nov", with the
// year when it is another one.
func (p *Printer) Day(t time.Time) string {
	t = t.In(p.loc)
	switch daysBetween(p.now, t) {
	case 0:
		return p.T("time.today")
	case -1:
		return p.T("time.yesterday")
	case 1:
		return p.T("time.tomorrow")
	}
	day := strconv.Itoa(t.Day())
	if p.locale == "nb" {
		day += "."
	}
	weekday, month := p.words.WeekdayAbbreviated(t.Weekday()), p.words.MonthAbbreviated(t.Month())
	if p.locale == "sv" { // Swedish writes "24 nov", whatever CLDR says
		month = strings.TrimSuffix(month, ".")
	}
	s := weekday + " " + day + nbsp + month
	if t.Year() != p.now.Year() {
		s += " " + strconv.Itoa(t.Year())
	}
	return s
}

// Clock returns the time of day: "10.40", in English "10:40".
func (p *Printer) Clock(t time.Time) string {
	if p.locale == "en" {
		return t.In(p.loc).Format("15:04")
	}
	return t.In(p.loc).Format("15.04")
}

// Exact returns a moment to the second, for whom "i dag" is too vague.
func (p *Printer) Exact(t time.Time) string { return t.In(p.loc).Format("2006-01-02 15:04:05 MST") }

// daysBetween counts midnights, not spans of 24 hours: days of 23 hours exist.
func daysBetween(from, to time.Time) int {
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(day(to).Sub(day(from)) / (24 * time.Hour))
}

// Date returns a date as a form field holds it (2026-11-25) in words: "onsdag
// 25 november", with the year when it is another one. Anything else is returned
// as it is.
func (p *Printer) Date(iso string) string {
	t, err := time.Parse(time.DateOnly, iso)
	if err != nil {
		return iso
	}
	day := strconv.Itoa(t.Day())
	if p.locale == "nb" {
		day += "."
	}
	s := p.words.WeekdayWide(t.Weekday()) + " " + day + nbsp + p.words.MonthWide(t.Month())
	if t.Year() != p.now.Year() {
		s += " " + strconv.Itoa(t.Year())
	}
	return s
}

// Wished returns for when somebody wishes something, as a partner says it:
// "snarast", "tis 24 nov", "tis 24 nov 13.30". Anything else is returned as it is.
func (p *Printer) Wished(text string) string {
	if text == portal.Asap {
		return p.T("time.asap")
	}
	if day, err := time.ParseInLocation(time.DateOnly, text, p.loc); err == nil {
		return p.Day(day)
	}
	if at, err := time.ParseInLocation("2006-01-02 15:04", text, p.loc); err == nil {
		return p.When(at)
	}
	return text
}

// Span returns a length of time in its two largest units: "1 d 4 h", "25 min".
func (p *Printer) Span(d time.Duration) string {
	d = d.Abs()
	days, hours, minutes := int(d.Hours())/24, int(d.Hours())%24, int(d.Minutes())%60
	switch {
	case d < time.Minute:
		return p.T("time.moment")
	case days >= 7 || days > 0 && hours == 0:
		return p.unit(days, "day")
	case days > 0:
		return p.unit(days, "day") + " " + p.unit(hours, "hour")
	case hours >= 6 || hours > 0 && minutes == 0:
		return p.unit(hours, "hour")
	case hours > 0:
		return p.unit(hours, "hour") + " " + p.unit(minutes, "minute")
	}
	return p.unit(minutes, "minute")
}

func (p *Printer) unit(n int, name string) string {
	return strconv.Itoa(n) + nbsp + p.T("time.unit_"+name)
}

// Until returns how far away a moment is: "om 1 d 4 h", "3 h sen".
func (p *Printer) Until(t time.Time) string {
	if t.Before(p.now) {
		return p.T("time.late", "Span", p.Span(p.now.Sub(t)))
	}
	return p.T("time.in", "Span", p.Span(t.Sub(p.now)))
}

// Took returns how long a call took: "214 ms", "1,2 s".
func (p *Printer) Took(d time.Duration) string {
	if d < time.Second {
		return strconv.FormatInt(d.Milliseconds(), 10) + nbsp + "ms"
	}
	return p.words.FmtNumber(d.Seconds(), 1) + nbsp + "s"
}

// soon is how near a due time is coloured.
const soon = 4 * time.Hour

// due returns when an order is due and how urgent that is: "late", "soon" or "".
func (p *Printer) due(state portal.State, at *time.Time) (text, urgency string) {
	switch {
	case state == portal.Waiting && at != nil:
		return p.T("due.paused"), ""
	case at == nil || !slices.Contains(portal.OpenStates, state):
		return "", ""
	case at.Before(p.now):
		urgency = "late"
	case at.Sub(p.now) < soon:
		urgency = "soon"
	}
	return p.Until(*at), urgency
}

// Money returns an amount of a currency's minor units: "4 988 kr", with
// decimals only where there are any.
func (p *Printer) Money(minor int64, code string) string {
	before, after := p.currency(code)
	digits := minorDigits(code)
	whole := math.Pow10(digits)
	decimals := digits
	if minor%int64(whole) == 0 {
		decimals = 0
	}
	return before + p.words.FmtNumber(float64(minor)/whole, uint64(decimals)) + after
}

// currency returns what is written before and after an amount. A "kr" is only
// clear to those whose krona or krone it is; others get the code.
func (p *Printer) currency(code string) (before, after string) {
	switch {
	case p.locale == "sv" && code == "SEK", p.locale == "nb" && code == "NOK":
		return "", nbsp + "kr"
	case p.locale == "en":
		return code + nbsp, ""
	}
	return "", nbsp + code
}

func minorDigits(code string) int {
	unit, err := currency.ParseISO(code)
	if err != nil {
		return 2
	}
	scale, _ := currency.Standard.Rounding(unit)
	return scale
}

// Size returns a number of bytes as file managers do, in steps of 1024: "24 MB".
func (p *Printer) Size(bytes int64) string {
	units := []string{"byte", "kB", "MB", "GB", "TB"}
	n, i := float64(bytes), 0
	for n >= 1024 && i < len(units)-1 {
		n, i = n/1024, i+1
	}
	decimals := uint64(0)
	if i > 1 && n < 10 && n != math.Trunc(n) {
		decimals = 1
	}
	return p.words.FmtNumber(n, decimals) + nbsp + units[i]
}

// Number returns a count with its thousands apart.
func (p *Printer) Number(n int) string { return p.words.FmtNumber(float64(n), 0) }

// StateWord returns the name of a state.
func (p *Printer) StateWord(s portal.State) string { return p.T("state." + string(s)) }

// MessageName returns the name of what a partner is told or brought.
func (p *Printer) MessageName(m portal.Message) string {
	switch {
	case m.Upload != nil:
		return p.T("report.file", "Name", m.Upload.Name)
	case m.LeadID != 0:
		return p.T("report.lead")
	case m.Remark != "":
		return p.T("remark." + string(m.Remark))
	case m.Activation != nil:
		return p.T("operation." + string(m.Activation.Operation))
	}
	return p.Told(m.State, m.Step)
}

// Told returns the name of what a partner is told: of a step, else of a state.
func (p *Printer) Told(state portal.State, step portal.Step) string {
	if step != "" {
		return p.T("step." + string(step))
	}
	return p.StateWord(state)
}

// SystemName returns what people call a kind of partner system.
func (p *Printer) SystemName(system string) string { return p.T("system." + system) }

// TargetType returns the partner's word for a kind of target in the reader's
// language, as it is where that is not known.
func (p *Printer) TargetType(t string) string {
	if key := "target." + strings.ToLower(t); t != "" && hasText(key) {
		return p.T(key)
	}
	return t
}

// TargetName returns what an order concerns: its address where that is known,
// else "Villa EST-4711".
func (p *Printer) TargetName(t portal.Target) string {
	if t.Name != "" {
		return t.Name
	}
	return strings.TrimSpace(p.TargetType(t.Type) + " " + t.ID)
}
