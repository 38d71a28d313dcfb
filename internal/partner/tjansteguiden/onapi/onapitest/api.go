package onapitest

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"portico/internal/partner/door/doortest"
)

// call is a request as its method sees it.
type call struct {
	*http.Request
	body []byte
}

func (s *Server) routeAPI(mux *http.ServeMux) {
	method := func(pattern string, op doortest.Op, do func(call) doortest.Reply) {
		verb, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(verb+" /onapi/2.4/"+path, s.serve(op, do))
	}
	method("POST orders/{$}", OpPlace, s.place)
	method("GET orders/{$}", OpList, s.list)
	method("GET orders/{order}", OpRead, s.read)
	method("DELETE orders/{order}", OpWithdraw, s.withdraw)
	method("PATCH orders/{order}", OpReschedule, s.reschedule)
	method("GET orderevents/{$}", OpEvents, s.events)
	method("GET accesses/{access}", OpAccess, s.access)
	mux.HandleFunc("/onapi/", s.serve(doortest.OpOther, func(call) doortest.Reply { return failure(http.StatusNotImplemented, "Not implemented") }))
}

// serve answers one method of the API.
func (s *Server) serve(op doortest.Op, do func(call) doortest.Reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.Serve(w, r, op, r.PathValue("access"), func(body []byte, _ doortest.FaultKind) doortest.Reply {
			if !s.lets(r) {
				return failure(http.StatusUnauthorized, "Invalid credentials").With("WWW-Authenticate", `Basic realm="onapi"`)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.pass()
			return do(call{r, body})
		})
	}
}

func (s *Server) lets(r *http.Request) bool {
	username, password, _ := r.BasicAuth()
	same := func(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
	return same(username, s.options.Username) && same(password, s.options.Password)
}

// failure is an error as the standard has it.
func failure(status int, format string, args ...any) doortest.Reply {
	return doortest.JSON(status, map[string]string{"cause": fmt.Sprintf(format, args...)})
}

const ordersPath = "/onapi/2.4/orders/"

func timeText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// view is an order as the API shows it.
type view struct {
	Path           string `json:"path,omitempty"`
	ID             string `json:"orderId,omitempty"`
	AccessID       string `json:"accessId"`
	SubscriptionID string `json:"subscriptionId,omitempty"`
	Service        string `json:"service"`
	Operation      string `json:"operation"`
	State          string `json:"state"`
	Reference      string `json:"spReference,omitempty"`
	RequestedAt    string `json:"requestedDateTime,omitempty"`
	ExpectedAt     string `json:"expectedCompletionDate,omitempty"`
	Message        string `json:"message"`
}

func (o Order) view() view {
	return view{Path: ordersPath + o.ID, ID: o.ID, AccessID: o.AccessID, SubscriptionID: o.SubscriptionID, Service: o.Service,
		Operation: o.Operation, State: o.State, Reference: o.Reference, RequestedAt: timeText(o.WishedFor),
		ExpectedAt: timeText(o.from().Add(Ends)), Message: o.Message}
}

func (s *Server) read(c call) doortest.Reply {
	o := s.order(c.PathValue("order"))
	if o == nil {
		return failure(http.StatusNotFound, "Unknown order: '%s'", c.PathValue("order"))
	}
	return doortest.JSON(http.StatusOK, o.view())
}

// list answers with the orders that are open, or with all of an access.
func (s *Server) list(c call) doortest.Reply {
	access, state := c.FormValue("accessId"), strings.Trim(c.FormValue("state"), `"`)
	views := []view{}
	for _, o := range s.state.Orders {
		if (access == "" || o.AccessID == access) && (state == "" || o.State == state) && (access+state != "" || o.Open()) {
			views = append(views, o.view())
		}
	}
	return doortest.JSON(http.StatusOK, views)
}

// changeable returns the order of a call if it can be changed, and otherwise why not.
func (s *Server) changeable(c call) (*Order, doortest.Reply) {
	o := s.order(c.PathValue("order"))
	switch {
	case o == nil:
		return nil, failure(http.StatusNotFound, "Unknown order: '%s'", c.PathValue("order"))
	case o.State != Received:
		return nil, failure(http.StatusConflict, "The order is %s and can not be changed", o.State)
	}
	return o, doortest.Reply{}
}

// reschedule takes the one change that the standard's example makes.
func (s *Server) reschedule(c call) doortest.Reply {
	o, why := s.changeable(c)
	if o == nil {
		return why
	}
	var r request
	if err := json.Unmarshal(c.body, &r); err != nil {
		return failure(http.StatusBadRequest, "Incorrect JSON")
	}
	if r.RequestedAt == "" {
		return failure(http.StatusNotImplemented, "Only 'requestedDateTime' can be changed")
	}
	if why := r.wrongTime(); why != "" {
		return failure(http.StatusBadRequest, "%s", why)
	}
	o.WishedFor = r.wishedFor
	s.save()
	return doortest.Reply{Status: http.StatusNoContent}
}

func (s *Server) withdraw(c call) doortest.Reply {
	o, why := s.changeable(c)
	if o == nil {
		return why
	}
	s.state.Orders = slices.DeleteFunc(s.state.Orders, func(other Order) bool { return other.ID == o.ID })
	s.save()
	return doortest.Reply{Status: http.StatusNoContent}
}

func (s *Server) events(c call) doortest.Reply {
	events := s.state.Events
	if since := c.FormValue("since"); since != "" {
		i := slices.IndexFunc(events, func(e event) bool { return e.ID == since })
		if i < 0 {
			return failure(http.StatusBadRequest, "Unknown event: '%s'", since)
		}
		events = events[i+1:]
	}
	answer := []map[string]any{}
	for _, e := range events {
		v := e.Order.view()
		answer = append(answer, map[string]any{"event": e.ID, "order": map[string]string{"path": v.Path, "accessId": v.AccessID,
			"service": v.Service, "operation": v.Operation, "state": v.State, "message": v.Message}})
	}
	return doortest.JSON(http.StatusOK, answer)
}

// access answers with what is active of the provider's own on an access.
func (s *Server) access(c call) doortest.Reply {
	id := c.PathValue("access")
	if !s.options.has(id) {
		return failure(http.StatusNotFound, "Unknown accessId: '%s'", id)
	}
	subscriptions := []map[string]string{}
	for _, b := range s.state.Subscriptions {
		if b.AccessID == id && !b.Others {
			subscriptions = append(subscriptions, map[string]string{"subscriptionId": b.ID, "accessId": id, "service": b.Service, "operationalState": "ACTIVATED"})
		}
	}
	return doortest.JSON(http.StatusOK, map[string]any{"accessId": id, "accessState": "CONNECTED", "subscriptions": subscriptions})
}

// request is an order as it is placed.
type request struct {
	AccessID       string `json:"accessId"`
	Service        string `json:"service"`
	Operation      string `json:"operation"`
	SubscriptionID string `json:"subscriptionId"`
	ForcedTakeover bool   `json:"forcedTakeover"`
	Reference      string `json:"spReference"`
	RequestedAt    string `json:"requestedDateTime"`

	wishedFor time.Time
}

var idPattern = regexp.MustCompile(`^[-0-9a-zA-Z.]{1,36}$`)

// wrong says what the standard has against an order, whatever the network has.
func (r *request) wrong(body []byte) string {
	if err := json.Unmarshal(body, r); err != nil {
		return "Incorrect JSON"
	}
	for _, field := range [][2]string{{"accessId", r.AccessID}, {"service", r.Service}, {"operation", r.Operation}, {"spReference", r.Reference}} {
		if field[1] == "" {
			return "Missing obligatory field: '" + field[0] + "'"
		}
	}
	for _, id := range []string{r.AccessID, r.Reference} {
		if !idPattern.MatchString(id) {
			return "Not an ID: '" + id + "'"
		}
	}
	if r.ForcedTakeover {
		return "Forced takeover is not possible"
	}
	return r.wrongTime()
}

func (r *request) wrongTime() string {
	if r.RequestedAt == "" {
		return ""
	}
	at, err := time.Parse(time.RFC3339, r.RequestedAt)
	if err != nil || at.Location() != time.UTC {
		return "Wrong content in field: 'requestedDateTime'"
	}
	r.wishedFor = at
	return ""
}
