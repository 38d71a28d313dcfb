package db

import (
	"slices"
	"strings"
	"unicode"

	"portico/internal/portal"
)

// words returns the words of texts as the search index keeps them: lower-case,
// letters and digits only, each once.
func words(texts ...string) string {
	all := split(texts...)
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}

func split(texts ...string) []string {
	return strings.FieldsFunc(strings.ToLower(strings.Join(texts, " ")), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

// orderWords returns all that the queue's search finds an order by: the
// partner's order id, target, office and answers.
func orderWords(o *portal.Order) string {
	texts := []string{o.PartnerOrderID, o.Target.ID, o.Target.Name, o.Details.Number, o.Details.Name, o.Office.Customer, o.Office.Name}
	for _, field := range o.Service.Form.Fields {
		for _, value := range o.Answers[field.ID] {
			option, ok := field.Option(value)
			if !ok {
				texts = append(texts, value)
				continue
			}
			for _, label := range option.Label {
				texts = append(texts, label)
			}
		}
	}
	return words(texts...)
}

// searchQuery turns what somebody typed into a tsquery: every word, each as a
// beginning. It is empty where nothing can be searched for.
func searchQuery(typed string) string {
	parts := split(typed)
	if len(parts) > 10 {
		parts = parts[:10]
	}
	for i, p := range parts {
		parts[i] = p + ":*"
	}
	return strings.Join(parts, " & ")
}
