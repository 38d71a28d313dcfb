package vitectest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/natefinch/atomic"
)

// state is what outlives a restart.
type state struct {
	Orders    []Order
	Tokens    map[string]token
	LinkToken bool
}

func load(o Options) (state, error) {
	s := state{Tokens: map[string]token{}, LinkToken: o.LinkToken}
	if o.Path == "" {
		return s, nil
	}
	raw, err := os.ReadFile(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("read the simulator's state: %w", err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("read the simulator's state in %s: %w", o.Path, err)
	}
	return s, nil
}

// save writes the state; s.mu is held. A fake that cannot write its file goes
// on working until it is stopped.
func (s *Server) save() {
	if s.options.Path == "" {
		return
	}
	raw, err := json.MarshalIndent(s.state, "", "\t")
	if err == nil {
		err = atomic.WriteFile(s.options.Path, bytes.NewReader(raw))
	}
	if err != nil {
		s.options.Log.Error("save the simulator's state", "path", s.options.Path, "error", err)
	}
}
