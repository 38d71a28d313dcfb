package handlers

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"portico/internal/portal"
	"portico/views"
)

// orderShow shows the order: its form while it is a draft, afterwards what
// became of it.
func (s *Server) orderShow(w http.ResponseWriter, r *http.Request) error {
	return s.showOrder(w, r, http.StatusOK, views.RejectedForm{})
}

func (s *Server) showOrder(w http.ResponseWriter, r *http.Request, status int, rejected views.RejectedForm) error {
	ctx, v := r.Context(), about(r).visitor
	b := s.base(r)
	b.Path = orderURL(v.order)
	var err error
	if b.Flash, err = s.takeFlash(ctx, v); err != nil {
		return err
	}
	if v.order.State == portal.Draft {
		return s.render(w, r, status, newOrderFormPage(b, v.order, rejected))
	}
	p := views.OrderPage{Base: b, OrderPart: views.NewOrderPart(b.Printer, v.order, b.Path), Viewer: v.broker, Rejected: rejected}
	if p.Events, err = s.store.Timeline(ctx, v.order.ID, true); err != nil {
		return err
	}
	if p.Deliveries, err = s.store.Deliveries(ctx, v.order.ID); err != nil {
		return err
	}
	if p.Questions, err = s.store.Interactions(ctx, v.order.ID); err != nil {
		return err
	}
	return s.render(w, r, status, p)
}

func newOrderFormPage(b views.Base, o portal.Order, rejected views.RejectedForm) views.OrderFormPage {
	p := views.OrderFormPage{Base: b, OrderPart: views.NewOrderPart(b.Printer, o, b.Path),
		Description: b.In(o.Service.Description), Turnaround: o.Service.Turnaround(), Rejected: rejected}
	typed, faults := url.Values{}, portal.FieldErrors(nil)
	if rejected.Is("submission") {
		typed, faults = rejected.Typed, rejected.Faults
	}
	p.Fields = views.FormFields(b.Printer, o.Service.Form, typed, faults)
	return p
}

func orderURL(o portal.Order) string { return "/orders/" + o.PublicID }

// submissionCreate completes the order. Who comes second, by a double click or
// from another tab, sees what became of the order and is not thanked for it.
func (s *Server) submissionCreate(w http.ResponseWriter, r *http.Request) error {
	v := about(r).visitor
	err := s.brokerAction(w, r, func(typed url.Values) error {
		return s.store.SubmitOrder(r.Context(), v.order.ID, typed, v.brokerActor())
	})
	if portal.KindOf(err) == portal.Conflict {
		http.Redirect(w, r, orderURL(v.order), http.StatusSeeOther)
		return nil
	}
	return err
}

func (s *Server) messageCreate(w http.ResponseWriter, r *http.Request) error {
	return s.brokerAction(w, r, func(typed url.Values) error {
		v := about(r).visitor
		return s.store.WriteMessage(r.Context(), v.order.ID, text(typed, "body"), v.brokerActor())
	})
}

func (s *Server) answerCreate(w http.ResponseWriter, r *http.Request) error {
	return s.brokerAction(w, r, func(typed url.Values) error {
		v := about(r).visitor
		id, err := strconv.ParseInt(typed.Get("interaction"), 10, 64)
		if err != nil {
			return portal.Errorf(portal.NotFound, "error.not_found")
		}
		return s.store.AnswerInteraction(r.Context(), v.order.ID, id, text(typed, "answer"), v.brokerActor())
	})
}

func (s *Server) revisionCreate(w http.ResponseWriter, r *http.Request) error {
	return s.brokerAction(w, r, func(typed url.Values) error {
		v := about(r).visitor
		return s.store.RequestRevision(r.Context(), v.order.ID, text(typed, "body"), v.brokerActor())
	})
}

func (s *Server) cancellationCreate(w http.ResponseWriter, r *http.Request) error {
	return s.brokerAction(w, r, func(typed url.Values) error {
		v := about(r).visitor
		return s.store.CancelOrder(r.Context(), v.order.ID, text(typed, "reason"), v.brokerActor())
	})
}

// brokerAction does what one of the order page's forms asks for. What is wrong
// with the form comes back with it; after success a reload repeats nothing.
func (s *Server) brokerAction(w http.ResponseWriter, r *http.Request, do func(typed url.Values) error) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	v := about(r).visitor
	form := lastSegment(r.URL.Path)
	if err := do(r.PostForm); err != nil {
		faults, ok := faultsOf(err)
		if !ok {
			return err
		}
		return s.showOrder(w, r, http.StatusUnprocessableEntity, views.RejectedForm{Form: form, Typed: r.PostForm, Faults: faults})
	}
	if err := s.store.SetFlash(r.Context(), v.session, portal.Say("flash."+form)); err != nil {
		return err
	}
	http.Redirect(w, r, orderURL(v.order), http.StatusSeeOther)
	return nil
}

// text returns what was typed into an input, without the space around it.
func text(typed url.Values, input string) string {
	return strings.TrimSpace(strings.ReplaceAll(typed.Get(input), "\r\n", "\n"))
}

func lastSegment(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
