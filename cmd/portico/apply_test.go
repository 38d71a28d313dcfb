package main

import (
	"context"
	"database/sql"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

const goodFile = `provider: {name: Nordljus, support_email: s@n.example, locale: sv, time_zone: Europe/Stockholm}
connections:
  - id: vitec
    system: vitec
    base_url: https://connect.example
    credentials:
      - {customer: "*", username: partner, password: "${VITEC_PASSWORD}"}
services:
  - {id: foto, connection: vitec, flow: page, auth: token, name: {sv: Foto}, form: [{id: day, type: date, label: {sv: Dag}}]}
`

func with(env vars, name, value string) vars {
	env = maps.Clone(env)
	env[name] = value
	return env
}

// toOldSchema makes the database one of an earlier program.
const toOldSchema = `DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`

// execute changes what the program itself never would.
func execute(t *testing.T, env vars, query string) {
	t.Helper()
	conn, err := sql.Open("postgres", env[databaseURL])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Exec(query); err != nil {
		t.Fatal(err)
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	env := with(newEnv(t), "VITEC_PASSWORD", "pw")
	path := filepath.Join(t.TempDir(), "portico.yaml")
	if err := os.WriteFile(path, []byte(goodFile), 0o600); err != nil {
		t.Fatal(err)
	}
	made := `provider Nordljus: added
connection vitec: added
credential of connection vitec for customer *: added
service foto: added
form of service foto: version 1
`
	for _, step := range []struct {
		args, want string
	}{
		{"apply --dry-run " + path, made + "dry run: nothing was stored\n"},
		{"apply " + path, made},
		{"apply " + path, "nothing changed\n"},
		{"apply - --dry-run", "nothing changed\ndry run: nothing was stored\n"},
	} {
		r := portico(t, env, goodFile, strings.Fields(step.args)...)
		if diff := cmp.Diff(result{0, step.want, ""}, r, cmp.AllowUnexported(result{})); diff != "" {
			t.Fatalf("portico %s: %s", step.args, diff)
		}
	}
	less := strings.Replace(goodFile, "{id: foto,", "{id: film,", 1)
	r := portico(t, env, less, "apply", "-")
	want := "service film: added\nform of service film: version 1\nservice foto is not in the file: kept as it is\n"
	if diff := cmp.Diff(result{0, want, ""}, r, cmp.AllowUnexported(result{})); diff != "" {
		t.Error(diff)
	}
	connection, err := open(t, env).Connection(context.Background(), "vitec")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]portal.Credential{{Customer: "*", Username: "partner", Password: "pw"}}, connection.Credentials); diff != "" {
		t.Error(diff)
	}
}

func TestApplyListsFaultsAndStoresNothing(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	bad := strings.Replace(goodFile, "locale: sv", "locale: fi", 1)
	want := "line 1, column 56: provider.locale: must be sv, nb or en\n" +
		"line 7, column 44: connections[0].credentials[0].password: the environment variable VITEC_PASSWORD is not set\n"
	for _, args := range [][]string{{"apply", "-"}, {"apply", "-", "--dry-run"}} {
		r := portico(t, env, bad, args...)
		if diff := cmp.Diff(result{1, "", want}, r, cmp.AllowUnexported(result{})); diff != "" {
			t.Errorf("%v: %s", args, diff)
		}
	}
	if _, err := open(t, env).Provider(context.Background()); portal.KindOf(err) != portal.NotFound {
		t.Errorf("something was stored: %v", err)
	}
	r := portico(t, nil, bad, "apply", "-")
	if r.code != 1 || !strings.Contains(r.stderr, want) || !strings.Contains(r.stderr, "DATABASE_URL is not set\nPORTICO_SECRET_KEYS is not set\n") {
		t.Errorf("without any environment: exit %d, want 1 and the faults of file and environment:\n%s", r.code, r.stderr)
	}
}

func TestDryRunWithoutDatabase(t *testing.T) {
	t.Parallel()
	r := portico(t, vars{"VITEC_PASSWORD": "pw"}, goodFile, "apply", "-", "--dry-run")
	if r.code != 0 || !strings.Contains(r.stdout, "The file is in order.") {
		t.Errorf("a good file: exit %d, %q %q", r.code, r.stdout, r.stderr)
	}
	if r := portico(t, vars{}, goodFile, "apply", "-", "--dry-run"); r.code != 1 {
		t.Errorf("a bad file: exit %d, want 1", r.code)
	}
}

func TestDemoFileIsGood(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r := portico(t, vars{"VITEC_PASSWORD": "pw", "VITEC_URL": "http://127.0.0.1:1", "VISMA_SECRET": "s", "VISMA_URL": "http://127.0.0.1:1/core/14",
		"GUIDE_URL": "http://127.0.0.1:1/guide", "GUIDE_USER": "1234", "GUIDE_KEY": "k", "NETWORK_URL": "http://127.0.0.1:1/onapi/2.4", "NETWORK_USER": "u",
		"NETWORK_PASSWORD": "p"}, string(source), "apply", "-", "--dry-run")
	if r.code != 0 {
		t.Errorf("exit %d: %s", r.code, r.stderr)
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	for range 2 {
		r := portico(t, env, "", "migrate")
		if diff := cmp.Diff(result{0, "The schema is up to date.\n", ""}, r, cmp.AllowUnexported(result{})); diff != "" {
			t.Error(diff)
		}
	}
}
