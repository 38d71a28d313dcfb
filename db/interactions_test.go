package db_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
)

// asked opens an order and asks about it.
func (w *world) asked(order string, choices ...string) (id, question int64) {
	w.Helper()
	id = w.received(order)
	w.must(w.store.AskBroker(w.Context(), id, portal.Interaction{Comment: "Vilken dag?", Choices: choices}, w.erik.Actor()))
	return id, w.openQuestion(id)
}

func TestAskBroker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, question := w.asked("B1")
	if o := w.order(id); o.State != portal.Waiting || !o.WaitingSince.Equal(w.clock.now()) {
		t.Errorf("%s since %v", o.State, o.WaitingSince)
	}
	jobs := w.jobs(id)
	last := jobs[len(jobs)-1].Message
	if last.State != portal.Waiting || last.InteractionID != question || last.Comment != "Vilken dag?" {
		t.Errorf("the report is %+v, want the question %d", last, question)
	}
	w.clock.advance(time.Hour)
	w.must(w.store.AnswerInteraction(t.Context(), id, question, "Tisdag", asa))
	w.must(w.store.AskBroker(t.Context(), id, portal.Interaction{Comment: "Vilken tid?", Choices: []string{"9", "10"}}, w.erik.Actor()))
	got, err := w.store.Interactions(t.Context(), id)
	w.must(err)
	now, before := w.clock.now(), w.clock.Add(-time.Hour)
	want := []portal.Interaction{
		{ID: w.openQuestion(id), Comment: "Vilken tid?", Choices: []string{"9", "10"}, AskedBy: w.erik.Actor(), AskedAt: now},
		{ID: question, Comment: "Vilken dag?", Choices: []string{}, AskedBy: w.erik.Actor(), AskedAt: before, Answer: "Tisdag", AnsweredAt: &now, ClosedAt: &now},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if due := w.order(id).DueAt; !due.Equal(before.Add(49 * time.Hour)) {
		t.Errorf("due %v after an hour of waiting", due)
	}
}

func TestOneQuestionAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.received("B1")
	ask := func(int) error {
		return w.store.AskBroker(t.Context(), id, portal.Interaction{Comment: "Vilken dag?"}, w.erik.Actor())
	}
	done := 0
	for _, err := range parallel(8, ask) {
		if err == nil {
			done++
		} else {
			w.wantKind(err, portal.Conflict)
		}
	}
	if n := w.count(`SELECT count(*) FROM interactions`); done != 1 || n != 1 {
		t.Errorf("asked %d times, %d questions", done, n)
	}
	// The database holds even where the order's state does not say it.
	w.exec(`UPDATE orders SET state = 'active', waiting_since = NULL`)
	err := ask(0)
	w.wantKind(err, portal.Conflict)
	if err == nil || !strings.Contains(err.Error(), "interaction.already_open") {
		t.Errorf("%v", err)
	}
}

func TestAnswerInteraction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	id, question := w.asked("B1", "Tisdag", "Onsdag")
	_, others := w.asked("B2", "Tisdag", "Onsdag")
	for name, c := range map[string]struct {
		question int64
		answer   string
		want     portal.Kind
	}{
		"another order's":   {others, "Tisdag", portal.NotFound},
		"none":              {0, "Tisdag", portal.NotFound},
		"not to choose":     {question, "Fredag", portal.Invalid},
		"without an answer": {question, "", portal.Invalid},
	} {
		if err := w.store.AnswerInteraction(ctx, id, c.question, c.answer, asa); portal.KindOf(err) != c.want {
			t.Errorf("%s: %v, want kind %d", name, err, c.want)
		}
	}
	w.wantState(id, portal.Waiting)
	answers, done := []string{"Tisdag", "Onsdag"}, 0
	for _, err := range parallel(8, func(i int) error {
		return w.store.AnswerInteraction(ctx, id, question, answers[i%2], asa)
	}) {
		if err == nil {
			done++
		} else {
			w.wantKind(err, portal.Conflict)
		}
	}
	if done != 1 || w.count(`SELECT count(*) FROM events WHERE kind = 'answered'`) != 1 {
		t.Errorf("answered %d times", done)
	}
	w.wantState(id, portal.Active)
}

func TestQuestionsEndWithTheWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"deliver", "fail", "cancel", "start"} {
		id, question := w.asked(name)
		i := slices.IndexFunc(journey, func(s step) bool { return s.name == name })
		w.must(journey[i].do(w, id))
		all, err := w.store.Interactions(t.Context(), id)
		w.must(err)
		if len(all) != 1 || all[0].Open() || all[0].AnsweredAt != nil || all[0].Answer != "" {
			t.Errorf("%s: %+v", name, all)
		}
		w.wantKind(w.store.AnswerInteraction(t.Context(), id, question, "Tisdag", asa), portal.Conflict)
		w.wantState(id, journey[i].want)
	}
}

func TestVisits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	opened := w.open("skylt", ticket("M1", "B1"))
	w.must(w.store.AskBroker(ctx, opened.ID, portal.Interaction{Comment: "Vilken dag?"}, w.erik.Actor()))
	first, err := w.store.IssueVisit(ctx, opened.ID, w.openQuestion(opened.ID))
	w.must(err)
	second, err := w.store.IssueVisit(ctx, opened.ID, 0)
	w.must(err)
	if first == second || len(first) < 52 {
		t.Errorf("tokens %q and %q", first, second)
	}
	for _, row := range w.dump() {
		if strings.Contains(row, first) || strings.Contains(row, second) {
			t.Errorf("a token is stored: %s", row)
		}
	}
	check := func(when, token string, live bool) {
		t.Helper()
		v, err := w.store.VisitByToken(ctx, token)
		want := db.Visit{OrderID: opened.ID, PublicID: opened.PublicID, ServiceID: "skylt", BrokerID: opened.BrokerID, Live: live}
		if diff := cmp.Diff(want, v); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", when, err, diff)
		}
	}
	for _, token := range []string{"", "x", strings.ToLower(first), first + "A", "\x00"} {
		_, err := w.store.VisitByToken(ctx, token)
		w.wantKind(err, portal.NotFound)
	}
	check("at once", first, true)
	check("twice", first, true)
	w.clock.advance(db.VisitTTL - time.Second)
	check("just before its end", second, true)
	w.clock.advance(time.Second)
	check("at its end", second, false)

	third, err := w.store.IssueVisit(ctx, opened.ID, 0)
	w.must(err)
	w.must(w.store.FailOrder(ctx, opened.ID, "Rivet", w.erik.Actor()))
	check("after a failure", third, true)
	w.must(w.store.ReopenOrder(ctx, opened.ID, w.erik.Actor()))
	elsewhere, err := w.store.IssueVisit(ctx, w.received("B2"), 0)
	w.must(err)
	w.must(w.store.CancelOrder(ctx, opened.ID, "Ångrat", asa))
	check("after the cancellation", third, false)
	if v, err := w.store.VisitByToken(ctx, elsewhere); err != nil || !v.Live {
		t.Errorf("another order's link: %+v, %v", v, err)
	}
}
