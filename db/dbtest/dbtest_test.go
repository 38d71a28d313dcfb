package dbtest_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/lib/pq"

	"portico/db/dbtest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

func open(t testing.TB, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestNewIsMigratedAndOnesOwn(t *testing.T) {
	t.Parallel()
	first, second := open(t, dbtest.New(t)), open(t, dbtest.New(t))
	for _, db := range []*sql.DB{first, second} {
		var version int
		if err := db.QueryRow(`SELECT max(version_id) FROM goose_db_version`).Scan(&version); err != nil || version < 1 {
			t.Errorf("schema version %d, %v", version, err)
		}
	}
	if _, err := first.Exec(`CREATE TABLE only_here ()`); err != nil {
		t.Fatal(err)
	}
	_, err := second.Exec(`SELECT FROM only_here`)
	if e, ok := errors.AsType[*pq.Error](err); !ok || e.Code != "42P01" {
		t.Errorf("the other test's table: %v", err)
	}
}

func TestNewIsDroppedWithItsTest(t *testing.T) {
	t.Parallel()
	var url string
	var db *sql.DB
	t.Run("still connected at its end", func(t *testing.T) {
		url = dbtest.New(t)
		var err error
		if db, err = sql.Open("postgres", url); err != nil {
			t.Fatal(err)
		}
		if err := db.Ping(); err != nil {
			t.Fatal(err)
		}
	})
	t.Cleanup(func() { db.Close() })
	if err := open(t, url).PingContext(context.Background()); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("the database of a test that has ended: %v", err)
	}
}
