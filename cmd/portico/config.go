package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"portico/internal/keyring"
)

// environment looks up a variable, as os.LookupEnv does.
type environment func(string) (string, bool)

// secret is a text that is never printed: where it is needed, it is converted.
type secret string

// String returns "***", or "" for none.
func (s secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// Format prints String for every verb; %d and its like would go round String.
func (s secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue logs String.
func (s secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText encodes String.
func (s secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// The variables that a command may not be able to do without.
const (
	databaseURL = "DATABASE_URL"
	baseURLName = "PORTICO_BASE_URL"
	secretKeys  = "PORTICO_SECRET_KEYS"
)

// dataFolder is where the program keeps files unless it is told otherwise.
const dataFolder = ".portico"

// config is the environment, read once.
type config struct {
	DatabaseURL   secret
	Listen        string
	BaseURL       string        // without a slash at the end
	Keys          *keyring.Ring // nil: none
	BlobURL       string
	SMTPURL       secret // empty: mails are logged
	MetricsListen string // empty: no listener
}

// readConfig reads the environment. The error names every variable of needs
// that is missing and every variable that is malformed; the rest of the config
// is good all the same. No error holds a value that may be secret.
func readConfig(env environment, needs ...string) (config, error) {
	r := reader{env: env}
	c := config{
		DatabaseURL:   secret(r.read(databaseURL, "", checkDatabaseURL)),
		Listen:        r.read("PORTICO_LISTEN", ":8080", checkListen),
		BaseURL:       strings.TrimSuffix(r.read(baseURLName, "", checkBaseURL), "/"),
		BlobURL:       r.read("PORTICO_BLOB_URL", "", checkBlobURL),
		SMTPURL:       secret(r.read("PORTICO_SMTP_URL", "", checkSMTPURL)),
		MetricsListen: r.read("PORTICO_METRICS_LISTEN", "", checkListen),
	}
	r.read(secretKeys, "", func(list string) (err error) {
		c.Keys, err = keyring.Parse(list)
		return err
	})
	if c.BlobURL == "" {
		c.BlobURL = r.defaultBlobURL()
	}
	for _, name := range needs {
		if value, _ := env(name); value == "" {
			r.fault(name, errors.New("is not set"))
		}
	}
	slices.SortFunc(r.faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return c, errors.Join(r.faults...)
}

// warn logs what is allowed and not wise.
func (c config) warn(log *slog.Logger) {
	if u, err := url.Parse(c.BaseURL); err == nil && u.Scheme == "http" && !loopback(u.Hostname()) {
		log.Warn(baseURLName+" is not https: links and cookies can be read on their way", "url", c.BaseURL)
	}
}

type reader struct {
	env    environment
	faults []error
}

func (r *reader) fault(name string, err error) {
	r.faults = append(r.faults, fmt.Errorf("%s %w", name, err))
}

// read returns a variable, or what it is if it is not set or malformed.
func (r *reader) read(name, otherwise string, check func(string) error) string {
	value, _ := r.env(name)
	if value == "" {
		return otherwise
	}
	if err := check(value); err != nil {
		r.fault(name, err)
		return otherwise
	}
	return value
}

func (r *reader) defaultBlobURL() string {
	folder, err := filepath.Abs(filepath.Join(dataFolder, "blobs"))
	if err != nil {
		r.fault("PORTICO_BLOB_URL", fmt.Errorf("is not set, and there is no folder to start from: %w", err))
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(folder)}).String()
}

// The checks do not wrap what url.Parse says: it quotes the address, and with
// it the password.

func checkDatabaseURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return errors.New("must be an address like postgres://user:password@host/database")
	}
	return nil
}

func checkListen(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return errors.New("must be a host and a port like 127.0.0.1:8080, or :8080 for every host")
	}
	return nil
}

func checkBaseURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return errors.New("must be an address like https://portal.example.com")
	case u.User != nil, u.Path != "" && u.Path != "/", strings.ContainsAny(s, "?#"):
		return errors.New("must be scheme, host and port only")
	}
	return nil
}

func checkBlobURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil:
	case u.Scheme == "file" && u.Host == "" && filepath.IsAbs(u.Path), u.Scheme == "s3" && u.Host != "", u.Scheme == "mem":
		return nil
	}
	return errors.New("must be an address like file:///var/lib/portico/blobs or s3://bucket?region=eu-north-1")
}

func checkSMTPURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return errors.New("must be an address like smtps://user:password@host:465")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
