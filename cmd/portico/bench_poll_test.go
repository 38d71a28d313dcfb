package main

import (
	"context"
	"log/slog"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"portico/internal/portal"
)

// BenchmarkPoll takes ten thousand orders in that are new in one answer, each
// with two calls at the fake on the same machine, at 1,000 calls a second at most.
func BenchmarkPoll(b *testing.B) {
	const many = 10_000
	w := newGuideWorld(b, guideFile)
	for b.Loop() {
		b.StopTimer()
		w.guide.AddOrders(many)
		w.clock.Pass(5 * time.Minute)
		b.StartTimer()
		if p := w.poll(); p.Imported != many {
			b.Fatalf("%+v", p)
		}
	}
	b.ReportMetric(float64(b.N*many)/b.Elapsed().Seconds(), "orders/s")
}

// BenchmarkList reads a list of a thousand and of a hundred thousand orders: the
// memory that it takes beside the answer itself, which is the fake's, is the same.
func BenchmarkList(b *testing.B) {
	for name, many := range map[string]int{"1000": 1_000, "100000": 100_000} {
		b.Run(name, func(b *testing.B) {
			w := newGuideWorld(b, guideFile)
			w.guide.AddOrders(many)
			source, err := workPartners{newPartners(w.store, slog.New(slog.DiscardHandler))}.Source(b.Context(), "guiden")
			w.must(err)
			defer debug.SetGCPercent(debug.SetGCPercent(10))
			var largest int64
			for b.Loop() {
				n, first := 0, int64(0)
				w.must(source.OrdersSince(context.Background(), w.clock.Now().AddDate(0, 0, -1), func(portal.Listed) error {
					if n++; n%(many/10) == 1 { // the fake has made its answer by then
						if first == 0 {
							first = heap()
						}
						largest = max(largest, heap()-first)
					}
					return nil
				}))
				if n != many {
					b.Fatalf("%d orders", n)
				}
			}
			b.ReportMetric(float64(largest)/(1<<20), "MB-more")
			b.ReportMetric(float64(b.N*many)/b.Elapsed().Seconds(), "orders/s")
		})
	}
}

// heap is what is in use after a collection.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
