// Package door is the one door to a partner over HTTP: it bounds what a call
// may take, says whether it was sent, and keeps of a failed one what people
// need to know. It knows no partner; each partner's package has the paths, the
// bodies and the meaning of the answers.
package door

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/time/rate"
)

// How long an answer may be, in bytes, and one that is read while it arrives.
const (
	MaxAnswer = 1 << 20
	MaxStream = 64 << 20
)

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
	single  *http.Client // for what must not be sent twice, or late
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
	d.http, d.single = client(o.Base), client(o.Base)
	if o.Base == nil {
		d.http.Transport, d.single.Transport = transport(), singleTransport(base)
	}
	return d
}

func client(through http.RoundTripper) *http.Client {
	return &http.Client{Transport: through, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // a redirect would carry the credential elsewhere
	}}
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

// singleTransport has a connection for each request, so that what is written to
// it can be held back, and nothing is repeated.
func singleTransport(base string) *http.Transport {
	t := transport()
	t.DisableKeepAlives, t.ForceAttemptHTTP2 = true, false
	own := hostPort(base)
	t.DialTLSContext = fencing(own, func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, 2*dialTimeout)
		defer cancel()
		return (&tls.Dialer{NetDialer: &net.Dialer{Timeout: dialTimeout}, Config: t.TLSClientConfig}).DialContext(ctx, network, address)
	})
	t.DialContext = fencing(own, t.DialContext)
	return t
}

// hostPort returns where a base address is dialled.
func hostPort(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return "" // no call can be made there
	}
	ports := map[string]string{"http": "80", "https": "443"}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), ports[u.Scheme]))
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
