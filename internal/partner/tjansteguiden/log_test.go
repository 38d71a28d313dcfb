package tjansteguiden

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

// lateContext is one whose deadline has passed, and which has not noticed.
type lateContext struct{ context.Context }

func (lateContext) Deadline() (time.Time, bool) { return time.Now().Add(-time.Second), true }

func TestLog(t *testing.T) {
	t.Parallel()
	first, second := date(t, "10:00:00"), date(t, "10:12:00")
	for name, tt := range map[string]struct {
		body string
		want []portal.LogEntry
	}{
		"entries": {`<order_log><response><log>
			<entry><id>2</id><date>2026-11-24 10:12:00</date><user>Anna</user><type>error</type><message>Port finns ej för 751011-6952</message></entry>
			<entry><id>1</id><date>2026-11-24 10:00</date><message>Status changed to new</message><serial>19700101010101</serial></entry>
			</log></response><status>success</status></order_log>`,
			[]portal.LogEntry{{At: first, Text: "Status changed to new"}, {At: second, Who: "Anna", Kind: "error", Text: "Port finns ej för ••••"}}},
		"one entry":     {`<serviceguide><entry><created>2026-11-24 10:00</created><note>Hej</note></entry></serviceguide>`, []portal.LogEntry{{At: first, Text: "Hej"}}},
		"texts":         {`<order_log><message>A</message><message>B</message></order_log>`, []portal.LogEntry{{Text: "A"}, {Text: "B"}}},
		"attributes":    {`<order_log><e at="2026-11-24 10:12" who="Bo">B</e><e at="2026-11-24 10:00">A</e></order_log>`, []portal.LogEntry{{At: first, Text: "A"}, {At: second, Who: "Bo", Text: "B"}}},
		"a date is not": {`<order_log><e><date>2026-11-24 10:12</date><text>B</text></e><e><date>igår</date><text>A</text></e></order_log>`, []portal.LogEntry{{At: second, Text: "B"}, {Text: "A"}}},
		"empty":         {`<order_log><response/></order_log>`, []portal.LogEntry{}},
	} {
		g := start(t, "tl")
		g.says("order_log", ok(tt.body))
		got, err := g.client("").Log(t.Context(), "1234")
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 300 {
		fmt.Fprintf(&b, "<entry><date>2026-11-24 %02d:%02d</date><text>%d %s</text></entry>", i/60, i%60, i, strings.Repeat("x", 2500))
	}
	g := start(t, "ko")
	g.says("order_log", ok("<order_log>"+b.String()+"</order_log>"))
	got, err := g.client("").Log(t.Context(), "1234")
	if err != nil || len(got) != 200 || !strings.HasPrefix(got[199].Text, "299 ") || len(got[0].Text) > maxFact+2 {
		t.Errorf("%d entries, %v", len(got), err)
	}
	g.says("order_log", answer{status: 404})
	if _, err := g.client("").Log(t.Context(), "1234"); portal.OutcomeOf(err) != portal.OutcomeRefused {
		t.Errorf("%v", err)
	}
}
