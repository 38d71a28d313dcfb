package vitec

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door/doortest"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

func message(state portal.State, order, comment string) portal.Message {
	return portal.Message{OrderID: 1, ConnectionID: "vitec", Customer: office, PartnerOrderID: order,
		Target: portal.Target{ID: "OBJ30011_1684210"}, State: state, Comment: comment, Since: time.Now()}
}

func delivered(order string) portal.Message { return message(portal.Delivered, order, "Klart") }

func waiting(order string) portal.Message {
	m := message(portal.Waiting, order, "Vilken dag passar?")
	m.URL = "https://portal.example/visit/abc?x=1&y=2"
	return m
}

func TestReport(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	for _, m := range []portal.Message{
		message(portal.Received, b.order.ID, ""),
		message(portal.Active, b.order.ID, ""),
		waiting(b.order.ID),
		message(portal.Failed, b.order.ID, "Ingen nyckel"),
		delivered(b.order.ID),
		message(portal.Cancelled, b.order.ID, "Avbokat"),
	} {
		if err := b.client.report(t.Context(), m); err != nil {
			t.Errorf("%s: %v", m.State, err)
		}
	}
	want := []string{"OrderReceived", "Error", "Delivered", "Error"}
	if diff := cmp.Diff(want, b.fake.Statuses(b.order.ID)); diff != "" {
		t.Error(diff)
	}
	asked := b.fake.Interactions(b.order.ID)
	if len(asked) != 1 || asked[0].URL != waiting("").URL || asked[0].Comment != "Vilken dag passar?" {
		t.Errorf("interactions %+v", asked)
	}
	if n := b.fake.Count(vitectest.OpAny); n != 5 {
		t.Errorf("%d calls, want 5: nothing is sent for active", n)
	}
}

func TestPreviewIsWhatIsSent(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	for _, m := range []portal.Message{delivered(b.order.ID), waiting(b.order.ID),
		message(portal.Failed, b.order.ID, "Rad ett\n\"Citat\" <b>&\\ åäö {orderId} {status} \u2028 \x01")} {
		if err := b.client.report(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		log := b.fake.Log()
		sent := log[len(log)-1]
		got, ok := b.client.Preview(m)
		if want := sent.Method + " " + sent.Path + "\n" + sent.Body; !ok || got != want {
			t.Errorf("preview %s\nsent %s", got, want)
		}
	}
	history, _ := b.fake.Order("", b.order.ID)
	if got := history.History[1].Comment; got != "Rad ett\n\"Citat\" <b>&\\ åäö {orderId} {status} \u2028 \x01" {
		t.Errorf("the comment arrived as %q", got)
	}
	step := delivered("1")
	step.Step = portal.StepPolicyIssued
	for _, m := range []portal.Message{message(portal.Active, "1", ""), step} {
		if preview, ok := b.client.Preview(m); ok {
			t.Errorf("a preview of nothing: %s", preview)
		}
	}
}

func TestPreviewReadsWell(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	got, _ := b.client.Preview(message(portal.Delivered, "M/123 å", "Bilderna är klara – <tack>"))
	want := "PUT /Service/Order/Status/M30011\n" + `{"id":"M/123 å","status":"Delivered","comment":"Bilderna är klara – <tack>"}`
	if got != want {
		t.Errorf("preview\n%s\nwant\n%s", got, want)
	}
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	const template = `{"z": [{"Order": "{orderId}/{customerId}"}, 1.50, true, null, ":"],
		"a\"b": "{status}", "text": "{{comment}}", "note": "\u00e5 {comment}", "empty": {}}`
	pieces, err := parseBody([]byte(template))
	if err != nil {
		t.Fatal(err)
	}
	got := string(fillBody(pieces, values{"customerId": "M1", "orderId": "7", "status": "Error",
		"comment": `","status":"Delivered", {orderId}` + "\n"}))
	want := `{"z":[{"Order":"7/M1"},1.50,true,null,":"],"a\"b":"Error",` +
		`"text":"{\",\"status\":\"Delivered\", {orderId}\n}","note":"å \",\"status\":\"Delivered\", {orderId}\n","empty":{}}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := fillPath("/a/{customerId}/{orderId}", values{"customerId": "M1", "orderId": "../x?y={status}"}),
		"/a/M1/..%2Fx%3Fy=%7Bstatus%7D"; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
}

func TestReportFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fault   vitectest.FaultKind
		outcome portal.Outcome
		status  int
		stored  bool
	}{
		{fault: vitectest.FaultBadRequest, outcome: portal.OutcomeRefused, status: 400},
		{fault: vitectest.FaultNotFound, outcome: portal.OutcomeRefused, status: 404},
		{fault: vitectest.FaultFalse, outcome: portal.OutcomeRefused, status: 200},
		{fault: vitectest.FaultUnauthorized, outcome: portal.OutcomeCredential, status: 401},
		{fault: vitectest.FaultForbidden, outcome: portal.OutcomeCredential, status: 403},
		{fault: vitectest.FaultTooMany, outcome: portal.OutcomeBusy, status: 429},
		{fault: vitectest.FaultUnavailable, outcome: portal.OutcomeBusy, status: 503},
		{fault: vitectest.FaultServerError, outcome: portal.OutcomeUnknown, status: 500},
		{fault: vitectest.FaultStoredError, outcome: portal.OutcomeUnknown, status: 500, stored: true},
		{fault: vitectest.FaultHTML, outcome: portal.OutcomeUnknown, status: 200},
		{fault: vitectest.FaultRedirect, outcome: portal.OutcomeUnknown, status: 302},
		{fault: vitectest.FaultTruncated, outcome: portal.OutcomeUnknown, status: 200, stored: true},
		{fault: vitectest.FaultDrop, outcome: portal.OutcomeUnknown},
		{fault: vitectest.FaultStoredDrop, outcome: portal.OutcomeUnknown, stored: true},
		{fault: vitectest.FaultStoredHang, outcome: portal.OutcomeUnknown, stored: true},
		{fault: vitectest.FaultSlow, outcome: portal.OutcomeUnknown},
	} {
		t.Run(string(tt.fault), func(t *testing.T) {
			t.Parallel()
			var o Options
			if tt.fault == vitectest.FaultSlow || tt.fault == vitectest.FaultStoredHang {
				o.Timeout = 50 * time.Millisecond
			}
			b := setup(t, o)
			for op, m := range map[vitectest.Op]portal.Message{
				vitectest.OpStatus: delivered(b.order.ID), vitectest.OpInteraction: waiting(b.order.ID)} {
				b.fake.SetFault(op, vitectest.Fault{Kind: tt.fault, RetryAfter: "90"})
				err := b.client.report(t.Context(), m)
				var report *portal.ReportError
				if !errors.As(err, &report) || report.Outcome != tt.outcome || report.Status != tt.status {
					t.Errorf("%s: %+v, %v", op, report, err)
					continue
				}
				if tt.outcome == portal.OutcomeBusy && report.RetryAfter != 90*time.Second {
					t.Errorf("%s: Retry-After %s", op, report.RetryAfter)
				}
				if cred := errors.Is(err, portal.ErrCredential); cred != (tt.outcome == portal.OutcomeCredential) {
					t.Errorf("%s: ErrCredential %v in %v", op, cred, err)
				}
				if n := b.fake.Count(op); n != 1 {
					t.Errorf("%s: %d calls, want 1", op, n)
				}
			}
			b.fake.ClearFaults()
			if got := len(b.fake.Statuses(b.order.ID)) == 1; got != tt.stored {
				t.Errorf("stored %v, want %v", got, tt.stored)
			}
		})
	}
}

// TestReportAnswers: the rest is every door's.
func TestReportAnswers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status      int
		contentType string
		body        string
		want        portal.Outcome
	}{
		"true":       {200, "application/json", "true", portal.OutcomeDone},
		"no content": {204, "", "", portal.OutcomeDone},
		"object":     {200, "application/json", `{"id": "7"}`, portal.OutcomeDone},
		"false":      {200, "application/json", " false\n", portal.OutcomeRefused},
		"text":       {200, "text/plain", "true", portal.OutcomeUnknown},
		"method":     {405, "text/html", "no", portal.OutcomeRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := serve(t, doortest.Answer(tt.status, tt.contentType, tt.body))
			err := c.report(t.Context(), delivered("7"))
			if got := portal.OutcomeOf(err); got != tt.want {
				t.Errorf("outcome %s, want %s: %v", got, tt.want, err)
			}
		})
	}
}

func TestReportReadsBeforeSendingAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		first portal.State  // what Connect was told before, "" for nothing
		since time.Duration // of the change, from now on
		sent  int           // how many statuses in all
	}{
		"arrived":          {first: portal.Delivered, sent: 1},
		"a little earlier": {first: portal.Delivered, since: time.Minute, sent: 1},
		"long ago":         {first: portal.Delivered, since: time.Hour, sent: 2},
		"another status":   {first: portal.Received, sent: 2},
		"nothing arrived":  {sent: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, Options{})
			if tt.first != "" {
				if err := b.client.report(t.Context(), message(tt.first, b.order.ID, "")); err != nil {
					t.Fatal(err)
				}
			}
			m := delivered(b.order.ID)
			m.Uncertain, m.Since = true, time.Now().Add(tt.since)
			if err := b.client.report(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			if got := b.fake.Statuses(b.order.ID); len(got) != tt.sent {
				t.Errorf("statuses %v, want %d", got, tt.sent)
			}
			for _, r := range b.fake.Log() {
				if r.Op == vitectest.OpList && r.Query != "TargetId=OBJ30011_1684210" {
					t.Errorf("list query %q", r.Query)
				}
			}
			if n := b.fake.Count(vitectest.OpList); n != 1 {
				t.Errorf("%d lists, want 1", n)
			}
		})
	}
}

func TestUncertainQuestionIsAskedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	m := waiting(b.order.ID)
	m.Uncertain = true
	if err := b.client.report(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if lists, asked := b.fake.Count(vitectest.OpList), b.fake.Count(vitectest.OpInteraction); lists != 0 || asked != 1 {
		t.Errorf("%d lists and %d questions, want 0 and 1", lists, asked)
	}
}

func TestUnreadableListStaysUncertain(t *testing.T) {
	t.Parallel()
	for fault, want := range map[vitectest.FaultKind]portal.Outcome{
		vitectest.FaultUnauthorized: portal.OutcomeCredential,
		vitectest.FaultUnavailable:  portal.OutcomeBusy,
		vitectest.FaultBadRequest:   portal.OutcomeUnknown,
		vitectest.FaultServerError:  portal.OutcomeUnknown,
		vitectest.FaultHTML:         portal.OutcomeUnknown,
		vitectest.FaultDrop:         portal.OutcomeUnknown,
	} {
		b := setup(t, Options{})
		b.fake.SetFault(vitectest.OpList, vitectest.Fault{Kind: fault})
		m := delivered(b.order.ID)
		m.Uncertain = true
		if got := portal.OutcomeOf(b.client.report(t.Context(), m)); got != want {
			t.Errorf("%s: outcome %s, want %s", fault, got, want)
		}
		if n := b.fake.Count(vitectest.OpStatus); n != 0 {
			t.Errorf("%s: sent without knowing", fault)
		}
	}
}

func TestConfiguredRequest(t *testing.T) {
	t.Parallel()
	type sent struct{ Method, Path, Body string }
	got := make(chan sent, 1)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var body json.RawMessage
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		got <- sent{r.Method, r.URL.EscapedPath(), string(body)}
		w.WriteHeader(http.StatusNoContent)
	})
	c.config.SetStatus.Method, c.config.SetStatus.Path = "POST", "/v2/Order/{orderId}/{status}/{customerId}"
	c.config.StatusMap[portal.Active] = "Påbörjad"
	pieces, err := parseBody([]byte(`{"description": "{comment}"}`))
	if err != nil {
		t.Fatal(err)
	}
	c.body = pieces
	if err := c.report(t.Context(), message(portal.Active, "a/b c", "x")); err != nil {
		t.Fatal(err)
	}
	want := sent{"POST", "/v2/Order/a%2Fb%20c/P%C3%A5b%C3%B6rjad/M30011", `{"description":"x"}`}
	if diff := cmp.Diff(want, <-got); diff != "" {
		t.Error(diff)
	}
}

// TestReceipt: what Connect answered is kept, and an echo of our secret is not.
func TestReceipt(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"authorization": "` + r.Header.Get("Authorization") + `", "stored": true}`))
	})
	got, err := c.Report(t.Context(), delivered("1"))
	if want := (portal.Receipt{Status: 200, Answer: `{"authorization": "Basic ***", "stored": true}`}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	refusing := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"message":"nej"}`, http.StatusBadRequest)
	})
	var e *portal.ReportError
	if _, err := refusing.Report(t.Context(), delivered("1")); !errors.As(err, &e) || e.Status != 400 || strings.TrimSpace(e.Answer) != `{"message":"nej"}` {
		t.Errorf("refused with %+v", e)
	}
}
