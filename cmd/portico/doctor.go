package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"portico/db"
	"portico/internal/portal"
)

// checkTime is how long one check of the doctor may take.
const checkTime = 10 * time.Second

func (p *program) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check database, schema, keys, storage, mail and each connection",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := &doctor{out: p.stdout, log: p.log}
			d.examine(cmd.Context(), p.env)
			if d.faults > 0 {
				return errSaid
			}
			return nil
		},
	}
}

// doctor checks everything that it can reach, one line each, and stops at nothing.
type doctor struct {
	out    io.Writer
	log    *slog.Logger
	faults int
}

func (d *doctor) examine(ctx context.Context, env environment) {
	c, err := readConfig(env, databaseURL, baseURLName, secretKeys)
	d.configuration(err)
	if c.DatabaseURL != "" {
		d.database(ctx, c)
	}
	d.check(ctx, "storage", func(ctx context.Context) (string, error) { return probeStorage(ctx, c.BlobURL) })
	d.check(ctx, "mail", func(ctx context.Context) (string, error) { return probeMail(ctx, string(c.SMTPURL), d.log) })
}

// check makes one check and prints its line: how things are, or what is wrong.
func (d *doctor) check(ctx context.Context, subject string, f func(context.Context) (string, error)) bool {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	detail, err := f(ctx)
	if err != nil {
		d.fault(subject, err.Error())
		return false
	}
	d.say("ok", subject, detail)
	return true
}

func (d *doctor) fault(subject, text string) {
	d.faults++
	d.say("fault", subject, text)
}

func (d *doctor) say(verdict, subject, text string) {
	line := fmt.Sprintf("%-5s  %-13s  %s", verdict, subject, strings.Join(strings.Fields(text), " "))
	fmt.Fprintln(d.out, line)
}

func (d *doctor) configuration(err error) {
	if err == nil {
		d.say("ok", "configuration", "every variable is in order")
		return
	}
	for line := range strings.Lines(err.Error()) {
		d.fault("configuration", line)
	}
}

func (d *doctor) database(ctx context.Context, c config) {
	var seal db.Sealer
	if c.Keys != nil {
		seal = c.Keys
	}
	var store *db.Store
	ok := d.check(ctx, "database", func(ctx context.Context) (_ string, err error) {
		store, err = db.Open(ctx, string(c.DatabaseURL), seal)
		return "it answers", err
	})
	if !ok {
		return
	}
	defer store.Close()
	ok = d.check(ctx, "schema", func(ctx context.Context) (string, error) {
		return "it is this program's", store.CheckSchema(ctx)
	})
	if !ok {
		return
	}
	d.check(ctx, "provider", func(ctx context.Context) (string, error) {
		provider, err := store.Provider(ctx)
		if portal.KindOf(err) == portal.NotFound {
			return "", errors.New("there is none yet: run `portico apply`")
		}
		return provider.Name, err
	})
	d.connections(ctx, store)
}

func (d *doctor) connections(ctx context.Context, store *db.Store) {
	var list []portal.Connection
	ok := d.check(ctx, "connections", func(ctx context.Context) (_ string, err error) {
		list, err = store.Connections(ctx)
		return fmt.Sprintf("%d", len(list)), err
	})
	if !ok {
		return
	}
	for _, c := range list {
		ok := d.check(ctx, "keys", func(ctx context.Context) (_ string, err error) {
			c, err = store.Connection(ctx, c.ID)
			return fmt.Sprintf("connection %s: credentials that open: %d", c.ID, len(c.Credentials)), err
		})
		if ok {
			d.check(ctx, "connection", func(ctx context.Context) (string, error) { return d.connection(ctx, store, c) })
			d.reconciled(ctx, store, c)
		}
	}
	d.fetched(ctx, store)
	d.refused(ctx, store)
}

// fetched says how far the fetching of orders is, where orders are fetched.
func (d *doctor) fetched(ctx context.Context, store *db.Store) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	polls, err := store.Polls(ctx)
	if err != nil {
		d.fault("fetching", err.Error())
	}
	for _, p := range polls {
		since := p.Since.UTC().Format(time.RFC3339)
		if p.Stale {
			d.fault("fetching", fmt.Sprintf("%s: no orders have been fetched since %s: /staff/polls has the reason", p.ConnectionID, since))
		} else {
			d.say("ok", "fetching", fmt.Sprintf("%s: in order since %s, orders kept aside: %d", p.ConnectionID, since, p.Aside))
		}
	}
}

// connection checks that a client can be made and its address be reached. No
// credential is sent: what a partner makes of a needless log-in is not known.
func (d *doctor) connection(ctx context.Context, store *db.Store, c portal.Connection) (string, error) {
	client, err := newClient(c, store, d.log)
	if err != nil {
		return "", err
	}
	if len(c.Credentials) == 0 {
		return "", fmt.Errorf("%s: it has no credentials", c.ID)
	}
	addresses := client.Addresses()
	for _, address := range addresses {
		if err := reach(ctx, address); err != nil {
			return "", fmt.Errorf("%s: %s cannot be reached: %w", c.ID, address, err)
		}
	}
	return fmt.Sprintf("%s: %s can be reached", c.ID, strings.Join(addresses, ", ")), nil
}

func (d *doctor) refused(ctx context.Context, store *db.Store) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	alarms, err := store.RefusedCredentials(ctx)
	if err != nil {
		d.fault("credentials", err.Error())
	}
	for _, a := range alarms {
		d.fault("credentials", fmt.Sprintf("%s: %s refuses the credential for customer %s with status %d since %s: correct it and run `portico apply`",
			a.ConnectionID, a.System, a.Customer, a.Status, a.Since.UTC().Format(time.RFC3339)))
	}
	if err == nil && len(alarms) == 0 {
		d.say("ok", "credentials", "none is refused")
	}
}

// probeStorage writes a file, reads it and removes it.
func probeStorage(ctx context.Context, address string) (detail string, err error) {
	bucket, err := openBucket(ctx, address)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	key, written := "doctor/"+rand.Text(), rand.Text()
	if err := bucket.WriteAll(ctx, key, []byte(written), nil); err != nil {
		return "", fmt.Errorf("write: %w", err)
	}
	read, err := bucket.ReadAll(ctx, key)
	if err == nil && string(read) != written {
		err = errors.New("what was read is not what was written")
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("read: %w", err), bucket.Delete(ctx, key))
	}
	if err := bucket.Delete(ctx, key); err != nil {
		return "", fmt.Errorf("delete: %w", err)
	}
	return "a file can be written, read and deleted", nil
}
