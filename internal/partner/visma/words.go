package visma

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"portico/internal/portal"
)

// What an order may show beside its state, as the apply file names it.
const (
	metaNumber  = "order_number"
	metaPackage = "package"
	metaPrice   = "price"
	metaDay     = "day"
	metaLink    = "link"
)

var metaNames = []string{metaNumber, metaPackage, metaPrice, metaDay, metaLink}

var metaLabels = map[string]portal.Text{
	metaNumber:  {"nb": "Bestillingsnummer", "sv": "Beställningsnummer", "en": "Order number"},
	metaPackage: {"nb": "Pakke", "sv": "Paket", "en": "Package"},
	metaPrice:   {"nb": "Pris", "sv": "Pris", "en": "Price"},
	metaDay:     {"nb": "Forventet ferdig", "sv": "Beräknas klar", "en": "Expected"},
	metaLink:    {"nb": "Lenke", "sv": "Länk", "en": "Link"},
}

// commentMark stands in a text for what a person wrote.
const commentMark = "{comment}"

func statusTexts() map[string]portal.Text {
	return map[string]portal.Text{
		string(portal.Received):            {"nb": "Bestilling mottatt", "sv": "Beställningen är mottagen", "en": "Order received"},
		string(portal.Active):              {"nb": "Under arbeid", "sv": "Under arbete", "en": "In progress"},
		string(portal.Waiting):             {"nb": commentMark, "sv": commentMark, "en": commentMark},
		string(portal.Delivered):           {"nb": "Levert", "sv": "Levererad", "en": "Delivered"},
		string(portal.Failed):              {"nb": commentMark, "sv": commentMark, "en": commentMark},
		string(portal.Cancelled):           {"nb": "Kansellert: {comment}", "sv": "Avbokad: {comment}", "en": "Cancelled: {comment}"},
		string(portal.StepPolicyIssued):    {"nb": "Foreløpig polise", "sv": "Preliminärt försäkringsbrev", "en": "Provisional policy"},
		string(portal.StepPolicyActivated): {"nb": "Forsikringen er aktivert", "sv": "Försäkringen är aktiverad", "en": "The insurance is in force"},
	}
}

func actionTexts() map[string]portal.Text {
	all := map[string]portal.Text{}
	for _, state := range states() {
		all[state] = portal.Text{"nb": "Se bestillingen", "sv": "Visa beställningen", "en": "Show the order"}
	}
	all[string(portal.Waiting)] = portal.Text{"nb": "Svar leverandøren", "sv": "Svara leverantören", "en": "Answer the provider"}
	all[string(portal.Delivered)] = portal.Text{"nb": "Se leveransen", "sv": "Visa leveransen", "en": "Show the delivery"}
	return all
}

// status returns what people read beside a state; the state itself if there is
// nothing to say.
func (c config) status(key, language, comment, state string) string {
	s := strings.ReplaceAll(c.StatusText[key].In(language), commentMark, strings.TrimSpace(comment))
	s = strings.TrimRight(s, " :\n")
	return cut(cmp.Or(s, state), c.StatusLength)
}

// cut shortens a text to so many characters.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	return strings.TrimSpace(string([]rune(s)[:limit-1])) + "…"
}

// metadata is a line of what Core shows of an order, "key - value".
type metadata struct {
	Key   string
	Value string
}

// metadata returns what an order shows; what is not known is left out.
func (c config) metadata(m portal.Message, language string) []metadata {
	all := []metadata{}
	for _, name := range c.Metadata {
		if value := metaValue(name, m, language); value != "" {
			all = append(all, metadata{Key: metaLabels[name].In(language), Value: value})
		}
	}
	return all
}

func metaValue(name string, m portal.Message, language string) string {
	switch name {
	case metaNumber:
		return m.Number
	case metaPackage:
		return m.Package
	case metaPrice:
		return price(m.Price, m.Currency, language)
	case metaDay:
		return day(m.Day, language)
	case metaLink:
		return m.Link
	}
	return ""
}

// price writes minor units as "2 490 NOK", with decimals only if there are any.
func price(minor int64, currency, language string) string {
	if minor == 0 || currency == "" {
		return ""
	}
	digits := strconv.FormatInt(minor/100, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u00a0" + digits[i:]
	}
	if rest := minor % 100; rest != 0 {
		point := ","
		if language == "en" {
			point = "."
		}
		digits += fmt.Sprintf("%s%02d", point, rest)
	}
	return digits + "\u00a0" + currency
}

// day writes 2026-11-24 as people of the language do.
func day(s, language string) string {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil || language != "nb" {
		return s
	}
	return d.Format("02.01.2006")
}
