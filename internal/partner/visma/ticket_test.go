package visma

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door/doortest"
	"portico/internal/partner/visma/vismatest"
	"portico/internal/portal"
)

func TestTicket(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	token := b.fake.TokenFor(b.order.GUID, 502, time.Hour)
	got, err := b.client.Ticket(t.Context(), b.query(b.order, token))
	if err != nil {
		t.Fatal(err)
	}
	raw := string(got.Raw)
	got.Raw = nil
	want := portal.Ticket{OrderID: b.order.GUID, Customer: customer, Tenant: customer, UserID: "502", UserName: "Øyvind Nesse",
		CustomerName: "Fjordlys Eiendomsmegling AS", Target: portal.Target{Type: "Case", ID: "66115"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(raw, "Fjordlys Voss") || strings.Contains(raw, token) || strings.Contains(raw, "@") || strings.Contains(raw, "Nesse") {
		t.Errorf("raw %s", raw)
	}
	// A colleague of another office opens the same order.
	colleague, err := b.client.Ticket(t.Context(), b.query(b.order, b.fake.TokenFor(b.order.GUID, 501, time.Hour)))
	if err != nil || colleague.Customer != got.Customer || colleague.OrderID != got.OrderID || colleague.Content() != got.Content() {
		t.Errorf("%+v, %v", colleague, err)
	}
	b.wantCalls(vismatest.OpToken, 1)
}

// TestTicketByLess: what the registered address leaves out.
func TestTicketByLess(t *testing.T) {
	t.Parallel()
	one := vismatest.DemoTenants()[:1]
	for name, tt := range map[string]struct {
		tenants []vismatest.Tenant
		change  func(url.Values)
		fails   bool
	}{
		"all":                         {change: func(url.Values) {}},
		"no order":                    {change: func(q url.Values) { q.Del("StreamOrderId") }},
		"no case":                     {change: func(q url.Values) { q.Del("caseId") }},
		"no name":                     {change: func(q url.Values) { q.Del("customerName") }},
		"no tenant":                   {change: func(q url.Values) { q.Del("tenantId") }},
		"no address":                  {change: func(q url.Values) { q.Del("flowUrl") }},
		"neither":                     {change: func(q url.Values) { q.Del("tenantId"); q.Del("flowUrl") }, fails: true},
		"neither, and one tenant":     {tenants: one, change: func(q url.Values) { q.Del("tenantId"); q.Del("flowUrl") }},
		"capital letters, and braces": {change: func(q url.Values) { q.Set("StreamOrderId", "{"+strings.ToUpper(q.Get("StreamOrderId"))+"}") }},
		"address without a slash":     {change: func(q url.Values) { q.Set("flowUrl", strings.TrimRight(q.Get("flowUrl"), "/")) }},
		"address without flow":        {change: func(q url.Values) { q.Set("flowUrl", strings.TrimSuffix(q.Get("flowUrl"), "flow/")) }},
		"address with Flow":           {change: func(q url.Values) { q.Set("flowUrl", strings.Replace(q.Get("flowUrl"), "flow/", "Flow", 1)) }},
	} {
		b := setup(t, "", vismatest.Options{Tenants: tt.tenants})
		q := b.query(b.order, b.fake.Token(b.order.GUID))
		tt.change(q)
		got, err := b.client.Ticket(t.Context(), q)
		if (err != nil) != tt.fails || err == nil && (got.OrderID != b.order.GUID || got.Customer != customer) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if office := b.client.Office(q); (office == "") != tt.fails {
			t.Errorf("%s: office %q", name, office)
		}
	}
}

// TestHostileAddress: a credential leaves for no host but a configured one.
func TestHostileAddress(t *testing.T) {
	t.Parallel()
	met := make(chan string, 100)
	hostile := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { met <- r.URL.String() }))
	defer hostile.Close()
	b := setup(t, "", vismatest.Options{})
	base := b.fake.Base(b.fake.URL, customer)
	host := strings.TrimPrefix(b.fake.URL, "http://")
	for _, address := range []string{
		hostile.URL, hostile.URL + "/core/14/flow", base + "@" + strings.TrimPrefix(hostile.URL, "http://"), "http://" + host + ".evil.example/core/14/flow",
		"http://user:pw@" + host + "/core/14/flow", base + "/flow?x=" + hostile.URL, base + "/flow#x", base + "/../22/flow", base + "/flow/flow",
		"https://" + host + "/core/14/flow", "//" + host + "/core/14/flow", "file:///core/14/flow", "javascript:alert(1)", "\x00", "flow", " ",
		b.fake.Base(b.fake.URL, "22") + "/flow", // another tenant's than tenantId says
	} {
		q := b.query(b.order, b.fake.Token(b.order.GUID))
		q.Set("flowUrl", address)
		_, err := b.client.Ticket(t.Context(), q)
		if portal.KindOf(err) != portal.Forbidden || b.client.Office(q) != "" {
			t.Errorf("%q: %v", address, err)
		}
	}
	b.wantCalls(doortest.OpAny, 0)
	if len(met) > 0 {
		t.Errorf("a call went to %s", <-met)
	}
}

func TestBadCallbackMakesNoCall(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	good := func() url.Values { return b.query(b.order, b.fake.Token(b.order.GUID)) }
	for name, change := range map[string]func(url.Values){
		"no token":        func(q url.Values) { q.Del("token") },
		"empty token":     func(q url.Values) { q.Set("token", "") },
		"long token":      func(q url.Values) { q.Set("token", strings.Repeat("a", maxToken+1)) },
		"line break":      func(q url.Values) { q.Set("token", "a\nb") },
		"letters":         func(q url.Values) { q.Set("token", "æøå") },
		"two tokens":      func(q url.Values) { q.Add("token", "b") },
		"unknown tenant":  func(q url.Values) { q.Set("tenantId", "99"); q.Del("flowUrl") },
		"two tenants":     func(q url.Values) { q.Add("tenantId", "22") },
		"order no GUID":   func(q url.Values) { q.Set("StreamOrderId", "7") },
		"order of zeroes": func(q url.Values) { q.Set("StreamOrderId", "00000000-0000-0000-0000-000000000000") },
		"two orders":      func(q url.Values) { q.Add("StreamOrderId", b.order.GUID) },
		"a path as case":  func(q url.Values) { q.Set("caseId", "1/../2") },
		"two cases":       func(q url.Values) { q.Add("caseId", "2") },
	} {
		q := good()
		change(q)
		if _, err := b.client.Ticket(t.Context(), q); portal.KindOf(err) != portal.Forbidden || doortest.SayKey(err) != "callback.invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.client.Plain(good()); portal.KindOf(err) != portal.Forbidden {
		t.Errorf("Plain: %v", err)
	}
	b.wantCalls(doortest.OpAny, 0)
}

func TestTokenOfAnother(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	second := b.fake.NewOrder(vismatest.Order{Tenant: customer, Case: 66120})
	theirs := b.fake.NewOrder(vismatest.Order{Tenant: "22"})
	for name, tt := range map[string]struct {
		order vismatest.Order // of the address
		token string
		other bool
	}{
		"another order":                    {b.order, b.fake.Token(second.GUID), true},
		"another tenant":                   {b.order, b.fake.Token(theirs.GUID), false},
		"our tenant at another's":          {theirs, b.fake.Token(b.order.GUID), false},
		"nobody":                           {b.order, "abcdef", false},
		"the right order and another case": {vismatest.Order{GUID: b.order.GUID, Tenant: customer, Case: 66120}, b.fake.Token(b.order.GUID), true},
	} {
		_, err := b.client.Ticket(t.Context(), b.query(tt.order, tt.token))
		if portal.KindOf(err) != portal.Forbidden || errors.Is(err, portal.ErrOtherOffice) != tt.other || errors.Is(err, portal.ErrCredential) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestExpiredToken: the browser's session may still do.
func TestExpiredToken(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	got, err := b.client.Ticket(t.Context(), b.query(b.order, b.fake.ExpiredToken(b.order.GUID)))
	if err != nil || !got.Expired || got.OrderID != b.order.GUID || got.Customer != customer {
		t.Errorf("%+v, %v", got, err)
	}
	b.wantCalls(vismatest.OpVerify, 2) // once more, with a token of ours that is surely good
}

func TestTicketFaults(t *testing.T) {
	t.Parallel()
	for fault, tt := range map[doortest.FaultKind]struct {
		kind portal.Kind
		say  string
	}{
		doortest.FaultForbidden:   {portal.Unavailable, "callback.credential"},
		doortest.FaultBadRequest:  {portal.Forbidden, "callback.invalid"},
		doortest.FaultNotFound:    {portal.Forbidden, "callback.invalid"},
		doortest.FaultTooMany:     {portal.Unavailable, "callback.unavailable"},
		doortest.FaultUnavailable: {portal.Unavailable, "callback.unavailable"},
		doortest.FaultServerError: {portal.Unavailable, "callback.unavailable"},
		doortest.FaultHTML:        {portal.Unavailable, "callback.unavailable"},
		vismatest.FaultGarbage:    {portal.Unavailable, "callback.unavailable"},
		doortest.FaultRedirect:    {portal.Unavailable, "callback.unavailable"},
		doortest.FaultDrop:        {portal.Unavailable, "callback.unavailable"},
		doortest.FaultTruncated:   {portal.Unavailable, "callback.unavailable"},
		doortest.FaultSlow:        {portal.Unavailable, "callback.unavailable"},
		vismatest.FaultNoOrder:    {portal.Unavailable, "callback.unavailable"},
		vismatest.FaultOtherOrder: {portal.Forbidden, "callback.invalid"},
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			b := setup(t, "", vismatest.Options{})
			if fault == doortest.FaultSlow {
				b.hurry()
			}
			b.fake.SetFault(vismatest.OpVerify, doortest.Fault{Kind: fault, RetryAfter: "30"})
			_, err := b.client.Ticket(t.Context(), b.query(b.order, b.fake.Token(b.order.GUID)))
			if portal.KindOf(err) != tt.kind || doortest.SayKey(err) != tt.say || errors.Is(err, portal.ErrCredential) != (tt.say == "callback.credential") {
				t.Errorf("%v", err)
			}
			var report *portal.ReportError
			if tt.kind == portal.Unavailable && !errors.As(err, &report) {
				t.Errorf("no report in %v", err)
			}
			b.wantCalls(vismatest.OpVerify, 1)
		})
	}
}

func TestTokenModel(t *testing.T) {
	t.Parallel()
	const id, other = "3fa85f64-5717-4562-b3fc-2c963f66afa6", "4fa85f64-5717-4562-b3fc-2c963f66afa6"
	for data, want := range map[string]string{
		`{"OrderId":"` + id + `"}`:                                       id,
		`{"orderId":"{` + strings.ToUpper(id) + `}"}`:                    id,
		`{"x":{"OrderId":"` + id + `"}}`:                                 id,
		`{"OrderId":"` + id + `","More":"text","N":1}`:                   id,
		`{"x":{"OrderId":"` + id + `"},"y":{"OrderId":"` + other + `"}}`: "",
		`{"OrderId":"` + id + `","y":{"OrderId":"` + other + `"}}`:       "",
		`{"OrderId":"12"}`:                                               "",
		`{"OrderId":12}`:                                                 "",
		`{}`:                                                             "",
		`null`:                                                           "",
		`[]`:                                                             "",
		`"x"`:                                                            "",
	} {
		var m tokenModel
		if err := json.Unmarshal([]byte(`{"Data":`+data+`}`), &m); err != nil {
			t.Fatal(err)
		}
		if got := m.order(); got != want {
			t.Errorf("%s: %q, want %q", data, got, want)
		}
	}
}

// TestOddTokenModels are as others than the fake might answer.
func TestOddTokenModels(t *testing.T) {
	t.Parallel()
	const id = `"Data":{"OrderId":"3fa85f64-5717-4562-b3fc-2c963f66afa6"}`
	for body, want := range map[string]portal.Kind{
		`{` + id + `}`: portal.Internal, // no error
		`{"UserId":"7","OfficeId":null,"CaseId":null,` + id + `}`: portal.Internal,
		`{"UserId":7,"CaseId":"11",` + id + `}`:                   portal.Internal,
		`{"UserId":7,"CaseId":"1/1",` + id + `}`:                  portal.Unavailable,
		`{"UserId":{},` + id + `}`:                                portal.Unavailable,
		`{}`:                                                      portal.Unavailable,
		``:                                                        portal.Unavailable,
		`null`:                                                    portal.Unavailable,
	} {
		c := serve(t, doortest.Answer(200, "application/json", body))
		got, err := c.Ticket(t.Context(), url.Values{"token": {"abc"}})
		if portal.KindOf(err) != want || err == nil && got.OrderID == "" {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
}
