package vitec

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door"
	"portico/internal/partner/door/doortest"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

func TestTicket(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	token := b.fake.TokenFor(office, b.order.ID, "MED30011_124", time.Hour)
	got, err := b.client.Ticket(t.Context(), query(office, token))
	if err != nil {
		t.Fatal(err)
	}
	raw := got.Raw
	got.Raw = nil
	want := portal.Ticket{OrderID: b.order.ID, Customer: office, UserID: "MED30011_124", OwnerID: "MED30011_118",
		Tenant: "T2011", Chain: "G41", Target: portal.Target{Type: "HousingCooperative", ID: "OBJ30011_1684210"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(string(raw), token) || !json.Valid(raw) || !strings.Contains(string(raw), `"hasExpired":false`) {
		t.Errorf("raw %s", raw)
	}
	if body := b.fake.Log()[0].Body; body != `{"data":"`+token+`"}` {
		t.Errorf("sent %s", body)
	}
}

func TestTicketWithABarePlus(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	q, err := url.ParseQuery("customerId=" + office + "&token=" + b.fake.Token(b.order.ID)) // + not encoded
	if err != nil {
		t.Fatal(err)
	}
	if got, err := b.client.Ticket(t.Context(), q); err != nil || got.OrderID != b.order.ID {
		t.Errorf("ticket %+v, error %v", got, err)
	}
}

func TestTicketFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fault   vitectest.FaultKind
		kind    portal.Kind
		say     string
		expired bool
		is      error
	}{
		{fault: vitectest.FaultUnauthorized, kind: portal.Unavailable, say: "callback.credential", is: portal.ErrCredential},
		{fault: vitectest.FaultForbidden, kind: portal.Forbidden, say: "callback.invalid"},
		{fault: vitectest.FaultBadRequest, kind: portal.Forbidden, say: "callback.invalid"},
		{fault: vitectest.FaultNotFound, kind: portal.Forbidden, say: "callback.invalid"},
		{fault: vitectest.FaultTooMany, kind: portal.Unavailable, say: "callback.unavailable"},
		{fault: vitectest.FaultServerError, kind: portal.Unavailable, say: "callback.unavailable"},
		{fault: vitectest.FaultUnavailable, kind: portal.Unavailable, say: "callback.unavailable"},
		{fault: vitectest.FaultHTML, kind: portal.Unavailable, say: "callback.unavailable"},
		{fault: vitectest.FaultRedirect, kind: portal.Unavailable, say: "callback.unavailable"},
		{fault: vitectest.FaultDrop, kind: portal.Unavailable, say: "callback.unavailable"},
		{fault: vitectest.FaultTruncated, kind: portal.Unavailable, say: "callback.unavailable"},
		{fault: vitectest.FaultStoredDrop, kind: portal.Unavailable, say: "callback.unavailable"},
		{fault: vitectest.FaultEmptyTicket, kind: portal.Unavailable, say: "callback.unavailable"},
		{fault: vitectest.FaultOtherOffice, kind: portal.Forbidden, say: "callback.other_office", is: portal.ErrOtherOffice},
		{fault: vitectest.FaultNoExpiry, expired: true},
		{fault: vitectest.FaultExpired, expired: true},
		{fault: vitectest.FaultExpiredBare, expired: true},
	} {
		t.Run(string(tt.fault), func(t *testing.T) {
			t.Parallel()
			b := setup(t, Options{})
			b.fake.SetFault(vitectest.OpToken, vitectest.Fault{Kind: tt.fault, RetryAfter: "30"})
			got, err := b.client.Ticket(t.Context(), query(office, b.fake.Token(b.order.ID)))
			if (err == nil) != (tt.say == "") || got.Expired != tt.expired {
				t.Fatalf("ticket %+v, error %v", got, err)
			}
			if err != nil && (portal.KindOf(err) != tt.kind || doortest.SayKey(err) != tt.say) {
				t.Errorf("kind %v, say %q: %v", portal.KindOf(err), doortest.SayKey(err), err)
			}
			if !errors.Is(err, tt.is) && tt.is != nil {
				t.Errorf("%v is not in %v", tt.is, err)
			}
			if tt.is == nil && errors.Is(err, portal.ErrCredential) {
				t.Errorf("a bad link counts as a bad credential: %v", err)
			}
			if n := b.fake.Count(vitectest.OpToken); n != 1 {
				t.Errorf("%d calls, want 1", n)
			}
		})
	}
}

func TestTicketKeepsRetryAfter(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	b.fake.SetFault(vitectest.OpToken, vitectest.Fault{Kind: vitectest.FaultUnavailable, RetryAfter: "30"})
	_, err := b.client.Ticket(t.Context(), query(office, b.fake.Token(b.order.ID)))
	var report *portal.ReportError
	if !errors.As(err, &report) || report.RetryAfter != 30*time.Second || report.Outcome != portal.OutcomeBusy {
		t.Errorf("error %v", err)
	}
}

func TestTicketTimeout(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{Timeout: 50 * time.Millisecond})
	b.fake.SetFault(vitectest.OpToken, vitectest.Fault{Kind: vitectest.FaultSlow})
	_, err := b.client.Ticket(t.Context(), query(office, b.fake.Token(b.order.ID)))
	if portal.KindOf(err) != portal.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestTicketOfAnotherOfficesURL(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	_, err := b.client.Ticket(t.Context(), query("M30012", b.fake.Token(b.order.ID)))
	if portal.KindOf(err) != portal.Forbidden || doortest.SayKey(err) != "callback.invalid" {
		t.Errorf("error %v", err)
	}
}

func TestBadCallbackMakesNoCall(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	good := b.fake.Token(b.order.ID)
	for name, q := range map[string]url.Values{
		"nothing":       {},
		"no token":      {"customerId": {office}},
		"no office":     {"token": {good}},
		"empty token":   query(office, ""),
		"long token":    query(office, strings.Repeat("a", maxToken+1)),
		"line break":    query(office, "abc\ndef"),
		"NUL":           query(office, "abc\x00"),
		"letters":       query(office, "åäö"),
		"no UTF-8":      query(office, "abc\xff"),
		"path":          query("../../User", good),
		"slash":         query("M1/M2", good),
		"query":         query("M1?x=1", good),
		"long office":   query(strings.Repeat("M", 65), good),
		"two offices":   {"customerId": {office, "M30012"}, "token": {good}},
		"two tokens":    {"customerId": {office}, "token": {good, good}},
		"office spaces": query(" "+office, good),
	} {
		_, err := b.client.Ticket(t.Context(), q)
		if portal.KindOf(err) != portal.Forbidden || doortest.SayKey(err) != "callback.invalid" {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if n := b.fake.Count(vitectest.OpAny); n != 0 {
		t.Errorf("%d calls, want none", n)
	}
	if got := b.client.Office(query(office, "")); got != office {
		t.Errorf("Office = %q", got)
	}
	if got := b.client.Office(query("../x", "")); got != "" {
		t.Errorf("Office = %q, want none", got)
	}
}

func TestTicketAnswers(t *testing.T) {
	t.Parallel()
	const full = `"orderId": "7", "customerId": "M30011"`
	for name, tt := range map[string]struct {
		body    string
		kind    portal.Kind // Internal: no error
		expired bool
	}{
		"as documented":      {body: `{` + full + `, "hasExpired": false}`},
		"unknown fields":     {body: `{` + full + `, "hasExpired": false, "more": {"a": [1]}}`},
		"pascal case":        {body: `{"OrderId": "7", "CustomerId": "M30011", "HasExpired": false}`},
		"code sample's name": {body: `{` + full + `, "orderTicketHasExpired": false}`},
		"hasExpired wins":    {body: `{` + full + `, "orderTicketHasExpired": false, "hasExpired": true}`, expired: true},
		"null":               {body: `{` + full + `, "hasExpired": null}`, expired: true},
		"expired, no ids":    {body: `{"hasExpired": true}`, expired: true},
		"empty object":       {body: `{}`, expired: true},
		"expired, other":     {body: `{"hasExpired": true, "customerId": "M30012"}`, kind: portal.Forbidden},
		"case of the office": {body: `{"orderId": "7", "customerId": "m30011", "hasExpired": false}`, kind: portal.Forbidden},
		"no office":          {body: `{"orderId": "7", "hasExpired": false}`, kind: portal.Unavailable},
		"text for a flag":    {body: `{` + full + `, "hasExpired": "false"}`, kind: portal.Unavailable},
		"number for an id":   {body: `{"orderId": 7, "customerId": "M30011", "hasExpired": false}`, kind: portal.Unavailable},
		"NUL in an id":       {body: `{` + full + `, "userId": "a\u0000b", "hasExpired": false}`, kind: portal.Unavailable},
		"endless id":         {body: `{` + full + `, "targetId": "` + strings.Repeat("x", 201) + `", "hasExpired": false}`, kind: portal.Unavailable},
		"list":               {body: `[]`, kind: portal.Unavailable},
		"two values":         {body: `{` + full + `, "hasExpired": false} {}`, kind: portal.Unavailable},
		"no UTF-8":           {body: "{" + full + ", \"userId\": \"\xff\", \"hasExpired\": false}", kind: portal.Unavailable},
		"empty":              {body: ``, kind: portal.Unavailable},
		"too long":           {body: `{` + full + `, "hasExpired": false}` + strings.Repeat(" ", door.MaxAnswer), kind: portal.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := serve(t, doortest.Answer(http.StatusOK, "application/json", tt.body))
			got, err := c.Ticket(t.Context(), query(office, "abc"))
			if (err == nil) != (tt.kind == portal.Internal) || portal.KindOf(err) != tt.kind || got.Expired != tt.expired {
				t.Errorf("ticket %+v, error %v", got, err)
			}
		})
	}
}
