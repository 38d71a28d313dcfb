package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gocloud.dev/blob"

	"portico/db"
	"portico/internal/partner/door/doortest"
	"portico/internal/partner/visma"
	"portico/internal/partner/visma/vismatest"
	"portico/internal/portal"
	"portico/internal/worker"
)

// handed is an order of Core's with a delivery of one picture, of which Core has
// got nothing yet.
type handed struct {
	*testing.T
	env    vars
	store  *db.Store
	bucket *blob.Bucket
	fake   *vismatest.Server
	order  vismatest.Order
	id     int64
	staff  portal.Actor
	runner *worker.Runner
}

const pictureKey = "orders/1/picture"

// newHanded hands the picture over; the connection has files as its settings for
// them, and something may stand before Core.
func newHanded(t *testing.T, files string, before func(http.Handler) http.Handler) *handed {
	t.Helper()
	fake, err := vismatest.New(vismatest.Options{})
	h := &handed{T: t, env: newEnv(t), fake: fake}
	h.must(err)
	core := httptest.NewServer(before(fake))
	t.Cleanup(core.Close)
	h.store = open(t, h.env)
	connection, faults := visma.Configure(json.RawMessage(`{"files":` + files + `,` + string(fake.Connection("core", core.URL)[1:])))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	h.apply(connection)
	h.deliver()
	partners := newPartners(h.store, slog.New(slog.DiscardHandler))
	partners.bucket = h.bucket
	h.runner = &worker.Runner{Store: h.store, Reporters: workPartners{partners}, Links: links{h.store, "https://portal.example"},
		Log: slog.New(slog.DiscardHandler), Now: h.store.Now, Rand: func() float64 { return 0 }}
	return h
}

func direct(fake http.Handler) http.Handler { return fake }

// deliver opens an order of Core's and hands the picture over.
func (h *handed) deliver() {
	h.Helper()
	ctx := h.Context()
	staff, err := h.store.AddStaff(ctx, portal.Staff{Email: "e@n.example", Name: "E", Role: portal.RoleFulfiller, PasswordHash: "-"})
	h.must(err)
	h.staff = staff.Actor()
	service, err := h.store.Service(ctx, "boligfoto")
	h.must(err)
	h.order = h.fake.NewOrder(vismatest.Order{})
	opened, err := h.store.OpenOrder(ctx, service, portal.Ticket{OrderID: h.order.GUID, Customer: h.order.Tenant, Tenant: h.order.Tenant,
		UserID: "1", OwnerID: "1", Target: portal.Target{Type: "Case", ID: strconv.Itoa(h.order.Case)}}, "NOK")
	h.must(err)
	h.id = opened.ID
	c, err := readConfig(h.env.lookup, databaseURL, secretKeys)
	h.must(err)
	h.bucket, err = openBucket(ctx, c.BlobURL)
	h.must(err)
	h.Cleanup(func() { _ = h.bucket.Close() })
	h.must(h.bucket.WriteAll(ctx, pictureKey, pixel, nil))
	h.must(h.store.DeliverOrder(ctx, h.id, portal.Delivery{Message: "Klart", Files: []portal.File{
		{ID: "f1", Name: "kök.png", ContentType: "image/png", Size: int64(len(pixel)), SHA256: []byte{1}, Key: pictureKey}}}, h.staff))
}

func (h *handed) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *handed) apply(c portal.Connection) {
	h.Helper()
	_, err := h.store.Apply(h.Context(), portal.Setup{Provider: portal.Provider{Name: "N", SupportEmail: "s@n.example", Locale: "nb",
		TimeZone: "Europe/Oslo", Currency: "NOK"}, Connections: []portal.Connection{c},
		Services: []portal.Service{{ID: "boligfoto", ConnectionID: "core", Flow: portal.FlowPage, Auth: portal.AuthToken, Name: portal.Text{"nb": "Foto"}}}})
	h.must(err)
}

// send sends what is due until nothing is.
func (h *handed) send() {
	h.Helper()
	for {
		n, err := h.runner.RunOnce(h.Context())
		h.must(err)
		if n == 0 {
			return
		}
	}
}

// file returns the job of the picture.
func (h *handed) file() portal.Job {
	h.Helper()
	jobs, err := h.store.Jobs(h.Context(), h.id)
	h.must(err)
	for _, j := range jobs {
		if j.Message.Upload != nil {
			return j
		}
	}
	h.Fatal("no job brings the picture")
	return portal.Job{}
}

// wantOnCase checks how many pictures are on the case, and what Core has been
// told last.
func (h *handed) wantOnCase(n int, state string) {
	h.Helper()
	files := h.fake.Files(h.order.Tenant, h.order.Case)
	if len(files) != n {
		h.Errorf("on the case: %+v, want %d", files, n)
	}
	for _, f := range files {
		if f.Name != "kök 1-1.png" || f.Type != "image/png" || f.Size != len(pixel) {
			h.Errorf("on the case: %+v", f)
		}
	}
	told := h.fake.Reported(h.order.GUID)
	if len(told) == 0 || told[len(told)-1] != state {
		h.Errorf("Core was told %v, want %s last", told, state)
	}
}

const pictures = `{"folder":"Markedsføring"}`

func TestFilesOnDelivery(t *testing.T) {
	t.Parallel()
	h := newHanded(t, pictures, direct)
	h.send()
	h.wantOnCase(1, "Completed")
	if j := h.file(); j.State != portal.JobCompleted || j.Attempt != 1 {
		t.Errorf("%+v", j)
	}
}

// TestFileOfAnUnknownEnd: Core has it, and nobody heard of that.
func TestFileOfAnUnknownEnd(t *testing.T) {
	t.Parallel()
	h := newHanded(t, pictures, direct)
	h.fake.SetFault(vismatest.OpUpload, doortest.Fault{Kind: doortest.FaultStoredDrop, Times: 1})
	h.send()
	h.wantOnCase(1, "InProcess") // nothing overtakes it
	if j := h.file(); j.State != portal.JobAvailable || !j.Message.Uncertain || j.LastAttempt().Outcome != portal.OutcomeUnknown {
		t.Errorf("%+v", j)
	}
	h.must(h.store.RetryJob(t.Context(), h.file().ID, h.staff))
	h.send()
	h.wantOnCase(1, "Completed")
}

// TestFilesThatCannotBeSent wait for a person at once, who reads why.
func TestFilesThatCannotBeSent(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		files string
		lose  func(*handed)
		want  string
	}{
		"no such folder": {files: `{"folder":"Bilder"}`, want: `no folder "Bilder"`},
		"the file is gone": {files: pictures, want: `the file "kök.png" is not in the storage`, lose: func(h *handed) {
			h.must(h.bucket.Delete(h.Context(), pictureKey))
		}},
		"the file was cut": {files: pictures, want: `the file "kök.png" has 3 bytes in the storage`, lose: func(h *handed) {
			h.must(h.bucket.WriteAll(h.Context(), pictureKey, pixel[:3], nil))
		}},
		"no folder any more": {files: pictures, want: "no longer set up to take files", lose: func(h *handed) {
			c, err := h.store.Connection(h.Context(), "core")
			h.must(err)
			c.Settings = []byte(strings.Replace(string(c.Settings), `"folder": "Markedsføring"`, `"folder": ""`, 1))
			c.TakesFiles = false
			h.apply(c)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHanded(t, tt.files, direct)
			if tt.lose != nil {
				tt.lose(h)
			}
			h.send()
			h.wantOnCase(0, "InProcess")
			j := h.file()
			if j.State != portal.JobParked || j.Attempt != 1 || !strings.Contains(j.LastError, tt.want) {
				t.Errorf("%s, attempt %d: %q, want %q", j.State, j.Attempt, j.LastError, tt.want)
			}
			h.must(h.store.SkipJob(t.Context(), j.ID, "Skickad med e-post", h.staff))
			h.send()
			h.wantOnCase(0, "Completed")
		})
	}
}

// TestAFileWaitsForTheStorage: it is not its fault, and not the partner's.
func TestAFileWaitsForTheStorage(t *testing.T) {
	t.Parallel()
	h := newHanded(t, pictures, direct)
	h.must(h.bucket.Close())
	h.send()
	h.wantOnCase(0, "InProcess")
	if j := h.file(); j.State != portal.JobAvailable || j.Attempt != 0 || j.LastAttempt().Outcome != portal.OutcomeBusy {
		t.Errorf("%+v", j)
	}
}

// TestWorkerIsKilledWithAFile kills a worker process when Core has the picture
// and has not said so.
func TestWorkerIsKilledWithAFile(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	first := make(chan struct{}, 1)
	first <- struct{}{}
	h := newHanded(t, pictures, func(fake http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/File/") {
				fake.ServeHTTP(w, r)
				return
			}
			select {
			case <-first:
				fake.ServeHTTP(httptest.NewRecorder(), r)
				close(arrived)
				<-r.Context().Done() // until the caller is dead
			default:
				fake.ServeHTTP(w, r)
			}
		})
	})
	victim := startWorker(t, h.env)
	select {
	case <-arrived:
	case <-time.After(time.Minute):
		t.Fatal("the worker does not bring the picture")
	}
	victim.end(syscall.SIGKILL)
	h.wantOnCase(1, "InProcess")
	// As if the lease were over.
	execute(t, h.env, `UPDATE jobs SET leased_until = now() - interval '1 second' WHERE state = 'running'`)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	next := startWorker(t, h.env)
	for look := time.Tick(10 * time.Millisecond); ; <-look {
		left, err := h.store.CountUnreported(ctx)
		h.must(err)
		if left == 0 {
			break
		}
	}
	next.end(syscall.SIGTERM)
	h.wantOnCase(1, "Completed")
	if n := h.fake.Count(vismatest.OpUpload); n != 1 {
		t.Errorf("the picture was sent %d times, want once", n)
	}
}
