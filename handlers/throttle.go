package handlers

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// limiter bounds how often something happens per key, in this process.
type limiter struct {
	perSecond rate.Limit
	burst     int
	now       func() time.Time

	mu   sync.Mutex
	keys map[string]*rate.Limiter
}

// maxKeys bounds the limiter's memory; beyond it everybody starts anew.
const maxKeys = 10_000

func newLimiter(perSecond float64, burst int, now func() time.Time) *limiter {
	return &limiter{perSecond: rate.Limit(perSecond), burst: burst, now: now, keys: map[string]*rate.Limiter{}}
}

func (l *limiter) of(key string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.keys[key]
	if k == nil {
		if len(l.keys) >= maxKeys {
			clear(l.keys)
		}
		k = rate.NewLimiter(l.perSecond, l.burst)
		l.keys[key] = k
	}
	return k
}

// allow takes one from the key's budget.
func (l *limiter) allow(key string) bool { return l.of(key).AllowN(l.now(), 1) }

// exhausted reports whether the key's budget is used up.
func (l *limiter) exhausted(key string) bool { return l.of(key).TokensAt(l.now()) < 1 }

// clientIP returns the address that a request came from. A proxy in front of
// Portico is believed, about the last hop alone, if it is on a private network.
func clientIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	peer, err := netip.ParseAddr(host)
	if err != nil || !(peer.IsLoopback() || peer.IsPrivate()) {
		return host
	}
	// A proxy may add a line of its own below one that the visitor made up.
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	if last, err := netip.ParseAddr(strings.TrimSpace(hops[len(hops)-1])); err == nil {
		return last.String()
	}
	return host
}
