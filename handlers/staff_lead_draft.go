package handlers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"portico/db"
	"portico/internal/portal"
	"portico/views"
)

// leadTaker is a connection that takes leads.
type leadTaker struct {
	views.Option
	system   string
	settings portal.LeadSettings
}

// leadTakers returns the connections that take leads.
func (s *Server) leadTakers(r *http.Request, p *views.Printer) ([]leadTaker, error) {
	taking, err := s.partners.ConnectionsWithLeads(r.Context())
	if err != nil || len(taking) == 0 {
		return nil, err
	}
	options, err := s.connectionOptions(r, p)
	if err != nil {
		return nil, err
	}
	connections, err := s.store.Connections(r.Context())
	if err != nil {
		return nil, err
	}
	var takers []leadTaker
	for _, o := range options {
		at := slices.IndexFunc(connections, func(c portal.Connection) bool { return c.ID == o.ID })
		if settings, takes := taking[o.ID]; takes && at >= 0 {
			takers = append(takers, leadTaker{o, connections[at].System, settings})
		}
	}
	return takers, nil
}

// leadDraft is the form of a lead: what stands in it, and what it is about.
type leadDraft struct {
	takers  []leadTaker
	taker   leadTaker
	order   portal.Order  // where it was heard of; zero: on no order
	stored  db.StoredLead // that is corrected; zero: a new one
	offices []portal.Office
	options portal.LeadOptions
	filled  portal.LeadForm // what we filled in ourselves
	form    portal.LeadForm
	typed   url.Values // as it was sent; nil: nothing was
	faults  portal.FieldErrors
}

// utmSource is the tag that says that a lead comes from here.
const utmSource = "utm_source=portico"

// newLeadDraft returns the form as it is shown first: of a lead that is
// corrected, of one that was heard of on an order, or of one on its own.
func (s *Server) newLeadDraft(r *http.Request, connection, order, lead string) (*leadDraft, error) {
	ctx, d := r.Context(), &leadDraft{}
	var err error
	if lead != "" {
		if d.stored, err = s.store.Lead(ctx, lead); err != nil {
			return nil, err
		}
		connection = d.stored.ConnectionID
	} else if order != "" {
		if d.order, err = s.store.OrderForStaff(ctx, order); err != nil {
			return nil, err
		}
		connection = d.order.Service.ConnectionID
	}
	if d.takers, err = s.leadTakers(r, s.base(r).Printer); err != nil {
		return nil, err
	}
	at := slices.IndexFunc(d.takers, func(t leadTaker) bool { return t.ID == connection || connection == "" })
	if at < 0 {
		if connection == "" {
			return d, nil
		}
		return nil, portal.Errorf(portal.NotFound, "error.not_found")
	}
	d.taker = d.takers[at]
	if err := s.addLeadOptions(r, d); err != nil {
		return nil, err
	}
	return d, s.fillLead(ctx, d)
}

// addLeadOptions finds out what the lead is checked against.
func (s *Server) addLeadOptions(r *http.Request, d *leadDraft) error {
	ctx, by := r.Context(), about(r).visitor.staff
	provider, err := s.store.Provider(ctx)
	if err != nil {
		return err
	}
	d.options = portal.LeadOptions{ConnectionID: d.taker.ID, OrderID: d.order.ID, Settings: d.taker.settings, Today: s.now().In(provider.Location()),
		Sender: portal.LeadSender{UserID: strconv.FormatInt(by.ID, 10), UserName: by.Name, CompanyName: provider.Name}}
	if d.stored.PublicID != "" {
		d.options.OrderID, d.options.Sender = d.stored.OrderID, d.stored.Sender
	}
	if d.options.Customers, err = s.store.ServedCustomers(ctx, d.taker.ID); err != nil {
		return err
	}
	d.offices, err = s.store.ServedOffices(ctx, d.taker.ID)
	return err
}

// fillLead fills the form with what is known already.
func (s *Server) fillLead(ctx context.Context, d *leadDraft) error {
	if d.stored.PublicID != "" {
		f := d.stored.Form()
		d.form = f
		d.filled = portal.LeadForm{Referrer: f.Referrer, UTMTags: f.UTMTags, AgentID: f.AgentID, AgentExternalID: f.AgentExternalID, AgentEmail: f.AgentEmail}
		d.faults = portal.FieldErrors{}
		for input, words := range d.stored.Faults {
			d.faults[input] = portal.Say("leads.their_words", "System", d.taker.system, "Words", words)
		}
		return nil
	}
	d.filled = portal.LeadForm{Referrer: s.baseURL, UTMTags: utmSource}
	if len(d.offices) == 1 {
		d.filled.Customer = d.offices[0].Customer
	}
	if all := d.taker.settings.Sources; len(all) == 1 {
		d.filled.Source = all[0].ID
	}
	if d.order.ID != 0 && d.order.ErasedAt == nil {
		d.filled.Customer = d.order.Office.Customer
		if d.order.BrokerID != 0 {
			user, err := s.store.UserOfBroker(ctx, d.order.BrokerID)
			if err != nil {
				return err
			}
			d.filled.AgentID = user
		}
	}
	d.form = d.filled
	return nil
}

// read takes over what was typed.
func (d *leadDraft) read(typed url.Values) {
	d.typed, d.faults = typed, nil
	for _, in := range d.form.Inputs() {
		*in.Value = typed.Get(in.Name)
	}
}

// keepsNumber reports whether the personal number stays that is stored.
func (d *leadDraft) keepsNumber() bool {
	return d.stored.HasNumber && strings.TrimSpace(d.form.PersonalNumber) == "" && d.typed.Get("forget_number") == ""
}

// lead returns the lead as it would be sent if it were sent now.
func (d *leadDraft) lead() portal.Lead {
	l := d.form.Draft(d.options)
	if d.keepsNumber() {
		l.PersonalNumber, l.Foreign = views.CommentMarker, d.stored.Foreign // masked, whatever it is
	}
	return l
}

// readLeadDraft returns the form as it was sent.
func (s *Server) readLeadDraft(r *http.Request, lead string) (*leadDraft, error) {
	if err := r.ParseForm(); err != nil {
		return nil, badForm(err)
	}
	d, err := s.newLeadDraft(r, r.PostForm.Get("connection"), r.PostForm.Get("order"), lead)
	if err != nil {
		return nil, err
	}
	if d.taker.ID == "" {
		return nil, portal.Errorf(portal.NotFound, "error.not_found")
	}
	d.read(r.PostForm)
	return d, nil
}

// path is the address of the form's screen.
func (d *leadDraft) path() string {
	switch {
	case d.stored.PublicID != "":
		return "/staff/leads/" + d.stored.PublicID + "/edit"
	case d.order.ID != 0:
		return "/staff/leads/new?order=" + d.order.PublicID
	case len(d.takers) > 1:
		return "/staff/leads/new?connection=" + url.QueryEscape(d.taker.ID)
	}
	return "/staff/leads/new"
}
