package db_test

import (
	"crypto/sha256"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portico/internal/keyring"
)

func (w *world) wantToken(text string, version int64) {
	w.Helper()
	gotText, gotVersion, err := w.store.LoadToken(w.Context(), "vitec", "14")
	if gotText != text || gotVersion != version || err != nil {
		w.Errorf("token %q, version %d, %v; want %q, %d", gotText, gotVersion, err, text, version)
	}
}

func (w *world) wantClaim(version int64, want bool) {
	w.Helper()
	got, err := w.store.ClaimToken(w.Context(), "vitec", "14", version, time.Minute)
	if got != want || err != nil {
		w.Errorf("claim of what follows %d: %t, %v", version, got, err)
	}
}

// newSealedWorld is a world with a key to seal by.
func newSealedWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	keys, err := keyring.Parse(keyring.New())
	w.must(err)
	w.store, w.clock = openStore(t, w.url, keys)
	return w
}

func TestTokenIsFetchedByOne(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	w.wantToken("", 0)
	w.wantClaim(3, false) // of what is not there
	var claims atomic.Int64
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if ok, err := w.store.ClaimToken(t.Context(), "vitec", "14", 0, time.Minute); ok {
				claims.Add(1)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if claims.Load() != 1 {
		t.Fatalf("%d claims", claims.Load())
	}
	w.wantToken("", 0)
	w.must(w.store.StoreToken(t.Context(), "vitec", "14", 0, "first"))
	w.wantToken("first", 1)
	w.wantClaim(0, false)
	w.wantClaim(1, true)
	w.must(w.store.ReleaseToken(t.Context(), "vitec", "14", 0)) // not this one
	w.wantClaim(1, false)
	w.must(w.store.ReleaseToken(t.Context(), "vitec", "14", 1))
	w.wantClaim(1, true)
	w.clock.advance(time.Minute) // its process has died
	w.wantClaim(1, true)
	w.must(w.store.StoreToken(t.Context(), "vitec", "14", 1, "second"))
	w.must(w.store.StoreToken(t.Context(), "vitec", "14", 1, "of the one that was taken for dead"))
	w.wantToken("second", 2)
}

func TestTokenIsSealed(t *testing.T) {
	t.Parallel()
	w := newSealedWorld(t)
	w.wantClaim(0, true)
	w.must(w.store.StoreToken(t.Context(), "vitec", "14", 0, "very-secret"))
	var sealed []byte
	w.must(w.raw.QueryRow(`SELECT sealed FROM tokens`).Scan(&sealed))
	if strings.Contains(string(sealed), "secret") {
		t.Error("a token is stored as it is")
	}
	w.exec(`INSERT INTO tokens (connection_id, name, version, sealed) SELECT connection_id, '15', version, sealed FROM tokens`)
	if text, version, err := w.store.LoadToken(t.Context(), "vitec", "15"); text != "" || version != 1 || err != nil {
		t.Errorf("another's token: %q, %d, %v", text, version, err)
	}
	w.exec(`UPDATE tokens SET sealed = 'x'`)
	w.wantToken("", 1)
	w.wantClaim(1, true) // to replace it
}

func TestIssuedTokenIsForOneOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sum := sha256.Sum256([]byte("token"))
	now := w.clock.now()
	w.must(w.store.IssueToken(t.Context(), "vitec", sum[:], now.Add(time.Minute)))
	want := func(connection string, hash []byte, order string, at time.Time, want bool) {
		t.Helper()
		if got, err := w.store.UseToken(t.Context(), connection, hash, order, at); got != want || err != nil {
			t.Errorf("%s at %s for %s: %t, %v", connection, at, order, got, err)
		}
	}
	want("vitec", sum[:1], "14/A", now, false)
	want("other", sum[:], "14/A", now, false)
	want("vitec", sum[:], "14/A", now.Add(time.Minute), false)
	want("vitec", sum[:], "14/A", now, true)
	want("vitec", sum[:], "14/B", now, false)
	want("vitec", sum[:], "14/A", now.Add(59*time.Second), true)
	w.clock.advance(2 * time.Minute)
	w.must(w.store.DeleteExpired(t.Context(), time.Hour))
	if n := w.count(`SELECT count(*) FROM issued_tokens`); n != 0 {
		t.Error("an old token is kept")
	}
}
