package vitec

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door/doortest"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

func TestList(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 7, 1, 10, 31, 59, 0, time.UTC)
	fake := vitectest.Start(t, vitectest.Options{Now: func() time.Time { return created }})
	c := newClient(t, fake.Connection("vitec", fake.URL), Options{})
	house := fake.NewOrder(vitectest.Order{Office: office, Estate: "OBJ30011_1684377"})
	fake.NewOrder(vitectest.Order{Office: "M30420"})
	want := portal.Listing{
		Orders: []portal.Listed{{OrderID: house.ID, Status: vitectest.StatusOrdered, TargetID: "OBJ30011_1684377", UserID: "MED30011_118",
			ServiceID: "0", CreatedAt: created, UpdatedAt: created}},
		Words: map[portal.State]string{portal.Received: "OrderReceived", portal.Delivered: "Delivered",
			portal.Failed: "Error", portal.Cancelled: "Error"},
	}
	got, err := c.List(t.Context(), office, created)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
	got, err = c.List(t.Context(), office, created.Add(time.Second))
	if len(got.Orders) != 0 || err != nil {
		t.Errorf("since a second later: %v, %v", got.Orders, err)
	}
}

// TestListTakesWhatItCan: an entry that nobody could store keeps no other out.
func TestListTakesWhatItCan(t *testing.T) {
	t.Parallel()
	c := serve(t, doortest.Answer(http.StatusOK, "application/json", `[{"status": "Error"}, {"id": "`+strings.Repeat("x", maxID+1)+`"},
		{"id": "7\u0000", "status": "Er\u0000ror\n", "targetId": "a\u0000", "userId": "b\u0000", "serviceId": "c\u0000"}]`))
	got, err := c.List(t.Context(), office, time.Time{})
	want := []portal.Listed{{OrderID: "7", Status: "Error", TargetID: "a", UserID: "b", ServiceID: "c"}}
	if diff := cmp.Diff(want, got.Orders); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

func TestListRefused(t *testing.T) {
	t.Parallel()
	for kind, want := range map[vitectest.FaultKind]portal.Outcome{vitectest.FaultUnauthorized: portal.OutcomeCredential,
		vitectest.FaultForbidden: portal.OutcomeRefused, vitectest.FaultUnavailable: portal.OutcomeBusy, vitectest.FaultBadRequest: portal.OutcomeRefused,
		vitectest.FaultHTML: portal.OutcomeUnknown, vitectest.FaultTruncated: portal.OutcomeUnknown} {
		b := setup(t, Options{})
		b.fake.SetFault(vitectest.OpList, vitectest.Fault{Kind: kind})
		got, err := b.client.List(t.Context(), office, time.Time{})
		if portal.OutcomeOf(err) != want || errors.Is(err, portal.ErrCredential) != (want == portal.OutcomeCredential) || len(got.Orders) > 0 {
			t.Errorf("%s: %v, %v, want %s", kind, got.Orders, err, want)
		}
	}
}
