package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"portico/db"
	"portico/internal/portal"
)

// fetches adds a connection to an installation whose orders were fetched some
// time ago, one of which is kept aside.
func fetches(t *testing.T, store *db.Store, ago time.Duration) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	now := store.Now
	at := now().Add(-ago).Truncate(time.Second)
	store.Now = func() time.Time { return at }
	defer func() { store.Now = now }()
	provider, err := store.Provider(ctx)
	must(err)
	_, err = store.Apply(ctx, portal.Setup{Provider: provider, Connections: []portal.Connection{{ID: "guiden", System: "tjansteguiden",
		InteractionLink: portal.LinkSigned, Reports: portal.States, PollEvery: 5 * time.Minute, Settings: []byte(`{}`)}}})
	must(err)
	p, _, err := store.ClaimPoll(ctx, time.Minute)
	must(err)
	must(store.ListOrders(ctx, p, []portal.Listed{{OrderID: "880412", ServiceID: "2440"}}, portal.PollRules{}, time.Minute))
	due, err := store.OrdersToFetch(ctx, "guiden", 1)
	must(err)
	must(store.KeepAside(ctx, p, due[0].ID, portal.Say("polls.unknown_service", "Service", "2440"), "<order_id>880412</order_id>",
		at.Add(24*time.Hour), time.Minute))
	must(store.FinishPoll(ctx, p, 1, 0))
}

func TestDoctorLooksAtPolls(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		ago    time.Duration
		want   string
		faults int
	}{
		{10 * time.Minute, "ok     fetching       guiden: in order since TIME, orders kept aside: 1\n", 0},
		{time.Hour, "fault  fetching       guiden: no orders have been fetched since TIME: /staff/polls has the reason\n", 1},
	} {
		env := installation(t)
		store := open(t, env)
		fetches(t, store, test.ago)
		polls, err := store.Polls(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r := portico(t, env, "", "doctor")
		want := strings.Replace(test.want, "TIME", polls[0].Since.UTC().Format(time.RFC3339), 1)
		if !strings.Contains(r.stdout, want) || strings.Count(r.stdout, "fault  fetching") != test.faults {
			t.Errorf("no %q in\n%s%s", want, r.stdout, r.stderr)
		}
	}
}

func TestMetricsOfPolls(t *testing.T) {
	t.Parallel()
	store := open(t, installation(t))
	if got := metrics(t, store); strings.Contains(got, "portico_poll") {
		t.Errorf("no orders are fetched:\n%s", got)
	}
	fetches(t, store, time.Hour)
	polls, err := store.Polls(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := polls[0].Since.Add(90 * time.Second)
	store.Now = func() time.Time { return at }
	got := metrics(t, store)
	for _, line := range []string{"\nportico_poll_age_seconds{connection=\"guiden\"} 90\n", "\nportico_poll_aside{connection=\"guiden\"} 1\n"} {
		if !strings.Contains(got, line) {
			t.Errorf("no %q in\n%s", line, got)
		}
	}
}

// metrics returns what a collector of metrics reads.
func metrics(t *testing.T, store *db.Store) string {
	t.Helper()
	w := httptest.NewRecorder()
	promhttp.HandlerFor(newRegistry(store, slog.New(slog.DiscardHandler)), promhttp.HandlerOpts{}).
		ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	return w.Body.String()
}

// TestAlarmTellsOfStalePolls: by mail, with the address of the screen that says why.
func TestAlarmTellsOfStalePolls(t *testing.T) {
	t.Parallel()
	w := newAlarmed(t)
	execute(t, w.env, `UPDATE jobs SET state = 'completed', finished_at = now()`)
	a := w.alarm(w.env["PORTICO_SMTP_URL"])
	fetches(t, w.store, 15*time.Minute)
	w.must(a.look(t.Context()))
	w.told(0)
	w.now = w.now.Add(time.Second)
	w.must(a.look(t.Context()))
	const stale = ": Nordljus: inga beställningar hämtas från Tjänsteguiden"
	for _, m := range w.told(0, "anna@n.example"+stale, "maja@n.example"+stale) {
		if !strings.Contains(m.Text, "\nTjänsteguiden (guiden)\n") || !strings.Contains(m.Text, "\nhttps://portal.example/staff/polls\n") {
			t.Errorf("the mail says\n%s", m.Text)
		}
		if strings.Contains(m.Text+m.Subject, "880412") {
			t.Errorf("the mail names an order:\n%s", m.Text)
		}
	}
	fetched, _, err := w.store.ClaimPoll(t.Context(), time.Minute)
	w.must(err)
	w.must(w.store.FinishPoll(t.Context(), fetched, 1, 0))
	w.must(a.look(t.Context()))
	w.told(2, "anna@n.example"+over, "maja@n.example"+over)
}
