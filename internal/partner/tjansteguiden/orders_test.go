package tjansteguiden

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

func at(t *testing.T, s string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	got, err := time.ParseInLocation(time.DateTime, s, zone)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// all returns what is listed, up to an error.
func (g *guide) all(c *Client) ([]portal.Listed, error) {
	var all []portal.Listed
	err := c.OrdersSince(g.Context(), g.clock.Now(), func(l portal.Listed) error {
		all = append(all, l)
		return nil
	})
	return all, err
}

func TestOrdersSince(t *testing.T) {
	t.Parallel()
	for role, customer := range map[string]string{"tl": "1234", "ko": "31420"} {
		g := start(t, role)
		g.says("orders", ok(orderList))
		got, err := g.all(g.client(""))
		ordered := at(t, "2015-10-06 11:48:00")
		want := []portal.Listed{
			{OrderID: "19530", Status: "new", UserID: "16745", ServiceID: "2440", CreatedAt: ordered, Customer: customer, Wished: "2015-10-06", State: portal.Received, New: true},
			{OrderID: "19531", Status: "new", UserID: "16746", ServiceID: "2440", CreatedAt: ordered, Customer: customer, Wished: portal.Asap, State: portal.Received, New: true},
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", role, err, diff)
		}
	}
}

func TestListed(t *testing.T) {
	t.Parallel()
	c := start(t, "tl").client("")
	created := at(t, "2018-01-01 12:34:00")
	for in, want := range map[string]portal.Listed{
		``: {},
		`<id> 7 </id><status>Received</status><customer><id>9</id></customer>`:                           {OrderID: "7", Status: "Received", State: portal.Received, UserID: "9"},
		`<id>7</id><status>active</status><date>2018-01-01 12:34</date>`:                                 {OrderID: "7", Status: "active", State: portal.Active, CreatedAt: created},
		`<id>7</id><status>waiting</status><date>2018-01-01T11:34:00Z</date>`:                            {OrderID: "7", Status: "waiting", State: portal.Waiting, CreatedAt: created},
		`<id>7</id><status>delivered</status><date>igår</date><delivery>snart</delivery>`:                {OrderID: "7", Status: "delivered", State: portal.Delivered},
		`<id>7</id><status>cancelled</status><delivery>2026-11-24 13:30:00</delivery>`:                   {OrderID: "7", Status: "cancelled", State: portal.Cancelled, Wished: "2026-11-24 13:30"},
		`<id>7</id><status>on hold 751011-6952</status><delivery>ASAP</delivery><date>0000-00-00</date>`: {OrderID: "7", Status: "on hold ••••", Wished: portal.Asap},
		`<id>7</id><status>new</status><delivery>2026-11-24</delivery><service>BB 1</service>`:           {OrderID: "7", Status: "new", State: portal.Received, New: true, Wished: "2026-11-24", ServiceID: "BB 1"},
		`<id>` + strings.Repeat("7", 65) + `</id>`:                                                       {},
	} {
		want.Customer = "1234"
		err := readList("", strings.NewReader("<orders><order>"+in+"</order></orders>"), "orders", "order", func(e element) error {
			if diff := cmp.Diff(want, c.listed(e), cmp.Transformer("UTC", time.Time.UTC)); diff != "" {
				t.Errorf("%s: %s", in, diff)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestReadList(t *testing.T) {
	t.Parallel()
	const one, two = "<order><id>1</id><status>failed</status></order>", "<order><id>2</id></order>"
	for name, tt := range map[string]struct{ body, want, err string }{
		"documented":        {orderList, "19530 19531", ""},
		"method":            {"<orders><response>" + one + two + "</response><status>success</status></orders>", "1 2", ""},
		"no response":       {"<orders>" + one + "</orders>", "1", ""},
		"a list in it":      {"<orders><response><list>" + one + two + "</list></response></orders>", "1 2", ""},
		"below a class":     {"<Class><orders>" + one + "</orders></Class>", "1", ""},
		"below the wrapper": {"<serviceguide><orders><response>" + one + "</response></orders></serviceguide>", "1", ""},
		"none":              {"<serviceguide><response/></serviceguide>", "", ""},
		"none at all":       {"<orders/>", "", ""},
		"without an id":     {"<orders><order/>" + one + "</orders>", " 1", ""},
		"failed":            {failed, "", "failed: Access denied for ••••"},
		"failed, another":   {zendFailed, "", "failed: Unknown Method"},
		"failed at the end": {"<orders>" + one + "<status>failed</status></orders>", "1", "failed"},
		"too deep for one":  {"<orders><a><b><c>" + one + "</c></b></a></orders>", "", ""},
		"another method":    {"<customers>" + one + "</customers>", "", "another method"},
		"cut":               {"<orders>" + one + two[:10], "1", "cut off"},
		"cut between":       {"<orders>" + one, "1", "cut off"},
		"cut in a name":     {"<orders>" + one + "</ord", "1", "cut off"},
		"broken":            {"<orders>" + one + "<order></x></order></orders>", "1", "no XML"},
		"html":              {"<html><order/></html>", "", "HTML"},
		"json":              {"[]", "", "no XML"},
		"empty":             {"", "", "empty"},
		"bomb":              {"<!DOCTYPE a><orders/>", "", "document type"},
		"too deep":          {"<orders>" + strings.Repeat("<a>", 1000), "", "more than it may"},
		"deep order":        {"<orders><order>" + strings.Repeat("<a>", 1000), "", "more than it may"},
		"long text":         {"<orders>" + one + strings.Repeat("x", maxToken+1) + "</orders>", "1", "longer"},
		"large order":       {"<orders><order>" + strings.Repeat("<a>"+strings.Repeat("x", maxToken/2)+"</a>", 10) + "</order></orders>", "", "more than it may"},
		"more":              {"<orders>" + one + "</orders><orders/>", "1", "more comes"},
		"latin-1":           {"<?xml version='1.0' encoding='ISO-8859-1'?><orders><order><id>\xe4</id></order></orders>", "ä", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ids []string
			err := readList("", strings.NewReader(tt.body), "orders", "order", func(e element) error {
				ids = append(ids, e.get("id"))
				return nil
			})
			if got := strings.Join(ids, " "); got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// TestALongListIsNotHeld in memory, and is yielded while it arrives. It is alone,
// for it measures the memory of all.
func TestALongListIsNotHeld(t *testing.T) {
	const count = 12_000
	g := start(t, "tl")
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, "<order><id>%d</id><status>new</status><note>%s</note></order>", i, strings.Repeat("x", 1000))
	}
	g.says("orders", ok("<orders><response>"+b.String()+"</response></orders>"))
	c := g.client("")
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n, most := 0, uint64(0)
	err := c.OrdersSince(t.Context(), g.clock.Now(), func(l portal.Listed) error {
		if n++; n%2000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
		}
		return nil
	})
	if err != nil || n != count {
		t.Errorf("%d orders, %v", n, err)
	}
	if grown := int64(most) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("%d bytes more for a list of %d", grown, b.Len())
	}
}

func TestAListThatBreaksOff(t *testing.T) {
	t.Parallel()
	g := start(t, "tl")
	g.says("orders", ok(orderList[:strings.LastIndex(orderList, "<xsp>")]))
	got, err := g.all(g.client(""))
	if len(got) != 1 || got[0].OrderID != "19530" || outcome(err) != portal.OutcomeUnknown || !errors.Is(err, errUnreadable) {
		t.Errorf("%v, %v", got, err)
	}
	g.made()
	g.says("orders", answer{status: 200, body: orderList, header: map[string][]string{"Content-Length": {"100000"}}})
	got, err = g.all(g.client(""))
	var e *door.Error
	if len(got) != 2 || !errors.As(err, &e) || !e.Sent {
		t.Errorf("%v, %v", got, err)
	}
	if calls := g.made(); len(calls) != 1 {
		t.Errorf("%v: what breaks off is not asked for again at once", calls)
	}
}

func TestYieldEndsAList(t *testing.T) {
	t.Parallel()
	g := start(t, "tl")
	g.says("orders", ok(orderList))
	enough := errors.New("enough")
	n := 0
	err := g.client("").OrdersSince(t.Context(), g.clock.Now(), func(portal.Listed) error { n++; return enough })
	if err != enough || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
}

func TestCustomersSince(t *testing.T) {
	t.Parallel()
	for role, want := range map[string]string{"tl": "customers&date=2018-01-04&hash=H1", "ko": "customers&date=2018-01-04&api_user=1234"} {
		g := start(t, role)
		g.says("customers", ok(customerList))
		var got []string
		err := g.client("").CustomersSince(t.Context(), at(t, "2018-01-04 00:00:00"), func(id string, access portal.Target) error {
			got = append(got, id+" "+access.Type+" "+access.ID)
			return nil
		})
		if diff := cmp.Diff([]string{"10573 access KC0101A06", "48962 access CCTW0151B87"}, got); err != nil || diff != "" {
			t.Errorf("%v %s", err, diff)
		}
		if calls := g.made(); calls[len(calls)-1] != want {
			t.Errorf("%v", calls)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	g := start(t, "ko")
	g.says("orders", ok(strings.Replace(orderList, "31420", "7", 1)))
	c := g.client(`"status_map":{"active":""},`)
	list, err := c.List(t.Context(), "31420", g.clock.Now())
	if err != nil || len(list.Orders) != 1 || list.Orders[0].OrderID != "19531" {
		t.Errorf("%+v, %v", list, err)
	}
	words := map[portal.State]string{portal.Received: "received", portal.Waiting: "waiting", portal.Delivered: "delivered", portal.Failed: "cancelled", portal.Cancelled: "cancelled"}
	if diff := cmp.Diff(words, list.Words); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(portal.PollRules{Words: words, Follows: true}, c.Rules()); diff != "" {
		t.Error(diff)
	}
	if r := start(t, "tl").client("").Rules(); !r.Acknowledges || r.Follows {
		t.Errorf("%+v", r)
	}
	g.says("orders", ok(failed))
	if _, err := c.List(t.Context(), "31420", g.clock.Now()); portal.OutcomeOf(err) != portal.OutcomeRefused {
		t.Errorf("%v", err)
	}
}

// TestTheDayIsThatOfTheZone: at half past eleven in the evening by UTC it is
// tomorrow in Sweden.
func TestTheDayIsThatOfTheZone(t *testing.T) {
	t.Parallel()
	g := start(t, "ko")
	g.says("orders", ok(noOrders))
	g.clock.Set(time.Date(2026, 11, 24, 23, 30, 0, 0, time.UTC))
	if err := g.fetch(g.client(`"query":{"date":"from","api_user":"user"},`)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"orders&from=2026-11-25&user=1234"}, g.made()); diff != "" {
		t.Error(diff)
	}
}
