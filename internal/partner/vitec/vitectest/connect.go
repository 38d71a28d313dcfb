package vitectest

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"portico/internal/partner/door/doortest"
	"portico/internal/portal"
)

// call is a request as its method sees it.
type call struct {
	customer string
	query    url.Values
	body     []byte
	fault    FaultKind
}

func (s *Server) routeConnect(mux *http.ServeMux) {
	mux.HandleFunc("POST /Service/Order/Token/{customer}", s.connect(OpToken, s.exchange))
	mux.HandleFunc("PUT /Service/Order/Status/{customer}", s.connect(OpStatus, s.setStatus)) // assumed
	mux.HandleFunc("PUT /Service/Order/UserInteraction/{customer}", s.connect(OpInteraction, s.interact))
	mux.HandleFunc("GET /Service/Order/{customer}", s.connect(OpList, s.list))
	mux.HandleFunc("POST /Service/Contact/{customer}/Lead/Person", s.connect(OpLead, s.takeLead))
	mux.HandleFunc("/Service/", s.connect(doortest.OpOther, func(call) doortest.Reply { return failure(http.StatusNotFound, "Metoden finns inte.") }))
}

// connect answers one method of the API.
func (s *Server) connect(op Op, do func(call) doortest.Reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		last := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:] // where there is no such method
		customer := cmp.Or(r.PathValue("customer"), last)
		s.Serve(w, r, op, customer, func(body []byte, fault FaultKind) doortest.Reply {
			return s.authorised(r, do, call{r.PathValue("customer"), r.URL.Query(), body, fault})
		})
	}
}

func done(v any) doortest.Reply { return doortest.JSON(http.StatusOK, v) }

// failure is an error with a JSON message; its shape is assumed.
func failure(status int, message string) doortest.Reply {
	return doortest.JSON(status, map[string]string{"message": message})
}

// authorised answers 401 without a right login and 403 for another customer's data.
func (s *Server) authorised(r *http.Request, do func(call) doortest.Reply, c call) doortest.Reply {
	username, password, _ := r.BasicAuth()
	same := func(cred portal.Credential) bool { return cred.Username == username && cred.Password == password }
	if !slices.ContainsFunc(s.options.Credentials, same) {
		return failure(http.StatusUnauthorized, "Felaktig inloggning.")
	}
	cred, ok := portal.Connection{Credentials: s.options.Credentials}.CredentialFor(c.customer)
	if _, known := s.office(c.customer); c.customer != "" && (!ok || !same(cred) || !known) {
		return failure(http.StatusForbidden, "Åtkomst saknas till kunden.")
	}
	return do(c)
}

// exchange turns a token into a ticket. That an unknown token is a 400, one of
// another office a 403, and that an expired ticket is still filled is assumed.
func (s *Server) exchange(c call) doortest.Reply {
	var in struct {
		Data string `json:"data"`
	}
	if json.Unmarshal(c.body, &in) != nil || in.Data == "" {
		return failure(http.StatusBadRequest, "Data krävs.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.state.Tokens[in.Data]
	if !ok {
		return failure(http.StatusBadRequest, "Ogiltig token.")
	}
	if t.Office != c.customer {
		return failure(http.StatusForbidden, "Åtkomst saknas till ordern.")
	}
	o := s.order(t.Office, t.Order)
	if o == nil {
		return failure(http.StatusNotFound, "Ordern finns inte.")
	}
	expired := c.fault == FaultExpired || !s.options.Now().Before(t.ExpiresAt)
	return done(s.ticket(*o, t.User, expired, c.fault))
}

func (s *Server) ticket(o Order, user string, expired bool, fault FaultKind) map[string]any {
	office, _ := s.office(o.Office)
	t := map[string]any{"orderId": o.ID, "userId": user, "orderUserId": o.Owner, "targetId": o.Estate,
		"targetType": o.TargetType, "tenantId": office.Tenant, "chainId": nil, "customerId": o.Office, "hasExpired": expired}
	if office.ChainID != "" {
		t["chainId"] = office.ChainID
	}
	switch fault {
	case FaultNoExpiry:
		delete(t, "hasExpired")
	case FaultEmptyTicket:
		t["orderId"] = ""
	case FaultExpiredBare:
		t = map[string]any{"orderId": nil, "customerId": nil, "targetId": nil, "hasExpired": true}
	case FaultOtherOffice:
		for _, other := range s.options.Offices {
			if other.ID != o.Office {
				t["customerId"] = other.ID
			}
		}
	}
	return t
}

// setStatus is assumed from verb to answer; only the three names are documented.
func (s *Server) setStatus(c call) doortest.Reply {
	var in struct{ ID, Status, Comment string }
	if json.Unmarshal(c.body, &in) != nil || in.ID == "" {
		return failure(http.StatusBadRequest, "Id krävs.")
	}
	if !slices.Contains(append([]string{StatusReceived, "Error", "Delivered"}, s.options.Statuses...), in.Status) {
		return failure(http.StatusBadRequest, "Status är ogiltig.")
	}
	return s.change(c.customer, in.ID, func(o *Order, now time.Time) {
		o.Status = in.Status
		o.History = append(o.History, Change{in.Status, in.Comment, now})
	})
}

// interact records what the user is asked. The order's status stays as it is
// (assumed).
func (s *Server) interact(c call) doortest.Reply {
	var in struct{ ID, URL, Comment string }
	if json.Unmarshal(c.body, &in) != nil || in.ID == "" {
		return failure(http.StatusBadRequest, "Id krävs.")
	}
	if u, err := url.Parse(in.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return failure(http.StatusBadRequest, "Url måste vara en fullständig adress med protokoll.")
	}
	return s.change(c.customer, in.ID, func(o *Order, now time.Time) {
		o.Interactions = append(o.Interactions, Interaction{in.URL, in.Comment, now})
	})
}

func (s *Server) change(office, id string, apply func(*Order, time.Time)) doortest.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(office, id)
	if o == nil {
		return failure(http.StatusNotFound, "Ordern finns inte.")
	}
	o.UpdatedAt = s.options.Now()
	apply(o, o.UpdatedAt)
	s.save()
	return done(true)
}

// list accepts the query names of the help page and those that the real API may
// have ("criteria.createdAt.minValue"); nobody knows which are right.
func (s *Server) list(c call) doortest.Reply {
	filter := map[string]string{}
	for name, value := range c.query {
		name = strings.TrimPrefix(strings.ToLower(name), "criteria.")
		name = strings.ReplaceAll(strings.TrimPrefix(name, "createdat"), ".", "")
		filter[name] = value[0]
	}
	from, fromErr := s.parseDate(filter["minvalue"], time.Time{})
	to, toErr := s.parseDate(filter["maxvalue"], s.options.Now().AddDate(100, 0, 0))
	if fromErr != nil || toErr != nil {
		return failure(http.StatusBadRequest, "Ogiltigt datum.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	entries := []map[string]any{}
	for _, o := range s.state.Orders {
		if o.Office != c.customer || o.CreatedAt.Before(from) || o.CreatedAt.After(to) ||
			filter["targetid"] != "" && filter["targetid"] != o.Estate ||
			filter["status"] != "" && !strings.EqualFold(filter["status"], o.Status) {
			continue
		}
		entries = append(entries, map[string]any{"id": o.ID, "createdAt": s.date(o.CreatedAt), "lastUpdatedAt": s.date(o.UpdatedAt),
			"status": o.Status, "targetId": o.Estate, "userId": o.User, "serviceId": s.serviceNumber(o.ServiceID)})
	}
	return done(entries)
}

func (s *Server) serviceNumber(id string) int {
	return 1 + slices.IndexFunc(s.options.Services, func(v Service) bool { return v.ID == id })
}

// date writes bare Swedish time, as is observed of Connect, or with an offset,
// as on its pages.
func (s *Server) date(t time.Time) string {
	if s.options.DateOffset {
		return t.In(stockholm).Format("2006-01-02T15:04:05.0000000-07:00")
	}
	return t.In(stockholm).Format("2006-01-02T15:04:05.9999999")
}

func (s *Server) parseDate(v string, none time.Time) (time.Time, error) {
	if v == "" {
		return none, nil
	}
	if t, err := time.Parse(time.RFC3339, v); err == nil {
		return t, nil
	}
	return time.ParseInLocation("2006-01-02T15:04:05", v, stockholm)
}
