package chaos

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"
)

var (
	chaosFlag = flag.Duration("chaos", 0, "run the whole suite and let it take about so long; 0: a short one of half a minute")
	logsFlag  = flag.String("logs", "", "keep what the processes say in this folder")
	seedFlag  = flag.Uint64("seed", 0, "repeat what this seed decides; 0: a new one")
)

// TestChaos breaks what can break while clients are at work, and looks whether
// Portico keeps its promises.
func TestChaos(t *testing.T) {
	t.Parallel()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64N(1_000_000) + 1
	}
	t.Logf("seed %d: repeat with -args -chaos %s -seed %d", seed, *chaosFlag, seed)
	workers, budget := 3, *chaosFlag
	if budget > 0 {
		workers = 8
	}
	began := time.Now()
	w := newWorld(t, seed, workers)
	t.Logf("everything runs after %s", time.Since(began).Round(time.Millisecond))
	stop := w.work()
	judge := &staff{w: w, rng: w.rng("judge"), own: w.newBrowser()}
	var episodes []*episode
	if budget > 0 {
		episodes = w.long(judge, began.Add(budget))
	} else {
		episodes = w.short(judge)
	}
	stop()
	end := &episode{name: "after all of it", began: time.Now()}
	w.over(end)
	episodes = append(episodes, end)
	w.settle(judge, end).attribute(episodes)
	end.blame(w.findings...)
	end.blame(w.secretsInLogs()...)
	end.blame(w.answeredBadly()...)
	w.keepLogs(*logsFlag)
	t.Logf("seed %d\n%s", seed, table(episodes))
	for _, e := range episodes {
		for _, text := range e.verdict() {
			t.Errorf("seed %d, %s: %s", seed, e.name, text)
		}
	}
}

// Pace of the clients: how many of each, and how long each waits between two actions.
const (
	brokers, pages, snoops = 3, 3, 1
	brokerPace, staffPace  = 400 * time.Millisecond, 300 * time.Millisecond
)

// work sets the clients to work; stop has them finish.
func (w *world) work() (stop func()) {
	var all sync.WaitGroup
	done := make(chan struct{})
	loop := func(pace time.Duration, act func()) {
		all.Go(func() {
			tick := time.NewTicker(pace)
			defer tick.Stop()
			for {
				select {
				case <-done:
					return
				case <-tick.C:
					act()
				}
			}
		})
	}
	w.clients.turn(&episode{})
	for i := range brokers {
		b := &broker{w: w, rng: w.rng(fmt.Sprint("broker", i)), own: w.newBrowser()}
		loop(brokerPace, b.act)
	}
	for i := range pages {
		s := &staff{w: w, rng: w.rng(fmt.Sprint("staff", i)), own: w.newBrowser()}
		loop(staffPace, s.act)
	}
	for i := range snoops {
		s := &snoop{w: w, rng: w.rng(fmt.Sprint("snoop", i)), own: w.newBrowser()}
		loop(brokerPace, s.act)
	}
	return func() { close(done); all.Wait() }
}

// snoop asks for what is not its own.
type snoop struct {
	w   *world
	rng *rand.Rand
	own *browser
}

// act asks for an order without a grant for it, in a browser without any or with
// one for another order.
func (s *snoop) act() {
	known := func(o *order) bool { return o.public != "" }
	o := s.w.clients.take(s.rng, known)
	if o == nil {
		return
	}
	defer s.w.clients.leave(o)
	asks := s.own
	if other := s.w.clients.take(s.rng, func(p *order) bool { return p.browser != nil && p.browser != o.browser }); other != nil {
		defer s.w.clients.leave(other)
		if s.rng.IntN(2) == 0 {
			asks = other.browser
		}
	}
	for _, path := range []string{"/orders/" + o.public, "/staff/orders/" + o.public, "/orders/" + o.public + "/files.zip"} {
		got, err := asks.ask(http.MethodGet, path, nil)
		if err != nil {
			continue
		}
		if got.status == http.StatusOK {
			s.w.find(found(discreet, "%s is answered to somebody without a grant", path))
		}
		for _, data := range []string{o.id, o.estate, canaryName, canaryPhone, canaryNumber} {
			if strings.Contains(got.body, data) {
				s.w.find(found(discreet, "the answer to %s without a grant, %d, holds %q", path, got.status, data))
			}
		}
	}
}

// keepLogs writes the processes' logs to files, for people.
func (w *world) keepLogs(folder string) {
	if folder == "" {
		return
	}
	for _, p := range w.processes() {
		must(w.T, os.WriteFile(filepath.Join(folder, p.name+".log"), []byte(p.log.String()), 0o600))
	}
}

// answeredBadly returns the answers that say that a portal did not know what to say.
func (w *world) answeredBadly() []finding {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []finding
	for _, r := range w.requests {
		if r.status >= 500 && r.status != http.StatusServiceUnavailable {
			all = append(all, found(alive, "%s answered %s with %d at %s", r.portal.name, r.path, r.status, r.from.Format(time.TimeOnly)))
		}
	}
	return all
}

// short is the suite of every day.
func (w *world) short(judge *staff) []*episode {
	rng := w.rng("short")
	quiet := w.play(calmName, calm(3*time.Second), rng)
	w.settle(judge, quiet)
	// What a lease has to run out for comes first.
	all := []*episode{
		w.play("kill -9 of a worker", killWorkers(1), rng),
		w.play("the link to the database is cut at COMMIT", cutAtCommit(3), rng),
		w.play("kill -9 of a portal", killPortals(1), rng),
		w.play("the partner stores and drops", storedDrop(2*time.Second, 2), rng),
		w.play("everything mixed", mix(4*time.Second, gentle()), rng),
	}
	w.settle(judge, all...)
	return append([]*episode{quiet}, all...)
}

// long is the whole suite.
func (w *world) long(judge *staff, over time.Time) []*episode {
	rng := w.rng("long")
	var all []*episode
	var open []*episode
	run := func(faults ...fault) {
		rng.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
		for _, f := range faults {
			all = append(all, w.play(f.name, f.do, rng))
			open = append(open, all[len(all)-1])
			if f.on != nextPartner { // of which nobody else has to wait for the end
				w.settle(judge, open...)
				open = nil
			}
		}
	}
	run(fault{name: calmName, do: calm(10 * time.Second)})
	thawed := w.freeze()
	run(fault{name: "the partner is slow", do: slow(8 * time.Second)},
		fault{name: "one byte a second", do: trickle(17 * time.Second)},
		fault{name: "the partner stores and drops", do: storedDrop(6*time.Second, 6)},
		fault{name: "wrong answers", do: answerWrongly(700*time.Millisecond, len(wrongAnswers))},
		fault{name: "another connection is dead", on: nextPartner, do: deadPartner(10 * time.Second)},
		fault{name: "the partner is down", do: partnerDown(10 * time.Second)})
	all = append(all, thawed())
	w.settle(judge, append(open, all[len(all)-1])...)
	open = nil
	run(fault{name: "kill -9 of portals", do: killPortals(3)},
		fault{name: "kill -9 of workers", do: killWorkers(3)},
		fault{name: "kill between commit and answer", do: killBeforeAnswer(4)},
		fault{name: "SIGTERM while the next version starts", do: deploy},
		fault{name: "the link to the database is cut at COMMIT", do: cutAtCommit(8)},
		fault{name: "PostgreSQL is stopped at once", do: crashDatabase(4 * time.Second)})
	const settling = 35 * time.Second // a lease runs out
	left := max(10*time.Second, time.Until(over)-settling)
	run(fault{name: "everything mixed", do: mix(left, mixed())})
	return all
}

// table shows what became of each episode.
func table(episodes []*episode) string {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "orders tried\tacknowledged\tunknown\tstatuses tried\tacknowledged\tunknown\tdoubles\tlate\tfault s\trecovery s\tverdict\t  fault")
	for _, e := range episodes {
		verdict := "kept"
		if len(e.findings) > 0 {
			verdict = fmt.Sprintf("%d BROKEN", len(e.findings))
		}
		fmt.Fprintf(t, "%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f\t%.1f\t%s\t  %s\n", e.orders.attempted, e.orders.acknowledged, e.orders.unknown,
			e.statuses.attempted, e.statuses.acknowledged, e.statuses.unknown, e.doubles, e.late, e.ended.Sub(e.began).Seconds(), e.recovery.Seconds(), verdict,
			strings.Join([]string{e.name, e.note}, "  "))
	}
	_ = t.Flush() // to a builder
	return b.String()
}
