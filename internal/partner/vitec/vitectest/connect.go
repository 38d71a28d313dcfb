package vitectest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"portico/internal/portal"
)

const jsonType = "application/json; charset=utf-8"

// reply is what a call is answered with.
type reply struct {
	status      int
	contentType string
	body        string
	retryAfter  string
	location    string
	dropped     bool
	hangs       bool
	stored      bool
}

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
	mux.HandleFunc("/Service/", s.connect(OpOther, func(call) reply { return failure(http.StatusNotFound, "Metoden finns inte.") }))
}

// connect answers one method of the API, faults and all. The log has the answer
// before the caller does.
func (s *Server) connect(op Op, do func(call) reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		fault := s.takeFault(op)
		header := r.Header.Clone()
		header.Del("Authorization")
		username, _, _ := r.BasicAuth()
		entry := s.arrive(Request{Time: s.options.Now(), Op: op, Method: r.Method, Path: r.URL.EscapedPath(),
			Query: r.URL.RawQuery, Customer: customerOf(r.URL.Path), Username: username, Body: string(body),
			Header: header, Fault: fault.Kind})
		answer, ok := fault.instead()
		switch {
		case ok:
		case fault.wait(r.Context()):
			answer = s.authorised(r, do, call{r.PathValue("customer"), r.URL.Query(), body, fault.Kind})
			answer = fault.afterwards(answer)
		default:
			answer.dropped = true
		}
		s.answered(entry, answer)
		if answer.hangs {
			<-r.Context().Done()
		}
		answer.write(w)
	}
}

func (a reply) write(w http.ResponseWriter) {
	if a.dropped {
		panic(http.ErrAbortHandler) // the server closes the connection
	}
	for name, value := range map[string]string{"Content-Type": a.contentType, "Retry-After": a.retryAfter, "Location": a.location} {
		if value != "" {
			w.Header().Set(name, value)
		}
	}
	w.WriteHeader(a.status)
	io.WriteString(w, a.body) // the caller may have gone
}

func done(v any) reply {
	raw, err := json.Marshal(v)
	if err != nil {
		return failure(http.StatusInternalServerError, err.Error())
	}
	return reply{status: http.StatusOK, contentType: jsonType, body: string(raw)}
}

// failure is an error with a JSON message; its shape is assumed.
func failure(status int, message string) reply {
	r := done(map[string]string{"message": message})
	r.status = status
	return r
}

// authorised answers 401 without a right login and 403 for another customer's data.
func (s *Server) authorised(r *http.Request, do func(call) reply, c call) reply {
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
func (s *Server) exchange(c call) reply {
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
	r := done(s.ticket(*o, t.User, expired, c.fault))
	r.stored = true
	return r
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
func (s *Server) setStatus(c call) reply {
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
func (s *Server) interact(c call) reply {
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

func (s *Server) change(office, id string, apply func(*Order, time.Time)) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order(office, id)
	if o == nil {
		return failure(http.StatusNotFound, "Ordern finns inte.")
	}
	o.UpdatedAt = s.options.Now()
	apply(o, o.UpdatedAt)
	s.save()
	r := done(true)
	r.stored = true
	return r
}

// list accepts the query names of the help page and those that the real API may
// have ("criteria.createdAt.minValue"); nobody knows which are right.
func (s *Server) list(c call) reply {
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
	r := done(entries)
	r.stored = true
	return r
}

func (s *Server) serviceNumber(id string) int {
	return 1 + slices.IndexFunc(s.options.Services, func(v Service) bool { return v.ID == id })
}

// date writes bare Swedish time, as is observed of Connect, or with an offset,
// as on its pages.
func (s *Server) date(t time.Time) string {
	if s.options.DateOffset {
		return t.In(s.stockholm).Format("2006-01-02T15:04:05.0000000-07:00")
	}
	return t.In(s.stockholm).Format("2006-01-02T15:04:05.9999999")
}

func (s *Server) parseDate(v string, none time.Time) (time.Time, error) {
	if v == "" {
		return none, nil
	}
	if t, err := time.Parse(time.RFC3339, v); err == nil {
		return t, nil
	}
	return time.ParseInLocation("2006-01-02T15:04:05", v, s.stockholm)
}
