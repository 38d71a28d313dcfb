package tjansteguiden

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// listTime is how long a list may take to arrive: it may have ten thousand orders.
const listTime = 2 * time.Minute

// Options are what a Client is given beside its connection. Tokens, where the
// processes of a portal share the hash of a login, is required of providers.
type Options struct {
	door.Options
	Tokens door.Tokens
}

// Client speaks to Tjänsteguiden for one connection. It is safe for concurrent use.
type Client struct {
	conn     portal.Connection
	config   config
	cred     portal.Credential
	zone     *time.Location
	door     *door.Door
	lists    *door.Door    // whoever reads a list may call meanwhile
	hashes   *door.Bearers // nil: a network does not log in
	networks []network
	now      func() time.Time
}

// New returns the client of a connection that Configure made. It refuses
// settings that it cannot read, and options that the connection cannot do without.
func New(c portal.Connection, o Options) (*Client, error) {
	s := defaults()
	s.StatusMap, s.MessageTypes = nil, nil
	if err := json.Unmarshal(c.Settings, &s); err != nil {
		return nil, fmt.Errorf("settings of connection %s: %w", c.ID, err)
	}
	zone, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("time zone of connection %s: %w", c.ID, err)
	}
	cred, ok := c.CredentialFor(portal.AnyCustomer)
	if !ok {
		return nil, fmt.Errorf("connection %s: no credential", c.ID)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	client := &Client{conn: c, config: s, cred: cred, zone: zone, now: o.Now,
		door: door.New(c.ID, s.BaseURL, s.Rate, o.Options), lists: door.New(c.ID, s.BaseURL, s.Rate, o.Options)}
	if s.Role == roleProvider {
		if o.Tokens == nil {
			return nil, fmt.Errorf("connection %s: no store for its hashes", c.ID)
		}
		login := []string{s.BaseURL, s.APIUser, cred.Password}
		client.hashes = door.NewBearers(c.ID, s.APIUser, login, o.Tokens, o.Now, client.logIn)
	}
	if client.networks, err = openNetworks(c, s.Networks, o.Options); err != nil {
		return nil, fmt.Errorf("connection %s: %w", c.ID, err)
	}
	return client, nil
}

// Addresses returns the base addresses that calls go to.
func (c *Client) Addresses() []string {
	all := []string{c.config.BaseURL}
	for _, n := range c.config.Networks {
		all = append(all, n.BaseURL)
	}
	return all
}

// call is a call of a method. All are GETs, with the method first in the query.
type call struct {
	method   string
	pairs    []string // names and values
	hashLast bool     // as the method's page has it
	changes  bool
	once     bool // it must not be made again where it may have been done
	// read reads the answer to a call that changes nothing, while it arrives.
	read func(contentType string, body io.Reader) error
	list bool
}

// query returns the query of a call, in the order of the methods' pages.
func (c *Client) query(k call, hash string) string {
	pairs := k.pairs
	auth := []string{c.config.Query.Hash, hash}
	switch {
	case c.hashes == nil:
		pairs = append(pairs[:len(pairs):len(pairs)], c.config.Query.APIUser, c.config.APIUser)
	case k.hashLast:
		pairs = append(pairs[:len(pairs):len(pairs)], auth...)
	default:
		pairs = append(auth, pairs...)
	}
	return encode(k.method, pairs)
}

func encode(method string, pairs []string) string {
	var b strings.Builder
	b.WriteString("method=" + url.QueryEscape(method))
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteString("&" + url.QueryEscape(pairs[i]) + "=" + url.QueryEscape(pairs[i+1]))
	}
	return b.String()
}

// do makes a call. What a provider's call fails with may be that the hash is no
// longer good, for nothing says how that is answered. So it logs in again and
// makes the call again, once.
func (c *Client) do(ctx context.Context, k call) (door.Answer, error) {
	if c.hashes == nil {
		return c.send(ctx, k, "")
	}
	hash, err := c.hashes.Token(ctx, "")
	if err != nil {
		return door.Answer{}, notMade(k, err)
	}
	answer, err := c.send(ctx, k, hash)
	if !k.again(err) {
		return answer, err
	}
	if hash, err = c.hashes.Token(ctx, hash); err != nil {
		return door.Answer{}, notMade(k, err)
	}
	return c.send(ctx, k, hash)
}

// again reports whether a call that failed is worth another hash.
func (k call) again(err error) bool {
	var e *door.Error
	if !errors.As(err, &e) {
		return false
	}
	switch s := e.Status; {
	case e.Refused:
		return true
	case s == http.StatusTooManyRequests, s == http.StatusServiceUnavailable:
		return false
	case k.once:
		return refuses(s)
	default:
		return s >= 400
	}
}

// refuses reports whether a status says that a call was not done, and never will be.
func refuses(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status/100 == 4
}

// notMade is the end of a call for want of a hash: whatever became of the login,
// the call itself has done nothing.
func notMade(k call, err error) *door.Error {
	e := &door.Error{Op: k.method, Err: fmt.Errorf("log in: %w", err)}
	var login *door.Error
	if errors.As(err, &login) && (login.Status == http.StatusTooManyRequests || login.Status == http.StatusServiceUnavailable) {
		e.Status, e.RetryAfter = login.Status, login.RetryAfter
	}
	return e
}

// send makes a call with a hash. The answer to one that changes something says
// that it was done.
func (c *Client) send(ctx context.Context, k call, hash string) (door.Answer, error) {
	through, r := c.door, c.request(k.method, c.query(k, hash), hash)
	r.Changes, r.Stream, r.Private = k.changes, k.read, !k.changes
	if k.list {
		through, r.Timeout = c.lists, listTime
	}
	answer, err := through.Do(ctx, r)
	if err == nil && k.changes {
		if _, err = readAnswer(answer.Header.Get("Content-Type"), bytes.NewReader(answer.Body), k.method, true); err != nil {
			err = &door.Error{Op: k.method, Status: answer.Status, Sent: true, Body: answer.Excerpt(), Err: err}
		}
	}
	return answer, judge(err)
}

func (c *Client) request(method, query, hash string) door.Request {
	return door.Request{Method: http.MethodGet, Name: method, Ordered: query, Accept: "application/xml, text/xml",
		Secrets: []string{hash, c.cred.Password}, Redact: portal.Redact}
}

// judge adds to a call's error what its status does not say.
func judge(err error) error {
	var e *door.Error
	if !errors.As(err, &e) {
		return err
	}
	var no *refusal
	if errors.As(e.Err, &no) {
		e.Refused = true
	}
	if e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden {
		e.Err = portal.ErrCredential
	}
	return e
}
