package views

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

// catalogue returns the placeholders of every text of a locale, by key.
func catalogue(t *testing.T, locale string) map[string][]string {
	t.Helper()
	messages, err := readLocale(localeFiles, locale)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string][]string{}
	for _, m := range messages {
		if m.Other == "" {
			t.Errorf("%s: %s has no text", locale, m.ID)
		}
		names := placeholder.FindAllString(m.Other, -1)
		slices.Sort(names)
		texts[m.ID] = slices.Compact(names)
	}
	return texts
}

var placeholder = regexp.MustCompile(`\{\{\.[A-Za-z]+\}\}`)

func TestLocalesSayTheSame(t *testing.T) {
	t.Parallel()
	want := catalogue(t, portal.Locales[0])
	for _, locale := range portal.Locales[1:] {
		if diff := cmp.Diff(want, catalogue(t, locale)); diff != "" {
			t.Errorf("%s differs from %s in keys or in what is filled in:\n%s", locale, portal.Locales[0], diff)
		}
	}
}

// TestKeysExistAndAreUsed reads the program's source: each key in it must be in
// the catalogue, and each key of the catalogue in it.
func TestKeysExistAndAreUsed(t *testing.T) {
	t.Parallel()
	texts := catalogue(t, portal.Locales[0])
	families := map[string]bool{}
	for key := range texts {
		families[family(key)] = true
	}
	used := map[string]bool{}
	for literal, place := range literals(t) {
		switch {
		case isKey.MatchString(literal) && families[family(literal)]:
			if _, ok := texts[literal]; !ok {
				t.Errorf("%s: no text for %q", place, literal)
			}
			used[literal] = true
		case isPrefix.MatchString(literal) && families[family(literal)]:
			for key := range texts {
				if strings.HasPrefix(key, literal) {
					used[key] = true
				}
			}
		}
	}
	for key := range texts {
		if general, ok := generalKey(key); !used[key] && (!ok || !used[general]) {
			t.Errorf("nobody says %q", key)
		}
	}
}

// generalKey returns the key that stands for all systems of one that is for a
// single system, and false for any other.
func generalKey(key string) (string, bool) {
	for _, system := range systems {
		if general, ok := strings.CutSuffix(key, "_"+system); ok {
			return general, true
		}
	}
	return "", false
}

var systems = []string{"vitec", "visma", "tjansteguiden"}

// TestSystemsOwnWords: what is said otherwise of a system's orders is said in
// place of something, and is told no more.
func TestSystemsOwnWords(t *testing.T) {
	t.Parallel()
	texts := catalogue(t, portal.Locales[0])
	for key, names := range texts {
		general, ok := generalKey(key)
		if !ok {
			continue
		}
		known, ok := texts[general]
		if !ok {
			t.Errorf("%s stands in place of nothing", key)
		}
		for _, name := range names {
			if !slices.Contains(known, name) {
				t.Errorf("%s is not told %s", key, name)
			}
		}
	}
	p := NewPrinter("sv", stockholm, now)
	of := p.For("tjansteguiden")
	got := []string{p.StateWord(portal.Waiting), of.StateWord(portal.Waiting), of.StateWord(portal.Active), p.For("vitec").StateWord(portal.Waiting)}
	if diff := cmp.Diff([]string{"Väntar på mäklaren", "Väntar på svar", "Pågår", "Väntar på mäklaren"}, got); diff != "" {
		t.Error(diff)
	}
}

var (
	isKey    = regexp.MustCompile(`^[a-z_]+\.[a-z0-9_]*[a-z0-9]$`)
	isPrefix = regexp.MustCompile(`^[a-z_]+\.([a-z0-9_]*_)?$`)
)

func family(key string) string {
	name, _, _ := strings.Cut(key, ".")
	return name
}

// literals returns the strings in the program's source, tests aside, and where
// they are.
func literals(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	files := token.NewFileSet()
	for _, folder := range []string{".", "../handlers", "../db", "../internal", "../cmd"} {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					if s, err := strconv.Unquote(lit.Value); err == nil {
						found[s] = files.Position(lit.Pos()).String()
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// TestKeysThatAreMade covers the keys that are put together at run time.
func TestKeysThatAreMade(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, s := range portal.States {
		keys = append(keys, "state."+string(s), "become."+string(s), "order.refused_"+string(s))
		if s != portal.Draft {
			keys = append(keys, "order.next_"+string(s))
		}
	}
	for _, s := range portal.Steps {
		keys = append(keys, "step."+string(s), "become."+string(s), "work.button_"+string(s))
	}
	for refusal, next := range refusalNext {
		keys = append(keys, refusal, next)
	}
	for _, r := range portal.Roles {
		keys = append(keys, "role."+string(r))
	}
	for _, k := range portal.EventKinds {
		keys = append(keys, "event."+string(k))
	}
	for _, k := range []portal.EventKind{portal.EventReported, portal.EventParked, portal.EventRetried, portal.EventSkipped} {
		keys = append(keys, "event."+string(k)+"_file", "event."+string(k)+"_remark", "event."+string(k)+"_operation")
	}
	for _, op := range portal.Operations {
		keys = append(keys, "operation."+string(op), "asked."+string(op), "become."+string(op), "work.button_"+string(op))
	}
	for _, s := range portal.ActivationStates {
		keys = append(keys, "event.network_"+string(s), "activation.state_"+string(s))
	}
	for _, r := range portal.Remarks {
		keys = append(keys, "remark."+string(r))
	}
	for _, word := range []string{"queued", "trying", "parked"} {
		keys = append(keys, "unsent."+word, "unsent."+UnsentRemark+"_"+word, "unsent."+UnsentActivation+"_"+word, "unsent."+UnsentLead+"_"+word)
	}
	for _, s := range portal.LeadStates {
		keys = append(keys, "leads.state_"+string(s), "leads.means_"+string(s), "lead.refused_"+string(s))
	}
	for _, in := range new(portal.LeadForm).Inputs() {
		keys = append(keys, "leads.field_"+in.Name)
	}
	for _, g := range leadGroups {
		keys = append(keys, "leads.group_"+g.name)
	}
	for _, done := range []string{"created", "number_shown", "retried", "skipped", "corrected", "confirmed", "erased"} {
		keys = append(keys, "lead."+done)
	}
	for _, s := range Sorts {
		keys = append(keys, "sort."+s)
	}
	for _, a := range []portal.ActorKind{portal.ActorBroker, portal.ActorStaff} {
		keys = append(keys, "actor."+string(a))
	}
	for _, s := range append(systems, "network") {
		keys = append(keys, "system."+s)
	}
	for _, form := range slices.Sorted(maps.Keys(StateForms)) {
		keys = append(keys, "work.button_"+form, "flash.staff_"+form)
	}
	for _, form := range []string{"messages", "notes", "assignment", "steps", "orders", "follow_up", "activation"} {
		keys = append(keys, "flash.staff_"+form)
	}
	for _, form := range []string{"submission", "messages", "answers", "revisions", "cancellation", "outbox_retry", "outbox_skip",
		"outbox_retried", "outbox_retried_some", "outbox_retried_none", "outbox_skipped", "outbox_skipped_some", "outbox_skipped_none"} {
		keys = append(keys, "flash."+form)
	}
	for _, kind := range []string{"400", "401", "403", "404", "405", "409", "410", "413", "422", "429", "500", "503",
		string(ErrorLinkExpired), string(ErrorLinkInvalid), string(ErrorOtherOffice), string(ErrorNoGrant),
		string(ErrorPartner), string(ErrorCredential), string(ErrorDatabase)} {
		keys = append(keys, "page."+kind+"_title", "page."+kind+"_text", "page."+kind+"_next")
	}
	texts := catalogue(t, portal.Locales[0])
	for _, key := range keys {
		if _, ok := texts[key]; !ok {
			t.Errorf("no text for %q", key)
		}
	}
}

func TestSay(t *testing.T) {
	t.Parallel()
	tests := []struct {
		locale string
		say    portal.Sentence
		want   string
	}{
		{"sv", portal.Say("order.refused_delivered", "To", "cancelled"), "Beställningen är redan levererad och kan inte avbrytas."},
		{"nb", portal.Say("order.refused_received", "To", "received"), "Bestillingen er allerede mottatt og kan ikke sendes på nytt."},
		{"en", portal.Say("order.refused_cancelled", "To", "delivered"), "The order is cancelled and cannot be delivered."},
		{"sv", portal.Say("form.faults", "Count", 1), "En sak behöver rättas"},
		{"sv", portal.Say("form.faults", "Count", 4), "4 saker behöver rättas"},
		{"en", portal.Say("field.too_long", "Max", 200, "Count", 1), "There is room for 200 characters. It has 1 now."},
		{"sv", portal.Say("flash.staff_deliveries", "System", "vitec"), "Levererat. Vitec Express får veta det strax."},
		{"fr", portal.Say("nav.orders"), "Beställningar"},
		{"sv", portal.Say("delivery.bad_link", "Link", "<b>"), "”<b>” är ingen webbadress. Skriv hela adressen, med https:// först."},
	}
	for _, tt := range tests {
		if got := NewPrinter(tt.locale, stockholm, now).Say(tt.say); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.locale, tt.say.Key, got, tt.want)
		}
	}
}

func TestMatchLocale(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]string{
		"":                                 "sv",
		"sv-SE,sv;q=0.9,en;q=0.8":          "sv",
		"no":                               "nb",
		"nn-NO":                            "nb",
		"nb-NO,nb;q=0.9,no;q=0.8,en;q=0.6": "nb",
		"en-US,en;q=0.9":                   "en",
		"de-DE,de;q=0.9,en;q=0.5":          "en",
		"ja":                               "sv",
		"*":                                "sv",
		"not a header at all; q=x":         "sv",
		"fr;q=0.1,nb;q=0.9":                "nb",
	} {
		if got := MatchLocale(accept, "sv"); got != want {
			t.Errorf("MatchLocale(%q) = %s, want %s", accept, got, want)
		}
	}
}

func TestProvidersOwnText(t *testing.T) {
	t.Parallel()
	p := NewPrinter("en", stockholm, time.Time{})
	if got := p.In(portal.Text{"sv": "Foto"}); got != "Foto" {
		t.Errorf("got %q", got)
	}
}
