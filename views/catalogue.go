package views

import (
	"embed"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/go-playground/locales"
	"github.com/go-playground/locales/en_GB"
	"github.com/go-playground/locales/nb"
	"github.com/go-playground/locales/sv"
	"github.com/goccy/go-yaml"
	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"

	"portico/internal/portal"
)

//go:embed locales/*.yaml
var localeFiles embed.FS

// bundle has every text, keys which there are.
var bundle, keys = mustLoad(localeFiles)

// words knows the names of months and weekdays, and how numbers are written.
var words = map[string]locales.Translator{"sv": sv.New(), "nb": nb.New(), "en": en_GB.New()}

func mustLoad(files fs.FS) (*i18n.Bundle, map[string]bool) {
	b, keys := i18n.NewBundle(language.Swedish), map[string]bool{}
	for _, locale := range portal.Locales {
		messages, err := readLocale(files, locale)
		for _, m := range messages {
			keys[m.ID] = true
		}
		if err == nil {
			err = b.AddMessages(language.Make(locale), messages...)
		}
		if err != nil {
			panic("views: locale " + locale + ": " + err.Error()) // the files are part of the program
		}
	}
	return b, keys
}

func readLocale(files fs.FS, locale string) ([]*i18n.Message, error) {
	name := "locales/" + locale + ".yaml"
	raw, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	parsed, err := i18n.ParseMessageFileBytes(raw, name, map[string]i18n.UnmarshalFunc{"yaml": yaml.Unmarshal})
	if err != nil {
		return nil, err
	}
	for _, m := range parsed.Messages {
		if m.One == "" { // a text that mentions a count and reads the same for each
			m.One = m.Other
		}
	}
	return parsed.Messages, nil
}

// Printer writes texts, times and numbers for one reader: in their language,
// in the provider's time zone, as seen at one moment.
type Printer struct {
	locale    string
	system    string // whose orders it writes about; empty: any
	localizer *i18n.Localizer
	words     locales.Translator
	loc       *time.Location
	now       time.Time
}

// NewPrinter returns the printer of a locale; one that is not of portal.Locales
// becomes the first of them.
func NewPrinter(locale string, loc *time.Location, now time.Time) *Printer {
	if words[locale] == nil {
		locale = portal.Locales[0]
	}
	return &Printer{locale: locale, localizer: i18n.NewLocalizer(bundle, locale), words: words[locale],
		loc: loc, now: now.In(loc)}
}

// For returns the printer of what concerns the orders of a kind of partner system.
// A text that stands in the catalogue with the system's name after its key is
// said in those words: a customer is no broker.
func (p *Printer) For(system string) *Printer {
	of := *p
	of.system = system
	return &of
}

// Locale returns sv, nb or en.
func (p *Printer) Locale() string { return p.locale }

// T returns the text of a key; args are name, value, name, value. An argument
// named Count chooses between singular and plural.
func (p *Printer) T(key string, args ...any) string { return p.Say(portal.Say(key, args...)) }

// Say returns a sentence in the reader's language. The arguments To, the state or
// step that was asked for, Step, and System, a kind of partner system, are put
// into words.
func (p *Printer) Say(s portal.Sentence) string {
	data := make(map[string]any, len(s.Args))
	for name, value := range s.Args {
		data[name] = value
	}
	for name, family := range map[string]string{"To": "become.", "Step": "step.", "System": "system."} {
		if value, ok := data[name].(string); ok && hasText(family+value) {
			data[name] = p.T(family + value)
		}
	}
	key := s.Key
	if own := key + "_" + p.system; p.system != "" && keys[own] {
		key = own
	}
	text, err := p.localizer.Localize(&i18n.LocalizeConfig{MessageID: key, TemplateData: data, PluralCount: data["Count"]})
	if err != nil || strings.Contains(text, "<no value>") {
		return missing(p.locale, s, text, err)
	}
	return text
}

// missing answers for a text that cannot be made: the page is worth more to its
// reader than the one word. Tests panic instead.
var missing = func(locale string, s portal.Sentence, text string, err error) string {
	slog.Error("text missing in catalogue", "locale", locale, "key", s.Key, "error", err)
	if text != "" {
		return text
	}
	return s.Key
}

func hasText(key string) bool { return keys[key] }

// In returns the provider's own text in the reader's language.
func (p *Printer) In(t portal.Text) string { return t.In(p.locale) }

// matcher lists what browsers ask for beside what there is: any Norwegian is
// served in Bokmål.
var (
	matcher = language.NewMatcher([]language.Tag{language.Swedish, language.Norwegian, language.Make("nb"),
		language.Make("nn"), language.English})
	matched = []string{"sv", "nb", "nb", "nb", "en"}
)

// MatchLocale returns the best of portal.Locales for an Accept-Language header,
// fallback if none of what it asks for is there.
func MatchLocale(acceptLanguage, fallback string) string {
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(tags) == 0 {
		return fallback
	}
	_, i, confidence := matcher.Match(tags...)
	if confidence == language.No {
		return fallback
	}
	return matched[i]
}
