// Command portico is a web portal for service providers whose customers order
// from inside their own system. This package alone reads the environment and
// plugs the other packages together.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // the zones of providers, on machines without any

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// program is one run: what it reads, and where it writes.
type program struct {
	env            environment
	stdin          io.Reader
	stdout, stderr io.Writer
	log            *slog.Logger
	started        bool // a command runs: what fails now is no wrong usage
}

// errSaid ends a command with exit code 1 that has said already what is wrong.
var errSaid = errors.New("said already")

// run runs the whole program and returns its exit code: 0 done, 1 failed, 2
// wrong usage.
func run(ctx context.Context, args []string, env environment, stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{env: env, stdin: stdin, stdout: stdout, stderr: stderr, log: newLog(stderr)}
	err := p.command(args).ExecuteContext(ctx)
	var usage usageError
	switch {
	case err == nil:
		return 0
	case !p.started || errors.As(err, &usage):
		fmt.Fprintf(stderr, "portico: %v\nRun `portico --help` for what there is.\n", err)
		return 2
	case !errors.Is(err, errSaid):
		fmt.Fprintf(stderr, "portico: %v\n", err)
	}
	return 1
}

func (p *program) commands() []*cobra.Command {
	return []*cobra.Command{p.migrateCommand(), p.applyCommand(), p.staffCommand(), p.doctorCommand(), p.serveCommand(), p.workCommand(), p.demoCommand()}
}
