package tjansteguidentest

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"portico/internal/partner/door/doortest"
)

// The roles that the APIs are for.
const (
	RoleTL = "tl" // a service provider
	RoleKO = "ko" // the city network
)

// mandatory is what each method must be called with, in the documentation's order.
// What it says of neither order_info nor order_log is documented: it is assumed,
// and so is that the network, which may see the log, has the method too.
var mandatory = map[string]map[Op][]string{
	RoleTL: {
		OpLogin:        {"api_key", "api_user"},
		OpOrders:       {"hash", "date"},
		OpOrderInfo:    {"hash", "id"},
		OpOrderLog:     {"hash", "id"},
		OpCustomerInfo: {"hash", "id"},
		OpCustomers:    {"hash", "date"},
		OpSetStatus:    {"hash", "id", "status"},
		OpAddMessage:   {"type", "message", "id", "api_user"},
	},
	RoleKO: {
		OpLogin:        {"api_key", "api_user"},
		OpOrders:       {"date", "api_user"},
		OpOrderInfo:    {"id", "api_user"},
		OpOrderLog:     {"id", "api_user"},
		OpCustomerInfo: {"api_user", "id"},
		OpCustomers:    {"api_user", "date"},
		OpSetStatus:    {"status", "id", "api_user"},
		OpAddMessage:   {"type", "message", "id", "api_user"},
	},
}

// call is a request as its method sees it.
type call struct {
	op    Op
	role  string
	query url.Values
	fault FaultKind
	shape Shape
}

// api answers the calls of a role. The log keeps the argument id of each, which
// is a customer's where customer_info is called and an order's elsewhere.
func (s *Server) api(role string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		named := Op(query.Get("method"))
		op := named
		if _, known := mandatory[role][op]; !known {
			op = doortest.OpOther
		}
		s.count(op)
		s.Serve(w, r, op, query.Get("id"), func(_ []byte, fault FaultKind) doortest.Reply {
			c := call{op: named, role: role, query: query, fault: fault}
			s.mu.Lock()
			defer s.mu.Unlock()
			c.shape = s.state.Shape
			reply := s.answer(c, r.Method)
			if fault == FaultCut {
				return spoil(fault, reply)
			}
			return reply
		})
	}
}

// elementName is what a method may be called for a refusal to have it as a root.
var elementName = regexp.MustCompile(`^[A-Za-z_]\w*$`)

func (s *Server) answer(c call, verb string) doortest.Reply {
	if !elementName.MatchString(string(c.op)) {
		c.op = "rest"
	}
	if verb != http.MethodGet {
		return c.refuse(http.StatusMethodNotAllowed, "Use GET.") // other verbs are documented nowhere
	}
	names, known := mandatory[c.role][c.op]
	if !known {
		return c.refuse(http.StatusNotFound, fmt.Sprintf("Unknown Method '%s'.", c.query.Get("method")))
	}
	var missing []string
	for _, name := range names {
		if c.query.Get(name) == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return c.refuse(http.StatusBadRequest, fmt.Sprintf("Invalid Method Call to %s. Missing argument(s): %s.", c.op, strings.Join(missing, ", ")))
	}
	if format := c.query.Get("output_format"); format != "" && format != "xml" {
		return c.refuse(http.StatusBadRequest, "Only XML is simulated.") // what JSON looks like is documented nowhere
	}
	if c.op == OpLogin {
		return s.login(c)
	}
	if why := s.unauthorised(c); why != "" {
		return c.refuse(s.options.AuthStatus, why)
	}
	return s.do(c)
}

func (s *Server) do(c call) doortest.Reply {
	switch c.op {
	case OpOrders:
		return s.orderList(c)
	case OpCustomers:
		return s.customerList(c)
	case OpCustomerInfo:
		return s.customerInfo(c)
	}
	o := s.visible(c, s.orders[c.query.Get("id")])
	if o == nil {
		return c.refuse(http.StatusBadRequest, "No order "+c.query.Get("id")+".") // assumed
	}
	switch c.op {
	case OpOrderInfo:
		return spoil(s.poisonOf(o, c.op), c.done(s.orderElement(c, o)))
	case OpOrderLog:
		return c.done(s.logElement(o))
	case OpSetStatus:
		return s.changeStatus(c, o)
	}
	return s.addMessage(c, o)
}

// visible returns an order if the caller may see it: a provider sees its own.
func (s *Server) visible(c call, o *Order) *Order {
	if o == nil || c.role == RoleTL && o.XSP != s.options.Providers[0].XSP {
		return nil
	}
	return o
}

func (s *Server) count(op Op) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[op]++
	s.calls[OpAny]++
}

// Calls returns how many calls of a method there were, failed ones included and
// those as well that the log no longer has.
func (s *Server) Calls(op Op) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[op]
}

// maxLogged is how much of an answer the log keeps: a list of 10,000 orders has
// two million characters.
const maxLogged = 8 << 10

var (
	secretArgument = regexp.MustCompile(`\b(api_key|hash)=[^&]*`)
	secretElement  = regexp.MustCompile(`(<hash_key>)[^<]*|(<serial>\d{8})[^<]*`)
)

// redact takes keys, hashes and the last digits of personal numbers out. A body,
// which nobody is asked for, may hold any of them.
func redact(r *doortest.Request) {
	r.Body = ""
	r.Query = secretArgument.ReplaceAllString(r.Query, "$1=***")
	if len(r.Answer) > maxLogged {
		r.Answer = strings.ToValidUTF8(r.Answer[:maxLogged], "") + "…"
	}
	r.Answer = secretElement.ReplaceAllString(r.Answer, "$1$2***")
}
