package visma

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/partner/door"
	"portico/internal/partner/door/doortest"
	"portico/internal/partner/visma/vismatest"
	"portico/internal/portal"
)

// parallel runs a hundred reports at once, shared among clients.
func (b *bundle) parallel(clients ...*Client) {
	b.Helper()
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() {
			if err := clients[i%len(clients)].report(b.Context(), b.shown(portal.Received)); err != nil {
				b.Error(err)
			}
		})
	}
	group.Wait()
}

func TestATokenIsFetchedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	another := b.open("") // another process: it shares the store, and nothing else
	b.parallel(b.client, another)
	b.wantCalls(vismatest.OpToken, 1)

	b.clock.Pass(19*time.Minute + time.Second) // within the margin of 20 minutes
	b.parallel(b.client, another)
	b.wantCalls(vismatest.OpToken, 2)
	b.wantCalls(vismatest.OpState, 200) // no call was made in vain

	b.fake.Revoke(false) // 401 for whoever has the old one
	b.parallel(b.client, another)
	b.wantCalls(vismatest.OpToken, 3)
	if got := len(b.fake.Reported(b.order.GUID)); got != 300 {
		t.Errorf("%d states arrived, want 300: one each", got)
	}
	restarted := b.open("")
	if err := restarted.report(t.Context(), b.shown(portal.Received)); err != nil {
		t.Error(err)
	}
	b.wantCalls(vismatest.OpToken, 3)
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	grants := func() string {
		var all []string
		for _, r := range b.fake.Log() {
			if r.Op == vismatest.OpToken {
				all = append(all, strings.TrimSuffix(strings.TrimPrefix(r.Body, "grant_type="), "&client_id=nordlys"))
			}
		}
		return strings.Join(all, " ")
	}
	send := func() {
		t.Helper()
		if err := b.client.report(t.Context(), b.shown(portal.Received)); err != nil {
			t.Error(err)
		}
	}
	send()
	b.clock.Pass(20 * time.Minute)
	send()
	b.clock.Pass(20 * time.Minute)
	send() // with the first refresh token: the answer to a refresh has no new one
	b.fake.Revoke(true)
	send() // invalid_grant
	b.clock.Pass(8 * 24 * time.Hour)
	send() // the refresh token has ended too
	want := "client_credentials refresh_token refresh_token refresh_token client_credentials client_credentials"
	if got := grants(); got != want {
		t.Errorf("grants %s\nwant %s", got, want)
	}
}

// TestARefusedTokenIsReplacedOnce: what is refused with a fresh token as well is
// not tried a third time.
func TestARefusedTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	b.fake.SetFault(vismatest.OpState, doortest.Fault{Kind: doortest.FaultUnauthorized})
	err := b.client.report(t.Context(), b.shown(portal.Received))
	if portal.OutcomeOf(err) != portal.OutcomeCredential || !errors.Is(err, portal.ErrCredential) {
		t.Errorf("error %v", err)
	}
	b.wantCalls(vismatest.OpState, 2)
	b.wantCalls(vismatest.OpToken, 2)
	b.fake.SetFault(vismatest.OpState, doortest.Fault{Kind: doortest.FaultUnauthorized, Times: 1})
	if err := b.client.report(t.Context(), b.shown(portal.Received)); err != nil {
		t.Errorf("refused once: %v", err)
	}
	if got := b.fake.Reported(b.order.GUID); len(got) != 1 {
		t.Errorf("states %v", got)
	}
}

func TestTokenFaults(t *testing.T) {
	t.Parallel()
	for fault, want := range map[doortest.FaultKind]portal.Outcome{
		doortest.FaultUnauthorized: portal.OutcomeCredential,
		doortest.FaultForbidden:    portal.OutcomeCredential,
		doortest.FaultBadRequest:   portal.OutcomeCredential,
		doortest.FaultTooMany:      portal.OutcomeBusy,
		doortest.FaultUnavailable:  portal.OutcomeBusy,
		doortest.FaultServerError:  portal.OutcomeFailed,
		doortest.FaultHTML:         portal.OutcomeFailed,
		vismatest.FaultGarbage:     portal.OutcomeFailed,
		doortest.FaultTruncated:    portal.OutcomeFailed,
		doortest.FaultDrop:         portal.OutcomeFailed,
		doortest.FaultRedirect:     portal.OutcomeFailed,
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			b := setup(t, "", vismatest.Options{})
			b.fake.SetFault(vismatest.OpToken, doortest.Fault{Kind: fault, RetryAfter: "90"})
			err := b.client.report(t.Context(), b.shown(portal.Received))
			if got := portal.OutcomeOf(err); got != want {
				t.Errorf("outcome %s, want %s: %v", got, want, err)
			}
			if strings.Contains(err.Error(), "access_token") || strings.Contains(err.Error(), "simulator-secret") {
				t.Errorf("a secret is in %v", err)
			}
			b.wantCalls(vismatest.OpState, 0)
			b.fake.ClearFaults()
			b.clock.Pass(2 * time.Minute)
			if err := b.client.report(t.Context(), b.shown(portal.Received)); err != nil { // the claim was given back
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

// TestADeadProcessLosesItsClaim on the token that it meant to fetch.
func TestADeadProcessLosesItsClaim(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	if claimed, err := b.store.ClaimToken(t.Context(), "core", customer, 0, door.TokenLease); !claimed || err != nil {
		t.Fatal(claimed, err)
	}
	done := make(chan error)
	go func() { done <- b.client.report(t.Context(), b.shown(portal.Received)) }()
	b.clock.Pass(door.TokenLease)
	if err := <-done; err != nil {
		t.Error(err)
	}
	b.wantCalls(vismatest.OpToken, 1)
}

func TestATokenOfAnotherCredentialIsNotUsed(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	for _, text := range []string{`{"client":"x","bearer":"theirs","good_until":"2099-01-01T00:00:00Z","refresh":"r","refresh_until":"2099-01-01T00:00:00Z"}`, `nonsense`} {
		_, version, _ := b.store.LoadToken(t.Context(), "core", customer)
		if err := b.store.StoreToken(t.Context(), "core", customer, version, text); err != nil {
			t.Fatal(err)
		}
		if err := b.open("").report(t.Context(), b.shown(portal.Received)); err != nil {
			t.Error(err)
		}
	}
	b.wantCalls(vismatest.OpToken, 2)
	b.wantCalls(vismatest.OpState, 2)
}

func TestStoreFaultIsNotSent(t *testing.T) {
	t.Parallel()
	b := setup(t, "", vismatest.Options{})
	b.store.err = errors.New("no database")
	if err := b.client.report(t.Context(), b.shown(portal.Received)); portal.OutcomeOf(err) != portal.OutcomeFailed || !errors.Is(err, b.store.err) {
		t.Errorf("error %v", err)
	}
	b.wantCalls(doortest.OpAny, 0)
}
