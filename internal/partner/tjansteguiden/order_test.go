package tjansteguiden

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

const orderInfo = `<order_info><response><order><id>19530</id><type>order</type><date>2015-10-06 11:48:00</date><status>received</status>
	<service>2440</service><service_uid>BB100100</service_uid><xsp>31420</xsp><delivery>2015-10-07 13:30:00</delivery><customer>16745</customer></order>
	</response><status>success</status></order_info>`

func TestOrder(t *testing.T) {
	t.Parallel()
	g := start(t, "tl")
	g.says("order_info", ok(orderInfo))
	g.says("customer_info", ok(strings.ReplaceAll(providerCustomer, "10573", "16745")))
	created := at(t, "2015-10-06 11:48:00")
	got, err := g.client("").Order(t.Context(), portal.Listed{OrderID: "19530", Status: "new", UserID: "16745", Customer: "1234", New: true,
		State: portal.Received, Wished: portal.Asap, CreatedAt: created})
	if err != nil {
		t.Fatal(err)
	}
	want := portal.Fetched{
		Listed: portal.Listed{OrderID: "19530", Status: "received", State: portal.Received, UserID: "16745", TargetID: "KC0101A06", ServiceID: "2440",
			Customer: "1234", Wished: "2015-10-07 13:30", CreatedAt: created},
		Ticket: portal.Ticket{OrderID: "19530", Customer: "1234", CustomerName: "Tjänsteguiden", UserID: "16745", OwnerID: "16745", UserName: "Susanne Testqvist",
			Target: portal.Target{Type: "access", ID: "KC0101A06", Name: "Testgatan10b, 64430 Torshälla"},
			Raw: json.RawMessage(`{"customer_info":{"customer":{"address":"Testgatan10b","city":"Torshälla","email":"testqvist@epost.se","firstname":"Susanne","id":"16745",` +
				`"socket":"KC0101A06","surname":"Testqvist","zip":"64430"},"data":{"phone":"0708530013","premise":"1002"}},` +
				`"order_info":{"order":{"customer":"16745","date":"2015-10-06 11:48:00","delivery":"2015-10-07 13:30:00","id":"19530","service":"2440",` +
				`"service_uid":"BB100100","status":"received","type":"order","xsp":"31420"}}}`)},
		Details: portal.Details{Type: "access", Street: "Testgatan10b", ZipCode: "64430", City: "Torshälla", Name: "Susanne Testqvist", Email: "testqvist@epost.se",
			Phone: "0708530013", Wished: "2015-10-07 13:30", More: []portal.Fact{{Name: "service_uid", Value: "BB100100"}, {Name: "premise", Value: "1002"}}},
		PersonalNumber: "19700101010101",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{loginURL, "order_info&hash=H1&id=19530", "customer_info&hash=H1&id=16745"}, g.made()); diff != "" {
		t.Error(diff)
	}
}

func TestOrderOfANetwork(t *testing.T) {
	t.Parallel()
	g := start(t, "ko")
	g.says("order_info", ok(`<order_info><id>19530</id><status>delivered</status><xsp>31420</xsp><xsp_name>Bredband AB</xsp_name><type>flytt</type>
		<delivery>snart</delivery><customer>16745</customer><extra><floor>3</floor><floor>4</floor></extra></order_info>`))
	g.says("customer_info", ok(networkCustomerInfo))
	got, err := g.client(`"query":{"order":"order","customer":"user"},`).Order(t.Context(), portal.Listed{OrderID: "19530", Status: "new", New: true})
	if err != nil {
		t.Fatal(err)
	}
	wantMore := []portal.Fact{{Name: "xsp_name", Value: "Bredband AB"}, {Name: "type", Value: "flytt"}, {Name: "delivery", Value: "snart"}, {Name: "extra.floor", Value: "3"},
		{Name: "extra.floor", Value: "4"}, {Name: "member", Value: "1234"}, {Name: "message", Value: "TESTBESTÄLLNING"}, {Name: "premise", Value: "508-004-06-0302"}}
	if diff := cmp.Diff(wantMore, got.Details.More); diff != "" {
		t.Error(diff)
	}
	if l := got.Listed; l.State != portal.Delivered || l.New || l.UserID != "16745" || l.Customer != "31420" || got.Ticket.Customer != "31420" || got.Ticket.CustomerName != "Bredband AB" {
		t.Errorf("%+v", got)
	}
	if got.Details.Phone != "0703051947" || got.PersonalNumber != "197510116952" {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([]string{"order_info&order=19530&api_user=1234", "customer_info&user=16745&api_user=1234"}, g.made()); diff != "" {
		t.Error(diff)
	}
}

func TestNoPersonalNumberIsLeft(t *testing.T) {
	t.Parallel()
	for number, forms := range map[string]string{
		"197510116952":   "19751011-6952 751011-6952 7510116952 751011+6952 751011 6952 197510116952",
		"19751011-6952":  "197510116952 751011-6952",
		"19700101010101": "19700101010101",
		"":               "900101-0017 19850615-1235 8506151235",
	} {
		g := start(t, "tl")
		g.says("order_info", ok(strings.Replace(orderInfo, "<type>", "<note>"+forms+"</note><p19850615-1235>x</p19850615-1235><type>", 1)))
		customer := strings.ReplaceAll(strings.Replace(providerCustomer, "19700101010101", " "+number+" ", 1), "10573", "16745")
		for _, old := range []string{"Susanne", "Testqvist", "Testgatan10b", "Torshälla", "1002"} {
			customer = strings.Replace(customer, old, old+" "+forms, 1)
		}
		customer = strings.Replace(customer, "0708530013", "751011-6952", 1)
		g.says("customer_info", ok(customer))
		got, err := g.client("").Order(t.Context(), portal.Listed{OrderID: "19530"})
		if err != nil || got.PersonalNumber != number {
			t.Fatalf("%q: %q, %v", number, got.PersonalNumber, err)
		}
		got.PersonalNumber = ""
		text := string(door.JSON(got))
		for _, form := range append(strings.Fields(forms), "6952", "0017", "1235", "010101") {
			if strings.Contains(text, form) {
				t.Errorf("%q: %s is in %s", number, form, text)
			}
		}
	}
}

// TestAPhoneNumberStays, though it has the form of a personal number, unless it is
// the customer's.
func TestAPhoneNumberStays(t *testing.T) {
	t.Parallel()
	const phone = "0701010001" // 1 January 2007, and its check digit is right
	if !portal.PlausiblePersonalNumber(phone) {
		t.Fatal("the test is about nothing")
	}
	for number, want := range map[string]string{"197510116952": phone, "200701010001": "••••"} {
		g := start(t, "tl")
		g.says("order_info", ok(orderInfo))
		customer := strings.NewReplacer("10573", "16745", "19700101010101", number, "0708530013", phone, "1002", phone).Replace(providerCustomer)
		g.says("customer_info", ok(customer))
		got, err := g.client("").Order(t.Context(), portal.Listed{OrderID: "19530"})
		if err != nil || got.Details.Phone != want || got.Details.More[1].Value != "••••" {
			t.Errorf("%+v, %v", got.Details, err)
		}
	}
}

func TestOrderThatCannotBeHad(t *testing.T) {
	t.Parallel()
	long := "<order_info>751011-6952<serial>19700101010101</serial>19700101010101" + strings.Repeat("å", maxRaw)
	for name, tt := range map[string]struct {
		order, customer answer
		say             string
		outcome         portal.Outcome
		raw             string // how it starts
	}{
		"no answer":        {order: answer{}, say: "polls.no_answer", outcome: portal.OutcomeUnknown},
		"500":              {order: answer{status: 500, body: "<serial>1"}, say: "polls.no_answer", outcome: portal.OutcomeUnknown, raw: "<serial>••••"},
		"503":              {order: answer{status: 503}, say: "polls.no_answer", outcome: portal.OutcomeBusy},
		"redirect":         {order: answer{status: 302}, say: "polls.no_answer", outcome: portal.OutcomeUnknown},
		"400":              {order: answer{status: 400, body: importFailed}, say: "polls.refused", outcome: portal.OutcomeRefused, raw: "<insert_posts>"},
		"401":              {order: answer{status: 401}, say: "polls.refused", outcome: portal.OutcomeCredential},
		"failed":           {order: ok(importFailed), say: "polls.refused", outcome: portal.OutcomeRefused, raw: "<insert_posts>"},
		"html":             {order: ok("<html>751011-6952</html>"), say: "polls.unreadable", outcome: portal.OutcomeUnknown, raw: "<html>••••</html>"},
		"cut":              {order: ok(long), say: "polls.unreadable", outcome: portal.OutcomeUnknown, raw: "<order_info>••••<serial>••••</serial>••••åå"},
		"connection cut":   {order: answer{status: 200, body: "<order_info>", header: map[string][]string{"Content-Length": {"100"}}}, say: "polls.unreadable", outcome: portal.OutcomeUnknown, raw: "<order_info>"},
		"too long":         {order: ok("<order_info>" + strings.Repeat(" ", door.MaxAnswer)), say: "polls.unreadable", outcome: portal.OutcomeUnknown, raw: "<order_info>  "},
		"another order":    {order: ok(strings.Replace(orderInfo, "19530", "19531", 1)), say: "polls.unreadable", outcome: portal.OutcomeUnknown, raw: "<order_info>"},
		"no customer":      {order: ok("<order_info><id>19530</id></order_info>"), say: "polls.no_access", outcome: portal.OutcomeUnknown, raw: "<order_info>"},
		"customer refused": {customer: answer{status: 404, body: "nobody"}, say: "polls.refused", outcome: portal.OutcomeRefused, raw: "nobody"},
		"another customer": {customer: ok(providerCustomer), say: "polls.unreadable", outcome: portal.OutcomeUnknown, raw: "<customer_info>"},
		"no access": {customer: ok("<customer_info><customer><serial>7</serial><socket/></customer></customer_info>"), say: "polls.no_access", outcome: portal.OutcomeUnknown,
			raw: "<customer_info><customer><serial>••••</serial>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, "tl")
			g.says("order_info", ok(orderInfo))
			g.says("customer_info", tt.customer)
			if tt.customer.status == 0 {
				g.says("order_info", tt.order)
			}
			_, err := g.client("").Order(t.Context(), portal.Listed{OrderID: "19530"})
			var e *portal.FetchError
			if !errors.As(err, &e) || e.Say.Key != tt.say || outcome(err) != tt.outcome || errors.Is(err, portal.ErrCredential) != (tt.outcome == portal.OutcomeCredential) {
				t.Fatalf("%s: %v", outcome(err), err)
			}
			if !strings.HasPrefix(e.Raw, tt.raw) || len(e.Raw) > maxRaw || (e.Raw == "") != (tt.raw == "") {
				t.Errorf("raw %q", e.Raw)
			}
			for _, secret := range []string{"H1", "751011", apiKey, "197001", "id=19530"} {
				if strings.Contains(err.Error()+e.Raw, secret) {
					t.Errorf("%s is in %v, %s", secret, err, e.Raw)
				}
			}
		})
	}
}

func TestOrderWithoutAnID(t *testing.T) {
	t.Parallel()
	g := start(t, "tl")
	_, err := g.client("").Order(t.Context(), portal.Listed{Status: "new", UserID: "16745"})
	var e *portal.FetchError
	if !errors.As(err, &e) || e.Say.Key != "polls.no_id" || !strings.Contains(e.Raw, "16745") || len(g.made()) != 0 {
		t.Errorf("%v", err)
	}
}

func TestFactsAreBounded(t *testing.T) {
	t.Parallel()
	g := start(t, "ko")
	g.says("order_info", ok("<order_info><customer>1</customer><socket>KC1</socket>"+strings.Repeat("<a>"+strings.Repeat("å", 3000)+"</a>", 60)+"</order_info>"))
	g.says("customer_info", ok("<customer_info><firstname>"+strings.Repeat("å", 3000)+"</firstname></customer_info>"))
	got, err := g.client("").Order(t.Context(), portal.Listed{OrderID: "1"})
	if err != nil || len(got.Details.More) != 50 || len([]rune(got.Details.More[0].Value)) != 2000 || len([]rune(got.Details.Name)) != 200 || got.Ticket.Target.ID != "KC1" {
		t.Errorf("%d facts, %v", len(got.Details.More), err)
	}
}
