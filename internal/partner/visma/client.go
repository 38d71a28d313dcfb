package visma

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// Options are what a Client is given beside its connection. Tokens is required,
// and Issued with the authentication types in which Core fetches tokens of ours.
type Options struct {
	door.Options
	Tokens door.Tokens
	Issued Issued
}

// Client speaks to Core for one connection. It is safe for concurrent use.
type Client struct {
	conn    portal.Connection
	config  config
	tenants map[string]*tenant
	issued  Issued
	now     func() time.Time
}

// tenant is one customer of Visma's: an address, and an API user there.
type tenant struct {
	tenantConfig
	cred    portal.Credential
	door    *door.Door
	files   *door.Door // a broker who comes does not wait for one of the files to be through
	bearers *door.Bearers
	pause   pause
	now     func() time.Time
}

// New returns the client of a connection that Configure made. It refuses
// settings that it cannot read, and options that the connection cannot do without.
func New(c portal.Connection, o Options) (*Client, error) {
	s := defaults()
	s.StatusMap, s.StatusText, s.ActionText, s.Metadata = nil, nil, nil, nil
	if err := json.Unmarshal(c.Settings, &s); err != nil {
		return nil, fmt.Errorf("settings of connection %s: %w", c.ID, err)
	}
	if o.Tokens == nil || o.Issued == nil && (s.AuthType == authOAuth || s.AuthType == authOAuthSimplified) {
		return nil, fmt.Errorf("connection %s: no store for its tokens", c.ID)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	client := &Client{conn: c, config: s, tenants: map[string]*tenant{}, issued: o.Issued, now: o.Now}
	for _, configured := range s.Tenants {
		cred, ok := c.CredentialFor(configured.ID)
		if !ok {
			return nil, fmt.Errorf("connection %s: no credential of tenant %s", c.ID, configured.ID)
		}
		t := &tenant{tenantConfig: configured, cred: cred, pause: pause{now: o.Now}, now: o.Now,
			door: door.New(c.ID, configured.BaseURL, s.Rate, o.Options), files: door.New(c.ID, configured.BaseURL, s.Rate, o.Options)}
		t.bearers = door.NewBearers(c.ID, t.ID, []string{t.BaseURL, cred.Username, cred.Password}, o.Tokens, o.Now, t.fetch)
		client.tenants[configured.ID] = t
	}
	return client, nil
}

// Check reports whether Core can be reached and takes our credential for a
// tenant. It changes nothing.
func (c *Client) Check(ctx context.Context, customer string) error {
	t, err := c.tenant(customer)
	if err == nil {
		_, err = t.fetch(ctx, door.Token{})
	}
	if err != nil {
		return classify(err)
	}
	return nil
}

func (c *Client) tenant(id string) (*tenant, error) {
	t, ok := c.tenants[id]
	if !ok {
		return nil, fmt.Errorf("%w: there is no tenant %q", portal.ErrCredential, id)
	}
	return t, nil
}

// do makes a call as the API user. A token that Core no longer takes is replaced
// once: with 401 the call has done nothing.
func (t *tenant) do(ctx context.Context, r door.Request) (door.Answer, error) {
	bearer, err := t.bearers.Token(ctx, "")
	if err != nil {
		return door.Answer{}, err
	}
	answer, err := t.send(ctx, r, bearer)
	if statusOf(err) == http.StatusUnauthorized {
		if bearer, err = t.bearers.Token(ctx, bearer); err != nil {
			return door.Answer{}, err
		}
		answer, err = t.send(ctx, r, bearer)
	}
	return answer, err
}

func (t *tenant) send(ctx context.Context, r door.Request, bearer string) (door.Answer, error) {
	if err := t.pause.wait(ctx); err != nil {
		return door.Answer{}, err
	}
	r.Header = http.Header{"Authorization": {"Bearer " + bearer}}
	r.Secrets = append([]string{bearer, t.cred.Password}, r.Secrets...)
	through := t.door
	if r.Open != nil {
		through = t.files
	}
	answer, err := through.Do(ctx, r)
	t.pause.observe(answer, err)
	return answer, err
}

// api is where all methods but that of tokens are.
const api = "/flow/api/"

// classify says how a call ended that returned err. What ended before the call
// itself, at the API user's token, says so itself.
func classify(err error) *portal.ReportError {
	var report *portal.ReportError
	if errors.As(err, &report) {
		return report
	}
	if errors.Is(err, portal.ErrCredential) {
		return &portal.ReportError{Outcome: portal.OutcomeCredential, Err: err}
	}
	return door.Classify(err)
}

// statusOf returns the HTTP status of a failed call, 0 if there was no answer.
// The answer about the API user's token is none: the call itself was not made.
func statusOf(err error) int {
	var before *portal.ReportError
	var e *door.Error
	if !errors.As(err, &before) && errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// read reads an answer, or returns the error of one that is not as documented.
func read(a door.Answer, into any, what string) error {
	if len(strings.TrimSpace(string(a.Body))) == 0 || json.Unmarshal(a.Body, into) != nil {
		return a.Unusable(what + " is not the documented JSON") // the cause may quote the answer
	}
	return nil
}

// Addresses returns the base addresses that calls go to.
func (c *Client) Addresses() []string {
	var all []string
	for _, t := range c.config.Tenants {
		all = append(all, t.BaseURL)
	}
	return all
}
