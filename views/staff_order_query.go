package views

import (
	"net/url"
	"slices"
	"strconv"

	"portico/internal/portal"
)

// OrderQuery is what the queue's address asks for.
type OrderQuery struct {
	Q        string         // "q": search
	States   []portal.State // "state": portal.OpenStates for "open" or none, portal.States for "all"
	Service  string         // "service"
	Office   string         // "office"
	FollowUp bool           // "follow_up=1": only what has to be followed up
	Sort     string         // "sort": one of Sorts; empty: the first
	After    string         // "after": where the page starts; empty: at the beginning
}

// Sorts are the orders of the queue; the first is the default.
var Sorts = []string{"due", "newest", "oldest"}

type chip struct {
	URL, Label, Value string
	Count             int
	Current           bool
}

func (p StaffOrderIndexPage) chips() []chip {
	chips := []chip{p.chip("open", p.T("queue.open"), portal.OpenStates)}
	for _, s := range portal.States {
		chips = append(chips, p.chip(string(s), p.StateWord(s), []portal.State{s}))
	}
	return append(chips, p.chip("all", p.T("queue.all"), portal.States))
}

func (p StaffOrderIndexPage) chip(value, label string, states []portal.State) chip {
	return chip{URL: p.url(states, ""), Label: label, Value: value, Count: p.count(states),
		Current: sameStates(p.states(), states)}
}

func (p StaffOrderIndexPage) states() []portal.State {
	if len(p.Query.States) == 0 {
		return portal.OpenStates
	}
	return p.Query.States
}

func (p StaffOrderIndexPage) stateChoice() string {
	for _, c := range p.chips() {
		if c.Current {
			return c.Label
		}
	}
	return p.T("queue.states", "Count", len(p.states()))
}

// url returns the queue's address with the same filters but these states.
func (p StaffOrderIndexPage) url(states []portal.State, after string) string {
	q := url.Values{}
	for name, value := range map[string]string{"q": p.Query.Q, "service": p.Query.Service, "office": p.Query.Office,
		"sort": p.Query.Sort, "after": after} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if p.Query.FollowUp {
		q.Set("follow_up", "1")
	}
	switch {
	case len(states) == 0 || sameStates(states, portal.OpenStates):
	case sameStates(states, portal.States):
		q.Set("state", "all")
	default:
		for _, s := range states {
			q.Add("state", string(s))
		}
	}
	if len(q) == 0 {
		return "/staff/orders"
	}
	return "/staff/orders?" + q.Encode()
}

// chosen is how many filters of the sheet are set, empty for none.
func (p StaffOrderIndexPage) chosen() string {
	n := 0
	for _, set := range []bool{p.Query.Service != "", p.Query.Office != "", p.Query.FollowUp, !sameStates(p.states(), portal.OpenStates)} {
		if set {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// narrowed reports whether there may be orders that the filters hide, other than
// those that are done.
func (p StaffOrderIndexPage) narrowed() bool {
	return p.Query.Q != "" || p.Query.Service != "" || p.Query.Office != "" || p.Query.FollowUp || p.Query.After != "" ||
		p.count(portal.States) > 0 && !sameStates(p.states(), portal.OpenStates)
}

func (p StaffOrderIndexPage) count(states []portal.State) int {
	n := 0
	for _, s := range states {
		n += p.Counts[s]
	}
	return n
}

func (p StaffOrderIndexPage) sorts() []Option {
	var options []Option
	for _, s := range Sorts {
		options = append(options, Option{ID: s, Label: p.T("sort." + s)})
	}
	return options
}

func sameStates(a, b []portal.State) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(s portal.State) bool { return !slices.Contains(b, s) })
}
