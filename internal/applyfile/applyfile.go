// Package applyfile reads the file of `portico apply`: what it says, or
// everything that is wrong with it, each fault with its place. It stores nothing
// and knows no partner system: each brings its own Configure.
package applyfile

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"portico/internal/portal"
)

// Configure reads a connection, the file's mapping as JSON. It returns what is
// wrong with it by paths that start inside the connection.
type Configure func(json.RawMessage) (portal.Connection, []portal.Fault)

// System is a partner system that a connection may be of.
type System struct {
	Configure Configure
	Polls     bool // its orders are fetched, no callback brings them
	Insurance bool // it is told of the steps of an insurance
	Sellers   bool // it tells who the sellers are
	Networks  bool // its orders are of accesses, whose networks can be asked to activate them
}

// Fault is something wrong in the file. Line and Column are 0 where it is in no
// one place.
type Fault struct {
	Line, Column int
	Path         string // of keys and indexes: "connections[0].base_url"
	Text         string
}

// String returns the fault as one line.
func (f Fault) String() string {
	s := f.Text
	if f.Path != "" {
		s = f.Path + ": " + s
	}
	if f.Line > 0 {
		s = fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, s)
	}
	return s
}

// maxSize is far beyond any real file.
const maxSize = 1 << 20

// file is what is known of the file while it is read.
type file struct {
	env     func(string) (string, bool)
	systems map[string]System
	faults  []Fault
}

// Parse reads a file. ${NAME} in a text is taken from env; what stands there is
// not expanded again. With any fault the Setup is empty. The faults are in the
// order of the file, and none holds a value that came from env.
func Parse(src []byte, env func(string) (string, bool), systems map[string]System) (portal.Setup, []Fault) {
	f := &file{env: env, systems: systems}
	root, ok := f.read(src)
	if !ok {
		return portal.Setup{}, f.faults
	}
	setup := f.setup(root)
	if len(f.faults) == 0 {
		return setup, nil
	}
	slices.SortStableFunc(f.faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return portal.Setup{}, f.faults
}

// read returns the file's one document.
func (f *file) read(src []byte) (value, bool) {
	if len(src) > maxSize {
		f.faults = append(f.faults, Fault{Text: fmt.Sprintf("the file is larger than %d bytes", maxSize)})
		return value{}, false
	}
	parsed, err := parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		f.faults = append(f.faults, syntaxFault(err))
		return value{}, false
	}
	var bodies []ast.Node
	for _, doc := range parsed.Docs {
		if doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	if len(bodies) == 0 {
		f.faults = append(f.faults, Fault{Text: "the file is empty"})
		return value{}, false
	}
	root := value{file: f, node: bodies[0], at: start(bodies[0])}
	if len(bodies) > 1 {
		value{file: f, at: start(bodies[1])}.fault("a second document starts here: one file is one document")
	}
	return root, true
}

func syntaxFault(err error) Fault {
	fault := Fault{Text: "not YAML: " + err.Error()}
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		// Error() would quote the lines around the place, and with them a password.
		fault.Text = "not YAML: " + syntax.GetMessage()
		if t := syntax.GetToken(); t != nil {
			fault.Line, fault.Column = t.Position.Line, t.Position.Column
		}
	}
	return fault
}

func (f *file) setup(root value) portal.Setup {
	o := root.object()
	setup := portal.Setup{Provider: f.provider(o.required("provider"))}
	connections := map[string]*System{}
	for _, v := range o.optional("connections").list() {
		setup.Connections = append(setup.Connections, f.connection(v, connections))
	}
	seen := map[string]bool{}
	for _, v := range o.optional("services").list() {
		setup.Services = append(setup.Services, f.service(v, connections, seen))
	}
	o.end()
	return setup
}

// place is where something starts.
type place struct{ line, column int }

func placeOf(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{}
	}
	return place{t.Position.Line, t.Position.Column}
}
