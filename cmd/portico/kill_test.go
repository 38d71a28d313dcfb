package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/partner/vitec"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

// asProgram makes the test's binary the program itself, so that there is a
// process to kill.
const asProgram = "PORTICO_TEST_AS_PROGRAM"

func init() {
	if os.Getenv(asProgram) != "" {
		main()
	}
}

// process is a running `portico work`.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	log bytes.Buffer // to be read after the end
}

func startWorker(t *testing.T, env vars) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.CommandContext(t.Context(), self, "work")}
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	for name, value := range env {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// end sends a signal and waits for the process's end.
func (p *process) end(signal syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	err := p.cmd.Wait()
	if strings.Contains(p.log.String(), vitectest.DemoPassword) {
		p.t.Error("the worker's log holds a password")
	}
	exit, died := errors.AsType[*exec.ExitError](err)
	switch {
	case signal == syscall.SIGKILL && died && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
	case signal == syscall.SIGTERM && err == nil:
	default:
		p.t.Errorf("after %v the worker ended with %v; it said:\n%s", signal, err, &p.log)
	}
}

// gate stands before the fake. The first status that is set stops in it: before
// the fake has stored it, or between that and the answer.
type gate struct {
	fake    *vitectest.Server
	stored  bool // stop after it is stored
	first   chan struct{}
	stopped chan struct{} // something is in the gate
	open    chan struct{}
}

func newGate(fake *vitectest.Server, stored bool) *gate {
	g := &gate{fake: fake, stored: stored, first: make(chan struct{}, 1), stopped: make(chan struct{}), open: make(chan struct{})}
	g.first <- struct{}{}
	return g
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		select {
		case <-g.first:
			g.hold(w, r)
			return
		default:
		}
	}
	g.fake.ServeHTTP(w, r)
}

func (g *gate) hold(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body) // only then does the server notice that the caller has gone
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	if g.stored {
		g.fake.ServeHTTP(answer, r)
	}
	close(g.stopped)
	select {
	case <-r.Context().Done(): // the caller is dead
	case <-g.open:
		if !g.stored {
			g.fake.ServeHTTP(answer, r)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	}
}

// doomed is an installation with one order at the partner that is received and
// delivered, neither of which the partner knows yet.
type doomed struct {
	*testing.T
	env   vars
	store *db.Store
	fake  *vitectest.Server
	gate  *gate
}

func newDoomed(t *testing.T, stored bool) *doomed {
	t.Helper()
	fake, err := vitectest.New(vitectest.Options{})
	d := &doomed{T: t, env: newEnv(t), fake: fake}
	d.must(err)
	d.gate = newGate(fake, stored)
	web := httptest.NewServer(d.gate)
	t.Cleanup(web.Close)
	d.store = open(t, d.env)
	connection, faults := vitec.Configure(fake.Connection("vitec", web.URL))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	_, err = d.store.Apply(t.Context(), portal.Setup{Provider: portal.Provider{Name: "N", SupportEmail: "s@n.example", Locale: "sv",
		TimeZone: "Europe/Stockholm", Currency: "SEK"}, Connections: []portal.Connection{connection},
		Services: []portal.Service{{ID: "skylt", ConnectionID: "vitec", Flow: portal.FlowPage, Auth: portal.AuthToken}}})
	d.must(err)
	staff, err := d.store.AddStaff(t.Context(), portal.Staff{Email: "e@n.example", Name: "E", Role: portal.RoleFulfiller, PasswordHash: "-"})
	d.must(err)
	service, err := d.store.Service(t.Context(), "skylt")
	d.must(err)
	o := fake.NewOrder(vitectest.Order{ID: "B1"})
	opened, err := d.store.OpenOrder(t.Context(), service, portal.Ticket{OrderID: o.ID, Customer: o.Office, UserID: o.User, OwnerID: o.Owner,
		Target: portal.Target{Type: o.TargetType, ID: o.Estate}}, "SEK")
	d.must(err)
	d.must(d.store.DeliverOrder(t.Context(), opened.ID, portal.Delivery{Message: "Klart"}, staff.Actor()))
	return d
}

func (d *doomed) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// wait waits until a call is in the gate.
func (d *doomed) wait() {
	d.Helper()
	select {
	case <-d.gate.stopped:
	case <-time.After(time.Minute):
		d.Fatal("the worker does not call")
	}
}

// finish starts a worker and waits until it has reported everything.
func (d *doomed) finish() {
	d.Helper()
	ctx, cancel := context.WithTimeout(d.Context(), time.Minute)
	defer cancel()
	worker := startWorker(d.T, d.env)
	for look := time.Tick(10 * time.Millisecond); ; <-look {
		left, err := d.store.CountUnreported(ctx)
		d.must(err)
		if left == 0 {
			break
		}
	}
	worker.end(syscall.SIGTERM)
}

func (d *doomed) wantStatuses(want ...string) {
	d.Helper()
	if diff := cmp.Diff(want, d.fake.Statuses("B1")); diff != "" {
		d.Errorf("statuses at the partner:\n%s", diff)
	}
}

// TestWorkerIsKilled kills a worker process while the partner is at it. The next
// worker loses nothing and says nothing twice.
func TestWorkerIsKilled(t *testing.T) {
	t.Parallel()
	for name, stored := range map[string]bool{"before the partner has stored it": false, "between that and the answer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDoomed(t, stored)
			victim := startWorker(t, d.env)
			d.wait()
			victim.end(syscall.SIGKILL)
			if stored {
				d.wantStatuses("OrderReceived")
			} else {
				d.wantStatuses()
			}
			// As if the lease's minute were over.
			execute(t, d.env, `UPDATE jobs SET leased_until = now() - interval '1 second' WHERE state = 'running'`)
			d.finish()
			d.wantStatuses("OrderReceived", "Delivered")
			if n := d.fake.Count(vitectest.OpList); n != 1 {
				t.Errorf("the partner was read %d times, want once", n)
			}
		})
	}
}

// TestWorkerIsStopped asks a worker process to stop while the partner is at it:
// the call is finished and recorded first.
func TestWorkerIsStopped(t *testing.T) {
	t.Parallel()
	d := newDoomed(t, false)
	worker := startWorker(t, d.env)
	d.wait()
	if err := worker.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	close(d.gate.open)
	if err := worker.cmd.Wait(); err != nil {
		t.Errorf("the worker ended with %v; it said:\n%s", err, &worker.log)
	}
	statuses := d.fake.Statuses("B1")
	left, err := d.store.CountUnreported(t.Context())
	d.must(err)
	if len(statuses) == 0 || len(statuses)+left != 2 {
		t.Errorf("the partner has %v, and %d are left", statuses, left)
	}
	d.finish()
	d.wantStatuses("OrderReceived", "Delivered")
	if n := d.fake.Count(vitectest.OpList); n != 0 {
		t.Errorf("the partner was read %d times: something was uncertain", n)
	}
}

// TestDeliveredAgainIsNotLost: an order is delivered, reopened and delivered
// again; the worker that claims the second report dies before it sends it.
func TestDeliveredAgainIsNotLost(t *testing.T) {
	t.Parallel()
	d := newDoomed(t, false)
	close(d.gate.open)
	d.finish() // OrderReceived, Delivered
	var id int64 = 1
	by := portal.Actor{Kind: portal.ActorStaff, ID: 1, Name: "E"}
	d.must(d.store.ReopenOrder(t.Context(), id, by))
	d.must(d.store.DeliverOrder(t.Context(), id, portal.Delivery{Message: "Nya bilder"}, by))
	jobs, err := d.store.ClaimJobs(t.Context(), "vitec", 1, time.Minute) // and dies
	d.must(err)
	if len(jobs) != 1 {
		t.Fatal(jobs)
	}
	execute(t, d.env, `UPDATE jobs SET leased_until = now() - interval '1 second' WHERE state = 'running'`)
	d.finish()
	d.wantStatuses("OrderReceived", "Delivered", "Delivered")
}
