package portal

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Struck stands where words were struck out, and where a text was erased that
// something has to stand for.
const Struck = "•••"

// Limits of what a person is looked for by.
const (
	MaxPersonTerms = 10
	minPersonTerm  = 3   // characters
	maxPersonTerm  = 200 // characters
)

// PersonQuery is what a person is looked for by: names, e-mail and postal
// addresses, telephone and personal numbers, in all forms in which people and
// programs write them.
type PersonQuery struct {
	terms   []personTerm
	numbers []string // that may be personal numbers, as numberKey has them
}

type personTerm struct {
	pattern string
	find    *regexp.Regexp
	digits  bool
}

// ParsePersonQuery reads what was typed, one term a line. It returns Invalid for
// the input q if there is none, or one that would be found everywhere.
func ParsePersonQuery(typed string) (PersonQuery, error) {
	var q PersonQuery
	fault := func(key string, args ...any) (PersonQuery, error) {
		return PersonQuery{}, InvalidFields(FieldErrors{"q": Say(key, args...)})
	}
	if !utf8.ValidString(typed) || strings.ContainsRune(typed, 0) {
		return fault("field.characters")
	}
	for _, line := range strings.FieldsFunc(typed, func(r rune) bool { return r == '\n' || r == '\r' || r == ';' }) {
		words := strings.Fields(line)
		term := strings.Join(words, " ")
		if term == "" {
			continue
		}
		digits := onlyNumber(term)
		switch n := utf8.RuneCountInString(term); {
		case digits && countDigits(term) < minNumber:
			return fault("people.short_number", "Term", term, "Min", minNumber)
		case n < minPersonTerm:
			return fault("people.short", "Term", term, "Min", minPersonTerm)
		case n > maxPersonTerm:
			return fault("field.too_long", "Max", maxPersonTerm, "Count", n)
		}
		t := personTerm{digits: digits, pattern: namePattern(words)}
		if digits {
			t.pattern = numberPatternOf(term)
		}
		t.find = regexp.MustCompile(t.pattern)
		q.terms = append(q.terms, t)
		if countDigits(term) >= minPersonTerm {
			q.numbers = append(q.numbers, numberKey(term))
		}
	}
	switch {
	case len(q.terms) == 0:
		return fault("field.required")
	case len(q.terms) > MaxPersonTerms:
		return fault("people.many", "Max", MaxPersonTerms)
	}
	return q, nil
}

// Pattern returns a regular expression, of those that Go and PostgreSQL read
// alike, that every text matches in which Find finds something, also where the
// text is JSON.
func (q PersonQuery) Pattern() string {
	patterns := make([]string, 0, len(q.terms))
	for _, t := range q.terms {
		patterns = append(patterns, t.pattern)
	}
	return strings.Join(patterns, "|")
}

// Find returns where the terms stand in a text, in its order and apart from each other.
func (q PersonQuery) Find(text string) [][2]int {
	var found [][2]int
	for _, t := range q.terms {
		for _, at := range t.find.FindAllStringIndex(text, -1) {
			if t.stands(text, at) {
				found = append(found, [2]int{at[0], at[1]})
			}
		}
	}
	slices.SortFunc(found, func(a, b [2]int) int { return cmp.Or(a[0]-b[0], b[1]-a[1]) })
	var apart [][2]int
	for _, at := range found {
		if n := len(apart); n > 0 && at[0] < apart[n-1][1] {
			apart[n-1][1] = max(apart[n-1][1], at[1])
			continue
		}
		apart = append(apart, at)
	}
	return apart
}

// stands reports whether a term does not only end a longer word, or stand within
// a longer number. A name may go on: of Karin Öhman there is Karin Öhmans.
func (t personTerm) stands(text string, at []int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:at[0]])
	after, _ := utf8.DecodeRuneInString(text[at[1]:])
	if t.digits {
		return !unicode.IsDigit(before) && !unicode.IsDigit(after)
	}
	first, _ := utf8.DecodeRuneInString(text[at[0]:])
	return !isWord(first) || !isWord(before)
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// Strike strikes the terms out of a text.
func (q PersonQuery) Strike(text string) string {
	var b strings.Builder
	from := 0
	for _, at := range q.Find(text) {
		b.WriteString(text[from:at[0]] + Struck)
		from = at[1]
	}
	return b.String() + text[from:]
}

// IsNumber reports whether a personal number is one that is looked for, whichever
// way either is written.
func (q PersonQuery) IsNumber(number string) bool {
	return slices.Contains(q.numbers, numberKey(number))
}

// HasNumbers reports whether a term may be a personal number.
func (q PersonQuery) HasNumbers() bool { return len(q.numbers) > 0 }

// numberKey is a personal number without what it is written with; a Swedish one
// without its century.
func numberKey(s string) string {
	key := strings.ToUpper(strings.Map(func(r rune) rune {
		if isWord(r) {
			return r
		}
		return -1
	}, s))
	if len(key) == 12 && countDigits(key) == 12 {
		return key[2:]
	}
	return key
}

func onlyNumber(s string) bool {
	return strings.Trim(s, "0123456789 +-–()./") == "" && countDigits(s) > 0
}

func countDigits(s string) int { return len(bareDigits(s)) }

func bareDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// What may stand between the digits of a number, and the words of a name: in a
// file's name, an address, JSON or XML too.
const (
	numberGap = "[ \u00a0()./–-]*"
	nameGap   = `(?:[\s,_.+-]|` + "\u00a0" + `|\\[nrt]|%20|<[^<>]*>)+`
)

// numberPatternOf matches a telephone number with and without its country, and a
// personal number with and without its century.
func numberPatternOf(typed string) string {
	digits := bareDigits(typed)
	personal := spaced(digits)
	if n := len(digits); n == 12 && (digits[:2] == "19" || digits[:2] == "20") {
		personal = `(?:19|20)?` + spaced(digits[2:])
	} else if n == 10 {
		personal = `(?:19|20)?` + personal
	}
	core := strings.TrimLeft(digits, "0")
	abroad := strings.HasPrefix(strings.TrimSpace(typed), "+") || strings.HasPrefix(digits, "00") || len(digits) == 11
	if abroad && len(core) > 8 && (core[:2] == "46" || core[:2] == "47") {
		core = strings.TrimLeft(core[2:], "0")
	}
	if len(core) < minNumber {
		return personal
	}
	return fmt.Sprintf(`(?:%s|(?:(?:\+|00)?4[67]%s)?(?:0%s)?%s)`, personal, numberGap, numberGap, spaced(core))
}

func spaced(digits string) string { return strings.Join(strings.Split(digits, ""), numberGap) }

// namePattern matches words in their order, and a name also the last one first.
func namePattern(words []string) string {
	quoted := make([]string, 0, len(words))
	for _, w := range words {
		quoted = append(quoted, anyCase(w))
	}
	pattern := strings.Join(quoted, nameGap)
	if n := len(quoted); n > 1 {
		pattern += "|" + strings.Join(append([]string{quoted[n-1]}, quoted[:n-1]...), nameGap)
	}
	return "(?:" + pattern + ")"
}

// anyCase matches a word in capitals or not, whatever a database takes for the
// same letter, and with letters that an address has as bytes.
func anyCase(word string) string {
	var b strings.Builder
	for _, r := range word {
		lower, upper := unicode.ToLower(r), unicode.ToUpper(r)
		switch {
		case lower != upper && r < utf8.RuneSelf:
			fmt.Fprintf(&b, "[%c%c]", lower, upper)
		case lower != upper:
			fmt.Fprintf(&b, "(?:%c|%c|%s|%s)", lower, upper, escaped(lower), escaped(upper))
		case r == '"' || r == '\\':
			b.WriteString(`\\*` + regexp.QuoteMeta(string(r)))
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return b.String()
}

// escaped matches a letter as an address has it.
func escaped(r rune) string {
	var b strings.Builder
	for _, c := range []byte(string(r)) {
		for _, h := range fmt.Sprintf("%%%02X", c) {
			if unicode.IsLetter(h) {
				fmt.Fprintf(&b, "[%c%c]", h, unicode.ToLower(h))
				continue
			}
			b.WriteRune(h)
		}
	}
	return b.String()
}
