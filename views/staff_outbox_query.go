package views

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"portico/internal/portal"
)

// OutboxQuery is what the outbox's address asks for.
type OutboxQuery struct {
	Connection string // "connection"
	Office     string // "office"
	Kind       string // "kind": one of OutboxKinds; empty: both
	Age        string // "age": one of OutboxAges, at least; empty: any
	After      string // "after": where the page starts; empty: at the beginning
	All        bool   // "chosen=all": what the page shows is chosen
}

// OutboxKinds are what messages wait for: a person, or their time or turn.
var OutboxKinds = []string{"parked", "waiting"}

// OutboxAges are how long messages have waited at least, as time.ParseDuration reads them.
var OutboxAges = []string{"5m", "1h", "24h"}

// OutboxCounts are how many messages match the other filters, by kind, and of
// those that match all what can be done about several.
type OutboxCounts struct {
	Parked    int
	Waiting   int
	Retryable int // what can be tried again in one go
	Undecided int // leads that may have arrived: each is decided about by itself
}

func (c OutboxCounts) all() int { return c.Parked + c.Waiting }

func (c OutboxCounts) of(kind string) int {
	switch kind {
	case "parked":
		return c.Parked
	case "waiting":
		return c.Waiting
	}
	return c.all()
}

// values are the query's parts that are set, but what is chosen.
func (q OutboxQuery) values() url.Values {
	values := url.Values{}
	for name, value := range map[string]string{"connection": q.Connection, "office": q.Office, "kind": q.Kind, "age": q.Age, "after": q.After} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

// undecidedURL is where the leads stand that each wait for a decision.
func (q OutboxQuery) undecidedURL() string {
	return LeadQuery{State: portal.LeadUncertain, Connection: q.Connection, Office: q.Office}.URL()
}

// names are the names of values, in the order of an address.
func (q OutboxQuery) names() []string { return slices.Sorted(maps.Keys(q.values())) }

// URL returns the outbox's address with the query.
func (q OutboxQuery) URL() string {
	values := q.values()
	if q.All {
		values.Set("chosen", "all")
	}
	if len(values) == 0 {
		return "/staff/outbox"
	}
	return "/staff/outbox?" + values.Encode()
}

func (q OutboxQuery) from(after string) OutboxQuery {
	q.After, q.All = after, false
	return q
}

func (q OutboxQuery) choosing(all bool) OutboxQuery {
	q.All = all
	return q
}

// narrowed reports whether there may be messages that the query hides.
func (q OutboxQuery) narrowed() bool { return len(q.values()) > 0 }

// chosen is how many filters of the sheet are set, empty for none.
func (q OutboxQuery) chosen() string {
	q.Kind = ""
	if n := len(q.from("").values()); n > 0 {
		return strconv.Itoa(n)
	}
	return ""
}

func (p StaffOutboxPage) chips() []chip {
	chips := []chip{p.chip("all", "", p.T("queue.all"))}
	for _, k := range p.kinds() {
		chips = append(chips, p.chip(k.ID, k.ID, k.Label))
	}
	return chips
}

func (p StaffOutboxPage) chip(value, kind, label string) chip {
	q := p.Query.from("")
	q.Kind = kind
	return chip{URL: q.URL(), Label: label, Value: value, Count: p.Counts.of(kind), Current: p.Query.Kind == kind}
}

func (p StaffOutboxPage) kinds() []Option {
	var options []Option
	for _, kind := range OutboxKinds {
		options = append(options, Option{ID: kind, Label: p.T("outbox.kind_" + kind)})
	}
	return options
}

func (p StaffOutboxPage) ages() []Option {
	var options []Option
	for _, age := range OutboxAges {
		if d, err := time.ParseDuration(age); err == nil {
			options = append(options, Option{ID: age, Label: p.T("outbox.older", "Span", p.Span(d))})
		}
	}
	return options
}

// isChosen reports whether a message's box is ticked.
func (p StaffOutboxPage) isChosen(j portal.Job) bool {
	return p.Query.All || slices.Contains(p.Rejected.Typed["job"], strconv.FormatInt(j.ID, 10))
}
