package visma

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door/doortest"
	"portico/internal/partner/visma/vismatest"
	"portico/internal/portal"
)

func TestCase(t *testing.T) {
	t.Parallel()
	for _, sellers := range []bool{false, true} {
		b := setup(t, "", vismatest.Options{})
		want := portal.Details{Number: "14-25-0117", Type: "PropertyForSale", Street: "Nygårdsgaten 84 C", ZipCode: "5008", City: "Bergen",
			Broker: "Ingrid Solberg", Office: "Fjordlys Bergen sentrum"}
		if sellers {
			want.Sellers = []string{"Torhild Eide", "Arne Eide"}
		}
		got, err := b.client.Describe(t.Context(), customer, portal.Target{ID: "66115"}, sellers)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Error(diff, err)
		}
		for _, r := range b.fake.Log() {
			if r.Op == vismatest.OpSearch && strings.Contains(r.Query+r.Answer, "Sellers") != sellers {
				t.Errorf("sellers wanted: %t, asked: %s", sellers, r.Query)
			}
		}
	}
}

func TestNoCase(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	for _, id := range []string{"1", "70402", "", "1 or 1 eq 1", "66115'"} {
		if _, err := b.client.Describe(t.Context(), customer, portal.Target{ID: id}, false); portal.KindOf(err) != portal.NotFound {
			t.Errorf("%q: %v", id, err)
		}
	}
	b.wantCalls(vismatest.OpSearch, 2)
	b.fake.SetFault(vismatest.OpSearch, doortest.Fault{Kind: doortest.FaultForbidden})
	if _, err := b.client.Describe(t.Context(), customer, portal.Target{ID: "66115"}, false); !errors.Is(err, portal.ErrCredential) {
		t.Errorf("error %v", err)
	}
}

func TestOddRows(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`[{"Id":7,"Sellers":["Ola","Kari"],"Address":"Gata 1, Oslo"}]`:                      "Ola Kari",
		`{"Count":1,"Results":[{"Id":"7","Sellers":"Ola, Kari","Address":"Gata 1, Oslo"}]}`: "Ola Kari",
		`[{"Id":7,"Sellers":null,"Address":"Gata 1, Oslo"}]`:                                "",
	} {
		c := serve(t, doortest.Answer(http.StatusOK, "application/json", body))
		got, err := c.Describe(t.Context(), customer, portal.Target{ID: "7"}, true)
		if err != nil || strings.Join(got.Sellers, " ") != want || got.Street != "Gata 1, Oslo" {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
	for _, body := range []string{`[{"Id":8}]`, `[]`, `{"Count":0,"Results":[]}`} { // another's is not ours
		c := serve(t, doortest.Answer(http.StatusOK, "application/json", body))
		if got, err := c.Describe(t.Context(), customer, portal.Target{ID: "7"}, true); portal.KindOf(err) != portal.NotFound {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
	c := serve(t, doortest.Answer(http.StatusOK, "application/json", `"x"`))
	if _, err := c.Describe(t.Context(), customer, portal.Target{ID: "7"}, true); portal.OutcomeOf(err) != portal.OutcomeUnknown {
		t.Errorf("error %v", err)
	}
}

func TestCreateOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	got, err := b.client.CreateOrder(t.Context(), customer, "66120")
	if err != nil {
		t.Fatal(err)
	}
	o, ok := b.fake.Order(got.OrderID)
	if !ok || o.Case != 66120 || got.Customer != customer || got.Target != (portal.Target{Type: "Case", ID: "66120"}) {
		t.Errorf("%+v, %+v", got, o)
	}
	m := b.message(portal.Received, "")
	m.PartnerOrderID = got.OrderID
	if err := b.client.report(t.Context(), m); err != nil {
		t.Error(err)
	}
}

func TestCreateOrderRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	explained := func(err error, words string) {
		t.Helper()
		var e *portal.Error
		if !errors.As(err, &e) || e.Kind != portal.Forbidden || e.Say.Key != "partner.may_not_order" {
			t.Fatalf("error %v", err)
		}
		if text, _ := e.Say.Args["Answer"].(string); !strings.Contains(text, words) {
			t.Errorf("staff read %q", text)
		}
	}
	_, err := b.client.CreateOrder(t.Context(), "22", "70402")
	explained(err, "New order as integrator is not enabled")
	b.fake.SetPermissions(customer, vismatest.PermissionCases)
	_, err = b.client.CreateOrder(t.Context(), customer, "66120")
	explained(err, "Marketing Integrator - WRITE")
	b.fake.SetPermissions(customer, vismatest.AllPermissions...)
	for id, want := range map[string]portal.Kind{"70402": portal.NotFound, "x": portal.NotFound} {
		if _, err := b.client.CreateOrder(t.Context(), customer, id); portal.KindOf(err) != want {
			t.Errorf("%s: %v", id, err)
		}
	}
	for fault, say := range map[doortest.FaultKind]string{doortest.FaultStoredDrop: "partner.order_unknown",
		doortest.FaultTruncated: "partner.order_unknown", vismatest.FaultGarbage: "partner.order_unknown", doortest.FaultUnavailable: "partner.unavailable"} {
		b.fake.SetFault(vismatest.OpCreate, doortest.Fault{Kind: fault, Times: 1})
		_, err := b.client.CreateOrder(t.Context(), customer, "66120")
		if portal.KindOf(err) != portal.Unavailable || doortest.SayKey(err) != say {
			t.Errorf("%s: %v", fault, err)
		}
	}
}
