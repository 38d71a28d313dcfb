// Command testdb runs a command with one throwaway PostgreSQL for all the test
// binaries that it starts: testdb go test ./...
//
// Where DATABASE_URL is set, the tests use that server, and testdb starts none.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"portico/db/private"
)

// addressEnv is dbtest.Env; to import dbtest is for tests alone.
const addressEnv = "PORTICO_TEST_DATABASE_URL"

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: testdb COMMAND [ARGUMENT...]")
		os.Exit(2)
	}
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "testdb:", err)
	}
	os.Exit(code)
}

// run runs the command and returns its exit code.
func run(command []string) (code int, err error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if os.Getenv("DATABASE_URL") == "" && os.Getenv(addressEnv) == "" {
		s, err := start(signals)
		if err != nil {
			return 1, err
		}
		defer func() {
			if stopErr := s.Stop(); stopErr != nil {
				code, err = max(code, 1), stopErr
			}
		}()
		cmd.Env = append(os.Environ(), addressEnv+"="+s.URL(private.Database))
	}
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	done := make(chan struct{})
	go forward(signals, cmd.Process, done)
	err = cmd.Wait()
	close(done)
	return exitCode(err)
}

// start starts the cluster, unless a signal comes first.
func start(signals chan os.Signal) (*private.Server, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	started := make(chan struct{})
	defer close(started)
	go func() {
		select {
		case sig := <-signals:
			cancel(fmt.Errorf("stopped by %v", sig))
		case <-started:
		}
	}()
	return private.Start(ctx, private.Options{Throwaway: true})
}

// forward passes signals on. A Ctrl-C comes twice then, as the terminal sends it
// to the command too; go test does not mind.
func forward(signals <-chan os.Signal, p *os.Process, done <-chan struct{}) {
	for {
		select {
		case sig := <-signals:
			_ = p.Signal(sig) // an error is that the command has just ended
		case <-done:
			return
		}
	}
}

func exitCode(err error) (int, error) {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		if err != nil {
			return 1, err
		}
		return 0, nil
	}
	if status := exit.Sys().(syscall.WaitStatus); status.Signaled() {
		return 128 + int(status.Signal()), nil // as a shell tells it
	}
	return exit.ExitCode(), nil
}
