package db_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

// rules of a provider, and of somebody who looks on.
var (
	guideWords = map[portal.State]string{portal.Received: "received", portal.Active: "active", portal.Waiting: "waiting",
		portal.Delivered: "delivered", portal.Failed: "cancelled", portal.Cancelled: "cancelled"}
	ownRules    = portal.PollRules{Words: guideWords, Acknowledges: true}
	lookOnRules = portal.PollRules{Words: guideWords, Follows: true}
)

// newGuide is a world with a connection whose orders are fetched: fiber is
// activated by staff, atonce by itself.
func newGuide(t *testing.T) *world {
	t.Helper()
	w := newSealedWorld(t)
	s := worldSetup()
	states := []portal.State{portal.Received, portal.Active, portal.Waiting, portal.Delivered, portal.Failed, portal.Cancelled}
	s.Connections = []portal.Connection{{ID: "guiden", System: "tjansteguiden", InteractionLink: portal.LinkCallback, Reports: states,
		TakesRemarks: true, PollEvery: 5 * time.Minute, PersonalDays: 90, Networks: []string{"KC"}, Settings: []byte(`{}`)}}
	fiber := portal.Service{ID: "fiber", ConnectionID: "guiden", Flow: portal.FlowPoll, Auth: portal.AuthToken, PartnerService: "2440",
		NetworkService: "AB100", TurnaroundHours: 48, Name: portal.Text{"sv": "Bredband"}}
	atOnce := fiber
	atOnce.ID, atOnce.PartnerService, atOnce.ActivateOnImport = "atonce", "2441", true
	s.Services = []portal.Service{fiber, atOnce}
	apply(t, w.store, s)
	return w
}

// listedAs is an order of a minute ago as the partner lists it.
func (w *world) listedAs(id, status string) portal.Listed {
	states := map[string]portal.State{"new": portal.Received, "received": portal.Received, "active": portal.Active, "waiting": portal.Waiting,
		"delivered": portal.Delivered, "cancelled": portal.Cancelled}
	return portal.Listed{OrderID: id, Status: status, State: states[status], New: status == "new", ServiceID: "2440", UserID: "C" + id,
		Customer: "1234", Wished: portal.Asap, CreatedAt: w.clock.Add(-time.Minute)}
}

func fetched(l portal.Listed) portal.Fetched {
	return portal.Fetched{Listed: l, PersonalNumber: "199001012384",
		Ticket: portal.Ticket{OrderID: l.OrderID, Customer: l.Customer, UserID: l.UserID, OwnerID: l.UserID, UserName: "Susanne Testqvist",
			Target: portal.Target{Type: "access", ID: "KC0101A06", Name: "Testgatan 10b"}},
		Details: portal.Details{Name: "Susanne Testqvist", Street: "Testgatan 10b"}}
}

func (w *world) claimPoll() portal.Poll {
	w.Helper()
	p, ok, err := w.store.ClaimPoll(w.Context(), time.Minute)
	w.must(err)
	if !ok {
		w.Fatal("no poll is due")
	}
	return p
}

// poll fetches what the partner lists, and returns what it did not have.
func (w *world) poll(rules portal.PollRules, list ...portal.Listed) []portal.Awaited {
	w.Helper()
	p := w.claimPoll()
	w.clock.advance(time.Millisecond)
	w.must(w.store.ListOrders(w.Context(), p, list, rules, time.Minute))
	awaited, err := w.store.OrdersToFetch(w.Context(), "guiden", 100)
	w.must(err)
	w.take(p, rules, awaited...)
	w.must(w.store.FinishPoll(w.Context(), p, len(list), len(awaited)))
	w.clock.advance(5 * time.Minute)
	return awaited
}

// take takes in what the partner is supposed to have told of orders.
func (w *world) take(p portal.Poll, rules portal.PollRules, awaited ...portal.Awaited) {
	w.Helper()
	refused, err := w.imports(p, rules, awaited...)
	w.must(err)
	for _, err := range refused {
		w.Error(err)
	}
}

func (w *world) imports(p portal.Poll, rules portal.PollRules, awaited ...portal.Awaited) (map[int64]error, error) {
	var arrived []portal.Arrived
	for _, a := range awaited {
		arrived = append(arrived, portal.Arrived{ID: a.ID, Fetched: fetched(a.Listed)})
	}
	return w.store.ImportFetched(w.Context(), p, arrived, rules, time.Minute)
}

// fetchedID is our id of an order that was fetched.
func (w *world) fetchedID(partner string) int64 {
	w.Helper()
	var id int64
	w.must(w.raw.QueryRow(`SELECT id FROM orders WHERE connection_id = 'guiden' AND partner_order_id = $1`, partner).Scan(&id))
	return id
}

// kindsOf returns the lines of an order's timeline.
func (w *world) kindsOf(id int64) []portal.EventKind {
	w.Helper()
	events, err := w.store.Timeline(w.Context(), id, false)
	w.must(err)
	var kinds []portal.EventKind
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// sendAll completes every job of an order, with what the partner shows then.
func (w *world) sendAll() []portal.Message {
	w.Helper()
	var sent []portal.Message
	for {
		jobs, err := w.store.ClaimJobs(w.Context(), "guiden", 10, time.Minute)
		w.must(err)
		if len(jobs) == 0 {
			return sent
		}
		for _, j := range jobs {
			j.Attempts = []portal.Attempt{{StartedAt: w.store.Now(), Outcome: portal.OutcomeDone,
				Receipt: portal.Receipt{Status: 200, Shown: guideWords[j.Message.State]}}}
			w.must(w.store.CompleteJob(w.Context(), j, time.Second))
			sent = append(sent, j.Message)
		}
	}
}

func TestAnOrderIsFetchedOnce(t *testing.T) {
	t.Parallel()
	w := newGuide(t)
	w.poll(ownRules, w.listedAs("19530", "new"))
	if again := w.poll(ownRules, w.listedAs("19530", "new")); len(again) > 0 {
		t.Errorf("fetched again: %+v", again)
	}
	o := w.order(w.fetchedID("19530"))
	if o.State != portal.Received || o.Service.ID != "fiber" || o.Target.ID != "KC0101A06" || o.Broker != "Susanne Testqvist" ||
		o.Details.Wished != portal.Asap || o.Shown != "new" || o.DueAt == nil {
		t.Errorf("%+v", o)
	}
	sent := w.sendAll()
	if len(sent) != 1 || sent[0].State != portal.Received || sent[0].PartnerOrderID != "19530" {
		t.Errorf("sent %+v", sent)
	}
	if got := w.order(o.ID).Shown; got != "received" {
		t.Errorf("the partner shows %q, want what it was told", got)
	}
}

func TestWhatIsUnderWayIsTakenInAsItIs(t *testing.T) {
	t.Parallel()
	w := newGuide(t)
	direct := w.listedAs("2", "delivered")
	direct.ServiceID = "2441"
	w.poll(ownRules, direct, w.listedAs("3", "waiting"), w.listedAs("4", "cancelled"), w.listedAs("5", "received"), w.listedAs("6", "odd"))
	want := map[string]portal.State{"2": portal.Delivered, "3": portal.Waiting, "4": portal.Cancelled, "5": portal.Received, "6": portal.Received}
	for id, state := range want {
		o := w.order(w.fetchedID(id))
		if o.State != state || o.Details.Direct != (id == "2") {
			t.Errorf("%s: %s, direct %t", id, o.State, o.Details.Direct)
		}
	}
	if sent := w.sendAll(); len(sent) > 0 {
		t.Errorf("sent %+v", sent)
	}
}

func TestAnOrderIsActivatedOnImport(t *testing.T) {
	t.Parallel()
	w := newGuide(t)
	at := w.listedAs("7", "new")
	at.ServiceID, at.Wished = "2441", "2099-01-02"
	w.poll(ownRules, at)
	sent := w.sendAll()
	if len(sent) != 2 || sent[0].State != portal.Received || sent[1].Activation == nil || sent[1].Activation.Operation != portal.Activate ||
		sent[1].Activation.Service != "AB100" || sent[1].Activation.WishedFor == nil || sent[1].Activation.WishedFor.Year() != 2099 {
		t.Errorf("sent %+v", sent)
	}
}

// TestAPollIsOneWorkers: what another has claimed, or taken over, is not written to.
func TestAPollIsOneWorkers(t *testing.T) {
	t.Parallel()
	w := newGuide(t)
	first := w.claimPoll()
	if _, ok, err := w.store.ClaimPoll(t.Context(), time.Minute); ok || err != nil {
		t.Errorf("claimed twice: %t, %v", ok, err)
	}
	w.clock.advance(59 * time.Second)
	w.must(w.store.ListOrders(t.Context(), first, []portal.Listed{w.listedAs("1", "new")}, ownRules, time.Minute))
	w.clock.advance(59 * time.Second)
	if _, ok, _ := w.store.ClaimPoll(t.Context(), time.Minute); ok {
		t.Error("what is at work lost its lease")
	}
	w.clock.advance(2 * time.Second)
	second := w.claimPoll()
	awaited, err := w.store.OrdersToFetch(t.Context(), "guiden", 10)
	w.must(err)
	_, lost := w.imports(first, ownRules, awaited...)
	for name, err := range map[string]error{
		"list":   w.store.ListOrders(t.Context(), first, []portal.Listed{w.listedAs("2", "new")}, ownRules, time.Minute),
		"import": lost,
		"aside":  w.store.KeepAside(t.Context(), first, awaited[0].ID, portal.Say("polls.failed"), "", w.clock.now(), time.Minute),
		"finish": w.store.FinishPoll(t.Context(), first, 1, 1),
		"fail":   w.store.FailPoll(t.Context(), first, portal.Say("polls.failed"), 0),
	} {
		if !errors.Is(err, portal.ErrLeaseLost) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.take(second, ownRules, awaited...)
	w.must(w.store.FinishPoll(t.Context(), second, 1, 1))
}

func TestWhereAPollBegins(t *testing.T) {
	t.Parallel()
	w := newGuide(t)
	day := func(p portal.Poll) string { return p.Since.Format(time.DateOnly) }
	today := w.clock.now()
	p := w.claimPoll()
	if got, want := day(p), today.AddDate(0, 0, -1).Format(time.DateOnly); got != want {
		t.Errorf("the first poll begins %s, want %s", got, want)
	}
	w.must(w.store.FailPoll(t.Context(), p, portal.Say("polls.no_answer"), 0))
	w.clock.advance(4 * 24 * time.Hour)
	p = w.claimPoll()
	if got, want := day(p), today.AddDate(0, 0, -1).Format(time.DateOnly); got != want {
		t.Errorf("after one that failed: %s, want %s", got, want)
	}
	old := w.listedAs("1", "new")
	old.CreatedAt = today
	w.must(w.store.ListOrders(t.Context(), p, []portal.Listed{old}, ownRules, time.Minute))
	awaited, err := w.store.OrdersToFetch(t.Context(), "guiden", 1)
	w.must(err)
	w.take(p, ownRules, awaited...)
	w.must(w.store.FinishPoll(t.Context(), p, 1, 1))
	w.clock.advance(5 * time.Minute)
	p = w.claimPoll()
	if got, want := day(p), today.Format(time.DateOnly); got != want {
		t.Errorf("with an open order: %s, want %s", got, want)
	}
	w.must(w.store.FinishPoll(t.Context(), p, 0, 0))
	w.must(w.store.CancelOrder(t.Context(), w.fetchedID("1"), "Ångrat", w.erik.Actor()))
	w.clock.advance(5 * time.Minute)
	if got, want := day(w.claimPoll()), w.clock.now().AddDate(0, 0, -1).Format(time.DateOnly); got != want {
		t.Errorf("with none: %s, want a day before the last one, %s", got, want)
	}
}

func TestAPollThatFailsIsMadeAgainLater(t *testing.T) {
	t.Parallel()
	w := newGuide(t)
	for _, wait := range []time.Duration{5 * time.Minute, 10 * time.Minute, 10 * time.Minute} {
		w.must(w.store.FailPoll(t.Context(), w.claimPoll(), portal.Say("polls.no_answer"), 0))
		w.clock.advance(wait - time.Second)
		if _, ok, _ := w.store.ClaimPoll(t.Context(), time.Minute); ok {
			t.Errorf("polled again before %v", wait)
		}
		w.clock.advance(time.Second)
	}
	w.must(w.store.FailPoll(t.Context(), w.claimPoll(), portal.Say("polls.no_answer"), 40*time.Minute))
	w.clock.advance(39 * time.Minute)
	if _, ok, _ := w.store.ClaimPoll(t.Context(), time.Minute); ok {
		t.Error("polled again before the partner wished")
	}
}

func TestAnOrderThatIsBadIsKeptAside(t *testing.T) {
	t.Parallel()
	w := newGuide(t)
	p := w.claimPoll()
	bad, nameless, other := w.listedAs("1", "new"), w.listedAs("", "new"), w.listedAs("2", "new")
	other.ServiceID = "9999"
	list := []portal.Listed{bad, nameless, nameless, other, w.listedAs("3", "new")}
	w.must(w.store.ListOrders(t.Context(), p, list, ownRules, time.Minute))
	w.must(w.store.ListOrders(t.Context(), p, list, ownRules, time.Minute))
	awaited, err := w.store.OrdersToFetch(t.Context(), "guiden", 100)
	w.must(err)
	if len(awaited) != 4 {
		t.Fatalf("%d orders to fetch: %+v", len(awaited), awaited)
	}
	refused, err := w.imports(p, ownRules, awaited[2:]...)
	w.must(err)
	var fetch *portal.FetchError
	if other := awaited[2]; len(refused) != 1 || !errors.As(refused[other.ID], &fetch) || fetch.Say.Args["Service"] != "9999" {
		t.Fatalf("a service that is not ours: %v", refused)
	}
	for i, say := range []portal.Sentence{portal.Say("polls.unreadable"), portal.Say("polls.no_id"), fetch.Say} {
		w.must(w.store.KeepAside(t.Context(), p, awaited[i].ID, say, "<html>", w.clock.now().Add(time.Hour), time.Minute))
	}
	w.must(w.store.FinishPoll(t.Context(), p, 5, 1))
	if again, _ := w.store.OrdersToFetch(t.Context(), "guiden", 100); len(again) > 0 {
		t.Errorf("fetched again at once: %+v", again)
	}
	s := worldSetup()
	s.Connections, s.Services = nil, []portal.Service{{ID: "ny", ConnectionID: "guiden", Flow: portal.FlowPoll, Auth: portal.AuthToken, PartnerService: "9999"}}
	apply(t, w.store, s)
	if again, _ := w.store.OrdersToFetch(t.Context(), "guiden", 100); len(again) != 1 || again[0].Listed.OrderID != "2" || again[0].Tries != 1 {
		t.Errorf("after its service was applied: %+v", again)
	}
}

// TestWhatOthersDoIsSeen notes it on the order; what contradicts ours waits for
// a person.
func TestWhatOthersDoIsSeen(t *testing.T) {
	t.Parallel()
	w := newGuide(t)
	w.poll(ownRules, w.listedAs("1", "new"))
	id := w.fetchedID("1")
	w.poll(ownRules, w.listedAs("1", "cancelled"))
	if kinds := w.kindsOf(id); slices.Contains(kinds, portal.EventSeen) {
		t.Errorf("seen before the partner was told of received: %v", kinds)
	}
	w.sendAll()
	w.clock.advance(time.Minute)
	w.poll(ownRules, w.listedAs("1", "cancelled"))
	o := w.order(id)
	if o.State != portal.Received || o.Shown != "cancelled" {
		t.Errorf("state %s, shown %q", o.State, o.Shown)
	}
	want := []portal.EventKind{portal.EventFetched, portal.EventReported, portal.EventSeen}
	if diff := cmp.Diff(want, w.kindsOf(id)); diff != "" {
		t.Error(diff)
	}
	list, err := w.store.Differences(t.Context(), "guiden", "1234", 10)
	w.must(err)
	if len(list) != 1 || list[0].Theirs != "cancelled" || list[0].Ours != portal.Received || list[0].Report != portal.Received {
		t.Fatalf("differences %+v", list)
	}
	w.poll(ownRules, w.listedAs("1", "cancelled"), w.listedAs("2", "new"))
	if n := len(w.kindsOf(id)); n != 3 {
		t.Errorf("%d lines, the same status is noted once", n)
	}
	w.poll(ownRules, w.listedAs("1", "received"))
	if list, _ = w.store.Differences(t.Context(), "guiden", "1234", 10); len(list) > 0 {
		t.Errorf("left %+v", list)
	}
}

// TestWhoLooksOnFollows, unless the order was changed here.
func TestWhoLooksOnFollows(t *testing.T) {
	t.Parallel()
	w := newGuide(t)
	w.poll(lookOnRules, w.listedAs("1", "new"), w.listedAs("2", "new"))
	if sent := w.sendAll(); len(sent) > 0 {
		t.Errorf("sent %+v", sent)
	}
	w.must(w.store.StartOrder(t.Context(), w.fetchedID("2"), w.erik.Actor()))
	w.sendAll()
	w.clock.advance(time.Minute)
	for _, status := range []string{"received", "waiting", "active", "delivered"} {
		w.poll(lookOnRules, w.listedAs("1", status), w.listedAs("2", "active"))
		if o := w.order(w.fetchedID("1")); guideWords[o.State] != status || (o.WaitingSince != nil) != (status == "waiting") {
			t.Errorf("%s: %s", status, o.State)
		}
	}
	w.poll(lookOnRules, w.listedAs("1", "cancelled"), w.listedAs("2", "cancelled"))
	if o := w.order(w.fetchedID("1")); o.State != portal.Delivered {
		t.Errorf("delivered became %s", o.State)
	}
	if o := w.order(w.fetchedID("2")); o.State != portal.Cancelled {
		t.Errorf("what we had set, and the partner showed, became %s", o.State)
	}
	list, err := w.store.Differences(t.Context(), "guiden", "1234", 10)
	w.must(err)
	if len(list) != 1 || list[0].PartnerOrderID != "1" {
		t.Errorf("differences %+v", list)
	}
}

// TestAPersonalNumberIsSealed and stands in no other column of any table.
func TestAPersonalNumberIsSealed(t *testing.T) {
	t.Parallel()
	w := newGuide(t)
	w.poll(ownRules, w.listedAs("1", "new"))
	id := w.fetchedID("1")
	if where := w.find("199001012384"); len(where) > 0 {
		t.Errorf("in plain text in %v", where)
	}
	number, err := w.store.PersonalNumber(t.Context(), id, w.erik.Actor())
	if number != "199001012384" || err != nil {
		t.Errorf("%q, %v", number, err)
	}
	if kinds := w.kindsOf(id); !slices.Contains(kinds, portal.EventDisclosed) {
		t.Errorf("nobody knows: %v", kinds)
	}
	w.must(w.store.CancelOrder(t.Context(), id, "Ångrat", w.erik.Actor()))
	for _, after := range []time.Duration{90*24*time.Hour - time.Minute, 2 * time.Minute} {
		w.clock.advance(after)
		n, err := w.store.ErasePersonalNumbers(t.Context())
		if want := map[bool]int{true: 1}[after < time.Hour]; n != want || err != nil {
			t.Errorf("erased %d, %v, want %d", n, err, want)
		}
	}
	_, err = w.store.PersonalNumber(t.Context(), id, w.erik.Actor())
	w.wantKind(err, portal.NotFound)
	if kinds := w.kindsOf(id); kinds[len(kinds)-1] != portal.EventErased {
		t.Errorf("timeline %v", kinds)
	}
}

// find returns the tables of which some row has a text in it.
func (w *world) find(canary string) []string {
	w.Helper()
	rows, err := w.raw.Query(`SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`)
	w.must(err)
	defer rows.Close()
	var tables, found []string
	for rows.Next() {
		var name string
		w.must(rows.Scan(&name))
		tables = append(tables, name)
	}
	for _, name := range tables {
		var n int
		w.must(w.raw.QueryRow(fmt.Sprintf(`SELECT count(*) FROM %s t WHERE t::text LIKE $1`, name), "%"+canary+"%").Scan(&n))
		if n > 0 {
			found = append(found, name)
		}
	}
	if !strings.Contains(strings.Join(tables, " "), "orders") {
		w.Fatalf("looked in %v", tables)
	}
	return found
}

// TestAnOrderThatCannotBeStored keeps no other from coming in with it.
func TestAnOrderThatCannotBeStored(t *testing.T) {
	t.Parallel()
	w := newGuide(t)
	p := w.claimPoll()
	w.must(w.store.ListOrders(t.Context(), p, []portal.Listed{w.listedAs("1", "new"), w.listedAs("2", "new"), w.listedAs("3", "new")}, ownRules, time.Minute))
	awaited, err := w.store.OrdersToFetch(t.Context(), "guiden", 10)
	w.must(err)
	var arrived []portal.Arrived
	for i, a := range awaited {
		f := fetched(a.Listed)
		if i == 1 {
			f.Ticket.Target.Name = "half a letter \xff"
		}
		arrived = append(arrived, portal.Arrived{ID: a.ID, Fetched: f})
	}
	refused, err := w.store.ImportFetched(t.Context(), p, arrived, ownRules, time.Minute)
	if err != nil || len(refused) != 1 || refused[awaited[1].ID] == nil {
		t.Errorf("%v, %v", refused, err)
	}
	w.fetchedID("1")
	w.fetchedID("3")
	if left, _ := w.store.OrdersToFetch(t.Context(), "guiden", 10); len(left) != 1 || left[0].Listed.OrderID != "2" {
		t.Errorf("left %+v", left)
	}
}
