package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"portico/internal/password"
	"portico/internal/portal"
)

func (p *program) staffCommand() *cobra.Command {
	staff := &cobra.Command{
		Use:   "staff",
		Short: "Manage the provider's people",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return usageError{errors.New("staff needs a command: add")}
		},
	}
	staff.AddCommand(p.staffAddCommand())
	return staff
}

func (p *program) staffAddCommand() *cobra.Command {
	var person portal.Staff
	var fromStdin bool
	c := &cobra.Command{
		Use:   "add --email E --name N --role admin|fulfiller|viewer",
		Short: "Add a member of staff",
		Long: `Add a member of staff. A one-time password is made up and is all that is
printed to standard output, unless --password-stdin brings one.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.addStaff(cmd.Context(), person, fromStdin)
		},
	}
	c.Flags().StringVar(&person.Email, "email", "", "e-mail address, to log in with")
	c.Flags().StringVar(&person.Name, "name", "", "name, as brokers see it")
	c.Flags().StringVar((*string)(&person.Role), "role", "", "admin, fulfiller or viewer")
	c.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from the first line of standard input")
	for _, name := range []string{"email", "name", "role"} {
		_ = c.MarkFlagRequired(name) // fails for a flag that does not exist
	}
	return c
}

func (p *program) addStaff(ctx context.Context, person portal.Staff, fromStdin bool) error {
	c, err := readConfig(p.env, databaseURL)
	if err != nil {
		return err
	}
	secretWord := password.Random()
	if fromStdin {
		if secretWord, err = readPassword(p.stdin); err != nil {
			return err
		}
	}
	if person.PasswordHash, err = password.Hash(ctx, secretWord); err != nil {
		return err
	}
	store, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer store.Close()
	added, err := store.AddStaff(ctx, person)
	if err != nil {
		return staffFault(person, err)
	}
	if fromStdin {
		_, err = fmt.Fprintf(p.stderr, "%s <%s> is added as %s.\n", added.Name, added.Email, added.Role)
		return err
	}
	fmt.Fprintf(p.stderr, "%s <%s> is added as %s. The one-time password:\n", added.Name, added.Email, added.Role)
	_, err = fmt.Fprintln(p.stdout, secretWord)
	return err
}

const maxPassword = 1024 // bytes

func readPassword(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, maxPassword+2)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	word := strings.TrimRight(line, "\r\n")
	switch {
	case len(word) > maxPassword || !utf8.ValidString(word):
		return "", fmt.Errorf("the password must be text of at most %d bytes", maxPassword)
	case utf8.RuneCountInString(word) < portal.MinPassword:
		return "", fmt.Errorf("the password must have at least %d characters", portal.MinPassword)
	}
	return word, nil
}

// staffFault says in English what the domain says by key.
func staffFault(person portal.Staff, err error) error {
	var known *portal.Error
	switch {
	case !errors.As(err, &known):
		return err
	case known.Kind == portal.Conflict:
		return fmt.Errorf("there is an account for %s already", person.Email)
	case known.Kind != portal.Invalid:
		return err
	}
	var wrong []string
	for _, flag := range []struct{ name, rule string }{
		{"email", "--email must be an e-mail address"},
		{"name", "--name must not be empty"},
		{"role", "--role must be admin, fulfiller or viewer"},
	} {
		if _, ok := known.Fields[flag.name]; ok {
			wrong = append(wrong, flag.rule)
		}
	}
	return usageError{errors.New(strings.Join(wrong, "; "))}
}
