package main

import (
	"bytes"
	"database/sql"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/db"
	"portico/internal/partner/door/doortest"
	"portico/internal/partner/tjansteguiden/onapi/onapitest"
	"portico/internal/partner/tjansteguiden/tjansteguidentest"
	"portico/internal/portal"
	"portico/internal/worldtest"
)

// guideFile is a provider's and a network's view of the same Tjänsteguide.
const guideFile = `
provider: {name: Nordljus Fiber AB, support_email: support@nordljus.example, locale: sv, time_zone: Europe/Stockholm}
connections:
  - id: guiden
    system: tjansteguiden
    role: tl
    base_url: "${TL}"
    api_user: "1234"
    api_key: "${GUIDE_KEY}"
    poll_every: 5m
    since: 2026-11-01
    rate: {concurrent: 8, per_second: 1000}
    on_api: [{prefix: KC, base_url: "${NETWORK}", username: "${NETWORK_USER}", password: "${ONAPI_PASSWORD}"}]
services:
  - {id: fiber100, connection: guiden, flow: poll, partner_service: "2440", on_api_service: AB100100, activate: staff, name: {sv: Bredband 100/100}}
  - {id: fiber1000, connection: guiden, flow: poll, partner_service: "2441", on_api_service: AB1000100, activate: import, name: {sv: Bredband 1000/100}}
`

// networkFile is that of the network: every provider's orders are one service.
const networkFile = `
provider: {name: Torshälla Stadsnät, support_email: support@natet.example, locale: sv, time_zone: Europe/Stockholm}
connections:
  - id: guiden
    system: tjansteguiden
    role: ko
    base_url: "${KO}"
    api_user: "4321"
    poll_every: 5m
    rate: {concurrent: 8, per_second: 1000}
services:
  - {id: tjanster, connection: guiden, flow: poll, name: {sv: Tjänst i nätet}}
`

// guideWorld is the program's own parts between a fake Tjänsteguide, a fake
// network and a real database, at a time that only the test moves.
type guideWorld struct {
	testing.TB
	clock   *worldtest.Clock
	guide   *tjansteguidentest.Server
	network *onapitest.Server
	env     vars
	store   *db.Store
	log     *worldtest.Log
	erik    portal.Staff
}

func newGuideWorld(t testing.TB, file string) *guideWorld {
	t.Helper()
	w := &guideWorld{TB: t, clock: worldtest.NewClock(time.Date(2026, 11, 24, 9, 12, 0, 0, time.UTC)), log: &worldtest.Log{}}
	w.guide = tjansteguidentest.Start(t, tjansteguidentest.Options{Now: w.clock.Now})
	w.network = onapitest.Start(t, onapitest.Options{Now: w.clock.Now, AccessIDs: []string{"KC"}})
	w.env = newEnv(t)
	for name, value := range map[string]string{"TL": w.guide.Base(w.guide.URL, tjansteguidentest.RoleTL), "KO": w.guide.Base(w.guide.URL, tjansteguidentest.RoleKO),
		"GUIDE_KEY": tjansteguidentest.DemoAPIKey, "NETWORK": w.network.Base(w.network.URL), "NETWORK_USER": onapitest.DemoUsername,
		"ONAPI_PASSWORD": onapitest.DemoPassword} {
		w.env[name] = value
	}
	w.apply(file)
	w.store = open(t, w.env)
	w.store.Now = w.clock.Now
	var err error
	w.erik, err = w.store.AddStaff(t.Context(), portal.Staff{Email: "erik@nordljus.example", Name: "Erik", Role: portal.RoleFulfiller, PasswordHash: "-"})
	w.must(err)
	return w
}

func (w *guideWorld) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%v\n%s", err, w.log)
	}
}

func (w *guideWorld) apply(file string) {
	w.Helper()
	if r := portico(w.TB, w.env, file, "apply", "-"); r.code != 0 {
		w.Fatal(r.stderr)
	}
}

func (w *guideWorld) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// poll lets a worker that has just been started poll what is due, and returns
// how that stands.
func (w *guideWorld) poll() db.PollStatus {
	w.Helper()
	if _, err := newPoller(w.store, newPartners(w.store, w.logger()), w.logger()).RunOnce(w.Context()); err != nil {
		w.Fatal(err)
	}
	list, err := w.store.Polls(w.Context())
	w.must(err)
	return list[0]
}

// work sends all that is due, and looks at what networks are at.
func (w *guideWorld) work() {
	w.Helper()
	p := newPartners(w.store, w.logger())
	runner := newRunner(w.store, p, "https://portal.example", w.logger())
	for {
		n, err := runner.RunOnce(w.Context())
		w.must(err)
		looked, err := newLooker(w.store, p, w.logger()).RunOnce(w.Context())
		w.must(err)
		if n == 0 && !looked {
			return
		}
	}
}

// order is an order of ours, by the partner's id.
func (w *guideWorld) order(id string) portal.Order {
	w.Helper()
	page, err := w.store.Orders(w.Context(), db.OrderFilter{Query: id, Limit: 10})
	w.must(err)
	for _, row := range page.Rows {
		if row.PartnerOrderID == id {
			o, err := w.store.OrderForStaff(w.Context(), row.PublicID)
			w.must(err)
			return o
		}
	}
	w.Fatalf("there is no order %s\n%s", id, w.log)
	return portal.Order{}
}

// shows checks what the guide shows of an order.
func (w *guideWorld) shows(id string, want ...string) {
	w.Helper()
	if got := w.guide.Statuses(id); strings.Join(got, " ") != strings.Join(want, " ") {
		w.Errorf("order %s: we set %v, want %v\n%s", id, got, want, w.log)
	}
}

func TestFromTheGuideToTheNetworkAndBack(t *testing.T) {
	t.Parallel()
	w := newGuideWorld(t, guideFile)
	id := w.guide.AddOrder(tjansteguidentest.Order{Service: "2440"}).ID
	at := w.guide.AddOrder(tjansteguidentest.Order{Service: "2441", Customer: tjansteguidentest.Customer{Socket: "KC0101A07"}}).ID
	if p := w.poll(); p.Imported != 2 || p.LastError != nil {
		t.Fatalf("%+v\n%s", p, w.log)
	}
	w.work()
	w.shows(id, "received")
	w.shows(at, "received", "active")
	o := w.order(id)
	w.must(w.store.RequestActivation(t.Context(), o.ID, portal.ActivationRequest{Operation: portal.Activate}, w.erik.Actor()))
	w.work()
	w.shows(id, "received", "active")
	for _, placed := range w.network.Orders() {
		if !w.network.Finish(placed.ID) {
			t.Errorf("%+v does not end", placed)
		}
	}
	w.clock.Pass(time.Minute)
	w.work()
	w.shows(id, "received", "active", "delivered")
	w.shows(at, "received", "active", "delivered")
	if o = w.order(id); o.State != portal.Delivered {
		t.Errorf("state %s", o.State)
	}
	serial := tjansteguidentest.DemoPeople()[0].Serial
	for _, body := range w.network.Bodies() {
		if strings.Contains(body, serial) || strings.Contains(body, "@") || strings.Contains(body, o.Details.Name) {
			t.Errorf("the network is told %s", body)
		}
	}
	w.wantNoPersonalNumber(serial)
}

// wantNoPersonalNumber checks what was logged.
func (w *guideWorld) wantNoPersonalNumber(serial string) {
	w.Helper()
	for _, form := range []string{serial, strings.TrimPrefix(serial, "19"), serial[2:8] + "-" + serial[8:]} {
		if log := w.log.String(); strings.Contains(log, form) {
			w.Errorf("a personal number is logged:\n%s", log)
		}
	}
	if log := w.log.String(); strings.Contains(log, "hash=") || strings.Contains(log, tjansteguidentest.DemoAPIKey) {
		w.Errorf("a secret is logged:\n%s", log)
	}
}

func TestWhatWasActivatedDirectlyIsOnlyTakenIn(t *testing.T) {
	t.Parallel()
	w := newGuideWorld(t, guideFile)
	id := w.guide.AddOrder(tjansteguidentest.Order{Service: "2441", Status: tjansteguidentest.StatusDelivered}).ID
	w.poll()
	w.work()
	if o := w.order(id); o.State != portal.Delivered || !o.Details.Direct {
		t.Errorf("%s, direct %t", o.State, o.Details.Direct)
	}
	w.shows(id)
	if n := len(w.network.Orders()); n != 0 {
		t.Errorf("%d orders at the network", n)
	}
}

// TestAProblemIsTold, followed up by hand, and ends the order there.
func TestAProblemIsTold(t *testing.T) {
	t.Parallel()
	w := newGuideWorld(t, guideFile)
	id := w.guide.AddOrder(tjansteguidentest.Order{Service: "2440"}).ID
	w.poll()
	w.work()
	o := w.order(id)
	w.must(w.store.FailOrder(t.Context(), o.ID, "Port finns ej", w.erik.Actor()))
	w.guide.SetFault(tjansteguidentest.OpSetStatus, tjansteguidentest.Fault{Kind: doortest.FaultStoredError, Times: 2})
	w.work()
	w.clock.Pass(10 * time.Minute)
	w.work()
	if got := w.guide.Messages(id); len(got) != 1 || got[0].Type != "error" || got[0].Message != "Port finns ej" {
		t.Errorf("messages %+v", got)
	}
	if there, _ := w.guide.Order(id); there.Status != "cancelled" {
		t.Errorf("the guide shows %s", there.Status)
	}
	if o = w.order(id); !o.FollowUp || o.State != portal.Failed {
		t.Errorf("%s, follow up %t", o.State, o.FollowUp)
	}
	w.clock.Pass(time.Minute)
	w.poll()
	if o = w.order(id); o.State != portal.Failed {
		t.Errorf("after a poll: %s", o.State)
	}
	if n, err := w.store.CountDifferences(t.Context()); n != 0 || err != nil {
		t.Errorf("%d differences, %v", n, err)
	}
}

// TestTenThousandOrders come in once, in one pass, however many workers there
// are, and the one that is poison is named.
func TestTenThousandOrders(t *testing.T) {
	t.Parallel()
	const many = 10_000
	w := newGuideWorld(t, guideFile)
	ids := w.guide.AddOrders(many)
	poison := ids[many/3]
	w.guide.Break(poison, tjansteguidentest.OpCustomerInfo, tjansteguidentest.FaultCut)
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			quiet := slog.New(slog.DiscardHandler)
			if _, err := newPoller(w.store, newPartners(w.store, quiet), quiet).RunOnce(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	polls, err := w.store.Polls(t.Context())
	w.must(err)
	if p := polls[0]; p.Listed != many || p.Imported != many-1 || p.Aside != 1 || p.LastError != nil {
		t.Errorf("%+v", p)
	}
	if n, err := w.store.CountOpen(t.Context()); n != many-1 || err != nil {
		t.Errorf("%d orders, %v", n, err)
	}
	if n := w.guide.Calls(tjansteguidentest.OpOrders); n != 1 {
		t.Errorf("%d lists", n)
	}
	if n := w.guide.Calls(tjansteguidentest.OpOrderInfo); n != many {
		t.Errorf("%d orders were asked for", n)
	}
	aside, err := w.store.AsideOrders(t.Context(), "guiden", 10)
	w.must(err)
	if len(aside) != 1 || aside[0].Listed.OrderID != poison || aside[0].Reason == nil {
		t.Errorf("aside %+v", aside)
	}
	w.clock.Pass(5 * time.Minute)
	w.guide.Break(poison, tjansteguidentest.OpCustomerInfo, "")
	if p := w.poll(); p.Imported != 1 || p.Aside != 0 {
		t.Errorf("healed: %+v", p)
	}
}

// TestAHashEndsInTheMiddle of a poll: one new login, and nothing is asked twice.
func TestAHashEndsInTheMiddle(t *testing.T) {
	t.Parallel()
	w := newGuideWorld(t, guideFile)
	w.guide.AddOrders(30)
	first := w.guide.AddOrder(tjansteguidentest.Order{Service: "2440"}).ID
	w.poll()
	w.clock.Pass(21 * time.Minute)
	w.work()
	w.shows(first, "received")
	if n := w.guide.Calls(tjansteguidentest.OpLogin); n != 2 {
		t.Errorf("%d logins, want one more after twenty minutes", n)
	}
	w.guide.AddOrders(30)
	w.guide.ExpireHashes()
	w.clock.Pass(5 * time.Minute)
	if p := w.poll(); p.Imported != 30 || p.Aside != 0 || p.LastError != nil {
		t.Errorf("%+v\n%s", p, w.log)
	}
	if n := w.guide.Calls(tjansteguidentest.OpLogin); n != 3 {
		t.Errorf("%d logins, want one for a hash that is no longer good", n)
	}
}

func TestWhatCanBeWrongWithAGuide(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		op   tjansteguidentest.Op
		kind tjansteguidentest.FaultKind
		say  string // of the poll
		list int    // how many of 40 come in all the same
	}{
		"a login that fails":      {tjansteguidentest.OpLogin, doortest.FaultBadRequest, "polls.credential", 0},
		"a login of HTML":         {tjansteguidentest.OpLogin, doortest.FaultHTML, "polls.no_answer", 0},
		"a list of HTML":          {tjansteguidentest.OpOrders, doortest.FaultHTML, "polls.no_answer", 0},
		"a list that is cut":      {tjansteguidentest.OpOrders, tjansteguidentest.FaultCut, "polls.no_answer", 1},
		"half a list":             {tjansteguidentest.OpOrders, doortest.FaultTruncated, "polls.no_answer", 1},
		"too many calls":          {tjansteguidentest.OpOrders, doortest.FaultTooMany, "polls.no_answer", 0},
		"orders that do not come": {tjansteguidentest.OpOrderInfo, doortest.FaultServerError, "polls.no_answer", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newGuideWorld(t, guideFile)
			w.guide.AddOrders(40)
			w.guide.SetFault(tt.op, tjansteguidentest.Fault{Kind: tt.kind})
			p := w.poll()
			if p.LastError == nil || p.LastError.Key != tt.say || p.Failures != 1 || p.LastOKAt != nil {
				t.Errorf("%+v: %+v\n%s", p.LastError, p, w.log)
			}
			w.guide.SetFault(tt.op, tjansteguidentest.Fault{})
			w.clock.Pass(time.Hour)
			if p = w.poll(); p.LastError != nil {
				t.Errorf("afterwards %+v\n%s", p.LastError, w.log)
			}
			if n, err := w.store.CountOpen(t.Context()); n != 40 || err != nil {
				t.Errorf("%d orders, %v", n, err)
			}
		})
	}
}

func TestEveryShapeOfAnAnswerIsRead(t *testing.T) {
	t.Parallel()
	for _, shape := range tjansteguidentest.Shapes {
		for _, file := range []string{guideFile, networkFile} {
			w := newGuideWorld(t, file)
			w.guide.SetShape(shape)
			id := w.guide.AddOrder(tjansteguidentest.Order{Service: "2440"}).ID
			if p := w.poll(); p.Imported != 1 || p.LastError != nil {
				t.Errorf("%s: %+v\n%s", shape, p, w.log)
			}
			if o := w.order(id); o.Details.Name == "" || o.Target.ID == "" || o.Details.Phone == "" {
				t.Errorf("%s: %+v", shape, o)
			}
		}
	}
}

// TestAnOrderChangesBetweenTwoPolls, and between being listed and being read.
func TestAnOrderChangesBetweenTwoPolls(t *testing.T) {
	t.Parallel()
	w := newGuideWorld(t, guideFile)
	id := w.guide.AddOrder(tjansteguidentest.Order{Service: "2440"}).ID
	w.poll()
	w.work()
	w.clock.Pass(5 * time.Minute)
	w.guide.SetStatus(id, "cancelled", tjansteguidentest.Network)
	w.poll()
	o := w.order(id)
	if o.State != portal.Received {
		t.Errorf("ours became %s", o.State)
	}
	list, err := w.store.Differences(t.Context(), "guiden", o.Office.Customer, 10)
	w.must(err)
	if len(list) != 1 || list[0].Theirs != "cancelled" {
		t.Fatalf("differences %+v", list)
	}
	w.must(w.store.ReportAgain(t.Context(), list[0].ID, w.erik.Actor()))
	w.work()
	w.shows(id, "received", "received")
}

func TestANetworkLooksOn(t *testing.T) {
	t.Parallel()
	w := newGuideWorld(t, networkFile)
	ours := w.guide.AddOrder(tjansteguidentest.Order{Service: "2440"}).ID
	other := w.guide.AddOrder(tjansteguidentest.Order{Service: "7", XSP: "31999"}).ID
	if p := w.poll(); p.Imported != 2 {
		t.Fatalf("%+v\n%s", p, w.log)
	}
	w.work()
	w.shows(ours)
	if a, b := w.order(ours).Office, w.order(other).Office; a.Customer == b.Customer || b.Customer != "31999" {
		t.Errorf("providers %+v and %+v", a, b)
	}
	w.guide.SetStatus(ours, "received", "TL")
	w.clock.Pass(5 * time.Minute)
	w.poll()
	w.guide.SetStatus(ours, "delivered", "TL")
	w.clock.Pass(5 * time.Minute)
	w.poll()
	if o := w.order(ours); o.State != portal.Delivered {
		t.Errorf("state %s", o.State)
	}
	w.must(w.store.StartOrder(t.Context(), w.order(other).ID, w.erik.Actor()))
	w.must(w.store.RemarkOrder(t.Context(), w.order(other).ID, portal.RemarkImportant, "Porten är trasig", w.erik.Actor()))
	w.work()
	log, err := webPartners{newPartners(w.store, w.logger()), ""}.Log(t.Context(), w.order(other))
	if err != nil || len(log) < 2 || log[len(log)-1].Text != "Porten är trasig" {
		t.Errorf("the log says %+v, %v", log, err)
	}
	if there, _ := w.guide.Order(other); there.Status != "active" || !strings.Contains(there.Log[len(there.Log)-1].Message, "Porten är trasig") {
		t.Errorf("%+v", there)
	}
}

// TestNoPersonalNumberLeaves by any way out of the program.
func TestNoPersonalNumberLeaves(t *testing.T) {
	t.Parallel()
	const serial = "199001012385"
	w := newGuideWorld(t, guideFile)
	good := w.guide.AddOrder(tjansteguidentest.Order{Service: "2440", Customer: tjansteguidentest.Customer{Serial: serial,
		Data: map[string]string{"phone": "0708530013", "message": "Mitt personnummer är 900101-2385."}}}).ID
	bad := w.guide.AddOrder(tjansteguidentest.Order{Service: "2440", Customer: tjansteguidentest.Customer{Serial: serial}}).ID
	w.guide.Break(bad, tjansteguidentest.OpCustomerInfo, doortest.FaultTruncated)
	w.poll()
	w.work()
	o := w.order(good)
	if o.Details.Phone != "0708530013" {
		t.Errorf("phone %q", o.Details.Phone)
	}
	number, err := w.store.PersonalNumber(t.Context(), o.ID, w.erik.Actor())
	if number != serial || err != nil {
		t.Errorf("%q, %v", number, err)
	}
	w.wantNoPersonalNumber(serial)
	dump := &bytes.Buffer{}
	w.dump(dump)
	for _, form := range []string{serial, "9001012385", "900101-2385"} {
		if strings.Contains(dump.String(), form) {
			t.Errorf("%s is in the database", form)
		}
	}
	if !strings.Contains(dump.String(), "0708530013") {
		t.Error("the dump is none")
	}
}

// dump writes every row of every table.
func (w *guideWorld) dump(into *bytes.Buffer) {
	w.Helper()
	conn, err := sql.Open("postgres", w.env[databaseURL])
	w.must(err)
	defer func() { _ = conn.Close() }()
	tables, err := conn.Query(`SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`)
	w.must(err)
	defer func() { _ = tables.Close() }()
	for tables.Next() {
		var table, all string
		w.must(tables.Scan(&table))
		w.must(conn.QueryRow(`SELECT COALESCE(string_agg(t::text, E'\n'), '') FROM ` + table + ` t`).Scan(&all))
		into.WriteString(all)
	}
	w.must(tables.Err())
}
