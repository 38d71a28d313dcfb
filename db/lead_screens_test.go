package db_test

import (
	"testing"

	"portico/internal/portal"
)

func TestLeadsToDecide(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	w.sent(seller(), "1")
	w.refused(seller())
	w.uncertain(seller())
	w.lead(seller())
	if n, err := w.store.CountLeadsToDecide(t.Context()); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestUserOfBroker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o, err := w.store.OrderForStaff(t.Context(), w.open("skylt", ticket("M1", "A")).PublicID)
	w.must(err)
	if user, err := w.store.UserOfBroker(t.Context(), o.BrokerID); user != ticket("M1", "A").OwnerID || err != nil {
		t.Errorf("%q, %v", user, err)
	}
	_, err = w.store.UserOfBroker(t.Context(), 0)
	w.wantKind(err, portal.NotFound)
}
