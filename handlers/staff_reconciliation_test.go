package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"portico/db"
	"portico/internal/partner/vitec"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
	"portico/internal/worker"
)

// testReconciler is the worker's on the connection's client.
type testReconciler struct {
	*worker.Reconciler
	testLister
}

func newTestReconciler(store *db.Store, client *vitec.Client, log *slog.Logger) testReconciler {
	lister := testLister{client}
	return testReconciler{&worker.Reconciler{Store: store, Listers: lister, Log: log}, lister}
}

func (r testReconciler) Reconcile(ctx context.Context, connection, customer string, by portal.Actor) error {
	_, err := r.Reconciler.Reconcile(ctx, connection, customer, by)
	return err
}

// testLister is the list of the connection vitec; no other has one.
type testLister struct{ client *vitec.Client }

func (l testLister) Listing(context.Context) ([]string, error) { return []string{"vitec"}, nil }

func (l testLister) Lister(context.Context, string) (worker.Lister, error) { return l, nil }

func (l testLister) List(ctx context.Context, customer string, since time.Time) (portal.Listing, error) {
	list, err := l.client.List(ctx, customer, since)
	if errors.Is(err, portal.ErrCredential) {
		return list, &portal.Error{Kind: portal.Unavailable, Say: portal.Say("reconciliation.credential"), Err: err}
	}
	if err != nil {
		return list, &portal.Error{Kind: portal.Unavailable, Say: portal.Say("reconciliation.unavailable"), Err: err}
	}
	return list, nil
}

const reconciliationPage = "/staff/reconciliation?connection=vitec&office=M30011"

var compareM30011 = url.Values{"connection": {"vitec"}, "office": {"M30011"}}

// compare compares office M30011, an hour after what was done before.
func (br *browser) compare() answer {
	br.b.t.Helper()
	br.b.clock.Pass(time.Hour)
	br.login(staffEmail, staffPassword)
	br.post("/staff/reconciliation", compareM30011).wantLocation(reconciliationPage)
	return br.get(reconciliationPage).want(http.StatusOK)
}

// list returns the rows of one of the lists, or of a fold.
func (a answer) list(name string) *goquery.Selection {
	a.b.t.Helper()
	return a.page().Find("[data-testid=" + name + "] [data-testid=difference]")
}

func (a answer) wantLists(here, there, states int) answer {
	a.b.t.Helper()
	got := [3]int{a.list("missing_here").Length(), a.list("missing_there").Length(), a.list("state_differs").Length()}
	if want := [3]int{here, there, states}; got != want {
		a.b.t.Fatalf("%d missing here, %d missing there, %d in another state, want %v:\n%s", got[0], got[1], got[2], want, a.text("main"))
	}
	return a
}

// action returns the address of a form of the first row of a list.
func (a answer) action(list, form string) string {
	a.b.t.Helper()
	action, ok := a.list(list).First().Find(fmt.Sprintf("form[action$='/%s']", form)).Attr("action")
	if !ok {
		a.b.t.Fatalf("the first row of %s has no form %s:\n%s", list, form, a.text("main"))
	}
	return action
}

// TestLostReport is the whole: the partner says yes and forgets, the comparison
// finds it, and a second report puts it right.
func TestLostReport(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	id, address := b.order("skylt")
	page := b.browser().open(address)
	staff := b.staff(staffEmail)
	b.drain()
	b.fake.SetFault(vitectest.OpStatus, vitectest.Fault{Kind: vitectest.FaultLost, Times: 1})
	staff.deliver("/staff"+page, nil, url.Values{"message": {"Skylten står"}}).want(http.StatusSeeOther)
	b.drain()
	b.wantStatuses(id, "OrderReceived")

	screen := staff.compare().wantLists(0, 0, 1).has("OrderReceived").has(id)
	if got := screen.list("state_differs").Find("a").AttrOr("href", ""); got != "/staff"+page {
		t.Errorf("the row leads to %s, want the order", got)
	}
	staff.get("/staff/orders").has(`href="/staff/reconciliation"`)
	if got := staff.get("/staff/orders").text(`a[href="/staff/reconciliation"] .num`); got != "1" {
		t.Errorf("the navigation counts %q differences, want 1", got)
	}
	staff.post(screen.action("state_differs", "report"), url.Values{"next": {reconciliationPage}}).wantLocation(reconciliationPage)
	staff.get(reconciliationPage).has(say("sv", portal.Say("flash.reconciliation_report"))).wantLists(0, 0, 0)
	b.drain()
	b.wantStatuses(id, "OrderReceived", "Delivered")
	if o, _ := b.fake.Order("M30011", id); o.Status != "Delivered" || o.History[1].Comment != "Skylten står" {
		t.Errorf("the partner has %+v", o)
	}
	staff.compare().wantLists(0, 0, 0).has(say("sv", portal.Say("reconciliation.equal")))
	staff.get("/staff" + page).has("OrderReceived") // on the timeline
}

func TestReconciliationSettled(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("skylt")
	b.browser().open(address)
	b.drain()
	b.clock.Pass(time.Hour)
	lost := b.fake.NewOrder(vitectest.Order{Office: "M30011"})
	staff := b.staff(staffEmail)
	screen := staff.compare().wantLists(1, 0, 0).has(lost.ID).has("2 beställningar jämförda, en skillnad")

	accept := screen.action("missing_here", "acceptance")
	refused := staff.post(accept, url.Values{"reason": {" "}, "next": {reconciliationPage}}).want(http.StatusUnprocessableEntity)
	refused.wantLists(1, 0, 0).has(say("sv", portal.Say("field.required")))
	if _, open := refused.list("missing_here").Find("details:has(form[action$='/acceptance'])").Attr("open"); !open {
		t.Error("the form that was refused is folded away")
	}
	take := screen.action("missing_here", "import")
	for _, service := range []string{"", "nowhere"} {
		staff.post(take, url.Values{"service": {service}, "next": {reconciliationPage}}).want(http.StatusUnprocessableEntity).
			has(say("sv", portal.Say("field.choose"))).wantLists(1, 0, 0)
	}
	if got := screen.list("missing_here").Find("option[selected]").AttrOr("value", ""); got != "skylt" {
		t.Errorf("service %q is chosen, want the one of the other orders of that kind", got)
	}
	staff.post(take, url.Values{"service": {"expertfoto"}, "next": {"/staff/outbox"}}).wantLocation("/staff/reconciliation")
	staff.post(take, url.Values{"service": {"expertfoto"}}).want(http.StatusConflict).has(say("sv", portal.Say("reconciliation.settled")))
	staff.get("/staff/orders?state=draft").has(lost.ID)
	b.drain()
	staff.compare().wantLists(0, 0, 0)

	gone := b.fake.NewOrder(vitectest.Order{Office: "M30011"})
	accept = staff.compare().wantLists(1, 0, 0).action("missing_here", "acceptance")
	staff.post(accept, url.Values{"reason": {"En testbeställning"}, "next": {reconciliationPage}}).wantLocation(reconciliationPage)
	again := staff.compare().wantLists(0, 0, 0)
	if row := again.list("accepted").Text(); !strings.Contains(row, gone.ID) || !strings.Contains(row, "En testbeställning") || !strings.Contains(row, "Erik Berg") {
		t.Errorf("accepted: %s", row)
	}
	if again.list("accepted").Find("form").Length() != 0 {
		t.Error("what is accepted can be accepted again")
	}
}

// TestReconciliationWithoutAnswer: the partner is down; what was found stays.
func TestReconciliationWithoutAnswer(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("skylt")
	b.browser().open(address)
	b.drain()
	b.clock.Pass(time.Hour)
	lost := b.fake.NewOrder(vitectest.Order{Office: "M30011"})
	staff := b.staff(staffEmail)
	staff.compare().wantLists(1, 0, 0)
	for fault, key := range map[vitectest.FaultKind]string{vitectest.FaultUnavailable: "reconciliation.unavailable",
		vitectest.FaultUnauthorized: "reconciliation.credential", vitectest.FaultTruncated: "reconciliation.unavailable"} {
		b.fake.SetFault(vitectest.OpList, vitectest.Fault{Kind: fault})
		screen := staff.compare().wantLists(1, 0, 0).has(lost.ID).has(say("sv", portal.Say(key)))
		if got := screen.text("[data-testid=failed]"); !strings.Contains(got, "M30011") || !strings.Contains(got, "Det som står här är från") {
			t.Errorf("%s: the screen says %q about how old it is", fault, got)
		}
	}
	b.fake.ClearFaults()
	staff.compare().wantLists(1, 0, 0).hasNot("data-testid=\"failed\"")
}

// patient is a reconciler that only tells how long it may take.
type patient struct {
	testReconciler
	deadline chan time.Time
}

func (p patient) Reconcile(ctx context.Context, _, _ string, _ portal.Actor) error {
	deadline, _ := ctx.Deadline()
	p.deadline <- deadline
	return nil
}

// TestReconciliationIsNotWaitedForLong: a partner that says nothing costs the
// visitor a quarter of a minute.
func TestReconciliationIsNotWaitedForLong(t *testing.T) {
	t.Parallel()
	p := patient{deadline: make(chan time.Time, 1)}
	b := newBundleWith(t, setup{reconciler: p})
	before := time.Now()
	b.staff(staffEmail).post("/staff/reconciliation", compareM30011).want(http.StatusSeeOther)
	if got := (<-p.deadline).Sub(before); got < 10*time.Second || got > 20*time.Second {
		t.Errorf("the partner may take %s", got)
	}
}

// TestReconciliationOfNothing: before the first order, and of what there is not.
func TestReconciliationOfNothing(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff := b.staff(staffEmail)
	staff.get("/staff/reconciliation").want(http.StatusOK).has(say("sv", portal.Say("reconciliation.no_offices")))
	staff.post("/staff/reconciliation", compareM30011).want(http.StatusNotFound)
	staff.post("/staff/reconciliation", url.Values{"connection": {"core"}}).want(http.StatusNotFound)
	staff.post("/staff/reconciliation/4711/report", nil).want(http.StatusNotFound)
	staff.post("/staff/reconciliation/4711/import", url.Values{"service": {"skylt"}}).want(http.StatusNotFound)
	_, address := b.order("skylt")
	b.browser().open(address)
	staff.get("/staff/reconciliation").want(http.StatusOK).has(say("sv", portal.Say("reconciliation.never")))
}

// TestReconciliationOfAll: all offices are made due; the worker does the rest.
func TestReconciliationOfAll(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("skylt")
	b.browser().open(address)
	b.drain()
	b.clock.Pass(time.Hour)
	staff := b.staff(staffEmail)
	staff.post("/staff/reconciliation", url.Values{"connection": {"vitec"}}).wantLocation("/staff/reconciliation?connection=vitec")
	if n := b.fake.Count(vitectest.OpList); n != 0 {
		t.Errorf("%d lists were asked for while somebody waited", n)
	}
	n, err := b.reconciler().RunOnce(t.Context())
	if err != nil || n != 1 {
		t.Errorf("%d offices were due, %v", n, err)
	}
	staff.get("/staff/reconciliation").has(say("sv", portal.Say("reconciliation.equal")))
}

func (b *bundle) reconciler() *worker.Reconciler {
	b.t.Helper()
	client, err := vitec.New(b.connection(), vitec.Options{})
	b.check(err)
	return newTestReconciler(b.store, client, slog.New(slog.DiscardHandler)).Reconciler
}

// TestUnverifiedOrder: what came in without proof is marked until the partner's
// list has it.
func TestUnverifiedOrder(t *testing.T) {
	t.Parallel()
	b := newBackground(t)
	order := b.fake.NewOrder(vitectest.Order{Office: "M30011", Estate: "OBJ30011_1684210"})
	query := plain(order.ID)
	query.Set("estateId", order.Estate)
	b.browser().get("/callback/callnone/" + pathSecret + "?" + query.Encode()).want(http.StatusOK)
	b.browser().get("/callback/callnone/" + pathSecret + "?" + plain("forged").Encode()).want(http.StatusOK)
	staff := b.staff(staffEmail)
	marks := func() int {
		return staff.get("/staff/orders").want(http.StatusOK).page().Find("[data-testid=order-row] [data-testid=unverified]").Length()
	}
	if n := marks(); n != 2 {
		t.Errorf("%d orders are marked in the queue, want both", n)
	}
	b.clock.Pass(time.Minute)
	if n, err := b.reconciler().RunOnce(t.Context()); n != 1 || err != nil {
		t.Fatalf("%d offices were due a minute later, %v", n, err)
	}
	if n := marks(); n != 1 {
		t.Errorf("%d orders are marked in the queue, want the forged one", n)
	}
	if got := b.query(`SELECT partner_order_id FROM orders WHERE unverified`); got != "forged" {
		t.Errorf("order %s is not verified", got)
	}
}
