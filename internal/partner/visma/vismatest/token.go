package vismatest

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"portico/internal/partner/door/doortest"
)

// As in Visma's example.
const (
	bearerLife  = 1200 * time.Second
	refreshLife = 608399 * time.Second
)

// bearer is a token of an API user, or what it can be refreshed with.
type bearer struct {
	tenant string
	until  time.Time
}

// giveToken is the token endpoint. That a wrong client is 400 with
// invalid_client is the standard's; Visma's page does not say.
//
// https://visma-real-estate-solutions.github.io/core-documentation/docs/getting-started/authentication.html
func (s *Server) giveToken(c call) doortest.Reply {
	form, err := url.ParseQuery(string(c.body))
	if err != nil || !strings.HasPrefix(c.header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return oauthFailure("invalid_request")
	}
	if form.Get("client_id") != c.tenant.ClientID || c.tenant.ID == "" {
		return oauthFailure("invalid_client")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.options.Now()
	answer := map[string]any{"access_token": newToken(), "token_type": "bearer", "expires_in": int(bearerLife / time.Second)}
	switch form.Get("grant_type") {
	case "client_credentials":
		if subtle.ConstantTimeCompare([]byte(form.Get("client_secret")), []byte(c.tenant.ClientSecret)) != 1 {
			return oauthFailure("invalid_client")
		}
		again := newToken()
		s.refresh[again] = bearer{c.tenant.ID, now.Add(refreshLife)}
		answer["refresh_token"], answer["refresh_token_expires_in"] = again, int(refreshLife/time.Second)
	case "refresh_token":
		if r, ok := s.refresh[form.Get("refresh_token")]; !ok || r.tenant != c.tenant.ID || !now.Before(r.until) {
			return oauthFailure("invalid_grant")
		}
	default:
		return oauthFailure("unsupported_grant_type")
	}
	s.bearers[answer["access_token"].(string)] = bearer{c.tenant.ID, now.Add(bearerLife)}
	return done(answer)
}

func oauthFailure(code string) doortest.Reply {
	return doortest.JSON(http.StatusBadRequest, map[string]string{"error": code})
}

// bears reports whether a call has a bearer token of its tenant.
func (s *Server) bears(c call) bool {
	token, ok := strings.CutPrefix(c.header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	b, known := s.bearers[token]
	return ok && known && b.tenant == c.tenant.ID && s.options.Now().Before(b.until)
}

// Revoke ends every bearer token at once, and with refresh what they could be
// refreshed with.
func (s *Server) Revoke(refresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.bearers)
	if refresh {
		clear(s.refresh)
	}
}

func newToken() string {
	raw := make([]byte, 60)
	rand.Read(raw) // never fails
	return base64.RawURLEncoding.EncodeToString(raw)
}

// throttle is a limit of calls in a window.
type throttle struct {
	limit  int // 0: none
	window time.Duration
	used   int
	ends   time.Time
}

// SetThrottle lets so many calls through in each window of time; the rest are
// answered 429. From half of the limit on calls say that they were delayed. A
// limit of 0 ends that.
func (s *Server) SetThrottle(limit int, window time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.throttle = throttle{limit: limit, window: window}
}

// take counts a call; it returns the headers of throttle mode, and what a call
// too many is answered with.
func (s *Server) take() (headers map[string]string, refused doortest.Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, now := &s.throttle, s.options.Now()
	if t.limit == 0 {
		return nil, doortest.Reply{}
	}
	if !now.Before(t.ends) {
		t.used, t.ends = 0, now.Add(t.window)
	}
	t.used++
	left := strconv.Itoa(max(1, int(t.ends.Sub(now).Seconds()+0.999)))
	headers = map[string]string{"X-RateLimit-Limit": strconv.Itoa(t.limit), "X-RateLimit-Remaining": strconv.Itoa(max(0, t.limit-t.used)),
		"X-RateLimit-Reset": left}
	switch {
	case t.used > t.limit:
		headers["Retry-After"] = left
		refused = failure(http.StatusTooManyRequests, "Too many requests.")
	case t.used > t.limit/2:
		headers["X-RateLimit-Delayed-By-Milliseconds"] = "40"
	}
	return headers, refused
}
