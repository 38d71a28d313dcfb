package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"portico/internal/worldtest"
)

// build builds the program, with the race detector where the test has it.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "portico")
	args := []string{"build", "-o", program}
	if raceDetector {
		args = append(args, "-race")
	}
	out, err := exec.CommandContext(t.Context(), "go", append(args, "portico/cmd/portico")...).CombinedOutput()
	if err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	return program
}

// environ is what a process of the program is given.
type environ map[string]string

func (e environ) list() []string {
	all := os.Environ()
	for name, value := range e {
		all = append(all, name+"="+value)
	}
	return all
}

// once runs a command of the program to its end.
func once(ctx context.Context, program string, env environ, stdin string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env, cmd.Stdin = env.list(), strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("portico %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// process is a program that is started again whenever it ends, until it is retired.
type process struct {
	name string
	cmd  func() *exec.Cmd
	link *link // to the database
	log  *journal

	mu      sync.Mutex
	now     *life
	retired bool
	faults  []string      // ends that nobody asked for
	gone    chan struct{} // closed when nothing starts it again
}

// life is a process from start to end.
type life struct {
	process *os.Process
	ready   chan struct{} // it works
	ended   chan struct{}
	err     error  // of the end
	address string // where it serves, once it works
	doomed  bool   // its end is wanted
}

// supervise starts a process and sees to it that it runs.
func supervise(t *testing.T, name, program string, link *link, env environ, args ...string) *process {
	p := &process{name: name, link: link, log: &journal{}, gone: make(chan struct{}), now: newLife()}
	p.cmd = func() *exec.Cmd {
		cmd := exec.Command(program, args...)
		cmd.Env, cmd.SysProcAttr = env.list(), endWithParent()
		return cmd
	}
	go p.keep()
	t.Cleanup(func() { p.retire(syscall.SIGKILL); <-p.gone })
	return p
}

func newLife() *life { return &life{ready: make(chan struct{}), ended: make(chan struct{})} }

// keep runs one life after another.
func (p *process) keep() {
	defer close(p.gone)
	// To the kernel the parent is the thread that started the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	pause := time.NewTicker(100 * time.Millisecond)
	defer pause.Stop()
	for p.live() {
		<-pause.C
	}
}

// live runs the process to its end, and reports whether there is to be another life.
func (p *process) live() bool {
	p.mu.Lock()
	if p.retired {
		p.mu.Unlock()
		return false
	}
	life, cmd := p.now, p.cmd()
	out := &follower{log: p.log, life: life, process: p}
	cmd.Stdout, cmd.Stderr = out, out
	err := cmd.Start()
	life.process = cmd.Process
	p.mu.Unlock()
	if err == nil {
		err = cmd.Wait()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	life.err = err
	if !life.doomed && life.address != "" {
		p.faults = append(p.faults, fmt.Sprintf("%s ended by itself: %v; it said last:\n%s", p.name, err, p.log.tail()))
	}
	p.now = newLife()
	close(life.ended)
	return !p.retired
}

// current returns the life that is going on.
func (p *process) current() *life {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// signal sends a signal; one that ends the process is given with doomed.
func (p *process) signal(s syscall.Signal, doomed bool) *life {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.now.process != nil {
		p.now.doomed = p.now.doomed || doomed
		_ = p.now.process.Signal(s) // one that has just ended is started again
	}
	return p.now
}

// kill ends the process without a warning, and waits for the end.
func (p *process) kill() {
	if life := p.signal(syscall.SIGKILL, true); life.process != nil {
		<-life.ended
	}
}

// retire ends the process and starts it no more.
func (p *process) retire(s syscall.Signal) *life {
	p.mu.Lock()
	p.retired = true
	p.mu.Unlock()
	life := p.signal(s, true)
	_ = p.signal(syscall.SIGCONT, true) // one that stands still would not notice
	return life
}

// await waits until the process works.
func (p *process) await(ctx context.Context) error {
	for {
		life := p.current()
		select {
		case <-life.ready:
			return nil
		case <-life.ended: // it was started while it could not work
		case <-ctx.Done():
			return fmt.Errorf("%s does not work: %w; it said last:\n%s", p.name, ctx.Err(), p.log.tail())
		}
	}
}

// address returns where the process serves, "" while it does not.
func (p *process) address() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now.address
}

func (p *process) unwantedEnds() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// journal is what a process said in all its lives.
type journal struct{ worldtest.Log }

func (j *journal) tail() string {
	text := j.String()
	return text[max(0, len(text)-2000):]
}

// follower writes the journal, and looks in it for the sign that the process works.
type follower struct {
	log     io.Writer
	life    *life
	process *process
	line    []byte
	seen    bool
}

func (f *follower) Write(b []byte) (int, error) {
	n, err := f.log.Write(b)
	for rest := b; !f.seen && len(rest) > 0; {
		head, tail, whole := bytes.Cut(rest, []byte{'\n'})
		f.line, rest = append(f.line, head...), tail
		if whole {
			f.read(f.line)
			f.line = nil
		}
	}
	return n, err
}

func (f *follower) read(line []byte) {
	var entry struct{ Msg, Address string }
	if json.Unmarshal(line, &entry) != nil || entry.Msg != "serving" && entry.Msg != "working" {
		return
	}
	f.seen = true
	f.process.mu.Lock()
	defer f.process.mu.Unlock()
	f.life.address = entry.Address
	if entry.Msg == "working" {
		f.life.address = "none"
	}
	close(f.life.ready)
}

// exitedWell reports whether a life ended as the one who stopped it asked.
func (l *life) exitedWell(ctx context.Context) error {
	select {
	case <-l.ended:
	case <-ctx.Done():
		return fmt.Errorf("it does not end: %w", ctx.Err())
	}
	if exit, ok := errors.AsType[*exec.ExitError](l.err); ok {
		return exit
	}
	return l.err
}
