package handlers

import (
	"fmt"
	"net/http"

	"portico/internal/portal"
	"portico/views"
)

// homeShow answers the bare address.
func (s *Server) homeShow(w http.ResponseWriter, r *http.Request) error {
	return s.render(w, r, http.StatusOK, views.HomePage{Base: s.base(r)})
}

// healthShow answers as long as the process serves.
func (s *Server) healthShow(w http.ResponseWriter, _ *http.Request) error {
	_, err := fmt.Fprintln(w, "ok")
	return err
}

// readyShow answers 200 only with the database reachable and its schema current.
func (s *Server) readyShow(w http.ResponseWriter, r *http.Request) error {
	if err := s.store.CheckSchema(r.Context()); err != nil {
		s.requestLog(r).Warn("not ready", "err", err)
		http.Error(w, "not ready", statuses[portal.Unavailable])
		return nil
	}
	return s.healthShow(w, r)
}
