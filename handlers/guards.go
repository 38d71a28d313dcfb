package handlers

import (
	"net/http"
	"net/url"

	"portico/internal/portal"
)

// visitor is who is looking: staff, or a broker with a grant for an order.
type visitor struct {
	session []byte // the session's hash
	flash   bool   // the session has a sentence for its next page
	staff   portal.Staff
	order   portal.Order // broker only
	broker  int64        // broker only
}

// brokerActor returns the broker as the actor of an event.
func (v visitor) brokerActor() portal.Actor {
	return portal.Actor{Kind: portal.ActorBroker, ID: v.broker}
}

// requireGrant lets in who has a grant for the order of the address. Everybody
// else gets the same page, whether there is such an order or not.
func (s *Server) requireGrant(next http.Handler) http.Handler {
	return s.handle(func(w http.ResponseWriter, r *http.Request) error {
		session, err := s.brokers.Get(r, s.brokers.name)
		if err != nil {
			return err
		}
		refused := portal.Errorf(portal.Unauthorized, "error.no_grant")
		if session.IsNew {
			return refused
		}
		hash := hashID(session.ID)
		order, broker, err := s.store.OrderForVisitor(r.Context(), hash, r.PathValue("id"))
		if portal.KindOf(err) == portal.NotFound {
			return refused
		}
		if err != nil {
			return err
		}
		if err := s.brokers.touch(r.Context(), r, s.now()); err != nil {
			return err
		}
		about(r).visitor = visitor{session: hash, flash: hasFlash(session), order: order, broker: broker}
		about(r).system = order.Service.System
		next.ServeHTTP(w, r)
		return nil
	})
}

// requireStaff lets in who is signed in. The person is read on each request: who
// is blocked is out at once.
func (s *Server) requireStaff(next http.Handler) http.Handler {
	return s.handle(func(w http.ResponseWriter, r *http.Request) error {
		session, err := s.staff.Get(r, s.staff.name)
		if err != nil {
			return err
		}
		id, _ := session.Values["staff"].(int64)
		var person portal.Staff
		if id != 0 {
			person, err = s.store.StaffByID(r.Context(), id)
			if err != nil && portal.KindOf(err) != portal.NotFound {
				return err
			}
		}
		if person.ID == 0 || person.BlockedAt != nil {
			return s.askToSignIn(w, r)
		}
		if err := s.staff.touch(r.Context(), r, s.now()); err != nil {
			return err
		}
		about(r).visitor = visitor{session: hashID(session.ID), flash: hasFlash(session), staff: person}
		next.ServeHTTP(w, r)
		return nil
	})
}

// askToSignIn goes to the log-in and comes back afterwards. A form that was sent
// is not thrown away by going elsewhere: the page says how to send it again.
func (s *Server) askToSignIn(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet {
		return portal.Errorf(portal.Unauthorized, "error.signed_out")
	}
	http.Redirect(w, r, "/staff/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
	return nil
}

// requireFulfiller lets in who may change orders.
func (s *Server) requireFulfiller(next http.Handler) http.Handler {
	return s.handle(func(w http.ResponseWriter, r *http.Request) error {
		if !about(r).visitor.staff.MayFulfil() {
			return portal.Errorf(portal.Forbidden, "error.viewer")
		}
		next.ServeHTTP(w, r)
		return nil
	})
}
