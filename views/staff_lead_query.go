package views

import (
	"net/url"
	"strconv"

	"portico/internal/portal"
)

// LeadQuery is what the address of the leads asks for.
type LeadQuery struct {
	Q          string           // "q": search
	State      portal.LeadState // "state"; empty: any
	Connection string           // "connection"
	Office     string           // "office"
	After      string           // "after": where the page starts; empty: at the beginning
}

// values are the query's parts that are set.
func (q LeadQuery) values() url.Values {
	values := url.Values{}
	for name, value := range map[string]string{"q": q.Q, "state": string(q.State), "connection": q.Connection, "office": q.Office, "after": q.After} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

// URL returns the address of the leads with the query.
func (q LeadQuery) URL() string { return q.at("/staff/leads") }

// csv is the address of all that the query finds.
func (q LeadQuery) csv() string { return q.from("").at("/staff/leads.csv") }

func (q LeadQuery) at(path string) string {
	if values := q.values(); len(values) > 0 {
		return path + "?" + values.Encode()
	}
	return path
}

func (q LeadQuery) from(after string) LeadQuery {
	q.After = after
	return q
}

func (q LeadQuery) of(s portal.LeadState) LeadQuery {
	q.State, q.After = s, ""
	return q
}

// chosen is how many filters of the sheet are set, empty for none.
func (q LeadQuery) chosen() string {
	n := 0
	for _, set := range []string{q.Connection, q.Office} {
		if set != "" {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// narrowed reports whether there may be leads that the filters hide.
func (q LeadQuery) narrowed() bool { return q != LeadQuery{} }

func (p StaffLeadIndexPage) chips() []chip {
	all := chip{URL: p.Query.of("").URL(), Label: p.T("leads.all"), Value: "all", Current: p.Query.State == ""}
	chips := []chip{all}
	for _, s := range portal.LeadStates {
		chips[0].Count += p.Counts[s]
		chips = append(chips, chip{URL: p.Query.of(s).URL(), Label: p.LeadStateWord(s), Value: string(s), Count: p.Counts[s], Current: p.Query.State == s})
	}
	return chips
}
