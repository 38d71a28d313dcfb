package db_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

// takesFiles lets the connection of the test's services take the files of deliveries.
func (w *world) takesFiles() {
	w.Helper()
	s := worldSetup()
	s.Connections[0].TakesFiles = true
	apply(w.T, w.store, s)
}

// sequence lets the partner take everything, and returns what it was told and
// brought, one after another.
func (w *world) sequence() []string {
	w.Helper()
	var all []string
	for {
		due := w.claim(10)
		if len(due) == 0 {
			return all
		}
		if len(due) > 1 {
			w.Fatalf("at once: %+v", due)
		}
		name := string(due[0].Message.State)
		if u := due[0].Message.Upload; u != nil {
			name = u.As
		}
		all = append(all, name)
		w.must(w.store.CompleteJob(w.Context(), due[0], time.Second))
	}
}

func TestFilesGoBeforeTheReport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takesFiles()
	ctx, id, by := t.Context(), w.received("B1"), w.erik.Actor()
	d := delivery("z", "a", "b")
	d.Files[1].Name, d.Files[2].Name = "kök.png", "KÖK.png"
	d.Files[1].Size = 10 * portal.SlowestUpload
	w.must(w.store.DeliverOrder(ctx, id, d, by))
	if u := w.jobs(id)[2].Message.Upload; u == nil || u.FileID != "a" || u.Name != "kök.png" || u.Key != "key-a" || u.ContentType != "image/jpeg" ||
		u.Size != 10*portal.SlowestUpload || u.Seconds != 30 {
		t.Errorf("the second file: %+v", u)
	}
	if diff := cmp.Diff([]string{"received", "z 1-1.jpg", "kök 1-1-2.png", "KÖK 1-1-3.png", "delivered"}, w.sequence()); diff != "" {
		t.Error(diff)
	}
	// A name that comes again is another file.
	w.must(w.store.RequestRevision(ctx, id, "Ljusare", asa))
	again := delivery("new")
	again.Files[0].Name = "kök.png"
	w.must(w.store.DeliverOrder(ctx, id, again, by))
	if diff := cmp.Diff([]string{"kök 1-2.png", "delivered"}, w.sequence()); diff != "" {
		t.Error(diff)
	}
	if n := w.count(`SELECT count(*) FROM jobs WHERE kind = 'file' AND unique_key = 'file/new'`); n != 1 {
		t.Errorf("%d jobs of the new file", n)
	}
}

func TestNoFilesForOtherConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.received("B1")
	w.must(w.store.DeliverOrder(t.Context(), id, delivery("a"), w.erik.Actor()))
	if diff := cmp.Diff([]string{"received", "delivered"}, w.sequence()); diff != "" {
		t.Error(diff)
	}
	// A connection is set up otherwise without losing what it was.
	for _, takes := range []bool{true, false} {
		s := worldSetup()
		s.Connections[0].TakesFiles = takes
		apply(t, w.store, s)
		if c, err := w.store.Connection(t.Context(), "vitec"); err != nil || c.TakesFiles != takes {
			t.Errorf("takes files %v, %v; want %v", c.TakesFiles, err, takes)
		}
	}
}

// TestAFileIsLeasedForLonger: for as much longer as it may take.
func TestAFileIsLeasedForLonger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takesFiles()
	id := w.received("B1")
	d := delivery("a")
	d.Files[0].Size = portal.MaxFileSize
	w.must(w.store.DeliverOrder(t.Context(), id, d, w.erik.Actor()))
	w.must(w.store.CompleteJob(t.Context(), w.claimOne(), 0))
	file := w.claimOne() // for a minute, and more
	extra := file.Message.Extra()
	if extra < portal.MaxFileSize/portal.SlowestUpload*time.Second {
		t.Errorf("%v for %d bytes", extra, portal.MaxFileSize)
	}
	w.clock.advance(time.Minute + extra - time.Millisecond)
	if got := w.claim(10); len(got) != 0 {
		t.Errorf("claimed at the lease's last moment: %+v", got)
	}
	w.clock.advance(time.Millisecond)
	again := w.claimOne()
	if again.ID != file.ID || !again.Message.Uncertain {
		t.Errorf("%+v", again)
	}
	w.must(w.store.CompleteJob(t.Context(), again, 0))
	w.claimOne() // the report
	w.clock.advance(time.Minute)
	w.claimOne()
}

// TestTheTimelineNamesTheFile: whatever becomes of it.
func TestTheTimelineNamesTheFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takesFiles()
	ctx, id, by := t.Context(), w.received("B1"), w.erik.Actor()
	w.must(w.store.CompleteJob(ctx, w.claimOne(), 0))
	w.must(w.store.DeliverOrder(ctx, id, delivery("a", "b", "c"), by))
	file := w.claimOne()
	w.must(w.store.ParkJob(ctx, file, "no such folder", false))
	if got := w.claim(10); len(got) != 0 {
		t.Fatalf("overtaken: %+v", got)
	}
	w.must(w.store.RetryJob(ctx, file.ID, by))
	w.must(w.store.CompleteJob(ctx, w.claimOne(), 0))
	w.must(w.store.SkipJob(ctx, w.jobs(id)[2].ID, "Finns redan", by))
	_, err := w.store.SkipJobs(ctx, []int64{w.jobs(id)[3].ID}, "Finns redan", by)
	w.must(err)
	events, err := w.store.Timeline(ctx, id, false)
	w.must(err)
	var got [][2]string
	for _, e := range events {
		if e.Data.File != "" {
			got = append(got, [2]string{string(e.Kind), e.Data.File})
		}
	}
	want := [][2]string{{"parked", "a.jpg"}, {"retried", "a.jpg"}, {"reported", "a.jpg"}, {"skipped", "b.jpg"}, {"skipped", "c.jpg"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if m := w.claimOne().Message; m.Upload != nil || m.State != portal.Delivered {
		t.Errorf("last %+v", m)
	}
}
