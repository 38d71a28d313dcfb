package visma

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door/doortest"
	"portico/internal/partner/visma/vismatest"
	"portico/internal/portal"
)

// message is what Core is told of the bundle's order.
func (b *bundle) message(state portal.State, comment string) portal.Message {
	return portal.Message{ConnectionID: "core", Customer: customer, Tenant: customer, PartnerOrderID: b.order.GUID,
		Target: portal.Target{Type: targetType, ID: strconv.Itoa(b.order.Case)}, State: state, Comment: comment, Title: "Boligfoto",
		Number: "2026-000117", Package: "Stor, 30 bilder", Price: 399000, Currency: "NOK", Day: "2026-11-26",
		Link: "https://portal.example/orders/abc", Since: b.clock.Now()}
}

// shown is a message of which Core shows everything but the state.
func (b *bundle) shown(state portal.State) portal.Message {
	m := b.message(state, "Fordi")
	r, _ := b.client.compose(m)
	m.Shown = r.shown
	return m
}

func TestReport(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	shown := ""
	for _, tell := range []struct {
		state   portal.State
		comment string
		step    portal.Step
	}{{state: portal.Received}, {state: portal.Active}, {state: portal.Waiting, comment: "Hvilken dag passer?"}, {state: portal.Active},
		{state: portal.Active, step: portal.StepPolicyIssued}, {state: portal.Delivered, comment: "Hei"}, {state: portal.Delivered, step: portal.StepPolicyActivated},
		{state: portal.Failed, comment: "Ingen nøkkel"}, {state: portal.Cancelled, comment: "Ombestemt"}} {
		m := b.message(tell.state, tell.comment)
		m.Step, m.Shown = tell.step, shown
		receipt, err := b.client.Report(t.Context(), m)
		if err != nil || receipt.Status != 200 || receipt.Shown == "" {
			t.Errorf("%s: %+v, %v", tell.state, receipt, err)
		}
		shown = receipt.Shown
	}
	o, _ := b.fake.Order(b.order.GUID)
	var got []string
	for _, s := range o.Statuses[1:] {
		got = append(got, s.State+": "+s.Status)
	}
	want := []string{"InProcess: Bestilling mottatt", "InProcess: Under arbeid", "MissingInfo: Hvilken dag passer?", "InProcess: Under arbeid",
		"Created: Foreløpig polise", "Completed: Levert", "Activated: Forsikringen er aktivert", "Error: Ingen nøkkel", "Cancelled: Kansellert: Ombestemt"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wantMeta := []vismatest.Pair{{Key: "Bestillingsnummer", Value: "2026-000117"}, {Key: "Pakke", Value: "Stor, 30 bilder"},
		{Key: "Pris", Value: "3\u00a0990\u00a0NOK"}, {Key: "Forventet ferdig", Value: "26.11.2026"}, {Key: "Lenke", Value: "https://portal.example/orders/abc"}}
	if diff := cmp.Diff(wantMeta, o.Metadata); diff != "" || o.Title != "Boligfoto" || o.ActionText != "Se bestillingen" {
		t.Errorf("%s %s %s", o.Title, o.ActionText, diff)
	}
	// At first, for the question, after it, for the delivery, after that: the button says something else.
	b.wantCalls(vismatest.OpUpdate, 5)
	b.wantCalls(vismatest.OpState, 9)
}

// TestOnlyChangesAreShown: what Core shows already is not set again.
func TestOnlyChangesAreShown(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	m := b.shown(portal.Received)
	for i, change := range []func(){func() {}, func() { m.Day = "2026-11-27" }, func() { m.Price++ }, func() { m.Language = "sv" }} {
		change()
		receipt, err := b.client.Report(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		m.Shown = receipt.Shown
		b.wantCalls(vismatest.OpUpdate, i)
	}
}

func TestPreviewIsWhatIsSent(t *testing.T) {
	t.Parallel()
	b := setup(t, `"status_map": {"active": ""}, "metadata": [],`, vismatest.Options{})
	m := b.message(portal.Failed, "Linje én\n\"Sitat\" <b>&\\ æøå \u2028 {comment}")
	want, ok := b.client.Preview(m)
	if err := b.client.report(t.Context(), m); err != nil || !ok {
		t.Fatal(err, ok)
	}
	var sent []string
	for _, r := range b.fake.Log() {
		if r.Op == vismatest.OpUpdate || r.Op == vismatest.OpState {
			sent = append(sent, r.Method+" "+strings.TrimPrefix(r.Path, "/core/14")+"\n"+r.Body)
		}
	}
	if diff := cmp.Diff(want, strings.Join(sent, "\n\n")); diff != "" {
		t.Error(diff)
	}
	if o, _ := b.fake.Order(b.order.GUID); o.Statuses[1].Status != m.Comment {
		t.Errorf("arrived as %q", o.Statuses[1].Status)
	}
	m = b.shown(portal.Received)
	want = "POST /flow/api/marketingintegrators/orders/" + b.order.GUID + "/updatestate\n" + `{"Status":"Bestilling mottatt","State":"InProcess"}`
	if got, _ := b.client.Preview(m); got != want {
		t.Errorf("preview %s", got)
	}
	for _, state := range []portal.State{portal.Active, portal.Draft} {
		if text, ok := b.client.Preview(b.message(state, "")); ok {
			t.Errorf("%s: a preview of nothing: %s", state, text)
		}
		if err := b.client.report(t.Context(), b.message(state, "")); err != nil {
			t.Error(err)
		}
	}
	b.wantCalls(vismatest.OpState, 1)
}

func TestReportFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fault         doortest.FaultKind
		state, update portal.Outcome // by the call that it happens to
		stored        bool
	}{
		{fault: doortest.FaultBadRequest, state: portal.OutcomeRefused, update: portal.OutcomeRefused},
		{fault: doortest.FaultNotFound, state: portal.OutcomeRefused, update: portal.OutcomeRefused},
		{fault: doortest.FaultUnauthorized, state: portal.OutcomeCredential, update: portal.OutcomeCredential},
		{fault: doortest.FaultForbidden, state: portal.OutcomeCredential, update: portal.OutcomeCredential},
		{fault: doortest.FaultTooMany, state: portal.OutcomeBusy, update: portal.OutcomeBusy},
		{fault: doortest.FaultUnavailable, state: portal.OutcomeBusy, update: portal.OutcomeBusy},
		{fault: doortest.FaultServerError, state: portal.OutcomeUnknown, update: portal.OutcomeFailed},
		{fault: doortest.FaultHTML, state: portal.OutcomeUnknown, update: portal.OutcomeFailed},
		{fault: doortest.FaultRedirect, state: portal.OutcomeUnknown, update: portal.OutcomeFailed},
		{fault: doortest.FaultDrop, state: portal.OutcomeUnknown, update: portal.OutcomeFailed},
		{fault: doortest.FaultStoredDrop, state: portal.OutcomeUnknown, update: portal.OutcomeFailed, stored: true},
		{fault: doortest.FaultStoredError, state: portal.OutcomeUnknown, update: portal.OutcomeFailed, stored: true},
		{fault: doortest.FaultTruncated, state: portal.OutcomeUnknown, update: portal.OutcomeFailed, stored: true},
		{fault: doortest.FaultStoredHang, state: portal.OutcomeUnknown, update: portal.OutcomeFailed, stored: true},
		{fault: doortest.FaultSlow, state: portal.OutcomeUnknown, update: portal.OutcomeFailed},
	} {
		for op, want := range map[doortest.Op]portal.Outcome{vismatest.OpState: tt.state, vismatest.OpUpdate: tt.update} {
			t.Run(string(tt.fault)+" "+string(op), func(t *testing.T) {
				t.Parallel()
				b := setup(t, "", vismatest.Options{})
				if tt.fault == doortest.FaultSlow || tt.fault == doortest.FaultStoredHang {
					b.hurry()
				}
				b.fake.SetFault(op, doortest.Fault{Kind: tt.fault, RetryAfter: "90"})
				_, err := b.client.Report(t.Context(), b.message(portal.Received, ""))
				var report *portal.ReportError
				if !errors.As(err, &report) || report.Outcome != want {
					t.Fatalf("%+v, want %s", report, want)
				}
				if want == portal.OutcomeBusy && report.RetryAfter != 90*time.Second {
					t.Errorf("Retry-After %s", report.RetryAfter)
				}
				arrived := 0
				if tt.stored && op == vismatest.OpState {
					arrived = 1
				}
				if got := b.fake.Reported(b.order.GUID); len(got) != arrived {
					t.Errorf("states %v, want %d", got, arrived)
				}
			})
		}
	}
}

// TestAStateThatArrivedIsNotSentAgain: the answer to the metadata has the history.
func TestAStateThatArrivedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for _, fault := range []doortest.FaultKind{doortest.FaultStoredDrop, doortest.FaultStoredError, doortest.FaultTruncated, doortest.FaultDrop} {
		b := setup(t, "", vismatest.Options{})
		m := b.message(portal.Delivered, "")
		b.fake.SetFault(vismatest.OpState, doortest.Fault{Kind: fault, Times: 1})
		if err := b.client.report(t.Context(), m); portal.OutcomeOf(err) != portal.OutcomeUnknown {
			t.Fatalf("%s: %v", fault, err)
		}
		b.clock.Pass(5 * time.Second)
		m.Uncertain, m.Doubts = true, 1
		receipt, err := b.client.Report(t.Context(), m)
		if err != nil || receipt.Shown == "" {
			t.Errorf("%s: %+v, %v", fault, receipt, err)
		}
		if got := b.fake.Reported(b.order.GUID); !slices.Equal(got, []string{"Completed"}) {
			t.Errorf("%s: states %v", fault, got)
		}
	}
}

// TestAStateThatWasPassedIsNotSentAgain: the checklist of a broker ticks on it.
func TestAStateThatWasPassedIsNotSentAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	received := b.message(portal.Received, "")
	for _, m := range []portal.Message{received, b.message(portal.Active, ""), b.message(portal.Delivered, "")} {
		if err := b.client.report(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		b.clock.Pass(time.Minute)
	}
	received.Uncertain, received.Doubts = true, 1
	if err := b.client.report(t.Context(), received); err != nil {
		t.Error(err)
	}
	want := []string{"InProcess", "InProcess", "Completed"}
	if diff := cmp.Diff(want, b.fake.Reported(b.order.GUID)); diff != "" {
		t.Error(diff)
	}
	// Delivered, reopened and delivered again is another change.
	b.clock.Pass(time.Hour)
	again := b.message(portal.Delivered, "")
	again.Uncertain, again.Doubts = true, 1
	if err := b.client.report(t.Context(), again); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(append(want, "Completed"), b.fake.Reported(b.order.GUID)); diff != "" {
		t.Error(diff)
	}
}

// TestAtMostOneDuplicate: where Core's answer has no history, a state of which
// nobody knows is sent once more, and then a person looks.
func TestAtMostOneDuplicate(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{NoHistory: true})
	m := b.message(portal.Delivered, "")
	b.fake.SetFault(vismatest.OpState, doortest.Fault{Kind: doortest.FaultStoredDrop})
	for attempt := range 5 {
		m.Doubts, m.Uncertain = attempt, attempt > 0
		err := b.client.report(t.Context(), m)
		want := portal.OutcomeUnknown
		if attempt > maxDoubts {
			want = portal.OutcomeRefused
		}
		if got := portal.OutcomeOf(err); got != want {
			t.Errorf("attempt %d: outcome %s, want %s: %v", attempt, got, want, err)
		}
	}
	if diff := cmp.Diff([]string{"Completed", "Completed"}, b.fake.Reported(b.order.GUID)); diff != "" {
		t.Error(diff)
	}
	// A person has looked, and sends it by hand: nothing is uncertain any more.
	b.fake.ClearFaults()
	m.Doubts, m.Uncertain = 0, false
	if err := b.client.report(t.Context(), m); err != nil {
		t.Error(err)
	}
}

// TestUncertainStaysUncertain while Core cannot be asked.
func TestUncertainStaysUncertain(t *testing.T) {
	t.Parallel()
	for fault, want := range map[doortest.FaultKind]portal.Outcome{
		doortest.FaultUnauthorized: portal.OutcomeCredential,
		doortest.FaultUnavailable:  portal.OutcomeBusy,
		doortest.FaultBadRequest:   portal.OutcomeFailed,
		doortest.FaultServerError:  portal.OutcomeFailed,
		doortest.FaultDrop:         portal.OutcomeFailed,
	} {
		b := setup(t, "", vismatest.Options{})
		b.fake.SetFault(vismatest.OpUpdate, doortest.Fault{Kind: fault})
		m := b.message(portal.Delivered, "")
		m.Uncertain, m.Doubts = true, 1
		if got := portal.OutcomeOf(b.client.report(t.Context(), m)); got != want {
			t.Errorf("%s: outcome %s, want %s", fault, got, want)
		}
		b.wantCalls(vismatest.OpState, 0)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	want := statusModel{Status: "Levert til megler", State: "Completed"}
	for name, tt := range map[string]struct {
		entry string
		want  bool
	}{
		"the same":        {`{"Status":"Levert til megler","OrderStateType":"Completed","CreatedDate":"2026-11-24T10:00:01.1234567+01:00"}`, true},
		"as a number":     {`{"Status":"Levert til megler","OrderStateType":5,"CreatedDate":"2026-11-24T09:00:01.1Z"}`, true},
		"cut":             {`{"Status":"Levert til","OrderStateType":"Completed","CreatedDate":"2026-11-24T09:00:01Z"}`, true},
		"no date":         {`{"Status":"Levert til megler","OrderStateType":"Completed"}`, true},
		"a little before": {`{"Status":"Levert til megler","OrderStateType":"Completed","CreatedDate":"2026-11-24T08:59:00Z"}`, true},
		"long before":     {`{"Status":"Levert til megler","OrderStateType":"Completed","CreatedDate":"2026-11-24T08:00:00Z"}`, false},
		"another state":   {`{"Status":"Levert til megler","OrderStateType":"InProcess","CreatedDate":"2026-11-24T09:00:01Z"}`, false},
		"another text":    {`{"Status":"Levert på nytt","OrderStateType":"Completed","CreatedDate":"2026-11-24T09:00:01Z"}`, false},
		"no text":         {`{"Status":null,"OrderStateType":"Completed","CreatedDate":"2026-11-24T09:00:01Z"}`, false},
		"no such number":  {`{"Status":"Levert til megler","OrderStateType":77,"CreatedDate":"2026-11-24T09:00:01Z"}`, false},
	} {
		var o orderModel
		if err := json.Unmarshal([]byte(`{"OrderStatuses":[{"Status":null,"OrderStateType":"CreatedNotSent"},`+tt.entry+`]}`), &o); err != nil {
			t.Fatal(err)
		}
		if got := o.times(want, since) > 0; got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestReportOfNoOrder: an id that is no GUID never gets into an address.
func TestReportOfNoOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	for id, want := range map[string]portal.Outcome{"../../x": portal.OutcomeRefused, "": portal.OutcomeRefused, "7": portal.OutcomeRefused} {
		m := b.message(portal.Received, "")
		m.PartnerOrderID = id
		if got := portal.OutcomeOf(b.client.report(t.Context(), m)); got != want {
			t.Errorf("%q: %s", id, got)
		}
	}
	m := b.message(portal.Received, "")
	m.Customer = "99"
	if err := b.client.report(t.Context(), m); portal.OutcomeOf(err) != portal.OutcomeCredential || !errors.Is(err, portal.ErrCredential) {
		t.Errorf("an unknown tenant: %v", err)
	}
	b.wantCalls(doortest.OpAny, 0)
}

func TestReceiptHoldsNoSecret(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		doortest.Answer(200, "application/json", `{"echo":"`+r.Header.Get("Authorization")+`"}`)(w, r)
	})
	m := portal.Message{Customer: customer, PartnerOrderID: "3fa85f64-5717-4562-b3fc-2c963f66afa6", State: portal.Received}
	got, err := c.Report(t.Context(), m)
	if err != nil || got.Answer != `{"echo":"Bearer ***"}` {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestEarlierEntriesAreCounted: only those that may be taken for this one.
func TestEarlierEntriesAreCounted(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	since := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		state portal.State
		at    time.Duration
		want  int
	}{
		"the same":              {portal.Active, -time.Minute, 1},
		"the same, long before": {portal.Active, -time.Hour, 0},
		"another text":          {portal.Received, -time.Minute, 0},
		"another state":         {portal.Waiting, -time.Minute, 0},
	} {
		m := portal.Message{State: portal.Active, Since: since, Earlier: []portal.Arrival{{State: tt.state, At: since.Add(tt.at)}}}
		if got := b.client.before(m); got != tt.want {
			t.Errorf("%s: %d", name, got)
		}
	}
}
