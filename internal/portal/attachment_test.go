package portal_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

var planForm = portal.Form{Fields: []portal.Field{{ID: "note", Type: portal.FieldText}, {ID: "plan", Type: portal.FieldFile, Required: true}, {ID: "more", Type: portal.FieldFile}}}

func attachment(field, name string) portal.Attachment {
	return portal.Attachment{Field: field, File: portal.File{ID: name, Name: name}}
}

// TestWithFiles: of a field that takes files only files count, whatever was typed.
func TestWithFiles(t *testing.T) {
	t.Parallel()
	typed := map[string][]string{"note": {"Hej"}, "plan": {"made-up.pdf"}, "more": {"x"}}
	files := []portal.Attachment{attachment("more", "b.jpg"), attachment("more", "a.jpg"), attachment("gone", "c.jpg"), attachment("note", "d.jpg")}
	answers, faults := planForm.Validate(planForm.WithFiles(typed, files))
	if diff := cmp.Diff(portal.Answers{"note": {"Hej"}, "more": {"b.jpg", "a.jpg"}}, answers); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(portal.FieldErrors{"plan": portal.Say("field.file")}, faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	if typed["plan"] == nil {
		t.Error("what was typed is changed")
	}
	if got := planForm.WithFiles(nil, files[:1]); len(got["more"]) != 1 {
		t.Errorf("nothing typed: %v", got)
	}
	if !planForm.TakesFiles() || !planForm.TakesFile("more") || planForm.TakesFile("note") || (portal.Form{}).TakesFiles() {
		t.Error("which fields take files")
	}
}

func TestAttach(t *testing.T) {
	t.Parallel()
	files := make([]portal.Attachment, portal.MaxAttachments+1)
	for i := range files {
		files[i].Field = "more"
	}
	o := portal.Order{State: portal.Draft}
	if err := o.Attach(files[:1], files[1:portal.MaxAttachments]); err != nil {
		t.Errorf("as many as it may have: %v", err)
	}
	var e *portal.Error
	if err := o.Attach(files[:1], files[1:]); !errors.As(err, &e) || e.Fields["more"].Key != "attachment.many" {
		t.Errorf("one too many: %v", err)
	}
	if err := o.Attach(files, nil); err != nil {
		t.Errorf("none more: %v", err)
	}
	o.State = portal.Received
	if err := o.Attach(nil, nil); portal.KindOf(err) != portal.Conflict {
		t.Errorf("an order that is sent: %v", err)
	}
}
