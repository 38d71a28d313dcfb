// Command partnersim serves the fake of Vitec Express Connect by itself: a
// broker system to order from, and the API that Portico reports to.
//
//	partnersim --portal http://localhost:8080 --service expertfoto=Expertfotografering
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // Connect's dates are Swedish, also where no zones are installed

	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "partnersim:", err)
		os.Exit(1)
	}
}

// config is what the flags say.
type config struct {
	listen, portal, state string
	username, password    string
	services              []vitectest.Service
	linkToken             bool
}

func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("partnersim", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&c.listen, "listen", "127.0.0.1:8090", "`address` to serve on")
	flags.StringVar(&c.portal, "portal", "http://localhost:8080", "`URL` of Portico")
	flags.StringVar(&c.state, "state", "", "JSON `file` that keeps orders over a restart; empty: memory only")
	flags.StringVar(&c.username, "username", vitectest.DemoUsername, "`name` that Portico logs in with")
	flags.StringVar(&c.password, "password", vitectest.DemoPassword, "`password` that Portico logs in with; it protects nothing")
	flags.BoolVar(&c.linkToken, "link-token", false, "add customerId and token to the link of a question")
	flags.Func("service", "`id=name` of a service that can be ordered; may be repeated", func(v string) error {
		id, name, ok := strings.Cut(v, "=")
		if !ok || id == "" || name == "" {
			return errors.New("want id=name")
		}
		c.services = append(c.services, vitectest.Service{ID: id, Name: name})
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("unexpected %q", flags.Arg(0))
	}
	u, err := url.Parse(c.portal)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return c, fmt.Errorf("--portal %q is no address", c.portal)
	}
	for i := range c.services {
		c.services[i].CallbackURL = u.JoinPath("callback", c.services[i].ID).String()
	}
	return c, nil
}

// run serves until ctx is done, and lets calls that are under way end.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parse(args, stderr)
	if err != nil {
		return err
	}
	fake, err := vitectest.New(vitectest.Options{
		Credentials: []portal.Credential{{Customer: portal.AnyCustomer, Username: c.username, Password: c.password}},
		Services:    c.services, Path: c.state, LinkToken: c.linkToken,
		Log: slog.New(slog.NewTextHandler(stderr, nil)),
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: fake, ReadHeaderTimeout: 5 * time.Second}
	fmt.Fprintf(stdout, "Simulated Vitec Express: http://%s\n", listener.Addr())

	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	shutdown, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(shutdown); err != nil {
		return errors.Join(fmt.Errorf("stop: %w", err), server.Close())
	}
	return nil
}
