package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"portico/internal/portal"
	"portico/views"
)

// accessPart is what the workspace shows of an order that is fetched. Of any
// other it is asked for nothing.
func (s *Server) accessPart(ctx context.Context, p *views.Printer, o portal.Order) (views.AccessPart, error) {
	a := views.AccessPart{Flow: o.Service.Flow, FollowUp: o.FollowUp, TakesRemarks: o.Service.TakesRemarks,
		KeepsLog: s.partners.KeepsLog(o.Service.System)}
	if a.Flow != portal.FlowPoll {
		return a, nil
	}
	var err error
	if a.NumberKept, err = s.store.HasPersonalNumber(ctx, o.ID); err != nil {
		return a, err
	}
	if a.Activations, err = s.store.Activations(ctx, o.ID); err != nil {
		return a, err
	}
	a.Operations = o.Operations(a.Activations)
	a.NoNetwork = o.Service.NetworkService != "" && !o.HasNetwork() && slices.Contains(portal.OpenStates, o.State)
	if slices.Contains(a.Operations, portal.Replace) {
		a.Replacements, err = s.replacements(ctx, p, o, a.Activations)
	}
	return a, err
}

// replacements are the services that an access can have instead of its own, by
// the network's names of them.
func (s *Server) replacements(ctx context.Context, p *views.Printer, o portal.Order, asked []portal.Activation) ([]views.Option, error) {
	services, err := s.store.Services(ctx)
	if err != nil {
		return nil, err
	}
	has := o.ActiveService(asked)
	var options []views.Option
	for _, svc := range services {
		known := func(option views.Option) bool { return option.ID == svc.NetworkService }
		if svc.ConnectionID != o.Service.ConnectionID || svc.NetworkService == "" || svc.NetworkService == has || slices.ContainsFunc(options, known) {
			continue
		}
		options = append(options, views.Option{ID: svc.NetworkService, Label: p.In(svc.Name) + " (" + svc.NetworkService + ")"})
	}
	return options, nil
}

// accessMessages are what the forms send that only a fetched order has, by form.
func accessMessages(o portal.Order, a views.AccessPart, now time.Time) map[string]portal.Message {
	messages := map[string]portal.Message{}
	for _, op := range a.Operations {
		service := ""
		if op == portal.Replace {
			service = views.CommentMarker
		}
		if m, asked := o.ActivationMessage(op, service, a.Activations, now); asked {
			messages[string(op)] = m
		}
	}
	for _, kind := range portal.Remarks {
		if m, told := o.RemarkMessage(kind, views.CommentMarker, now); told {
			messages[views.RemarkForm(kind)] = m
		}
	}
	return messages
}

// staffActivationCreate asks the network of the order's access for an operation.
func (s *Server) staffActivationCreate(w http.ResponseWriter, r *http.Request) error {
	return s.staffAction(w, r, func(ctx context.Context, o portal.Order, typed url.Values, by portal.Actor) error {
		op, service := portal.Operation(typed.Get("operation")), ""
		if op == portal.Replace {
			service = typed.Get("service")
			a, err := s.accessPart(ctx, views.NewPrinter("", time.UTC, s.now()), o)
			if err != nil {
				return err
			}
			offered := func(option views.Option) bool { return option.ID == service }
			if slices.Contains(a.Operations, op) && !slices.ContainsFunc(a.Replacements, offered) {
				return portal.InvalidFields(portal.FieldErrors{"service": portal.Say("field.choose")})
			}
		}
		return s.store.RequestActivation(ctx, o.ID, op, service, by)
	})
}

// staffPersonalNumberShow shows the workspace with the customer's personal
// number, once: the store notes who was shown it.
func (s *Server) staffPersonalNumberShow(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	o, err := s.store.OrderForStaff(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	number, err := s.store.PersonalNumber(ctx, o.ID, about(r).visitor.staff.Actor())
	if err != nil {
		return err
	}
	p, err := s.workspace(r, o)
	if err != nil {
		return err
	}
	p.PersonalNumber = number
	w.Header().Set("Cache-Control", "no-store")
	return s.render(w, r, http.StatusOK, p)
}

// staffLogShow shows what the order's partner keeps of it, as it is there now.
func (s *Server) staffLogShow(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	o, err := s.store.OrderForStaff(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	if !s.partners.KeepsLog(o.Service.System) {
		return portal.Errorf(portal.NotFound, "error.not_found")
	}
	b, err := s.staffBase(r)
	if err != nil {
		return err
	}
	b.Path = staffOrderURL(o) + "/log"
	p := views.StaffOrderLogPage{Base: b, OrderPart: views.NewOrderPart(b.Printer, o, staffOrderURL(o))}
	if o.Service.Flow == portal.FlowPoll {
		p.Person = o.Broker
	}
	status := http.StatusOK
	p.Entries, err = s.partners.Log(ctx, o)
	if portal.KindOf(err) == portal.Unavailable || errors.Is(err, portal.ErrCredential) {
		s.requestLog(r).Warn("no log of the order", "err", err)
		p.Unavailable, status = true, http.StatusServiceUnavailable
	} else if err != nil {
		return err
	}
	return s.render(w, r, status, p)
}
