package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/scanner"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	module = "portico/"
	root   = "../.."
)

// arrows says which packages of this module a package may import; whatever is
// not drawn is forbidden. A new package gets a line here, or it does not pass.
// Names are patterns; the first that matches counts.
var arrows = []struct {
	from string
	to   []string
}{
	{"cmd/portico", []string{"*", "db/private", "internal/*", "internal/partner/*", "internal/partner/*/*test", "internal/partner/*/*/*test"}},
	{"cmd/portico/chaos", nil},
	{"cmd/partnersim", []string{"internal/portal", "internal/partner/*/*test", "internal/partner/*/*/*test"}},
	{"cmd/testdb", []string{"db/private"}},
	{"handlers", []string{"internal/portal", "db", "views", "static"}},
	{"views", []string{"internal/portal", "static"}},
	{"db", []string{"internal/portal", "migrations"}},
	{"db/dbtest", []string{"db", "db/private", "migrations"}},
	{"db/private", nil},
	{"migrations", nil},
	{"static", nil},
	{"internal/portal", nil},
	{"internal/worker", []string{"internal/portal"}},
	{"internal/worldtest", nil},
	{"internal/applyfile", []string{"internal/portal"}},
	{"internal/keyring", nil},
	{"internal/mail", nil},
	{"internal/mail/mailtest", nil},
	{"internal/password", nil},
	{"internal/partner/door", []string{"internal/portal"}},
	{"internal/partner/settings", []string{"internal/portal", "internal/partner/door"}},
	{"internal/partner/tjansteguiden", []string{"internal/portal", "internal/partner/door", "internal/partner/settings", "internal/partner/tjansteguiden/onapi"}},
	{"internal/partner/tjansteguiden/onapi", []string{"internal/portal", "internal/partner/door"}},
	{"internal/partner/*", []string{"internal/portal", "internal/partner/door", "internal/partner/settings"}},
	{"internal/partner/door/doortest", []string{"internal/portal"}},
	{"internal/partner/*/*test", []string{"internal/portal", "internal/partner/door/doortest"}},
	{"internal/partner/*/*/*test", []string{"internal/portal", "internal/partner/door/doortest"}},
}

// listed is a package as go list tells of it.
type listed struct {
	ImportPath string
	Imports    []string // without those of tests
}

func (p listed) name() string { return strings.TrimPrefix(p.ImportPath, module) }

// list returns every package of the module.
func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var packages []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}

// matches reports whether a name is one of the patterns.
func matches(t *testing.T, patterns []string, name string) bool {
	t.Helper()
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	})
}

// drawn returns what a package may import, and whether it is in the table.
func drawn(t *testing.T, name string) ([]string, bool) {
	t.Helper()
	for _, a := range arrows {
		if matches(t, []string{a.from}, name) {
			return a.to, true
		}
	}
	return nil, false
}

func TestArrows(t *testing.T) {
	t.Parallel()
	packages := list(t)
	if len(packages) < 10 {
		t.Fatalf("go list knows of %d packages", len(packages))
	}
	for _, p := range packages {
		allowed, known := drawn(t, p.name())
		if !known {
			t.Errorf("package %s is in no line of arrows", p.name())
		}
		for _, imported := range p.Imports {
			to, ours := strings.CutPrefix(imported, module)
			if known && ours && !matches(t, allowed, to) {
				t.Errorf("%s imports %s", p.name(), to)
			}
			if first, _, _ := strings.Cut(imported, "/"); p.name() == "internal/portal" && strings.Contains(first, ".") {
				t.Errorf("the domain imports %s, which is not of the standard library", imported)
			}
		}
	}
}

// TestTestCodeIsInNoProgram: databases and clocks of tests and partners' fakes are
// for tests; the demo and its simulator alone have the fakes as well.
func TestTestCodeIsInNoProgram(t *testing.T) {
	t.Parallel()
	fakes := []string{"internal/partner/*/*test", "internal/partner/*/*/*test"}
	for _, p := range list(t) {
		for _, imported := range p.Imports {
			to := strings.TrimPrefix(imported, module)
			fake := matches(t, fakes, to) && !matches(t, append(fakes, "cmd/portico", "cmd/partnersim"), p.name())
			if fake || to == "db/dbtest" || to == "internal/worldtest" {
				t.Errorf("%s imports %s, which is for tests", p.name(), to)
			}
		}
	}
	fake := regexp.MustCompile(`"portico/internal/partner/(\w+/)+\w+test"`)
	for _, file := range sources(t, ".go") {
		demo := file == "cmd/portico/demo.go" || file == "cmd/portico/simulators.go"
		if path.Dir(file) == "cmd/portico" && !demo && fake.Match(read(t, file)) {
			t.Errorf("%s imports a fake: of the program, the demo alone does", file)
		}
	}
}

// sources returns the files of the module that are no tests, by ending, from
// the root on.
func sources(t *testing.T, endings ...string) []string {
	t.Helper()
	var files []string
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "bin" || d.Name() == "testdata"):
			return fs.SkipDir
		case !d.IsDir() && slices.Contains(endings, path.Ext(name)) && !strings.HasSuffix(name, "_test.go"):
			files = append(files, name)
		}
		return nil
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// partnerNames returns the names of the partner systems: those packages that have a
// fake beside them.
func partnerNames(t *testing.T) []string {
	t.Helper()
	fakes, err := filepath.Glob(filepath.Join(root, "internal", "partner", "*", "*test"))
	if err != nil || len(fakes) == 0 {
		t.Fatalf("%d partner systems, %v", len(fakes), err)
	}
	var names []string
	for _, fake := range fakes {
		if name := filepath.Base(filepath.Dir(fake)); name != "door" { // what all fakes share is no partner's
			names = append(names, name)
		}
	}
	return names
}

// TestAPartnersNameStaysInItsPackage: outside it and cmd, no code knows which
// partner systems there are. A comment may name one as an example.
func TestAPartnersNameStaysInItsPackage(t *testing.T) {
	t.Parallel()
	names := partnerNames(t)
	for _, file := range sources(t, ".go", ".templ") {
		if strings.HasPrefix(file, "cmd/") || strings.HasPrefix(file, "internal/partner/") {
			continue
		}
		code := strings.ToLower(withoutComments(read(t, file)))
		for _, name := range names {
			if strings.Contains(code, name) {
				t.Errorf("%s speaks of %s", file, name)
			}
		}
	}
}

// withoutComments returns the words of a Go or templ file that are no comments.
// What Go does not know in a templ file is scanned all the same.
func withoutComments(src []byte) string {
	var s scanner.Scanner
	files := token.NewFileSet()
	s.Init(files.AddFile("", files.Base(), len(src)), src, func(token.Position, string) {}, 0)
	var code strings.Builder
	for {
		_, tok, literal := s.Scan()
		if tok == token.EOF {
			return code.String()
		}
		code.WriteString(literal)
		code.WriteByte(' ')
	}
}

// TestTopFolder: a newcomer sees the house from the door.
func TestTopFolder(t *testing.T) {
	t.Parallel()
	allowed := []string{"cmd", "handlers", "views", "static", "db", "migrations", "internal", ".ci", "go.mod", "go.sum", "Makefile", "README.md",
		".git", ".gitignore", "bin", ".portico"} // the last two are what building and running leave
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(allowed, e.Name()) {
			t.Errorf("%s has no place in the top folder", e.Name())
		}
	}
}
