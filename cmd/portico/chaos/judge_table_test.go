package chaos

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

var bookkeeping = key{ownPartner, "M30011", "KAOS00001"}

// honest is evidence of one order that was received, delivered and taken up
// again, against which nothing can be said.
func honest() evidence {
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	arrivals := []arrival{
		{bookkeeping, received, "", at},
		{bookkeeping, interaction, "Vilken dag?", at.Add(time.Second)},
		{bookkeeping, delivered, "Klart", at.Add(2 * time.Second)},
	}
	o := order{key: bookkeeping, service: "foto", estate: "OBJ1", estateType: "House", owner: "MED1", opened: acknowledged,
		form: url.Values{"name": {"Åsa"}}, submitted: acknowledged,
		steps: []step{{received, "", acknowledged}, {tellsNothing, "", acknowledged}, {interaction, "Vilken dag?", unknown},
			{delivered, "Klart", acknowledged}, {failure, "Nej", acknowledged}}}
	jobs := []job{
		{id: 1, key: bookkeeping, status: received, state: "completed"},
		{id: 2, key: bookkeeping, status: interaction, comment: "Vilken dag?", state: "completed"},
		{id: 3, key: bookkeeping, status: delivered, comment: "Klart", state: "completed"},
		{id: 4, key: bookkeeping, status: failure, comment: "Nej", state: "parked"},
	}
	return evidence{first: arrivals, second: arrivals, orders: []order{o}, jobs: jobs, visible: map[int64]bool{4: true},
		rows: []row{{bookkeeping, "foto", "OBJ1", "House", "MED1", map[string][]string{"name": {"Åsa"}}}}}
}

// arrives adds an arrival to both looks at the partner.
func (e *evidence) arrives(status, comment string, after time.Duration) {
	a := arrival{bookkeeping, status, comment, e.first[0].at.Add(after)}
	e.first = append(slices.Clone(e.first), a)
	e.second = append(slices.Clone(e.second), a)
}

// judgements are what the judge finds when evidence is changed; "" is nothing.
var judgements = map[string]struct {
	change func(*evidence)
	rule   string
}{
	"honest":             {func(*evidence) {}, ""},
	"an order is lost":   {func(e *evidence) { e.rows = nil }, kept},
	"it was unknown":     {func(e *evidence) { e.rows, e.orders[0].opened = nil, unknown }, ""},
	"an order twice":     {func(e *evidence) { e.rows = append(e.rows, e.rows[0]) }, kept},
	"another target":     {func(e *evidence) { e.rows[0].estate = "OBJ2" }, kept},
	"another owner":      {func(e *evidence) { e.rows[0].owner = "MED2" }, kept},
	"another answer":     {func(e *evidence) { e.rows[0].answers["name"] = []string{"Per"} }, kept},
	"answers are lost":   {func(e *evidence) { e.rows[0].answers = nil }, kept},
	"that were unknown":  {func(e *evidence) { e.rows[0].answers, e.orders[0].submitted = nil, unknown }, ""},
	"nobody's order":     {func(e *evidence) { e.orders = nil; e.first, e.second, e.jobs = nil, nil, nil }, kept},
	"a status is lost":   {func(e *evidence) { e.second, e.jobs = e.second[:2], slices.Delete(e.jobs, 2, 3) }, lossless},
	"said to be there":   {func(e *evidence) { e.second = e.second[:2] }, lossless},
	"and was unknown":    {func(e *evidence) { e.second = slices.Delete(slices.Clone(e.second), 1, 2) }, lossless},
	"it waits":           {func(e *evidence) { e.second, e.jobs[2].state = e.second[:2], "available" }, ""},
	"parked, unseen":     {func(e *evidence) { e.visible = map[int64]bool{} }, lossless},
	"unknown, not there": {func(e *evidence) { e.drop(1) }, ""},
	"an overtaking":      {func(e *evidence) { e.first = []arrival{e.first[0], e.first[2], e.first[1]} }, inSequence},
	"an older state after a newer": {func(e *evidence) {
		e.jobs[0].takeovers = 1
		e.arrives(received, "", time.Minute)
	}, inSequence},
	"what nobody asked for": {func(e *evidence) { e.arrives(delivered, "Någon annans", time.Minute) }, inSequence},
	"what was refused":      {func(e *evidence) { e.orders[0].steps[3].outcome = refused }, inSequence},
	"a double":              {func(e *evidence) { e.arrives(delivered, "Klart", time.Minute) }, bounded},
	"a double, excused":     {func(e *evidence) { e.jobs[2].unknown = 1; e.arrives(delivered, "Klart", time.Minute) }, ""},
	"by a worker that died": {func(e *evidence) { e.jobs[2].takeovers = 1; e.arrives(delivered, "Klart", time.Minute) }, ""},
	"one double too many": {func(e *evidence) {
		e.jobs[2].unknown = 1
		e.arrives(delivered, "Klart", time.Minute)
		e.arrives(delivered, "Klart", time.Hour)
	}, bounded},
	"a double when all is calm": {func(e *evidence) {
		e.calm, e.jobs[2].unknown = true, 1
		e.arrives(delivered, "Klart", time.Minute)
	}, bounded},
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for name, test := range judgements {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := honest()
			test.change(&e)
			found := e.judge()
			for _, f := range found {
				if f.rule != test.rule {
					t.Errorf("found %s", f)
				}
			}
			if (test.rule != "") != (len(found) > 0) {
				t.Errorf("found %v, want %q", found, test.rule)
			}
		})
	}
}

// drop takes an arrival and its job away.
func (e *evidence) drop(i int) {
	e.first, e.second = slices.Delete(slices.Clone(e.first), i, i+1), slices.Delete(slices.Clone(e.second), i, i+1)
	e.jobs = slices.Delete(e.jobs, i, i+1)
}

// TestJudgeOfQuestions: the question that the program asks by itself has a text
// of its own, and is another than those of staff.
func TestJudgeOfQuestions(t *testing.T) {
	t.Parallel()
	e := honest()
	e.orders[0].steps = slices.Insert(e.orders[0].steps, 0, step{interaction, "", acknowledged})
	e.jobs = append(e.jobs, job{id: 5, key: bookkeeping, status: interaction, comment: "Fyll i.", state: "completed"})
	if got := e.judge(); len(got) != 1 || got[0].rule != lossless {
		t.Errorf("a lost question: %v", got)
	}
	asked := arrival{bookkeeping, interaction, "Fyll i.", e.first[0].at.Add(-time.Second)}
	e.first, e.second = append([]arrival{asked}, e.first...), append([]arrival{asked}, e.second...)
	if got := e.judge(); len(got) != 0 {
		t.Errorf("found %v", got)
	}
}

// TestJudgeOfWork: that an order is under way has no text of its own.
func TestJudgeOfWork(t *testing.T) {
	t.Parallel()
	k := key{corePartner, "14", "2b0fc42e-ccdd-45f8-a55e-f73d47edbb0e"}
	o := order{key: k, opened: acknowledged, steps: []step{{received, "", acknowledged}, {underway, "", acknowledged},
		{failure, "Nej", unknown}, {delivered, "Klart", acknowledged}, {underway, "", acknowledged}}}
	tests := map[string]struct {
		statuses []string
		unknown  int // attempts to say that the work has begun
		rule     string
	}{
		"all of it":            {[]string{received, underway, delivered, underway}, 0, ""},
		"a double":             {[]string{received, underway, underway, delivered, underway}, 0, bounded},
		"that is excused":      {[]string{received, underway, underway, delivered, underway}, 1, ""},
		"not begun":            {[]string{received, delivered, underway}, 0, lossless},
		"not taken up again":   {[]string{received, underway, delivered}, 0, lossless},
		"nothing to come back": {[]string{received, delivered, underway, underway}, 0, bounded},
		"before it came":       {[]string{underway, received, delivered, underway}, 0, inSequence},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := evidence{orders: []order{o}, rows: []row{{key: k}}}
			before := map[key]message{}
			for i, status := range test.statuses {
				m := follow(before, message{k, status, map[string]string{delivered: "Klart"}[status]})
				e.first = append(e.first, arrival{k, m.status, m.comment, time.Unix(int64(i), 0)})
				e.jobs = append(e.jobs, job{key: k, status: m.status, comment: m.comment, state: "completed", unknown: test.unknown})
			}
			e.second = e.first
			found := e.judge()
			if (test.rule != "") != slices.ContainsFunc(found, func(f finding) bool { return f.rule == test.rule }) || test.rule == "" && len(found) > 0 {
				t.Errorf("found %v, want %q", found, test.rule)
			}
		})
	}
}

func TestJudgeOfLogs(t *testing.T) {
	t.Parallel()
	const secret = "hem/a+b=ö"
	tests := map[string]bool{
		`{"msg":"request","path":"/callback/foto","status":303}`:  false,
		`{"msg":"request","path":"/callback?token=hem/a+b=ö"}`:    true,
		`{"err":"GET /callback?token=hem%2Fa%2Bb%3D%C3%B6: EOF"}`: true,
		`{"err":"GET /visit/hem%2Fa+b=%C3%B6: EOF"}`:              true,
	}
	for log, leaked := range tests {
		got := leaks("{}\n"+log+"\n{}", map[string]string{secret: "a token"})
		if (len(got) > 0) != leaked {
			t.Errorf("%s: %v", log, got)
		}
		if leaked && !strings.Contains(got[0].text, log) {
			t.Errorf("the line is not shown: %s", got[0])
		}
	}
}

// TestPlan: a seed decides what goes wrong and what the clients choose.
func TestPlan(t *testing.T) {
	t.Parallel()
	draw := func(seed uint64) string {
		var names []string
		for _, on := range []string{"portal", "worker", "database", "partner"} {
			for _, f := range planMix(newRand(seed, "plan"), mixed())[on] {
				names = append(names, f.name, f.after.String())
			}
		}
		return strings.Join(names, " ")
	}
	first, again, other := draw(7), draw(7), draw(8)
	if first != again {
		t.Error("the same seed plans differently")
	}
	if first == other {
		t.Error("two seeds plan alike")
	}
}

// TestOrderedAgain: ordering acknowledges what the order tells from the start, and
// nothing that staff tried.
func TestOrderedAgain(t *testing.T) {
	t.Parallel()
	asked := url.Values{"name": {canaryName}}
	for name, c := range map[string]struct {
		order order
		want  outcome
	}{
		"complete in the background": {order{service: "energi", steps: []step{{failure, "Nej", unknown}}}, unknown},
		"asks in the background":     {order{service: "besiktning", form: asked, steps: []step{{interaction, "", unknown}}}, acknowledged},
		"complete in the browser":    {order{service: "skylt", steps: []step{{received, "", unknown}}}, acknowledged},
		"asks in the browser":        {order{service: "foto", form: asked, steps: []step{{failure, "Nej", unknown}}}, unknown},
	} {
		b, o := &broker{w: &world{clients: &history{}}}, &c.order
		b.opened(o, &episode{}, acknowledged)
		if got := o.steps[0].outcome; got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}
