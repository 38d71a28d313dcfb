package views

import (
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

// TestReportWords says of a message that its partner has not got: the mark, why,
// and when it is tried again.
func TestReportWords(t *testing.T) {
	t.Parallel()
	later, past := now.Add(5*time.Minute), now.Add(-time.Second)
	old, fresh := ago(time.Hour), ago(time.Minute)
	last := func(o portal.Outcome, status int) []portal.Attempt {
		return []portal.Attempt{{Outcome: portal.OutcomeUnknown}, {Outcome: o, Receipt: portal.Receipt{Status: status}}}
	}
	available := portal.JobAvailable
	for name, c := range map[string]struct {
		job             portal.Job
		behind, down    bool
		mark, why, next string
	}{
		"new":        {portal.Job{State: available, RunAt: past, CreatedAt: fresh}, false, false, "rapporteras", "Skickas strax.", ""},
		"by hand":    {portal.Job{State: available, RunAt: past, CreatedAt: old}, false, false, "ej rapporterad", "Skickas strax.", ""},
		"no worker":  {portal.Job{State: available, RunAt: old, CreatedAt: old}, false, false, "ej rapporterad", "Ingen har försökt skicka det: programmet som skickar verkar inte vara igång.", ""},
		"in turn":    {portal.Job{State: available, RunAt: old, CreatedAt: old}, true, false, "väntar på sin tur", "Väntar på ett tidigare meddelande om samma beställning.", ""},
		"first call": {portal.Job{State: portal.JobRunning, Attempt: 1, CreatedAt: fresh}, false, false, "rapporteras", "Skickas just nu.", ""},
		"later call": {portal.Job{State: portal.JobRunning, Attempt: 2, LastError: "500", CreatedAt: fresh}, false, false, "ej rapporterad", "Skickas just nu.", ""},
		"error": {portal.Job{State: available, Attempt: 3, LastError: "500", RunAt: later, CreatedAt: old, Attempts: last(portal.OutcomeUnknown, 500)}, false, false,
			"ej rapporterad", "Vitec Express svarade med ett fel\u00a0(500).", "Försök 3 av 10 är gjort. Nästa om 5\u00a0min."},
		"silence": {portal.Job{State: available, Attempt: 3, LastError: "x", RunAt: past, CreatedAt: old, Attempts: last(portal.OutcomeUnknown, 0)}, false, false,
			"ej rapporterad", "Vitec Express svarade inte. Det kan ha kommit fram, så vi läser av före nästa försök.", "Försök 3 av 10 är gjort. Nästa strax."},
		"no way": {portal.Job{State: available, Attempt: 1, LastError: "x", RunAt: past, CreatedAt: fresh, Attempts: last(portal.OutcomeFailed, 0)}, false, false,
			"ej rapporterad", "Vi nådde inte Vitec Express.", "Försök 1 av 10 är gjort. Nästa strax."},
		"sign-in": {portal.Job{State: available, LastError: "401", RunAt: later, CreatedAt: fresh, Attempts: last(portal.OutcomeCredential, 401)}, false, false,
			"ej rapporterad", "Vitec Express godkänner inte vår inloggning\u00a0(401).", "Nästa försök om 5\u00a0min."},
		"busy": {portal.Job{State: available, LastError: "429", RunAt: past, CreatedAt: fresh, Attempts: last(portal.OutcomeBusy, 429)}, false, false,
			"ej rapporterad", "Vitec Express bad oss vänta\u00a0(429).", "Nästa försök strax."},
		"down": {portal.Job{State: available, LastError: "x", RunAt: past, CreatedAt: fresh, Attempts: last(portal.OutcomeBusy, 0)}, false, true,
			"ej rapporterad", "Vitec Express svarar inte. Vi prövar med ett meddelande i taget.", "Nästa försök strax."},
		"ours": {portal.Job{State: available, LastError: "x", RunAt: past, CreatedAt: fresh, Attempts: last(portal.OutcomeBusy, 0)}, false, false,
			"ej rapporterad", "Det gick inte att skicka, och felet är hos oss.", "Nästa försök strax."},
		"refused": {portal.Job{State: portal.JobParked, Attempt: 1, LastError: "400", CreatedAt: fresh, Attempts: last(portal.OutcomeRefused, 400)}, false, false,
			"rapport stoppad", "Vitec Express tog inte emot det\u00a0(400).", "Det skickas inte igen av sig självt."},
		"missing": {portal.Job{State: portal.JobParked, Attempt: 1, LastError: "x", CreatedAt: fresh, Attempts: last(portal.OutcomeRefused, 0)}, false, false,
			"rapport stoppad", "Det gick inte att skicka till Vitec Express: något saknas. Felet säger vad.", "Det skickas inte igen av sig självt."},
		"used up": {portal.Job{State: portal.JobParked, Attempt: 10, LastError: "x", CreatedAt: old, Attempts: last(portal.OutcomeFailed, 0)}, false, false,
			"rapport stoppad", "Vi nådde inte Vitec Express.", "Alla 10 försök är gjorda."},
		"killed": {portal.Job{State: portal.JobParked, Attempt: 10, LastError: "cut off", CreatedAt: old}, false, false,
			"rapport stoppad", "Försöket avbröts innan något svar kom.", "Alla 10 försök är gjorda."},
		"lead": {portal.Job{State: available, RunAt: past, CreatedAt: fresh, Message: portal.Message{LeadID: 1}}, false, false, "skickas", "Skickas strax.", ""},
		"refused lead": {portal.Job{State: portal.JobParked, Attempt: 1, LastError: "400", Message: portal.Message{LeadID: 1}, Attempts: last(portal.OutcomeRefused, 400)}, false, false,
			"stoppat", "Vitec Express tog inte emot det\u00a0(400).", "Det skickas inte igen av sig självt."},
		"uncertain lead": {portal.Job{State: portal.JobParked, Attempt: 1, LastError: "x", Message: portal.Message{LeadID: 1, Uncertain: true}, Attempts: last(portal.OutcomeUnknown, 0)}, false, false,
			"stoppat", "Vi vet inte om tipset kom fram. Någon behöver titta efter hos kontoret.", "Det skickas inte igen av sig självt."},
	} {
		p := base("sv", "/")
		c.job.MaxAttempts = 10
		mark := p.unsentText(unsentOf(c.job, c.behind))
		why, next := p.whyUnsent(c.job, "vitec", c.behind, c.down), p.nextAttempt(c.job, c.behind)
		if mark != c.mark || why != c.why || next != c.next {
			t.Errorf("%s: %q, %q, %q", name, mark, why, next)
		}
	}
}

// TestFileWords names a file where a state or a step would stand.
func TestFileWords(t *testing.T) {
	t.Parallel()
	m := portal.Message{State: portal.Delivered, Upload: &portal.Upload{Name: "kök.png", As: "kök 1-1.png"}}
	for locale, want := range map[string][]string{
		"sv": {"Filen kök.png", "fick filen kök.png (försök 2, 320\u00a0ms)", "slutade försöka skicka filen kök.png. Någon behöver titta på det",
			"skickade filen kök.png igen", "hoppade över filen kök.png"},
		"nb": {"Filen kök.png", "fikk filen kök.png (forsøk 2, 320\u00a0ms)", "sluttet å prøve å sende filen kök.png. Noen må se på det",
			"sendte filen kök.png på nytt", "hoppet over filen kök.png"},
		"en": {"The file kök.png", "got the file kök.png (attempt 2, 320\u00a0ms)", "stopped trying to send the file kök.png. Somebody needs to look at it",
			"sent the file kök.png again", "skipped the file kök.png"},
	} {
		b := base(locale, "/")
		got := []string{b.MessageName(m)}
		for _, kind := range []portal.EventKind{portal.EventReported, portal.EventParked, portal.EventRetried, portal.EventSkipped} {
			got = append(got, what(b, portal.Event{Kind: kind, Data: portal.EventData{State: m.State, File: m.FileName(), Attempt: 2, Took: 320 * time.Millisecond}}))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", locale, diff)
		}
		for name, part := range map[string]templ.Component{
			"the outbox":    told(b.Printer, m),
			"the workspace": job(b.Printer, portal.Job{Message: m, State: portal.JobAvailable, CreatedAt: now, RunAt: now}, "visma", false, false),
		} {
			var html strings.Builder
			if err := part.Render(t.Context(), &html); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(html.String(), ">"+want[0]+"<") || strings.Contains(html.String(), b.StateWord(m.State)) {
				t.Errorf("%s: %s says %s", locale, name, &html)
			}
		}
	}
}
