package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/mail"
	"portico/internal/mail/mailtest"
	"portico/internal/portal"
)

// alarmed is an installation with an order that its partner does not know, two
// administrators, and a mail server that the test plays.
type alarmed struct {
	*testing.T
	env    vars
	store  *db.Store
	now    time.Time
	order  int64
	server *mailtest.Server
	log    bytes.Buffer
}

func newAlarmed(t *testing.T) *alarmed {
	t.Helper()
	w := &alarmed{T: t, env: newEnv(t), now: time.Now().Add(-time.Hour).Truncate(time.Second), server: mailtest.Start(t, mailtest.Options{})}
	w.env["PORTICO_SMTP_URL"] = "smtp://" + w.server.Address
	w.store = open(t, w.env)
	w.store.Now = func() time.Time { return w.now }
	_, err := w.store.Apply(t.Context(), portal.Setup{Provider: portal.Provider{Name: "Nordljus", SupportEmail: "s@n.example", Locale: "sv",
		TimeZone: "Europe/Stockholm", Currency: "SEK"},
		Connections: []portal.Connection{{ID: "vitec", System: "vitec", InteractionLink: portal.LinkSigned, Reports: portal.States, Settings: []byte(`{}`)}},
		Services:    []portal.Service{{ID: "skylt", ConnectionID: "vitec", Flow: portal.FlowPage, Auth: portal.AuthToken}}})
	w.must(err)
	w.staff("anna@n.example", portal.RoleAdmin)
	w.staff("maja@n.example", portal.RoleAdmin)
	w.staff("erik@n.example", portal.RoleFulfiller)
	w.must(w.store.BlockStaff(t.Context(), w.staff("gone@n.example", portal.RoleAdmin)))
	service, err := w.store.Service(t.Context(), "skylt")
	w.must(err)
	opened, err := w.store.OpenOrder(t.Context(), service, portal.Ticket{OrderID: "ORD-20417", Customer: "M30011", UserID: "MED_1", OwnerID: "MED_1",
		Target: portal.Target{Type: "House", ID: "EST-4711"}}, "SEK")
	w.must(err)
	w.order = opened.ID
	w.now = w.now.Add(portal.Overdue)
	return w
}

func (w *alarmed) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *alarmed) staff(email string, role portal.Role) int64 {
	w.Helper()
	p, err := w.store.AddStaff(w.Context(), portal.Staff{Email: email, Name: email, Role: role, PasswordHash: "-"})
	w.must(err)
	return p.ID
}

// alarm returns the alarm of one process; address is its mail server's.
func (w *alarmed) alarm(address string) *alarm {
	w.Helper()
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	server, err := mail.Open(address, log)
	w.must(err)
	return &alarm{store: w.store, mail: server, base: w.env[baseURLName], log: log}
}

// told returns the mails since the last time, in the order of their addresses.
func (w *alarmed) told(before int, want ...string) []mailtest.Mail {
	w.Helper()
	mails := w.server.Mails()[before:]
	var got []string
	for _, m := range mails {
		got = append(got, m.To+": "+m.Subject)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		w.Fatal(diff)
	}
	return mails
}

const (
	left = ": Nordljus: ett meddelande är inte rapporterat"
	over = ": Nordljus: allt är i ordning igen"
)

func TestAlarmTellsAdministrators(t *testing.T) {
	t.Parallel()
	w := newAlarmed(t)
	a := w.alarm(w.env["PORTICO_SMTP_URL"])
	w.must(a.look(t.Context()))
	w.must(a.look(t.Context()))
	for _, m := range w.told(0, "anna@n.example"+left, "maja@n.example"+left) {
		if from := m.Header.Get("From"); from != `"Nordljus" <s@n.example>` {
			t.Errorf("from %s", from)
		}
		for _, part := range []string{"\nVitec Express (vitec)\n", "5\u00a0min gammalt", "\nhttps://portal.example/staff/outbox\n"} {
			if !strings.Contains(m.Text, part) {
				t.Errorf("no %q in\n%s", part, m.Text)
			}
		}
		for _, secret := range []string{"ORD-20417", "M30011", "EST-4711", "MED_1"} {
			if strings.Contains(m.Text+m.Subject, secret) {
				t.Errorf("the mail names %s:\n%s", secret, m.Text)
			}
		}
	}
	execute(t, w.env, `UPDATE jobs SET state = 'completed', finished_at = now()`)
	w.must(a.look(t.Context()))
	w.must(a.look(t.Context()))
	w.told(2, "anna@n.example"+over, "maja@n.example"+over)
}

// TestOneProcessTellsThem: of eight that look at once.
func TestOneProcessTellsThem(t *testing.T) {
	t.Parallel()
	w := newAlarmed(t)
	start := make(chan struct{})
	var group sync.WaitGroup
	for range 8 {
		a := w.alarm(w.env["PORTICO_SMTP_URL"])
		a.store = open(t, w.env)
		a.store.Now = w.store.Now
		group.Go(func() {
			<-start
			if err := a.look(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	group.Wait()
	w.told(0, "anna@n.example"+left, "maja@n.example"+left)
}

// TestWorkTellsThem runs the program itself.
func TestWorkTellsThem(t *testing.T) {
	t.Parallel()
	w := newAlarmed(t)
	w.must(w.store.ParkJob(t.Context(), w.claim(), "400", false))
	worker := startWorker(t, w.env)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for look := time.Tick(10 * time.Millisecond); len(w.server.Mails()) < 2; <-look {
		if ctx.Err() != nil {
			t.Fatal("no mails")
		}
	}
	worker.end(syscall.SIGTERM)
	w.told(0, "anna@n.example"+left, "maja@n.example"+left)
}

func (w *alarmed) claim() portal.Job {
	w.Helper()
	jobs, err := w.store.ClaimJobs(w.Context(), "vitec", 1, time.Minute)
	w.must(err)
	return jobs[0]
}

// TestAlarmOutlivesTheMailServer: what cannot be sent is logged and sent later.
func TestAlarmOutlivesTheMailServer(t *testing.T) {
	t.Parallel()
	w := newAlarmed(t)
	a := w.alarm(w.env["PORTICO_SMTP_URL"])
	w.server.Answer("MAIL FROM:", "451 later")
	if err := a.look(t.Context()); err == nil || !strings.Contains(err.Error(), "451") || !strings.Contains(err.Error(), "again in 1m0s") {
		t.Errorf("%v", err)
	}
	w.server.Answer("MAIL FROM:", "")
	w.must(a.look(t.Context()))
	w.told(0)
	w.now = w.now.Add(time.Minute)
	w.must(a.look(t.Context()))
	w.told(0, "anna@n.example"+left, "maja@n.example"+left)
}

// TestAlarmWaitsForAnAdministrator: with nobody to tell, it is not told.
func TestAlarmWaitsForAnAdministrator(t *testing.T) {
	t.Parallel()
	w := newAlarmed(t)
	execute(t, w.env, `UPDATE staff SET role = 'viewer'`)
	a := w.alarm(w.env["PORTICO_SMTP_URL"])
	if err := a.look(t.Context()); err == nil || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("%v", err)
	}
	w.staff("new@n.example", portal.RoleAdmin)
	w.now = w.now.Add(time.Minute)
	w.must(a.look(t.Context()))
	w.told(0, "new@n.example"+left)
}

func TestAlarmWithoutAMailServer(t *testing.T) {
	t.Parallel()
	w := newAlarmed(t)
	a := w.alarm("")
	ctx, stop := context.WithCancel(t.Context())
	tick, done := make(chan time.Time), make(chan struct{})
	go func() {
		defer close(done)
		a.watch(ctx, tick)
	}()
	tick <- w.now
	tick <- w.now // the looks before this one are over
	stop()
	<-done
	if log := w.log.String(); strings.Count(log, "recipients=2") != 1 || strings.Contains(log, "n.example") {
		t.Errorf("logged: %s", log)
	}
}
