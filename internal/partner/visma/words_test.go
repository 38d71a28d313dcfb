package visma

import (
	"strings"
	"testing"

	"portico/internal/portal"
)

func TestPrice(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		minor    int64
		language string
		want     string
	}{{0, "nb", ""}, {100, "nb", "1 NOK"}, {99900, "nb", "999 NOK"}, {249000, "sv", "2 490 NOK"}, {123456789050, "en", "1 234 567 890.50 NOK"}, {105, "nb", "1,05 NOK"}} {
		if got := strings.ReplaceAll(price(tt.minor, "NOK", tt.language), "\u00a0", " "); got != tt.want {
			t.Errorf("%d: %q, want %q", tt.minor, got, tt.want)
		}
	}
}

func TestStatusText(t *testing.T) {
	t.Parallel()
	c := defaults()
	c.StatusLength = 20
	for _, tt := range []struct{ key, language, comment, want string }{
		{"received", "sv", "", "Beställningen är mo…"},
		{"received", "en", "", "Order received"},
		{"waiting", "nb", " Når? ", "Når?"},
		{"waiting", "nb", "", "State"},
		{"cancelled", "nb", "", "Kansellert"},
		{"cancelled", "nb", "Ombestemt {comment}", "Kansellert: Ombeste…"},
		{"policy_issued", "nb", "", "Foreløpig polise"},
	} {
		if got := c.status(tt.key, tt.language, tt.comment, "State"); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.key, got, tt.want)
		}
	}
}

// TestEveryStateHasItsWords in every language.
func TestEveryStateHasItsWords(t *testing.T) {
	t.Parallel()
	c := defaults()
	for _, key := range told() {
		for _, locale := range portal.Locales {
			if c.StatusText[key][locale] == "" {
				t.Errorf("%s has no text in %s", key, locale)
			}
		}
	}
	for _, state := range states() {
		for _, locale := range portal.Locales {
			if c.ActionText[state][locale] == "" {
				t.Errorf("the button of %s has no text in %s", state, locale)
			}
		}
	}
	for _, name := range metaNames {
		for _, locale := range portal.Locales {
			if metaLabels[name][locale] == "" {
				t.Errorf("%s has no label in %s", name, locale)
			}
		}
	}
}
