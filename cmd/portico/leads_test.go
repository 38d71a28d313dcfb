package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/partner/vitec"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
	"portico/internal/worker"
)

var _ leadTaker = (*vitec.Client)(nil)

// tip is an installation with a lead for an office of the fake's.
type tip struct {
	*testing.T
	env    vars
	store  *db.Store
	fake   *vitectest.Server
	log    bytes.Buffer
	staff  portal.Actor
	web    webPartners
	runner *worker.Runner
	now    time.Time
	id     string
}

// sellerOf is a lead with a canary in every field that is about the person.
func sellerOf(connection string) portal.Lead {
	return portal.Lead{ConnectionID: connection, Customer: "M30011", State: portal.LeadQueued, FirstName: "Kanarieåsa", LastName: "Kanariefågel",
		Message: "Kanariebrev", SourceID: "17", PersonalNumber: "19811218-9876", Telephone: portal.LeadTelephone{Cell: "070-1740605"},
		Email: "kanarie@canary.example", Street: "Kanariegatan 1", ZipCode: "753 10", City: "Kanarieby",
		Consent: portal.LeadConsent{How: "På telefon", Day: "2026-11-01"}}
}

func newTip(t *testing.T, before func(http.Handler) http.Handler) *tip {
	t.Helper()
	fake, err := vitectest.New(vitectest.Options{})
	h := &tip{T: t, env: newEnv(t), fake: fake, now: time.Now().Truncate(time.Microsecond)}
	h.must(err)
	web := httptest.NewServer(before(fake))
	t.Cleanup(web.Close)
	h.store = open(t, h.env)
	h.store.Now = func() time.Time { return h.now }
	connection, faults := vitec.Configure(fake.Connection("vitec", web.URL))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	_, err = h.store.Apply(t.Context(), portal.Setup{Provider: portal.Provider{Name: "N", SupportEmail: "s@n.example", Locale: "sv",
		TimeZone: "Europe/Stockholm", Currency: "SEK"}, Connections: []portal.Connection{connection}})
	h.must(err)
	staff, err := h.store.AddStaff(t.Context(), portal.Staff{Email: "e@n.example", Name: "E", Role: portal.RoleFulfiller, PasswordHash: "-"})
	h.must(err)
	h.staff = staff.Actor()
	h.id, err = h.store.CreateLead(t.Context(), sellerOf("vitec"), "form", h.staff)
	h.must(err)
	log := slog.New(slog.NewTextHandler(&h.log, nil))
	h.web = webPartners{partners: newPartners(h.store, log)}
	h.runner = &worker.Runner{Store: h.store, Reporters: workPartners{h.web.partners}, Links: links{h.store, "https://portal.example"},
		Log: log, Now: h.store.Now, Rand: func() float64 { return 0 }}
	return h
}

func (h *tip) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// send sends what is due.
func (h *tip) send() {
	h.Helper()
	_, err := h.runner.RunOnce(h.Context())
	h.must(err)
}

func (h *tip) lead() db.StoredLead {
	h.Helper()
	l, err := h.store.Lead(h.Context(), h.id)
	h.must(err)
	return l
}

// want checks the lead, how many leads the partner has, and how often it was asked.
func (h *tip) want(state portal.LeadState, leads, calls int) {
	h.Helper()
	if l := h.lead(); l.State != state || len(h.fake.Leads()) != leads || h.fake.Count(vitectest.OpLead) != calls {
		h.Errorf("%s, %d at the partner after %d calls, want %s, %d after %d: %+v", l.State, len(h.fake.Leads()), h.fake.Count(vitectest.OpLead), state, leads, calls, l.Job)
	}
}

// all returns every row of a table.
func (h *tip) all(table string) string {
	h.Helper()
	conn, err := sql.Open("postgres", h.env[databaseURL])
	h.must(err)
	defer func() { _ = conn.Close() }()
	var rows sql.NullString
	h.must(conn.QueryRowContext(h.Context(), `SELECT string_agg(t::text, ' ') FROM `+table+` t`).Scan(&rows))
	return rows.String
}

// canaries are in what is about the person, in lower case.
var canaries = []string{"kanarie", "canary", "070-1740605", "811218-9876", "8112189876"}

func TestALeadArrives(t *testing.T) {
	t.Parallel()
	h := newTip(t, direct)
	h.send()
	h.want(portal.LeadSent, 1, 1)
	at := h.fake.Leads()[0]
	if l := h.lead(); l.PartnerID != at.ID || l.Job.LastAttempt().Status != http.StatusOK || l.Job.LastAttempt().Answer != "" {
		t.Errorf("%+v", l)
	}
	if at.Customer != "M30011" || !strings.Contains(at.Body, `"socialSecurityNumber":"19811218-9876","isForeignSocialSecurityNumber":false`) {
		t.Errorf("%+v", at)
	}
	h.send()
	h.want(portal.LeadSent, 1, 1)
	for _, canary := range canaries {
		if strings.Contains(strings.ToLower(h.log.String()), canary) {
			t.Errorf("%s is in the log:\n%s", canary, &h.log)
		}
	}
}

// TestALeadGoesWrong: what becomes of it, and that it is not sent twice unasked.
func TestALeadGoesWrong(t *testing.T) {
	t.Parallel()
	for fault, c := range map[vitectest.FaultKind]struct {
		state  portal.LeadState
		leads  int
		repeat bool // it goes again by itself
	}{
		vitectest.FaultStoredDrop:   {portal.LeadUncertain, 1, false},
		vitectest.FaultStoredError:  {portal.LeadUncertain, 1, false},
		vitectest.FaultTruncated:    {portal.LeadUncertain, 1, false},
		vitectest.FaultNoLeadID:     {portal.LeadUncertain, 1, false},
		vitectest.FaultDrop:         {portal.LeadUncertain, 0, false},
		vitectest.FaultServerError:  {portal.LeadUncertain, 0, false},
		vitectest.FaultHTML:         {portal.LeadUncertain, 0, false},
		vitectest.FaultRedirect:     {portal.LeadUncertain, 0, false},
		vitectest.FaultBadRequest:   {portal.LeadRefused, 0, false},
		vitectest.FaultNotFound:     {portal.LeadRefused, 0, false},
		vitectest.FaultTooMany:      {portal.LeadQueued, 0, true},
		vitectest.FaultUnavailable:  {portal.LeadQueued, 0, true},
		vitectest.FaultUnauthorized: {portal.LeadQueued, 0, true},
	} {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			h := newTip(t, direct)
			h.fake.SetFault(vitectest.OpLead, vitectest.Fault{Kind: fault, Times: 1})
			h.send()
			h.want(c.state, c.leads, 1)
			l := h.lead()
			if l.Job.LastError == "" || len(l.Job.Attempts) != 1 || c.state != portal.LeadRefused && l.Job.LastAttempt().Answer != "" {
				t.Errorf("%+v", l.Job)
			}
			refused, err := h.store.RefusedCredentials(t.Context())
			if want := map[bool]int{true: 1}[fault == vitectest.FaultUnauthorized]; len(refused) != want || err != nil {
				t.Errorf("%d credentials are refused, %v", len(refused), err)
			}
			h.now = h.now.Add(1000 * time.Hour)
			h.send()
			if c.repeat {
				h.want(portal.LeadSent, 1, 2)
				return
			}
			h.want(c.state, c.leads, 1)
			h.must(h.store.RetryJob(t.Context(), l.Job.ID, h.staff))
			h.send()
			h.want(portal.LeadSent, c.leads+1, 2)
		})
	}
}

// TestARefusedLeadIsCorrected: the partner's words stand at the inputs that they
// name, and what is corrected arrives.
func TestARefusedLeadIsCorrected(t *testing.T) {
	t.Parallel()
	h := newTip(t, direct)
	h.fake.SetFault(vitectest.OpLead, vitectest.Fault{Kind: vitectest.FaultFields, Times: 1})
	h.send()
	h.want(portal.LeadRefused, 0, 1)
	l := h.lead()
	want := map[string]string{"first_name": "Förnamn innehåller otillåtna tecken.", "phone_cell": "Mobiltelefon är ogiltig."}
	if diff := cmp.Diff(want, l.Faults); diff != "" || l.Refusal != "The request is invalid." || !strings.HasSuffix(l.Job.LastError, ": 400") {
		t.Errorf("%q, %q\n%s", l.Refusal, l.Job.LastError, diff)
	}
	right := l.Lead
	right.FirstName, right.SourceID, right.Customer = "Åsa", "99", "M30012"
	h.must(h.store.CorrectLead(t.Context(), h.id, right, true, h.staff))
	h.send() // there is no such source
	h.want(portal.LeadRefused, 0, 2)
	if l = h.lead(); l.Faults["source"] == "" {
		t.Errorf("%q, %q", l.Faults, l.Refusal)
	}
	right.SourceID = "21"
	h.must(h.store.CorrectLead(t.Context(), h.id, right, true, h.staff))
	h.send()
	h.want(portal.LeadSent, 1, 3)
	if at := h.fake.Leads()[0]; at.Customer != "M30012" || at.FirstName != "Åsa" || !strings.Contains(at.Body, "19811218-9876") {
		t.Errorf("%+v", at)
	}
}

// TestAWorkerIsKilledWithALead kills a worker process while the partner is at it.
// The next one makes no call: a person has to look.
func TestAWorkerIsKilledWithALead(t *testing.T) {
	t.Parallel()
	for name, stored := range map[string]int{"before the partner has it": 0, "before it has said so": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan struct{}, 10)
			h := newTip(t, func(fake http.Handler) http.Handler {
				return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					body, err := io.ReadAll(r.Body) // only then does the server notice that the caller has gone
					if err != nil {
						return
					}
					r.Body = io.NopCloser(bytes.NewReader(body))
					if stored > 0 {
						fake.ServeHTTP(httptest.NewRecorder(), r)
					}
					arrived <- struct{}{}
					<-r.Context().Done()
				})
			})
			victim := startWorker(t, h.env)
			select {
			case <-arrived:
			case <-time.After(time.Minute):
				t.Fatal("the worker does not bring the lead")
			}
			victim.end(syscall.SIGKILL)
			// As if the lease were over.
			execute(t, h.env, `UPDATE jobs SET leased_until = now() - interval '1 second' WHERE state = 'running'`)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			next := startWorker(t, h.env)
			for look := time.Tick(10 * time.Millisecond); ; <-look {
				h.must(ctx.Err())
				if h.lead().Job.State == portal.JobParked {
					break
				}
			}
			next.end(syscall.SIGTERM)
			h.want(portal.LeadUncertain, stored, stored)
			if len(arrived) > 0 {
				t.Error("it was sent again")
			}
			h.must(h.store.ConfirmLead(t.Context(), h.id, "480001", h.staff))
			if l := h.lead(); l.State != portal.LeadSent || l.ConfirmedBy != "E" {
				t.Errorf("%+v", l)
			}
		})
	}
}

// TestAnErasedLead: nothing about the person is left, whatever the partner said.
func TestAnErasedLead(t *testing.T) {
	t.Parallel()
	h := newTip(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"message":"KANARIEÅSA FÅGEL FINNS REDAN: +46701740605"}`) // in words that are not ours
		})
	})
	h.send()
	if l := h.lead(); l.State != portal.LeadRefused || l.Refusal == "" {
		t.Fatalf("%+v", l)
	}
	h.now = h.now.Add(3660 * 24 * time.Hour)
	if n, err := h.store.EraseExpiredLeads(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	for _, canary := range canaries {
		for _, table := range []string{"leads", "jobs", "attempts", "audits", "events"} {
			if got := h.all(table); strings.Contains(strings.ToLower(got), canary) {
				t.Errorf("%s is in %s: %s", canary, table, got)
			}
		}
		if strings.Contains(strings.ToLower(h.log.String()), canary) {
			t.Errorf("%s is in the log:\n%s", canary, &h.log)
		}
	}
}

func TestWhoTakesLeads(t *testing.T) {
	t.Parallel()
	h := newTip(t, direct)
	taking, err := h.web.ConnectionsWithLeads(t.Context())
	if err != nil || len(taking) != 1 || len(taking["vitec"].Sources) != 2 || taking["vitec"].RetentionDays == 0 {
		t.Errorf("%+v, %v", taking, err)
	}
	preview, err := h.web.PreviewLead(t.Context(), sellerOf("vitec"))
	if err != nil || !strings.HasPrefix(preview, "POST /Service/Contact/M30011/Lead/Person") || !strings.Contains(preview, "Kanariefågel") || strings.Contains(preview, "9876") {
		t.Errorf("%s, %v", preview, err)
	}
	_, err = h.web.PreviewLead(t.Context(), sellerOf("none"))
	if portal.KindOf(err) != portal.NotFound {
		t.Errorf("%v", err)
	}
}

// SendLead answers with the fake's error.
func (c *fakeClient) SendLead(context.Context, portal.Lead) (string, error) { return "1", c.call() }

// PreviewLead shows nothing.
func (c *fakeClient) PreviewLead(portal.Lead) string { return "" }

// sendLead brings the lead with the first id.
func (w *world) sendLead() error {
	_, err := w.entry().Report(context.Background(), portal.Message{ConnectionID: "vitec", Customer: "M2", LeadID: 1})
	return err
}

// TestLeadsStopWithReports: with a refused credential, and while the partner does
// not answer, no lead is sent.
func TestLeadsStopWithReports(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	staff, err := w.store.AddStaff(t.Context(), portal.Staff{Email: "e@n.example", Name: "E", Role: portal.RoleFulfiller, PasswordHash: "-"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.CreateLead(t.Context(), sellerOf("vitec"), "form", staff.Actor()); err != nil {
		t.Fatal(err)
	}
	if err := w.sendLead(); err != nil {
		t.Fatal(err)
	}
	w.client.err = refusedCredential
	for range 2 {
		if err := w.sendLead(); portal.OutcomeOf(err) != portal.OutcomeCredential {
			t.Errorf("%v", err)
		}
	}
	w.checkCalls(2)
	w.now = w.now.Add(refusedFor + time.Second)
	w.client.err = nil
	if err := w.sendLead(); err != nil || w.alarms() != 0 {
		t.Errorf("with a good one again: %v", err)
	}
	w.client.err = &portal.ReportError{Outcome: portal.OutcomeUnknown, Err: errors.New("timeout")}
	for range breakerFailures {
		_ = w.report()
	}
	if err := w.sendLead(); portal.OutcomeOf(err) != portal.OutcomeBusy {
		t.Errorf("%v", err)
	}
	w.checkCalls(3 + breakerFailures)
	if _, err := w.store.LeadToSend(t.Context(), 2); portal.KindOf(err) != portal.NotFound {
		t.Errorf("%v", err)
	}
}
