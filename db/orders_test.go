package db_test

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
)

func TestOpenOrderFiftyAtOnce(t *testing.T) {
	t.Parallel()
	for service, jobs := range map[string]int{"foto": 0, "skylt": 1} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			svc := w.service(service)
			var mu sync.Mutex
			var opened []db.Opened
			for _, err := range parallel(50, func(int) error {
				o, err := w.store.OpenOrder(t.Context(), svc, ticket("M1", "B1"), "SEK")
				mu.Lock()
				defer mu.Unlock()
				opened = append(opened, o)
				return err
			}) {
				w.must(err)
			}
			fresh := 0
			for _, o := range opened {
				if o.ID != opened[0].ID || o.PublicID != opened[0].PublicID || o.BrokerID != opened[0].BrokerID {
					t.Errorf("%+v is another order than %+v", o, opened[0])
				}
				if o.New {
					fresh++
				}
			}
			got := []int{fresh, w.count(`SELECT count(*) FROM orders`), w.count(`SELECT count(*) FROM offices`),
				w.count(`SELECT count(*) FROM brokers`), w.count(`SELECT count(*) FROM events WHERE kind = 'opened'`), w.count(`SELECT count(*) FROM jobs`)}
			if diff := cmp.Diff([]int{1, 1, 1, 1, 1, jobs}, got); diff != "" {
				t.Errorf("new, orders, offices, brokers, opened, jobs:\n%s", diff)
			}
		})
	}
}

func TestOrderIdentity(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.open("foto", ticket("M1", "B1"))
	for name, c := range map[string]struct {
		service       string
		office, order string
		same          bool
	}{
		"again":                     {"foto", "M1", "B1", true},
		"by another service":        {"skylt", "M1", "B1", true},
		"another order":             {"foto", "M1", "B2", false},
		"another office's same id":  {"foto", "M2", "B1", false},
		"another connection's":      {"annan", "M1", "B1", false},
		"another in capital":        {"foto", "M1", "b1", false},
		"another office in capital": {"foto", "m1", "B1", false},
	} {
		o := w.open(c.service, ticket(c.office, c.order))
		if (o.PublicID == first.PublicID) != c.same || (o.ID == first.ID) != c.same || o.New == c.same {
			t.Errorf("%s: %+v, the first is %+v", name, o, first)
		}
		if len(o.PublicID) < 26 { // of base32: 130 bits
			t.Errorf("public id %q is short", o.PublicID)
		}
	}
	year := 366 * 24 * time.Hour
	w.clock.advance(year)
	if o := w.open("foto", ticket("M1", "B1")); o != (db.Opened{ID: first.ID, PublicID: first.PublicID, BrokerID: first.BrokerID}) {
		t.Errorf("a year later: %+v, the first is %+v", o, first)
	}
}

func TestOpenOrderKeepsOwnerAndVisitorApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine := ticket("M1", "B1")
	mine.UserID, mine.OwnerID = "assistant", "owner"
	o := w.open("foto", mine)
	if order := w.order(o.ID); order.BrokerID == o.BrokerID || order.Broker != "owner" {
		t.Errorf("the order is of %d %s, the visitor is %d", order.BrokerID, order.Broker, o.BrokerID)
	}
	mine.UserID, mine.OwnerID = "colleague", "somebody else"
	again := w.open("foto", mine)
	if order := w.order(o.ID); again.BrokerID == o.BrokerID || order.Broker != "owner" {
		t.Errorf("visited by %d and %d, of %s", o.BrokerID, again.BrokerID, order.Broker)
	}
	other := w.open("foto", ticket("M2", "B1"))
	if name := w.count(`SELECT count(DISTINCT office_id) FROM brokers WHERE user_id = 'U1' AND id = $1`, other.BrokerID); name != 1 {
		t.Error("a user id is of one office")
	}
}

// TestBrokersMeetCrosswise: two orders, each opened by the other's owner, make
// the same two people at the same time.
func TestBrokersMeetCrosswise(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	svc := w.service("foto")
	w.open("foto", ticket("M1", "B0"))
	for i := range 25 {
		for _, err := range parallel(2, func(n int) error {
			people := []string{fmt.Sprint("A", i), fmt.Sprint("B", i)}
			mine := ticket("M1", fmt.Sprint("B", i, n))
			mine.OwnerID, mine.UserID = people[n], people[1-n]
			_, err := w.store.OpenOrder(t.Context(), svc, mine, "SEK")
			return err
		}) {
			w.must(err)
		}
	}
}

func TestOpenOrderWithoutForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opened := w.open("skylt", ticket("M1", "B1"))
	o, due := w.order(opened.ID), w.clock.Add(48*time.Hour)
	if o.State != portal.Received || !o.ReceivedAt.Equal(w.clock.now()) || !o.DueAt.Equal(due) {
		t.Errorf("%s, received %v, due %v", o.State, o.ReceivedAt, o.DueAt)
	}
	if diff := cmp.Diff([]portal.EventKind{portal.EventOpened, portal.EventReceived}, w.kinds(o.ID)); diff != "" {
		t.Error(diff)
	}
	jobs := w.jobs(o.ID)
	want := portal.Message{OrderID: o.ID, ConnectionID: "vitec", ServiceID: "skylt", Customer: "M1", Tenant: "T1",
		PartnerOrderID: "B1", Target: portal.Target{Type: "House", ID: "OBJ_B1"}, State: portal.Received, Since: w.clock.now(),
		Language: "sv", Number: strconv.FormatInt(o.ID, 10), Day: "2026-11-04", PublicID: opened.PublicID}
	if len(jobs) != 1 || !cmp.Equal(want, jobs[0].Message) || jobs[0].State != portal.JobAvailable || jobs[0].MaxAttempts != len(portal.Backoff) {
		t.Errorf("jobs %+v, want one of %+v", jobs, want)
	}
	background := w.open("bakom", ticket("M1", "B2"))
	w.wantState(background.ID, portal.Received)
	if jobs := w.jobs(background.ID); len(jobs) != 0 {
		t.Errorf("received in the background is reported: %+v", jobs)
	}
	draft := w.open("foto", ticket("M1", "B3"))
	w.wantState(draft.ID, portal.Draft)
	if jobs, kinds := w.jobs(draft.ID), w.kinds(draft.ID); len(jobs) != 0 || !slices.Equal(kinds, []portal.EventKind{portal.EventOpened}) {
		t.Errorf("a draft has jobs %+v, events %v", jobs, kinds)
	}
}

func TestOpenOrderReadsWhatItStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mine := ticket("M1", "B1")
	mine.Chain = "G1"
	o := w.order(w.open("foto", mine).ID)
	want := portal.Order{ID: o.ID, PublicID: o.PublicID, PartnerOrderID: "B1", Tenant: "T1", Target: mine.Target,
		Office: portal.Office{ID: o.Office.ID, Customer: "M1"}, BrokerID: o.BrokerID, Broker: "U1", State: portal.Draft,
		Answers: portal.Answers{}, Currency: "SEK", CreatedAt: w.clock.now(), UpdatedAt: w.clock.now(),
		Service: portal.Service{ID: "foto", ConnectionID: "vitec", System: "vitec", Flow: portal.FlowPage, TurnaroundHours: 48,
			Name: portal.Text{}, Description: portal.Text{}, Reports: told, Form: w.service("foto").Form, Language: "sv", TimeZone: "Europe/Stockholm"}}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Error(diff)
	}
	if w.count(`SELECT count(*) FROM orders WHERE ticket = '{"orderId": "B1"}'`) != 1 {
		t.Error("the ticket is not kept as it came")
	}
	bare := ticket("M1", "B2")
	bare.Raw = nil
	w.open("foto", bare)
}

func TestOrderKeepsItsForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.open("foto", ticket("M1", "B1"))
	s := worldSetup()
	s.Services[0].Form = portal.Form{Fields: []portal.Field{{ID: "note", Type: portal.FieldText, Required: true}}}
	apply(t, w.store, s)
	after := w.open("foto", ticket("M1", "B2"))
	for id, version := range map[int64]int{before.ID: 1, after.ID: 2} {
		if got := w.order(id).Service.Form.Version; got != version {
			t.Errorf("order %d has version %d, want %d", id, got, version)
		}
	}
	w.must(w.store.SubmitOrder(t.Context(), before.ID, map[string][]string{"package": {"large"}}, asa))
	if o := w.order(before.ID); o.Total != 399000 || !cmp.Equal(o.Answers, portal.Answers{"package": {"large"}}) {
		t.Errorf("total %d, answers %v", o.Total, o.Answers)
	}
	w.wantKind(w.store.SubmitOrder(t.Context(), after.ID, map[string][]string{"package": {"large"}}, asa), portal.Invalid)
}

func TestOrderForVisitor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	mine, others := w.open("foto", ticket("M1", "B1")), w.open("foto", ticket("M2", "B1"))
	session, stranger := []byte("session"), []byte("stranger")
	for _, s := range [][]byte{session, stranger} {
		w.must(w.store.CreateSession(ctx, s, db.SessionBroker, 0))
	}
	w.must(w.store.Grant(ctx, session, mine.ID, mine.BrokerID, []byte("link")))
	w.must(w.store.Grant(ctx, stranger, others.ID, others.BrokerID, []byte("link")))
	o, broker, err := w.store.OrderForVisitor(ctx, session, mine.PublicID)
	if err != nil || o.ID != mine.ID || broker != mine.BrokerID || len(o.Service.Form.Fields) != 2 {
		t.Errorf("%+v for %d, %v", o, broker, err)
	}
	for name, c := range map[string]struct {
		session []byte
		id      string
	}{
		"another's order":       {session, others.PublicID},
		"no such order":         {session, "AAAAAAAAAAAAAAAAAAAAAAAAAA"},
		"the partner's id":      {session, "B1"},
		"without a grant":       {stranger, mine.PublicID},
		"without a session":     {nil, mine.PublicID},
		"an empty id":           {session, ""},
		"a NUL":                 {session, mine.PublicID + "\x00"},
		"no UTF-8":              {session, "\xff"},
		"the id in lower case?": {session, "x" + mine.PublicID[1:]},
	} {
		_, _, err := w.store.OrderForVisitor(ctx, c.session, c.id)
		if portal.KindOf(err) != portal.NotFound {
			t.Errorf("%s: %v, want NotFound", name, err)
		}
	}
	_, err = w.store.OrderForStaff(ctx, "\x00")
	w.wantKind(err, portal.NotFound)
}

func TestGrantsAddUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, session := t.Context(), []byte("session")
	first, second := w.open("foto", ticket("M1", "B1")), w.open("foto", ticket("M1", "B2"))
	w.must(w.store.CreateSession(ctx, session, db.SessionBroker, 0))
	w.must(w.store.Grant(ctx, session, first.ID, first.BrokerID, []byte("link 1")))
	w.clock.advance(time.Second)
	w.must(w.store.Grant(ctx, session, second.ID, second.BrokerID, []byte("link 2")))
	w.must(w.store.Grant(ctx, session, first.ID, first.BrokerID, []byte("link 3")))
	for _, o := range []db.Opened{first, second} {
		if _, _, err := w.store.OrderForVisitor(ctx, session, o.PublicID); err != nil {
			t.Errorf("order %s: %v", o.PublicID, err)
		}
	}
	for name, c := range map[string]struct {
		connection string
		ticket     portal.Ticket
		link       string
		want       string
	}{
		"by the partner's id":         {"vitec", ticket("M1", "B2"), "", second.PublicID},
		"the same id, another office": {"vitec", ticket("M2", "B2"), "link 2", ""},
		"the link of a bare ticket":   {"vitec", portal.Ticket{Customer: "M1"}, "link 2", second.PublicID},
		"its newest link":             {"vitec", portal.Ticket{}, "link 3", first.PublicID},
		"its old link":                {"vitec", portal.Ticket{}, "link 1", ""},
		"another connection":          {"other", ticket("M1", "B2"), "link 2", ""},
		"a link of nobody":            {"vitec", portal.Ticket{}, "link 9", ""},
	} {
		got, err := w.store.GrantedOrder(ctx, session, c.connection, c.ticket, []byte(c.link))
		if got != c.want || (c.want == "") != (portal.KindOf(err) == portal.NotFound) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
	w.must(w.store.DeleteSession(ctx, session))
	_, _, err := w.store.OrderForVisitor(ctx, session, first.PublicID)
	w.wantKind(err, portal.NotFound)
}
