package onapitest

import (
	"net/http"
	"slices"

	"portico/internal/partner/door/doortest"
)

// place takes an order: for the same one again it answers with the first.
func (s *Server) place(c call) doortest.Reply {
	var r request
	if why := r.wrong(c.body); why != "" {
		return failure(http.StatusBadRequest, "%s", why)
	}
	switch {
	case !s.options.has(r.AccessID):
		return failure(http.StatusBadRequest, "Unknown accessId: '%s'", r.AccessID)
	case !slices.Contains(s.options.Services, r.Service):
		return failure(http.StatusBadRequest, "Unknown service: '%s'", r.Service)
	}
	if o, ok := doortest.Find(s.state.Orders, func(o Order) bool { return o.Open() && o.AccessID == r.AccessID && o.Service == r.Service }); ok {
		return doortest.JSON(http.StatusOK, o.view())
	}
	switch r.Operation {
	case Activate:
		return s.activate(r)
	case Deactivate:
		return s.deactivate(r)
	case Change:
		return s.change(r)
	case "SUSPEND", "RESUME", "MODIFY":
		return failure(http.StatusNotImplemented, "Not implemented: '%s'", r.Operation)
	}
	return failure(http.StatusBadRequest, "Unknown operation: '%s'", r.Operation)
}

func (s *Server) activate(r request) doortest.Reply {
	if _, ok := s.active(r.AccessID, func(b Subscription) bool { return b.Service == r.Service && !b.Others }); ok {
		return r.already()
	}
	if b, ok := s.active(r.AccessID, func(b Subscription) bool { return kind(b.Service) == kind(r.Service) }); ok {
		if b.Others {
			return failure(http.StatusConflict, "ServiceType is already claimed by other Service Provider.")
		}
		return failure(http.StatusConflict, "Another Service of ServiceType '%s' is already active.", kind(r.Service))
	}
	return s.accept(r, newID())
}

func (s *Server) deactivate(r request) doortest.Reply {
	b, ok := s.active(r.AccessID, func(b Subscription) bool { return b.Service == r.Service && !b.Others })
	if !ok {
		return r.already()
	}
	return s.accept(r, b.ID)
}

func (s *Server) change(r request) doortest.Reply {
	if r.SubscriptionID == "" {
		return failure(http.StatusBadRequest, "Missing obligatory field: 'subscriptionId'")
	}
	b, ok := s.active(r.AccessID, func(b Subscription) bool { return b.ID == r.SubscriptionID && !b.Others })
	switch {
	case !ok:
		return failure(http.StatusBadRequest, "Unknown subscriptionId: '%s'", r.SubscriptionID)
	case b.Service == r.Service:
		return r.already()
	case kind(b.Service) != kind(r.Service):
		return failure(http.StatusBadRequest, "'%s' can not be changed to '%s'", b.Service, r.Service)
	}
	return s.accept(r, b.ID)
}

// already says that there is nothing to do: an answer without an order, as the
// standard has it.
func (r request) already() doortest.Reply {
	return doortest.JSON(http.StatusOK, view{AccessID: r.AccessID, Service: r.Service, Operation: r.Operation, State: Succeeded})
}

func (s *Server) accept(r request, subscription string) doortest.Reply {
	now := s.options.Now()
	o := Order{ID: newID(), AccessID: r.AccessID, SubscriptionID: subscription, Service: r.Service, Operation: r.Operation,
		State: Received, Reference: r.Reference, WishedFor: r.wishedFor, CreatedAt: now, ChangedAt: now}
	s.state.Orders = append(s.state.Orders, o)
	s.save()
	return doortest.JSON(http.StatusCreated, o.view()).With("Location", ordersPath+o.ID)
}
