package settings

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// paths returns where a connection is at fault.
func paths(raw string, read func(*Object)) []string {
	var faults []portal.Fault
	o := New("", json.RawMessage(raw), &faults)
	read(o)
	o.End()
	var all []string
	for _, f := range faults {
		all = append(all, f.Path)
	}
	return all
}

func TestObject(t *testing.T) {
	t.Parallel()
	var text string
	var n int
	var x float64
	for raw, want := range map[string][]string{
		`{"a":"x","n":1,"x":1.5,"o":{"r":"y"},"l":[{},{"z":1}]}`: {"l[1].z"},
		`{"a":1,"n":1.5,"x":"1","o":[],"l":{}}`:                  {"a", "n", "x", "o", "l"},
		`{"a":null,"zeta":1,"Alpha":1}`:                          {"o.r", "l", "Alpha", "zeta"},
		`[]`:                                                     {""},
	} {
		got := paths(raw, func(o *Object) {
			o.Text("a", &text)
			o.Number("n", &n)
			o.Decimal("x", &x)
			inner := o.Object("o")
			inner.Required("r")
			inner.End()
			for _, item := range o.List("l", true) {
				item.End()
			}
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", raw, diff)
		}
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for in, good := range map[string]bool{"https://a.example": true, "https://a.example/x/": true, "http://127.0.0.1:80": true, "http://[::1]": true,
		"http://localhost": true, "http://a.example": false, "http://127.0.0.1.example": false, "ftp://localhost": false, "https://:443": false,
		"https://u:p@a.example": false, "https://a.example?x": false, "https://a.example#x": false, "a.example": false, "": false} {
		var address string
		raw, err := json.Marshal(map[string]string{"a": in})
		if err != nil {
			t.Fatal(err)
		}
		if got := paths(string(raw), func(o *Object) { o.Address("a", &address) }); (len(got) == 0) != good {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestConnection(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string][]string{
		`{"id":"a-1","system":"x","link":"callback","rate":{"concurrent":2}}`:                       nil,
		`{"id":"a b","system":"y","link":"none","rate":{"concurrent":0,"per_second":-1,"burst":1}}`: {"id", "system", "link", "rate.concurrent", "rate.per_second", "rate.burst"},
		`{}`: {"id", "system"},
	} {
		link, rate := portal.LinkSigned, door.Rate{Concurrent: 1, PerSecond: 1}
		got := paths(raw, func(o *Object) {
			o.Connection("x")
			o.Link("link", &link)
			o.Rate("rate", &rate)
		})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", raw, diff)
		}
	}
}
