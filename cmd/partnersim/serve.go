package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// site is a simulator, and where it is served.
type site struct {
	name, listen string
	handler      http.Handler
}

// serve serves sites until ctx is done or one of them fails, and lets calls that
// are under way end.
func serve(ctx context.Context, sites []site, stdout io.Writer) error {
	servers := make([]*http.Server, len(sites))
	listeners := make([]net.Listener, len(sites))
	for i, s := range sites {
		listener, err := net.Listen("tcp", s.listen)
		if err != nil {
			return errors.Join(fmt.Errorf("listen: %w", err), closeAll(listeners[:i]))
		}
		listeners[i] = listener
		servers[i] = &http.Server{Handler: s.handler, ReadHeaderTimeout: 5 * time.Second}
	}
	ended := make(chan error, len(sites))
	for i, s := range sites {
		fmt.Fprintf(stdout, "%s: http://%s\n", s.name, listeners[i].Addr())
		go func() { ended <- servers[i].Serve(listeners[i]) }()
	}
	var failed error
	select {
	case err := <-ended:
		failed = fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	for _, server := range servers {
		if err := server.Shutdown(shutdown); err != nil {
			failed = errors.Join(failed, fmt.Errorf("stop: %w", err), server.Close())
		}
	}
	return failed
}

func closeAll(listeners []net.Listener) error {
	var all error
	for _, l := range listeners {
		all = errors.Join(all, l.Close())
	}
	return all
}
