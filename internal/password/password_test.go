package password

import (
	"context"
	"errors"
	"regexp"
	"sync"
	"testing"

	"github.com/alexedwards/argon2id"
	"github.com/google/go-cmp/cmp"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	hash, err := Hash(ctx, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]bool{"correct horse": true, "Correct horse": false, "": false} {
		got, err := Verify(ctx, hash, typed)
		if err != nil || got != want {
			t.Errorf("Verify(%q) = %v, %v; want %v", typed, got, err, want)
		}
	}
	if again, err := Hash(ctx, "correct horse"); err != nil || again == hash {
		t.Errorf("two hashes of a password are the same: %q, %v", again, err)
	}
	if _, err := Verify(ctx, "no hash", "x"); err == nil {
		t.Error("what is no hash was verified")
	}
}

func TestUnknownPeopleTakeAsLong(t *testing.T) {
	t.Parallel()
	got, _, _, err := argon2id.DecodeHash(nobody)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(params, got); diff != "" {
		t.Error(diff)
	}
	if err := VerifyNone(context.Background(), "x"); err != nil {
		t.Error(err)
	}
}

// Not parallel: it takes all the turns.
func TestWaitingEndsWithTheContext(t *testing.T) {
	for range cap(slots) {
		slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, f := range []func() error{
		func() error { _, err := Hash(ctx, "x"); return err },
		func() error { _, err := Verify(ctx, nobody, "x"); return err },
		func() error { return VerifyNone(ctx, "x") },
	} {
		wg.Go(func() {
			if err := f(); !errors.Is(err, context.Canceled) {
				t.Errorf("without a turn: %v, want that the context has ended", err)
			}
		})
	}
	cancel()
	wg.Wait()
	for range cap(slots) {
		<-slots
	}
	if _, err := Hash(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("with free turns and an ended context: %v", err)
	}
}

func TestRandom(t *testing.T) {
	t.Parallel()
	// 24 letters of an alphabet of 32 hold 120 bits.
	readable := regexp.MustCompile(`^[a-z2-7]{6}(-[a-z2-7]{6}){3}$`)
	one, other := Random(), Random()
	if !readable.MatchString(one) || one == other {
		t.Errorf("%q and %q: want two different readable passwords", one, other)
	}
}
