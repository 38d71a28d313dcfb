package vitec

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// Options are what a Client may be given beside its connection.
type Options = door.Options

// Client speaks to Connect for one connection. It is safe for concurrent use.
type Client struct {
	conn      portal.Connection
	config    config
	body      []piece // of the request that sets a status
	door      *door.Door
	stockholm *time.Location
	now       func() time.Time
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
	client := &Client{conn: c, config: s, body: body, stockholm: stockholm, now: o.Now, door: door.New(c.ID, s.BaseURL, s.Rate, o)}
	if client.now == nil {
		client.now = time.Now
	}
	return client, nil
}

// request is one call to Connect.
type request struct {
	method   string
	path     string // escaped, from the base address on
	query    url.Values
	customer string
	body     []byte
	token    string   // struck out of errors
	secrets  []string // too
	private  bool     // a good answer is not kept
}

func (r request) op() string { return r.method + " " + r.path }

// do makes a call for an office. Its answer is a JSON text, or nothing where
// Connect answered without a body.
func (c *Client) do(ctx context.Context, r request) (door.Answer, error) {
	cred, ok := c.conn.CredentialFor(r.customer)
	if !ok {
		return door.Answer{}, &door.Error{Op: r.op(), Err: fmt.Errorf("%w: none for customer %q", portal.ErrCredential, r.customer)}
	}
	authorization := door.BasicAuth(cred.Username, cred.Password)
	return c.door.Do(ctx, door.Request{
		Method: r.method, Path: r.path, Query: r.query, Body: r.body,
		Header:  http.Header{"Authorization": {authorization}},
		Secrets: append([]string{strings.TrimPrefix(authorization, "Basic "), cred.Password, r.token}, r.secrets...),
		Private: r.private,
	})
}

// Addresses returns the base address that calls go to.
func (c *Client) Addresses() []string { return []string{c.config.BaseURL} }
