package vitec

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/time/rate"

	"portico/internal/portal"
)

const (
	maxAnswer      = 1 << 20 // bytes
	dialTimeout    = 5 * time.Second
	defaultTimeout = 15 * time.Second
	userAgent      = "Portico"
)

// Options are what a Client may be given beside its connection; all are optional.
type Options struct {
	Log     *slog.Logger
	Base    http.RoundTripper // instead of the network
	Now     func() time.Time
	Timeout time.Duration // of one call, waiting for the rate limit included
}

// Client is the one door to Connect for one connection. It is safe for
// concurrent use.
type Client struct {
	conn      portal.Connection
	settings  settings
	body      []piece // of the request that sets a status
	http      *http.Client
	limit     *rate.Limiter
	slots     chan struct{}
	stockholm *time.Location
	log       *slog.Logger
	now       func() time.Time
	timeout   time.Duration
}

// New returns the client of a connection that Configure made. It refuses
// settings that it cannot read, and a program without time zone data.
func New(c portal.Connection, o Options) (*Client, error) {
	s := defaults()
	if err := json.Unmarshal(c.Settings, &s); err != nil {
		return nil, fmt.Errorf("settings of connection %s: %w", c.ID, err)
	}
	body, err := parseBody(s.SetStatus.Body)
	if err != nil {
		return nil, fmt.Errorf("settings of connection %s: %w", c.ID, err)
	}
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		return nil, fmt.Errorf("time zone of Connect's dates: %w", err)
	}
	client := &Client{
		conn: c, settings: s, body: body, stockholm: stockholm,
		limit: rate.NewLimiter(rate.Limit(s.Rate.PerSecond), max(1, int(s.Rate.PerSecond))),
		slots: make(chan struct{}, max(1, s.Rate.Concurrent)),
		log:   o.Log, now: o.Now, timeout: o.Timeout,
	}
	if client.log == nil {
		client.log = slog.New(slog.DiscardHandler)
	}
	if client.now == nil {
		client.now = time.Now
	}
	if client.timeout == 0 {
		client.timeout = defaultTimeout
	}
	if o.Base == nil {
		o.Base = transport()
	}
	client.http = &http.Client{Transport: o.Base, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // a redirect would carry the credential elsewhere
	}}
	return client, nil
}

// transport pins no certificate: Vitec renews its own without notice.
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

// request is one call to Connect.
type request struct {
	method   string
	path     string // escaped, from the base address on
	query    url.Values
	customer string
	body     []byte
	token    string // struck out of errors
}

func (r request) op() string { return r.method + " " + r.path }

// do makes a call and returns its answer: a JSON text, or nothing where Connect
// answered without a body. Any other end is an *Error.
func (c *Client) do(ctx context.Context, r request) ([]byte, error) {
	cred, ok := c.conn.CredentialFor(r.customer)
	if !ok {
		return nil, &Error{Op: r.op(), Err: fmt.Errorf("%w: none for customer %q", portal.ErrCredential, r.customer)}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	started := c.now()
	answer, err := c.send(ctx, r, cred)
	attrs := []any{"connection", c.conn.ID, "op", r.op(), "took", c.now().Sub(started)}
	if err != nil {
		attrs = append(attrs, "error", err)
	}
	c.log.DebugContext(ctx, "vitec call", attrs...)
	return answer, err
}

func (c *Client) send(ctx context.Context, r request, cred portal.Credential) ([]byte, error) {
	release, err := c.turn(ctx)
	if err != nil {
		return nil, &Error{Op: r.op(), Err: err}
	}
	defer release()

	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	req, err := c.newRequest(httptrace.WithClientTrace(ctx, trace), r, cred)
	if err != nil {
		return nil, &Error{Op: r.op(), Err: err}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address: its query is not for logs
		}
		return nil, &Error{Op: r.op(), Sent: connected.Load(), Err: err}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil || resp.StatusCode/100 != 2 {
		err = checkAnswer(resp, answer)
	}
	if err != nil {
		e := &Error{Op: r.op(), Status: resp.StatusCode, Sent: true, RetryAfter: retryAfter(resp.Header, c.now()),
			Body: excerpt(answer, secrets(cred, r.token))}
		if !errors.Is(err, errStatus) {
			e.Err = err
		}
		return nil, e
	}
	return answer, nil
}

// turn waits until the connection's limits allow a call.
func (c *Client) turn(ctx context.Context) (release func(), err error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for one of %d calls to end: %w", cap(c.slots), ctx.Err())
	}
	if err := c.limit.Wait(ctx); err != nil {
		<-c.slots
		return nil, fmt.Errorf("wait for the rate limit: %w", err)
	}
	return func() { <-c.slots }, nil
}

func (c *Client) newRequest(ctx context.Context, r request, cred portal.Credential) (*http.Request, error) {
	address := c.settings.BaseURL + r.path
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, bytes.NewReader(r.body))
	if err != nil {
		return nil, errors.New("the address of the call is no URL")
	}
	req.SetBasicAuth(cred.Username, cred.Password)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", userAgent)
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	return req, nil
}

var errStatus = errors.New("the status is no success")

// checkAnswer refuses what is not JSON: a proxy's or a login's HTML page with
// status 200 says nothing about what Connect did.
func checkAnswer(resp *http.Response, answer []byte) error {
	switch {
	case resp.StatusCode/100 != 2:
		return errStatus
	case len(answer) > maxAnswer:
		return fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	case len(bytes.TrimSpace(answer)) == 0:
		return nil
	}
	if t := resp.Header.Get("Content-Type"); t != "" {
		media, _, err := mime.ParseMediaType(t)
		if err != nil || media != "application/json" && media != "text/json" && !strings.HasSuffix(media, "+json") {
			return fmt.Errorf("the answer is %q, not JSON", t)
		}
	}
	if !utf8.Valid(answer) || !json.Valid(answer) {
		return errors.New("the answer is broken JSON")
	}
	return nil
}

// secrets are all the forms in which a call's secrets may come back in an answer.
func secrets(cred portal.Credential, token string) []string {
	basic := base64.StdEncoding.EncodeToString([]byte(cred.Username + ":" + cred.Password))
	all := []string{basic}
	for _, s := range []string{cred.Password, token} {
		quoted := strings.Trim(quote(s), `"`)
		all = append(all, s, quoted, strings.ReplaceAll(quoted, "/", `\/`), url.QueryEscape(s))
	}
	return all
}
