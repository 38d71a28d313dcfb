package chaos

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// fault is something that goes wrong, and on what: what concerns the same comes
// one after another, the rest all at once.
type fault struct {
	name string
	on   string
	do   func(*world, *episode, *rand.Rand)
}

// mixed are the faults of a mix, each shorter than alone.
func mixed() []fault {
	return []fault{
		{"a portal is killed", "portal", killPortals(1)},
		{"a portal is killed between commit and answer", "portal", killBeforeAnswer(1)},
		{"a worker is killed", "worker", killWorkers(1)},
		{"the link to the database is cut at COMMIT", "database", cutAtCommit(2)},
		{"PostgreSQL is stopped at once", "database", crashDatabase(2 * time.Second)},
		{"the partner is slow", "partner", slow(3 * time.Second)},
		{"the partner is down", "partner", partnerDown(3 * time.Second)},
		{"one byte a second", "partner", trickle(4 * time.Second)},
		{"the partner stores and drops", "partner", storedDrop(3*time.Second, 6)},
		{"wrong answers", "partner", answerWrongly(500*time.Millisecond, 4)},
	}
}

// gentle are those of them after which nobody has to wait for long.
func gentle() []fault {
	return []fault{
		{"a portal is killed", "portal", killPortals(1)},
		{"a portal is killed between commit and answer", "portal", killBeforeAnswer(1)},
		{"the partner is slow", "partner", slow(2 * time.Second)},
		{"the partner stores and drops", "partner", storedDrop(2*time.Second, 2)},
	}
}

// planned is a fault of a mix: what, and how long nothing happens before.
type planned struct {
	fault
	after time.Duration
}

// planMix draws what goes wrong, by what it concerns.
func planMix(rng *rand.Rand, faults []fault) map[string][]planned {
	plan := map[string][]planned{}
	const most = 40 // more than there is time for
	for range most {
		f := pick(rng, faults)
		plan[f.on] = append(plan[f.on], planned{f, between(rng, 500*time.Millisecond, 4*time.Second)})
	}
	return plan
}

// mix lets everything go wrong at once until d is over.
func mix(d time.Duration, faults []fault) func(*world, *episode, *rand.Rand) {
	return func(w *world, e *episode, rng *rand.Rand) {
		plan, over := planMix(rng, faults), time.Now().Add(d)
		var all sync.WaitGroup
		var mu sync.Mutex
		n := 0
		for _, on := range slices.Sorted(maps.Keys(plan)) {
			own := rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64()))
			all.Go(func() {
				for _, f := range plan[on] {
					if time.Now().Add(f.after).After(over) {
						return
					}
					w.last(f.after)
					w.Logf("  mixed: %s", f.name)
					part := &episode{name: f.name}
					f.do(w, part, own)
					mu.Lock()
					n++
					e.blame(excuse(part.findings)...)
					mu.Unlock()
				}
			})
		}
		all.Wait()
		e.note = fmt.Sprintf("%d faults", n)
	}
}

// excuse leaves out what a fault alone may not do and several together may.
func excuse(all []finding) []finding {
	var rest []finding
	for _, f := range all {
		if f.rule != alive {
			rest = append(rest, f)
		}
	}
	return rest
}
