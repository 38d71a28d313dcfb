package visma

import (
	"net/url"
	"strings"
	"unicode"

	"portico/internal/portal"
)

const maxToken = 2048 // bytes; how long Core's are is not documented

// opening is what Core fills into the address that is registered with Visma.
type opening struct {
	tenant   string
	order    string // "" if the address has none
	caseID   string // "" if the address has none
	token    string
	customer string // what the customer is called
}

// Office returns the tenant that a callback's query claims to be of, "" if it
// names none that is configured, or two. An order belongs to the tenant: the
// office in a token is the one of whoever came, and colleagues of another office
// may open the same order.
func (c *Client) Office(q url.Values) string {
	id, flow := one(q, c.config.Query.Tenant), one(q, c.config.Query.FlowURL)
	if id == broken || flow == broken {
		return ""
	}
	var found []string
	for _, t := range c.config.Tenants {
		if (id == "" || id == t.ID) && (flow == "" || home(flow) == t.BaseURL) {
			found = append(found, t.ID)
		}
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// home returns the base address that a customer's address of Core means: Visma
// writes it with /flow at its end and without, with a slash and without. It is
// "" for what is no address.
func home(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return ""
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	if i := len(path) - len("/flow"); i >= 0 && strings.EqualFold(path[i:], "/flow") {
		path = strings.TrimRight(path[:i], "/")
	}
	return strings.ToLower(u.Scheme+"://"+u.Host) + path
}

// opening reads a callback's query, or returns Forbidden for one that is not valid.
func (c *Client) opening(q url.Values) (opening, error) {
	n := c.config.Query
	o := opening{tenant: c.Office(q), token: tokenOf(one(q, n.Token)), customer: printable(one(q, n.CustomerName))}
	order, caseID := one(q, n.Order), one(q, n.Case)
	o.order = guid(order)
	if casePattern.MatchString(caseID) {
		o.caseID = caseID
	}
	if o.tenant == "" || o.token == "" || order != "" && o.order == "" || caseID != "" && o.caseID == "" {
		return opening{}, invalid()
	}
	return o, nil
}

// broken stands for a parameter that is there twice.
const broken = "\x00"

func one(q url.Values, name string) string {
	switch len(q[name]) {
	case 0:
		return ""
	case 1:
		return q[name][0]
	}
	return broken
}

// tokenOf returns the token of a query, "" if it is none.
func tokenOf(s string) string {
	s = strings.ReplaceAll(s, " ", "+") // a "+" that nobody encoded arrives as a space
	if len(s) > maxToken || strings.ContainsFunc(s, func(r rune) bool { return r < '!' || r > unicode.MaxASCII-1 }) {
		return ""
	}
	return s
}

func invalid() error { return portal.Errorf(portal.Forbidden, "callback.invalid") }
