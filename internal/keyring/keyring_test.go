package keyring

import (
	"bytes"
	"strings"
	"testing"
)

func TestRotation(t *testing.T) {
	t.Parallel()
	first, second := New(), New()
	old, err := Parse(first)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := old.Seal([]byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	both, err := Parse(second + ", " + first)
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := both.Open(sealed); err != nil || string(plain) != "secret" {
		t.Errorf("with the old key in second place: %q, %v", plain, err)
	}
	resealed, err := both.Seal([]byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Open(resealed); err == nil {
		t.Error("the newest key did not seal: the old one opens it")
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := both.Open(sealed); err == nil {
		t.Error("opened what was changed")
	}
	if bytes.Equal(both.Signing()[0], both.keys[0]) {
		t.Error("a signing key is the key itself")
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, list := range []string{"", "short", New() + ",", "MDEyMzQ1Njc4OWFiY2RlZg=="} {
		_, err := Parse(list)
		if err == nil {
			t.Errorf("Parse(%q) accepted", list)
		} else if list != "" && strings.Contains(err.Error(), list) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
}
