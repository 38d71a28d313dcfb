// Package settings reads what an apply file says of one connection, and finds
// all that is wrong with it. It knows what partners' connections have in common.
package settings

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"portico/internal/portal"
)

// Object reads a JSON object key by key, so that all its faults come out
// together. What nobody has read when it ends is unknown.
type Object struct {
	path    string
	members map[string]json.RawMessage
	names   []string // of query parameters
	faults  *[]portal.Fault
}

// New returns the object that a JSON text is. Faults are added to those that
// are there; their paths start with path.
func New(path string, raw json.RawMessage, faults *[]portal.Fault) *Object {
	o := &Object{path: path, faults: faults}
	if json.Unmarshal(raw, &o.members) != nil || o.members == nil {
		*faults = append(*faults, portal.Fault{Path: path, Text: "must be an object"})
		o.faults = new([]portal.Fault) // what it lacks is not worth saying
	}
	return o
}

func (o *Object) at(key string) string {
	if o.path == "" {
		return key
	}
	return o.path + "." + key
}

// Fault says what is wrong with a key.
func (o *Object) Fault(key, format string, args ...any) {
	*o.faults = append(*o.faults, portal.Fault{Path: o.at(key), Text: fmt.Sprintf(format, args...)})
}

// Has reports whether the key is there and unread.
func (o *Object) Has(key string) bool { _, ok := o.members[key]; return ok }

// Skip takes a key as read.
func (o *Object) Skip(key string) { delete(o.members, key) }

// JSON takes the value of a key; null is as good as absent.
func (o *Object) JSON(key string, into *json.RawMessage) bool {
	raw, ok := o.members[key]
	o.Skip(key)
	if !ok || bytes.Equal(raw, []byte("null")) {
		return false
	}
	*into = raw
	return true
}

// Read takes the value of a key as json.Unmarshal does, or says that it must be what is wanted.
func (o *Object) Read(key string, into any, want string) bool {
	var raw json.RawMessage
	if !o.JSON(key, &raw) {
		return false
	}
	if json.Unmarshal(raw, into) != nil {
		o.Fault(key, "must be %s", want)
		return false
	}
	return true
}

// Text reads a text.
func (o *Object) Text(key string, into *string) bool {
	return o.Read(key, into, "a text (in quotes)")
}

// Number reads a whole number.
func (o *Object) Number(key string, into *int) bool {
	return o.Read(key, into, "a whole number")
}

// Decimal reads a number.
func (o *Object) Decimal(key string, into *float64) bool {
	return o.Read(key, into, "a number")
}

// Required reads a text that must be there; an unreadable one is one fault.
func (o *Object) Required(key string) string {
	var s string
	before := len(*o.faults)
	if o.Text(key, &s); s == "" && len(*o.faults) == before {
		o.Fault(key, "is missing")
	}
	return s
}

// Object reads an object; where there is none, an empty one.
func (o *Object) Object(key string) *Object {
	var raw json.RawMessage
	if !o.JSON(key, &raw) {
		return &Object{path: o.at(key), faults: o.faults}
	}
	return New(o.at(key), raw, o.faults)
}

// List reads a list of objects.
func (o *Object) List(key string, required bool) []*Object {
	var items []json.RawMessage
	before := len(*o.faults)
	o.Read(key, &items, "a list")
	if required && len(items) == 0 && len(*o.faults) == before {
		o.Fault(key, "is missing")
	}
	var objects []*Object
	for i, raw := range items {
		objects = append(objects, New(fmt.Sprintf("%s[%d]", o.at(key), i), raw, o.faults))
	}
	return objects
}

// End makes a fault of each key that nobody has read.
func (o *Object) End() {
	for _, key := range slices.Sorted(maps.Keys(o.members)) {
		o.Fault(key, "is unknown")
	}
}
