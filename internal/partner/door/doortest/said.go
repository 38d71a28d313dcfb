package doortest

import (
	"errors"
	"strings"

	"portico/internal/portal"
)

// SayKey returns the key of the sentence that a visitor is shown of an error,
// "" if there is none.
func SayKey(err error) string {
	var e *portal.Error
	if errors.As(err, &e) {
		return e.Say.Key
	}
	return ""
}

// SheetText writes a sheet as lines of "key: values", so that a table can show it.
func SheetText(s portal.Sheet) string {
	var b strings.Builder
	for _, l := range s {
		b.WriteString(strings.TrimPrefix(l.Key, "sheet."))
		for _, v := range l.Values {
			b.WriteString(" | " + v.Text)
			if v.Word != "" {
				b.WriteString("(" + v.Word + ")")
			}
		}
		if l.Secret {
			b.WriteString(" | secret")
		}
		if l.Note != "" {
			b.WriteString(" # " + l.Note)
		}
		b.WriteString("\n")
	}
	return b.String()
}
