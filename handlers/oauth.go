package handlers

import (
	"io"
	"net/http"

	"portico/internal/portal"
)

// tokenCreate gives a partner's server a short-lived token, with which it then
// sends a broker to a callback.
func (s *Server) tokenCreate(w http.ResponseWriter, r *http.Request) error {
	ip := clientIP(r)
	if s.badLinks.exhausted(ip) {
		http.Error(w, http.StatusText(http.StatusTooManyRequests), http.StatusTooManyRequests)
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return badForm(err)
	}
	status, answer, err := s.partners.Authorize(r.Context(), r.PathValue("connection"), r.Header, body)
	if err != nil {
		if portal.KindOf(err) == portal.NotFound {
			s.badLinks.allow(ip)
		}
		return err
	}
	if status >= http.StatusBadRequest {
		s.badLinks.allow(ip) // somebody may be guessing
		s.requestLog(r).Warn("token refused", "connection", r.PathValue("connection"), "status", status)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, err = w.Write(answer)
	return err
}
