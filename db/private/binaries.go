package private

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// oldest is the oldest major version that Portico's SQL runs on.
const oldest = 14

// binaries are the server's programs of one installation.
type binaries struct {
	dir   string
	major int
}

var errNoServer = errors.New("no PostgreSQL server is installed, and none could be downloaded")

func (b binaries) path(program string) string { return filepath.Join(b.dir, program) }

// locales returns initdb's arguments for texts that sort by code point and know
// upper and lower case beyond ASCII, the best first.
func (b binaries) locales() [][]string {
	plain := [][]string{{"--locale=C.UTF-8"}, {"--locale=C"}} // macOS may lack the first
	if b.major < 17 {
		return plain
	}
	return slices.Insert(plain, 0, []string{"--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"})
}

// installations are the places that have a server beside those in PATH, where
// Debian, for one, does not put it.
var installations = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql*/bin",
	"/usr/local/opt/postgresql*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// findBinaries returns the server's programs: those in PATH, else the newest
// that are installed, else a downloaded copy. A cluster that exists asks for its
// own major version (made; 0: any will do).
func findBinaries(ctx context.Context, home *folder, made int, log *slog.Logger) (binaries, error) {
	found := installed(home)
	if made == 0 && len(found) > 0 {
		return found[0], nil
	}
	for _, b := range found {
		if b.major == made {
			return b, nil
		}
	}
	if made != 0 && made != downloadMajor {
		return binaries{}, fmt.Errorf("the database was made by PostgreSQL %d, which is not installed (%s): install PostgreSQL %[1]d, or remove %[3]s to begin anew", made, names(found), home.path)
	}
	b, err := download(ctx, home, log)
	if err != nil {
		return binaries{}, fmt.Errorf("%w; install PostgreSQL %d or newer (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql), or set DATABASE_URL", err, oldest)
	}
	return b, nil
}

func names(found []binaries) string {
	if len(found) == 0 {
		return "no other is either"
	}
	text := "but"
	for _, b := range found {
		text += " " + strconv.Itoa(b.major)
	}
	return text + " is"
}

func installed(home *folder) []binaries {
	var inPath, elsewhere []binaries
	// A package may link the programs one by one: the folder they are in is what counts.
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			if b, err := probe(home, filepath.Dir(path)); err == nil {
				inPath = append(inPath, b)
			}
		}
	}
	for _, pattern := range installations {
		dirs, err := filepath.Glob(pattern)
		if err != nil {
			panic(err) // a constant of ours
		}
		for _, dir := range dirs {
			if b, err := probe(home, dir); err == nil {
				elsewhere = append(elsewhere, b)
			}
		}
	}
	slices.SortStableFunc(elsewhere, func(a, b binaries) int { return b.major - a.major })
	return append(inPath, elsewhere...)
}

var version = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// probe answers whether a folder has the programs, and they run for the folder's user.
func probe(home *folder, dir string) (binaries, error) {
	b := binaries{dir: dir}
	if _, err := os.Stat(b.path("initdb")); err != nil {
		return b, err
	}
	out, err := home.command(b.path("postgres"), "--version").Output()
	if err != nil {
		return b, err
	}
	match := version.FindSubmatch(out)
	if match == nil {
		return b, fmt.Errorf("no version in %q", out)
	}
	if b.major, err = strconv.Atoi(string(match[1])); err != nil {
		return b, err
	}
	if b.major < oldest {
		return b, errors.New("too old")
	}
	return b, nil
}
