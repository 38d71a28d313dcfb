package portal

// Locales are the languages of every text, the provider's default first in use.
var Locales = []string{"sv", "nb", "en"}

// Text is a provider's own text by locale.
type Text map[string]string

// In returns the text in a locale; where that is missing, in the first of
// sv, nb and en that there is.
func (t Text) In(locale string) string {
	if s := t[locale]; s != "" {
		return s
	}
	for _, l := range Locales {
		if s := t[l]; s != "" {
			return s
		}
	}
	return ""
}
