package chaos

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
)

// secrets are what may be in no log, with what they are.
type secrets struct {
	mu  sync.Mutex
	all map[string]string
}

func (s *secrets) add(secret, what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]string{}
	}
	s.all[secret] = what
}

// make makes up a password with letters that addresses and JSON write otherwise.
func (s *secrets) make(rng *rand.Rand, what string) string {
	raw := make([]byte, 18)
	for i := range raw {
		raw[i] = byte(rng.Uint32())
	}
	secret := "hem/" + base64.StdEncoding.EncodeToString(raw) + "+ö"
	s.add(secret, what)
	return secret
}

func (s *secrets) list() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.all)
}

// forms are the ways in which a log may hold a secret.
func forms(secret string) []string {
	quoted, _ := json.Marshal(secret) // a string
	return []string{secret, strings.Trim(string(quoted), `"`), url.QueryEscape(secret), url.PathEscape(secret)}
}
