package private

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/lib/pq" // the driver that start and stop talk through
)

const (
	superuser = "portico"
	loopback  = "127.0.0.1"
	startTime = time.Minute // enough for the recovery of a demo's database
)

func (s *Server) data() string { return filepath.Join(s.home.path, "data") }

// prepare finds the programs, and sees to it that there is a cluster and that
// nobody runs it.
func (s *Server) prepare(ctx context.Context) error {
	made, err := clusterVersion(s.data())
	if err != nil {
		return err
	}
	if s.binaries, err = findBinaries(ctx, s.home, made, s.log); err != nil {
		return err
	}
	if made == 0 {
		return s.initCluster(ctx)
	}
	return stopOrphan(s.data(), syscall.SIGINT, s.log)
}

// clusterVersion returns the major version that made the cluster, 0 if there is none.
func clusterVersion(data string) (int, error) {
	content, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	version, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return 0, fmt.Errorf("version of the cluster in %s: %w", data, err)
	}
	return version, nil
}

// initCluster makes the cluster under another name first: one that was
// interrupted is never taken for a whole one.
func (s *Server) initCluster(ctx context.Context) error {
	unfinished := s.data() + ".new"
	s.password = rand.Text()
	file, err := s.home.create("password")
	if err != nil {
		return err
	}
	_, err = file.WriteString(s.password + "\n")
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	args := []string{
		"-D", unfinished, "--username=" + superuser, "--encoding=UTF8",
		"--auth-local=trust", "--auth-host=scram-sha-256", "--pwfile=" + file.Name(),
	}
	if s.throwaway {
		args = append(args, "--no-sync")
	}
	for _, locale := range s.binaries.locales() {
		if err := os.RemoveAll(unfinished); err != nil {
			return err
		}
		if err = s.run(ctx, "initdb", append(args, locale...)...); err == nil {
			return os.Rename(unfinished, s.data())
		}
	}
	return err
}

// run runs one of PostgreSQL's programs to its end.
func (s *Server) run(ctx context.Context, program string, args ...string) error {
	cmd := s.home.command(s.binaries.path(program), args...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer stop()
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, errors.Join(err, ctx.Err()), strings.TrimSpace(out.String()))
	}
	return nil
}

// listen chooses where the server listens: a socket in its folder; if the path
// is too long for one, or the disk knows none, a socket elsewhere; else a port.
func (s *Server) listen() error {
	s.port = 5432 // of a socket it is just a part of the name
	if canListen(s.home.path) {
		s.socket = s.home
		return nil
	}
	sweep(os.TempDir(), s.log)
	if other, err := newThrowaway(os.TempDir()); err == nil {
		if canListen(other.path) {
			s.socket = other
			return nil
		}
		if err := other.remove(); err != nil {
			return err
		}
	}
	password, err := os.ReadFile(filepath.Join(s.home.path, "password"))
	if err != nil {
		return err
	}
	s.password = strings.TrimSpace(string(password))
	s.port, err = freePort()
	return err
}

func canListen(dir string) bool {
	// The files of a killed server; its lock file may name a living process.
	socket := filepath.Join(dir, ".s.PGSQL.5432")
	_, _ = os.Remove(socket), os.Remove(socket+".lock")
	l, err := net.Listen("unix", socket)
	return err == nil && l.Close() == nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func (s *Server) settings() []string {
	args := []string{"-D", s.data(), "-p", strconv.Itoa(s.port)}
	set := func(name, value string) { args = append(args, "-c", name+"="+value) }
	if s.socket != nil {
		set("unix_socket_directories", s.socket.path)
		set("unix_socket_permissions", "0700")
		set("listen_addresses", "")
	} else {
		set("unix_socket_directories", "")
		set("listen_addresses", loopback)
	}
	set("timezone", "UTC")
	set("jit", "off")
	set("shared_buffers", "32MB")
	if s.throwaway {
		set("fsync", "off")
		set("synchronous_commit", "off")
		set("full_page_writes", "off")
		set("max_connections", "300")
		set("shared_buffers", "128MB")
		set("max_wal_size", "256MB") // memory, as a rule
		// Elsewhere than in the folder, a killed server's would stay behind.
		set("dynamic_shared_memory_type", "mmap")
	}
	return args
}

// launch starts the server and waits until it answers.
func (s *Server) launch(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, errors.New("it did not answer in time"))
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.launchOnce(ctx, tick)
		// The children of a postgres that was killed need a moment to see it.
		if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), "shared memory block") {
			return err
		}
		<-tick.C
	}
}

func (s *Server) launchOnce(ctx context.Context, tick *time.Ticker) error {
	log, err := s.home.create("postgres.log")
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := s.home.command(s.binaries.path("postgres"), s.settings()...)
	cmd.Stdout, cmd.Stderr = log, log
	p, err := spawn(cmd)
	if err != nil {
		return err
	}
	s.process = p
	for {
		select {
		case <-p.ended:
			return fmt.Errorf("postgres ended (%s): %s", cmd.ProcessState, tail(log.Name()))
		case <-ctx.Done():
			return fmt.Errorf("%w: %s", context.Cause(ctx), tail(log.Name()))
		case <-tick.C:
			if s.ping(ctx) == nil {
				go p.watch(s.log)
				return nil
			}
		}
	}
}

// tail returns the end of the server's log, or why it cannot be read.
func tail(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(content[max(0, len(content)-2000):]))
}
