package main

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"portico/internal/password"
	"portico/internal/portal"
)

var ada = []string{"staff", "add", "--email", "Ada@N.example", "--name", "Ada Berg", "--role", "fulfiller"}

// checkLogin checks that the person can log in with a password.
func checkLogin(t *testing.T, env vars, email, word string) {
	t.Helper()
	ctx := context.Background()
	person, err := open(t, env).StaffByEmail(ctx, email)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := password.Verify(ctx, person.PasswordHash, word); err != nil || !ok {
		t.Errorf("%q is not the password: %v", word, err)
	}
	if person.Name != "Ada Berg" || person.Role != portal.RoleFulfiller {
		t.Errorf("stored %+v", person)
	}
}

func TestStaffAddPrintsAPassword(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	r := portico(t, env, "", ada...)
	if r.code != 0 || !regexp.MustCompile(`^[a-z2-7-]{24,}\n$`).MatchString(r.stdout) {
		t.Fatalf("exit %d, want a password and nothing else on stdout:\n%s\nstderr:\n%s", r.code, r.stdout, r.stderr)
	}
	if !strings.Contains(r.stderr, "Ada Berg <ada@n.example> is added as fulfiller") {
		t.Errorf("stderr: %s", r.stderr)
	}
	checkLogin(t, env, "ada@n.example", strings.TrimSpace(r.stdout))

	r = portico(t, env, "", ada...)
	if r.code != 1 || r.stdout != "" || !strings.Contains(r.stderr, "an account for Ada@N.example already") {
		t.Errorf("again: exit %d, %q, %q; want a refusal and no password", r.code, r.stdout, r.stderr)
	}
}

func TestStaffAddReadsAPassword(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"correct horse\n":              "correct horse",
		"correct horse":                "correct horse",
		"correct horse\r\nsecond line": "correct horse",
		" åäö with blanks ":            " åäö with blanks ",
	} {
		env := newEnv(t)
		r := portico(t, env, typed, append(ada, "--password-stdin")...)
		if r.code != 0 || r.stdout != "" || strings.Contains(r.stderr, want) {
			t.Errorf("%q: exit %d, and no output may have the password: %q %q", typed, r.code, r.stdout, r.stderr)
			continue
		}
		checkLogin(t, env, "ada@n.example", want)
	}
}

func TestStaffAddRefuses(t *testing.T) {
	t.Parallel()
	env := newEnv(t)
	for name, test := range map[string]struct {
		stdin string
		args  []string
		code  int
		says  string
	}{
		"short password":     {"elevenchars\n", append(ada, "--password-stdin"), 1, "at least 12 characters"},
		"no password":        {"", append(ada, "--password-stdin"), 1, "at least 12 characters"},
		"long password":      {strings.Repeat("x", maxPassword+1), append(ada, "--password-stdin"), 1, "at most 1024 bytes"},
		"password of no use": {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", append(ada, "--password-stdin"), 1, "must be text"},
		"everything wrong": {"", []string{"staff", "add", "--email", "x", "--name", " ", "--role", "boss"}, 2,
			"--email must be an e-mail address; --name must not be empty; --role must be admin, fulfiller or viewer"},
	} {
		r := portico(t, env, test.stdin, test.args...)
		if r.code != test.code || r.stdout != "" || !strings.Contains(r.stderr, test.says) {
			t.Errorf("%s: exit %d, want %d and %q: %q %q", name, r.code, test.code, test.says, r.stdout, r.stderr)
		}
	}
	if _, err := open(t, env).StaffByEmail(context.Background(), "ada@n.example"); portal.KindOf(err) != portal.NotFound {
		t.Errorf("somebody was stored: %v", err)
	}
}
