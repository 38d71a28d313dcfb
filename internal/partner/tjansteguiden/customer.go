package tjansteguiden

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// serialName is the element that has the customer's personal number.
const serialName = "serial"

var serialPattern = regexp.MustCompile(`(?i)<serial[^>]*>\s*([^<\s]*)`)

// What is kept at most of what is documented nowhere.
const (
	maxFacts = 50
	maxFact  = 2000 // characters of a value
)

// fetched returns what the answers about an order and its customer say. The
// customer's number is in nothing of it but PersonalNumber.
//
// https://www.eklundh.com/atlas/help/index/SNP/axa/spec/19
func (c *Client) fetched(l portal.Listed, info, who detail) (portal.Fetched, error) {
	customer := who.item("customer")
	l.TargetID = idOf(cmp.Or(customer.get("socket"), info.item("order").get("socket")))
	if l.TargetID == "" {
		return portal.Fetched{}, who.fault("polls.no_access", errors.New("customer_info: the customer has no access"))
	}
	s := scrubber{}
	s.find(who.body)
	s.find(info.body)
	order, person := s.scrub(info.body), s.scrub(who.body)
	f := portal.Fetched{Listed: l, Details: c.details(l, order, person)}
	if len(s.serials) > 0 {
		f.PersonalNumber = s.serials[0]
	}
	f.Ticket = portal.Ticket{OrderID: l.OrderID, Customer: l.Customer, UserID: l.UserID, OwnerID: l.UserID, UserName: f.Details.Name,
		Target: portal.Target{Type: targetType, ID: l.TargetID, Name: f.Details.Address()},
		Raw:    door.JSON(map[string]any{info.method: order.tree(), who.method: person.tree()})}
	if c.config.Role == roleProvider {
		f.Ticket.CustomerName = guideName
	} else {
		f.Ticket.CustomerName = detail{body: order}.item("order").get("xsp_name")
	}
	return f, nil
}

// details returns what is told of an order and its customer, from scrubbed answers.
func (c *Client) details(l portal.Listed, order, person element) portal.Details {
	customer := detail{body: person}.item("customer")
	data, _ := person.child("data")
	get := func(name string) string { return cut(cmp.Or(customer.get(name), data.get(name)), maxLine) }
	known := slices.Clone(orderNames)
	if l.Wished != "" {
		known = append(known, "delivery")
	}
	if strings.EqualFold(detail{body: order}.item("order").get("type"), "order") {
		known = append(known, "type")
	}
	return portal.Details{Type: targetType, Wished: l.Wished, Street: get("address"), ZipCode: get("zip"), City: get("city"),
		Name: strings.TrimSpace(get("firstname") + " " + get("surname")), Email: get("email"), Phone: get("phone"),
		More: person.facts(order.facts(nil, "", known), "", customerNames)}
}

// The elements that have places of their own.
var (
	orderNames    = []string{"id", "date", "status", "service", "xsp", "customer", "socket"}
	customerNames = []string{"id", "date", "socket", "firstname", "surname", "email", "address", "zip", "city", "phone"}
	containers    = []string{"order", "data"} // what is in them is named by itself
)

// facts adds what else an element tells, in the order in which it came.
func (e element) facts(all []portal.Fact, path string, known []string) []portal.Fact {
	for _, c := range e.children {
		is := func(name string) bool { return strings.EqualFold(name, c.name) }
		switch {
		case path == "" && len(c.children) > 0 && is("customer"):
			all = c.facts(all, "", customerNames)
		case path == "" && len(c.children) > 0 && slices.ContainsFunc(containers, is):
			all = c.facts(all, "", known)
		case path == "" && slices.ContainsFunc(known, is):
		default:
			if c.text != "" && len(all) < maxFacts {
				all = append(all, portal.Fact{Name: cut(path+c.name, maxLine), Value: cut(c.text, maxFact)})
			}
			all = c.facts(all, path+c.name+".", known)
		}
	}
	return all
}

// tree returns an element as JSON has it: a text, or an object with a list for
// each name that is there more than once.
func (e element) tree() any {
	if len(e.children) == 0 {
		return e.text
	}
	members := map[string]any{}
	if e.text != "" {
		members[""] = e.text
	}
	for _, c := range e.children {
		switch there := members[c.name].(type) {
		case nil:
			members[c.name] = c.tree()
		case []any:
			members[c.name] = append(there, c.tree())
		default:
			members[c.name] = []any{there, c.tree()}
		}
	}
	return members
}

// scrubber takes personal numbers out of answers.
type scrubber struct{ serials []string }

// find notes the numbers that an answer names.
func (s *scrubber) find(e element) {
	if strings.EqualFold(e.name, serialName) && e.text != "" {
		s.serials = append(s.serials, e.text)
	}
	for _, c := range e.children {
		s.find(c)
	}
}

// scrub returns an answer without what is named a number, and without numbers
// in what is not.
func (s *scrubber) scrub(e element) element {
	out := element{name: portal.Redact(s.strike(e.name)), text: s.strike(e.text)}
	if !isPhone(e.name, out.text) {
		out.text = portal.Redact(out.text)
	}
	for _, c := range e.children {
		if !strings.EqualFold(c.name, serialName) {
			out.children = append(out.children, s.scrub(c))
		}
	}
	return out
}

func (s *scrubber) strike(text string) string {
	for _, serial := range s.serials {
		text = portal.RedactNumber(text, serial)
	}
	return text
}

// isPhone reports whether an element holds a phone number. One in ten that has
// the form of a personal number has its check digit too.
func isPhone(name, text string) bool {
	name = strings.ToLower(name)
	named := strings.Contains(name, "phone") || strings.Contains(name, "mobil") || name == "tel"
	first, _ := utf8.DecodeRuneInString(text)
	return named && (first == '0' || first == '+')
}
