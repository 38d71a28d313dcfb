// Package keyring holds Portico's secret keys: the newest encrypts, every one
// decrypts, so that keys can be rotated without losing what they sealed.
package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// KeySize is the size of a key in bytes.
const KeySize = 32

// Ring is a list of keys, newest first.
type Ring struct {
	keys [][]byte
}

// New returns a fresh key as it stands in PORTICO_SECRET_KEYS.
func New() string {
	key := make([]byte, KeySize)
	rand.Read(key) // never fails, by its contract
	return base64.StdEncoding.EncodeToString(key)
}

// Parse reads base64 keys of 32 bytes, newest first, comma-separated. Its
// errors never hold a key.
func Parse(list string) (*Ring, error) {
	r := &Ring{}
	for i, part := range strings.Split(list, ",") {
		key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(part))
		if err != nil || len(key) != KeySize {
			return nil, fmt.Errorf("key %d is not base64 of %d bytes", i+1, KeySize)
		}
		r.keys = append(r.keys, key)
	}
	return r, nil
}

// Signing returns the keys that sign cookies, newest first, as gorilla's
// securecookie wants them. They are derived: no key serves two purposes.
func (r *Ring) Signing() [][]byte {
	var keys [][]byte
	for _, key := range r.keys {
		keys = append(keys, derive(key, "cookies"))
	}
	return keys
}

// Seal encrypts plain with the newest key (AES-256-GCM, random nonce).
func (r *Ring) Seal(plain []byte) ([]byte, error) {
	aead, err := aead(r.keys[0])
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, plain, nil), nil
}

// Open decrypts what Seal made with any of the keys.
func (r *Ring) Open(sealed []byte) ([]byte, error) {
	for _, key := range r.keys {
		aead, err := aead(key)
		if err != nil {
			return nil, err
		}
		if plain, err := aead.Open(nil, nil, sealed, nil); err == nil {
			return plain, nil
		}
	}
	return nil, errors.New("none of PORTICO_SECRET_KEYS opens it")
}

func aead(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(derive(key, "seal"))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func derive(key []byte, purpose string) []byte {
	out, err := hkdf.Key(sha256.New, key, nil, "portico "+purpose, KeySize)
	if err != nil {
		panic(err) // only for a length beyond HKDF's limit
	}
	return out
}
