package main

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"portico/internal/partner/vitec"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
	"portico/internal/worker"
)

// drained is how many reports one round of BenchmarkDrain sends.
const drained = 10_000

// BenchmarkDrain sends 10,000 reports, each of another order, to a fake that
// answers at once: with few and with many finished jobs behind them, and beside
// a connection whose partner is dead and has as many waiting.
func BenchmarkDrain(b *testing.B) {
	for _, c := range []struct {
		name     string
		finished int
		dead     bool
	}{
		{"finished=1000", 1000, false},
		{"finished=1000000", 1_000_000, false},
		{"dead-beside", 1000, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := newBenchPortal(b)
			p.orders(b.N*drained, "received")
			p.finishedJobs(c.finished)
			p.reports("vitec", b.N*drained)
			if c.dead {
				p.deadConnection()
				p.reports("dead", drained)
			}
			_, err := p.raw.Exec(`VACUUM ANALYZE`)
			p.check(err)
			for i := range b.N * drained {
				p.fake.NewOrder(vitectest.Order{ID: fmt.Sprintf("B%d", i+1)})
			}
			all := p.watch(b.N * drained)
			ctx, stop := context.WithCancel(b.Context())
			var running sync.WaitGroup
			b.ResetTimer()
			running.Go(func() { p.runner.Run(ctx, nil) })
			<-all
			b.StopTimer()
			stop()
			running.Wait()
			b.ReportMetric(float64(b.N*drained)/b.Elapsed().Seconds(), "jobs/s")
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*drained), "µs/job")
		})
	}
}

// BenchmarkReport is how long a single report takes from its commit to the
// partner's answer, alone and beside a connection whose partner is dead.
func BenchmarkReport(b *testing.B) {
	for _, dead := range []bool{false, true} {
		b.Run(fmt.Sprintf("dead-beside=%t", dead), func(b *testing.B) {
			p := newBenchPortal(b)
			if dead {
				p.orders(1000, "received")
				p.deadConnection()
				p.reports("dead", 1000)
			}
			ctx, stop := context.WithCancel(b.Context())
			wake := p.store.ListenJobs(ctx)
			<-wake
			var running sync.WaitGroup
			running.Go(func() { p.runner.Run(ctx, wake) })
			b.Cleanup(func() { stop(); running.Wait() })
			arrived := p.watch(1)
			var times percentiles
			n := 0
			for b.Loop() {
				n++
				id := fmt.Sprintf("S%d", n)
				p.fake.NewOrder(vitectest.Order{ID: id})
				o, err := p.store.OpenOrder(b.Context(), p.service, portal.Ticket{OrderID: id, Customer: "M30011"}, "SEK")
				p.check(err)
				times.time(func() {
					p.check(p.store.FailOrder(b.Context(), p.submitted(o.ID), "Det regnar", portal.Actor{Kind: portal.ActorSystem}))
					<-arrived
				})
			}
			times.report(b)
		})
	}
}

// submitted completes an order's form without a report, and returns its id.
func (p *benchPortal) submitted(id int64) int64 {
	_, err := p.raw.Exec(`UPDATE orders SET state = 'received', received_at = now() WHERE id = $1`, id)
	p.check(err)
	return id
}

// finishedJobs puts reports behind the first order that have arrived long ago.
func (p *benchPortal) finishedJobs(n int) {
	_, err := p.raw.Exec(`
		INSERT INTO jobs (kind, state, connection_id, subject, order_id, unique_key, payload, max_attempts, attempt, run_at, created_at, finished_at)
		SELECT 'report', 'completed', 'vitec', 'order/' || id, id, 'finished/' || n, '{}', 10, 1, now(), now(), now()
		FROM (SELECT min(id) AS id FROM orders) o, generate_series(1, $1::int) n`, n)
	p.check(err)
}

// reports puts a report of each of the first n orders into the outbox.
func (p *benchPortal) reports(connection string, n int) {
	_, err := p.raw.Exec(`
		INSERT INTO jobs (kind, state, connection_id, subject, order_id, unique_key, payload, max_attempts, run_at, created_at)
		SELECT 'report', 'available', $1, $1 || '/order/' || id, id, $1 || '/bench/' || id,
			jsonb_build_object('order_id', id, 'connection_id', $1::text, 'service_id', 'expertfoto', 'customer', 'M30011',
				'partner_order_id', partner_order_id, 'target', jsonb_build_object('type', '', 'id', ''), 'state', 'received'),
			10, now(), now() FROM orders WHERE partner_order_id LIKE 'B%' ORDER BY id LIMIT $2`, connection, n)
	p.check(err)
}

// deadConnection adds a connection whose partner takes calls and never answers.
func (p *benchPortal) deadConnection() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	p.check(err)
	p.b.Cleanup(func() { _ = listener.Close() })
	raw := strings.Replace(string(p.fake.Connection("dead", p.fake.URL)), p.fake.URL, "http://"+listener.Addr().String(), 1)
	dead, faults := vitec.Configure([]byte(raw))
	if len(faults) > 0 {
		p.b.Fatal(faults)
	}
	_, err = p.store.Apply(p.b.Context(), portal.Setup{Provider: portal.Provider{Name: "Nordljus", Locale: "sv",
		TimeZone: "Europe/Stockholm", Currency: "SEK"}, Connections: []portal.Connection{dead}})
	p.check(err)
}

// watch lets the runner's reports through, and tells each time that n more of
// those to the living partner have arrived.
func (p *benchPortal) watch(n int) <-chan struct{} {
	arrived := make(chan struct{}, 1)
	p.runner.Reporters = &watched{Reporters: p.runner.Reporters, each: n, arrived: arrived}
	return arrived
}

type watched struct {
	worker.Reporters
	each    int
	arrived chan struct{}

	mu sync.Mutex
	n  int
}

func (w *watched) Reporter(ctx context.Context, connection string) (worker.Reporter, error) {
	reporter, err := w.Reporters.Reporter(ctx, connection)
	if err != nil || connection == "dead" {
		return reporter, err
	}
	return watchedReporter{reporter, w}, nil
}

type watchedReporter struct {
	worker.Reporter
	w *watched
}

func (r watchedReporter) Report(ctx context.Context, m portal.Message) (portal.Receipt, error) {
	receipt, err := r.Reporter.Report(ctx, m)
	if err != nil {
		return receipt, err
	}
	r.w.mu.Lock()
	defer r.w.mu.Unlock()
	if r.w.n++; r.w.n%r.w.each == 0 {
		r.w.arrived <- struct{}{}
	}
	return receipt, err
}

// BenchmarkClaim is what an attempt costs in the database alone, its claim and
// its record, with few and with many finished jobs in the table.
func BenchmarkClaim(b *testing.B) {
	for _, finished := range []int{1000, 1_000_000} {
		b.Run(fmt.Sprintf("finished=%d", finished), func(b *testing.B) {
			p := newBenchPortal(b)
			p.orders(b.N, "received")
			p.finishedJobs(finished)
			p.reports("vitec", b.N)
			_, err := p.raw.Exec(`VACUUM ANALYZE`)
			p.check(err)
			b.ResetTimer()
			for range b.N {
				jobs, err := p.store.ClaimJobs(b.Context(), "vitec", 1, worker.Lease)
				p.check(err)
				p.check(p.store.CompleteJob(b.Context(), jobs[0], 0))
			}
		})
	}
}
