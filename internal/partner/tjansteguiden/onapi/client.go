// Package onapi speaks to a network's own system by the order part of ON-API
// 2.4: it activates, deactivates and changes services on customers' accesses.
// Nothing that it sends is about a person.
//
// The standard is at https://github.com/on-api/on-api, in the folder 2.4.0. What
// its pages do not agree about is marked so in comments.
package onapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// Options are what a Client may be given beside its address; all are optional.
type Options struct {
	door.Options
	Name string    // for the log
	Rate door.Rate // zero: two calls at a time, two a second
}

// Client speaks to one network. It is safe for concurrent use.
type Client struct {
	base       string
	credential portal.Credential
	door       *door.Door
}

// New returns the client of the network at a base address, such as
// https://onapi.example/onapi/2.4. It refuses what is no such address.
func New(base string, c portal.Credential, o Options) (*Client, error) {
	base = strings.TrimRight(base, "/")
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("the address of the network %s is no base address", o.Name) // it may hold a password: not quoted
	}
	if o.Rate == (door.Rate{}) {
		o.Rate = door.Rate{Concurrent: 2, PerSecond: 2}
	}
	return &Client{base: base, credential: c, door: door.New(o.Name, base, o.Rate, o.Options)}, nil
}

// call makes a call to the network, with a body unless that is nil.
func (c *Client) call(ctx context.Context, method, path string, body []byte) (door.Answer, error) {
	authorization := door.BasicAuth(c.credential.Username, c.credential.Password)
	return c.door.Do(ctx, door.Request{
		Method: method, Path: path, Body: body, Type: "application/json",
		Header:  http.Header{"Authorization": {authorization}},
		Secrets: []string{strings.TrimPrefix(authorization, "Basic "), c.credential.Password},
		Private: true, // an access comes with its address
		Changes: method == http.MethodDelete,
	})
}
