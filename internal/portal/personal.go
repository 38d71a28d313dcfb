package portal

import (
	"regexp"
	"strings"
	"time"
)

// hidden stands where a personal number was.
const hidden = "••••"

var (
	digitsPattern = regexp.MustCompile(`[0-9]+`)
	// lastFourPattern finds the end of a number that is written in two parts.
	lastFourPattern = regexp.MustCompile(`^ ?[-+–] ?([0-9]{4})(?:[^0-9]|$)`)
	// personalPattern has the century, the date and the rest of a personal number.
	personalPattern = regexp.MustCompile(`^(19|20)?([0-9]{6})[-+]?([0-9]{4})$`)
	// serialPattern finds the element in which Tjänsteguiden has them, also where
	// the text is cut off inside it; memberPattern the same in JSON.
	serialPattern = regexp.MustCompile(`(?is)(<(?:[\w.-]+:)?serial(?:\s(?:[^>]*[^>/])?)?>).*?(</(?:[\w.-]+:)?serial\s*>|\z)`)
	memberPattern = regexp.MustCompile(`(?i)(\\?"serial\\?"\s*:\s*\\?"?)[^",}\]\\]*`)
)

// PlausiblePersonalNumber reports whether s may be a Swedish personal or
// coordination number: ten or twelve digits, perhaps with - or + before the last
// four, whose date exists and whose check digit is right.
func PlausiblePersonalNumber(s string) bool {
	parts := personalPattern.FindStringSubmatch(strings.TrimSpace(s))
	if parts == nil {
		return false
	}
	century, date, rest := parts[1], parts[2], parts[3]
	if !luhn(date + rest) {
		return false
	}
	if century != "" {
		return isBirthday(century + date)
	}
	return isBirthday("19"+date) || isBirthday("20"+date)
}

// isBirthday reports whether YYYYMMDD is a date, or one with 60 added to its
// day, as a coordination number has it.
//
// https://www.skatteverket.se/privat/folkbokforing/samordningsnummer
func isBirthday(digits string) bool {
	if day := digits[6]; day >= '6' {
		digits = digits[:6] + string(day-6) + digits[7:]
	}
	_, err := time.Parse("20060102", digits)
	return err == nil
}

// luhn reports whether the last of ten digits checks the others.
func luhn(digits string) bool {
	sum := 0
	for i := range digits {
		n := int(digits[i]-'0') * (2 - i%2)
		sum += n/10 + n%10
	}
	return sum%10 == 0
}

// Redact strikes out what may be a personal number in a text of any form: what
// an element or a member named serial holds, whatever it is, and wherever else
// one is plausible. Of what was cut off it is to be given the whole.
func Redact(text string) string {
	text = serialPattern.ReplaceAllString(text, "${1}"+hidden+"${2}")
	text = memberPattern.ReplaceAllString(text, "${1}"+hidden)
	var b strings.Builder
	for {
		at := digitsPattern.FindStringIndex(text)
		if at == nil {
			b.WriteString(text)
			return b.String()
		}
		from, to := at[0], at[1]
		number := text[from:to]
		if tail := lastFourPattern.FindStringSubmatchIndex(text[to:]); tail != nil && PlausiblePersonalNumber(number+"-"+text[to+tail[2]:to+tail[3]]) {
			number, to = hidden, to+tail[3]
		} else if PlausiblePersonalNumber(number) {
			number = hidden
		}
		b.WriteString(text[:from] + number)
		text = text[to:]
	}
}

// minNumber is how many digits a number must have to be looked for in free
// text: a shorter one is no personal number, and would be in everything.
const minNumber = 6

// RedactNumber strikes out one number in a text, in all forms in which people
// write it, whether it is plausible or not.
func RedactNumber(text, number string) string {
	number = strings.TrimSpace(number)
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	if len(digits) < minNumber {
		return text
	}
	text = strings.ReplaceAll(text, number, hidden)
	pattern := digits
	switch n := len(digits); n {
	case 10, 12:
		pattern = `(?:19|20)?` + digits[n-10:n-4] + `\s?[-+–]?\s?` + digits[n-4:]
	}
	return regexp.MustCompile(pattern).ReplaceAllString(text, hidden)
}
