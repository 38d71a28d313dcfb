package db_test

import (
	"slices"
	"testing"
	"time"

	"portico/internal/portal"
)

// unproven opens an order of a service that anybody could call.
func (w *world) unproven(office, order string) int64 {
	w.Helper()
	svc := w.service("bakom")
	svc.Auth = portal.AuthNone
	o, err := w.store.OpenOrder(w.Context(), svc, ticket(office, order), "SEK")
	w.must(err)
	return o.ID
}

func TestVerify(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	listed, unlisted, moved, abroad := w.unproven("M1", "a"), w.unproven("M1", "b"), w.unproven("M1", "c"), w.unproven("M2", "a")
	changed := w.order(listed).UpdatedAt
	w.clock.advance(time.Hour)
	elsewhere := w.entry("c", "OrderReceived")
	elsewhere.TargetID = "OBJ_other"
	for range 2 {
		w.reconcile(w.entry("a", "OrderReceived"), elsewhere)
		w.clock.advance(time.Hour)
	}
	for id, want := range map[int64]bool{listed: false, unlisted: true, moved: true, abroad: true} {
		if got := w.order(id).Unverified; got != want {
			t.Errorf("order %s: unverified %v, want %v", w.order(id).PartnerOrderID, got, want)
		}
	}
	if kinds := w.kinds(listed); !slices.Equal(kinds[len(kinds)-1:], []portal.EventKind{portal.EventVerified}) {
		t.Errorf("timeline %v, want it to end with that it is verified", kinds)
	}
	if !w.order(listed).UpdatedAt.Equal(changed) {
		t.Error("the order looks as if it had changed")
	}
	if n := w.count(`SELECT count(*) FROM events WHERE order_id = $1 AND kind = 'differs' AND data ->> 'after' = 'OBJ_other'`, moved); n != 1 {
		t.Errorf("%d times said that the list has it on another target, want once", n)
	}
}

// TestVerifySoon: the list is asked soon after an order came in without proof,
// and once for a herd of them.
func TestVerifySoon(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.unproven("M1", "a")
	w.clock.advance(9 * time.Second)
	w.unproven("M1", "b")
	if _, got := w.claimOffice(); got != "" {
		t.Fatalf("%s is due before the partner can have listed the order", got)
	}
	w.clock.advance(time.Second)
	claimed, customer := w.claimOffice()
	if customer != "M1" {
		t.Fatal("nothing is due ten seconds after an order came in")
	}
	_, err := w.store.FinishReconciliation(t.Context(), claimed, portal.Listing{})
	w.must(err)
	if _, got := w.claimOffice(); got != "" {
		t.Errorf("%s is due again for what has been asked", got)
	}
	w.clock.advance(time.Second)
	w.unproven("M1", "c")
	w.clock.advance(28 * time.Second)
	if _, got := w.claimOffice(); got != "" {
		t.Errorf("%s is asked twice within half a minute", got)
	}
	w.clock.advance(time.Second)
	claimed, customer = w.claimOffice()
	if customer != "M1" {
		t.Error("nothing is due for an order that came in after the list was asked for")
	}
	// The partner does not answer: again in a while, not at once.
	w.must(w.store.FailReconciliation(t.Context(), claimed, "no answer", false))
	w.clock.advance(time.Minute)
	if _, got := w.claimOffice(); got != "" {
		t.Errorf("%s is due a minute after its partner did not answer", got)
	}
	w.open("skylt", ticket("M2", "proven"))
	w.clock.advance(time.Minute)
	if _, got := w.claimOffice(); got != "" {
		t.Errorf("%s is due for an order that needs no proof", got)
	}
}
