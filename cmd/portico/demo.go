package main

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"portico/db"
	"portico/db/private"
	"portico/internal/applyfile"
	"portico/internal/keyring"
	"portico/internal/password"
	"portico/internal/portal"
)

//go:embed demo.yaml
var demoFiles embed.FS

const (
	demoEmail = "maja@nordljus.example"
	demoName  = "Maja Lind"
)

func (p *program) demoCommand() *cobra.Command {
	var folder string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run the portal with everything around it: database, demo provider, simulated partner systems",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := demo{program: p, folder: folder}
			return d.run(cmd.Context())
		},
	}
	c.Flags().StringVar(&folder, "data", dataFolder, "folder that keeps the demo's data")
	return c
}

// demo is a portal with all that it needs, on this machine alone.
type demo struct {
	*program
	folder string
	kept   demoSecrets
}

// demoSecrets are made at the first start and kept in the data folder.
type demoSecrets struct {
	Keys            string `json:"keys"`
	StaffPassword   string `json:"staff_password"`
	VitecPassword   string `json:"vitec_password"`
	VismaSecret     string `json:"visma_secret"`
	GuideKey        string `json:"guide_key"`
	NetworkPassword string `json:"network_password"`
}

func (d demo) run(ctx context.Context) error {
	if err := os.MkdirAll(d.folder, 0o755); err != nil {
		return err
	}
	if err := d.keepSecrets(); err != nil {
		return err
	}
	listener, err := d.listen()
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	simulators, err := d.simulators(listener.Addr().(*net.TCPAddr).Port)
	if err != nil {
		return err
	}
	defer simulators.close()
	database, stop, err := d.database(ctx)
	if err != nil {
		return err
	}
	defer stop()
	c, err := d.config(database, listener)
	if err != nil {
		return err
	}
	if err := d.setUp(ctx, c, simulators); err != nil {
		return err
	}
	d.announce(c, simulators)
	group, ctx := errgroup.WithContext(ctx)
	simulators.serve(ctx, group, d.log)
	group.Go(func() error { return d.serve(ctx, c, listener, true) })
	return group.Wait()
}

// keepSecrets reads the secrets of an earlier start, and makes those that it had not.
func (d *demo) keepSecrets() error {
	path := filepath.Join(d.folder, "demo.json")
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		if err := json.Unmarshal(raw, &d.kept); err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
	}
	was := d.kept
	d.kept = demoSecrets{Keys: cmp.Or(was.Keys, keyring.New()), StaffPassword: cmp.Or(was.StaffPassword, password.Random()),
		VitecPassword: cmp.Or(was.VitecPassword, password.Random()), VismaSecret: cmp.Or(was.VismaSecret, password.Random()),
		GuideKey: cmp.Or(was.GuideKey, password.Random()), NetworkPassword: cmp.Or(was.NetworkPassword, password.Random())}
	if d.kept == was {
		return nil
	}
	if raw, err = json.MarshalIndent(d.kept, "", "\t"); err != nil {
		return err
	}
	return os.WriteFile(path, raw, 0o600)
}

func (d demo) listen() (net.Listener, error) {
	address, _ := d.env("PORTICO_LISTEN")
	if address == "" {
		address = "localhost:8080" // the demo's password is no secret: nobody else's machine gets in
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w (PORTICO_LISTEN chooses another address)", err)
	}
	return listener, nil
}

// database returns the address of the database that there is, or of a private
// one that stop stops.
func (d demo) database(ctx context.Context) (address string, stop func(), err error) {
	if address, _ = d.env(databaseURL); address != "" {
		return address, func() {}, nil
	}
	server, err := private.Start(ctx, private.Options{Dir: d.folder, Log: d.log})
	if err != nil {
		return "", nil, err
	}
	return server.URL("portico"), func() {
		if err := server.Stop(); err != nil {
			d.log.Error("stop the private database", "err", err)
		}
	}, nil
}

// config reads the environment, with what the demo knows in place of what is not set.
func (d demo) config(database string, listener net.Listener) (config, error) {
	files, err := filepath.Abs(filepath.Join(d.folder, "blobs"))
	if err != nil {
		return config{}, err
	}
	defaults := map[string]string{
		databaseURL:        database,
		baseURLName:        "http://localhost:" + strconv.Itoa(listener.Addr().(*net.TCPAddr).Port),
		secretKeys:         d.kept.Keys,
		"PORTICO_BLOB_URL": (&url.URL{Scheme: "file", Path: filepath.ToSlash(files)}).String(),
	}
	return readConfig(func(name string) (string, bool) {
		if value, ok := d.env(name); ok && value != "" {
			return value, true
		}
		value, ok := defaults[name]
		return value, ok
	}, databaseURL, baseURLName, secretKeys)
}

// setUp brings schema, provider, connections, services and staff up to date.
func (d demo) setUp(ctx context.Context, c config, simulators *simulators) error {
	if err := db.Migrate(ctx, string(c.DatabaseURL)); err != nil {
		return err
	}
	source, err := demoFiles.ReadFile("demo.yaml")
	if err != nil {
		return err
	}
	variables := simulators.variables(d.kept)
	setup, faults := applyfile.Parse(source, func(name string) (string, bool) { v, ok := variables[name]; return v, ok }, systems)
	if len(faults) > 0 {
		return fmt.Errorf("demo.yaml: %v", faults)
	}
	store, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	if _, err := store.Apply(ctx, setup); err != nil {
		return err
	}
	simulators.offer(setup.Services, c.BaseURL)
	return d.addStaff(ctx, store)
}

func (d demo) addStaff(ctx context.Context, store *db.Store) error {
	_, err := store.StaffByEmail(ctx, demoEmail)
	if portal.KindOf(err) != portal.NotFound {
		return err
	}
	hash, err := password.Hash(ctx, d.kept.StaffPassword)
	if err != nil {
		return err
	}
	_, err = store.AddStaff(ctx, portal.Staff{Email: demoEmail, Name: demoName, Role: portal.RoleAdmin, PasswordHash: hash})
	return err
}

func (d demo) announce(c config, simulators *simulators) {
	fmt.Fprintf(d.stdout, `
Portico is running, with simulated partner systems beside it.

  Simulated Vitec Express  %s/
  Staff screens            %s/staff/orders
  Staff login              %s/staff/login
                           e-mail   %s
                           password %s

  Simulated Visma Core     %s/
  Simulated Tjänsteguide   %s/
  Simulated network        %s/

Ctrl-C stops everything; the data stays in %s.

`, simulators.vitecURL(), c.BaseURL, c.BaseURL, demoEmail, d.kept.StaffPassword, simulators.vismaURL(),
		simulators.guideURL(), simulators.networkURL(), d.folder)
}
