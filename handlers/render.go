package handlers

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"portico/internal/portal"
	"portico/views"
)

// render sends a whole page or none: to a buffer first, then the status.
func (s *Server) render(w http.ResponseWriter, r *http.Request, status int, p views.Page) error {
	var page bytes.Buffer
	if err := p.View().Render(r.Context(), &page); err != nil {
		return fmt.Errorf("render %T: %w", p, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if _, err := w.Write(page.Bytes()); err != nil {
		s.requestLog(r).Info("visitor left", "err", err)
	}
	return nil
}

// base is what every page has. Where the provider cannot be read, as when the
// database is down, the page does without.
func (s *Server) base(r *http.Request) views.Base {
	provider, err := s.store.Provider(r.Context())
	if err != nil {
		provider = portal.Provider{Name: "Portico", Locale: portal.Locales[0]}
	}
	return views.Base{Printer: views.NewPrinter(locale(r, provider), provider.Location(), s.now()),
		Path: r.URL.RequestURI(), Provider: provider.Name, SupportEmail: provider.SupportEmail}
}

// staffBase is what every staff screen has.
func (s *Server) staffBase(r *http.Request) (views.Base, error) {
	ctx, b := r.Context(), s.base(r)
	visitor := about(r).visitor
	b.Staff = visitor.staff
	var err error
	if b.Nav.Open, err = s.store.CountOpen(ctx); err != nil {
		return b, err
	}
	if b.Nav.Overdue, err = s.store.CountOverdue(ctx); err != nil {
		return b, err
	}
	if b.Nav.Differences, err = s.store.CountDifferences(ctx); err != nil {
		return b, err
	}
	if b.Alarms, err = s.alarms(ctx); err != nil {
		return b, err
	}
	if err := s.addLeads(ctx, &b); err != nil {
		return b, err
	}
	if err := s.addPolls(ctx, &b); err != nil {
		return b, err
	}
	b.Flash, err = s.takeFlash(ctx, visitor)
	return b, err
}

// alarms returns what stops messages: credentials that are refused, partners
// that do not answer.
func (s *Server) alarms(ctx context.Context) ([]views.Alarm, error) {
	refused, err := s.store.RefusedCredentials(ctx)
	if err != nil {
		return nil, err
	}
	outages, err := s.store.Outages(ctx)
	if err != nil {
		return nil, err
	}
	var alarms []views.Alarm
	for _, a := range refused {
		alarms = append(alarms, views.Alarm{System: a.System, Customer: a.Customer, Since: a.Since, Error: fmt.Sprintf("HTTP %d", a.Status)})
	}
	for _, o := range outages {
		alarms = append(alarms, views.Alarm{System: o.System, Since: o.Since, Down: true})
	}
	return alarms, nil
}

// addLeads adds whether there can be leads, and how many wait for somebody.
func (s *Server) addLeads(ctx context.Context, b *views.Base) error {
	taking, err := s.partners.ConnectionsWithLeads(ctx)
	if err != nil || len(taking) == 0 {
		return err
	}
	b.Nav.Leads = true
	b.Nav.Undecided, err = s.store.CountLeadsToDecide(ctx)
	return err
}

// addPolls adds what is to be known of fetched orders wherever staff are.
func (s *Server) addPolls(ctx context.Context, b *views.Base) error {
	polls, err := s.store.Polls(ctx)
	for _, p := range polls {
		b.Nav.Fetches = true
		b.Nav.Aside += p.Aside
		if p.Stale {
			b.Alarms = append(b.Alarms, views.Alarm{System: p.System, Since: p.Since, Stale: true})
		}
	}
	return err
}

// takeFlash returns what the visitor's last action left to be said, once.
func (s *Server) takeFlash(ctx context.Context, v visitor) (portal.Sentence, error) {
	if !v.flash {
		return portal.Sentence{}, nil
	}
	return s.store.TakeFlash(ctx, v.session)
}

// errorKinds are the refusals that have a page of their own.
var errorKinds = map[string]views.ErrorKind{
	"callback.expired":      views.ErrorLinkExpired,
	"callback.invalid":      views.ErrorLinkInvalid,
	"callback.other_office": views.ErrorOtherOffice,
	"callback.unavailable":  views.ErrorPartner,
	"callback.credential":   views.ErrorCredential,
	"error.no_grant":        views.ErrorNoGrant,
	"error.database":        views.ErrorDatabase,
}

// generic are refusals whose sentence says no more than the page of their status.
var generic = []string{"error.not_found", "error.form"}

func (s *Server) newErrorPage(r *http.Request, status int, say portal.Sentence) views.ErrorPage {
	p := views.ErrorPage{Base: s.base(r), Status: status, System: about(r).system}
	p.Path, p.Staff = screenPath(r), about(r).visitor.staff
	if kind, ok := errorKinds[say.Key]; ok {
		p.Kind = kind
	} else if !slices.Contains(generic, say.Key) {
		p.Message = say
	}
	switch {
	case status == http.StatusServiceUnavailable && r.Method == http.MethodGet:
		p.RetryURL = r.URL.RequestURI()
	case status == http.StatusInternalServerError:
		p.RequestID = about(r).id
	}
	return p
}

// screenPath is the address of the screen that an error page takes the place
// of: where a form was sent to, that is the screen that it stood on.
func screenPath(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	from, err := url.Parse(r.Referer())
	if err != nil || from.Host != r.Host {
		return "/"
	}
	return from.RequestURI()
}
