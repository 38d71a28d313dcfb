package portal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

// bodies are texts that people write, and the fault of each, if it has one.
var bodies = map[string]struct {
	body  string
	fault string
}{
	"plain":          {"Hej på er", ""},
	"two lines":      {"a\nb", ""},
	"as long as can": {strings.Repeat("å", portal.MaxBody), ""},
	"emoji":          {strings.Repeat("🏡", portal.MaxBody), ""},
	"too long":       {strings.Repeat("å", portal.MaxBody+1), "field.too_long"},
	"NUL":            {"a\x00b", "field.characters"},
	"invalid UTF-8":  {"a\xc3", "field.characters"},
	"half a letter":  {"a\xff\xfeb", "field.characters"},
}

// writers are the methods that take a text, the input that it comes in, and a
// state in which they may be called.
var writers = []struct {
	name, input string
	optional    bool
	state       portal.State
	do          func(o *portal.Order, body string) (portal.Change, error)
}{
	{"ask", "comment", false, portal.Active, func(o *portal.Order, body string) (portal.Change, error) {
		return o.Ask(portal.Interaction{Comment: body}, erik, noon)
	}},
	{"ask a choice", "choices", false, portal.Active, func(o *portal.Order, body string) (portal.Change, error) {
		return o.Ask(portal.Interaction{Comment: "Vilken?", Choices: []string{"Tisdag", body}}, erik, noon)
	}},
	{"answer", "answer", false, portal.Waiting, func(o *portal.Order, body string) (portal.Change, error) {
		return o.Answer(&portal.Interaction{Comment: "Vilken?"}, body, broker, noon)
	}},
	{"deliver", "message", true, portal.Active, func(o *portal.Order, body string) (portal.Change, error) {
		return o.Deliver(portal.Delivery{Message: body, Links: []string{"https://example.com"}}, erik, noon)
	}},
	{"fail", "description", false, portal.Active, func(o *portal.Order, body string) (portal.Change, error) {
		return o.Fail(body, erik, noon)
	}},
	{"cancel", "reason", false, portal.Active, func(o *portal.Order, body string) (portal.Change, error) {
		return o.Cancel(body, broker, noon)
	}},
	{"request a revision", "body", false, portal.Delivered, func(o *portal.Order, body string) (portal.Change, error) {
		return o.RequestRevision(body, broker, noon)
	}},
	{"write", "body", false, portal.Active, func(o *portal.Order, body string) (portal.Change, error) {
		return o.Write(body, broker, noon)
	}},
	{"note", "body", false, portal.Active, func(o *portal.Order, body string) (portal.Change, error) {
		return o.Note(body, erik, noon)
	}},
}

func TestTextsHaveLimits(t *testing.T) {
	t.Parallel()
	for _, w := range writers {
		for name, b := range bodies {
			o := orderIn(w.state)
			before := *o
			_, err := w.do(o, b.body)
			if got := faults(t, err)[w.input]; got != b.fault {
				t.Errorf("%s, %s: fault %q of %s, want %q", w.name, name, got, w.input, b.fault)
			}
			if b.fault != "" {
				if diff := cmp.Diff(before, *o); diff != "" {
					t.Errorf("%s, %s: the order changed:\n%s", w.name, name, diff)
				}
			}
		}
		want := "field.required"
		if w.optional {
			want = ""
		}
		_, err := w.do(orderIn(w.state), "")
		if got := faults(t, err)[w.input]; got != want {
			t.Errorf("%s without a text: fault %q, want %q", w.name, got, want)
		}
	}
}

func TestSubmit(t *testing.T) {
	t.Parallel()
	o := orderIn(portal.Draft)
	_, err := o.Submit(map[string][]string{"rush": {"on"}}, broker, noon)
	if diff := cmp.Diff(map[string]string{"key": "field.required"}, faults(t, err)); diff != "" || o.State != portal.Draft {
		t.Fatalf("%s, faults:\n%s", o.State, diff)
	}
	change, err := o.Submit(map[string][]string{"key": {" 1234 "}, "rush": {"on"}, "other": {"x"}}, broker, noon)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(portal.Answers{"key": {"1234"}, "rush": {"on"}}, o.Answers); diff != "" || o.Total != 75000 {
		t.Errorf("total %d, answers:\n%s", o.Total, diff)
	}
	if !o.ReceivedAt.Equal(noon) || !o.DueAt.Equal(noon.Add(48*time.Hour)) {
		t.Errorf("received %v, due %v", o.ReceivedAt, o.DueAt)
	}
	want := portal.Message{OrderID: 42, ConnectionID: "vitec", ServiceID: "foto", Customer: "M1", Tenant: "T1",
		PartnerOrderID: "B9", Target: o.Target, State: portal.Received, Since: noon, Number: "42", Price: 75000, Day: "2026-11-26"}
	if diff := cmp.Diff(&want, change.Report); diff != "" {
		t.Error(diff)
	}
	// What is typed into an old page is not looked at any more.
	before := *o
	_, err = o.Submit(map[string][]string{}, broker, noon)
	wantRefusal(t, err, "order.refused_received")
	if diff := cmp.Diff(before, *o); diff != "" {
		t.Error(diff)
	}
}

func TestRefusalSaysWhatWasWanted(t *testing.T) {
	t.Parallel()
	_, err := orderIn(portal.Cancelled).Deliver(portal.Delivery{Message: "Klart"}, erik, noon)
	if diff := cmp.Diff(portal.Say("order.refused_cancelled", "To", "delivered"), asError(t, err).Say); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutTurnaroundNothingIsDue(t *testing.T) {
	t.Parallel()
	o := orderIn(portal.Draft)
	o.Service.TurnaroundHours = 0
	if _, err := o.Accept(broker, noon); err != nil || o.DueAt != nil {
		t.Errorf("due %v, %v", o.DueAt, err)
	}
	if _, err := o.Ask(portal.Interaction{Comment: "?"}, erik, noon); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Start(erik, noon.Add(time.Hour)); err != nil || o.DueAt != nil || o.WaitingSince != nil {
		t.Errorf("due %v, waiting since %v, %v", o.DueAt, o.WaitingSince, err)
	}
}

// TestTheClockStandsStillWhileWaiting: whatever ends the wait, its time is
// added to when the order is due, once.
func TestTheClockStandsStillWhileWaiting(t *testing.T) {
	t.Parallel()
	for _, a := range actions {
		o := orderIn(portal.Waiting) // for three hours
		due := o.DueAt.Add(3 * time.Hour)
		if _, err := a.do(o); err != nil {
			continue // TestActionsFollowTheTable knows which
		}
		if !o.DueAt.Equal(due) || o.WaitingSince != nil {
			t.Errorf("%s: due %v, waiting since %v; want %v", a.name, o.DueAt, o.WaitingSince, due)
		}
	}
	o := orderIn(portal.Active)
	due := *o.DueAt
	at := noon
	for range 2 { // asked twice, answered after an hour
		if _, err := o.Ask(portal.Interaction{Comment: "?"}, erik, at); err != nil {
			t.Fatal(err)
		}
		if !o.DueAt.Equal(due) || !o.WaitingSince.Equal(at) {
			t.Errorf("asked: due %v, waiting since %v", o.DueAt, o.WaitingSince)
		}
		at, due = at.Add(time.Hour), due.Add(time.Hour)
		if _, err := o.Answer(&portal.Interaction{}, "ja", broker, at); err != nil || !o.DueAt.Equal(due) {
			t.Fatalf("answered: due %v, want %v; %v", o.DueAt, due, err)
		}
		at = at.Add(time.Hour)
	}
}

func TestAsk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		choices []string
		fault   string
	}{
		"a free answer":    {nil, ""},
		"one choice":       {[]string{"ja"}, "interaction.one_choice"},
		"two choices":      {[]string{"ja", "nej"}, ""},
		"all there may be": {numbered(portal.MaxChoices), ""},
		"one too many":     {numbered(portal.MaxChoices + 1), "interaction.many_choices"},
		"an empty choice":  {[]string{"ja", ""}, "field.required"},
	} {
		_, err := orderIn(portal.Active).Ask(portal.Interaction{Comment: "Går det bra?", Choices: c.choices}, erik, noon)
		if got := faults(t, err)["choices"]; got != c.fault {
			t.Errorf("%s: fault %q, want %q", name, got, c.fault)
		}
	}
	change, err := orderIn(portal.Active).Ask(portal.Interaction{Comment: " Går det bra? \n"}, erik, noon)
	if err != nil || change.Report.Comment != "Går det bra?" || change.Report.State != portal.Waiting {
		t.Errorf("the report is %+v, %v", change.Report, err)
	}
}

func numbered(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = strings.Repeat("x", i+1)
	}
	return list
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	closed := noon.Add(-time.Hour)
	for name, c := range map[string]struct {
		question portal.Interaction
		answer   string
		state    portal.State
		fault    string
		conflict bool
	}{
		"free":                   {portal.Interaction{}, "Tisdag", portal.Waiting, "", false},
		"chosen":                 {portal.Interaction{Choices: []string{"ja", "nej"}}, "nej", portal.Waiting, "", false},
		"not among the choices":  {portal.Interaction{Choices: []string{"ja", "nej"}}, "kanske", portal.Waiting, "field.choose", false},
		"none of the choices":    {portal.Interaction{Choices: []string{"ja", "nej"}}, "", portal.Waiting, "field.choose", false},
		"closed":                 {portal.Interaction{ClosedAt: &closed}, "ja", portal.Waiting, "", true},
		"the order goes on":      {portal.Interaction{}, "ja", portal.Active, "", true},
		"closed, and no answer":  {portal.Interaction{ClosedAt: &closed}, "", portal.Waiting, "", true},
		"the order is cancelled": {portal.Interaction{}, "ja", portal.Cancelled, "", true},
	} {
		c.question.Comment = "Vilken?"
		change, err := orderIn(c.state).Answer(&c.question, c.answer, broker, noon)
		switch {
		case c.conflict:
			wantRefusal(t, err, "interaction.closed")
		case c.fault != "":
			if got := faults(t, err)["answer"]; got != c.fault || !c.question.Open() {
				t.Errorf("%s: fault %q, want %q; open: %v", name, got, c.fault, c.question.Open())
			}
		case err != nil || c.question.Open() || c.question.Answer != c.answer || !c.question.AnsweredAt.Equal(noon):
			t.Errorf("%s: %+v, %v", name, c.question, err)
		default:
			if d := change.Events[0].Data; d.Body != c.answer || d.Question != "Vilken?" || change.Report != nil {
				t.Errorf("%s: %+v, report %v", name, d, change.Report)
			}
		}
	}
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	_, err := orderIn(portal.Active).Deliver(portal.Delivery{}, erik, noon)
	if diff := cmp.Diff(map[string]string{"files": "delivery.empty"}, faults(t, err)); diff != "" {
		t.Errorf("an empty delivery:\n%s", diff)
	}
	for name, d := range map[string]portal.Delivery{
		"a file":    {Files: []portal.File{{Name: "kök.jpg"}}},
		"a link":    {Links: []string{"https://example.com"}},
		"a message": {Message: "Klart"},
	} {
		if _, err := orderIn(portal.Active).Deliver(d, erik, noon); err != nil {
			t.Errorf("%s alone: %v", name, err)
		}
	}
	d := portal.Delivery{Version: 2, Message: "Ljusare", Files: make([]portal.File, 3)}
	change, err := orderIn(portal.Active).Deliver(d, erik, noon)
	if err != nil {
		t.Fatal(err)
	}
	want := []portal.Event{{Kind: portal.EventDelivered, Actor: erik, ForBroker: true, CreatedAt: noon,
		Data: portal.EventData{Body: "Ljusare", Version: 2, Files: 3}}}
	if diff := cmp.Diff(want, change.Events); diff != "" || change.Report.Comment != "Ljusare" {
		t.Errorf("comment %q, events:\n%s", change.Report.Comment, diff)
	}
}

func TestWriteNoteAssign(t *testing.T) {
	t.Parallel()
	for _, s := range portal.States {
		o := orderIn(s)
		before := *o
		change, err := o.Write("Hej", broker, noon)
		if s == portal.Draft {
			wantRefusal(t, err, "order.not_completed")
		} else if err != nil || change.Events[0].Kind != portal.EventMessage || !change.Events[0].ForBroker {
			t.Errorf("write while %s: %+v, %v", s, change, err)
		}
		change, err = o.Note("Obs", erik, noon)
		if err != nil || change.Report != nil || change.Events[0].Kind != portal.EventNote || change.Events[0].ForBroker {
			t.Errorf("note while %s: %+v, %v", s, change, err)
		}
		if diff := cmp.Diff(before, *o); diff != "" {
			t.Errorf("writing changed the order:\n%s", diff)
		}
		change = o.Assign(portal.Staff{ID: 5, Name: "Maja"}, erik, noon)
		if o.AssignedTo != 5 || o.Assignee != "Maja" || change.Report != nil || change.Events[0].ForBroker || change.Events[0].Data.Staff != "Maja" {
			t.Errorf("assigned to %d %s: %+v", o.AssignedTo, o.Assignee, change)
		}
		o.Assign(portal.Staff{}, erik, noon)
		if diff := cmp.Diff(before, *o); diff != "" {
			t.Errorf("given to nobody:\n%s", diff)
		}
	}
}

func TestMessageForIsWhatIsReported(t *testing.T) {
	t.Parallel()
	for _, a := range actions {
		o := orderIn(a.from[0])
		change, err := a.do(o)
		if err != nil {
			t.Fatal(err)
		}
		comment := ""
		if change.Report != nil {
			comment = change.Report.Comment
		}
		m, told := orderIn(a.from[0]).MessageFor(a.to, " "+comment+"\n", noon)
		if told != (change.Report != nil) {
			t.Errorf("%s: told %v, report %+v", a.name, told, change.Report)
		}
		if change.Report == nil {
			continue
		}
		if a.to == portal.Received { // only then it is known by when the order is due
			m.Day = change.Report.Day
		}
		if diff := cmp.Diff(*change.Report, m); diff != "" {
			t.Errorf("%s:\n%s", a.name, diff)
		}
	}
}

func TestNewOrder(t *testing.T) {
	t.Parallel()
	form := portal.Form{Fields: []portal.Field{{ID: "where", Type: portal.FieldText}}}
	ticket := portal.Ticket{OrderID: "B1", Customer: "M1", Target: portal.Target{Type: "House", ID: "OBJ1"}}
	for name, c := range map[string]struct {
		flow   portal.Flow
		form   portal.Form
		state  portal.State
		events int
		report portal.State // empty: the partner is not told
	}{
		"page with a form":          {portal.FlowPage, form, portal.Draft, 1, ""},
		"page without":              {portal.FlowPage, portal.Form{}, portal.Received, 2, portal.Received},
		"background with a form":    {portal.FlowBackground, form, portal.Draft, 1, portal.Draft},
		"background without a form": {portal.FlowBackground, portal.Form{}, portal.Received, 2, ""},
	} {
		svc := portal.Service{ID: "foto", Flow: c.flow, Form: c.form, TurnaroundHours: 48, Reports: []portal.State{portal.Received}, Ask: "Komplettera"}
		o, change, err := portal.NewOrder(svc, ticket, noon)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if o.State != c.state || len(change.Events) != c.events || o.PartnerOrderID != "B1" || o.Office.Customer != "M1" {
			t.Errorf("%s: %+v, %d events", name, o, len(change.Events))
		}
		if (o.DueAt != nil) != (c.state == portal.Received) {
			t.Errorf("%s: due %v", name, o.DueAt)
		}
		switch {
		case c.report == "" && change.Report == nil:
		case change.Report == nil || change.Report.State != c.report:
			t.Errorf("%s: reported %+v, want %q", name, change.Report, c.report)
		case c.report == portal.Draft && (!change.Report.Asks() || change.Report.Comment != "Komplettera"):
			t.Errorf("%s: the broker is not asked: %+v", name, change.Report)
		}
	}
}
