// Command partnersim serves the fake of Vitec Express Connect by itself: a
// broker system to order from, and the API that Portico reports to. Beside it,
// if asked for, it serves a network with ON-API and the fake of Tjänsteguiden.
//
//	partnersim --portal http://localhost:8080 --service expertfoto=Expertfotografering
//	partnersim --onapi-listen 127.0.0.1:8091
//	partnersim --guide-listen 127.0.0.1:8092 --guide-service "2440=Bredband 100/100"
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"portico/internal/partner/tjansteguiden/onapi/onapitest"
	"portico/internal/partner/tjansteguiden/tjansteguidentest"
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

	networkListen, networkState string

	guideListen, guideState, guideUser, guideKey string
	guideServices                                []tjansteguidentest.Service
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
	flags.StringVar(&c.networkListen, "onapi-listen", "", "`address` to serve a network with ON-API on; empty: none")
	flags.StringVar(&c.networkState, "onapi-state", "", "JSON `file` that keeps the network's orders over a restart; empty: memory only")
	flags.Func("service", "`id=name` of a service that can be ordered; may be repeated", pair(func(id, name string) {
		c.services = append(c.services, vitectest.Service{ID: id, Name: name})
	}))
	flags.StringVar(&c.guideListen, "guide-listen", "", "`address` to serve Tjänsteguiden on; empty: none")
	flags.StringVar(&c.guideState, "guide-state", "", "JSON `file` that keeps its orders over a restart; empty: memory only")
	flags.StringVar(&c.guideUser, "guide-user", tjansteguidentest.DemoAPIUser, "`number` of the API user that Portico logs in there as")
	flags.StringVar(&c.guideKey, "guide-key", tjansteguidentest.DemoAPIKey, "API `key` that Portico logs in there with; it protects nothing")
	flags.Func("guide-service", "`id=name` of a service that can be ordered there; may be repeated", pair(func(id, name string) {
		c.guideServices = append(c.guideServices, tjansteguidentest.Service{ID: id, Name: name})
	}))
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

// pair reads a flag of the form id=name.
func pair(add func(id, name string)) func(string) error {
	return func(v string) error {
		id, name, ok := strings.Cut(v, "=")
		if !ok || id == "" || name == "" {
			return errors.New("want id=name")
		}
		add(id, name)
		return nil
	}
}

// run serves until ctx is done, and lets calls that are under way end.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parse(args, stderr)
	if err != nil {
		return err
	}
	sites, err := c.sites(slog.New(slog.NewTextHandler(stderr, nil)))
	if err != nil {
		return err
	}
	return serve(ctx, sites, stdout)
}

// sites returns the simulators that the flags ask for.
func (c config) sites(log *slog.Logger) ([]site, error) {
	vitec, err := vitectest.New(vitectest.Options{
		Credentials: []portal.Credential{{Customer: portal.AnyCustomer, Username: c.username, Password: c.password}},
		Services:    c.services, Path: c.state, LinkToken: c.linkToken, Log: log,
	})
	if err != nil {
		return nil, err
	}
	sites := []site{{"Simulated Vitec Express", c.listen, vitec}}
	if c.networkListen != "" {
		network, err := onapitest.New(onapitest.Options{Path: c.networkState, Username: c.username, Password: c.password, Auto: true, Log: log})
		if err != nil {
			return nil, err
		}
		sites = append(sites, site{"Simulated network", c.networkListen, network})
	}
	if c.guideListen != "" {
		guide, err := tjansteguidentest.New(tjansteguidentest.Options{APIUser: c.guideUser, APIKey: c.guideKey, Services: c.guideServices,
			Path: c.guideState, Log: log})
		if err != nil {
			return nil, err
		}
		sites = append(sites, site{"Simulated Tjänsteguiden", c.guideListen, guide})
	}
	return sites, nil
}
