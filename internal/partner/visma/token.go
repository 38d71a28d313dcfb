package visma

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// Tokens is where all processes of a portal share the tokens of its API users:
// one row for each connection and name, with a version that grows by one at
// each token. Its text is a secret, to be sealed at rest; the store need not
// understand it.
type Tokens interface {
	// LoadToken returns the newest text and its version, "" and 0 if there is none.
	LoadToken(ctx context.Context, connection, name string) (text string, version int64, err error)
	// ClaimToken asks for the right to fetch the token that follows a version.
	// It is given to one caller at a time, and to none once there is a newer
	// version: then it reports false. A claim ends with StoreToken or
	// ReleaseToken, or by itself after lease, for its process may die.
	ClaimToken(ctx context.Context, connection, name string, version int64, lease time.Duration) (claimed bool, err error)
	// StoreToken stores the text that follows a version, and ends the claim. If
	// there is a newer version already it changes nothing; that is no error.
	StoreToken(ctx context.Context, connection, name string, version int64, text string) error
	// ReleaseToken ends a claim on what follows a version without a token.
	ReleaseToken(ctx context.Context, connection, name string, version int64) error
}

const (
	tokenLease  = 25 * time.Second // longer than renewing may take
	tokenTime   = 20 * time.Second // refreshing, and fetching where that fails
	tokenPoll   = 100 * time.Millisecond
	tokenMargin = time.Minute      // a token is not used so shortly before it ends
	defaultLife = 20 * time.Minute // of a token that does not say
)

// kept is what is stored of a token.
type kept struct {
	Client       string    `json:"client"` // whose it is: not that of another credential
	Bearer       string    `json:"bearer"`
	GoodUntil    time.Time `json:"good_until"`
	Refresh      string    `json:"refresh,omitempty"`
	RefreshUntil time.Time `json:"refresh_until,omitzero"`
}

// bearers gives out the bearer token of a tenant's API user. It is fetched once
// for all who wait for it, in this process and in any other.
type bearers struct {
	connection string
	tenant     *tenant
	client     string
	store      Tokens
	now        func() time.Time
	flight     singleflight.Group

	mu   sync.Mutex
	kept kept
}

func newBearers(connection string, t *tenant, o Options) *bearers {
	sum := sha256.Sum256([]byte(t.BaseURL + "\n" + t.cred.Username + "\n" + t.cred.Password))
	return &bearers{connection: connection, tenant: t, client: hex.EncodeToString(sum[:16]), store: o.Tokens, now: o.Now}
}

// token returns a token that is good. One that Core has refused is named, and
// not returned again.
func (b *bearers) token(ctx context.Context, refused string) (string, error) {
	b.mu.Lock()
	known := b.kept
	b.mu.Unlock()
	if b.good(known, refused) {
		return known.Bearer, nil
	}
	// Not by the caller's context: others wait for the same token.
	flight := b.flight.DoChan(refused, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tokenTime)
		defer cancel()
		return b.renew(ctx, refused)
	})
	select {
	case r := <-flight:
		if r.Err != nil {
			return "", r.Err
		}
		return r.Val.(kept).Bearer, nil
	case <-ctx.Done():
		return "", failed(fmt.Errorf("wait for a token: %w", ctx.Err()))
	}
}

func (b *bearers) good(k kept, refused string) bool {
	return k.Client == b.client && k.Bearer != "" && k.Bearer != refused && b.now().Before(k.GoodUntil)
}

// renew takes the token that another process has fetched, or fetches it while
// the others wait.
func (b *bearers) renew(ctx context.Context, refused string) (kept, error) {
	for {
		text, version, err := b.store.LoadToken(ctx, b.connection, b.tenant.ID)
		if err != nil {
			return kept{}, failed(fmt.Errorf("load token: %w", err))
		}
		var k kept
		if text != "" && json.Unmarshal([]byte(text), &k) != nil {
			k = kept{} // as good as none
		}
		if b.good(k, refused) {
			b.keep(k)
			return k, nil
		}
		claimed, err := b.store.ClaimToken(ctx, b.connection, b.tenant.ID, version, tokenLease)
		switch {
		case err != nil:
			return kept{}, failed(fmt.Errorf("claim token: %w", err))
		case claimed:
			return b.replace(ctx, k, version)
		}
		timer := time.NewTimer(tokenPoll)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return kept{}, failed(fmt.Errorf("wait for a token that another process fetches: %w", ctx.Err()))
		}
	}
}

// replace fetches the token that follows a version, and shares it.
func (b *bearers) replace(ctx context.Context, old kept, version int64) (kept, error) {
	k, err := b.fetch(ctx, old)
	if err != nil {
		if failure := b.store.ReleaseToken(context.WithoutCancel(ctx), b.connection, b.tenant.ID, version); failure != nil {
			err = errors.Join(err, fmt.Errorf("release token: %w", failure))
		}
		return kept{}, err
	}
	b.keep(k)
	if err := b.store.StoreToken(context.WithoutCancel(ctx), b.connection, b.tenant.ID, version, string(door.JSON(k))); err != nil {
		return kept{}, failed(fmt.Errorf("store token: %w", err))
	}
	return k, nil
}

func (b *bearers) keep(k kept) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = k
}

// fetch refreshes the old token, or gets one by the client's secret where that
// is refused: {"error":"invalid_grant"} is what an old refresh token gets.
//
// https://visma-real-estate-solutions.github.io/core-documentation/docs/getting-started/authentication.html
func (b *bearers) fetch(ctx context.Context, old kept) (kept, error) {
	id := b.tenant.cred.Username
	if old.Client == b.client && old.Refresh != "" && b.now().Before(old.RefreshUntil) {
		k, err := b.ask(ctx, url.Values{"grant_type": {"refresh_token"}, "client_id": {id}, "refresh_token": {old.Refresh}})
		if err == nil {
			if k.Refresh == "" {
				k.Refresh, k.RefreshUntil = old.Refresh, old.RefreshUntil
			}
			return k, nil
		}
		if status := statusOf(err); status/100 != 4 || status == http.StatusTooManyRequests {
			return kept{}, tokenError(err)
		}
	}
	k, err := b.ask(ctx, url.Values{"grant_type": {"client_credentials"}, "client_id": {id}, "client_secret": {b.tenant.cred.Password}})
	if err != nil {
		return kept{}, tokenError(err)
	}
	return k, nil
}

// ask asks the token endpoint.
func (b *bearers) ask(ctx context.Context, form url.Values) (kept, error) {
	if err := b.tenant.pause.wait(ctx); err != nil {
		return kept{}, err
	}
	asked := b.now()
	answer, err := b.tenant.door.Do(ctx, door.Request{Method: http.MethodPost, Path: "/flow/authtoken",
		Body: []byte(form.Encode()), Type: "application/x-www-form-urlencoded", Private: true,
		Secrets: []string{b.tenant.cred.Password, form.Get("refresh_token")}})
	b.tenant.pause.observe(answer, err)
	if err != nil {
		return kept{}, err
	}
	var t struct {
		AccessToken      string    `json:"access_token"`
		ExpiresIn        door.Text `json:"expires_in"`
		RefreshToken     string    `json:"refresh_token"`
		RefreshExpiresIn door.Text `json:"refresh_token_expires_in"`
	}
	if err := read(answer, &t, "the token"); err != nil {
		return kept{}, err
	}
	if t.AccessToken == "" {
		return kept{}, answer.Unusable("the answer holds no token")
	}
	life := seconds(t.ExpiresIn, defaultLife)
	return kept{Client: b.client, Bearer: t.AccessToken, GoodUntil: asked.Add(life - min(tokenMargin, life/4)),
		Refresh: t.RefreshToken, RefreshUntil: asked.Add(seconds(t.RefreshExpiresIn, 0) - tokenMargin)}, nil
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

// failed is the end of a call that was not made, for a fault that will pass.
func failed(err error) error { return &portal.ReportError{Outcome: portal.OutcomeFailed, Err: err} }
