package main

import (
	"context"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/keyring"
	"portico/internal/mail/mailtest"
)

// installation is an environment in which the doctor finds nothing wrong.
func installation(t *testing.T) vars {
	t.Helper()
	partner := httptest.NewServer(nil)
	t.Cleanup(partner.Close)
	env := with(newEnv(t), "VITEC_PASSWORD", "pw")
	env["PORTICO_SMTP_URL"] = "smtp://u:hunter2@" + mailtest.Start(t, mailtest.Options{User: "u", Password: "hunter2"}).Address
	file := strings.Replace(goodFile, "https://connect.example", partner.URL, 1)
	if r := portico(t, env, file, "apply", "-"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	return env
}

// closed is an address that nobody listens at.
func closed(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return listener.Addr().String()
}

var addresses = regexp.MustCompile(`127\.0\.0\.1:\d+`)

func TestDoctorFindsNothing(t *testing.T) {
	t.Parallel()
	r := portico(t, installation(t), "", "doctor")
	want := `ok     configuration  every variable is in order
ok     database       it answers
ok     schema         it is this program's
ok     provider       Nordljus
ok     connections    1
ok     keys           connection vitec: credentials that open: 1
ok     connection     vitec: http://ADDRESS can be reached
ok     credentials    none is refused
ok     storage        a file can be written, read and deleted
ok     mail           the server takes mail from us
`
	if diff := cmp.Diff(result{0, want, ""}, result{r.code, addresses.ReplaceAllString(r.stdout, "ADDRESS"), r.stderr}, cmp.AllowUnexported(result{})); diff != "" {
		t.Error(diff)
	}
}

// spoils are what can be wrong with an installation.
var spoils = map[string]struct {
	spoil func(*testing.T, vars)
	want  []string // how the fault lines start
}{
	"no environment": {func(_ *testing.T, env vars) {
		for _, name := range []string{databaseURL, baseURLName, secretKeys} {
			delete(env, name)
		}
	}, []string{"configuration  DATABASE_URL is not set", "configuration  PORTICO_BASE_URL is not set", "configuration  PORTICO_SECRET_KEYS is not set"}},
	"no database": {func(t *testing.T, env vars) {
		env[databaseURL] = "postgres://u:hunter2@" + closed(t) + "/d?sslmode=disable"
	},
		[]string{"database       open database: "}},
	"old schema": {func(t *testing.T, env vars) { execute(t, env, toOldSchema) },
		[]string{"schema         the database schema is not current: run `portico migrate`"}},
	"nothing applied": {func(t *testing.T, env vars) { env[databaseURL] = newEnv(t)[databaseURL] },
		[]string{"provider       there is none yet: run `portico apply`"}},
	"another key": {func(_ *testing.T, env vars) { env[secretKeys] = keyring.New() },
		[]string{"keys           connection vitec: credential for customer *: none of PORTICO_SECRET_KEYS opens it"}},
	"partner down": {func(t *testing.T, env vars) {
		file := strings.Replace(goodFile, "https://connect.example", "http://"+closed(t), 1)
		if r := portico(t, env, file, "apply", "-"); r.code != 0 {
			t.Fatal(r.stderr)
		}
	}, []string{"connection     vitec: http://ADDRESS cannot be reached: dial tcp ADDRESS: "}},
	"no credentials": {func(t *testing.T, env vars) { execute(t, env, `DELETE FROM credentials`) },
		[]string{"connection     vitec: it has no credentials"}},
	"refused credential": {func(t *testing.T, env vars) {
		store := open(t, env)
		if _, err := store.RefuseCredential(context.Background(), "vitec", "M1", 401, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}, []string{"credentials    vitec: vitec refuses the credential for customer * with status 401 since "}},
	"no storage": {func(t *testing.T, env vars) {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		env["PORTICO_BLOB_URL"] = "file://" + filepath.ToSlash(path)
	}, []string{"storage        open storage: "}},
	"mail down": {func(t *testing.T, env vars) { env["PORTICO_SMTP_URL"] = "smtp://u:hunter2@" + closed(t) },
		[]string{"mail           mail server 127.0.0.1: dial tcp ADDRESS: "}},
	"mail busy": {func(t *testing.T, env vars) {
		server := mailtest.Start(t, mailtest.Options{})
		server.Answer("", "421 busy")
		env["PORTICO_SMTP_URL"] = "smtp://u:hunter2@" + server.Address
	}, []string{"mail           mail server 127.0.0.1: 421 \"busy\""}},
	"mail password": {func(t *testing.T, env vars) {
		env["PORTICO_SMTP_URL"] = "smtp://u:hunter2@" + mailtest.Start(t, mailtest.Options{User: "u", Password: "another"}).Address
	}, []string{"mail           mail server 127.0.0.1: SMTP AUTH failed: 535 "}},
}

func TestDoctorFindsFaults(t *testing.T) {
	t.Parallel()
	for name, test := range spoils {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := installation(t)
			test.spoil(t, env)
			r := portico(t, env, "", "doctor")
			var faults []string
			for line := range strings.Lines(addresses.ReplaceAllString(r.stdout, "ADDRESS")) {
				if fault, ok := strings.CutPrefix(line, "fault  "); ok {
					faults = append(faults, fault)
				}
			}
			same := len(faults) == len(test.want)
			for i := range min(len(faults), len(test.want)) {
				same = same && strings.HasPrefix(faults[i], test.want[i])
			}
			if r.code != 1 || !same {
				t.Errorf("exit %d, want 1 and the faults\n%q in:\n%s%s", r.code, test.want, r.stdout, r.stderr)
			}
			if strings.Contains(r.stdout+r.stderr, "hunter2") {
				t.Errorf("a password is printed:\n%s%s", r.stdout, r.stderr)
			}
		})
	}
}

func TestDoctorLeavesNoFileBehind(t *testing.T) {
	t.Parallel()
	env := installation(t)
	folder := filepath.Join(t.TempDir(), "new", "blobs")
	env["PORTICO_BLOB_URL"] = "file://" + filepath.ToSlash(folder)
	if r := portico(t, env, "", "doctor"); r.code != 0 {
		t.Fatal(r.stdout)
	}
	err := filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
