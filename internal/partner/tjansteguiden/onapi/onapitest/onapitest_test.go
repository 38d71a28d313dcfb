package onapitest

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door/doortest"
)

// caller calls the API.
type caller struct {
	*testing.T
	*Server
	username, password string
}

func start(t *testing.T, o Options) *caller {
	t.Helper()
	return &caller{T: t, Server: Start(t, o), username: DemoUsername, password: DemoPassword}
}

// send makes a call, and returns its status and body, 0 if the connection broke.
func (c *caller) send(method, path, body string) (int, string, http.Header) {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), method, c.Base(c.URL)+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	req.SetBasicAuth(c.username, c.password)
	return doortest.Send(req)
}

// place places an order on access KC1 and returns its id, "" if the answer has none.
func (c *caller) place(operation, service, more string) (int, string) {
	c.Helper()
	status, body, header := c.send("POST", "/orders/", `{"accessId":"KC1","service":"`+service+`","operation":"`+operation+`","spReference":"r1"`+more+`}`)
	var v view
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		c.Fatalf("%d %s: %v", status, body, err)
	}
	if location := header.Get("Location"); status == 201 && (location != "/onapi/2.4/orders/"+v.ID || v.Path != location) {
		c.Errorf("location %s of %s", location, body)
	}
	return status, v.ID
}

func (c *caller) state(id string) string {
	c.Helper()
	_, body, _ := c.send("GET", "/orders/"+id, "")
	var v view
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		c.Fatalf("%s: %v", body, err)
	}
	return v.State + v.Message
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	c := start(t, Options{AccessIDs: []string{"KC", "AB"}})
	c.Subscribe(Subscription{AccessID: "KC2", Service: "AB10010"})
	c.Subscribe(Subscription{AccessID: "KC3", Service: "AB10010", Others: true})
	order := func(access, service, operation, more string) string {
		return `{"accessId":"` + access + `","service":"` + service + `","operation":"` + operation + `"` + more + `}`
	}
	const ref = `,"spReference":"r1"`
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
		says               string
	}{
		"placed":               {"POST", "/orders/", order("KC1", "AB100100", "ACTIVATE", ref+`,"requestedDateTime":"2026-12-01T00:00:00Z"`), 201, `"state":"RECEIVED"`},
		"broken":               {"POST", "/orders/", `{`, 400, "Incorrect JSON"},
		"no reference":         {"POST", "/orders/", order("KC1", "AB10010", "ACTIVATE", ""), 400, "'spReference'"},
		"no id":                {"POST", "/orders/", order("KC 1", "AB10010", "ACTIVATE", ref), 400, "Not an ID"},
		"local time":           {"POST", "/orders/", order("KC1", "AB10010", "ACTIVATE", ref+`,"requestedDateTime":"2026-12-01T00:00:00+01:00"`), 400, "'requestedDateTime'"},
		"takeover":             {"POST", "/orders/", order("KC1", "AB10010", "ACTIVATE", ref+`,"forcedTakeover":true`), 400, "takeover"},
		"unknown access":       {"POST", "/orders/", order("XX1", "AB10010", "ACTIVATE", ref), 400, "Unknown accessId: 'XX1'"},
		"unknown service":      {"POST", "/orders/", order("KC1", "INTERNET", "ACTIVATE", ref), 400, "Unknown service: 'INTERNET'"},
		"unknown operation":    {"POST", "/orders/", order("KC1", "AB10010", "GO", ref), 400, "'GO'"},
		"operation not built":  {"POST", "/orders/", order("KC1", "AB10010", "SUSPEND", ref), 501, "SUSPEND"},
		"active":               {"POST", "/orders/", order("KC2", "AB10010", "ACTIVATE", ref), 200, `"state":"DONE_SUCCESS"`},
		"another is active":    {"POST", "/orders/", order("KC2", "AB100100", "ACTIVATE", ref), 409, "Another Service of ServiceType 'AB' is already active."},
		"another type":         {"POST", "/orders/", order("KC2", "IPTV", "ACTIVATE", ref), 201, "orderId"},
		"another provider":     {"POST", "/orders/", order("KC3", "AB10010", "ACTIVATE", ref), 409, "claimed by other Service Provider"},
		"not active":           {"POST", "/orders/", order("KC3", "AB10010", "DEACTIVATE", ref), 200, `"state":"DONE_SUCCESS"`},
		"no subscription":      {"POST", "/orders/", order("KC2", "AB100100", "CHANGE", ref), 400, "'subscriptionId'"},
		"unknown subscription": {"POST", "/orders/", order("KC2", "AB100100", "CHANGE", ref+`,"subscriptionId":"x"`), 400, "Unknown subscriptionId"},
		"no order":             {"GET", "/orders/x", "", 404, "Unknown order"},
		"nothing to withdraw":  {"DELETE", "/orders/x", "", 404, "Unknown order"},
		"access":               {"GET", "/accesses/KC2", "", 200, `"service":"AB10010"`},
		"not theirs":           {"GET", "/accesses/KC3", "", 200, `"subscriptions":[]`},
		"no access":            {"GET", "/accesses/XX1", "", 404, "Unknown accessId"},
		"unknown event":        {"GET", "/orderevents/?since=x", "", 400, "Unknown event"},
		"nothing to change":    {"PATCH", "/orders/x", "{}", 404, "Unknown order"},
		"not built":            {"PUT", "/orders/x", "{}", 501, "Not implemented"},
		"no such part":         {"GET", "/tickets/", "", 501, "Not implemented"},
	} {
		if status, body, _ := c.send(tt.method, tt.path, tt.body); status != tt.status || !strings.Contains(body, tt.says) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	c.password = "x"
	if status, body, header := c.send("GET", "/orders/", ""); status != 401 || !strings.Contains(body, "cause") || header.Get("WWW-Authenticate") == "" {
		t.Errorf("wrong password: %d %s", status, body)
	}
}

func TestLifeOfAnOrder(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	status, id := c.place(Activate, "AB100100", "")
	if again, same := c.place(Activate, "AB100100", ""); status != 201 || again != 200 || same != id || len(c.Orders()) != 1 {
		t.Errorf("placed twice: %d %d, %s %s", status, again, id, same)
	}
	c.Advance(id)
	if got := c.state(id); got != InProgress {
		t.Errorf("advanced: %s", got)
	}
	if status, body, _ := c.send("DELETE", "/orders/"+id, ""); status != 409 {
		t.Errorf("withdrawn too late: %d %s", status, body)
	}
	c.Advance(id)
	if got := c.state(id); got != Succeeded || c.Advance(id) || c.Finish(id) || c.Fail(id, "x") {
		t.Errorf("done: %s, and more can be done", got)
	}
	subscription := c.Subscriptions()[0].ID
	_, change := c.place(Change, "AB10010", `,"subscriptionId":"`+subscription+`"`)
	c.Finish(change)
	if status, _ := c.place(Change, "AB10010", `,"subscriptionId":"`+subscription+`"`); status != 200 {
		t.Errorf("changed twice: %d", status)
	}
	if diff := cmp.Diff([]Subscription{{ID: subscription, AccessID: "KC1", Service: "AB10010"}}, c.Subscriptions()); diff != "" {
		t.Errorf("changed (-want +got):\n%s", diff)
	}
	_, end := c.place(Deactivate, "AB10010", "")
	c.Finish(end)
	if left := c.Subscriptions(); len(left) != 0 {
		t.Errorf("deactivated: %+v", left)
	}
	_, failed := c.place(Activate, "IPTV", "")
	c.Fail(failed, "Ingen signal")
	if got := c.state(failed); got != Failed+"Ingen signal" {
		t.Errorf("failed: %s", got)
	}
	_, withdrawn := c.place(Activate, "IPTV", "")
	if status, body, _ := c.send("DELETE", "/orders/"+withdrawn, ""); status != 204 || body != "" || len(c.Orders()) != 4 {
		t.Errorf("withdrawn: %d %s", status, body)
	}
	if c.Calls() != 12 || len(c.Bodies()) != 7 || c.Count(OpWithdraw) != 2 {
		t.Errorf("%d calls, %d bodies", c.Calls(), len(c.Bodies()))
	}
}

func TestAnOrderIsRescheduled(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	_, id := c.place(Activate, "AB100100", "")
	for body, want := range map[string]int{
		`{`: 400, `{"requestedDateTime":"2026-12-01"}`: 400, `{"requestedDateTime":"2026-12-01T00:00:00+01:00"}`: 400,
		`{"service":"IPTV"}`: 501, `{"requestedDateTime":"2026-12-01T00:00:00Z"}`: 204,
	} {
		if status, answer, _ := c.send("PATCH", "/orders/"+id, body); status != want {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
	if at := c.Orders()[0].WishedFor; !at.Equal(time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("wished for %v", at)
	}
	c.Advance(id)
	if status, body, _ := c.send("PATCH", "/orders/"+id, `{"requestedDateTime":"2026-12-02T00:00:00Z"}`); status != 409 {
		t.Errorf("when it had begun: %d %s", status, body)
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	_, a := c.place(Activate, "AB100100", "")
	_, b := c.place(Activate, "IPTV", "")
	c.Finish(a)
	for path, want := range map[string][]string{"/orders/": {b}, "/orders/?accessId=KC1": {a, b}, "/orders/?accessId=KC2": nil, `/orders/?state="DONE_SUCCESS"`: {a}} {
		var views []view
		_, body, _ := c.send("GET", path, "")
		if err := json.Unmarshal([]byte(body), &views); err != nil {
			t.Fatal(body, err)
		}
		var got []string
		for _, v := range views {
			got = append(got, v.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	c.Fail(b, "x")
	var events []struct {
		Event string
		Order view
	}
	_, body, _ := c.send("GET", "/orderevents/", "")
	if err := json.Unmarshal([]byte(body), &events); err != nil || len(events) != 2 || events[0].Order.Path != "/onapi/2.4/orders/"+a || events[1].Order.Message != "x" {
		t.Fatalf("events: %s, %v", body, err)
	}
	if _, body, _ := c.send("GET", "/orderevents/?since="+events[0].Event, ""); strings.Contains(body, a) || !strings.Contains(body, b) {
		t.Errorf("since the first: %s", body)
	}
	if _, body, _ := c.send("GET", "/orderevents/?since="+events[1].Event, ""); body != "[]" {
		t.Errorf("since the last: %s", body)
	}
}

func TestTimePasses(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)
	begin := now
	at := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = begin.Add(d) }
	c := start(t, Options{Auto: true, Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	_, soon := c.place(Activate, "AB100100", "")
	_, later := c.place(Activate, "IPTV", `,"requestedDateTime":"2026-11-21T09:31:00Z"`)
	for _, step := range []struct {
		after       time.Duration
		soon, later string
	}{
		{Begins - 1, Received, Received}, {Begins, InProgress, Received}, {Ends, Succeeded, Received},
		{time.Minute + Begins, Succeeded, InProgress}, {time.Hour, Succeeded, Succeeded},
	} {
		at(step.after)
		if a, b := c.state(soon), c.state(later); a != step.soon || b != step.later {
			t.Errorf("after %s: %s, %s", step.after, a, b)
		}
	}
	if o := c.Orders()[1]; !o.ChangedAt.Equal(begin.Add(time.Minute + Ends)) {
		t.Errorf("done at %s", o.ChangedAt)
	}
}

func TestStateOutlivesARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "net.json")
	c := start(t, Options{Path: path})
	_, id := c.place(Activate, "AB100100", "")
	c.Finish(id)
	c.place(Deactivate, "AB100100", "")
	again := start(t, Options{Path: path})
	opt := cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })
	if diff := cmp.Diff(c.Orders(), again.Orders(), opt) + cmp.Diff(c.Subscriptions(), again.Subscriptions()); diff != "" || len(again.Orders()) != 2 {
		t.Errorf("after a restart:\n%s", diff)
	}
	if _, err := New(Options{Path: t.TempDir()}); err == nil {
		t.Error("a folder as state: no error")
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	for kind, want := range map[doortest.FaultKind]int{doortest.FaultUnauthorized: 401, doortest.FaultTooMany: 429, doortest.FaultServerError: 500,
		FaultNotImplemented: 501, FaultConflict: 409, FaultGarbage: 200, doortest.FaultDrop: 0} {
		c.SetFault(OpPlace, doortest.Fault{Kind: kind, Times: 1, RetryAfter: "7"})
		status, _, header := c.send("POST", "/orders/", `{}`)
		if status != want || status == 429 && header.Get("Retry-After") != "7" {
			t.Errorf("%s: %d", kind, status)
		}
	}
	if n := len(c.Orders()); n != 0 {
		t.Errorf("%d orders", n)
	}
	c.SetFault(OpPlace, doortest.Fault{Kind: doortest.FaultStoredDrop, Times: 1})
	status, _, _ := c.send("POST", "/orders/", `{"accessId":"KC1","service":"IPTV","operation":"ACTIVATE","spReference":"r1"}`)
	if again, id := c.place(Activate, "IPTV", ""); status != 0 || again != 200 || id != c.Orders()[0].ID {
		t.Errorf("stored and dropped: %d, then %d", status, again)
	}
}
