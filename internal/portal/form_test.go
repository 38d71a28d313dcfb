package portal_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

var packages = []portal.Option{{ID: "small", Label: portal.Text{"sv": "Liten"}, Price: 249000},
	{ID: "large", Label: portal.Text{"sv": "Stor"}, Price: 399000}, {ID: "free", Label: portal.Text{"sv": "Gratis"}}}

func TestFieldTypes(t *testing.T) {
	t.Parallel()
	type value struct {
		typed string
		want  string // the answer, or empty
		fault string // the key, or empty
	}
	for _, c := range []struct {
		field  portal.Field
		values []value
	}{
		{portal.Field{Type: portal.FieldText}, []value{
			{typed: "1234", want: "1234"}, {typed: "  x \t", want: "x"}, {typed: "   "}, {typed: ""},
			{typed: "a\r\nb", want: "a\nb"}, {typed: "a\x00b", fault: "field.characters"}, {typed: "a\xffb", fault: "field.characters"},
			{typed: strings.Repeat("å", 200), want: strings.Repeat("å", 200)}, {typed: strings.Repeat("å", 201), fault: "field.too_long"}}},
		{portal.Field{Type: portal.FieldText, MaxLength: 3}, []value{
			{typed: "åäö", want: "åäö"}, {typed: " abc ", want: "abc"}, {typed: "abcd", fault: "field.too_long"}}},
		{portal.Field{Type: portal.FieldTextarea}, []value{
			{typed: "rad 1\r\nrad 2", want: "rad 1\nrad 2"}, {typed: strings.Repeat("ö", 5000), want: strings.Repeat("ö", 5000)},
			{typed: strings.Repeat("ö", 5001), fault: "field.too_long"}, {typed: strings.Repeat("\r\n", 6000)},
			{typed: "a" + strings.Repeat("\r\n", 4998) + "b", want: "a" + strings.Repeat("\n", 4998) + "b"}}},
		{portal.Field{Type: portal.FieldNumber}, []value{
			{typed: "5", want: "5"}, {typed: "-1", want: "-1"}, {typed: "3,5", want: "3,5"}, {typed: "3.5", want: "3.5"},
			{typed: "1e5", fault: "field.number"}, {typed: "0x10", fault: "field.number"}, {typed: "1 000", fault: "field.number"},
			{typed: "٣", fault: "field.number"}, {typed: ".5", fault: "field.number"}, {typed: "5.", fault: "field.number"}, {typed: "fem", fault: "field.number"}}},
		{portal.Field{Type: portal.FieldChoice, Options: packages}, []value{
			{typed: "small", want: "small"}, {typed: "huge", fault: "field.choose"}, {typed: "Liten", fault: "field.choose"}, {typed: "SMALL", fault: "field.choose"}}},
		{portal.Field{Type: portal.FieldChoices, Options: packages}, []value{
			{typed: "large", want: "large"}, {typed: "huge", fault: "field.choose"}}},
		{portal.Field{Type: portal.FieldCheckbox}, []value{{typed: "on", want: "on"}, {typed: ""}}},
		{portal.Field{Type: portal.FieldDate}, []value{
			{typed: "2026-11-24", want: "2026-11-24"}, {typed: "2028-02-29", want: "2028-02-29"}, {typed: "2026-02-30", fault: "field.date"},
			{typed: "2027-02-29", fault: "field.date"}, {typed: "24/11/2026", fault: "field.date"}, {typed: "2026-11-24T10:00", fault: "field.date"}}},
		{portal.Field{Type: portal.FieldTime}, []value{
			{typed: "09:05", want: "09:05"}, {typed: "23:59", want: "23:59"}, {typed: "24:00", fault: "field.time"}, {typed: "12:60", fault: "field.time"},
			{typed: "9", fault: "field.time"}, {typed: "09.05", fault: "field.time"}}},
		{portal.Field{Type: portal.FieldEmail}, []value{
			{typed: "a@b.example", want: "a@b.example"}, {typed: "a@", fault: "field.email"}, {typed: "Åsa <a@b.example>", fault: "field.email"},
			{typed: "a@b.example, c@d.example", fault: "field.email"}, {typed: "a@b.example\nBcc: x@y.example", fault: "field.email"}}},
		{portal.Field{Type: portal.FieldPhone}, []value{
			{typed: "+46 (0)18-12 34 56", want: "+46 (0)18-12 34 56"}, {typed: "12345", want: "12345"}, {typed: "1234", fault: "field.phone"},
			{typed: "1234567890123456", fault: "field.phone"}, {typed: "ring mig 12345", fault: "field.phone"}, {typed: "-----", fault: "field.phone"}}},
		{portal.Field{Type: portal.FieldFile}, []value{{typed: "plan.pdf", want: "plan.pdf"}}},
	} {
		c.field.ID = "f"
		form := portal.Form{Fields: []portal.Field{c.field}}
		for _, v := range c.values {
			answers, faults := form.Validate(map[string][]string{"f": {v.typed}})
			got := value{typed: v.typed, want: strings.Join(answers["f"], "|"), fault: faults["f"].Key}
			if got != v {
				t.Errorf("%s of %.40q: answer %.40q, fault %q; want %.40q, %q", c.field.Type, v.typed, got.want, got.fault, v.want, v.fault)
			}
			if _, answered := answers["f"]; answered != (v.want != "") {
				t.Errorf("%s of %.40q: an empty answer is kept", c.field.Type, v.typed)
			}
		}
	}
}

func TestRequired(t *testing.T) {
	t.Parallel()
	want := map[portal.FieldType]string{portal.FieldChoice: "field.choose", portal.FieldChoices: "field.choose", portal.FieldCheckbox: "field.tick", portal.FieldFile: "field.file"}
	for _, kind := range portal.FieldTypes {
		form := portal.Form{Fields: []portal.Field{{ID: "f", Type: kind, Required: true, Options: packages}}}
		key := want[kind]
		if key == "" {
			key = "field.required"
		}
		for _, typed := range [][]string{nil, {""}, {" \r\n "}, {"", "  "}} {
			if _, faults := form.Validate(map[string][]string{"f": typed}); faults["f"].Key != key {
				t.Errorf("%s left as %q: %q, want %q", kind, typed, faults["f"].Key, key)
			}
		}
	}
}

func TestSeveralValues(t *testing.T) {
	t.Parallel()
	for _, kind := range portal.FieldTypes {
		form := portal.Form{Fields: []portal.Field{{ID: "f", Type: kind, Options: packages}}}
		answers, faults := form.Validate(map[string][]string{"f": {"small", " large ", "small", ""}})
		if kind == portal.FieldChoices || kind == portal.FieldFile {
			if diff := cmp.Diff(portal.Answers{"f": {"small", "large"}}, answers); diff != "" || len(faults) > 0 {
				t.Errorf("%s: %v\n%s", kind, faults, diff)
			}
			continue
		}
		if faults["f"].Key != "field.one" || len(answers) > 0 {
			t.Errorf("%s with two values: %v, answers %v", kind, faults["f"], answers)
		}
	}
	choices := portal.Form{Fields: []portal.Field{{ID: "f", Type: portal.FieldChoices, Options: packages}}}
	if answers, faults := choices.Validate(map[string][]string{"f": {"small", "huge"}}); faults["f"].Key != "field.choose" || len(answers) > 0 {
		t.Errorf("one of two choices is unknown: %v, answers %v", faults["f"], answers)
	}
}

func TestValidateNamesEveryField(t *testing.T) {
	t.Parallel()
	form := portal.Form{Fields: []portal.Field{{ID: "a", Type: portal.FieldText, Required: true}, {ID: "b", Type: portal.FieldDate},
		{ID: "c", Type: portal.FieldText, MaxLength: 2}, {ID: "d", Type: portal.FieldText}}}
	answers, faults := form.Validate(map[string][]string{"b": {"i morgon"}, "c": {"xyz"}, "d": {"ok"}, "state": {"delivered"}})
	wantFaults := portal.FieldErrors{"a": portal.Say("field.required"), "b": portal.Say("field.date"),
		"c": portal.Say("field.too_long", "Max", 2, "Count", 3)}
	if diff := cmp.Diff(wantFaults, faults); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(portal.Answers{"d": {"ok"}}, answers); diff != "" {
		t.Errorf("what the form does not ask is no answer:\n%s", diff)
	}
}

func TestPrices(t *testing.T) {
	t.Parallel()
	rush := portal.Text{"sv": "Brådskande"}
	form := portal.Form{Fields: []portal.Field{
		{ID: "extras", Type: portal.FieldChoices, Options: packages},
		{ID: "rush", Type: portal.FieldCheckbox, Label: rush, Price: 75000},
		{ID: "note", Type: portal.FieldText, Price: 99},
	}}
	for name, c := range map[string]struct {
		answers portal.Answers
		lines   []portal.PriceLine
		total   int64
	}{
		"nothing": {},
		"choices": {answers: portal.Answers{"extras": {"large", "small"}},
			lines: []portal.PriceLine{{Label: packages[1].Label, Price: 399000}, {Label: packages[0].Label, Price: 249000}}, total: 648000},
		"without a price": {answers: portal.Answers{"extras": {"free"}}},
		"ticked":          {answers: portal.Answers{"rush": {"on"}}, lines: []portal.PriceLine{{Label: rush, Price: 75000}}, total: 75000},
		"in the form's order": {answers: portal.Answers{"rush": {"on"}, "extras": {"small"}},
			lines: []portal.PriceLine{{Label: packages[0].Label, Price: 249000}, {Label: rush, Price: 75000}}, total: 324000},
		"an option that is gone": {answers: portal.Answers{"extras": {"old"}}},
		"a text has no price":    {answers: portal.Answers{"note": {"hej"}}},
	} {
		if diff := cmp.Diff(c.lines, form.Lines(c.answers)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		if got := form.Total(c.answers); got != c.total {
			t.Errorf("%s: total %d, want %d", name, got, c.total)
		}
	}
	if !form.Priced() || (portal.Form{Fields: []portal.Field{{ID: "a", Options: packages[2:]}}}).Priced() {
		t.Error("Priced is about what can cost something")
	}
}

func TestOption(t *testing.T) {
	t.Parallel()
	field := portal.Field{Options: packages}
	if o, ok := field.Option("large"); !ok || o.Price != 399000 {
		t.Errorf("large: %+v, %v", o, ok)
	}
	if o, ok := field.Option("huge"); ok || o.ID != "" {
		t.Errorf("huge: %+v, %v", o, ok)
	}
}
