package private

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// startEnv makes the test binary a Portico that can be killed: it starts the
// throwaway cluster, or that of the named folder, and waits.
const startEnv = "PRIVATE_TEST_START"

func TestMain(m *testing.M) {
	if dir, ok := os.LookupEnv(startEnv); ok {
		if err := waitForKill(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func waitForKill(dir string) error {
	s, err := Start(context.Background(), Options{Dir: dir, Throwaway: dir == ""})
	if err != nil {
		return err
	}
	fmt.Println(s.process.cmd.Process.Pid, s.home.path)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// startAndKill runs another Portico, kills it with no warning, and returns its
// postgres and its folder.
func startAndKill(t *testing.T, dir string) (pid int, home string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), startEnv+"="+dir)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // open as long as we live
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(line, &pid, &home); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	return pid, home
}

// reachableDir is a data folder that root's PostgreSQL can reach too.
func reachableDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func start(t *testing.T, opts Options) *Server {
	t.Helper()
	s, err := Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func exe(t *testing.T, s *Server, query string) {
	t.Helper()
	db := open(t, s)
	if _, err := db.Exec(query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

func query(t *testing.T, s *Server, query string) string {
	t.Helper()
	var value string
	if err := open(t, s).QueryRow(query).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

func open(t *testing.T, s *Server) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", s.URL(Database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// However the last run ended, the next finds the cluster with what was committed.
func TestKeptClusterIsFoundAgain(t *testing.T) {
	t.Parallel()
	dir := reachableDir(t)
	s := start(t, Options{Dir: dir})
	exe(t, s, `CREATE TABLE notes (body text); INSERT INTO notes VALUES ('kept')`)
	stop(t, s)
	data := filepath.Join(dir, "postgres", "data")

	ends := []struct {
		name string
		end  func(t *testing.T)
	}{
		{"stopped", func(t *testing.T) { stop(t, start(t, Options{Dir: dir})) }},
		{"postgres was killed", func(t *testing.T) {
			s := start(t, Options{Dir: dir})
			if err := s.process.cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-s.process.ended
			stop(t, s)
		}},
		{"Portico was killed", func(t *testing.T) { startAndKill(t, dir) }},
		{"an orphan still runs", func(t *testing.T) {
			s := start(t, Options{Dir: dir})
			orphan := s.home.command(s.binaries.path("postgres"), s.settings()...)
			stop(t, s)
			runUntilReady(t, orphan, s)
		}},
		{"its process number is another program's", func(t *testing.T) {
			s := start(t, Options{Dir: dir})
			other := s.home.command("sleep", "600")
			stop(t, s)
			if err := other.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				_ = other.Process.Kill()
				_ = other.Wait()
			})
			for _, name := range []string{"data/postmaster.pid", ".s.PGSQL.5432.lock"} {
				content := fmt.Sprintf("%d\n%s\n", other.Process.Pid, data)
				if err := os.WriteFile(filepath.Join(dir, "postgres", name), []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}},
	}
	for _, end := range ends {
		t.Run(end.name, func(t *testing.T) {
			end.end(t)
			s := start(t, Options{Dir: dir})
			if got := query(t, s, `SELECT string_agg(body, ',') FROM notes`); got != "kept" {
				t.Errorf("notes are %q", got)
			}
		})
	}
}

// runUntilReady runs a postgres as nobody's child would run: Stop does not know
// of it, and it ends only if somebody ends it.
func runUntilReady(t *testing.T, postgres *exec.Cmd, s *Server) {
	t.Helper()
	stderr, err := postgres.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := postgres.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.Contains(lines.Text(), "ready to accept connections") {
	}
	if err := s.ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, stderr)
		_ = postgres.Wait()
	}()
}

func TestInterruptedStartIsBegunAnew(t *testing.T) {
	t.Parallel()
	dir := reachableDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Start(ctx, Options{Dir: dir}); err == nil {
		t.Error("started in a cancelled context")
	}
	if err := os.MkdirAll(filepath.Join(dir, "postgres", "data.new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	s := start(t, Options{Dir: dir})
	if got := query(t, s, `SELECT lower('ÅÄÖ') || pg_encoding_to_char(encoding) FROM pg_database WHERE datname = 'portico'`); got != "åäöUTF8" {
		t.Errorf("text is handled as %s", got)
	}

	_, err := Start(t.Context(), Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "another Portico is running on "+dir) {
		t.Errorf("a second start on the same folder: %v", err)
	}
	query(t, s, `SELECT 1`)
}

func TestClusterOfAnotherVersion(t *testing.T) {
	t.Parallel()
	dir := reachableDir(t)
	data := filepath.Join(dir, "postgres", "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "the database was made by PostgreSQL 9, which is not installed") {
		t.Errorf("start: %v", err)
	}
}

func TestThrowawayLeavesNothing(t *testing.T) {
	t.Parallel()
	live := start(t, Options{Throwaway: true})
	pid, remnant := startAndKill(t, "")
	if _, err := os.Stat(remnant); err != nil {
		t.Fatalf("there is nothing to sweep: %v", err)
	}

	s := start(t, Options{Throwaway: true})
	if _, err := os.Stat(remnant); !os.IsNotExist(err) {
		t.Errorf("the killed run's folder: %v", err)
	}
	if runsOn(pid, filepath.Join(remnant, "data")) {
		t.Error("the killed run's postgres still runs")
	}
	query(t, live, `SELECT 1`)

	stop(t, s)
	if _, err := os.Stat(s.home.path); !os.IsNotExist(err) {
		t.Errorf("the stopped run's folder: %v", err)
	}
}

// A clone in /root is closed to the user that root's PostgreSQL runs as.
func TestFolderClosedToOthers(t *testing.T) {
	t.Parallel()
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	opts := Options{Dir: closed, spare: filepath.Join(reachableDir(t), "spare")}
	s := start(t, opts)
	exe(t, s, `CREATE TABLE notes ()`)
	stop(t, s)
	if root := os.Geteuid() == 0; root != strings.HasPrefix(s.home.path, opts.spare) {
		t.Errorf("as root: %t, cluster in %s", root, s.home.path)
	}
	query(t, start(t, opts), `SELECT count(*) FROM notes`)
}

func TestSocketIsClosedToOthers(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Throwaway: true})
	info, err := os.Stat(s.socket.path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the socket's folder has mode %v", info.Mode())
	}
	if got := query(t, s, `SHOW listen_addresses`); got != "" {
		t.Errorf("listens on %s", got)
	}
}

func TestPathTooLongForSocket(t *testing.T) {
	long := strings.Repeat("a-long-name/", 10)
	dir := filepath.Join(reachableDir(t), long)

	s := start(t, Options{Dir: dir})
	if s.socket == nil || s.socket == s.home {
		t.Errorf("socket in %v", s.socket)
	}
	stop(t, s)
	if _, err := os.Stat(s.socket.path); !os.IsNotExist(err) {
		t.Errorf("the socket's folder: %v", err)
	}

	tmp := filepath.Join(reachableDir(t), long)
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", tmp)
	s = start(t, Options{Dir: dir})
	if s.socket != nil {
		t.Fatalf("socket in %s", s.socket.path)
	}
	query(t, s, `SELECT 1`)
	s.password = "guess"
	if err := s.ping(t.Context()); err == nil || !strings.Contains(err.Error(), "password authentication failed") {
		t.Errorf("with a wrong password: %v", err)
	}
}

func TestPorticoEndsItsOwnPostgresOnly(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Throwaway: true})
	pid := s.process.cmd.Process.Pid
	if !runsOn(pid, s.data()) {
		t.Error("does not know its own postgres")
	}
	for _, other := range []struct {
		pid  int
		data string
	}{{pid, s.data() + "2"}, {os.Getpid(), s.data()}, {1, s.data()}} {
		if runsOn(other.pid, other.data) {
			t.Errorf("takes process %d for a postgres on %s", other.pid, other.data)
		}
	}
	if group, err := syscall.Getpgid(pid); err != nil || group == syscall.Getpgrp() {
		t.Errorf("postgres is in our process group, where a Ctrl-C reaches it: %d, %v", group, err)
	}
}
