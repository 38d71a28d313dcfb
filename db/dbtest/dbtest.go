// Package dbtest gives a test a PostgreSQL database of its own, with the current
// schema. Only tests import it; package db's own are in package db_test, since
// dbtest imports db.
//
//	func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }
//
//	func TestOrders(t *testing.T) {
//		t.Parallel()
//		url := dbtest.New(t)
package dbtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"portico/db/private"
)

// Env names the variable with the address of the throwaway cluster that several
// test binaries share; cmd/testdb sets it.
const Env = "PORTICO_TEST_DATABASE_URL"

// server is the address of the cluster, set by Main.
var server string

// Main runs a package's tests with a PostgreSQL for New: the shared one that Env
// names, else the server of DATABASE_URL, whose role must be allowed to create
// databases, else a throwaway one of this process. It returns the exit code.
func Main(m *testing.M) int {
	for _, name := range []string{Env, "DATABASE_URL"} {
		if server = os.Getenv(name); server != "" {
			return m.Run()
		}
	}
	s, err := private.Start(context.Background(), private.Options{Throwaway: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	server = s.URL(private.Database)
	code := m.Run()
	if err := s.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// New creates a database with the current schema and returns its address. The
// database is dropped at the end of the test, whoever is still connected.
func New(t testing.TB) string {
	t.Helper()
	c, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	name := "portico_test_" + strings.ToLower(rand.Text())
	if _, err := c.admin.Exec(`CREATE DATABASE ` + name + ` TEMPLATE ` + c.template + c.strategy); err != nil {
		t.Fatalf("create a database for the test: %v", err)
	}
	t.Cleanup(func() {
		if _, err := c.admin.Exec(`DROP DATABASE ` + name + ` WITH (FORCE)`); err != nil {
			t.Errorf("drop the test's database: %v", err)
		}
	})
	return withDatabase(server, name)
}

type cluster struct {
	admin    *sql.DB
	template string
	strategy string
}

var connect = sync.OnceValues(func() (*cluster, error) {
	if server == "" {
		return nil, errors.New("dbtest: the package's TestMain has to call dbtest.Main")
	}
	admin, err := sql.Open("postgres", server)
	if err != nil {
		return nil, fmt.Errorf("dbtest: %w", err)
	}
	// More than two that create or drop at once only queue up in the server.
	admin.SetMaxOpenConns(2)
	template, err := ensureTemplate(context.Background(), admin)
	if err != nil {
		return nil, fmt.Errorf("dbtest: template database: %w", errors.Join(err, admin.Close()))
	}
	strategy, err := copyStrategy(admin)
	if err != nil {
		return nil, fmt.Errorf("dbtest: %w", errors.Join(err, admin.Close()))
	}
	return &cluster{admin, template, strategy}, nil
})

// copyStrategy returns the faster way to copy a template. Copying files needs
// checkpoints: 12 ms against 20 with two at once where nothing is synced to a
// disk, but much slower where it is.
func copyStrategy(admin *sql.DB) (string, error) {
	var unsynced bool
	err := admin.QueryRow(`
		SELECT current_setting('fsync') = 'off' AND current_setting('server_version_num')::int >= 150000`).Scan(&unsynced)
	if err != nil || !unsynced {
		return "", err
	}
	return ` STRATEGY FILE_COPY`, nil
}

// withDatabase returns the address of another database on the same server.
func withDatabase(address, name string) string {
	if u, err := url.Parse(address); err == nil && u.Scheme != "" {
		u.Path = "/" + name
		return u.String()
	}
	return address + " dbname=" + name // keywords: the last one counts
}
