package applyfile

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"portico/internal/portal"
)

var idPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

const idRule = "an id: small letters, digits, - and _, at most 63"

// connection reads a connection and enters it in known: with its system, nil if
// there is no such system.
func (f *file) connection(v value, known map[string]*System) portal.Connection {
	o := v.object()
	idValue, systemValue := o.required("id"), o.required("system")
	id, idOK := idValue.matching(idPattern, idRule)
	if _, twice := known[id]; twice && idOK {
		idValue.fault("another connection has this id")
	}
	name, ok := systemValue.text()
	system, exists := f.systems[name]
	if idOK {
		known[id] = nil
	}
	if !exists {
		if ok {
			systemValue.fault("must be %s", listed(slices.Sorted(maps.Keys(f.systems)), "or"))
		}
		v.json(nil) // for what is wrong in any system
		return portal.Connection{}
	}
	if idOK {
		known[id] = &system
	}
	places := map[string]place{}
	raw, err := json.Marshal(v.json(places))
	if err != nil {
		v.fault("cannot be read: %v", err)
		return portal.Connection{}
	}
	c, faults := system.Configure(raw)
	for _, fault := range faults {
		v.inside(fault, places)
	}
	c.ID, c.System = id, name
	return c
}

// inside puts a fault of a system at its place in the file: that of the path,
// or of what is around it.
func (v value) inside(fault portal.Fault, places map[string]place) {
	if fault.Path != "" {
		v.path += "." + fault.Path
	}
	for around := v.path; around != ""; around = around[:max(0, strings.LastIndexAny(around, ".["))] {
		if at, ok := places[around]; ok {
			v.at = at
			break
		}
	}
	v.fault("%s", fault.Text)
}

// json returns the value as encoding/json has it, texts filled in, and notes
// where everything stands.
func (v value) json(places map[string]place) any {
	if places != nil {
		places[v.path] = v.at
	}
	switch n := v.node.(type) {
	case nil:
		return nil
	case *ast.MappingNode:
		o := v.object()
		members := map[string]any{}
		for _, key := range o.keys {
			members[key] = o.members[key].json(places)
		}
		return members
	case *ast.SequenceNode:
		items := []any{}
		for _, item := range v.list() {
			items = append(items, item.json(places))
		}
		return items
	case *ast.StringNode:
		return v.expand(n.Value)
	case *ast.LiteralNode:
		return v.expand(n.Value.Value)
	case *ast.IntegerNode:
		return n.Value
	case *ast.FloatNode:
		return n.Value
	case *ast.BoolNode:
		return n.Value
	}
	v.fault("must be a number, a text, true or false")
	return nil
}
