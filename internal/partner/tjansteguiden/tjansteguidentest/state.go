package tjansteguidentest

import "portico/internal/partner/door/doortest"

// state is what outlives a restart. Hashes do not: their owners log in again.
type state struct {
	LastOrder, LastCustomer int
	Orders                  []*Order // the oldest first
	Shape                   Shape
}

// save writes the state; s.mu is held.
func (s *Server) save() { doortest.Save(s.options.Path, s.state, s.options.Log) }
