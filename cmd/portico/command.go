package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"portico/db"
	"portico/internal/portal"
)

// usageError is a wrong value of a flag.
type usageError struct{ error }

// command returns the command line as cobra knows it.
func (p *program) command(args []string) *cobra.Command {
	root := &cobra.Command{
		Use:           "portico",
		Short:         "A portal for service providers whose customers order from inside their own system",
		SilenceErrors: true, // run says them
		SilenceUsage:  true,
	}
	root.AddCommand(p.commands()...)
	root.SetArgs(append([]string{}, args...)) // nil would be those of the process
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	p.noteStart(root)
	return root
}

// noteStart makes each command note when it starts: cobra's own complaints,
// about flags and arguments, come before.
func (p *program) noteStart(c *cobra.Command) {
	if does := c.RunE; does != nil {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			p.started = true
			return does(cmd, args)
		}
	}
	for _, sub := range c.Commands() {
		p.noteStart(sub)
	}
}

// newLog returns a log of JSON lines, or of plain ones if people read them. It
// knows no words of partners.
func newLog(w io.Writer) *slog.Logger {
	discreet := &slog.HandlerOptions{ReplaceAttr: portal.Discreet}
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return slog.New(slog.NewTextHandler(w, discreet))
		}
	}
	return slog.New(slog.NewJSONHandler(w, discreet))
}

// openStore opens the database and refuses one whose schema is not current.
func openStore(ctx context.Context, c config) (*db.Store, error) {
	var seal db.Sealer
	if c.Keys != nil { // a nil *Ring in the interface would not be nil
		seal = c.Keys
	}
	store, err := db.Open(ctx, string(c.DatabaseURL), seal)
	if err != nil {
		return nil, err
	}
	if err := store.CheckSchema(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return store, nil
}
