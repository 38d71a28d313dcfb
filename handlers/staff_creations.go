package handlers

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"portico/internal/portal"
	"portico/views"
)

// creatable returns the services whose orders can be made from here.
func (s *Server) creatable(ctx context.Context) ([]portal.Service, error) {
	all, err := s.store.Services(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all, func(svc portal.Service) bool { return !s.partners.Creates(svc) }), nil
}

// staffOrderNew shows the form by which staff make an order at a partner.
func (s *Server) staffOrderNew(w http.ResponseWriter, r *http.Request) error {
	if !about(r).visitor.staff.MayFulfil() {
		return portal.Errorf(portal.Forbidden, "error.viewer")
	}
	return s.showCreation(w, r, http.StatusOK, creation{})
}

// creation is what was sent of the form, as it was sent, and why no order came of it.
type creation struct {
	typed   url.Values
	faults  portal.FieldErrors
	refusal portal.Sentence
}

func (s *Server) showCreation(w http.ResponseWriter, r *http.Request, status int, c creation) error {
	services, err := s.creatable(r.Context())
	if err != nil {
		return err
	}
	if len(services) == 0 {
		return portal.Errorf(portal.NotFound, "error.not_found")
	}
	b, err := s.staffBase(r)
	if err != nil {
		return err
	}
	b.Path = "/staff/orders/new"
	p := views.StaffOrderNewPage{Base: b, FormKey: rand.Text(), Refusal: c.refusal,
		Rejected: views.RejectedForm{Form: "orders", Typed: c.typed, Faults: c.faults}}
	for _, svc := range services {
		p.Services = append(p.Services, views.NewOrderService{ID: svc.ID, Name: b.In(svc.Name), System: svc.System, HasForm: len(svc.Form.Fields) > 0})
	}
	if p.Offices, err = s.creationOffices(r, b.Printer, services); err != nil {
		return err
	}
	return s.render(w, r, status, p)
}

// creationOffices returns the offices to choose from, by connection.
func (s *Server) creationOffices(r *http.Request, p *views.Printer, services []portal.Service) ([]views.OfficeGroup, error) {
	connections, err := s.connectionOptions(r, p)
	if err != nil {
		return nil, err
	}
	var groups []views.OfficeGroup
	for _, c := range connections {
		if !slices.ContainsFunc(services, func(svc portal.Service) bool { return svc.ConnectionID == c.ID }) {
			continue
		}
		offices, err := s.store.ServedOffices(r.Context(), c.ID)
		if err != nil {
			return nil, err
		}
		group := views.OfficeGroup{Label: c.Label}
		for _, o := range offices {
			group.Offices = append(group.Offices, views.Option{ID: o.Customer, Label: o.Label()})
		}
		groups = append(groups, group)
	}
	return groups, nil
}

// staffOrderCreate makes an order at a partner and here.
func (s *Server) staffOrderCreate(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	c := creation{typed: r.PostForm}
	svc, err := s.checkCreation(r.Context(), &c)
	if err != nil {
		return err
	}
	if len(c.faults) > 0 {
		return s.showCreation(w, r, http.StatusUnprocessableEntity, c)
	}
	order, err := s.create(r, svc, c)
	if status := c.refuse(err); status != 0 {
		s.requestLog(r).Warn("order not made", "service", svc.ID, "status", status, "err", err)
		return s.showCreation(w, r, status, c)
	}
	if err != nil {
		return err
	}
	if err := s.store.SetFlash(r.Context(), about(r).visitor.session, portal.Say("flash.staff_orders", "System", svc.System)); err != nil {
		return err
	}
	http.Redirect(w, r, "/staff/orders/"+order, http.StatusSeeOther)
	return nil
}

// targetForm is what is asked of a target's id before the partner is.
var targetForm = portal.Form{Fields: []portal.Field{{ID: "target", Type: portal.FieldText, Required: true, MaxLength: 100}}}

// checkCreation returns the service that was chosen, and notes what is at fault.
func (s *Server) checkCreation(ctx context.Context, c *creation) (portal.Service, error) {
	services, err := s.creatable(ctx)
	if err != nil {
		return portal.Service{}, err
	}
	if len(services) == 0 {
		return portal.Service{}, portal.Errorf(portal.NotFound, "error.not_found")
	}
	_, c.faults = targetForm.Validate(c.typed)
	office := c.typed.Get("office")
	if office == "" {
		c.faults["office"] = portal.Say("field.choose")
	}
	at := slices.IndexFunc(services, func(svc portal.Service) bool { return svc.ID == c.typed.Get("service") })
	if at < 0 {
		c.faults["service"] = portal.Say("field.choose")
		return portal.Service{}, nil
	}
	svc := services[at]
	offices, err := s.store.ServedOffices(ctx, svc.ConnectionID)
	if err != nil {
		return portal.Service{}, err
	}
	known := slices.ContainsFunc(offices, func(o portal.Office) bool { return o.Customer == office })
	if office != "" && (!known || !svc.Serves(office)) {
		c.faults["office"] = portal.Say("new_order.not_served")
	}
	return svc, nil
}

// formKey is what is hidden in a form that is to be sent once.
var formKey = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// create makes an order at the partner and here, and returns its public id. The
// partner makes one each time that it is asked to: a form asks once, however often
// it is sent. The visitor who leaves meanwhile leaves no order that is only there.
func (s *Server) create(r *http.Request, svc portal.Service, c creation) (string, error) {
	ctx, by := context.WithoutCancel(r.Context()), about(r).visitor.staff.Actor()
	provider, err := s.store.Provider(ctx)
	if err != nil {
		return "", err
	}
	office, target := c.typed.Get("office"), text(c.typed, "target")
	data := map[string]string{"service": svc.ID, "office": office, "target": target}
	if key := c.typed.Get("form"); formKey.MatchString(key) {
		data["form"] = key
	}
	if err := s.store.Audit(ctx, "create_order", by, data); err != nil {
		return "", err
	}
	ticket, err := s.partners.Create(ctx, svc, office, target)
	if err != nil {
		return "", err
	}
	opened, err := s.store.CreateOrder(ctx, svc, ticket, provider.Currency, by)
	if err != nil {
		return "", &portal.Error{Kind: portal.Unavailable, Say: portal.Say("partner.order_unknown"), Err: err}
	}
	s.describe(r, svc, ticket, opened.ID)
	return opened.PublicID, nil
}

// refuse notes why no order was made, where the form can say it, and returns the
// status of its page.
func (c *creation) refuse(err error) int {
	var known *portal.Error
	if !errors.As(err, &known) {
		return 0
	}
	switch known.Say.Key {
	case "partner.no_case":
		c.faults = portal.FieldErrors{"target": known.Say}
	case "partner.may_not_order":
		c.refusal = known.Say
	case "partner.unavailable", "partner.order_unknown", "new_order.sent":
		c.refusal = known.Say
		return statuses[known.Kind]
	default:
		return 0
	}
	return http.StatusUnprocessableEntity
}
