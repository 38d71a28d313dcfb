package visma

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

const (
	tokenMargin = time.Minute      // a token is not used so shortly before it ends
	defaultLife = 20 * time.Minute // of a token that does not say
)

// fetch refreshes the old token, or gets one by the client's secret where that
// is refused: {"error":"invalid_grant"} is what an old refresh token gets.
//
// https://visma-real-estate-solutions.github.io/core-documentation/docs/getting-started/authentication.html
func (t *tenant) fetch(ctx context.Context, old door.Token) (door.Token, error) {
	id := t.cred.Username
	if old.Refresh != "" && t.now().Before(old.RefreshUntil) {
		k, err := t.ask(ctx, url.Values{"grant_type": {"refresh_token"}, "client_id": {id}, "refresh_token": {old.Refresh}})
		if err == nil {
			if k.Refresh == "" {
				k.Refresh, k.RefreshUntil = old.Refresh, old.RefreshUntil
			}
			return k, nil
		}
		if status := statusOf(err); status/100 != 4 || status == http.StatusTooManyRequests {
			return door.Token{}, tokenError(err)
		}
	}
	k, err := t.ask(ctx, url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {t.cred.Password}})
	if err != nil {
		return door.Token{}, tokenError(err)
	}
	return k, nil
}

// ask asks the token endpoint.
func (t *tenant) ask(ctx context.Context, form url.Values) (door.Token, error) {
	if err := t.pause.wait(ctx); err != nil {
		return door.Token{}, err
	}
	asked := t.now()
	answer, err := t.door.Do(ctx, door.Request{Method: http.MethodPost, Path: "/flow/authtoken",
		Body: []byte(form.Encode()), Type: "application/x-www-form-urlencoded", Private: true,
		Secrets: []string{t.cred.Password, form.Get("refresh_token")}})
	t.pause.observe(answer, err)
	if err != nil {
		return door.Token{}, err
	}
	var token struct {
		AccessToken      string    `json:"access_token"`
		ExpiresIn        door.Text `json:"expires_in"`
		RefreshToken     string    `json:"refresh_token"`
		RefreshExpiresIn door.Text `json:"refresh_token_expires_in"`
	}
	if err := read(answer, &token, "the token"); err != nil {
		return door.Token{}, err
	}
	if token.AccessToken == "" {
		return door.Token{}, answer.Unusable("the answer holds no token")
	}
	life := seconds(token.ExpiresIn, defaultLife)
	return door.Token{Bearer: token.AccessToken, GoodUntil: asked.Add(life - min(tokenMargin, life/4)),
		Refresh: token.RefreshToken, RefreshUntil: asked.Add(seconds(token.RefreshExpiresIn, 0) - tokenMargin)}, nil
}

func seconds(t door.Text, otherwise time.Duration) time.Duration {
	if n, err := strconv.Atoi(string(t)); err == nil && n > 0 && n < 1<<31 {
		return time.Duration(n) * time.Second
	}
	return otherwise
}

// tokenError says what became of a call whose token could not be had: it was
// not made. Core refuses a client with 400 {"error":"invalid_client"}, as the
// standard has it; its own pages do not say.
func tokenError(err error) error {
	report := classify(err)
	switch report.Outcome {
	case portal.OutcomeRefused:
		report.Outcome, report.Err = portal.OutcomeCredential, fmt.Errorf("%w: %w", portal.ErrCredential, err)
	case portal.OutcomeUnknown:
		report.Outcome = portal.OutcomeFailed
	}
	return report
}
