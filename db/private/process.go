package private

import (
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// process is a postgres that this process has started.
type process struct {
	cmd      *exec.Cmd
	ended    chan struct{} // closed at its end
	stopping atomic.Bool
}

func spawn(cmd *exec.Cmd) (*process, error) {
	endWithParent(cmd.SysProcAttr)
	p := &process{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		// To the kernel the parent is the thread that started the child, not
		// the process: the thread has to live as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // a non-zero status says no more than the log does
			close(p.ended)
		}
	}()
	return p, <-started
}

// watch logs an end that nobody asked for.
func (p *process) watch(log *slog.Logger) {
	<-p.ended
	if !p.stopping.Load() {
		log.Error("the private PostgreSQL ended by itself", "status", p.cmd.ProcessState.String())
	}
}

func (p *process) stop(first syscall.Signal) bool {
	p.stopping.Store(true)
	return end(first, func(sig syscall.Signal) error { return p.cmd.Process.Signal(sig) }, func(limit time.Duration) bool {
		select {
		case <-p.ended:
			return true
		case <-time.After(limit):
			return false
		}
	})
}

// end makes a postgres end: at first politely, disconnecting its clients, then
// at once, then by force.
func end(first syscall.Signal, send func(syscall.Signal) error, gone func(time.Duration) bool) bool {
	steps := []struct {
		signal syscall.Signal
		limit  time.Duration
	}{{syscall.SIGINT, 20 * time.Second}, {syscall.SIGQUIT, 6 * time.Second}, {syscall.SIGKILL, 6 * time.Second}}
	for _, step := range steps {
		if step.signal == first {
			first = 0
		}
		if first != 0 {
			continue
		}
		// An error is that of a process that has just ended, or that is not ours.
		if err := send(step.signal); err == nil || errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH) {
			if gone(step.limit) {
				return true
			}
		}
	}
	return false
}

// stopOrphan ends the postgres that a killed Portico has left running on a
// cluster. The caller holds the cluster's folder, so no live Portico wants it.
func stopOrphan(data string, first syscall.Signal, log *slog.Logger) error {
	file := filepath.Join(data, "postmaster.pid")
	content, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	line, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil || pid <= 1 {
		return os.Remove(file) // it was killed while it wrote the file
	}
	if runsOn(pid, data) {
		log.Info("stopping the PostgreSQL that an earlier run left", "pid", pid)
		if !end(first, func(sig syscall.Signal) error { return syscall.Kill(pid, sig) }, func(limit time.Duration) bool { return waitGone(pid, data, limit) }) {
			return errors.New("an earlier run's postgres does not end: process " + line)
		}
	}
	// The number may be another program's by now, or that of a zombie. Postgres
	// would take either for a server that still runs.
	if syscall.Kill(pid, 0) == nil {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

func waitGone(pid int, data string, limit time.Duration) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); <-tick.C {
		if !runsOn(pid, data) {
			return true
		}
	}
	return false
}
