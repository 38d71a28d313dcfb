package worker_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestThePropertyHoldsOnTheRealStore plays a batch of histories on PostgreSQL.
// The memory that stands in for it elsewhere must show the same all along.
func TestThePropertyHoldsOnTheRealStore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		h := histories.Draw(rt, "history")
		h.steps, h.look = h.steps[:min(len(h.steps), 30)], 4
		var m *machine
		t.Run("history", func(t *testing.T) { // with a database of its own
			w := newWorld(t)
			_, err := w.store.Apply(t.Context(), offered())
			w.must(err)
			m = play(w.store, w.clock, w.erik.Actor(), h, sound)
		})
		if m.err != nil {
			rt.Fatalf("%v\n%s", m.err, m.told())
		}
		other := remembered(h, sound)
		for i := range max(len(m.sights), len(other.sights)) {
			if diff := cmp.Diff(other.sights[i], m.sights[i]); diff != "" {
				rt.Fatalf("the memory (-) and the store (+) differ:\n%s\n%s", diff, m.told())
			}
		}
	})
}
