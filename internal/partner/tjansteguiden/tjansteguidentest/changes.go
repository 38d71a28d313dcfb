package tjansteguidentest

import (
	"crypto/rand"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"time"

	"portico/internal/partner/door/doortest"
)

// hashLife is how long a hash is good for, from the login on.
const hashLife = 20 * time.Minute

// The values that changes take.
var (
	statuses     = []string{StatusNew, StatusReceived, StatusActive, StatusWaiting, StatusCancelled, StatusDelivered}
	messageTypes = []string{"error", "alert", "system", "log"}
)

// login gives a hash. The network may log in as well, though no method of its
// asks for a hash.
func (s *Server) login(c call) doortest.Reply {
	if c.query.Get("api_user") != s.options.APIUser || c.query.Get("api_key") != s.options.APIKey {
		return c.refuse(s.options.AuthStatus, "Login failed.")
	}
	now := s.options.Now()
	maps.DeleteFunc(s.hashes, func(_ string, ends time.Time) bool { return !now.Before(ends) })
	raw := make([]byte, 16)
	rand.Read(raw) // never fails
	hash := hex.EncodeToString(raw)
	s.hashes[hash] = now.Add(hashLife)
	return c.done(text("message", s.options.Providers[0].Name+" logged in"), text("hash_key", hash))
}

// ExpireHashes ends every hash that was given out.
func (s *Server) ExpireHashes() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.hashes)
}

// unauthorised returns why a call is refused, or nothing. add_message asks for an
// API user and, unlike the provider's other methods, for no hash; one that comes
// all the same has to be good.
func (s *Server) unauthorised(c call) string {
	user, hash := c.query.Get("api_user"), c.query.Get("hash")
	switch {
	case c.role == RoleKO && user != s.options.NetworkUser,
		c.role == RoleTL && c.op == OpAddMessage && user != s.options.APIUser:
		return "The API user has no privileges."
	case c.role == RoleTL && (hash != "" || c.op != OpAddMessage) && !s.options.Now().Before(s.hashes[hash]):
		return "Invalid hash." // also one that was never given out: its time is zero
	}
	return ""
}

// actor is who changes an order, as its log names it.
func (s *Server) actor(c call) string {
	if c.role == RoleKO {
		return Network
	}
	return s.options.Providers[0].Name
}

// changeStatus allows any change, also to the status that the order has (assumed).
func (s *Server) changeStatus(c call, o *Order) doortest.Reply {
	status := c.query.Get("status")
	if !slices.Contains(statuses, status) {
		return c.refuse(http.StatusBadRequest, "Unknown status "+status+".") // assumed
	}
	s.setStatus(o, status, s.actor(c))
	return c.done(text("message", "Status changed to "+status+" for order "+o.ID))
}

func (s *Server) addMessage(c call, o *Order) doortest.Reply {
	kind := c.query.Get("type")
	if !slices.Contains(messageTypes, kind) {
		return c.refuse(http.StatusBadRequest, "Unknown type "+kind+".") // assumed
	}
	s.note(o, Entry{Type: kind, User: s.actor(c), Message: c.query.Get("message")})
	return c.done(text("message", "Message added to order "+o.ID)) // assumed
}
