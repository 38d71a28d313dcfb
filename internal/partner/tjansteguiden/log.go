package tjansteguiden

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

const (
	maxLog = 200 // entries that are returned
	// clockSkew is how much older than a message its entry may say that it is.
	clockSkew = 2 * time.Minute
)

// Log returns what Tjänsteguiden has noted of an order, by its own id of it: the
// newest entries, the newest last. An error is a *portal.ReportError.
func (c *Client) Log(ctx context.Context, orderID string) ([]portal.LogEntry, error) {
	records, err := c.log(ctx, orderID)
	if err != nil {
		return nil, door.Classify(err)
	}
	entries := make([]portal.LogEntry, 0, len(records))
	for _, r := range records {
		if e := c.entry(r); e.Text != "" || e.Kind != "" {
			entries = append(entries, e)
		}
	}
	// A date that cannot be read stays where it is, among its neighbours.
	if !slices.ContainsFunc(entries, func(e portal.LogEntry) bool { return e.At.IsZero() }) {
		slices.SortStableFunc(entries, func(a, b portal.LogEntry) int { return a.At.Compare(b.At) })
	}
	return entries[max(0, len(entries)-maxLog):], nil
}

// said reports whether the log of a message's order has a text since the message
// was written.
func (c *Client) said(ctx context.Context, m portal.Message, text string) bool {
	records, err := c.log(ctx, m.PartnerOrderID)
	if err != nil {
		return false // a network has no such method, as far as is known
	}
	want := portal.Redact(line(text)) // as records are
	return slices.ContainsFunc(records, func(r record) bool {
		at := c.recordDate(r)
		return strings.Contains(line(r.all()), want) && (at.IsZero() || !at.Before(m.Since.Add(-clockSkew)))
	})
}

// record is an entry of an order's log: the texts of an element, by name.
type record []portal.Fact

// log reads the log of an order.
//
// What order_log answers with is documented nowhere. An entry is taken to be an
// element in which there are only texts, or a text in a list of such.
func (c *Client) log(ctx context.Context, orderID string) ([]record, error) {
	d, err := c.detail(ctx, "order_log", c.config.Query.Order, orderID)
	if err != nil {
		return nil, err
	}
	s := scrubber{}
	s.find(d.body)
	return records(nil, d.body, s), nil
}

func records(all []record, e element, s scrubber) []record {
	leaves := len(e.children) > 0
	repeated := len(e.children) > 1
	for _, c := range e.children {
		leaves = leaves && len(c.children) == 0
		repeated = repeated && strings.EqualFold(c.name, e.children[0].name)
	}
	if leaves && !repeated && len(e.children) > 1 {
		return append(all, e.record(s))
	}
	for _, c := range e.children {
		if len(c.children) > 0 {
			all = records(all, c, s)
		} else if c.text != "" || len(c.attrs) > 0 {
			all = append(all, c.record(s))
		}
	}
	return all
}

func (e element) record(s scrubber) record {
	var r record
	add := func(name, text string) {
		if text != "" && !strings.EqualFold(name, serialName) {
			r = append(r, portal.Fact{Name: strings.ToLower(name), Value: portal.Redact(s.strike(text))})
		}
	}
	for _, a := range e.attrs {
		add(a.Name.Local, a.Value)
	}
	if len(e.children) == 0 {
		add(e.name, e.text)
	}
	for _, c := range e.children {
		add(c.name, c.text)
	}
	return r
}

func (r record) all() string {
	var texts []string
	for _, f := range r {
		texts = append(texts, f.Value)
	}
	return strings.Join(texts, "\n")
}

// named returns the text that has one of some names, and takes it out.
func (r *record) named(names ...string) string {
	for _, name := range names {
		if at := slices.IndexFunc(*r, func(f portal.Fact) bool { return f.Name == name }); at >= 0 {
			value := (*r)[at].Value
			*r = slices.Delete(slices.Clone(*r), at, at+1)
			return value
		}
	}
	return ""
}

func (c *Client) recordDate(r record) time.Time {
	for _, f := range r {
		if at := c.parseDate(f.Value); !at.IsZero() {
			return at
		}
	}
	return time.Time{}
}

// entry returns a record as people read it.
func (c *Client) entry(r record) portal.LogEntry {
	e := portal.LogEntry{At: c.recordDate(r)}
	r = slices.DeleteFunc(slices.Clone(r), func(f portal.Fact) bool { return !c.parseDate(f.Value).IsZero() || f.Name == "id" })
	e.Kind = cut(line(r.named("type", "kind")), maxLine)
	e.Who = cut(line(r.named("user", "username", "who", "author", "from", "name", "api_user", "xsp")), maxLine)
	e.Text = cut(cmp.Or(r.named("message", "text", "comment", "description", "log", "entry"), r.all()), maxFact)
	return e
}
