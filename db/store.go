// Package db keeps Portico's state in PostgreSQL. An exported method is one
// transaction; a helper in lower case takes the transaction that it is part of.
// No HTTP and no partner call happens here.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// Sealer encrypts what the database keeps and must not be able to read.
type Sealer interface {
	Seal(plain []byte) ([]byte, error)
	Open(sealed []byte) ([]byte, error)
}

// Store is the one door to the database. It is safe for concurrent use.
type Store struct {
	db   *sqlx.DB
	url  string
	seal Sealer

	mu         sync.Mutex
	statements map[string]*sqlx.Stmt // what is hot, prepared

	services  cache[portal.Service]
	providers cache[portal.Provider]
	versions  cache[time.Time] // of connections

	// Now is the clock of every transaction; tests replace it.
	Now func() time.Time
}

// maxConns bounds the connections of one process, so that several portals and
// workers fit into a server's default of a hundred.
const maxConns = 20

// Open connects to the database at url. seal may be nil where no credential is
// read or written. Open fails when the server does not answer.
func Open(ctx context.Context, url string, seal Sealer) (*Store, error) {
	conn, err := connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	conn.SetMaxOpenConns(maxConns)
	conn.SetMaxIdleConns(maxConns)
	conn.SetConnMaxIdleTime(5 * time.Minute)
	return &Store{db: conn, url: url, seal: seal, statements: map[string]*sqlx.Stmt{}, Now: func() time.Time { return time.Now().Truncate(time.Microsecond) }}, nil
}

// Limits of a connection, where its address names no others.
const (
	connectTimeout = 5 * time.Second
	idleInTx       = 15 * time.Second // a process that stands still must not keep what it has locked
)

func connect(ctx context.Context, url string) (*sqlx.DB, error) {
	c, err := pq.NewConfig(url)
	if err != nil {
		return nil, err
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	const idle = "idle_in_transaction_session_timeout"
	if c.Runtime[idle] == "" {
		if c.Runtime == nil {
			c.Runtime = map[string]string{}
		}
		c.Runtime[idle] = strconv.FormatInt(idleInTx.Milliseconds(), 10)
	}
	connector, err := pq.NewConnectorConfig(c)
	if err != nil {
		return nil, err
	}
	conn := sqlx.NewDb(sql.OpenDB(connector), "postgres")
	if err := conn.PingContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// prepared returns a statement that is planned once a connection.
func (s *Store) prepared(ctx context.Context, query string) (*sqlx.Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.statements[query]; known != nil {
		return known, nil
	}
	statement, err := s.db.PreparexContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", mapError(err))
	}
	s.statements[query] = statement
	return statement, nil
}

// SetMaxConns bounds the connections of a process that needs few.
func (s *Store) SetMaxConns(n int) { s.db.SetMaxOpenConns(n) }

// Close closes the connections.
func (s *Store) Close() error { return s.db.Close() }

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.PingContext(ctx); err != nil {
		return fmt.Errorf("ping database: %w", err)
	}
	return nil
}

// inTx runs f in one transaction with one time, and commits if f returns nil.
// It never repeats f: a commit whose answer was lost may have happened.
func (s *Store) inTx(ctx context.Context, f func(tx *sqlx.Tx, now time.Time) error) error {
	tx, err := s.db.BeginTxx(ctx, nil)
	if err != nil {
		return mapError(err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := f(tx, s.Now()); err != nil {
		return mapError(err)
	}
	return mapError(tx.Commit())
}

// inSnapshot runs f in one transaction that sees everything as it was at its first
// query, and that changes nothing.
func (s *Store) inSnapshot(ctx context.Context, f func(tx *sqlx.Tx) error) error {
	tx, err := s.db.BeginTxx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return mapError(err)
	}
	defer func() { _ = tx.Rollback() }()
	return mapError(f(tx))
}

// conflicts are the constraints that a person can run into, and what to say.
var conflicts = map[string]string{
	"staff_email_key":       "staff.email_taken",
	"interactions_open_key": "interaction.already_open",
	"audits_form_key":       "new_order.sent",
}

// mapError turns what the driver says into the domain's kinds.
func mapError(err error) error {
	var known *portal.Error
	var pqErr *pq.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, sql.ErrNoRows):
		return &portal.Error{Kind: portal.NotFound, Say: portal.Say("error.not_found"), Err: err}
	case errors.As(err, &pqErr):
		if key, ok := conflicts[pqErr.Constraint]; ok {
			return &portal.Error{Kind: portal.Conflict, Say: portal.Say(key), Err: err}
		}
		// An address may hold what no text column does: NUL, or bytes that are no UTF-8.
		if pqErr.Code == "22021" {
			return &portal.Error{Kind: portal.NotFound, Say: portal.Say("error.not_found"), Err: err}
		}
		// Classes 08 (connection), 53 (resources) and 57 (operator: shutdown).
		switch pqErr.Code.Class() {
		case "08", "53", "57":
			return unavailable(err)
		}
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case isConnectionError(err):
		return unavailable(err)
	}
	return err
}

func unavailable(err error) error {
	return &portal.Error{Kind: portal.Unavailable, Say: portal.Say("error.database"), Err: err}
}

func isUndefinedTable(err error) bool {
	var e *pq.Error
	return errors.As(err, &e) && e.Code == "42P01"
}
