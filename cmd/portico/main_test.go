package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portico/db"
	"portico/db/dbtest"
	"portico/internal/keyring"
)

func TestMain(m *testing.M) {
	code := dbtest.Main(m)
	stopBrowser()
	os.Exit(code)
}

// vars is an environment.
type vars map[string]string

func (v vars) lookup(name string) (string, bool) {
	value, ok := v[name]
	return value, ok
}

// result is what a run of the program left.
type result struct {
	code           int
	stdout, stderr string
}

// portico runs the whole program.
func portico(t testing.TB, env vars, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(context.Background(), args, env.lookup, strings.NewReader(stdin), &stdout, &stderr)
	return result{code, stdout.String(), stderr.String()}
}

// newEnv is the environment of a fresh installation: a migrated, empty database.
func newEnv(t testing.TB) vars {
	t.Helper()
	return vars{databaseURL: dbtest.New(t), secretKeys: keyring.New(), baseURLName: "https://portal.example",
		"PORTICO_BLOB_URL": "file://" + filepath.ToSlash(t.TempDir())}
}

// open opens the database that env names.
func open(t testing.TB, env vars) *db.Store {
	t.Helper()
	c, err := readConfig(env.lookup, databaseURL, secretKeys)
	if err != nil {
		t.Fatal(err)
	}
	store, err := openStore(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]struct {
		code int
		says string
	}{
		"":                       {0, "Usage:"},
		"--help":                 {0, "apply"},
		"frobnicate":             {2, `unknown command "frobnicate"`},
		"migrate now":            {2, `unknown command "now"`},
		"migrate --fast":         {2, "unknown flag: --fast"},
		"apply":                  {2, "accepts 1 arg(s), received 0"},
		"apply a b":              {2, "accepts 1 arg(s), received 2"},
		"staff":                  {2, "staff needs a command"},
		"staff add --email=a@b":  {2, `required flag(s) "name", "role" not set`},
		"apply /no/such/file":    {1, "/no/such/file"},
		"migrate":                {1, "DATABASE_URL is not set"},
		"doctor --help":          {0, "Check database"},
		"staff add --role":       {2, "flag needs an argument: --role"},
		"apply --dry-run=no a b": {2, "invalid argument"},
	} {
		r := portico(t, nil, "", strings.Fields(line)...)
		if r.code != want.code || !strings.Contains(r.stdout+r.stderr, want.says) {
			t.Errorf("portico %s: exit %d, want %d and %q in:\n%s%s", line, r.code, want.code, want.says, r.stdout, r.stderr)
		}
	}
}

func TestOldSchemaIsRefusedWithTheCommand(t *testing.T) {
	t.Parallel()
	env := with(newEnv(t), "VITEC_PASSWORD", "pw")
	store := open(t, env)
	execute(t, env, toOldSchema)
	if err := store.CheckSchema(context.Background()); err == nil {
		t.Fatal("the schema is still current")
	}
	for _, line := range []string{"staff add --email a@n.example --name A --role admin", "apply -"} {
		r := portico(t, env, goodFile, strings.Fields(line)...)
		if r.code != 1 || !strings.Contains(r.stderr, "portico migrate") {
			t.Errorf("portico %s: exit %d, %q; want 1 and the command that helps", line, r.code, r.stderr)
		}
	}
}
