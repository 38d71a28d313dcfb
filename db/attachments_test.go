package db_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

// attachment is a file of a form, as it is in the blob store.
func attachment(field, id string) portal.Attachment {
	return portal.Attachment{Field: field, File: delivery(id).Files[0]}
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, id, other := t.Context(), w.open("foto", ticket("M1", "B1")).ID, w.open("foto", ticket("M1", "B2")).ID
	w.must(w.store.AttachFiles(ctx, id, []portal.Attachment{attachment("plan", "z"), attachment("more", "a")}, nil))
	w.must(w.store.AttachFiles(ctx, other, []portal.Attachment{attachment("plan", "theirs")}, nil))
	// One comes and one goes, and never another order's.
	w.must(w.store.AttachFiles(ctx, id, []portal.Attachment{attachment("more", "b")}, []string{"z", "theirs", "none", "\x00"}))
	got, err := w.store.Attachments(ctx, id)
	w.must(err)
	if diff := cmp.Diff([]portal.Attachment{attachment("more", "a"), attachment("more", "b")}, got); diff != "" {
		t.Errorf("attached (-want +got):\n%s", diff)
	}
	gone, err := w.store.ErasedFiles(ctx, 9)
	w.must(err)
	if diff := cmp.Diff([]string{attachment("plan", "z").Key}, gone); diff != "" {
		t.Errorf("to be deleted (-want +got):\n%s", diff)
	}
	if f, err := w.store.File(ctx, id, "b"); err != nil || f.Name != attachment("more", "b").Name {
		t.Errorf("%+v, %v", f, err)
	}
	_, err = w.store.File(ctx, id, "theirs")
	w.wantKind(err, portal.NotFound)

	many := make([]portal.Attachment, portal.MaxAttachments-1)
	for i := range many {
		many[i] = attachment("more", string(rune('A'+i)))
	}
	before := w.dump()
	w.wantKind(w.store.AttachFiles(ctx, id, many, nil), portal.Invalid)
	if diff := cmp.Diff(before, w.dump()); diff != "" {
		t.Errorf("refused, and yet:\n%s", diff)
	}
	w.must(w.store.AttachFiles(ctx, id, many, []string{"a"}))

	w.must(w.store.DeliverOrder(ctx, w.received("B3"), delivery("d"), w.erik.Actor()))
	sent := w.received("B4")
	w.wantKind(w.store.AttachFiles(ctx, sent, []portal.Attachment{attachment("plan", "late")}, nil), portal.Conflict)
	if none, err := w.store.Attachments(ctx, w.received("B3")); err != nil || len(none) > 0 {
		t.Errorf("files of a delivery: %+v, %v", none, err)
	}
}
