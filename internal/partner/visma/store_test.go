package visma

import (
	"context"
	"sync"
	"time"
)

// memory is a store of tokens for tests: what a database does in one statement
// is done here under one lock.
type memory struct {
	now func() time.Time
	err error // of each method

	mu     sync.Mutex
	rows   map[string]*row
	issued map[string]*issuedRow
}

type row struct {
	text    string
	version int64
	claimed time.Time // until when
}

type issuedRow struct {
	expires time.Time
	order   string
}

func newMemory() *memory {
	return &memory{now: time.Now, rows: map[string]*row{}, issued: map[string]*issuedRow{}}
}

// row returns the row of a token; s.mu is held.
func (s *memory) row(connection, name string) *row {
	key := connection + "/" + name
	if s.rows[key] == nil {
		s.rows[key] = &row{}
	}
	return s.rows[key]
}

func (s *memory) LoadToken(_ context.Context, connection, name string) (string, int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.row(connection, name)
	return r.text, r.version, s.err
}

func (s *memory) ClaimToken(_ context.Context, connection, name string, version int64, lease time.Duration) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.row(connection, name)
	if r.version != version || s.now().Before(r.claimed) {
		return false, s.err
	}
	r.claimed = s.now().Add(lease)
	return true, s.err
}

func (s *memory) StoreToken(_ context.Context, connection, name string, version int64, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.row(connection, name); r.version == version {
		r.text, r.version, r.claimed = text, version+1, time.Time{}
	}
	return s.err
}

func (s *memory) ReleaseToken(_ context.Context, connection, name string, version int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.row(connection, name); r.version == version {
		r.claimed = time.Time{}
	}
	return s.err
}

func (s *memory) IssueToken(_ context.Context, connection string, hash []byte, expires time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.issued[connection+"/"+string(hash)] = &issuedRow{expires: expires}
	return s.err
}

func (s *memory) UseToken(_ context.Context, connection string, hash []byte, order string, at time.Time) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.issued[connection+"/"+string(hash)]
	if r == nil || !at.Before(r.expires) || r.order != "" && r.order != order {
		return false, s.err
	}
	r.order = order
	return true, s.err
}
