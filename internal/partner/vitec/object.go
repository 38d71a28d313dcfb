package vitec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"portico/internal/portal"
)

// object reads a JSON object key by key, so that all its faults come out
// together. What nobody has read when it ends is unknown.
type object struct {
	path    string
	members map[string]json.RawMessage
	faults  *[]portal.Fault
}

func newObject(path string, raw json.RawMessage, faults *[]portal.Fault) *object {
	o := &object{path: path, faults: faults}
	if json.Unmarshal(raw, &o.members) != nil || o.members == nil {
		*faults = append(*faults, portal.Fault{Path: path, Text: "must be an object"})
		o.faults = new([]portal.Fault) // what it lacks is not worth saying
	}
	return o
}

func (o *object) at(key string) string {
	if o.path == "" {
		return key
	}
	return o.path + "." + key
}

func (o *object) fault(key, format string, args ...any) {
	*o.faults = append(*o.faults, portal.Fault{Path: o.at(key), Text: fmt.Sprintf(format, args...)})
}

func (o *object) has(key string) bool { _, ok := o.members[key]; return ok }

func (o *object) skip(key string) { delete(o.members, key) }

// json takes the value of a key; null is as good as absent.
func (o *object) json(key string, into *json.RawMessage) bool {
	raw, ok := o.members[key]
	o.skip(key)
	if !ok || bytes.Equal(raw, []byte("null")) {
		return false
	}
	*into = raw
	return true
}

func (o *object) read(key string, into any, want string) bool {
	var raw json.RawMessage
	if !o.json(key, &raw) {
		return false
	}
	if json.Unmarshal(raw, into) != nil {
		o.fault(key, "must be %s", want)
		return false
	}
	return true
}

func (o *object) text(key string, into *string) bool {
	return o.read(key, into, "a text (in quotes)")
}

func (o *object) number(key string, into *int) bool {
	return o.read(key, into, "a whole number")
}

func (o *object) decimal(key string, into *float64) bool {
	return o.read(key, into, "a number")
}

// required reads a text that must be there; an unreadable one is one fault.
func (o *object) required(key string) string {
	var s string
	before := len(*o.faults)
	if o.text(key, &s); s == "" && len(*o.faults) == before {
		o.fault(key, "is missing")
	}
	return s
}

// object reads an optional object; where there is none, an empty one.
func (o *object) object(key string) *object {
	var raw json.RawMessage
	if !o.json(key, &raw) {
		return &object{path: o.at(key), faults: o.faults}
	}
	return newObject(o.at(key), raw, o.faults)
}

func (o *object) list(key string, required bool) []*object {
	var items []json.RawMessage
	before := len(*o.faults)
	o.read(key, &items, "a list")
	if required && len(items) == 0 && len(*o.faults) == before {
		o.fault(key, "is missing")
	}
	var objects []*object
	for i, raw := range items {
		objects = append(objects, newObject(fmt.Sprintf("%s[%d]", o.at(key), i), raw, o.faults))
	}
	return objects
}

// end makes a fault of each key that nobody has read.
func (o *object) end() {
	for _, key := range slices.Sorted(maps.Keys(o.members)) {
		o.fault(key, "is unknown")
	}
}
