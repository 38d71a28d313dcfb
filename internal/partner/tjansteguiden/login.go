package tjansteguiden

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// A hash is good for 20 minutes from when it was asked for, whether it is used
// or not. It is not used in the last of them.
//
// https://www.eklundh.com/atlas/help/api/index/351/specification?method=379
const (
	hashLife   = 20 * time.Minute
	hashMargin = time.Minute
)

// logIn gets the hash of a login. A login that is refused is portal.ErrCredential.
func (c *Client) logIn(ctx context.Context, _ door.Token) (door.Token, error) {
	const method = "api_login"
	r := c.request(method, encode(method, []string{"api_key", c.cred.Password, "api_user", c.config.APIUser}), "")
	var hash string
	r.Private = true
	r.Stream = func(contentType string, body io.Reader) error {
		answer, err := readAnswer(contentType, body, method, true)
		if err == nil {
			if hash = answer.get("hash_key"); hash == "" {
				err = unreadable("it holds no hash")
			}
		}
		return err
	}
	asked := c.now()
	_, err := c.door.Do(ctx, r)
	var e *door.Error
	if errors.As(judge(err), &e) && (e.Refused || refuses(e.Status)) && !errors.Is(err, portal.ErrCredential) {
		e.Err = credentialError(e.Err)
	}
	if err != nil {
		return door.Token{}, err
	}
	return door.Token{Bearer: hash, GoodUntil: asked.Add(hashLife - hashMargin)}, nil
}

func credentialError(said error) error {
	if said == nil {
		return portal.ErrCredential
	}
	return fmt.Errorf("%w: %w", portal.ErrCredential, said)
}
