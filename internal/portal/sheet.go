package portal

// Sheet is what the owner of a partner system asks for when a service is
// registered there, in the order in which they ask. No secret is in it. It is
// empty where a service is not registered.
type Sheet []SheetLine

// SheetLine is one thing that is asked for.
type SheetLine struct {
	Key    string       // of the text that names it
	Values []SheetValue // none: the set-up does not say, unless Secret
	Note   string       // key of a remark on it; empty: none
	Secret bool         // handed over in another way
}

// SheetValue is a text to copy as it is, or words for people, or the one with
// the other beside it.
type SheetValue struct {
	Text string
	Word string // key of the words
}

// Verbatim returns the values that texts are, without the empty ones.
func Verbatim(texts ...string) []SheetValue {
	var values []SheetValue
	for _, t := range texts {
		if t != "" {
			values = append(values, SheetValue{Text: t})
		}
	}
	return values
}

// Worded returns the value that is the words of a key alone.
func Worded(key string) []SheetValue { return []SheetValue{{Word: key}} }
