package views

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"portico/internal/portal"
)

var update = flag.Bool("update", false, "write the goldens instead of comparing with them")

// TestMain makes a missing text a failure wherever a test renders it.
func TestMain(m *testing.M) {
	missing = func(locale string, s portal.Sentence, text string, err error) string {
		panic("no text for " + s.Key + " in " + locale + ": " + text)
	}
	os.Exit(m.Run())
}

func pages() map[string]Page {
	p := map[string]Page{
		"order_form_empty":  orderForm("sv", nil),
		"order_form_faults": orderForm("sv", wrong),
		"order_form_en":     orderForm("en", typed),
		"order_received":    orderPage("sv", portal.Received, events()[:2]),
		"order_active":      orderPage("nb", portal.Active, events()),
		"home":              HomePage{base("sv", "/")},
		"login":             StaffLoginPage{Base: base("sv", "/staff/login"), Next: "/staff/orders"},
		"login_wrong":       StaffLoginPage{Base: base("en", "/staff/login"), Email: "erik@nordljus.example", Error: portal.Say("login.wrong")},
		"queue":             queue("sv"),
		"outbox":            outbox("sv"),
		"outbox_empty":      StaffOutboxPage{Base: staffBase("nb", "/staff/outbox")},
		"workspace_active":  workspace("sv", portal.Active),
	}
	addOrderPages(p)
	addStaffPages(p)
	addErrorPages(p)
	addServicePages(p)
	addReconciliationPages(p)
	addCreationPages(p)
	addAccessPages(p)
	addPollPages(p)
	addLeadPages(p)
	addPeoplePages(p)
	return p
}

func addOrderPages(p map[string]Page) {
	cancelDraft := orderForm("nb", nil)
	cancelDraft.Rejected = RejectedForm{Form: "cancellation", Typed: url.Values{}, Faults: portal.FieldErrors{"reason": portal.Say("field.required")}}
	p["order_form_cancel"] = cancelDraft

	waiting := orderPage("sv", portal.Waiting, events(event(portal.EventAsked, byErik, 5*time.Minute, portal.EventData{Body: asked.Comment})))
	waiting.Questions = []portal.Interaction{asked, answered}
	waiting.Flash = portal.Say("flash.submission")
	p["order_waiting"] = waiting

	open := waiting
	open.Questions = []portal.Interaction{{ID: 10, Comment: "Vad är koden till porten?", AskedBy: byErik, AskedAt: ago(time.Hour)}}
	open.Rejected = RejectedForm{Form: "answers", Typed: url.Values{"answer": {""}}, Faults: portal.FieldErrors{"answer": portal.Say("field.required")}}
	p["order_waiting_fault"] = open

	done := orderPage("sv", portal.Delivered, events(
		event(portal.EventDelivered, byErik, 5*time.Hour, portal.EventData{Files: 3, Version: 1, Body: "Hela bildserien, 30 bilder."}),
		event(portal.EventRevision, byMaja, 2*time.Hour, portal.EventData{Body: "Köket är för mörkt."}),
		event(portal.EventDelivered, byErik, 20*time.Minute, portal.EventData{Files: 1, Version: 2, Body: "Ny kökbild enligt önskemål."})))
	done.Deliveries = delivered
	p["order_delivered"] = done

	once := done
	once.Deliveries, once.Events = delivered[1:], done.Events[:len(done.Events)-2]
	once.Rejected = RejectedForm{Form: "revisions", Typed: url.Values{"body": {""}}, Faults: portal.FieldErrors{"body": portal.Say("field.required")}}
	p["order_delivered_once"] = once

	p["order_failed"] = orderPage("sv", portal.Failed, events(event(portal.EventFailed, byErik, time.Hour, portal.EventData{Body: "Ingen öppnade, trots två besök."})))
	p["order_cancelled"] = orderPage("en", portal.Cancelled, events(event(portal.EventCancelled, byMaja, time.Hour, portal.EventData{Body: "Säljaren ångrade sig."})))
}

func addStaffPages(p map[string]Page) {
	none := queue("sv")
	none.Rows, none.Next, none.Counts = nil, "", nil
	p["queue_empty"] = none

	idle := none
	idle.Counts = map[portal.State]int{portal.Delivered: 12}
	p["queue_idle"] = idle

	match := queue("en")
	match.Rows, match.Next = nil, ""
	match.Query = OrderQuery{Q: "Storgatan 4", States: []portal.State{portal.Waiting, portal.Failed}, Service: "dronare", Sort: "newest"}
	match.Alarms = []Alarm{{System: "vitec", Customer: "M123", Since: ago(3 * time.Hour), Error: "401 Unauthorized"},
		{System: "vitec", Customer: portal.AnyCustomer, Since: ago(30 * time.Hour)}, {System: "vitec", Since: ago(2 * time.Minute), Down: true}}
	p["queue_no_match"] = match

	received := workspace("en", portal.Received)
	received.Events, received.AssignedTo, received.Assignee = events()[:2], 0, ""
	received.Jobs = []portal.Job{{ID: 1, State: portal.JobAvailable, MaxAttempts: 10, CreatedAt: ago(time.Second), RunAt: now, Message: portal.Message{State: portal.Received}}}
	received.Flash = portal.Say("flash.staff_start", "System", "vitec")
	received.Unverified = true
	p["workspace_received"] = received

	waiting := workspace("sv", portal.Waiting)
	waiting.Questions = []portal.Interaction{asked, answered}
	waiting.Jobs = jobs
	waiting.Rejected = RejectedForm{Form: "failure", Typed: url.Values{"description": {""}}, Faults: portal.FieldErrors{"description": portal.Say("field.required")}}
	p["workspace_waiting_fault"] = waiting

	fault := workspace("sv", portal.Active)
	fault.Rejected = RejectedForm{Form: "deliveries", Typed: url.Values{"message": {"Hela \"bildserien\", 30 bilder."}, "links": {"film.example/1"}},
		Faults: portal.FieldErrors{"files": portal.Say("delivery.file_size", "Name", "film.mov", "Max", 200), "links": portal.Say("delivery.bad_link", "Link", "film.example/1")}}
	p["workspace_delivery_fault"] = fault

	done := workspace("nb", portal.Delivered)
	done.Deliveries = delivered
	done.Jobs = []portal.Job{jobs[2], sampleJob(2, portal.Delivered, portal.JobParked, 10, "PUT /Service/Order/Status/M123: 400 Bad Request")}
	done.Events = events(
		event(portal.EventDelivered, byErik, 5*time.Hour, portal.EventData{Files: 3, Version: 1}),
		event(portal.EventParked, bySystem, 4*time.Hour, portal.EventData{State: portal.Delivered}),
		event(portal.EventRetried, byErik, 3*time.Hour, portal.EventData{State: portal.Delivered}),
		event(portal.EventSkipped, byErik, 2*time.Hour, portal.EventData{State: portal.Delivered, Body: "Ringt kontoret."}),
		event(portal.EventDiffers, byPartner, time.Hour, portal.EventData{Before: "EST-4711", After: "EST-4712"}))
	p["workspace_delivered"] = done

	viewer := workspace("sv", portal.Active)
	viewer.Staff = lisa
	p["workspace_viewer"] = viewer

	skip := outbox("en")
	skip.Rejected = RejectedForm{Form: "12/skip", Typed: url.Values{}, Faults: portal.FieldErrors{"reason": portal.Say("field.required")}}
	p["outbox_fault"] = skip

	many := outbox("sv")
	many.Query = OutboxQuery{Connection: "vitec", Age: "1h", After: "MjAyNi0xMS0yMw"}
	many.Rejected = RejectedForm{Form: "skip", Typed: url.Values{"job": {"12", "14"}, "reason": {""}}, Faults: portal.FieldErrors{"reason": portal.Say("field.required")}}
	p["outbox_many_fault"] = many

	unchosen := outbox("nb")
	unchosen.Rejected = RejectedForm{Form: "retry", Typed: url.Values{}, Faults: portal.FieldErrors{"job": portal.Say("outbox.choose_one")}}
	unchosen.Next = ""
	p["outbox_none_chosen"] = unchosen

	hidden := outbox("sv")
	hidden.Query, hidden.Rows, hidden.Next, hidden.Counts = OutboxQuery{Kind: "parked", Office: "M123"}, nil, "", OutboxCounts{Waiting: 4}
	p["outbox_no_match"] = hidden

	looking := outbox("en")
	looking.Staff, looking.Query.All = lisa, true
	p["outbox_viewer"] = looking
}

func addErrorPages(p map[string]Page) {
	p["error_404"] = ErrorPage{Base: base("sv", "/x"), Status: 404}
	p["error_500_staff"] = ErrorPage{Base: staffBase("sv", "/staff/orders"), Status: 500, RequestID: "7QK3M2ABCDEF"}
	p["error_409_staff"] = ErrorPage{Base: staffBase("en", "/staff/orders/1"), Status: 409, Message: portal.Say("order.refused_delivered", "To", "cancelled")}
	p["error_link_expired"] = ErrorPage{Base: base("sv", "/callback/x"), Status: 410, Kind: ErrorLinkExpired, System: "vitec"}
	p["error_no_grant"] = ErrorPage{Base: base("nb", "/orders/x"), Status: 401, Kind: ErrorNoGrant}
	p["error_partner"] = ErrorPage{Base: base("en", "/callback/x"), Status: 503, Kind: ErrorPartner, System: "vitec", RetryURL: "/callback/x?customerId=M123"}
}

func render(t *testing.T, p Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.View().Render(templ.WithNonce(context.Background(), "NONCE"), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGoldens(t *testing.T) {
	t.Parallel()
	for name, p := range pages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := normalise(t, render(t, p))
			file := filepath.Join("testdata", name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("go test ./views -update, if this is meant (-want +got):\n%s", diff)
			}
		})
	}
}

var assetHash = regexp.MustCompile(`(/static/[a-z/.]+)\.[0-9a-f]{12}\.`)

// normalise writes a document one tag or text a line, so that a difference is
// a line, and leaves out the hashes of the assets. A text that is all that its
// element holds stays with it: there white space may be kept.
func normalise(t *testing.T, page string) string {
	t.Helper()
	tokens := tokenise(t, page)
	var b strings.Builder
	for i, depth := 0, 0; i < len(tokens); i++ {
		tok := tokens[i]
		text := strings.TrimSpace(tok.String())
		if tok.Type == html.EndTagToken {
			depth--
		}
		indent := strings.Repeat(" ", depth)
		switch {
		case i+2 < len(tokens) && tok.Type == html.StartTagToken && tokens[i+1].Type == html.TextToken && tokens[i+2].Type == html.EndTagToken:
			text += tokens[i+1].String() + tokens[i+2].String()
			i += 2
		case tok.Type == html.StartTagToken && tok.Data == "pre":
			for tokens[i].Data != "pre" || tokens[i].Type != html.EndTagToken {
				i++
				text += strings.ReplaceAll(tokens[i].String(), "\n", "&#10;")
			}
		case tok.Type == html.StartTagToken && !void[tok.Data]:
			depth++
		}
		if text != "" {
			b.WriteString(indent + text + "\n")
		}
	}
	return assetHash.ReplaceAllString(b.String(), "$1.")
}

func tokenise(t *testing.T, page string) []html.Token {
	t.Helper()
	var tokens []html.Token
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		if z.Next() == html.ErrorToken {
			if z.Err() != io.EOF {
				t.Fatal(z.Err())
			}
			return tokens
		}
		tokens = append(tokens, z.Token())
	}
}

var void = map[string]bool{"meta": true, "link": true, "input": true, "br": true}
