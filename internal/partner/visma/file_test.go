package visma

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"portico/internal/partner/door/doortest"
	"portico/internal/partner/visma/vismatest"
	"portico/internal/portal"
)

const withFolder = `"files": {"folder": "markedsføring", "image_tags": [7], "document_tags": ["d"]},`

// picture is a file that is longer than what a connection buffers.
func picture(name string) File {
	content := bytes.Repeat([]byte("\xff\xd8\xff"), 100_000)
	return File{Name: name, ContentType: "image/jpeg", Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}}
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	b := setup(t, withFolder, vismatest.Options{})
	m := b.message(portal.Delivered, "")
	plan := picture(`plan "1".pdf`)
	plan.ContentType = "application/pdf"
	for _, f := range []File{picture("stue.jpg"), plan} {
		for range 2 { // what is there is not sent again
			if err := b.client.Deliver(t.Context(), m, f); err != nil {
				t.Fatal(err)
			}
		}
	}
	files := b.fake.Files(customer, b.order.Case)
	if len(files) != 2 || files[0].Name != "stue.jpg" || files[0].Size != 300_000 || files[0].Type != "image/jpeg" || string(files[0].TagIDs[0]) != "7" ||
		files[1].Name != plan.Name || string(files[1].TagIDs[0]) != `"d"` {
		t.Errorf("%+v", files)
	}
	b.wantCalls(vismatest.OpUpload, 2)
}

func TestDeliverAgainAfterAnUnknownEnd(t *testing.T) {
	t.Parallel()
	b := setup(t, withFolder, vismatest.Options{})
	m := b.message(portal.Delivered, "")
	b.fake.SetFault(vismatest.OpUpload, doortest.Fault{Kind: doortest.FaultStoredDrop, Times: 1})
	if err := b.client.Deliver(t.Context(), m, picture("a.jpg")); portal.OutcomeOf(err) != portal.OutcomeUnknown {
		t.Fatal(err)
	}
	if err := b.client.Deliver(t.Context(), m, picture("a.jpg")); err != nil {
		t.Error(err)
	}
	if files := b.fake.Files(customer, b.order.Case); len(files) != 1 {
		t.Errorf("%+v", files)
	}
}

func TestDeliverFaults(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		more  string
		op    doortest.Op
		fault doortest.FaultKind
		want  portal.Outcome
	}{
		"no such folder":  {more: `"files": {"folder": "Foto"},`, want: portal.OutcomeRefused},
		"list unreadable": {more: withFolder, op: vismatest.OpList, fault: vismatest.FaultGarbage, want: portal.OutcomeFailed},
		"list broken":     {more: withFolder, op: vismatest.OpList, fault: doortest.FaultDrop, want: portal.OutcomeFailed},
		"list refused":    {more: withFolder, op: vismatest.OpList, fault: doortest.FaultForbidden, want: portal.OutcomeCredential},
		"file refused":    {more: withFolder, op: vismatest.OpUpload, fault: doortest.FaultBadRequest, want: portal.OutcomeRefused},
		"busy":            {more: withFolder, op: vismatest.OpUpload, fault: doortest.FaultTooMany, want: portal.OutcomeBusy},
		"broken":          {more: withFolder, op: vismatest.OpUpload, fault: doortest.FaultServerError, want: portal.OutcomeUnknown},
	} {
		b := setup(t, tt.more, vismatest.Options{})
		if tt.fault != "" {
			b.fake.SetFault(tt.op, doortest.Fault{Kind: tt.fault, RetryAfter: "90"})
		}
		if err := b.client.Deliver(t.Context(), b.message(portal.Delivered, ""), picture("a.jpg")); portal.OutcomeOf(err) != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	b := setup(t, withFolder, vismatest.Options{})
	gone := errors.New("the file is gone")
	f := picture("a.jpg")
	f.Open = func() (io.ReadCloser, error) { return nil, gone }
	if err := b.client.Deliver(t.Context(), b.message(portal.Delivered, ""), f); !errors.Is(err, gone) || portal.OutcomeOf(err) != portal.OutcomeFailed {
		t.Errorf("%v", err)
	}
	m := b.message(portal.Delivered, "")
	m.Target.ID = ""
	if err := b.client.Deliver(t.Context(), m, picture("a.jpg")); portal.OutcomeOf(err) != portal.OutcomeRefused {
		t.Errorf("no case: %v", err)
	}
}
