package handlers

import (
	"context"
	"maps"
	"mime"
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
		p := newOrderFormPage(b, v.order, rejected)
		if p.Attached, err = s.attached(ctx, b.Printer, v.order); err != nil {
			return err
		}
		return s.render(w, r, status, p)
	}
	p := views.OrderPage{Base: b, OrderPart: views.NewOrderPart(b.Printer, v.order, b.Path), Viewer: v.broker, Rejected: rejected}
	if p.Attached, err = s.attached(ctx, b.Printer, v.order); err != nil {
		return err
	}
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

// attached returns the files of an order's form. Of most forms it is asked for
// nothing.
func (s *Server) attached(ctx context.Context, p *views.Printer, o portal.Order) ([]views.AttachedField, error) {
	if !o.Service.Form.TakesFiles() {
		return nil, nil
	}
	files, err := s.store.Attachments(ctx, o.ID)
	return views.AttachedFields(p, o.Service.Form, files), err
}

func orderURL(o portal.Order) string { return "/orders/" + o.PublicID }

// submissionCreate completes the order. Who comes second, by a double click or
// from another tab, sees what became of the order and is not thanked for it.
func (s *Server) submissionCreate(w http.ResponseWriter, r *http.Request) error {
	v := about(r).visitor
	submit := func(typed url.Values) error {
		return s.store.SubmitOrder(r.Context(), v.order.ID, typed, v.brokerActor())
	}
	var err error
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "multipart/form-data" && v.order.Service.Form.TakesFiles() {
		err = s.submitFiles(w, r, submit)
	} else {
		err = s.brokerAction(w, r, submit)
	}
	if portal.KindOf(err) == portal.Conflict {
		http.Redirect(w, r, orderURL(v.order), http.StatusSeeOther)
		return nil
	}
	return err
}

// submitFiles attaches what came with the form first, and then completes the
// order: what is wrong with the rest of the form does not lose the files.
func (s *Server) submitFiles(w http.ResponseWriter, r *http.Request, submit func(typed url.Values) error) error {
	order := about(r).visitor.order
	s.allowTime(w, r, uploadTimeout)
	r.Body = http.MaxBytesReader(w, r.Body, portal.MaxAttachmentsSize+maxBody)
	form, err := s.readUpload(r, order, uploadLimits{size: portal.MaxAttachmentSize, files: portal.MaxAttachments, tooMany: "attachment.many",
		takes: order.Service.Form.TakesFile})
	if err == nil {
		err = s.store.AttachFiles(r.Context(), order.ID, form.files, form.typed[views.RemoveInput])
	}
	if err != nil {
		s.discard(r, form.files)
	} else if len(form.faults) == 0 {
		err = submit(form.typed)
	}
	if faults, ok := faultsOf(err); ok {
		maps.Copy(form.faults, faults)
	} else if err != nil {
		return err
	}
	if len(form.faults) == 0 {
		return s.afterBrokerAction(w, r, form.typed, nil)
	}
	files, err := s.store.Attachments(r.Context(), order.ID)
	if err != nil {
		return err
	}
	_, faults := order.Service.Form.Validate(order.Service.Form.WithFiles(form.typed, files))
	maps.Copy(faults, form.faults)
	return s.afterBrokerAction(w, r, form.typed, portal.InvalidFields(faults))
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
	return s.afterBrokerAction(w, r, r.PostForm, do(r.PostForm))
}

// afterBrokerAction answers one of the order page's forms after err has come of it.
func (s *Server) afterBrokerAction(w http.ResponseWriter, r *http.Request, typed url.Values, err error) error {
	v := about(r).visitor
	form := lastSegment(r.URL.Path)
	if err != nil {
		faults, ok := faultsOf(err)
		if !ok {
			return err
		}
		return s.showOrder(w, r, http.StatusUnprocessableEntity, views.RejectedForm{Form: form, Typed: typed, Faults: faults})
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
