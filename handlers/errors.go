package handlers

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"portico/internal/portal"
)

// statuses maps kinds of error to HTTP statuses, and nothing else does.
var statuses = map[portal.Kind]int{
	portal.Invalid:      http.StatusUnprocessableEntity,
	portal.NotFound:     http.StatusNotFound,
	portal.Conflict:     http.StatusConflict,
	portal.Unauthorized: http.StatusUnauthorized,
	portal.Forbidden:    http.StatusForbidden,
	portal.Unavailable:  http.StatusServiceUnavailable,
	portal.Internal:     http.StatusInternalServerError,
}

// retryAfter is what a visitor is told to wait when a partner or the database
// does not answer.
const retryAfter = 15 * time.Second

// handle makes a handler of a function that returns an error.
func (s *Server) handle(f func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			s.serveError(w, r, err)
		}
	})
}

// serveError answers an error with its page and logs it once. What has no kind
// is logged whole and shown as an internal error.
func (s *Server) serveError(w http.ResponseWriter, r *http.Request, err error) {
	status := statuses[portal.KindOf(err)]
	say := portal.Sentence{}
	var known *portal.Error
	if errors.As(err, &known) {
		say = known.Say
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		status, say = http.StatusRequestEntityTooLarge, portal.Sentence{}
	}
	log := s.requestLog(r)
	switch {
	case r.Context().Err() != nil:
		log.Info("visitor left", "err", err)
		return
	case status >= 500:
		log.Error("request failed", "status", status, "err", err)
	default:
		log.Info("request refused", "status", status, "err", err)
	}
	s.errorPage(w, r, status, say)
}

// errorPage shows the page of a status; say is its reason, and the zero
// Sentence leaves it to the status.
func (s *Server) errorPage(w http.ResponseWriter, r *http.Request, status int, say portal.Sentence) {
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	}
	if err := s.render(w, r, status, s.newErrorPage(r, status, say)); err != nil {
		s.requestLog(r).Error("render error page", "err", err)
		http.Error(w, http.StatusText(status), status)
	}
}

// faultsOf returns what is wrong with which field of a form, if that is what err says.
func faultsOf(err error) (portal.FieldErrors, bool) {
	var known *portal.Error
	if errors.As(err, &known) && known.Kind == portal.Invalid && len(known.Fields) > 0 {
		return known.Fields, true
	}
	return nil, false
}

// badForm is the error of a body that is no form.
func badForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return &portal.Error{Kind: portal.Invalid, Say: portal.Say("error.bad_form"), Err: err}
}
