package views

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

var troubles = []portal.Trouble{
	{ConnectionID: "core", System: "visma", RefusedSince: at(2 * time.Hour)},
	{ConnectionID: "vitec", System: "vitec", Overdue: 12, Parked: 1, Oldest: at(25 * time.Minute), DownSince: at(20 * time.Minute),
		Last: portal.Attempt{Outcome: portal.OutcomeUnknown, Receipt: portal.Receipt{Status: 500}}},
}

func alarmMail(locale string, troubles ...portal.Trouble) AlarmMail {
	return AlarmMail{Printer: NewPrinter(locale, stockholm, now), Provider: "Nordljus Foto AB",
		Outbox: "https://portal.example/staff/outbox", Polls: "https://portal.example/staff/polls", Troubles: troubles}
}

func TestAlarmMail(t *testing.T) {
	t.Parallel()
	const want = `Det här vet beställarnas system inte, och det borde de ha fått veta vid det här laget.

Visma Core (core)
- Visma Core godtar inte vår inloggning sedan i dag 08.45.

Vitec Express (vitec)
- Vitec Express svarar inte sedan i dag 10.25. Det som inte är rapporterat skickas av sig självt när det svarar igen.
- Ett meddelande är stoppat och skickas inte igen av sig självt.
- 12 meddelanden väntar och skickas igen av sig själva.
- Det äldsta är 25 min gammalt. Vitec Express svarade med ett fel (500).

Se vad som väntar, varför och vad ni kan göra:
https://portal.example/staff/outbox

Nästa mejl kommer när allt är i ordning, eller om ett dygn om det inte är det.
`
	got := strings.ReplaceAll(alarmMail("sv", troubles...).Text(), nbsp, " ")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	over := alarmMail("sv").Text()
	if want := "Allt som inte var rapporterat är rapporterat eller överhoppat, och beställningar hämtas som de ska. Ni behöver inte göra något.\n\nhttps://portal.example/staff/outbox\n"; over != want {
		t.Errorf("it is over: %q", over)
	}
}

var stalePoll = portal.Trouble{ConnectionID: "guiden", System: "tjansteguiden", StaleSince: at(2 * time.Hour)}

func TestAlarmMailOfStalePoll(t *testing.T) {
	t.Parallel()
	const want = `Beställningar hämtas inte, och det borde de ha gjort vid det här laget.

Tjänsteguiden (guiden)
- Inga beställningar har hämtats från Tjänsteguiden sedan i dag 08.45.

Se vad som väntar, varför och vad ni kan göra:
https://portal.example/staff/polls

Nästa mejl kommer när allt är i ordning, eller om ett dygn om det inte är det.
`
	if diff := cmp.Diff(want, alarmMail("sv", stalePoll).Text()); diff != "" {
		t.Error(diff)
	}
	both := alarmMail("en", append(troubles, stalePoll)...).Text()
	for _, part := range []string{"The systems that ordered do not know this", "fetched from Tjänsteguiden since today 08:45.\n",
		"\nhttps://portal.example/staff/outbox\nhttps://portal.example/staff/polls\n"} {
		if !strings.Contains(both, part) {
			t.Errorf("no %q in\n%s", part, both)
		}
	}
}

func TestAlarmMailSubject(t *testing.T) {
	t.Parallel()
	for want, m := range map[string]AlarmMail{
		"Nordljus Foto AB: 13 meddelanden är inte rapporterade":      alarmMail("sv", troubles...),
		"Nordljus Foto AB: én melding er ikke rapportert":            alarmMail("nb", portal.Trouble{System: "vitec", Parked: 1}),
		"Nordljus Foto AB: Visma Core cannot be reached":             alarmMail("en", troubles[0]),
		"Nordljus Foto AB: no orders are fetched from Tjänsteguiden": alarmMail("en", stalePoll),
		"Nordljus Foto AB: Visma Core kan inte nås":                  alarmMail("sv", troubles[0], stalePoll),
		"Nordljus Foto AB: alt er i orden igjen":                     alarmMail("nb"),
	} {
		if got := m.Subject(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, locale := range portal.Locales { // a text that is missing panics
		if text := alarmMail(locale, troubles...).Text(); !strings.Contains(text, "13") && strings.Count(text, "\n- ") != 5 {
			t.Errorf("%s: %s", locale, text)
		}
	}
}
