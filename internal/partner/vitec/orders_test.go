package vitec

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door/doortest"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

func TestOrders(t *testing.T) {
	t.Parallel()
	for _, offset := range []bool{false, true} {
		created := time.Date(2026, 7, 1, 10, 31, 59, 886944500, time.UTC)
		fake := vitectest.Start(t, vitectest.Options{DateOffset: offset, Now: func() time.Time { return created }})
		c := newClient(t, fake.Connection("vitec", fake.URL), Options{})
		house := fake.NewOrder(vitectest.Order{Office: office, Estate: "OBJ30011_1684377"})
		fake.NewOrder(vitectest.Order{Office: office})
		fake.NewOrder(vitectest.Order{Office: "M30420"})
		got, err := c.Orders(t.Context(), office, Filter{TargetID: "OBJ30011_1684377", Status: vitectest.StatusOrdered,
			CreatedMin: created.Add(-time.Second), CreatedMax: created.Add(time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		want := []Entry{{ID: house.ID, CreatedAt: created, LastUpdatedAt: created, Status: "Ordered",
			TargetID: "OBJ30011_1684377", UserID: "MED30011_118", ServiceID: "0"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("offset %v: %s", offset, diff)
		}
		none, err := c.Orders(t.Context(), office, Filter{CreatedMin: created.Add(time.Second)})
		if err != nil || len(none) != 0 {
			t.Errorf("offset %v: %v, %v", offset, none, err)
		}
	}
}

func TestOrdersTolerance(t *testing.T) {
	t.Parallel()
	c := serve(t, doortest.Answer(http.StatusOK, "application/json", `[
		{"id": 7, "status": 3, "serviceId": 12, "createdAt": "0001-01-01T00:00:00", "userId": null, "new": {"a": 1}},
		{"Id": "8", "Status": "VadSomHelst", "LastUpdatedAt": "i går"}]`))
	got, err := c.Orders(t.Context(), office, Filter{})
	want := []Entry{{ID: "7", Status: "3", ServiceID: "12"}, {ID: "8", Status: "VadSomHelst"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for _, body := range []string{``, `{}`, `[1]`, `[{"id": {}}]`, `["x"]`} {
		c := serve(t, doortest.Answer(http.StatusOK, "application/json", body))
		if got, err := c.Orders(t.Context(), office, Filter{}); err == nil {
			t.Errorf("%s: %v and no error", body, got)
		}
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	c := serve(t, http.NotFound)
	for in, want := range map[string]string{
		"2026-08-31T11:46:09.65":            "2026-08-31T09:46:09.65Z",
		"2026-01-31T11:46:09":               "2026-01-31T10:46:09Z",
		"2026-10-04T10:31:59.8869445+02:00": "2026-10-04T08:31:59.8869445Z",
		"2026-10-04T10:31:59Z":              "2026-10-04T10:31:59Z",
		"2026-10-04 10:31:59":               "2026-10-04T08:31:59Z",
		"2026-10-04":                        "2026-10-03T22:00:00Z",
		"0001-01-01T00:00:00":               "",
		"0001-01-01T00:00:00Z":              "",
		"31/8 2026":                         "",
		"":                                  "",
	} {
		got := c.date(in)
		if want == "" && !got.IsZero() || want != "" && got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("%q: %s, want %q", in, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	if err := b.client.Check(t.Context(), office); err != nil {
		t.Error(err)
	}
	b.fake.SetFault(vitectest.OpList, vitectest.Fault{Kind: vitectest.FaultUnauthorized})
	if err := b.client.Check(t.Context(), office); portal.OutcomeOf(err) != portal.OutcomeCredential {
		t.Errorf("error %v", err)
	}
}
