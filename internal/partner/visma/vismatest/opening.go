package vismatest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"portico/internal/partner/door/doortest"
)

// flowToken says who comes, and with which order.
type flowToken struct {
	Tenant, Order string
	User          int
	ExpiresAt     time.Time
}

// Token returns a fresh FlowToken of the person who ordered.
func (s *Server) Token(guid string) string { return s.TokenFor(guid, 0, s.options.TokenLife) }

// ExpiredToken returns a FlowToken that can no longer be used.
func (s *Server) ExpiredToken(guid string) string { return s.TokenFor(guid, 0, -time.Minute) }

// TokenFor returns a fresh FlowToken of a user, good for life; without a user, of
// the person who ordered.
func (s *Server) TokenFor(guid string, user int, life time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.order("", guid)
	if o == nil {
		return ""
	}
	token := newToken()
	s.state.Tokens[token] = flowToken{o.Tenant, o.GUID, cmp.Or(user, o.User), s.options.Now().Add(life)}
	s.save()
	return token
}

// verify says who made a FlowToken. That it may be used more than once, and that
// an unknown one is 400 and one that has run out 401, is assumed.
func (s *Server) verify(c call) doortest.Reply {
	var in struct{ Token string }
	if !c.read(&in) || in.Token == "" {
		return failure(http.StatusBadRequest, "Token is required.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.state.Tokens[in.Token]
	if !ok || t.Tenant != c.tenant.ID {
		return failure(http.StatusBadRequest, "The token is not valid.")
	}
	if !s.options.Now().Before(t.ExpiresAt) {
		return failure(http.StatusUnauthorized, "The token has expired.")
	}
	o := s.order(t.Tenant, t.Order)
	if o == nil {
		return failure(http.StatusNotFound, "The order was not found.")
	}
	u, _ := s.user(t.User)
	data := map[string]string{"OrderId": o.GUID}
	switch c.fault {
	case FaultOtherOrder:
		data["OrderId"] = newGUID()
	case FaultNoOrder:
		data = map[string]string{}
	}
	return done(map[string]any{"UserId": u.ID, "FullName": u.Name, "Email": u.Email, "BrokerCompanyName": u.Company,
		"BrokerCompanyOrganizationNumber": "999888777", "OfficeId": u.OfficeID, "OfficeName": u.Office,
		"OfficeOrganizationNumber": "999888666", "CaseId": o.Case, "Data": data})
}

var defaultQuery = map[string]string{"case": "caseId", "token": "token", "order": "StreamOrderId", "tenant": "tenantId",
	"flow_url": "flowUrl", "customer_name": "customerName"}

// Place places an order of a service on a case, as the button does, and returns
// the address that Core opens. Core is served at address.
func (s *Server) Place(ctx context.Context, address, tenant string, caseID, user int, service Service) (string, error) {
	o := s.NewOrder(Order{Tenant: tenant, Case: caseID, User: user, ServiceID: service.ID})
	return s.Open(ctx, address, o, user, service, s.options.TokenLife)
}

// Open returns the address that Core opens for an order, new or old.
func (s *Server) Open(ctx context.Context, address string, o Order, user int, service Service, life time.Duration) (string, error) {
	token, err := s.access(ctx, o, user, service, life)
	if err != nil {
		return "", err
	}
	names := service.Query
	if names == nil {
		names = defaultQuery
	}
	t, _ := s.tenant(o.Tenant)
	q := url.Values{}
	for merge, value := range map[string]string{"case": strconv.Itoa(o.Case), "token": token, "order": o.GUID, "tenant": o.Tenant,
		"flow_url": s.Base(address, o.Tenant) + "/flow/", "customer_name": t.Name} {
		if name := names[merge]; name != "" {
			q.Set(name, value)
		}
	}
	separator := "?"
	if strings.Contains(service.URL, "?") {
		separator = "&"
	}
	return service.URL + separator + q.Encode(), nil
}

// access returns the token of an address, by the service's authentication type.
func (s *Server) access(ctx context.Context, o Order, user int, service Service, life time.Duration) (string, error) {
	switch service.AuthType {
	case "", "flow_token":
		return s.TokenFor(o.GUID, user, life), nil
	case "basic":
		return base64.StdEncoding.EncodeToString([]byte(service.Login + ":" + service.Secret)), nil
	}
	in := map[string]string{"client_id": service.Login, "client_secret": service.Secret}
	if service.AuthType == "oauth" {
		in["grant_type"] = "client_credentials"
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, service.TokenURL, bytes.NewReader(raw))
	if err != nil {
		return "", fmt.Errorf("fetch a token of the provider: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("fetch a token of the provider: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	var out struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, 1<<16)).Decode(&out); err != nil {
		return "", fmt.Errorf("fetch a token of the provider: status %d: %w", resp.StatusCode, err)
	}
	if token := cmp.Or(out.Token, out.AccessToken); token != "" {
		return token, nil
	}
	return "", errors.New("the provider gave no token")
}
