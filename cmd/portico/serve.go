package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"
	"gocloud.dev/blob"
	"golang.org/x/sync/errgroup"

	"portico/db"
	"portico/handlers"
	"portico/internal/password"
	"portico/internal/worker"
	"portico/static"
)

func (p *program) serveCommand() *cobra.Command {
	var withWorker bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the portal, and send what its outbox holds",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readConfig(p.env, databaseURL, baseURLName, secretKeys)
			if err != nil {
				return err
			}
			c.warn(p.log)
			listener, err := net.Listen("tcp", c.Listen)
			if err != nil {
				return fmt.Errorf("%w (PORTICO_LISTEN chooses another address)", err)
			}
			return p.serve(cmd.Context(), c, listener, withWorker)
		},
	}
	c.Flags().BoolVar(&withWorker, "worker", true, "send the outbox too")
	return c
}

func (p *program) workCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "work",
		Short: "Send what the outbox holds, without serving pages",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := readConfig(p.env, databaseURL, baseURLName, secretKeys)
			if err != nil {
				return err
			}
			return p.serve(cmd.Context(), c, nil, true)
		},
	}
}

// workConns are the database connections of a worker alone, besides the one that
// listens: eight of them and two portals fit into a server's default of a hundred.
const workConns = 5

// serve runs the web server on listener, if there is one, and the worker until
// ctx ends or one of them fails. What is in flight is finished first.
func (p *program) serve(ctx context.Context, c config, listener net.Listener, withWorker bool) error {
	if listener != nil {
		defer func() { _ = listener.Close() }()
	}
	store, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	bucket, err := openBucket(ctx, c.BlobURL)
	if err != nil {
		return err
	}
	defer func() { _ = bucket.Close() }()
	if listener == nil {
		store.SetMaxConns(workConns)
	}
	partners := newPartners(store, p.log)
	partners.base = c.BaseURL
	partners.bucket = bucket
	group, ctx := errgroup.WithContext(ctx)
	if listener != nil {
		server, err := newServer(c, store, partners, bucket, p.log)
		if err != nil {
			return err
		}
		group.Go(func() error { return serveHTTP(ctx, server, listener, p.log) })
	}
	if withWorker {
		group.Go(func() error { runWorker(ctx, c, store, partners, p.log); return nil })
		group.Go(func() error { return tidy(ctx, store, bucket, p.log) })
		group.Go(func() error { return runAlarm(ctx, c, store, p.log) })
		group.Go(func() error { newReconciler(store, partners, p.log).Run(ctx); return nil })
		group.Go(func() error { newPoller(store, partners, p.log).Run(ctx); return nil })
		group.Go(func() error { newLooker(store, partners, p.log).Run(ctx); return nil })
	}
	if c.MetricsListen != "" {
		group.Go(func() error { return serveMetrics(ctx, c.MetricsListen, store, p.log) })
	}
	return group.Wait()
}

func newServer(c config, store *db.Store, p *partners, bucket *blob.Bucket, log *slog.Logger) (http.Handler, error) {
	base, err := url.Parse(c.BaseURL)
	if err != nil {
		return nil, err
	}
	return handlers.New(handlers.Options{Store: store, Partners: webPartners{p, c.BaseURL}, Bucket: bucket,
		Reconciler: reconciler{newReconciler(store, p, log), p},
		Passwords:  handlers.Passwords{Verify: password.Verify, VerifyNone: password.VerifyNone},
		CookieKeys: c.Keys.Signing(), BaseURL: base, Static: static.Handler(), Log: log}), nil
}

// Limits of the web server. Uploads and downloads set their own deadlines.
const (
	headerTimeout = 10 * time.Second
	pageTimeout   = 60 * time.Second
	idleTimeout   = 2 * time.Minute
	stopTimeout   = 30 * time.Second // for requests in flight
)

func serveHTTP(ctx context.Context, handler http.Handler, listener net.Listener, log *slog.Logger) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: pageTimeout,
		WriteTimeout: pageTimeout, IdleTimeout: idleTimeout, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		stopped <- server.Shutdown(ctx)
	}()
	log.Info("serving", "address", listener.Addr().String())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	if err := <-stopped; err != nil {
		return fmt.Errorf("stop serving: %w", err)
	}
	return nil
}

func runWorker(ctx context.Context, c config, store *db.Store, p *partners, log *slog.Logger) {
	log.Info("working")
	newRunner(store, p, c.BaseURL, log).Run(ctx, store.ListenJobs(ctx))
}

func newRunner(store *db.Store, p *partners, base string, log *slog.Logger) *worker.Runner {
	return &worker.Runner{Store: store, Reporters: workPartners{p}, Links: links{store, base}, Log: log, Now: store.Now, Rand: rand.Float64}
}

// tidyEvery is how often what has expired is cleared away.
const tidyEvery = time.Hour

func tidy(ctx context.Context, store *db.Store, bucket *blob.Bucket, log *slog.Logger) error {
	tick := time.NewTicker(tidyEvery)
	defer tick.Stop()
	for {
		if err := store.DeleteExpired(ctx, handlers.LongestSession); err != nil && ctx.Err() == nil {
			log.Error("tidy", "err", err)
		}
		if n, err := store.ErasePersonalNumbers(ctx); err != nil && ctx.Err() == nil {
			log.Error("erase personal numbers", "err", err)
		} else if n > 0 {
			log.Info("personal numbers erased", "orders", n)
		}
		if n, err := store.EraseExpiredLeads(ctx); err != nil && ctx.Err() == nil {
			log.Error("erase leads", "err", err)
		} else if n > 0 {
			log.Info("leads erased", "leads", n)
		}
		if err := handlers.DeleteErasedFiles(ctx, store, bucket); err != nil && ctx.Err() == nil {
			log.Error("delete erased files", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
