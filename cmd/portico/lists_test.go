package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"portico/db"
	"portico/internal/portal"
	"portico/internal/worker"
)

// listingClient is a fakeClient whose partner has a list.
type listingClient struct{ *fakeClient }

func (c listingClient) List(context.Context, string, time.Time) (portal.Listing, error) {
	return portal.Listing{Orders: []portal.Listed{{OrderID: "1"}}}, c.call()
}

// newListing is a world whose partner has a list.
func newListing(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.partners.open = func(portal.Connection, *db.Store, *slog.Logger) (client, error) { return listingClient{w.client}, nil }
	return w
}

func (w *world) list() error {
	w.t.Helper()
	l, err := workPartners{w.partners}.Lister(w.t.Context(), "vitec")
	if err != nil {
		w.t.Fatal(err)
	}
	list, err := l.List(w.t.Context(), "M1", time.Time{})
	if (err == nil) != (len(list.Orders) == 1) {
		w.t.Errorf("%d orders and %v", len(list.Orders), err)
	}
	return err
}

// wantList checks how the list was refused.
func (w *world) wantList(key string) {
	w.t.Helper()
	err := w.list()
	var e *portal.Error
	if !errors.As(err, &e) || e.Kind != portal.Unavailable || e.Say.Key != key {
		w.t.Errorf("%v, want Unavailable, %s", err, key)
	}
}

// TestListStopsWithTheCredential: a refused credential stops lists as it stops
// everything else, and one list finds out that it is taken again.
func TestListStopsWithTheCredential(t *testing.T) {
	t.Parallel()
	w := newListing(t)
	w.client.err = refusedCredential
	w.wantList("reconciliation.credential")
	w.checkCalls(1)
	if n := w.alarms(); n != 1 {
		t.Errorf("%d alarms, want 1", n)
	}
	w.wantList("reconciliation.credential")
	if err := w.ticket(); !errors.Is(err, portal.ErrCredential) {
		t.Errorf("a ticket after it: %v", err)
	}
	w.checkCalls(1)
	w.now = w.now.Add(refusedFor)
	w.client.err = nil
	if err := w.list(); err != nil {
		t.Errorf("the probe: %v", err)
	}
	if n := w.alarms(); n != 0 {
		t.Errorf("%d alarms after a success, want none", n)
	}
}

// TestListStopsWhenThePartnerIsDown: after some failures it is not called, and
// tickets and reports go on.
func TestListStopsWhenThePartnerIsDown(t *testing.T) {
	t.Parallel()
	w := newListing(t)
	w.client.err = errTimeout
	for range breakerFailures {
		w.wantList("reconciliation.unavailable")
	}
	w.wantList("reconciliation.unavailable")
	w.checkCalls(breakerFailures)
	w.client.err = nil
	if err := errors.Join(w.ticket(), w.report()); err != nil {
		t.Errorf("a list that fails keeps others out: %v", err)
	}
}

// TestListRefused: an office that we may not list says nothing about the credential.
func TestListRefused(t *testing.T) {
	t.Parallel()
	w := newListing(t)
	w.client.err = &portal.ReportError{Outcome: portal.OutcomeRefused, Status: 403}
	for range breakerFailures + 1 {
		w.wantList("reconciliation.refused")
	}
	w.checkCalls(breakerFailures + 1)
	if n := w.alarms(); n != 0 {
		t.Errorf("%d alarms, want none", n)
	}
}

// TestListing: only partners that have a list are asked for it.
func TestListing(t *testing.T) {
	t.Parallel()
	w := newListing(t)
	if got, err := w.partners.Listing(t.Context()); err != nil || strings.Join(got, " ") != "vitec" {
		t.Errorf("%v, %v; want vitec", got, err)
	}
	bare := newWorld(t)
	if got, err := bare.partners.Listing(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("%v, %v; want none", got, err)
	}
	if _, err := (workPartners{bare.partners}).Lister(t.Context(), "vitec"); portal.KindOf(err) != portal.NotFound {
		t.Errorf("the list of a partner without one: %v, want NotFound", err)
	}
	broken := newWorld(t)
	broken.partners.open = func(portal.Connection, *db.Store, *slog.Logger) (client, error) {
		return nil, errors.New("no such system")
	}
	if got, err := broken.partners.Listing(t.Context()); err != nil || len(got) != 0 || !strings.Contains(broken.log.String(), "no such system") {
		t.Errorf("%v, %v; want none, and the log to say why", got, err)
	}
}

var _ worker.Listers = workPartners{}

func TestDoctorFindsStaleReconciliation(t *testing.T) {
	t.Parallel()
	env := installation(t)
	execute(t, env, `
		INSERT INTO offices (connection_id, customer_id, tenant_id, chain_id, name, created_at) VALUES
			('vitec', 'M1', '', '', '', now() - interval '47 hours'), ('vitec', 'M2', '', '', '', '2025-12-01');
		INSERT INTO reconciliations (office_id, started_at, finished_at, compared, unreported, others, differences, error)
			SELECT id, now() - interval '47 hours', now(), 1, 0, 0, 0, '' FROM offices WHERE customer_id = 'M2'`)
	if r := portico(t, env, "", "doctor"); r.code != 0 || strings.Contains(r.stdout, "reconciliation") {
		t.Errorf("after 47 hours: exit %d\n%s", r.code, r.stdout)
	}
	execute(t, env, `UPDATE reconciliations SET started_at = '2026-01-02T03:00:00Z'`)
	r := portico(t, env, "", "doctor")
	want := "fault  reconciliation  vitec: offices not compared with the partner's list for two days: 1, the first since 2026-01-02T03:00:00Z: /staff/reconciliation has the reason\n"
	if r.code != 1 || !strings.Contains(r.stdout, want) || strings.Count(r.stdout, "fault") != 1 {
		t.Errorf("exit %d\n%s", r.code, r.stdout)
	}
}
