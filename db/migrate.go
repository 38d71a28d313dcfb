package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"portico/migrations"
)

// ErrOldSchema says that the database's schema is not this program's.
var ErrOldSchema = errors.New("the database schema is not current: run `portico migrate`")

func provider(conn *sql.DB) (*goose.Provider, error) {
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, conn, migrations.FS,
		goose.WithSessionLocker(locker), goose.WithVerbose(false))
}

// Migrate brings the schema of the database at url up to date. Several may run
// at once: a session lock lets one work and the others find nothing to do.
func Migrate(ctx context.Context, url string) error {
	conn, err := sql.Open("postgres", url)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer conn.Close()
	p, err := provider(conn)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// CheckSchema returns ErrOldSchema if the schema is older or newer than this program.
func (s *Store) CheckSchema(ctx context.Context) error {
	p, err := provider(s.db.DB)
	if err != nil {
		return fmt.Errorf("check schema: %w", err)
	}
	sources := p.ListSources()
	var current int64
	err = s.db.GetContext(ctx, &current, `SELECT COALESCE(max(version_id), 0) FROM goose_db_version WHERE is_applied`)
	switch {
	case isUndefinedTable(err):
		return ErrOldSchema
	case err != nil:
		return fmt.Errorf("check schema: %w", mapError(err))
	case current != sources[len(sources)-1].Version:
		return ErrOldSchema
	}
	return nil
}

// isConnectionError reports whether err came from the way to the server and not from it.
func isConnectionError(err error) bool {
	var netErr net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.As(err, &netErr) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || // while the connection was made
		strings.HasSuffix(err.Error(), "sql: database is closed") // a stop in mid-request; database/sql has no name for it
}
