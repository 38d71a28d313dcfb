package handlers_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"portico/handlers"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

func (onePartner) Creates(portal.Service) bool { return false }

func (onePartner) Create(context.Context, portal.Service, string, string) (portal.Ticket, error) {
	return portal.Ticket{}, errors.New("this partner makes no orders")
}

func (brokenPartners) Creates(portal.Service) bool { return true }

func (brokenPartners) Create(context.Context, portal.Service, string, string) (portal.Ticket, error) {
	return portal.Ticket{}, errors.New("inside: secret-of-the-house")
}

// maker is a partner at which staff make orders, of any service.
type maker struct {
	handlers.Partners
	b       *bundle
	mu      sync.Mutex
	calls   []string
	answer  func() (portal.Ticket, error) // nil: an order on the partner's first estate
	details portal.Details
	preview func(portal.Message) string // nil: as the partner's client has it
}

func (m *maker) Creates(portal.Service) bool { return true }

func (m *maker) Create(_ context.Context, svc portal.Service, customer, target string) (portal.Ticket, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls = append(m.calls, strings.Join([]string{svc.ID, customer, target}, " "))
	if m.answer != nil {
		return m.answer()
	}
	o := m.b.fake.NewOrder(vitectest.Order{Office: customer, Estate: target, CallbackURL: m.b.service(svc.ID)})
	return portal.Ticket{OrderID: o.ID, Customer: customer, OwnerID: o.Owner, Target: portal.Target{Type: o.TargetType, ID: o.Estate}}, nil
}

// Entry is the partner's, with details.
func (m *maker) Entry(ctx context.Context, connection string) (handlers.Entry, error) {
	entry, err := m.Partners.Entry(ctx, connection)
	return describing{entry, m.details}, err
}

func (m *maker) Preview(ctx context.Context, message portal.Message) (string, bool, error) {
	if m.preview != nil {
		return m.preview(message), true, nil
	}
	return m.Partners.Preview(ctx, message)
}

type describing struct {
	handlers.Entry
	details portal.Details
}

func (d describing) Describe(context.Context, portal.Service, portal.Ticket) (portal.Details, error) {
	return d.details, nil
}

const newOrder = "/staff/orders/new"

// newMaker is a bundle whose staff can make orders, for an office that is known.
func newMaker(t *testing.T) (*bundle, *maker) {
	t.Helper()
	m := &maker{}
	b := newBundleWith(t, setup{maker: m})
	m.b = b
	b.addOrders("skylt", "M30011", 1)
	return b, m
}

// filledIn is the form as it is sent, with the key of a page that shows it.
func (br *browser) filledIn(service string) url.Values {
	br.b.t.Helper()
	key := br.get(newOrder).want(http.StatusOK).page().Find("input[name=form]").AttrOr("value", "")
	return url.Values{"form": {key}, "service": {service}, "office": {"M30011"}, "target": {"OBJ30011_1"}}
}

func TestNewOrderIsOfferedWhereItCanBe(t *testing.T) {
	t.Parallel()
	b, _ := newMaker(t)
	button := "a[href='" + newOrder + "']"
	for email, want := range map[string]int{staffEmail: 1, viewerEmail: 0} {
		if n := b.staff(email).get("/staff/orders").page().Find(button).Length(); n != want {
			t.Errorf("%s: %d buttons, want %d", email, n, want)
		}
	}
	without := newBundle(t)
	staff := without.staff(staffEmail)
	staff.get("/staff/orders").hasNot(newOrder)
	staff.get(newOrder).want(http.StatusNotFound)
	staff.post("/staff/orders", url.Values{"service": {"skylt"}, "office": {"M30011"}, "target": {"1"}}).want(http.StatusNotFound)
}

func TestNewOrderForm(t *testing.T) {
	t.Parallel()
	b, m := newMaker(t)
	b.addOrders("skylt", "M30012", 1)
	staff := b.staff(staffEmail)
	with := func(input, value string) url.Values {
		typed := url.Values{"service": {"expertfoto"}, "office": {"M30011"}, "target": {"OBJ1"}}
		typed.Set(input, value)
		return typed
	}
	one := func(input string, s portal.Sentence) map[string]portal.Sentence {
		return map[string]portal.Sentence{input: s}
	}
	notServed := portal.Say("new_order.not_served")
	staff.sendWrongly(t, "/staff/orders", []formCase{
		{name: "nothing", typed: url.Values{}, faults: map[string]portal.Sentence{"service": choose, "office": choose, "target": required}},
		{name: "no service", typed: with("service", ""), faults: one("service", choose)},
		{name: "unknown service", typed: with("service", "x\x00"), faults: one("service", choose), lost: []string{"service"}},
		{name: "no office", typed: with("office", ""), faults: one("office", choose)},
		{name: "unknown office", typed: with("office", "M1\x00"), faults: one("office", notServed), lost: []string{"office"}},
		{name: "not served", typed: with("service", "avtal"), faults: one("office", notServed)},
		{name: "blank target", typed: with("target", " \n"), faults: one("target", required)},
		{name: "long target", typed: with("target", strings.Repeat("9", 101)), faults: one("target", portal.Say("field.too_long", "Max", 100, "Count", 101))},
		{name: "NUL", typed: with("target", "6\x00"), faults: one("target", garbled), lost: []string{"target"}},
	})
	if audits := b.query(`SELECT count(*) FROM audits`); len(m.calls) > 0 || audits != "0" {
		t.Errorf("refused, and yet: %v, %s audits", m.calls, audits)
	}
}

// TestNewOrder: the order is made at the partner and is the one here that its
// broker opens then.
func TestNewOrder(t *testing.T) {
	t.Parallel()
	b, m := newMaker(t)
	m.details = portal.Details{Street: "Storgata 5", ZipCode: "0155", City: "Oslo"}
	staff := b.staff(staffEmail)
	page := staff.get(newOrder).want(http.StatusOK).wantHeading("new_order.title")
	if n := page.page().Find("#office option[selected]").Length(); n != 1 {
		t.Errorf("the only office is chosen %d times", n)
	}
	typed := staff.filledIn("expertfoto")
	typed.Set("target", " OBJ30011_1\n")
	work := staff.post("/staff/orders", typed).want(http.StatusSeeOther).header.Get("Location")
	if diff := slices.Compare(m.calls, []string{"expertfoto M30011 OBJ30011_1"}); diff != 0 {
		t.Errorf("the partner was asked for %q", m.calls)
	}
	staff.wantFlash(work)
	a := staff.get(work).has("Storgata 5, 0155 Oslo").has(say("sv", portal.Say("work.created", "System", "vitec")))
	if got := a.text("[data-testid=timeline] li"); !strings.HasPrefix(got, "Erik Berg "+say("sv", portal.Say("event.created"))) {
		t.Errorf("the timeline says %q", got)
	}
	audit := b.query(`SELECT concat_ws(' ', action, actor, data ->> 'service', data ->> 'office', data ->> 'target') FROM audits`)
	if audit != "create_order staff Erik Berg expertfoto M30011 OBJ30011_1" {
		t.Errorf("audited as %q", audit)
	}

	o := b.stored(strings.TrimPrefix(work, "/staff"))
	broker := b.browser()
	if opened := broker.open(b.fake.Reopen(o.PartnerOrderID)); "/staff"+opened != work {
		t.Errorf("the broker comes to %s, staff to %s", opened, work)
	}
	if kinds := b.query(`SELECT string_agg(kind, ' ' ORDER BY id) FROM events WHERE order_id = $1`, o.ID); kinds != "created" {
		t.Errorf("the timeline has %s", kinds)
	}
}

// TestNewOrderWithoutAForm is received at once, and the partner is told.
func TestNewOrderWithoutAForm(t *testing.T) {
	t.Parallel()
	b, _ := newMaker(t)
	staff := b.staff(staffEmail)
	work := staff.post("/staff/orders", staff.filledIn("skylt")).want(http.StatusSeeOther).header.Get("Location")
	staff.get(work).hasNot(say("sv", portal.Say("work.created", "System", "vitec")))
	o := b.stored(strings.TrimPrefix(work, "/staff"))
	b.drain()
	reported, _ := b.fake.Order("", o.PartnerOrderID)
	if o.State != portal.Received || reported.Status != vitectest.StatusReceived {
		t.Errorf("%s here, %s there", o.State, reported.Status)
	}
}

// TestNewOrderRefused: each refusal says what it was, keeps what was typed and
// leaves nothing here.
func TestNewOrderRefused(t *testing.T) {
	t.Parallel()
	b, m := newMaker(t)
	staff := b.staff(staffEmail)
	before := b.changes()
	for name, c := range map[string]struct {
		err    error
		ticket portal.Ticket
		status int
		key    string // of the page's refusal
		says   string
	}{
		"may not": {err: &portal.Error{Kind: portal.Forbidden, Say: portal.Say("partner.may_not_order", "Answer", `{"Message":"<b>no</b>"}`)},
			status: 422, key: "partner.may_not_order", says: `{"Message":"<b>no</b>"}`},
		"may not, no reason": {err: portal.Errorf(portal.Forbidden, "partner.may_not_order", "Answer", ""), status: 422, key: "partner.may_not_order"},
		"does not answer":    {err: portal.Errorf(portal.Unavailable, "partner.unavailable"), status: 503, key: "partner.unavailable"},
		"may have arrived":   {err: portal.Errorf(portal.Unavailable, "partner.order_unknown"), status: 503, key: "partner.order_unknown"},
		"made, not stored":   {ticket: portal.Ticket{OrderID: "a\x00", Customer: "M30011"}, status: 503, key: "partner.order_unknown"},
	} {
		m.answer = func() (portal.Ticket, error) { return c.ticket, c.err }
		for _, lang := range portal.Locales {
			staff.speak(lang)
			typed := staff.filledIn("expertfoto")
			a := staff.post("/staff/orders", typed).want(c.status)
			box := a.page().Find("[data-testid=refusal]")
			if got := box.AttrOr("data-key", ""); got != c.key || !strings.Contains(box.Text(), c.says) {
				t.Errorf("%s: %q: %s", name, got, box.Text())
			}
			if got, want := box.Find("h2").Text(), say(lang, portal.Say(c.key, "System", "vitec")); got != want {
				t.Errorf("%s (%s): it says %q, want %q", name, lang, got, want)
			}
			for _, input := range []string{"service", "office", "target"} {
				if !keeps(a.page(), input, typed.Get(input)) {
					t.Errorf("%s: %s is lost", name, input)
				}
			}
			if key := a.page().Find("input[name=form]").AttrOr("value", ""); key == "" || key == typed.Get("form") {
				t.Errorf("%s: the form can be sent by key %q", name, key)
			}
		}
	}
	staff.speak("sv")
	m.answer = func() (portal.Ticket, error) {
		return portal.Ticket{}, portal.Errorf(portal.NotFound, "partner.no_case", "Case", "OBJ30011_1")
	}
	missing := formCase{name: "no such target", typed: staff.filledIn("expertfoto"), faults: map[string]portal.Sentence{
		"target": portal.Say("partner.no_case", "Case", "OBJ30011_1")}, lost: []string{"form"}}
	missing.check(t, "sv", staff.post("/staff/orders", missing.typed))
	m.answer = func() (portal.Ticket, error) { return portal.Ticket{}, errors.New("inside: secret-of-the-house") }
	staff.post("/staff/orders", staff.filledIn("expertfoto")).want(http.StatusInternalServerError).hasNot("secret-of-the-house")
	if after := b.changes(); after != before {
		t.Errorf("refused, and yet: %s, then %s", before, after)
	}
}

// TestAFormMakesOneOrder: a second click, a reload and the way back ask the
// partner for nothing.
func TestAFormMakesOneOrder(t *testing.T) {
	t.Parallel()
	b, m := newMaker(t)
	staff := b.staff(staffEmail)
	typed := staff.filledIn("expertfoto")
	statuses := make(chan int)
	for range 5 {
		go func() {
			a, err := staff.try(http.MethodPost, "/staff/orders", formType, strings.NewReader(typed.Encode()))
			if err != nil {
				t.Error(err)
			}
			statuses <- a.status
		}()
	}
	var got []int
	for range 5 {
		got = append(got, <-statuses)
	}
	slices.Sort(got)
	if want := []int{303, 409, 409, 409, 409}; slices.Compare(got, want) != 0 || len(m.calls) != 1 {
		t.Errorf("answered %v, %d calls", got, len(m.calls))
	}
	again := staff.post("/staff/orders", typed).want(http.StatusConflict)
	if key := again.page().Find("[data-testid=refusal]").AttrOr("data-key", ""); key != "new_order.sent" {
		t.Errorf("it says %q", key)
	}
	for _, key := range []string{again.page().Find("input[name=form]").AttrOr("value", "none"), "", "a\x00"} {
		typed.Set("form", key)
		staff.post("/staff/orders", typed).want(http.StatusSeeOther)
	}
	if len(m.calls) != 4 {
		t.Errorf("%d calls", len(m.calls))
	}
}
