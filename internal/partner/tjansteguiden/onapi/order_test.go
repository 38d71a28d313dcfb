package onapi

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door/doortest"
	"portico/internal/partner/tjansteguiden/onapi/onapitest"
	"portico/internal/portal"
)

func TestWhatIsSent(t *testing.T) {
	t.Parallel()
	later := time.Date(2026, 12, 1, 0, 0, 0, 0, time.FixedZone("", 3600))
	past := now.Add(-time.Hour)
	for name, tt := range map[string]struct {
		operation portal.Operation
		wished    *time.Time
		want      string
	}{
		"activate":   {portal.Activate, nil, `{"accessId":"KC-7","service":"AB100100","operation":"ACTIVATE","forcedTakeover":false,"spReference":"10042"}`},
		"wished for": {portal.Activate, &later, `{"accessId":"KC-7","service":"AB100100","operation":"ACTIVATE","forcedTakeover":false,"spReference":"10042","requestedDateTime":"2026-11-30T23:00:00Z"}`},
		"overdue":    {portal.Activate, &past, `{"accessId":"KC-7","service":"AB100100","operation":"ACTIVATE","forcedTakeover":false,"spReference":"10042","requestedDateTime":"` + past.Format(time.RFC3339) + `"}`},
		"deactivate": {portal.Deactivate, &later, `{"accessId":"KC-7","service":"AB100100","operation":"DEACTIVATE","spReference":"10042","requestedDateTime":"2026-11-30T23:00:00Z"}`},
		"replace":    {portal.Replace, nil, `{"accessId":"KC-7","service":"AB100100","operation":"CHANGE","subscriptionId":"sub-1","spReference":"10042"}`},
	} {
		n := start(t, onapitest.Options{})
		service := map[portal.Operation]string{portal.Deactivate: "AB100100", portal.Replace: "AB10010", portal.Activate: "IPTV"}[tt.operation]
		n.fake.Subscribe(onapitest.Subscription{ID: "sub-1", AccessID: "KC-7", Service: service})
		r := ask(tt.operation, "AB100100")
		r.WishedFor = tt.wished
		preview := n.client.Preview(r)
		if a := n.do(r); a.State != portal.ActivationAccepted {
			t.Errorf("%s: %+v", name, a)
		}
		if diff := cmp.Diff([]string{tt.want}, n.fake.Bodies()); diff != "" {
			t.Errorf("%s: sent (-want +got):\n%s", name, diff)
		}
		log := n.fake.Log()
		sent := log[len(log)-1]
		wantPreview := sent.Method + " " + n.fake.URL + sent.Path + "\n" + strings.Replace(sent.Body, "sub-1", "…", 1)
		if diff := cmp.Diff(wantPreview, preview); diff != "" {
			t.Errorf("%s: preview (-want +got):\n%s", name, diff)
		}
		if got := sent.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("%s: content type %q", name, got)
		}
	}
}

func TestNothingIsSentThatCannotBe(t *testing.T) {
	t.Parallel()
	n := start(t, onapitest.Options{})
	good := ask(portal.Activate, "AB100100")
	for name, change := range map[string]func(*Request){
		"no access":        func(r *Request) { r.AccessID = "" },
		"access in a path": func(r *Request) { r.AccessID, r.Operation = "../x", portal.Replace },
		"access is a step": func(r *Request) { r.AccessID, r.Operation = "..", portal.Replace },
		"long access":      func(r *Request) { r.AccessID = strings.Repeat("a", 37) },
		"åäö":              func(r *Request) { r.AccessID = "KÅ1" },
		"a second line":    func(r *Request) { r.AccessID = "KC1\n" },
		"no reference":     func(r *Request) { r.Reference = "" },
		"a person":         func(r *Request) { r.Reference = "Eva Ek" },
		"no service":       func(r *Request) { r.Service = "" },
		"long service":     func(r *Request) { r.Service = strings.Repeat("a", 256) },
		"nothing taken":    func(r *Request) { r.Operation = portal.Withdraw },
		"other path taken": func(r *Request) { r.Operation, r.NetworkID = portal.Withdraw, "a/b" },
		"parent taken":     func(r *Request) { r.Operation, r.NetworkID = portal.Withdraw, ".." },
		"no new day":       func(r *Request) { r.Operation, r.NetworkID = portal.Reschedule, "a" },
		"nothing moved":    func(r *Request) { r.Operation, r.WishedFor = portal.Reschedule, &now },
	} {
		r := good
		change(&r)
		if a := n.do(r); a.State != portal.ActivationRefused || a.Message == "" || a.NetworkID != "" {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if _, err := n.client.Do(t.Context(), ask("upgrade", "AB100100")); portal.OutcomeOf(err) != portal.OutcomeRefused {
		t.Errorf("an operation of no kind: %v", err)
	}
	for _, id := range []string{"", "..", "a/b", "?accessId=KC-7"} {
		if _, err := n.client.Look(t.Context(), id); portal.OutcomeOf(err) != portal.OutcomeRefused {
			t.Errorf("look at %q: %v", id, err)
		}
	}
	if calls := n.fake.Calls(); calls != 0 {
		t.Errorf("%d calls", calls)
	}
	if a := n.do(Request{AccessID: "8732c2f0-65e2-490b-abce-820e94b1011a", Reference: "a.1", ActivationRequest: good.ActivationRequest}); a.State != portal.ActivationAccepted {
		t.Errorf("a UUID: %+v", a)
	}
}

func TestFromOrderToDone(t *testing.T) {
	t.Parallel()
	n := start(t, onapitest.Options{})
	a := n.do(ask(portal.Activate, "AB100100"))
	expected := now.Add(onapitest.Ends)
	if diff := cmp.Diff(portal.ActivationAnswer{NetworkID: n.fake.Orders()[0].ID, State: portal.ActivationAccepted, ExpectedAt: &expected}, a); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
	if again := n.do(ask(portal.Activate, "AB100100")); !cmp.Equal(a, again) || len(n.fake.Orders()) != 1 {
		t.Errorf("asked again: %+v", again)
	}
	for _, want := range []portal.ActivationState{portal.ActivationInProgress, portal.ActivationDone} {
		n.fake.Advance(a.NetworkID)
		if got := n.look(a.NetworkID); got.State != want || got.NetworkID != a.NetworkID {
			t.Errorf("%+v, want %s", got, want)
		}
	}
	if again := n.do(ask(portal.Activate, "AB100100")); again != (portal.ActivationAnswer{State: portal.ActivationDone}) {
		t.Errorf("active already: %+v", again)
	}
	other := n.do(ask(portal.Activate, "AB10010"))
	if other.State != portal.ActivationRefused || other.Message != "Another Service of ServiceType 'AB' is already active." {
		t.Errorf("another service: %+v", other)
	}
	tv := n.do(ask(portal.Activate, "IPTV"))
	n.fake.Fail(tv.NetworkID, "Ingen\nsignal")
	if got := n.look(tv.NetworkID); got.State != portal.ActivationFailed || got.Message != "Ingen signal" {
		t.Errorf("failed: %+v", got)
	}
}

// TestAskedAgain: what was done and never answered is not done twice.
func TestAskedAgain(t *testing.T) {
	t.Parallel()
	for _, operation := range []portal.Operation{portal.Activate, portal.Deactivate, portal.Replace} {
		n := start(t, onapitest.Options{})
		if service := map[portal.Operation]string{portal.Deactivate: "AB100100", portal.Replace: "AB10010"}[operation]; service != "" {
			n.fake.Subscribe(onapitest.Subscription{AccessID: "KC-7", Service: service})
		}
		n.fake.SetFault(onapitest.OpPlace, doortest.Fault{Kind: doortest.FaultStoredDrop, Times: 1})
		if _, err := n.client.Do(t.Context(), ask(operation, "AB100100")); portal.OutcomeOf(err) != portal.OutcomeUnknown {
			t.Errorf("%s: %v", operation, err)
		}
		a := n.do(ask(operation, "AB100100"))
		if orders := n.fake.Orders(); len(orders) != 1 || a.NetworkID != orders[0].ID || a.State != portal.ActivationAccepted {
			t.Errorf("%s: %+v of %+v", operation, a, orders)
		}
		n.fake.Finish(a.NetworkID)
		if a := n.do(ask(operation, "AB100100")); a.State != portal.ActivationDone || len(n.fake.Orders()) != 1 {
			t.Errorf("%s, done: %+v", operation, a)
		}
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	n := start(t, onapitest.Options{})
	if a := n.do(ask(portal.Replace, "AB100100")); a != refused(noneActive) {
		t.Errorf("nothing to replace: %+v", a)
	}
	n.fake.Subscribe(onapitest.Subscription{AccessID: "KC-7", Service: "AB10010"})
	n.fake.Subscribe(onapitest.Subscription{AccessID: "KC-7", Service: "IPTV"})
	if a := n.do(ask(portal.Replace, "AB100100")); a != refused(manyActive) {
		t.Errorf("two to replace: %+v", a)
	}
	if a := n.do(ask(portal.Replace, "IPTV")); a.State != portal.ActivationDone {
		t.Errorf("there already: %+v", a)
	}
	if n := len(n.fake.Bodies()); n != 0 {
		t.Errorf("%d orders", n)
	}
	n.fake.SetFault(onapitest.OpAccess, doortest.Fault{Kind: onapitest.FaultNotImplemented})
	if a := n.do(ask(portal.Replace, "AB100100")); a != refused("Not implemented") {
		t.Errorf("a network without accesses: %+v", a)
	}
}

func TestAnotherOrderIsNotOurs(t *testing.T) {
	t.Parallel()
	n := start(t, onapitest.Options{})
	first := n.do(ask(portal.Activate, "AB100100"))
	a := n.do(ask(portal.Deactivate, "AB100100"))
	if a.State != portal.ActivationRefused || a.NetworkID != "" || !strings.Contains(a.Message, "ACTIVATE AB100100") {
		t.Errorf("%+v", a)
	}
	n.fake.Finish(first.NetworkID)
	if a := n.do(ask(portal.Deactivate, "AB100100")); a.State != portal.ActivationAccepted || a.NetworkID == first.NetworkID {
		t.Errorf("afterwards: %+v", a)
	}
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	n := start(t, onapitest.Options{})
	back := func(id string) Request {
		return Request{ActivationRequest: portal.ActivationRequest{Operation: portal.Withdraw, NetworkID: id}}
	}
	a := n.do(ask(portal.Activate, "AB100100"))
	if got := n.do(back(a.NetworkID)); got != (portal.ActivationAnswer{NetworkID: a.NetworkID, State: portal.ActivationWithdrawn}) {
		t.Errorf("%+v", got)
	}
	gone := back(a.NetworkID)
	if got := n.do(gone); got.State != portal.ActivationRefused || got.NetworkID != a.NetworkID || !strings.HasPrefix(got.Message, "Unknown order") {
		t.Errorf("gone: %+v", got)
	}
	if gone.Uncertain = true; n.do(gone).State != portal.ActivationWithdrawn {
		t.Error("gone after an attempt that may have arrived: not withdrawn")
	}
	var e *portal.ReportError
	if _, err := n.client.Look(t.Context(), a.NetworkID); !errors.As(err, &e) || e.Status != 404 {
		t.Errorf("look: %v", err)
	}
	b := n.do(ask(portal.Activate, "AB100100"))
	n.fake.Advance(b.NetworkID)
	begun := back(b.NetworkID)
	begun.Uncertain = true
	if got := n.do(begun); got.State != portal.ActivationRefused || got.Message != "The order is IN_PROGRESS and can not be changed" {
		t.Errorf("begun: %+v", got)
	}
	n.fake.SetFault(onapitest.OpWithdraw, doortest.Fault{Kind: doortest.FaultServerError})
	if _, err := n.client.Do(t.Context(), back(b.NetworkID)); portal.OutcomeOf(err) != portal.OutcomeUnknown {
		t.Errorf("500: %v", err)
	}
}

func TestReschedule(t *testing.T) {
	t.Parallel()
	n := start(t, onapitest.Options{})
	a := n.do(ask(portal.Activate, "AB100100"))
	day := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	r := Request{ActivationRequest: portal.ActivationRequest{Operation: portal.Reschedule, NetworkID: a.NetworkID, WishedFor: &day}}
	// Asked again after an answer that got lost, it is the same day.
	n.fake.SetFault(onapitest.OpReschedule, doortest.Fault{Kind: doortest.FaultStoredDrop, Times: 1})
	if _, err := n.client.Do(t.Context(), r); portal.OutcomeOf(err) != portal.OutcomeUnknown || n.fake.Count(onapitest.OpReschedule) != 1 {
		t.Errorf("%v after %d calls", err, n.fake.Count(onapitest.OpReschedule))
	}
	if got := n.do(r); got != (portal.ActivationAnswer{NetworkID: a.NetworkID, State: portal.ActivationAccepted}) {
		t.Errorf("%+v", got)
	}
	if at := n.fake.Orders()[0].WishedFor; !at.Equal(day) {
		t.Errorf("wished for %v", at)
	}
	log := n.fake.Log()
	sent := log[len(log)-1]
	if got, want := n.client.Preview(r), sent.Method+" "+n.fake.URL+sent.Path+"\n"+sent.Body; got != want || sent.Body != `{"requestedDateTime":"2026-12-01T00:00:00Z"}` {
		t.Errorf("shown %q, sent %q", got, want)
	}
	n.fake.Advance(a.NetworkID)
	if got := n.do(r); got.State != portal.ActivationRefused || got.NetworkID != a.NetworkID || got.Message != "The order is IN_PROGRESS and can not be changed" {
		t.Errorf("begun: %+v", got)
	}
	n.fake.SetFault(onapitest.OpReschedule, doortest.Fault{Kind: onapitest.FaultNotImplemented})
	if got := n.do(r); got.State != portal.ActivationRefused {
		t.Errorf("a network that cannot: %+v", got)
	}
}

// TestWithdrawnUnheard: net/http would repeat a DELETE by itself, and take the
// second answer for the first.
func TestWithdrawnUnheard(t *testing.T) {
	t.Parallel()
	n := start(t, onapitest.Options{})
	a := n.do(ask(portal.Activate, "AB100100"))
	r := Request{ActivationRequest: portal.ActivationRequest{Operation: portal.Withdraw, NetworkID: a.NetworkID}}
	n.fake.SetFault(onapitest.OpWithdraw, doortest.Fault{Kind: doortest.FaultStoredDrop, Times: 1})
	if _, err := n.client.Do(t.Context(), r); portal.OutcomeOf(err) != portal.OutcomeUnknown || n.fake.Count(onapitest.OpWithdraw) != 1 {
		t.Errorf("%v after %d calls", err, n.fake.Count(onapitest.OpWithdraw))
	}
	r.Uncertain = true
	if got := n.do(r); got.State != portal.ActivationWithdrawn || len(n.fake.Orders()) != 0 {
		t.Errorf("again: %+v", got)
	}
}
