// Package password hashes and verifies the passwords of people with argon2id.
// Each hash takes 19 MiB for a moment, so only a few run at once: the rest wait,
// or a crowd at the login would use up the machine's memory.
package password

import (
	"context"
	"crypto/rand"
	"fmt"
	"runtime"
	"strings"

	"github.com/alexedwards/argon2id"
)

// params are OWASP's least for argon2id.
var params = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// nobody is a hash by params of a password that was thrown away.
const nobody = "$argon2id$v=19$m=19456,t=2,p=1$sajYv5VcNoczCLgGCNxHHQ$VNfKAaabjBIdhRZEo96WX+C+GYGRaJy2MS5Yc/GM1i0"

// slots bounds the hashes that run at once. More than there are processors
// would not be faster.
var slots = make(chan struct{}, min(runtime.GOMAXPROCS(0), 8))

// Hash returns the hash of a password as it is stored. It waits for its turn
// until ctx ends.
func Hash(ctx context.Context, password string) (string, error) {
	var hash string
	err := inTurn(ctx, func() (err error) {
		hash, err = argon2id.CreateHash(password, params)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// Verify reports whether a stored hash is of the password. It waits for its turn
// until ctx ends.
func Verify(ctx context.Context, hash, password string) (bool, error) {
	var match bool
	err := inTurn(ctx, func() (err error) {
		match, err = argon2id.ComparePasswordAndHash(password, hash)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("verify password: %w", err)
	}
	return match, nil
}

// VerifyNone takes as long as Verify and is never true: an unknown e-mail must
// not be told from a wrong password by the time that the answer takes.
func VerifyNone(ctx context.Context, password string) error {
	_, err := Verify(ctx, nobody, password)
	return err
}

func inTurn(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
		return f()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Random returns a password of 120 random bits that can be read out and typed.
func Random() string {
	text := strings.ToLower(rand.Text()) // letters and 2 to 7: nothing that looks like another
	return strings.Join([]string{text[:6], text[6:12], text[12:18], text[18:24]}, "-")
}
