package applyfile

import (
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// object is a mapping of which the reader names the keys that it knows.
type object struct {
	value
	members map[string]value
	keys    []string // in the order of the file
	known   map[string]bool
}

// object returns the mapping that v is; what is none has no keys and requires none.
func (v value) object() *object {
	o := &object{value: v, members: map[string]value{}, known: map[string]bool{}}
	if !v.there() {
		return o
	}
	mapping, ok := v.node.(*ast.MappingNode)
	if !ok {
		v.fault("must be a mapping: key: value")
		o.node = nil
		return o
	}
	for _, pair := range mapping.Values {
		o.add(pair)
	}
	return o
}

func (o *object) add(pair *ast.MappingValueNode) {
	at := placeOf(pair.Key.GetToken())
	key, ok := pair.Key.(*ast.StringNode)
	if !ok {
		value{file: o.file, path: o.path, at: at}.fault("this key must be a plain word")
		return
	}
	path := key.Value
	if o.path != "" {
		path = o.path + "." + path
	}
	member := o.child(path, at, pair.Value)
	if _, twice := o.members[key.Value]; twice {
		member.fault("the key is there twice")
		return
	}
	o.members[key.Value] = member
	o.keys = append(o.keys, key.Value)
}

// optional returns the value of a key that may be missing.
func (o *object) optional(key string) value {
	o.known[key] = true
	return o.members[key].or(o.file)
}

// or lets an absent value know its file.
func (v value) or(f *file) value {
	v.file = f
	return v
}

// required returns the value of a key that must be there.
func (o *object) required(key string) value {
	v := o.optional(key)
	if v.there() || !o.there() {
		return v
	}
	if v.path == "" { // not even an empty one
		v.at, v.path = o.at, strings.TrimPrefix(o.path+"."+key, ".")
	}
	v.fault("is missing")
	return v
}

// end says which keys nobody knows.
func (o *object) end() {
	for _, key := range o.keys {
		if !o.known[key] {
			o.members[key].fault("unknown key; known are %s", strings.Join(slices.Sorted(maps.Keys(o.known)), ", "))
		}
	}
}
