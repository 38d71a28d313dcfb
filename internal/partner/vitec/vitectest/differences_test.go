package vitectest

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestDifferencesOnThePages: what the pages offer to make the two sides differ.
func TestDifferencesOnThePages(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	s := start(t, Options{Services: []Service{{ID: "foto", Name: "Expertfoto", CallbackURL: callback}}, Now: func() time.Time { return now }})
	b := newBrowser(t, s)

	b.Post("/faults", "kind", string(FaultUnopened), "times", "1")
	b.Sees("/faults", "Beställningen når inte leverantören")
	if status, location := b.Post(flat+"/orders", "service", "foto"); status != http.StatusSeeOther || location != flat {
		t.Errorf("an order that the provider never hears of: %d %s", status, location)
	}
	lost := s.Orders()[0]
	if !lost.CreatedAt.Equal(now.Add(-time.Hour)) || lost.Status != StatusOrdered {
		t.Errorf("order %+v", lost)
	}
	if _, location := b.Post(flat+"/orders", "service", "foto"); !strings.HasPrefix(location, callback) {
		t.Errorf("the next order leads to %s", location)
	}

	b.Post("/faults", "kind", string(FaultLost), "op", string(OpList), "times", "1")
	status, body := send(t, "PUT", s.URL+"/Service/Order/Status/M30011", "one", `{"id": "`+lost.ID+`", "status": "Delivered"}`)
	if status != http.StatusOK || body != "true" || len(s.Statuses(lost.ID)) != 0 {
		t.Errorf("a status that is lost: %d %s, %v", status, body, s.Statuses(lost.ID))
	}

	b.Sees(flat, lost.ID, "Ta bort ur Vitec")
	if status, location := b.Post("/orders/M30011/" + lost.ID + "/removal"); status != http.StatusSeeOther || location != flat {
		t.Errorf("taking it away: %d %s", status, location)
	}
	if _, there := s.Order("M30011", lost.ID); there || len(s.Orders()) != 1 {
		t.Error("the order is still there, or the other one is not")
	}
	if status, _ := b.Post("/orders/M30011/" + lost.ID + "/removal"); status != http.StatusNotFound {
		t.Errorf("taking it away twice: %d", status)
	}
}
