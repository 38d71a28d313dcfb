package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"portico/db"
	"portico/internal/portal"
	"portico/views"
)

// maxErasures is how many erasures the screen lists.
const maxErasures = 50

// requireAdmin lets in who may see everything about a person.
func (s *Server) requireAdmin(next http.Handler) http.Handler {
	return s.handle(func(w http.ResponseWriter, r *http.Request) error {
		if about(r).visitor.staff.Role != portal.RoleAdmin {
			return portal.Errorf(portal.Forbidden, "error.admin")
		}
		next.ServeHTTP(w, r)
		return nil
	})
}

// staffPeopleIndex asks for whom to look. What is looked for is never part of an
// address: those are logged and remembered.
func (s *Server) staffPeopleIndex(w http.ResponseWriter, r *http.Request) error {
	return s.showPeople(w, r, http.StatusOK, personForm{})
}

// staffPeopleSearch shows everything in which somebody was found.
func (s *Server) staffPeopleSearch(w http.ResponseWriter, r *http.Request) error {
	form, err := s.readPersonForm(r)
	if err != nil {
		return err
	}
	return s.afterPeople(w, r, form, nil)
}

// personForm is what was sent of whom to look for, and what to do about what was found.
type personForm struct {
	typed   url.Values
	query   portal.PersonQuery
	choices db.Choices
	faults  portal.FieldErrors
}

func (s *Server) readPersonForm(r *http.Request) (personForm, error) {
	if err := r.ParseForm(); err != nil {
		return personForm{}, badForm(err)
	}
	form := personForm{typed: r.PostForm, choices: db.Choices{}}
	for name := range r.PostForm {
		if strings.Contains(name, "-") {
			form.choices[name] = portal.PersonChoice(r.PostForm.Get(name))
		}
	}
	var err error
	form.query, err = portal.ParsePersonQuery(r.PostForm.Get("q"))
	if faults, ok := faultsOf(err); ok {
		form.faults, err = faults, nil
	}
	return form, err
}

// afterPeople shows what was found again, with what is wrong with the form.
func (s *Server) afterPeople(w http.ResponseWriter, r *http.Request, form personForm, err error) error {
	if err != nil {
		faults, ok := faultsOf(err)
		if !ok {
			return err
		}
		form.faults = faults
	}
	status := http.StatusOK
	if len(form.faults) > 0 {
		status = http.StatusUnprocessableEntity
	}
	return s.showPeople(w, r, status, form)
}

func (s *Server) showPeople(w http.ResponseWriter, r *http.Request, status int, form personForm) error {
	b, err := s.staffBase(r)
	if err != nil {
		return err
	}
	b.Path = "/staff/people"
	p := views.StaffPeoplePage{Base: b, Rejected: views.RejectedForm{Form: "people", Typed: form.typed, Faults: form.faults}}
	if p.Erasures, err = s.store.Erasures(r.Context(), maxErasures); err != nil {
		return err
	}
	if _, fault := form.faults["q"]; form.typed != nil && !fault {
		found, err := s.store.FindPerson(r.Context(), form.query)
		if err != nil {
			return err
		}
		p.Searched, p.More, p.Unread = true, found.More, found.Unread
		for _, subject := range found.Subjects {
			p.Subjects = append(p.Subjects, views.NewSubjectRow(b.Printer, subject, form.choices[subject.Key()]))
		}
	}
	return s.render(w, r, status, p)
}

// staffPeopleExport sends everything that is kept about somebody, personal numbers
// only where they are asked for.
func (s *Server) staffPeopleExport(w http.ResponseWriter, r *http.Request) error {
	form, err := s.readPersonForm(r)
	if err != nil {
		return err
	}
	if len(form.faults) > 0 {
		return s.afterPeople(w, r, form, nil)
	}
	export, err := s.store.ExportPerson(r.Context(), form.query, form.choices, form.typed.Get("numbers") != "", about(r).visitor.staff.Actor())
	if err != nil {
		return s.afterPeople(w, r, form, err)
	}
	body, err := json.MarshalIndent(export, "", "  ")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	attachment(w, "person.json") // the name of the file names nobody either
	if _, err := w.Write(body); err != nil {
		s.requestLog(r).Info("visitor left", "err", err)
	}
	return nil
}

// staffPeopleConfirm shows what an erasure would take away, and what it leaves.
func (s *Server) staffPeopleConfirm(w http.ResponseWriter, r *http.Request) error {
	form, err := s.readPersonForm(r)
	if err != nil {
		return err
	}
	if len(form.faults) > 0 {
		return s.afterPeople(w, r, form, nil)
	}
	return s.showErasure(w, r, http.StatusOK, form)
}

func (s *Server) showErasure(w http.ResponseWriter, r *http.Request, status int, form personForm) error {
	plan, err := s.store.PlanErasure(r.Context(), form.query, form.choices)
	if err != nil {
		return s.afterPeople(w, r, form, err)
	}
	b, err := s.staffBase(r)
	if err != nil {
		return err
	}
	b.Path = "/staff/people"
	return s.render(w, r, status, views.StaffErasurePage{Base: b, Plan: plan, Choices: form.choices,
		Rejected: views.RejectedForm{Form: "erasure", Typed: form.typed, Faults: form.faults}})
}

// staffPeopleErase takes somebody out of what was chosen. Files follow once that
// is certain.
func (s *Server) staffPeopleErase(w http.ResponseWriter, r *http.Request) error {
	form, err := s.readPersonForm(r)
	if err != nil {
		return err
	}
	if len(form.faults) > 0 {
		return s.afterPeople(w, r, form, nil)
	}
	if form.faults = checkErasure(form.typed); len(form.faults) > 0 {
		return s.showErasure(w, r, http.StatusUnprocessableEntity, form)
	}
	v := about(r).visitor
	ctx := context.WithoutCancel(r.Context()) // whoever leaves has decided
	erased, err := s.store.ErasePerson(ctx, form.query, form.choices, portal.ErasureReason(form.typed.Get("reason")), v.staff.Actor())
	if err != nil {
		return s.afterPeople(w, r, form, err)
	}
	if err := DeleteErasedFiles(ctx, s.store, s.bucket); err != nil {
		s.requestLog(r).Error("delete erased files", "err", err)
	}
	s.requestLog(r).Info("person erased", "orders", erased.Orders, "leads", erased.Leads, "mentions", erased.Mentions)
	if err := s.store.SetFlash(ctx, v.session, portal.Say("flash.people_erased")); err != nil {
		return err
	}
	http.Redirect(w, r, "/staff/people", http.StatusSeeOther)
	return nil
}

func checkErasure(typed url.Values) portal.FieldErrors {
	faults := portal.FieldErrors{}
	if typed.Get("reason") == "" {
		faults["reason"] = portal.Say("field.choose")
	}
	if typed.Get("confirm") == "" {
		faults["confirm"] = portal.Say("field.tick")
	}
	return faults
}
