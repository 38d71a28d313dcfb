package visma

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// Issued is where the tokens are kept that Portico gives out to Core: only their
// hash, and for which order one has been used.
type Issued interface {
	// IssueToken stores the hash of a token that is good until expires.
	IssueToken(ctx context.Context, connection string, hash []byte, expires time.Time) error
	// UseToken reports whether a token is good for an order at that time: it was
	// issued for the connection, has not expired, and was used for no other order
	// before. The first use binds it to its order.
	UseToken(ctx context.Context, connection string, hash []byte, order string, at time.Time) (good bool, err error)
}

// issuedLife is how long a token of ours is good. Core fetches one when the user
// presses the button, and opens the address with it at once.
const issuedLife = 5 * time.Minute

// Authorize answers Core's own call for a token, in the authentication types
// oauth_simplified and oauth, with a status and a JSON text. The token proves
// that Core sends somebody, and nothing about who that is.
//
// https://visma-real-estate-solutions.github.io/core-documentation/docs/marketing-integrator/setup.html
func (c *Client) Authorize(ctx context.Context, header http.Header, body []byte) (status int, answer []byte, err error) {
	if c.config.AuthType != authOAuth && c.config.AuthType != authOAuthSimplified {
		return http.StatusNotFound, oauthError("invalid_request"), nil
	}
	asked, ok := readGrant(header, body)
	switch {
	case !ok:
		return http.StatusBadRequest, oauthError("invalid_request"), nil
	case !c.knows(asked.ClientID, asked.ClientSecret):
		return http.StatusUnauthorized, oauthError("invalid_client"), nil
	case asked.GrantType != "" && asked.GrantType != "client_credentials":
		return http.StatusBadRequest, oauthError("unsupported_grant_type"), nil
	}
	token := rand.Text() + rand.Text()
	if err := c.issued.IssueToken(ctx, c.conn.ID, hashOf(token), c.now().Add(issuedLife)); err != nil {
		return 0, nil, err
	}
	if c.config.AuthType == authOAuthSimplified {
		return http.StatusOK, door.JSON(map[string]string{"token": token}), nil
	}
	return http.StatusOK, door.JSON(struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int    `json:"expires_in"`
	}{token, "bearer", int(issuedLife / time.Second)}), nil
}

func oauthError(code string) []byte { return door.JSON(map[string]string{"error": code}) }

// grant is a call for a token.
type grant struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	GrantType    string `json:"grant_type"`
}

// readGrant reads JSON, as Visma's page has it, and a form with the client in it
// or in the header, as the standard has it.
func readGrant(header http.Header, body []byte) (grant, bool) {
	var g grant
	media, _, _ := mime.ParseMediaType(header.Get("Content-Type")) // what is none is no form
	if media == "application/x-www-form-urlencoded" {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return grant{}, false
		}
		g = grant{form.Get("client_id"), form.Get("client_secret"), form.Get("grant_type")}
	} else if json.Unmarshal(body, &g) != nil {
		return grant{}, false
	}
	if id, secret, ok := (&http.Request{Header: header}).BasicAuth(); ok && g.ClientSecret == "" {
		g.ClientID, g.ClientSecret = id, secret
	}
	return g, g.ClientID != "" && g.ClientSecret != ""
}

// knows reports whether that is the login that Core was given.
func (c *Client) knows(name, secret string) bool {
	return c.config.CallbackHash != "" && subtle.ConstantTimeCompare([]byte(loginHash(name, secret)), []byte(c.config.CallbackHash)) == 1
}

// admit checks the token of an opening without a FlowToken. With Basic it is the
// same at each opening, and in the browser's history: it proves the least.
func (c *Client) admit(ctx context.Context, o opening) error {
	if c.config.AuthType == authBasic {
		if name, secret, ok := basic(o.token); !ok || !c.knows(name, secret) {
			return invalid()
		}
		return nil
	}
	good, err := c.issued.UseToken(ctx, c.conn.ID, hashOf(o.token), o.tenant+"/"+o.order, c.now())
	if err != nil {
		return &portal.Error{Kind: portal.Unavailable, Say: portal.Say("callback.unavailable"), Err: err}
	}
	if !good {
		return invalid()
	}
	return nil
}

// basic reads a username and a password as HTTP's basic authentication has them.
func basic(token string) (name, secret string, ok bool) {
	token = strings.TrimRight(strings.TrimPrefix(token, "Basic+"), "=")
	token = strings.NewReplacer("-", "+", "_", "/").Replace(token)
	raw, err := base64.RawStdEncoding.DecodeString(token)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(raw), ":")
}

func hashOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
