package db_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/keyring"
	"portico/internal/portal"
)

func (w *world) query(typed string) portal.PersonQuery {
	w.Helper()
	q, err := portal.ParsePersonQuery(typed)
	w.must(err)
	return q
}

func (w *world) findPerson(typed string) db.FoundPerson {
	w.Helper()
	found, err := w.store.FindPerson(w.Context(), w.query(typed))
	w.must(err)
	return found
}

// erase erases everything in which somebody is found, but for what is chosen otherwise.
func (w *world) erase(typed string, otherwise db.Choices) (portal.Erasure, error) {
	w.Helper()
	choices := db.Choices{}
	for _, s := range w.findPerson(typed).Subjects {
		choices[s.Key()] = s.Choices()[0]
		if c, ok := otherwise[s.Key()]; ok {
			choices[s.Key()] = c
		}
	}
	return w.store.ErasePerson(w.Context(), w.query(typed), choices, "request", w.erik.Actor())
}

// ended opens an order with a note that names somebody, and cancels it.
func (w *world) ended(order, note string) int64 {
	w.Helper()
	id := w.received(order)
	w.must(w.store.WriteNote(w.Context(), id, note, w.erik.Actor()))
	w.must(w.store.CancelOrder(w.Context(), id, "Ångrat", asa))
	w.tell()
	return id
}

func TestTheTimelineIsRewrittenByErasuresAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.ended("A", "Till Karin Öhman")
	refused := func(when, statement string) {
		t.Helper()
		if _, err := w.raw.Exec(statement); err == nil || !strings.Contains(err.Error(), "never rewritten") {
			t.Errorf("%s: %s: %v", when, statement, err)
		}
	}
	w.raw.SetMaxOpenConns(1)
	refused("before", `UPDATE events SET data = '{}'`)
	e, err := w.erase("Karin Öhman", nil)
	if diff := cmp.Diff(portal.Erasure{Orders: 1}, e); err != nil || diff != "" {
		t.Fatalf("%v\n%s", err, diff)
	}
	refused("afterwards", `UPDATE events SET data = '{}'`)
	w.exec(`SET portico.erasing = 'on'`)
	for _, statement := range []string{`DELETE FROM events`, `TRUNCATE events CASCADE`} {
		refused("while something is erased", statement)
	}
	w.exec(`RESET portico.erasing`)
	want := []portal.EventKind{portal.EventOpened, portal.EventReceived, portal.EventNote, portal.EventCancelled, portal.EventReported, portal.EventReported, portal.EventEmptied}
	if diff := cmp.Diff(want, w.kinds(id)); diff != "" {
		t.Error(diff)
	}
	if found := w.findPerson("Karin Öhman"); len(found.Subjects) != 0 {
		t.Errorf("it is found still: %+v", found.Subjects)
	}
}

func TestAnErasedOrderStaysErased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	id := w.ended("A", "Till Karin Öhman")
	w.must(w.store.DescribeOrder(ctx, id, portal.Details{Street: "Storgatan 1", Sellers: []string{"Karin Öhman"}}))
	_, err := w.erase("Karin Öhman", nil)
	w.must(err)
	if known, err := w.store.Described(ctx, id); !known || err != nil {
		t.Errorf("the partner is asked again what the order is about: %t, %v", known, err)
	}
	if o := w.order(id); o.ErasedAt == nil || !o.Details.Empty() || o.Target.Name != "" {
		t.Errorf("%+v", o)
	}
	w.must(w.store.WriteNote(ctx, id, "Karin Öhman ringde igen", w.erik.Actor())) // it can hold somebody again
	found := w.findPerson("Karin Öhman")
	if len(found.Subjects) != 1 || !found.Subjects[0].Erased {
		t.Fatalf("%+v", found.Subjects)
	}
	_, err = w.erase("Karin Öhman", nil)
	w.must(err)
	list, err := w.store.Erasures(ctx, 10)
	want := portal.Erasure{Staff: w.erik.Name, Reason: "request", Orders: 1, CreatedAt: w.clock.Time}
	if diff := cmp.Diff([]portal.Erasure{want, want}, list); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// TestACustomerOfSeveralOrders is erased from those that are chosen.
func TestACustomerOfSeveralOrders(t *testing.T) {
	t.Parallel()
	w := newGuide(t)
	first, second := w.listedAs("1", "delivered"), w.listedAs("2", "delivered")
	second.UserID = first.UserID
	w.poll(ownRules, first, second)
	brokers := func() int { return w.count(`SELECT count(*) FROM brokers WHERE user_id = $1`, first.UserID) }
	kept := fmt.Sprintf("order-%d", w.fetchedID("2"))
	_, err := w.erase("Susanne Testqvist", db.Choices{kept: portal.ChooseLeave})
	w.must(err)
	if a, b := w.order(w.fetchedID("1")), w.order(w.fetchedID("2")); a.Broker != fmt.Sprintf("erased-%d", a.ID) || b.Broker != "Susanne Testqvist" || brokers() != 1 {
		t.Errorf("the first is of %q, the second of %q", a.Broker, b.Broker)
	}
	_, err = w.erase("Susanne Testqvist\n199001012384", nil)
	w.must(err)
	if brokers() != 0 || w.count(`SELECT count(*) FROM personal_numbers`) != 0 {
		t.Error("the customer is still there")
	}
	w.poll(ownRules, first, second) // the partner lists them still
	if brokers() != 0 || w.count(`SELECT count(*) FROM orders`) != 2 {
		t.Error("the customer has come back")
	}
}

func TestNothingIsErasedHalf(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ended("A", "Till Karin Öhman")
	busy := w.received("B") // its report is still to be sent
	w.must(w.store.WriteNote(t.Context(), busy, "Granne till Karin Öhman", w.erik.Actor()))
	before := w.dump()
	_, err := w.erase("Karin Öhman", db.Choices{fmt.Sprintf("order-%d", busy): portal.ChooseWords})
	var known *portal.Error
	if !errors.As(err, &known) || known.Say.Key != "people.on_its_way" || known.Say.Args["Number"] != "B" {
		t.Errorf("%v", err)
	}
	if diff := cmp.Diff(before, w.dump()); diff != "" {
		t.Error(diff)
	}
}

// TestErasingWhileItIsChanged: whoever comes first, nothing is left of what was
// there, and nobody waits for the other.
func TestErasingWhileItIsChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ids []int64
	for i := range 6 {
		ids = append(ids, w.ended(fmt.Sprint("B", i), "Till Karin Öhman"))
	}
	q, choices := w.query("Karin Öhman"), db.Choices{}
	for _, id := range ids {
		choices[fmt.Sprintf("order-%d", id)] = portal.ChooseWhole
	}
	for i, err := range parallel(12, func(i int) error {
		if i%3 == 0 {
			_, err := w.store.ErasePerson(t.Context(), q, choices, "request", w.erik.Actor())
			if portal.KindOf(err) == portal.Invalid {
				return nil // somebody else has
			}
			return err
		}
		return w.store.WriteNote(t.Context(), ids[i%len(ids)], "Ringde", w.erik.Actor())
	}) {
		if err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if found := w.findPerson("Karin Öhman"); len(found.Subjects) != 0 {
		t.Errorf("left: %+v", found.Subjects)
	}
}

func TestMoreIsFoundThanIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.received("A")
	w.exec(`INSERT INTO events (order_id, kind, actor_kind, actor_id, actor_name, for_broker, data, created_at)
		SELECT max(o.id), 'note', 'staff', 1, 'Erik', false, '{"body": "Karin Öhman"}', now() FROM orders o, generate_series(1, 201) GROUP BY o.public_id, generate_series`)
	found := w.findPerson("Karin Öhman")
	if len(found.Subjects) != 1 || found.Subjects[0].ID != id || len(found.Subjects[0].Hits) != 200 || !found.More {
		t.Errorf("%d subjects, more: %t", len(found.Subjects), found.More)
	}
	if found := w.findPerson("Ingen Alls"); found.More || found.Unread || len(found.Subjects) != 0 {
		t.Errorf("%+v", found)
	}
}

// TestNumbersOfAKeyThatIsGone are not compared, and that is said.
func TestNumbersOfAKeyThatIsGone(t *testing.T) {
	t.Parallel()
	w := newGuide(t)
	w.poll(ownRules, w.listedAs("1", "delivered"))
	if found := w.findPerson("900101-2384"); len(found.Subjects) != 1 || found.Unread || found.Subjects[0].Hits[0].Place != db.PersonNumber {
		t.Errorf("%+v", found)
	}
	keys, err := keyring.Parse(keyring.New())
	w.must(err)
	w.store, _ = openStore(t, w.url, keys)
	if found := w.findPerson("900101-2384"); len(found.Subjects) != 0 || !found.Unread {
		t.Errorf("%+v", found)
	}
}

func TestErasureConstraints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.store.ErasePerson(t.Context(), w.query("Karin Öhman"), nil, "spite", w.erik.Actor())
	w.wantKind(err, portal.Invalid)
	_, err = w.store.ErasePerson(t.Context(), w.query("Karin Öhman"), db.Choices{"order-1": portal.ChooseWhole}, "request", w.erik.Actor())
	w.wantKind(err, portal.Invalid)
	_, err = w.raw.Exec(`INSERT INTO erasures (staff_id, reason, orders, leads, aside, mentions, files, created_at) VALUES ($1, 'spite', 0, 0, 0, 0, 0, $2)`,
		w.erik.ID, time.Now())
	if err == nil || !strings.Contains(err.Error(), "erasures_reason") {
		t.Error(err)
	}
}
