package handlers

import (
	"cmp"
	"crypto/rand"
	"net/http"
	"net/url"

	"portico/internal/portal"
	"portico/views"
)

// staffLeadNew shows the form of a new lead.
func (s *Server) staffLeadNew(w http.ResponseWriter, r *http.Request) error {
	if !about(r).visitor.staff.MayFulfil() {
		return portal.Errorf(portal.Forbidden, "error.viewer")
	}
	q := r.URL.Query()
	d, err := s.newLeadDraft(r, q.Get("connection"), q.Get("order"), "")
	if err != nil {
		return err
	}
	return s.showLeadForm(w, r, http.StatusOK, d)
}

// staffLeadEdit shows the form of a lead that is to be corrected.
func (s *Server) staffLeadEdit(w http.ResponseWriter, r *http.Request) error {
	if !about(r).visitor.staff.MayFulfil() {
		return portal.Errorf(portal.Forbidden, "error.viewer")
	}
	d, err := s.newLeadDraft(r, "", "", r.PathValue("id"))
	if err != nil {
		return err
	}
	if l := d.stored; l.State != portal.LeadRefused && (l.State != portal.LeadQueued || l.Job.State != portal.JobParked) {
		return portal.Errorf(portal.Conflict, "lead.refused_"+string(l.State))
	}
	return s.showLeadForm(w, r, http.StatusOK, d)
}

// staffLeadPreview shows the form as it was sent, with where the lead would go
// and what would be sent. Nothing has happened then.
func (s *Server) staffLeadPreview(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	d, err := s.readLeadDraft(r, r.PostForm.Get("lead"))
	if err != nil {
		return err
	}
	return s.showLeadForm(w, r, http.StatusOK, d)
}

// staffLeadCreate stores a lead, once for each form, and lets it be sent.
func (s *Server) staffLeadCreate(w http.ResponseWriter, r *http.Request) error {
	d, err := s.readLeadDraft(r, "")
	if err != nil {
		return err
	}
	lead, faults := d.form.Validate(d.options)
	if d.faults = faults; len(faults) > 0 {
		return s.showLeadForm(w, r, http.StatusUnprocessableEntity, d)
	}
	key := d.typed.Get("form")
	if !formKey.MatchString(key) {
		key = rand.Text()
	}
	id, err := s.store.CreateLead(r.Context(), lead, key, about(r).visitor.staff.Actor())
	if err != nil {
		return err
	}
	return s.leadDone(w, r, id, "flash.lead_sent")
}

// staffLeadCorrect replaces what a lead says, and lets it be sent again.
func (s *Server) staffLeadCorrect(w http.ResponseWriter, r *http.Request) error {
	d, err := s.readLeadDraft(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	lead, faults := d.form.Validate(d.options)
	if d.faults = faults; len(faults) > 0 {
		return s.showLeadForm(w, r, http.StatusUnprocessableEntity, d)
	}
	if err := s.store.CorrectLead(r.Context(), d.stored.PublicID, lead, d.keepsNumber(), about(r).visitor.staff.Actor()); err != nil {
		return err
	}
	return s.leadDone(w, r, d.stored.PublicID, "flash.lead_corrected")
}

// leadDone goes to a lead, and says there what was done.
func (s *Server) leadDone(w http.ResponseWriter, r *http.Request, id, flash string) error {
	if err := s.store.SetFlash(r.Context(), about(r).visitor.session, portal.Say(flash)); err != nil {
		return err
	}
	http.Redirect(w, r, "/staff/leads/"+id, http.StatusSeeOther)
	return nil
}

func (s *Server) showLeadForm(w http.ResponseWriter, r *http.Request, status int, d *leadDraft) error {
	b, err := s.staffBase(r)
	if err != nil {
		return err
	}
	p := views.StaffLeadFormPage{Base: b, Connection: d.taker.ID, System: d.taker.system, FormKey: d.typed.Get("form"),
		OrderID: d.order.PublicID, LeadID: d.stored.PublicID, HasNumber: d.stored.HasNumber, Filled: leadValues(d.filled),
		Rejected: views.RejectedForm{Form: "leads", Typed: leadValues(d.form), Faults: d.faults}}
	p.Path = d.path()
	p.Rejected.Typed.Set("forget_number", d.typed.Get("forget_number"))
	if !formKey.MatchString(p.FormKey) {
		p.FormKey = rand.Text()
	}
	if d.order.ID != 0 {
		p.OrderTitle = cmp.Or(b.TargetName(d.order.Target), d.order.PartnerOrderID)
	}
	if d.stored.PublicID != "" {
		p.LeadTitle, p.Words = newLeadPart(d.stored, portal.LeadSettings{}).Title(b.Printer), d.stored.Refusal
	}
	for _, t := range d.takers {
		p.Connections = append(p.Connections, t.Option)
	}
	for _, o := range d.offices {
		p.Offices = append(p.Offices, views.Option{ID: o.Customer, Label: o.Label()})
	}
	p.Sources, p.Intakes = sourceOptions(d.taker.settings.Sources), sourceOptions(d.taker.settings.Intakes)
	if d.taker.ID != "" {
		s.addLeadPreview(r, &p, d)
	}
	w.Header().Set("Cache-Control", "no-store") // what was typed is about a person
	return s.render(w, r, status, p)
}

// addLeadPreview says where the lead goes, and what is sent. A partner that cannot
// be asked leaves the form usable without.
func (s *Server) addLeadPreview(r *http.Request, p *views.StaffLeadFormPage, d *leadDraft) {
	l := d.lead()
	if l.Customer == "" {
		return
	}
	p.Route = leadRoute(l, d.offices)
	preview, err := s.partners.PreviewLead(r.Context(), l)
	if err != nil {
		s.requestLog(r).Error("preview lead", "err", err)
		return
	}
	p.Preview = preview
}

// leadRoute says what the partner will do with a lead, with the office by its name.
func leadRoute(l portal.Lead, offices []portal.Office) portal.Sentence {
	name := l.Customer
	for _, o := range offices {
		if o.Customer == l.Customer {
			name = o.Label()
		}
	}
	return portal.RouteOf(l.Agent != portal.LeadAgent{}, l.Office != portal.LeadOffice{}, l.Street+l.ZipCode+l.City != "", name)
}

func leadValues(f portal.LeadForm) url.Values {
	values := url.Values{}
	for _, in := range f.Inputs() {
		if *in.Value != "" {
			values.Set(in.Name, *in.Value)
		}
	}
	return values
}

func sourceOptions(sources []portal.LeadSource) []views.Option {
	var options []views.Option
	for _, s := range sources {
		options = append(options, views.Option{ID: s.ID, Label: s.Name})
	}
	return options
}
