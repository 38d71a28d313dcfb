package vismatest

import "portico/internal/partner/door/doortest"

// state is what outlives a restart.
type state struct {
	LastID int
	Orders []Order
	Files  []File
	Tokens map[string]flowToken
}

// save writes the state; s.mu is held.
func (s *Server) save() { doortest.Save(s.options.Path, s.state, s.options.Log) }

// nextID returns a number that nothing has yet; s.mu is held.
func (s *Server) nextID() int {
	s.state.LastID++
	return s.state.LastID
}
