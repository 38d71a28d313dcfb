package main

import (
	"bufio"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"portico/db/dbtest"
)

// runEnv makes the test binary testdb.
const runEnv = "TESTDB_TEST_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(runEnv) != "" {
		main()
	}
	os.Exit(m.Run())
}

// testdb prepares testdb with no server given.
func testdb(script string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "sh", "-c", script)
	cmd.Env = []string{runEnv + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	return cmd
}

func TestExitCodeAndAddress(t *testing.T) {
	t.Parallel()
	cmd := testdb(`echo "$` + dbtest.Env + `"; exit 7`)
	out, err := cmd.Output()
	if cmd.ProcessState.ExitCode() != 7 {
		t.Errorf("exit code %d, %v", cmd.ProcessState.ExitCode(), err)
	}
	if !strings.HasPrefix(string(out), "postgres://") {
		t.Errorf("address %q", out)
	}
}

func TestSignalIsPassedOn(t *testing.T) {
	t.Parallel()
	cmd := testdb(`echo ready; exec sleep 600`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Errorf("%q, %v", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if got, want := cmd.ProcessState.ExitCode(), 128+int(syscall.SIGTERM); got != want {
		t.Errorf("exit code %d, want %d", got, want)
	}
}

func TestServerThatIsGivenIsUsed(t *testing.T) {
	t.Parallel()
	cmd := testdb(`echo "$DATABASE_URL$` + dbtest.Env + `"`)
	cmd.Env = append(cmd.Env, "DATABASE_URL=postgres://db.example")
	if out, err := cmd.Output(); err != nil || string(out) != "postgres://db.example\n" {
		t.Errorf("%q, %v", out, err)
	}
}
