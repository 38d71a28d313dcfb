package portal

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// LeadRefusal is why a partner did not take a lead, in its words.
type LeadRefusal struct {
	Faults map[string]string // by the input of a LeadForm that they are about
	Words  string            // the rest
}

// maxLeadID is how long a partner's id of a lead can be, in characters.
const maxLeadID = 100

// CheckLeadID says what is wrong with a partner's id of a lead that somebody
// typed, who may not know it.
func CheckLeadID(id string) error {
	faults := FieldErrors{}
	switch n := utf8.RuneCountInString(id); {
	case !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl):
		faults["partner_id"] = Say("field.characters")
	case n > maxLeadID:
		faults["partner_id"] = Say("field.too_long", "Max", maxLeadID, "Count", n)
	}
	return InvalidFields(faults)
}
