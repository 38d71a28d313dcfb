package tjansteguiden

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

func (g *guide) message(state portal.State, comment string) portal.Message {
	return portal.Message{ConnectionID: "guiden", Customer: "1234", PartnerOrderID: "1234", Target: portal.Target{Type: targetType, ID: "KC0101A06"},
		State: state, Comment: comment, Number: "2026-000117", Since: g.clock.Now()}
}

func (g *guide) remark(kind portal.Remark, text string) portal.Message {
	m := g.message(portal.Active, text)
	m.Remark = kind
	return m
}

// ready lets every method do its work, and the log be empty.
func (g *guide) ready() {
	g.says("set_status", good("set_status"))
	g.says("add_message", good("add_message"))
	g.says("order_log", ok("<order_log><response/><status>success</status></order_log>"))
}

const (
	sendProblem = "add_message&type=error&message=Port finns ej&id=1234&api_user=1234&hash=H1"
	readLog     = "order_log&hash=H1&id=1234"
	setCancel   = "set_status&hash=H1&id=1234&status=cancelled"
)

func TestReport(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		role  string
		more  string
		m     func(*guide) portal.Message
		calls []string
		shown string
	}{
		"received":            {"tl", "", func(g *guide) portal.Message { return g.message(portal.Received, "") }, []string{"set_status&hash=H1&id=1234&status=received"}, "received"},
		"active":              {"tl", "", func(g *guide) portal.Message { return g.message(portal.Active, "x") }, []string{"set_status&hash=H1&id=1234&status=active"}, "active"},
		"delivered":           {"tl", "", func(g *guide) portal.Message { return g.message(portal.Delivered, "x") }, []string{"set_status&hash=H1&id=1234&status=delivered"}, "delivered"},
		"delivered, network":  {"ko", "", func(g *guide) portal.Message { return g.message(portal.Delivered, "") }, []string{"set_status&status=delivered&id=1234&api_user=1234"}, "delivered"},
		"cancelled":           {"tl", "", func(g *guide) portal.Message { return g.message(portal.Cancelled, "x") }, []string{setCancel}, "cancelled"},
		"failed":              {"tl", "", func(g *guide) portal.Message { return g.message(portal.Failed, " Port finns ej ") }, []string{readLog, sendProblem, setCancel}, "cancelled"},
		"failed, no status":   {"tl", `"status_map":{"failed":""},`, func(g *guide) portal.Message { return g.message(portal.Failed, "Port finns ej") }, []string{readLog, sendProblem}, ""},
		"failed, no words":    {"tl", "", func(g *guide) portal.Message { return g.message(portal.Failed, " ") }, []string{setCancel}, "cancelled"},
		"waiting":             {"tl", "", func(g *guide) portal.Message { return g.message(portal.Waiting, "Vilken dag?") }, []string{readLog, "add_message&type=alert&message=Vilken dag?&id=1234&api_user=1234&hash=H1", "set_status&hash=H1&id=1234&status=waiting"}, "waiting"},
		"waiting, no words":   {"tl", "", func(g *guide) portal.Message { return g.message(portal.Waiting, "") }, []string{"set_status&hash=H1&id=1234&status=waiting"}, "waiting"},
		"remark":              {"tl", "", func(g *guide) portal.Message { return g.remark(portal.RemarkPlain, "Hej\r\nå") }, []string{"add_message&type=log&message=Hej\nå&id=1234&api_user=1234&hash=H1"}, ""},
		"remark, network":     {"ko", "", func(g *guide) portal.Message { return g.remark(portal.RemarkImportant, "Hej") }, []string{"add_message&type=alert&message=Hej&id=1234&api_user=1234"}, ""},
		"problem, other type": {"tl", `"message_types":{"problem":"system"},`, func(g *guide) portal.Message { return g.remark(portal.RemarkProblem, "Hej") }, []string{"add_message&type=system&message=Hej&id=1234&api_user=1234&hash=H1"}, ""},
		"other names":         {"tl", `"query":{"order":"oid","hash":"key"},`, func(g *guide) portal.Message { return g.message(portal.Active, "") }, []string{"set_status&key=H1&oid=1234&status=active"}, "active"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, tt.role)
			g.ready()
			c := g.client(tt.more)
			receipt, err := c.Report(t.Context(), tt.m(g))
			if err != nil || receipt.Shown != tt.shown || receipt.Status != 200 || !strings.Contains(receipt.Answer, "Done") {
				t.Errorf("%+v, %v", receipt, err)
			}
			calls := g.made()
			if tt.role == "tl" {
				calls = calls[1:] // the login
			}
			if diff := cmp.Diff(tt.calls, calls); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestNothingIsTold(t *testing.T) {
	t.Parallel()
	g := start(t, "tl")
	c := g.client(`"status_map":{"received":"","waiting":""},`)
	step := g.message(portal.Active, "")
	step.Step = portal.StepPolicyIssued
	for _, m := range []portal.Message{g.message(portal.Received, ""), g.message(portal.Waiting, "Vilken dag?"), g.message(portal.Draft, ""), g.remark(portal.RemarkPlain, " "), step} {
		m.Shown = "active"
		if receipt, err := c.Report(t.Context(), m); err != nil || receipt.Shown != "active" {
			t.Errorf("%+v, %v", receipt, err)
		}
		if text, ok := c.Preview(m); ok || text != "" {
			t.Errorf("preview %q", text)
		}
	}
	if calls := g.made(); len(calls) > 0 {
		t.Errorf("%v", calls)
	}
	m := g.message(portal.Active, "")
	m.PartnerOrderID = ""
	if _, err := c.Report(t.Context(), m); portal.OutcomeOf(err) != portal.OutcomeRefused {
		t.Errorf("%v", err)
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]string{
		"tl": "GET add_message\ntype: error\nmessage: Port finns ej\nid: 1234\napi_user: 1234\n\nGET set_status\nid: 1234\nstatus: cancelled",
		"ko": "GET add_message\ntype: error\nmessage: Port finns ej\nid: 1234\n\nGET set_status\nstatus: cancelled\nid: 1234",
	} {
		g := start(t, role)
		if got, ok := g.client("").Preview(g.message(portal.Failed, "Port finns ej")); !ok || got != want {
			t.Errorf("%s: %s", role, got)
		}
	}
}

// TestAMessageIsNotSentTwice if it can be helped.
func TestAMessageIsNotSentTwice(t *testing.T) {
	t.Parallel()
	entry := func(date, text string) answer {
		return ok("<order_log><response><log><entry><date>" + date + "</date><type>error</type><message>" + text + "</message></entry></log></response></order_log>")
	}
	there := []string{readLog}
	sent := []string{readLog, sendProblem}
	for name, tt := range map[string]struct {
		log   answer
		calls []string // before the status
	}{
		"it is there":               {entry("2026-11-24 10:12:00", "Port  finns\nej"), there},
		"among other words":         {entry("2026-11-24 10:12:00", "1234: Port finns ej!"), there},
		"at the edge":               {entry("2026-11-24 10:10", "Port finns ej"), there},
		"without a date":            {entry("", "Port finns ej"), there},
		"from before":               {entry("2026-11-24 10:09:59", "Port finns ej"), sent},
		"another text":              {entry("2026-11-24 10:12:00", "Port finns"), sent},
		"a log of texts":            {ok("<order_log><message>Hej</message><message>Port finns ej</message></order_log>"), there},
		"attributes":                {ok(`<order_log><e date="2026-11-24 10:12" text="Port finns ej"/></order_log>`), there},
		"attributes, from before":   {ok(`<order_log><e date="2026-11-23 10:12">Port finns ej</e></order_log>`), sent},
		"no such method":            {answer{status: 404, body: zendFailed}, []string{readLog, loginURL, "order_log&hash=H2&id=1234", strings.Replace(sendProblem, "H1", "H2", 1)}},
		"a log that cannot be read": {ok("<html/>"), sent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, "tl")
			g.ready()
			g.says("order_log", tt.log)
			if _, err := g.client("").Report(t.Context(), g.message(portal.Failed, "Port finns ej")); err != nil {
				t.Error(err)
			}
			calls := g.made()
			if diff := cmp.Diff(tt.calls, calls[1:len(calls)-1]); diff != "" || !strings.HasPrefix(calls[len(calls)-1], "set_status") {
				t.Error(calls, diff)
			}
		})
	}
}

// TestARemarkIsLookedForOnlyInDoubt: what may have arrived is read, and a status
// is just set again.
func TestARemarkIsLookedForOnlyInDoubt(t *testing.T) {
	t.Parallel()
	g := start(t, "tl")
	g.ready()
	g.says("order_log", ok("<order_log><message>Hej</message></order_log>"))
	c := g.client("")
	for _, doubt := range []func(*portal.Message){func(m *portal.Message) { m.Uncertain = true }, func(m *portal.Message) { m.Doubts = 1 }} {
		m := g.remark(portal.RemarkPlain, "Hej")
		doubt(&m)
		receipt, err := c.Report(t.Context(), m)
		if calls := g.made(); err != nil || receipt.Shown != "" || calls[len(calls)-1] != readLog {
			t.Errorf("%v, %v", calls, err)
		}
		m = g.message(portal.Delivered, "Hej")
		doubt(&m)
		if _, err := c.Report(t.Context(), m); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff([]string{"set_status&hash=H1&id=1234&status=delivered"}, g.made()); diff != "" {
			t.Error(diff)
		}
	}
}

func TestReportThatFails(t *testing.T) {
	t.Parallel()
	no := ok("<set_status><response><message>No such status</message></response><status>failed</status></set_status>")
	for name, tt := range map[string]struct {
		method string
		answer answer
		remark portal.Outcome // of a message alone
		failed portal.Outcome // of one with a status, the other going well
		sent   int            // how often the message was
	}{
		"message refused":         {"add_message", answer{status: 400}, portal.OutcomeRefused, portal.OutcomeRefused, 2},
		"message failed":          {"add_message", ok(strings.ReplaceAll(no.body, "set_status", "add_message")), portal.OutcomeRefused, portal.OutcomeRefused, 2},
		"message, server error":   {"add_message", answer{status: 500}, portal.OutcomeUnknown, portal.OutcomeUnknown, 1},
		"message, busy":           {"add_message", answer{status: 503}, portal.OutcomeBusy, portal.OutcomeBusy, 1},
		"message, a page":         {"add_message", ok("<html/>"), portal.OutcomeUnknown, portal.OutcomeUnknown, 1},
		"message, nothing":        {"add_message", ok(""), portal.OutcomeUnknown, portal.OutcomeUnknown, 1},
		"message, broken off":     {"add_message", answer{}, portal.OutcomeUnknown, portal.OutcomeUnknown, 1},
		"status refused":          {"set_status", answer{status: 404}, portal.OutcomeDone, portal.OutcomeRefused, 1},
		"status failed":           {"set_status", no, portal.OutcomeDone, portal.OutcomeRefused, 1},
		"status, credential":      {"set_status", answer{status: 403}, portal.OutcomeDone, portal.OutcomeCredential, 1},
		"status, busy":            {"set_status", answer{status: 429}, portal.OutcomeDone, portal.OutcomeBusy, 1},
		"status, server error":    {"set_status", answer{status: 502}, portal.OutcomeDone, portal.OutcomeUnknown, 1},
		"status, broken off":      {"set_status", answer{}, portal.OutcomeDone, portal.OutcomeUnknown, 1},
		"status, another's reply": {"set_status", ok(done), portal.OutcomeDone, portal.OutcomeUnknown, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for m, want := range map[string]portal.Outcome{"remark": tt.remark, "failed": tt.failed} {
				g := start(t, "tl")
				g.ready()
				g.says(tt.method, tt.answer)
				message := g.message(portal.Failed, "Port finns ej")
				if m == "remark" {
					message = g.remark(portal.RemarkProblem, "Port finns ej")
				}
				_, err := g.client("").Report(t.Context(), message)
				if portal.OutcomeOf(err) != want || err != nil && strings.Contains(err.Error(), "finns") {
					t.Errorf("%s: %v, want %s", m, err, want)
				}
				sent := 0
				for _, call := range g.made() {
					if strings.HasPrefix(call, "add_message") {
						sent++
					}
				}
				if sent != tt.sent {
					t.Errorf("%s: sent %d times, want %d", m, sent, tt.sent)
				}
			}
		})
	}
}

// TestHalfAReportIsUnknown, though of its second half it is known that it was not
// made: the hash was refused, and Tjänsteguiden is down by then.
func TestHalfAReportIsUnknown(t *testing.T) {
	t.Parallel()
	g := start(t, "tl")
	g.ready()
	g.says("set_status", answer{status: 401, then: func() { g.says("api_login", answer{status: 500}) }})
	c := g.client("")
	if _, err := c.Report(t.Context(), g.message(portal.Failed, "Port finns ej")); portal.OutcomeOf(err) != portal.OutcomeUnknown {
		t.Errorf("%v", err)
	}
	if _, err := c.Report(t.Context(), g.message(portal.Delivered, "")); portal.OutcomeOf(err) != portal.OutcomeFailed {
		t.Errorf("a status alone: %v", err)
	}
}

func TestMessageText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                 "",
		" a\r\nb ":                         "a\nb",
		strings.Repeat("å", maxMessage):    strings.Repeat("å", maxMessage),
		strings.Repeat("a", maxMessage+1):  strings.Repeat("a", maxMessage-1) + "…",
		strings.Repeat("😀", 501):           strings.Repeat("😀", 499) + "…", // 12 bytes each, and 9
		strings.Repeat("😀", 500):           strings.Repeat("😀", 500),
		strings.Repeat("a", 2*maxMessage):  strings.Repeat("a", maxMessage-1) + "…",
		strings.Repeat("€", maxMessage-10): strings.Repeat("€", 665) + "…",
	} {
		got := messageText(in)
		if got != want || len(url.QueryEscape(got)) > maxMessageBytes {
			t.Errorf("%.20q: %d characters, want %d", in, len([]rune(got)), len([]rune(want)))
		}
	}
}

func TestAReportIsNotSentLate(t *testing.T) {
	t.Parallel()
	g := start(t, "ko")
	ctx := lateContext{t.Context()}
	if _, err := g.client("").Report(ctx, g.message(portal.Delivered, "")); portal.OutcomeOf(err) != portal.OutcomeFailed {
		t.Errorf("%v", err)
	}
	if calls := g.made(); len(calls) > 0 {
		t.Errorf("%v", calls)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	g := start(t, "ko")
	c := g.client(`"on_api":[{"prefix":"KC","base_url":"https://onapi.example/onapi/2.4","username":"u","password":"p"}],`)
	if diff := cmp.Diff([]string{g.url, "https://onapi.example/onapi/2.4"}, c.Addresses()); diff != "" {
		t.Error(diff)
	}
}

// date is a time of day on the day of the tests, in Sweden.
func date(t *testing.T, clock string) time.Time {
	t.Helper()
	return at(t, "2026-11-24 "+clock)
}
