package handlers

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"time"

	"portico/internal/portal"
	"portico/views"
)

// dailyCap is how many orders a day may come in by a service without
// authentication, whose address could leak.
const dailyCap = 1000

// background answers a partner system's own call: 200 as soon as the order is
// committed. No answer holds data, sets a cookie or is a page.
func (s *Server) background(w http.ResponseWriter, r *http.Request, svc portal.Service) error {
	if err := s.accept(r, svc); err != nil {
		s.refuseCall(w, r, svc, err)
		return nil
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// errMethod is the error of a call by another method than GET and POST.
var errMethod = errors.New("the method is neither GET nor POST")

// errTooMany is the error of an address that tries too often.
var errTooMany = errors.New("too many calls")

func (s *Server) accept(r *http.Request, svc portal.Service) error {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		return errMethod
	}
	if s.badLinks.exhausted(clientIP(r)) {
		return errTooMany
	}
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	ticket, err := s.backgroundTicket(r, svc, r.Form)
	if err != nil {
		return err
	}
	provider, err := s.store.Provider(r.Context())
	if err != nil {
		return err
	}
	svc.Ask = s.completion(provider, svc)
	_, err = s.store.OpenOrder(r.Context(), svc, ticket, provider.Currency)
	return err
}

// completion is what a broker is asked for to whom no page opens. It is kept with
// the order: in the language of its provider.
func (s *Server) completion(provider portal.Provider, svc portal.Service) string {
	p := views.NewPrinter(provider.Locale, provider.Location(), s.now())
	return p.T("callback.complete", "Service", p.In(svc.Name))
}

// backgroundTicket verifies the call as the service asks for, and returns what it orders.
func (s *Server) backgroundTicket(r *http.Request, svc portal.Service, query url.Values) (portal.Ticket, error) {
	// A browser would be somebody's click on a link that nobody should have.
	if r.Header.Get("Sec-Fetch-Site") != "" || !allowed(svc, clientIP(r)) {
		return portal.Ticket{}, portal.Errorf(portal.Forbidden, "callback.invalid")
	}
	if svc.Auth == portal.AuthToken {
		ticket, err := s.ticket(r, svc, query)
		if err == nil && ticket.Expired {
			err = portal.Errorf(portal.Forbidden, "callback.expired")
		}
		return ticket, err
	}
	if err := s.authenticate(r, svc); err != nil {
		return portal.Ticket{}, err
	}
	entry, err := s.partners.Entry(r.Context(), svc.ConnectionID)
	if err != nil {
		return portal.Ticket{}, err
	}
	if !svc.Serves(entry.Office(query)) {
		return portal.Ticket{}, portal.Errorf(portal.Forbidden, "callback.not_served")
	}
	return entry.Plain(query)
}

func (s *Server) authenticate(r *http.Request, svc portal.Service) error {
	switch svc.Auth {
	case portal.AuthBasic:
		username, password, _ := r.BasicAuth()
		good := subtle.ConstantTimeCompare([]byte(username), []byte(svc.Username))
		matches := 0
		for _, hash := range svc.PasswordHashes { // all of them: how long it takes tells nothing
			matches |= sameHash(password, hash)
		}
		if good&matches != 1 {
			return portal.Errorf(portal.Unauthorized, "callback.invalid")
		}
		return nil
	case portal.AuthNone:
		if svc.SecretHash == "" || sameHash(r.PathValue("secret"), svc.SecretHash) != 1 {
			return portal.Errorf(portal.NotFound, "error.not_found")
		}
		if !s.callbacks.allow(clientIP(r)) {
			return errTooMany
		}
		return s.countToday(r.Context(), svc)
	}
	return portal.Errorf(portal.NotFound, "error.not_found")
}

func (s *Server) countToday(ctx context.Context, svc portal.Service) error {
	n, err := s.store.Count(ctx, "callback/"+svc.ID, 24*time.Hour)
	if err == nil && n > dailyCap {
		return errTooMany
	}
	return err
}

// sameHash reports, as 1 or 0 and in constant time, whether secret has a hash.
func sameHash(secret, hash string) int {
	sum := sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(hash))
}

func allowed(svc portal.Service, ip string) bool {
	if len(svc.AllowIPs) == 0 {
		return true
	}
	addr, err := netip.ParseAddr(ip)
	return err == nil && slices.ContainsFunc(svc.AllowIPs, func(p netip.Prefix) bool { return p.Contains(addr.Unmap()) })
}

// refuseCall answers a call that brought no order, with a status alone.
func (s *Server) refuseCall(w http.ResponseWriter, r *http.Request, svc portal.Service, err error) {
	status := statuses[portal.KindOf(err)]
	switch {
	case errors.Is(err, errMethod):
		status = http.StatusMethodNotAllowed
		w.Header().Set("Allow", "GET, POST")
	case errors.Is(err, errTooMany):
		status = http.StatusTooManyRequests
	case status == http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Basic realm="portico", charset="UTF-8"`)
	}
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter.Seconds())))
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		s.badLinks.allow(clientIP(r))
	}
	log := s.requestLog(r).With("service", svc.ID, "status", status, "err", err)
	if status >= http.StatusInternalServerError {
		log.Error("background order failed")
	} else {
		log.Warn("background order refused")
	}
	http.Error(w, http.StatusText(status), status)
}
