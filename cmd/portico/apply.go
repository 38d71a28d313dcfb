package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"portico/db"
	"portico/internal/applyfile"
	"portico/internal/portal"
)

func (p *program) applyCommand() *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:   "apply FILE",
		Short: "Check and store provider, connections and services",
		Long: `Check and store provider, connections and services from a YAML file, "-" for
standard input. Everything that is wrong is listed, each fault with its place,
and nothing is stored then. What the file does not name stays as it is.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.apply(cmd.Context(), args[0], dryRun)
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "check, say what would change, and store nothing")
	return c
}

func (p *program) apply(ctx context.Context, path string, dryRun bool) error {
	src, err := p.readFile(path)
	if err != nil {
		return err
	}
	needs := []string{databaseURL, secretKeys}
	if dryRun {
		needs = nil
	}
	c, err := readConfig(p.env, needs...)
	setup, faults := applyfile.Parse(src, p.env, systems)
	for _, fault := range faults {
		fmt.Fprintln(p.stderr, fault)
	}
	if len(faults) > 0 && err != nil { // both at once
		fmt.Fprintln(p.stderr, err)
	}
	if len(faults) > 0 {
		return errSaid
	}
	if err != nil {
		return err
	}
	if dryRun && (c.DatabaseURL == "" || c.Keys == nil) {
		_, err := fmt.Fprintf(p.stdout, "The file is in order. What it would change can be told with %s and %s.\n", databaseURL, secretKeys)
		return err
	}
	store, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer store.Close()
	return p.applyTo(ctx, store, setup, dryRun)
}

func (p *program) applyTo(ctx context.Context, store *db.Store, setup portal.Setup, dryRun bool) error {
	do := store.Apply
	if dryRun {
		do = store.Plan
	}
	changes, err := do(ctx, setup)
	if err != nil {
		return err
	}
	for _, line := range changes.Made {
		fmt.Fprintln(p.stdout, line)
	}
	if len(changes.Made) == 0 {
		fmt.Fprintln(p.stdout, "nothing changed")
	}
	for _, name := range changes.Kept {
		fmt.Fprintf(p.stdout, "%s is not in the file: kept as it is\n", name)
	}
	if dryRun {
		fmt.Fprintln(p.stdout, "dry run: nothing was stored")
	}
	return nil
}

func (p *program) readFile(path string) ([]byte, error) {
	if path == "-" {
		src, err := io.ReadAll(p.stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return src, nil
	}
	return os.ReadFile(path)
}
