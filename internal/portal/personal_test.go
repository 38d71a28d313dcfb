package portal

import (
	"strings"
	"testing"
)

func TestPlausiblePersonalNumber(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"197510116952":   true,
		"19751011-6952":  true,
		"19751011+6952":  true,
		"7510116952":     true,
		"751011-6952":    true,
		" 751011-6952 ":  true,
		"751011-6953":    false, // check digit
		"197510716959":   true,  // coordination number: day 71 is the 11th
		"197510926954":   false, // day 32
		"197513116951":   false, // month 13
		"187510116952":   false, // century
		"0002290005":     true,  // 2000 had the day, 1900 had not
		"190002290005":   false,
		"200002290005":   true,
		"5560360793":     false, // a company's: its month is 60
		"0703051947":     false,
		"0708530013":     false,
		"19700101010101": false,
		"751011 6952":    false,
		"75101-16952":    false,
		"":               false,
		"x":              false,
		"７５1011-6952":    false,
	} {
		if got := PlausiblePersonalNumber(in); got != want {
			t.Errorf("%q: %t", in, got)
		}
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                  "",
		"Ring 0703051947, port 508-004-06":  "Ring 0703051947, port 508-004-06",
		"pnr 197510116952.":                 "pnr ••••.",
		"751011-6952, 751011+6952":          "••••, ••••",
		"751011 - 6952 och 751011–6952":     "•••• och ••••",
		"0703-751011-6952":                  "0703-••••",
		"p197510116952x":                    "p••••x",
		"2197510116952 751011-69521":        "2197510116952 751011-69521",
		"<serial>19700101010101</serial>":   "<serial>••••</serial>",
		"<serial>hemligt</serial><a>1</a>":  "<serial>••••</serial><a>1</a>",
		"<a/><serial>1975":                  "<a/><serial>••••",
		"<serial>1975</ser":                 "<serial>••••",
		`<x:Serial a="b">1</x:Serial ><b/>`: `<x:Serial a="b">••••</x:Serial ><b/>`,
		"<serial/><a>1</a>":                 "<serial/><a>1</a>",
		"<serial />1":                       "<serial />1",
		"<serials>1</serials>":              "<serials>1</serials>",
		"<serial>\n1\n</serial>":            "<serial>••••</serial>",
		`{"serial":"19700101010101","a":1}`: `{"serial":"••••","a":1}`,
		`{"serial": 19700101010101, "a":1}`: `{"serial": ••••, "a":1}`,
		`"{\"serial\":\"1\",\"a\":1}"`:      `"{\"serial\":\"••••\",\"a\":1}"`,
		"2015-10-06 11:48:00 order 19530":   "2015-10-06 11:48:00 order 19530",
	} {
		got := Redact(in)
		if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		if again := Redact(got); again != got {
			t.Errorf("%q: once more %q", got, again)
		}
	}
}

func TestRedactNumber(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, number, want string }{
		{"19751011-6952 7510116952 751011+6952 751011 6952", "197510116952", "•••• •••• •••• ••••"},
		{"197510116952", "751011-6952", "••••"},
		{"19700101010101", "19700101010101", "••••"},
		{"0703051947", "197510116952", "0703051947"},
		{"0703051947", "0703051947", "••••"},
		{"våning 3", "3", "våning 3"}, // nobody's number
		{"våning 3", "", "våning 3"},
		{"x.*y", "x.*1234567", "x.*y"},
		{"AB 12 34 56 cd", "AB 12 34 56", "•••• cd"},
	} {
		if got := RedactNumber(tt.text, tt.number); got != tt.want {
			t.Errorf("%q without %q: %q, want %q", tt.text, tt.number, got, tt.want)
		}
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("<serial>19700101010101</serial> 751011-6952")
	f.Fuzz(func(t *testing.T, text string) {
		got := Redact(text)
		if strings.Contains(got, "751011-6952") && !strings.Contains(text, "751011-6952") {
			t.Errorf("%q became %q", text, got)
		}
		for _, word := range strings.FieldsFunc(got, func(r rune) bool { return r < '0' || r > '9' }) {
			if PlausiblePersonalNumber(word) {
				t.Errorf("%q: %q is left", text, word)
			}
		}
	})
}
