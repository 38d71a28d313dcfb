package main

import (
	"bufio"
	"context"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"portico/db/dbtest"
	"portico/internal/worldtest"
)

// demoRun is the whole program as `portico demo` runs it: portal, worker and
// simulators, on a database and in a folder of the test's own.
type demoRun struct {
	env               vars
	folder            string // of its data
	simulator, portal string // addresses, without a slash at the end
	visma             string // the other simulators'
	guide, network    string
	email, password   string
}

// startDemo runs the demo until the test ends, and checks that it ends well.
func startDemo(t testing.TB) *demoRun {
	t.Helper()
	d := &demoRun{folder: t.TempDir(), env: vars{databaseURL: dbtest.New(t), "PORTICO_LISTEN": "localhost:0"}}
	ctx, stop := context.WithCancel(context.Background())
	said, stdout := io.Pipe()
	stderr := &worldtest.Log{}
	exited := make(chan int, 1)
	go func() {
		code := run(ctx, []string{"demo", "--data", d.folder}, d.env.lookup, strings.NewReader(""), stdout, stderr)
		_ = stdout.Close() // never fails
		exited <- code
	}()
	t.Cleanup(func() {
		stop()
		if code := <-exited; code != 0 {
			t.Errorf("the demo ended with exit code %d", code)
		}
		if t.Failed() {
			t.Logf("the demo's log:\n%s", stderr)
		}
	})
	d.readAddresses(t, said)
	go func() { _, _ = io.Copy(io.Discard, said) }() // ends with the demo
	return d
}

var announced = regexp.MustCompile(`^ *(Simulated Vitec Express|Simulated Visma Core|Simulated Tjänsteguide|Simulated network|Staff screens|e-mail|password) +(\S+)$`)

// readAddresses reads what the demo prints until it has said where it is.
func (d *demoRun) readAddresses(t testing.TB, said io.Reader) {
	t.Helper()
	found := map[string]string{}
	for lines := bufio.NewScanner(said); len(found) < 7; {
		if !lines.Scan() {
			t.Fatalf("the demo ended before it said where it is: %v", lines.Err())
		}
		if m := announced.FindStringSubmatch(lines.Text()); m != nil {
			found[m[1]] = m[2]
		}
	}
	d.simulator = strings.TrimSuffix(found["Simulated Vitec Express"], "/")
	d.visma = strings.TrimSuffix(found["Simulated Visma Core"], "/")
	d.guide = strings.TrimSuffix(found["Simulated Tjänsteguide"], "/")
	d.network = strings.TrimSuffix(found["Simulated network"], "/")
	d.portal = strings.TrimSuffix(found["Staff screens"], "/staff/orders")
	d.email, d.password = found["e-mail"], found["password"]
}

// hosts are all that the demo's pages may ask.
func (d *demoRun) hosts() []string {
	var hosts []string
	for _, address := range []string{d.simulator, d.visma, d.guide, d.network, d.portal} {
		if u, err := url.Parse(address); err == nil {
			hosts = append(hosts, u.Host)
		}
	}
	return hosts
}
