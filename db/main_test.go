package db_test

import (
	"context"
	"os"
	"testing"
	"time"

	"portico/db"
	"portico/db/dbtest"
	"portico/internal/keyring"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

// clock is a time that only the test moves.
type clock struct{ time.Time }

func (c *clock) now() time.Time          { return c.Time }
func (c *clock) advance(d time.Duration) { c.Time = c.Add(d) }

// newStore returns a store on a database of its own, at a time that stands still.
func newStore(t *testing.T) (*db.Store, *clock) {
	t.Helper()
	keys, err := keyring.Parse(keyring.New())
	if err != nil {
		t.Fatal(err)
	}
	return openStore(t, dbtest.New(t), keys)
}

func openStore(t *testing.T, url string, keys db.Sealer) (*db.Store, *clock) {
	t.Helper()
	store, err := db.Open(context.Background(), url, keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &clock{time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)}
	store.Now = c.now
	return store, c
}
