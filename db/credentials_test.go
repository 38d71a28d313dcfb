package db_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/db"
	"portico/internal/portal"
)

const refusal = 5 * time.Minute

func refuse(t *testing.T, store *db.Store, customer string) (news bool) {
	t.Helper()
	news, err := store.RefuseCredential(context.Background(), "vitec", customer, 401, store.Now().Add(refusal))
	if err != nil {
		t.Fatal(err)
	}
	return news
}

// checkBlocked checks what callers for a customer are told.
func checkBlocked(t *testing.T, store *db.Store, customer string, wantUntil time.Time, want bool) {
	t.Helper()
	until, blocked, err := store.CredentialBlocked(context.Background(), "vitec", customer)
	if err != nil {
		t.Fatal(err)
	}
	if blocked != want || !until.Equal(wantUntil) {
		t.Errorf("customer %s: blocked %v until %v, want %v until %v", customer, blocked, until, want, wantUntil)
	}
}

func TestRefusedCredentialIsBlocked(t *testing.T) {
	t.Parallel()
	store, clock := newStore(t)
	apply(t, store, setup())
	checkBlocked(t, store, "M1", time.Time{}, false)
	if !refuse(t, store, "M1") {
		t.Error("the first refusal is no news")
	}
	checkBlocked(t, store, "M1", clock.Add(refusal), true)
	checkBlocked(t, store, "M2", time.Time{}, false) // has the credential for any
	clock.advance(time.Minute)
	if refuse(t, store, "M1") {
		t.Error("the second refusal is news")
	}
	checkBlocked(t, store, "M1", clock.Add(refusal), true)

	if !refuse(t, store, "M2") {
		t.Error("the refusal of the credential for any is no news")
	}
	checkBlocked(t, store, "M3", clock.Add(refusal), true)
}

func TestRefusedCredentials(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store, clock := newStore(t)
	apply(t, store, setup())
	start := clock.Time
	refuse(t, store, "M1")
	clock.advance(time.Minute)
	refuse(t, store, "M1")
	refuse(t, store, "M2")

	alarms, err := store.RefusedCredentials(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := []db.Alarm{{ConnectionID: "vitec", System: "vitec", Customer: "M1", Status: 401, Since: start},
		{ConnectionID: "vitec", System: "vitec", Customer: portal.AnyCustomer, Status: 401, Since: clock.Time}}
	if diff := cmp.Diff(want, alarms, cmpopts.EquateApproxTime(0)); diff != "" {
		t.Error(diff)
	}

	if err := store.ClearCredential(ctx, "vitec", "M2"); err != nil {
		t.Fatal(err)
	}
	checkBlocked(t, store, "M3", time.Time{}, false)
	checkBlocked(t, store, "M1", clock.Add(refusal), true)
}

func TestOneCallerProbes(t *testing.T) {
	t.Parallel()
	store, clock := newStore(t)
	apply(t, store, setup())
	refuse(t, store, "M1")
	for range 3 { // a probe that nobody reports on is given up, and another one may try
		clock.advance(refusal)
		var probes atomic.Int32
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				until, blocked, err := store.CredentialBlocked(context.Background(), "vitec", "M1")
				if err != nil {
					t.Error(err)
				}
				if !until.After(clock.Time) {
					t.Errorf("blocked until %v, which is not after %v", until, clock.Time)
				}
				if !blocked {
					probes.Add(1)
				}
			})
		}
		wg.Wait()
		if n := probes.Load(); n != 1 {
			t.Errorf("%d of 20 callers may probe, want 1", n)
		}
	}
}

func TestChangedCredentialGetsAChance(t *testing.T) {
	t.Parallel()
	store, clock := newStore(t)
	apply(t, store, setup())
	refuse(t, store, "M1")
	refuse(t, store, "M2")
	apply(t, store, setup())
	checkBlocked(t, store, "M1", clock.Add(refusal), true)
	s := setup()
	s.Connections[0].Credentials[1].Password = "corrected"
	apply(t, store, s)
	checkBlocked(t, store, "M1", time.Time{}, false)
	checkBlocked(t, store, "M2", clock.Add(refusal), true)
}

func TestNoCredential(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	s := setup()
	s.Connections[0].Credentials = nil
	apply(t, store, s)
	if refuse(t, store, "M1") {
		t.Error("a credential that is not there was refused")
	}
	checkBlocked(t, store, "M1", time.Time{}, false)
	if err := store.ClearCredential(context.Background(), "vitec", "M1"); err != nil {
		t.Error(err)
	}
}
