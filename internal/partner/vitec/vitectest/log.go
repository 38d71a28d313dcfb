package vitectest

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxLog is how many requests are remembered, so that a demo may run for weeks.
const maxLog = 20_000

// Request is one call that the fake was sent.
type Request struct {
	Time     time.Time
	Op       Op
	Method   string
	Path     string // as it was sent, without the query
	Query    string
	Customer string
	Username string
	Body     string
	Header   http.Header // without Authorization
	Fault    FaultKind
	Status   int // 0: no answer, or none yet
	Answer   string
	Stored   bool // the call did its work
}

// Log returns the requests so far, the oldest first.
func (s *Server) Log() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := make([]Request, len(s.log))
	for i, r := range s.log {
		log[i] = *r
	}
	return log
}

// Count returns how many calls of a method there were, failed ones included.
func (s *Server) Count(op Op) int {
	n := 0
	for _, r := range s.Log() {
		if op == OpAny || r.Op == op {
			n++
		}
	}
	return n
}

// arrive notes a request before it is answered: a call that hangs is in the log.
func (s *Server) arrive(r Request) *Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.log) == maxLog {
		s.log = slices.Delete(s.log, 0, maxLog/2)
	}
	s.log = append(s.log, &r)
	return &r
}

// answered notes a request's answer before it is sent.
func (s *Server) answered(r *Request, a reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.Status, r.Answer, r.Stored = a.status, a.body, a.stored
}

// customerOf returns the last part of a path.
func customerOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
