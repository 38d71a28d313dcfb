package door

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

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

// TokenLease is how long a process has for fetching a token before another does.
const TokenLease = 25 * time.Second // longer than tokenTime

const (
	tokenTime = 20 * time.Second // refreshing, and fetching where that fails
	tokenPoll = 100 * time.Millisecond
)

// Token is what is stored of the token of an API user.
type Token struct {
	Client       string    `json:"client"` // whose it is: not that of another credential
	Bearer       string    `json:"bearer"`
	GoodUntil    time.Time `json:"good_until"`
	Refresh      string    `json:"refresh,omitempty"`
	RefreshUntil time.Time `json:"refresh_until,omitzero"`
}

// Bearers gives out the token of an API user. It is fetched once for all who
// wait for it, in this process and in any other.
type Bearers struct {
	connection, name string
	client           string
	store            Tokens
	now              func() time.Time
	fetch            func(ctx context.Context, old Token) (Token, error)
	flight           singleflight.Group

	mu   sync.Mutex
	kept Token
}

// NewBearers returns what gives out the token that a connection has under a
// name. Where to log in, and as whom, tells its tokens from those of another
// credential. fetch gets the token that follows an old one, which is zero if
// there is none of the same credential; it is called by one process at a time.
func NewBearers(connection, name string, login []string, store Tokens, now func() time.Time, fetch func(ctx context.Context, old Token) (Token, error)) *Bearers {
	sum := sha256.Sum256([]byte(strings.Join(login, "\n")))
	return &Bearers{connection: connection, name: name, client: hex.EncodeToString(sum[:16]), store: store, now: now, fetch: fetch}
}

// Token returns a token that is good. One that the partner has refused is named,
// and not returned again. What the store fails with is a *portal.ReportError:
// the call that the token is for was not made.
func (b *Bearers) Token(ctx context.Context, refused string) (string, error) {
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
		return r.Val.(Token).Bearer, nil
	case <-ctx.Done():
		return "", failed(fmt.Errorf("wait for a token: %w", ctx.Err()))
	}
}

func (b *Bearers) good(k Token, refused string) bool {
	return k.Client == b.client && k.Bearer != "" && k.Bearer != refused && b.now().Before(k.GoodUntil)
}

// renew takes the token that another process has fetched, or fetches it while
// the others wait.
func (b *Bearers) renew(ctx context.Context, refused string) (Token, error) {
	for {
		text, version, err := b.store.LoadToken(ctx, b.connection, b.name)
		if err != nil {
			return Token{}, failed(fmt.Errorf("load token: %w", err))
		}
		var k Token
		if text != "" && json.Unmarshal([]byte(text), &k) != nil {
			k = Token{} // as good as none
		}
		if b.good(k, refused) {
			b.keep(k)
			return k, nil
		}
		claimed, err := b.store.ClaimToken(ctx, b.connection, b.name, version, TokenLease)
		switch {
		case err != nil:
			return Token{}, failed(fmt.Errorf("claim token: %w", err))
		case claimed:
			return b.replace(ctx, k, version)
		}
		timer := time.NewTimer(tokenPoll)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return Token{}, failed(fmt.Errorf("wait for a token that another process fetches: %w", ctx.Err()))
		}
	}
}

// replace fetches the token that follows a version, and shares it.
func (b *Bearers) replace(ctx context.Context, old Token, version int64) (Token, error) {
	if old.Client != b.client {
		old = Token{}
	}
	k, err := b.fetch(ctx, old)
	if err != nil {
		if failure := b.store.ReleaseToken(context.WithoutCancel(ctx), b.connection, b.name, version); failure != nil {
			err = errors.Join(err, fmt.Errorf("release token: %w", failure))
		}
		return Token{}, err
	}
	k.Client = b.client
	b.keep(k)
	if err := b.store.StoreToken(context.WithoutCancel(ctx), b.connection, b.name, version, string(JSON(k))); err != nil {
		return Token{}, failed(fmt.Errorf("store token: %w", err))
	}
	return k, nil
}

func (b *Bearers) keep(k Token) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = k
}

// failed is the end of a call that was not made, for a fault that will pass.
func failed(err error) error { return &portal.ReportError{Outcome: portal.OutcomeFailed, Err: err} }
