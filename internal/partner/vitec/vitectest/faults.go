package vitectest

import (
	"context"
	"net/http"
	"time"
)

// Op is a method of the API.
type Op string

// The methods that can be counted and made to fail.
const (
	OpAny         Op = "" // each of them
	OpToken       Op = "token"
	OpStatus      Op = "status"
	OpInteraction Op = "interaction"
	OpList        Op = "list"
	OpOther       Op = "other" // an address that the fake does not have
)

// FaultKind says how a call goes wrong.
type FaultKind string

// The kinds of fault. Only the FaultStored kinds, FaultTruncated and
// FaultSlow let the call do its work.
const (
	FaultUnauthorized FaultKind = "unauthorized" // 401
	FaultForbidden    FaultKind = "forbidden"    // 403
	FaultBadRequest   FaultKind = "bad_request"  // 400
	FaultNotFound     FaultKind = "not_found"    // 404
	FaultTooMany      FaultKind = "too_many"     // 429
	FaultServerError  FaultKind = "server_error" // 500
	FaultUnavailable  FaultKind = "unavailable"  // 503
	FaultHTML         FaultKind = "html"         // 200 with a page
	FaultRedirect     FaultKind = "redirect"     // 302
	FaultDrop         FaultKind = "drop"         // the connection ends without an answer
	FaultTruncated    FaultKind = "truncated"    // done, but half of the answer is missing
	FaultStoredDrop   FaultKind = "stored_drop"  // done, then the connection ends without an answer
	FaultStoredHang   FaultKind = "stored_hang"  // done, then no answer until the caller gives up
	FaultStoredError  FaultKind = "stored_error" // done, then 500
	FaultSlow         FaultKind = "slow"         // done after Delay
	FaultFalse        FaultKind = "false"        // 200 with false, nothing done
	FaultNoExpiry     FaultKind = "no_expiry"    // ticket without hasExpired
	FaultExpired      FaultKind = "expired"      // ticket that has expired
	FaultExpiredBare  FaultKind = "expired_bare" // ticket with hasExpired and nothing else
	FaultOtherOffice  FaultKind = "other_office" // ticket of another office
	FaultEmptyTicket  FaultKind = "empty_ticket" // ticket without an order id
)

// Fault makes calls fail.
type Fault struct {
	Kind       FaultKind
	Times      int           // how many calls; 0: until it is cleared
	RetryAfter string        // header of FaultTooMany and FaultUnavailable
	Delay      time.Duration // of FaultSlow; 0: until the caller gives up
}

// SetFault makes the next calls of a method fail, in place of what was set for
// that method before. A fault without a kind clears it.
func (s *Server) SetFault(op Op, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Kind == "" {
		delete(s.faults, op)
		return
	}
	s.faults[op] = f
}

// ClearFaults makes everything work again.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.faults)
}

// takeFault returns the fault of a call and counts it.
func (s *Server) takeFault(op Op) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range []Op{op, OpAny} {
		f, ok := s.faults[key]
		if !ok || !f.Kind.concerns(op) {
			continue
		}
		if f.Times == 1 {
			delete(s.faults, key)
		} else if f.Times > 1 {
			s.faults[key] = Fault{f.Kind, f.Times - 1, f.RetryAfter, f.Delay}
		}
		return f
	}
	return Fault{}
}

// concerns reports whether a fault can happen to a method.
func (k FaultKind) concerns(op Op) bool {
	switch k {
	case FaultNoExpiry, FaultExpired, FaultExpiredBare, FaultOtherOffice, FaultEmptyTicket:
		return op == OpToken || op == OpAny
	case FaultFalse:
		return op == OpStatus || op == OpInteraction || op == OpAny
	}
	return true
}

// instead returns the answer of a fault that keeps the call from its work.
func (f Fault) instead() (reply, bool) {
	var r reply
	switch f.Kind {
	case FaultUnauthorized:
		r = failure(http.StatusUnauthorized, "Felaktig inloggning.")
	case FaultForbidden:
		r = failure(http.StatusForbidden, "Åtkomst saknas.")
	case FaultBadRequest:
		r = failure(http.StatusBadRequest, "Valideringsfel.")
	case FaultNotFound:
		r = failure(http.StatusNotFound, "Finns inte.")
	case FaultTooMany:
		r = failure(http.StatusTooManyRequests, "För många anrop.")
	case FaultServerError:
		r = failure(http.StatusInternalServerError, "Oväntat fel.")
	case FaultUnavailable:
		r = failure(http.StatusServiceUnavailable, "Tillfälligt stängt.")
	case FaultHTML:
		r = reply{status: http.StatusOK, contentType: "text/html; charset=utf-8",
			body: "<!doctype html><title>Underhåll</title><h1>Vi är strax tillbaka</h1>"}
	case FaultRedirect:
		r = reply{status: http.StatusFound, location: "/inloggning"}
	case FaultFalse:
		r = reply{status: http.StatusOK, contentType: jsonType, body: "false"}
	case FaultDrop:
		r = reply{dropped: true}
	default:
		return reply{}, false
	}
	r.retryAfter = f.RetryAfter
	return r, true
}

// afterwards changes the answer of a call that has done its work.
func (f Fault) afterwards(r reply) reply {
	switch f.Kind {
	case FaultTruncated:
		r.body = r.body[:len(r.body)/2]
	case FaultStoredDrop:
		r = reply{dropped: true, stored: r.stored}
	case FaultStoredHang:
		r = reply{hangs: true, dropped: true, stored: r.stored}
	case FaultStoredError:
		stored := r.stored
		r = failure(http.StatusInternalServerError, "Oväntat fel.")
		r.stored = stored
	}
	return r
}

// wait holds a call of FaultSlow back, and reports whether the caller is still there.
func (f Fault) wait(ctx context.Context) bool {
	if f.Kind != FaultSlow {
		return true
	}
	var over <-chan time.Time
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-over:
		return true
	case <-ctx.Done():
		return false
	}
}
