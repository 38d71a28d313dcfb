package handlers

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/url"

	"portico/internal/portal"
)

// maxQuery bounds a callback's query; a partner's package bounds its token.
const maxQuery = 4096

// callback answers the address that a partner system opens in the broker's
// browser, or in the background flow calls itself.
func (s *Server) callback(w http.ResponseWriter, r *http.Request) error {
	svc, err := s.store.RecentService(r.Context(), r.PathValue("service"))
	switch {
	case err != nil && portal.KindOf(err) != portal.NotFound:
		return err // of either flow: a partner's server must not be told that it is not wanted
	case err == nil && svc.Flow == portal.FlowBackground:
		return s.background(w, r, svc)
	}
	return s.enter(w, r)
}

// enter exchanges what the query carries for a ticket, stores or finds the
// order, gives the session a grant for it, and goes on to the order's page. So
// neither that page's address nor the browser's history holds the token.
func (s *Server) enter(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Referrer-Policy", "no-referrer")
	if done := s.refuseEntry(w, r); done {
		return nil
	}
	// Read, not remembered: without a database no token is used up.
	svc, err := s.store.Service(r.Context(), r.PathValue("service"))
	if err != nil {
		return err
	}
	if svc.Flow != portal.FlowPage || r.PathValue("secret") != "" {
		return portal.Errorf(portal.NotFound, "error.not_found")
	}
	about(r).system = svc.System
	ticket, err := s.linkTicket(r, svc)
	switch {
	case err != nil:
		return err
	case ticket.Expired:
		return s.expired(w, r, svc, ticket)
	}
	return s.open(w, r, svc, ticket)
}

// refuseEntry answers what is no person's click on a link, and addresses that
// try too many; it reports whether it did.
func (s *Server) refuseEntry(w http.ResponseWriter, r *http.Request) bool {
	ip := clientIP(r)
	switch {
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		s.errorPage(w, r, http.StatusMethodNotAllowed, portal.Sentence{})
	case r.Header.Get("Sec-Purpose") != "" || r.Header.Get("Purpose") == "prefetch":
		// A page that is fetched ahead must not use up a token.
		w.WriteHeader(http.StatusServiceUnavailable)
	case !isNavigation(r):
		s.errorPage(w, r, http.StatusForbidden, portal.Say("callback.invalid"))
	case !s.callbacks.allow(ip) || s.badLinks.exhausted(ip):
		s.errorPage(w, r, http.StatusTooManyRequests, portal.Sentence{})
	default:
		return false
	}
	return true
}

// isNavigation reports whether a person's click brought the browser here. A
// browser that does not say is believed.
func isNavigation(r *http.Request) bool {
	mode, dest := r.Header.Get("Sec-Fetch-Mode"), r.Header.Get("Sec-Fetch-Dest")
	return (mode == "" || mode == "navigate") && (dest == "" || dest == "document")
}

// ticket exchanges the request's query for a ticket. An office that the service
// does not serve never reaches the partner.
func (s *Server) ticket(r *http.Request, svc portal.Service, query url.Values) (portal.Ticket, error) {
	if len(r.URL.RawQuery) > maxQuery {
		return portal.Ticket{}, portal.Errorf(portal.Forbidden, "callback.invalid")
	}
	entry, err := s.partners.Entry(r.Context(), svc.ConnectionID)
	if err != nil {
		return portal.Ticket{}, err
	}
	if !svc.Serves(entry.Office(query)) {
		return portal.Ticket{}, portal.Errorf(portal.Forbidden, "callback.not_served")
	}
	ticket, err := entry.Ticket(r.Context(), query)
	s.auditOffice(r, svc, err)
	return ticket, err
}

// linkTicket exchanges the query of a link that somebody clicked. Links that are
// not valid are counted per address.
func (s *Server) linkTicket(r *http.Request, svc portal.Service) (portal.Ticket, error) {
	ticket, err := s.ticket(r, svc, r.URL.Query())
	if portal.KindOf(err) == portal.Forbidden {
		s.badLinks.allow(clientIP(r))
	}
	return ticket, err
}

// describe keeps what the partner tells of an order's target, once it does.
// Without it the order is as good.
func (s *Server) describe(r *http.Request, svc portal.Service, t portal.Ticket, order int64) {
	if err := s.askDetails(r.Context(), svc, t, order); err != nil {
		s.requestLog(r).Warn("what the order is about is not known", "order", order, "err", err)
	}
}

func (s *Server) askDetails(ctx context.Context, svc portal.Service, t portal.Ticket, order int64) error {
	known, err := s.store.Described(ctx, order)
	if err != nil || known {
		return err
	}
	entry, err := s.partners.Entry(ctx, svc.ConnectionID)
	if err != nil {
		return err
	}
	details, err := entry.Describe(ctx, svc, t)
	if err != nil || details.Empty() {
		return err
	}
	return s.store.DescribeOrder(ctx, order, details)
}

// open stores or finds the ticket's order and lets the browser in.
func (s *Server) open(w http.ResponseWriter, r *http.Request, svc portal.Service, t portal.Ticket) error {
	provider, err := s.store.Provider(r.Context())
	if err != nil {
		return err
	}
	o, err := s.store.OpenOrder(r.Context(), svc, t, provider.Currency)
	if err != nil {
		return err
	}
	s.describe(r, svc, t, o.ID)
	return s.admit(w, r, o.ID, o.BrokerID, o.PublicID)
}

// expired lets a browser in that may see the order already: its session is the
// authority, and is not made any longer.
func (s *Server) expired(w http.ResponseWriter, r *http.Request, svc portal.Service, t portal.Ticket) error {
	session, err := s.brokers.live(r)
	if err != nil {
		return err
	}
	if session != nil {
		publicID, err := s.store.GrantedOrder(r.Context(), session, svc.ConnectionID, t, linkHash(r))
		if err == nil {
			http.Redirect(w, r, "/orders/"+publicID, http.StatusSeeOther)
			return nil
		}
		if portal.KindOf(err) != portal.NotFound {
			return err
		}
	}
	s.errorPage(w, r, http.StatusGone, portal.Say("callback.expired"))
	return nil
}

// admit gives the browser a grant for the order and goes to its page.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, orderID, brokerID int64, publicID string) error {
	session, err := s.brokers.start(w, r)
	if err != nil {
		return err
	}
	if err := s.store.Grant(r.Context(), session, orderID, brokerID, linkHash(r)); err != nil {
		return err
	}
	http.Redirect(w, r, "/orders/"+publicID, http.StatusSeeOther)
	return nil
}

// visit answers a signed link that Portico gave out itself. Where the partner
// adds its own token to it, that is used as at the callback; the link stands in
// where the token is of no use.
func (s *Server) visit(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Referrer-Policy", "no-referrer")
	if done := s.refuseEntry(w, r); done {
		return nil
	}
	v, err := s.store.VisitByToken(r.Context(), r.PathValue("token"))
	if portal.KindOf(err) == portal.NotFound {
		s.badLinks.allow(clientIP(r))
		s.errorPage(w, r, http.StatusGone, portal.Say("callback.expired"))
		return nil
	}
	if err != nil {
		return err
	}
	svc, err := s.store.Service(r.Context(), v.ServiceID)
	if err != nil {
		return err
	}
	about(r).system = svc.System
	entry, err := s.partners.Entry(r.Context(), svc.ConnectionID)
	if err != nil {
		return err
	}
	if entry.Office(r.URL.Query()) != "" {
		ticket, err := s.linkTicket(r, svc)
		switch {
		case err == nil && !ticket.Expired:
			return s.open(w, r, svc, ticket)
		case err != nil && !v.Live:
			return err
		}
	}
	if !v.Live {
		s.errorPage(w, r, http.StatusGone, portal.Say("callback.expired"))
		return nil
	}
	return s.admit(w, r, v.OrderID, v.BrokerID, v.PublicID)
}

func linkHash(r *http.Request) []byte {
	hash := sha256.Sum256([]byte(r.URL.RequestURI()))
	return hash[:]
}

// auditOffice remembers a ticket that was tried at another office's address.
func (s *Server) auditOffice(r *http.Request, svc portal.Service, err error) {
	if !errors.Is(err, portal.ErrOtherOffice) {
		return
	}
	data := map[string]string{"service": svc.ID, "address": clientIP(r), "error": err.Error()}
	if err := s.store.Audit(r.Context(), "callback.other_office", portal.Actor{Kind: portal.ActorBroker}, data); err != nil {
		s.requestLog(r).Error("audit", "err", err)
	}
}
