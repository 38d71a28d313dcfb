package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// acceptFile has a service whose orders the partner's server brings by itself,
// complete as they arrive.
const acceptFile = `
provider: {name: Nordljus Foto AB, support_email: support@nordljus.example, locale: sv, time_zone: Europe/Stockholm}
connections:
  - {id: vitec, system: vitec, base_url: "http://127.0.0.1:1", credentials: [{customer: "*", username: partner, password: p}]}
services:
  - {id: energi, connection: vitec, flow: background, auth: basic, basic: {username: vitec, password: a-callback-password-long-enough}, name: {sv: Energi}, turnaround_hours: 48}
`

// BenchmarkAccept measures the whole program, a process of its own, accepting
// background orders, and beside it pgbench committing the same rows by the same
// prepared statement in the same database with as many clients: ratio is the
// program's orders per second over pgbench's, p99-ratio the one p99 over the other.
func BenchmarkAccept(b *testing.B) {
	for _, clients := range []int{1, 8, 32} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			a := startAcceptance(b)
			took := make([]time.Duration, 0, b.N)
			b.ResetTimer()
			took = a.orders(b.N, clients, took)
			b.StopTimer()
			rate := float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(rate, "per-s")
			b.ReportMetric(milliseconds(took, 0.50), "p50-ms")
			b.ReportMetric(milliseconds(took, 0.99), "p99-ms")
			b.ReportMetric(a.peakMemory(), "MB")
			a.wantOrders(b.N)
			if b.N < 30*clients { // a first guess at N: nothing to compare
				return
			}
			reference, referenceTook := a.pgbench(clients, max(b.N/clients, 200))
			b.ReportMetric(rate/reference, "ratio")
			b.ReportMetric(milliseconds(took, 0.99)/milliseconds(referenceTook, 0.99), "p99-ratio")
		})
	}
}

// acceptance is a running portal and its database.
type acceptance struct {
	*testing.B
	url     string // the database's
	address string
	cmd     *exec.Cmd
	next    atomic.Int64
}

func startAcceptance(b *testing.B) *acceptance {
	b.Helper()
	env := newEnv(b)
	file := filepath.Join(b.TempDir(), "provider.yaml")
	a := &acceptance{B: b, url: env[databaseURL], address: freeAddress(b)}
	a.must(os.WriteFile(file, []byte(acceptFile), 0o600))
	if r := portico(b, env, "", "apply", file); r.code != 0 {
		b.Fatal(r.stderr)
	}
	env["PORTICO_LISTEN"] = a.address
	self, err := os.Executable()
	a.must(err)
	a.cmd = exec.Command(self, "serve")
	a.cmd.Env = append(os.Environ(), asProgram+"=1")
	for name, value := range env {
		a.cmd.Env = append(a.cmd.Env, name+"="+value)
	}
	log, err := os.Create(filepath.Join(b.TempDir(), "log"))
	a.must(err)
	a.cmd.Stdout, a.cmd.Stderr = log, log
	a.must(a.cmd.Start())
	b.Cleanup(func() {
		a.must(a.cmd.Process.Signal(syscall.SIGTERM))
		a.must(a.cmd.Wait())
		a.must(log.Close())
	})
	ctx, cancel := context.WithTimeout(b.Context(), 30*time.Second)
	defer cancel()
	for look := time.Tick(10 * time.Millisecond); ; <-look {
		a.must(ctx.Err())
		if res, err := http.Get("http://" + a.address + "/readyz"); err == nil {
			a.must(res.Body.Close())
			if res.StatusCode == http.StatusOK {
				return a
			}
		}
	}
}

func (a *acceptance) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

// orders brings n orders over a number of connections that are kept open, and
// returns how long each took. The client is as plain as can be: it shares the
// machine with what it measures.
func (a *acceptance) orders(n, clients int, took []time.Duration) []time.Duration {
	a.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	last := a.next.Load() + int64(n)
	for range clients {
		group.Go(func() {
			conn, err := net.Dial("tcp", a.address)
			if err != nil {
				a.Error(err)
				return
			}
			defer conn.Close()
			answers := bufio.NewReader(conn)
			var own []time.Duration
			for i := a.next.Add(1); i <= last; i = a.next.Add(1) {
				started := time.Now()
				if err := bring(conn, answers, i); err != nil {
					a.Error(err)
					return
				}
				own = append(own, time.Since(started))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
		})
	}
	group.Wait()
	a.next.Store(last)
	return took
}

var callbackAuth = base64.StdEncoding.EncodeToString([]byte("vitec:a-callback-password-long-enough"))

func bring(conn net.Conn, answers *bufio.Reader, i int64) error {
	_, err := fmt.Fprintf(conn, "GET /callback/energi?customerId=M30011&orderId=P%d&userId=U%d&currentUserId=U%[2]d&estateId=OBJ%[1]d&estateType=House HTTP/1.1\r\n"+
		"Host: portal\r\nAuthorization: Basic %[3]s\r\n\r\n", i, i%50, callbackAuth)
	if err != nil {
		return err
	}
	status, err := answers.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(status, "HTTP/1.1 200 ") {
		return errors.New(status)
	}
	for line := status; line != "\r\n"; { // the answer has no body
		if line, err = answers.ReadString('\n'); err != nil {
			return err
		}
	}
	return nil
}

func (a *acceptance) wantOrders(n int) {
	a.Helper()
	database, err := sql.Open("postgres", a.url)
	a.must(err)
	defer database.Close()
	var stored int
	a.must(database.QueryRow(`SELECT count(*) FROM orders WHERE partner_order_id LIKE 'P%'`).Scan(&stored))
	if stored != n {
		a.Errorf("%d orders are stored, %d were accepted", stored, n)
	}
}

// peakMemory is the program's largest resident size in megabytes.
func (a *acceptance) peakMemory() float64 {
	a.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", a.cmd.Process.Pid))
	if err != nil { // only Linux tells
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	a.must(err)
	return float64(kilobytes) / 1024
}

// acceptScript calls open_order as the portal does.
const acceptScript = `\set n random(1, 1000000000000)
\set u random(1, 50)
SELECT id, public_id, broker_id, is_new, had_type, had_target, had_owner FROM open_order('vitec', 'energi',
	%d, 'M30011', '', '', 'U' || :u, 'U' || :u, 'Q' || :n, 'House', 'OBJ' || :n, '{}',
	md5('' || :n || random()), 'received', now(), now() + interval '2 days', 'SEK', 'q' || :n || ' obj' || :n || ' m30011', false,
	'[{"kind": "opened"}]', NULL, 10, now());
`

// pgbench returns the transactions per second, and how long each took.
func (a *acceptance) pgbench(clients, each int) (float64, []time.Duration) {
	a.Helper()
	folder := a.TempDir()
	script := filepath.Join(folder, "accept.sql")
	database, err := sql.Open("postgres", a.url)
	a.must(err)
	defer database.Close()
	var form int64
	a.must(database.QueryRow(`SELECT id FROM forms WHERE service_id = 'energi'`).Scan(&form))
	a.must(os.WriteFile(script, fmt.Appendf(nil, acceptScript, form), 0o600))
	cmd := exec.Command(pgbenchPath(a.B), "-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", strconv.Itoa(min(clients, 2)),
		"-t", strconv.Itoa(each), "-f", script, "-l", "--log-prefix", filepath.Join(folder, "took"), a.url)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	if err != nil {
		a.Fatalf("pgbench: %v\n%s", err, out)
	}
	_, rest, _ := strings.Cut(string(out), "tps = ")
	rate, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	a.must(err)
	logs, err := filepath.Glob(filepath.Join(folder, "took*"))
	a.must(err)
	var took []time.Duration
	for _, name := range logs {
		text, err := os.ReadFile(name)
		a.must(err)
		for line := range strings.Lines(string(text)) {
			microseconds, err := strconv.Atoi(strings.Fields(line)[2])
			a.must(err)
			took = append(took, time.Duration(microseconds)*time.Microsecond)
		}
	}
	return rate, took
}

// pgbenchPath finds the program beside the server's, where PATH does not have it.
func pgbenchPath(b *testing.B) string {
	b.Helper()
	if path, err := exec.LookPath("pgbench"); err == nil {
		return path
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if err != nil || len(found) == 0 {
		b.Fatal("pgbench is needed for the comparison: it comes with PostgreSQL")
	}
	return found[len(found)-1]
}

// freeAddress returns an address of this machine where nothing listens.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
