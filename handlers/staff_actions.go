package handlers

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"portico/internal/portal"
	"portico/views"
)

// staffAction does what one of the workspace's forms asks for. What is wrong
// with the form comes back with it, and so does a refusal of the state.
func (s *Server) staffAction(w http.ResponseWriter, r *http.Request, do func(ctx context.Context, o portal.Order, typed url.Values, by portal.Actor) error) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	order, err := s.store.OrderForStaff(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	err = do(r.Context(), order, r.PostForm, about(r).visitor.staff.Actor())
	return s.afterStaffAction(w, r, order, r.PostForm, err)
}

func (s *Server) afterStaffAction(w http.ResponseWriter, r *http.Request, o portal.Order, typed url.Values, err error) error {
	form := lastSegment(r.URL.Path)
	if err != nil {
		faults, ok := faultsOf(err)
		if !ok {
			return err
		}
		return s.showWorkspace(w, r, http.StatusUnprocessableEntity, o.PublicID, views.RejectedForm{Form: form, Typed: typed, Faults: faults})
	}
	flash := portal.Say("flash.staff_"+strings.ReplaceAll(form, "-", "_"), "System", o.Service.System)
	if err := s.store.SetFlash(r.Context(), about(r).visitor.session, flash); err != nil {
		return err
	}
	http.Redirect(w, r, staffOrderURL(o), http.StatusSeeOther)
	return nil
}

func (s *Server) staffStartCreate(w http.ResponseWriter, r *http.Request) error {
	return s.staffAction(w, r, func(ctx context.Context, o portal.Order, _ url.Values, by portal.Actor) error {
		return s.store.StartOrder(ctx, o.ID, by)
	})
}

func (s *Server) staffReopeningCreate(w http.ResponseWriter, r *http.Request) error {
	return s.staffAction(w, r, func(ctx context.Context, o portal.Order, _ url.Values, by portal.Actor) error {
		return s.store.ReopenOrder(ctx, o.ID, by)
	})
}

func (s *Server) staffFailureCreate(w http.ResponseWriter, r *http.Request) error {
	return s.staffAction(w, r, func(ctx context.Context, o portal.Order, typed url.Values, by portal.Actor) error {
		return s.store.FailOrder(ctx, o.ID, text(typed, "description"), by)
	})
}

func (s *Server) staffCancellationCreate(w http.ResponseWriter, r *http.Request) error {
	return s.staffAction(w, r, func(ctx context.Context, o portal.Order, typed url.Values, by portal.Actor) error {
		return s.store.CancelOrder(ctx, o.ID, text(typed, "reason"), by)
	})
}

func (s *Server) staffStepCreate(w http.ResponseWriter, r *http.Request) error {
	return s.staffAction(w, r, func(ctx context.Context, o portal.Order, typed url.Values, by portal.Actor) error {
		return s.store.TakeStep(ctx, o.ID, portal.Step(typed.Get("step")), by)
	})
}

func (s *Server) staffMessageCreate(w http.ResponseWriter, r *http.Request) error {
	return s.staffAction(w, r, func(ctx context.Context, o portal.Order, typed url.Values, by portal.Actor) error {
		if !o.Service.TakesRemarks {
			return s.store.WriteMessage(ctx, o.ID, text(typed, "body"), by)
		}
		kind := cmp.Or(portal.Remark(typed.Get("kind")), portal.RemarkPlain)
		return s.store.RemarkOrder(ctx, o.ID, kind, text(typed, "body"), by)
	})
}

func (s *Server) staffFollowUpCreate(w http.ResponseWriter, r *http.Request) error {
	return s.staffAction(w, r, func(ctx context.Context, o portal.Order, typed url.Values, by portal.Actor) error {
		return s.store.FollowUpOrder(ctx, o.ID, text(typed, "note"), by)
	})
}

func (s *Server) staffNoteCreate(w http.ResponseWriter, r *http.Request) error {
	return s.staffAction(w, r, func(ctx context.Context, o portal.Order, typed url.Values, by portal.Actor) error {
		return s.store.WriteNote(ctx, o.ID, text(typed, "body"), by)
	})
}

func (s *Server) staffInteractionCreate(w http.ResponseWriter, r *http.Request) error {
	return s.staffAction(w, r, func(ctx context.Context, o portal.Order, typed url.Values, by portal.Actor) error {
		question := portal.Interaction{Comment: text(typed, "comment"), Choices: nonEmptyLines(typed.Get("choices"))}
		return s.store.AskBroker(ctx, o.ID, question, by)
	})
}

func (s *Server) staffAssignmentCreate(w http.ResponseWriter, r *http.Request) error {
	return s.staffAction(w, r, func(ctx context.Context, o portal.Order, typed url.Values, by portal.Actor) error {
		var id int64
		if v := typed.Get("staff"); v != "" {
			var err error
			if id, err = strconv.ParseInt(v, 10, 64); err != nil {
				return portal.InvalidFields(portal.FieldErrors{"staff": portal.Say("field.choose")})
			}
		}
		err := s.store.AssignOrder(ctx, o.ID, id, by)
		if portal.KindOf(err) == portal.NotFound {
			return portal.InvalidFields(portal.FieldErrors{"staff": portal.Say("field.choose")})
		}
		return err
	})
}

func nonEmptyLines(typed string) []string {
	var lines []string
	for line := range strings.Lines(typed) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
