package dbtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"portico/db"
	"portico/migrations"
)

// templateLock is the advisory lock under which the template is made, by
// whichever of the test binaries that share a server is first.
const templateLock = 0x706f727469636f

// ensureTemplate returns the name of a database with the current schema, which
// it makes if this server has none yet.
func ensureTemplate(ctx context.Context, admin *sql.DB) (name string, err error) {
	hash, err := migrationsHash()
	if err != nil {
		return "", err
	}
	name = "portico_template_" + hash
	conn, err := admin.Conn(ctx)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, templateLock); err != nil {
		return "", err
	}
	defer func() {
		_, unlockErr := conn.ExecContext(ctx, `SELECT pg_advisory_unlock($1)`, templateLock)
		err = errors.Join(err, unlockErr)
	}()
	var exists bool
	err = conn.QueryRowContext(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&exists)
	if err != nil || exists {
		return name, err
	}
	return name, makeTemplate(ctx, conn, name)
}

// makeTemplate gives the template its name last: one that was interrupted is
// never taken for a whole one.
func makeTemplate(ctx context.Context, conn *sql.Conn, name string) error {
	unfinished := name + "_new"
	for _, statement := range []string{
		`DROP DATABASE IF EXISTS ` + unfinished + ` WITH (FORCE)`,
		`CREATE DATABASE ` + unfinished + ` TEMPLATE template0 ENCODING 'UTF8'`,
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if err := db.Migrate(ctx, withDatabase(server, unfinished)); err != nil {
		return err
	}
	for _, statement := range []string{
		`ALTER DATABASE ` + unfinished + ` ALLOW_CONNECTIONS false`, // a connected template cannot be copied
		`ALTER DATABASE ` + unfinished + ` RENAME TO ` + name,
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// migrationsHash changes with the schema, so that a template is never stale.
func migrationsHash() (string, error) {
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, file := range files {
		content, err := fs.ReadFile(migrations.FS, file)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n%s", file, len(content), content)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}
