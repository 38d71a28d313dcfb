package db_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"

	"portico/db"
	"portico/db/dbtest"
	"portico/internal/portal"
)

// calls are store calls of every sort: a read, a transaction, a write without one.
func calls(ctx context.Context, s *db.Store) map[string]error {
	_, read := s.OrderForStaff(ctx, "x")
	_, list := s.Orders(ctx, db.OrderFilter{Limit: 1})
	_, claim := s.ClaimJobs(ctx, "vitec", 1, 0)
	_, count := s.Count(ctx, "x", 0)
	return map[string]error{"read": read, "list": list, "claim": claim, "count": count, "change": s.StartOrder(ctx, 1, portal.Actor{}),
		"write": s.DeleteExpired(ctx, 0)}
}

// wire is a way to the database that a test can cut.
type wire struct {
	listener        net.Listener
	network, target string

	mu   sync.Mutex
	open []net.Conn
}

// newWire returns the address of a database by way of a wire.
func newWire(t *testing.T, database string) (*wire, string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	host, port := cmp.Or(query.Get("host"), u.Hostname()), cmp.Or(query.Get("port"), u.Port(), "5432")
	w := &wire{network: "tcp", target: net.JoinHostPort(host, port)}
	if strings.HasPrefix(host, "/") { // a folder with the server's socket
		w.network, w.target = "unix", host+"/.s.PGSQL."+port
	}
	if w.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.cut)
	go w.serve()
	query.Del("host")
	query.Del("port")
	u.Host, u.RawQuery = w.listener.Addr().String(), query.Encode()
	return w, u.String()
}

func (w *wire) serve() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return // cut
		}
		far, err := net.Dial(w.network, w.target)
		if err != nil {
			_ = near.Close()
			return
		}
		w.mu.Lock()
		w.open = append(w.open, near, far)
		w.mu.Unlock()
		go func() { _, _ = io.Copy(far, near) }()
		go func() { _, _ = io.Copy(near, far) }()
	}
}

func (w *wire) cut() {
	_ = w.listener.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.open {
		_ = c.Close()
	}
}

func TestALostDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	line, address := newWire(t, dbtest.New(t))
	store, _ := openStore(t, address, nil)
	if err := store.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	line.cut()
	for range 2 { // on a connection that broke, and where there is none
		for name, err := range calls(t.Context(), store) {
			if portal.KindOf(err) != portal.Unavailable {
				t.Errorf("%s: kind %d of %v, want Unavailable", name, portal.KindOf(err), err)
			}
		}
	}
	if store.Ping(t.Context()) == nil {
		t.Error("the database that is gone answers a ping")
	}
}

func TestAClosedStoreIsUnavailable(t *testing.T) {
	t.Parallel()
	store, err := db.Open(t.Context(), dbtest.New(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for name, err := range calls(t.Context(), store) {
		if portal.KindOf(err) != portal.Unavailable {
			t.Errorf("%s: kind %d of %v, want Unavailable", name, portal.KindOf(err), err)
		}
	}
}

// TestAServerThatShutsDownIsUnavailable ends the store's sessions, as a
// server's restart does.
func TestAServerThatShutsDownIsUnavailable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	done := make(chan error, 1)
	w.exec(`CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$`)
	id := w.received("B1")
	w.exec(`CREATE TRIGGER stop BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION stop()`)
	go func() { done <- w.store.StartOrder(t.Context(), id, w.erik.Actor()) }()
	w.wantKind(<-done, portal.Unavailable)
	w.wantState(id, portal.Received) // on a new connection
}

// TestWhoStandsStillLetsGo: a process that was stopped in the middle of a
// transaction would keep an order locked for all others.
func TestWhoStandsStillLetsGo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.received("B1")
	w.exec(`CREATE TABLE seen (setting text)`)
	w.exec(`CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN INSERT INTO seen SELECT current_setting('idle_in_transaction_session_timeout'); RETURN NEW; END $$`)
	w.exec(`CREATE TRIGGER look BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION look()`)
	w.must(w.store.StartOrder(t.Context(), id, w.erik.Actor()))
	if n := w.count(`SELECT count(*) FROM seen WHERE setting = '15s'`); n != 1 {
		t.Error("a transaction may stand still for ever")
	}
}

func TestErrorsThatAreNobodysFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range calls(gone, w.store) {
		if !errors.Is(err, context.Canceled) || portal.KindOf(err) != portal.Internal {
			t.Errorf("%s of somebody who left: kind %d of %v", name, portal.KindOf(err), err)
		}
	}
	id := w.received("B1")
	w.spoil("events")
	w.wantKind(w.store.StartOrder(t.Context(), id, w.erik.Actor()), portal.Internal)
	_, err := db.Open(t.Context(), "postgres://nobody@127.0.0.1:1/none?sslmode=disable", nil)
	if err == nil {
		t.Error("a database that is not there is open")
	}
}
