// Package door is the one door to a partner over HTTP: it bounds what a call
// may take, says whether it was sent, and keeps of a failed one what people
// need to know. It knows no partner; each partner's package has the paths, the
// bodies and the meaning of the answers.
package door

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/time/rate"
)

// MaxAnswer is how long an answer may be, in bytes.
const MaxAnswer = 1 << 20

const (
	dialTimeout    = 5 * time.Second
	defaultTimeout = 10 * time.Second
	userAgent      = "Portico"
)

// Options are what a partner's client may be given beside its connection; all
// are optional.
type Options struct {
	Log     *slog.Logger
	Base    http.RoundTripper // instead of the network
	Now     func() time.Time
	Timeout time.Duration // of one call, waiting for the rate limit included
}

// Rate is what one process may ask of a partner.
type Rate struct {
	Concurrent int     `json:"concurrent"`
	PerSecond  float64 `json:"per_second"`
}

// Door makes the calls to one address. It is safe for concurrent use.
type Door struct {
	name    string
	base    string
	http    *http.Client
	limit   *rate.Limiter
	slots   chan struct{}
	log     *slog.Logger
	now     func() time.Time
	timeout time.Duration
}

// New returns the door to a base address, without a slash at its end. Whatever
// is called through it goes to that address and to no other. The name is for
// the log.
func New(name, base string, r Rate, o Options) *Door {
	d := &Door{
		name: name, base: base, log: o.Log, now: o.Now, timeout: o.Timeout,
		limit: rate.NewLimiter(rate.Limit(r.PerSecond), max(1, int(r.PerSecond))),
		slots: make(chan struct{}, max(1, r.Concurrent)),
	}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if d.now == nil {
		d.now = time.Now
	}
	if d.timeout == 0 {
		d.timeout = defaultTimeout
	}
	if o.Base == nil {
		o.Base = transport()
	}
	d.http = &http.Client{Transport: o.Base, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // a redirect would carry the credential elsewhere
	}}
	return d
}

// transport pins no certificate: partners renew theirs without notice.
func transport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:    dialTimeout,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// turn waits until the limits allow a call.
func (d *Door) turn(ctx context.Context) (release func(), err error) {
	select {
	case d.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for one of %d calls to end: %w", cap(d.slots), ctx.Err())
	}
	if err := d.limit.Wait(ctx); err != nil {
		<-d.slots
		return nil, fmt.Errorf("wait for the rate limit: %w", err)
	}
	return func() { <-d.slots }, nil
}
