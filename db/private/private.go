// Package private runs a PostgreSQL of Portico's own, for the demo and for the
// tests, so that neither needs anything set up first. It starts and stops the
// server; what is in its databases is the business of package db.
//
// A cluster is kept, in the demo's data folder, or throwaway, in memory. Either
// way it listens on a Unix socket that no other local user can reach, runs as an
// unprivileged user where Portico is root, and ends with the process that started
// it, even one that is killed (elsewhere than on Linux: at the next start).
package private

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"sync"
	"syscall"
)

// Database is the name of the database that every private PostgreSQL has from the start.
const Database = "portico"

// Options says what kind of private PostgreSQL to start.
type Options struct {
	// Dir is the data folder: the cluster is kept in its subfolder "postgres",
	// and found there at the next start. A throwaway one does not use it.
	Dir string
	// Throwaway makes a new cluster, in memory where possible and careless of
	// crashes, which Stop removes.
	Throwaway bool
	// Log is told what takes long or is unusual. Nil: nobody is.
	Log *slog.Logger

	spare string // where a kept cluster goes if its user cannot reach Dir; tests have their own
}

// Server is a running private PostgreSQL.
type Server struct {
	log       *slog.Logger
	home      *folder
	binaries  binaries
	throwaway bool

	socket   *folder // nil: on the loopback port, with the password
	port     int
	password string

	process  *process
	stopOnce sync.Once
	stopErr  error
}

// Start starts a private PostgreSQL and returns when it answers. Ending ctx
// gives up starting; a server that is running is stopped by Stop alone, or by
// the end of this process.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.spare == "" {
		opts.spare = "/var/lib/portico"
	}
	if opts.Throwaway {
		return startThrowaway(ctx, opts)
	}
	home, err := openKept(opts.Dir, opts.spare)
	if err != nil {
		return nil, fmt.Errorf("private PostgreSQL: %w", err)
	}
	return startIn(ctx, home, opts)
}

func startThrowaway(ctx context.Context, opts Options) (*Server, error) {
	var errs []error
	for _, parent := range throwawayParents() {
		sweep(parent, opts.Log)
		home, err := newThrowaway(parent)
		if err != nil {
			errs = append(errs, fmt.Errorf("private PostgreSQL: %w", err))
			continue
		}
		s, err := startIn(ctx, home, opts)
		if err == nil || errors.Is(err, errNoServer) || ctx.Err() != nil {
			return s, err
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func startIn(ctx context.Context, home *folder, opts Options) (*Server, error) {
	s := &Server{log: opts.Log, home: home, throwaway: opts.Throwaway}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("private PostgreSQL in %s: %w", home.path, err), s.Stop())
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if err := s.listen(); err != nil {
		return err
	}
	if err := s.launch(ctx); err != nil {
		return err
	}
	return s.createDatabase(ctx)
}

// URL returns the address of a database of the server, as DATABASE_URL takes it.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database}
	// Host and port are always named: PGHOST and PGPORT would fill a gap.
	query := url.Values{"sslmode": {"disable"}, "port": {strconv.Itoa(s.port)}}
	if s.socket != nil {
		query.Set("host", s.socket.path)
	} else {
		query.Set("host", loopback)
		u.User = url.UserPassword(superuser, s.password)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// Stop stops the server and waits for its end; a throwaway cluster is removed.
// Further calls return what the first did.
func (s *Server) Stop() error {
	s.stopOnce.Do(func() { s.stopErr = s.stop() })
	return s.stopErr
}

func (s *Server) stop() error {
	politely := syscall.SIGINT
	if s.throwaway {
		politely = syscall.SIGQUIT // there is nothing to save
	}
	if s.process != nil && !s.process.stop(politely) {
		return errors.New("the private PostgreSQL does not end")
	}
	var errs []error
	if s.socket != nil && s.socket != s.home {
		errs = append(errs, s.socket.remove())
	}
	if s.throwaway {
		return errors.Join(append(errs, s.home.remove())...)
	}
	return errors.Join(append(errs, s.home.close())...)
}

// ping answers whether the server takes connections yet.
func (s *Server) ping(ctx context.Context) error {
	db, err := sql.Open("postgres", s.URL("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	return db.PingContext(ctx)
}

func (s *Server) createDatabase(ctx context.Context) error {
	db, err := sql.Open("postgres", s.URL("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	var exists bool
	err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, Database).Scan(&exists)
	if err != nil || exists {
		return err
	}
	_, err = db.ExecContext(ctx, `CREATE DATABASE `+Database)
	return err
}
