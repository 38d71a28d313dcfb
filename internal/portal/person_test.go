package portal

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPersonQueryFinds(t *testing.T) {
	t.Parallel()
	for typed, texts := range map[string]map[string]string{ // what is left when it is struck out
		"Karin Öhman": {
			"Karin Öhman":                            "•••",
			"karin öhman och KARIN  ÖHMAN":           "••• och •••",
			"Karin\nÖhmans lägenhet":                 "•••s lägenhet",
			"Öhman, Karin":                           "•••",
			"bilder/karin_öhman-2.jpg":               "bilder/•••-2.jpg",
			"https://x.example/Karin%20%C3%96hman":   "https://x.example/•••",
			"https://x.example/karin+%c3%b6hman?a=1": "https://x.example/•••?a=1",
			"<b>Karin</b><b>Öhman</b>":               "<b>•••</b>",
			"Annakarin Öhman":                        "Annakarin Öhman",
			"Karin bor hos Öhman":                    "Karin bor hos Öhman",
		},
		"anna@x.example": {"Anna@X.example, johanna@x.example": "•••, johanna@x.example", "anna@xaexample": "anna@xaexample"},
		"070-123 45 67": {
			"0701234567":          "•••",
			"+46 70 123 45 67":    "•••",
			"+46 (0)70-123 45 67": "•••",
			"0046701234567":       "•••",
			"Ring 070 - 1234567!": "Ring •••!",
			"90701234567":         "90701234567",
			"07012345678":         "07012345678",
		},
		"+46701234567": {"070-123 45 67": "•••", "46701234567": "•••"},
		"46701234567":  {"070-123 45 67": "•••"},
		"751011-6952": {
			"197510116952":     "•••",
			"19751011-6952":    "•••",
			"7510116952":       "•••",
			"(751011 - 6952)":  "(•••)",
			"20751011695211":   "20751011695211",
			"id 1975101169521": "id 1975101169521",
		},
		"19751011-6952":    {"7510116952": "•••", "751011+6952": "751011+6952"},
		"Storgatan 1":      {"storgatan  1, Umeå": "•••, Umeå"},
		`O"Hara`:           {`Scarlett o"hara`: "Scarlett •••"},
		"Bo Ek\nLisa Berg": {"Bo Ek och Lisa Berg": "••• och •••"},
		"a.b; c*d":         {"a.b axb c*d ccd": "••• axb ••• ccd"},
	} {
		q, err := ParsePersonQuery(typed)
		if err != nil {
			t.Errorf("%q: %v", typed, err)
			continue
		}
		broad := regexp.MustCompile(q.Pattern())
		for text, want := range texts {
			if got := q.Strike(text); got != want {
				t.Errorf("%q in %q: %q, want %q", typed, text, got, want)
			}
			if want != text && !broad.MatchString(text) {
				t.Errorf("%q: the pattern does not match %q", typed, text)
			}
		}
	}
}

func TestPersonQueryIsRefused(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"": "field.required", " \n;\n": "field.required", "Bo": "people.short", "Bo Ek\nX": "people.short", "0701": "people.short_number", "12-34": "people.short_number",
		strings.Repeat("x", 201): "field.too_long", strings.Repeat("Bo Ek\n", 11): "people.many", "Bo\x00Ek": "field.characters", "Bo\xff Ek": "field.characters",
	} {
		_, err := ParsePersonQuery(typed)
		var known *Error
		if !errors.As(err, &known) || known.Kind != Invalid || known.Fields["q"].Key != want {
			t.Errorf("%.20q: %v, want %s", typed, err, want)
		}
	}
}

func TestPersonQueryComparesNumbers(t *testing.T) {
	t.Parallel()
	q, err := ParsePersonQuery("Karin Öhman\n19751011-6952\nAB 123-456")
	if err != nil || !q.HasNumbers() {
		t.Fatal(err)
	}
	for number, want := range map[string]bool{"197510116952": true, "7510116952": true, "751011-6952": true, "ab123456": true, "AB 123456": true,
		"197510116953": false, "": false, "Karin Öhman": false} {
		if q.IsNumber(number) != want {
			t.Errorf("%q: %t", number, !want)
		}
	}
	if q, _ := ParsePersonQuery("Karin Öhman"); q.HasNumbers() {
		t.Error("a name may be a number")
	}
}

func TestEraseOrder(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	var form Form
	answers := Answers{}
	for _, kind := range FieldTypes {
		form.Fields = append(form.Fields, Field{ID: string(kind), Type: kind})
		answers[string(kind)] = []string{"x"}
	}
	o := Order{State: Delivered, Service: Service{Form: form}, Answers: answers, Total: 5, Target: Target{Type: "House", ID: "O1", Name: "Storgatan 1"},
		Details: Details{Name: "Karin", Email: "k@x.example", Sellers: []string{"Karin"}, Wished: "2026-12-01", Direct: true, OrderedAt: now, More: []Fact{{"a", "b"}}}}
	change, err := o.Erase(Actor{Kind: ActorStaff, ID: 1, Name: "Maja"}, now)
	if err != nil {
		t.Fatal(err)
	}
	want := Order{State: Delivered, Service: Service{Form: form}, Total: 5, Target: Target{Type: "House", ID: "O1"}, ErasedAt: &now,
		Answers: Answers{"choice": {"x"}, "choices": {"x"}, "checkbox": {"x"}, "date": {"x"}, "time": {"x"}},
		Details: Details{Wished: "2026-12-01", Direct: true, OrderedAt: now}}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Error(diff)
	}
	if len(change.Events) != 1 || change.Events[0].Kind != EventEmptied || change.Report != nil {
		t.Errorf("%+v", change)
	}
	for _, s := range States {
		o := Order{State: s}
		_, err := o.Erase(Actor{}, now)
		if busy := s == Received || s == Active || s == Waiting; (KindOf(err) == Conflict) != busy || busy != (err != nil) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestSubjectChoices(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		subject PersonSubject
		want    []PersonChoice
		refusal string // of the first that is not among them
	}{
		{PersonSubject{Kind: SubjectOrder}, []PersonChoice{ChooseWhole, ChooseWords, ChooseLeave}, ""},
		{PersonSubject{Kind: SubjectOrder, InProgress: true}, []PersonChoice{ChooseWords, ChooseLeave}, "people.in_progress"},
		{PersonSubject{Kind: SubjectOrder, OnItsWay: true}, []PersonChoice{ChooseLeave}, "people.on_its_way"},
		{PersonSubject{Kind: SubjectLead}, []PersonChoice{ChooseWhole, ChooseLeave}, "error.bad_form"},
		{PersonSubject{Kind: SubjectAside}, []PersonChoice{ChooseWhole, ChooseLeave}, "error.bad_form"},
		{PersonSubject{Kind: SubjectOther, Place: "note"}, []PersonChoice{ChooseWords, ChooseLeave}, "error.bad_form"},
	} {
		if diff := cmp.Diff(c.want, c.subject.Choices()); diff != "" {
			t.Errorf("%+v:\n%s", c.subject, diff)
		}
		refusal := ""
		for _, choice := range []PersonChoice{ChooseWhole, ChooseWords, ChooseLeave} {
			var known *Error
			if errors.As(c.subject.Allows(choice), &known) && refusal == "" {
				refusal = known.Say.Key
			}
		}
		if refusal != c.refusal {
			t.Errorf("%+v: refused as %q, want %q", c.subject, refusal, c.refusal)
		}
	}
}
