package handlers

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"portico/db"
	"portico/internal/portal"
	"portico/views"
)

// accessPart is what the workspace shows of an order that is fetched. Of any
// other it is asked for nothing.
func (s *Server) accessPart(ctx context.Context, p *views.Printer, work db.Workspace) (views.AccessPart, error) {
	o := work.Order
	a := views.AccessPart{Flow: o.Service.Flow, FollowUp: o.FollowUp, TakesRemarks: o.Service.TakesRemarks,
		KeepsLog: s.partners.KeepsLog(o.Service.System), NumberKept: work.NumberKept, Activations: work.Activations}
	if a.Flow != portal.FlowPoll {
		return a, nil
	}
	a.Operations = o.Operations(a.Activations)
	a.FirstDay, a.LastDay = o.ActivationDays(s.now())
	a.NoNetwork = o.Service.NetworkService != "" && !o.HasNetwork() && slices.Contains(portal.OpenStates, o.State)
	var err error
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
		r := portal.ActivationRequest{Operation: op}
		if op == portal.Replace {
			r.Service = views.CommentMarker
		}
		if op.TakesDay() {
			r.WishedFor = &time.Time{} // views.DayMarker
		}
		if m, asked := o.ActivationMessage(r, a.Activations, now); asked {
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
		ask := portal.ActivationRequest{Operation: portal.Operation(typed.Get("operation"))}
		if day, err := time.Parse(time.DateOnly, typed.Get("day")); err == nil && ask.Operation.TakesDay() {
			ask.WishedFor = &day
		}
		if ask.Operation == portal.Replace {
			ask.Service = typed.Get("service")
			asked, err := s.store.Activations(ctx, o.ID)
			if err != nil {
				return err
			}
			replacements, err := s.replacements(ctx, views.NewPrinter("", time.UTC, s.now()), o, asked)
			if err != nil {
				return err
			}
			offered := func(option views.Option) bool { return option.ID == ask.Service }
			if slices.Contains(o.Operations(asked), ask.Operation) && !slices.ContainsFunc(replacements, offered) {
				return portal.InvalidFields(portal.FieldErrors{"service": portal.Say("field.choose")})
			}
		}
		return s.store.RequestActivation(ctx, o.ID, ask, by)
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
	p, err := s.workspace(r, o.PublicID)
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
