package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"portico/db"
)

// outboxMetrics are what the outbox holds, read when somebody asks.
type outboxMetrics struct {
	store         *db.Store
	log           *slog.Logger
	count, oldest *prometheus.Desc
}

func newOutboxMetrics(store *db.Store, log *slog.Logger) outboxMetrics {
	return outboxMetrics{store: store, log: log,
		count: prometheus.NewDesc("portico_outbox_unreported_jobs", "Jobs that a partner does not have yet, by state.",
			[]string{"connection", "state"}, nil),
		oldest: prometheus.NewDesc("portico_outbox_oldest_age_seconds", "Age of the oldest job that a partner does not have yet.",
			[]string{"connection", "state"}, nil)}
}

// Describe sends the metrics' descriptions.
func (m outboxMetrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

// Collect reads the outbox.
func (m outboxMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	backlogs, err := m.store.Backlog(ctx)
	if err != nil {
		m.log.Error("collect metrics", "err", err)
		return
	}
	for _, b := range backlogs {
		ch <- prometheus.MustNewConstMetric(m.count, prometheus.GaugeValue, float64(b.Count), b.ConnectionID, string(b.State))
		ch <- prometheus.MustNewConstMetric(m.oldest, prometheus.GaugeValue, b.OldestAge.Seconds(), b.ConnectionID, string(b.State))
	}
}

// pollMetrics are how the fetching of orders goes, read when somebody asks.
type pollMetrics struct {
	store      *db.Store
	log        *slog.Logger
	age, aside *prometheus.Desc
}

func newPollMetrics(store *db.Store, log *slog.Logger) pollMetrics {
	return pollMetrics{store: store, log: log,
		age: prometheus.NewDesc("portico_poll_age_seconds", "Time since orders were last fetched without a fault.",
			[]string{"connection"}, nil),
		aside: prometheus.NewDesc("portico_poll_aside", "Fetched orders that could not be taken in.",
			[]string{"connection"}, nil)}
}

// Describe sends the metrics' descriptions.
func (m pollMetrics) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(m, ch) }

// Collect reads the polls.
func (m pollMetrics) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	polls, err := m.store.Polls(ctx)
	if err != nil {
		m.log.Error("collect metrics", "err", err)
		return
	}
	for _, p := range polls {
		ch <- prometheus.MustNewConstMetric(m.age, prometheus.GaugeValue, m.store.Now().Sub(p.Since).Seconds(), p.ConnectionID)
		ch <- prometheus.MustNewConstMetric(m.aside, prometheus.GaugeValue, float64(p.Aside), p.ConnectionID)
	}
}

func newRegistry(store *db.Store, log *slog.Logger) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(newOutboxMetrics(store, log), newPollMetrics(store, log), collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return registry
}

func serveMetrics(ctx context.Context, address string, store *db.Store, log *slog.Logger) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(newRegistry(store, log), promhttp.HandlerOpts{}))
	return serveHTTP(ctx, mux, listener, log)
}
