package vitectest

import "portico/internal/partner/door/doortest"

// state is what outlives a restart.
type state struct {
	Orders    []Order
	Tokens    map[string]token
	LinkToken bool
	Leads     []Lead
	Persons   []Person
}

// save writes the state; s.mu is held.
func (s *Server) save() { doortest.Save(s.options.Path, s.state, s.options.Log) }
