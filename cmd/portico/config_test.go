package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/keyring"
)

func TestConfigDefaults(t *testing.T) {
	t.Parallel()
	c, err := readConfig(vars{}.lookup)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.Abs(".portico/blobs")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config{Listen: ":8080", BlobURL: "file://" + folder}, c); diff != "" {
		t.Error(diff)
	}
}

func TestConfigReadsEverything(t *testing.T) {
	t.Parallel()
	c, err := readConfig(vars{databaseURL: "postgresql://u:p@db/portico", "PORTICO_LISTEN": "[::1]:80", baseURLName: "https://portal.example/",
		secretKeys: keyring.New() + ", " + keyring.New(), "PORTICO_BLOB_URL": "s3://bucket?region=eu-north-1",
		"PORTICO_SMTP_URL": "smtps://u:p@mail.example", "PORTICO_METRICS_LISTEN": ":9090"}.lookup, databaseURL, baseURLName, secretKeys)
	if err != nil {
		t.Fatal(err)
	}
	if c.Keys == nil || len(c.Keys.Signing()) != 2 {
		t.Errorf("keys %v, want two", c.Keys)
	}
	c.Keys = nil
	want := config{DatabaseURL: "postgresql://u:p@db/portico", Listen: "[::1]:80", BaseURL: "https://portal.example",
		BlobURL: "s3://bucket?region=eu-north-1", SMTPURL: "smtps://u:p@mail.example", MetricsListen: ":9090"}
	if c != want { // cmp would compare how secrets print
		t.Errorf("read %+v", c)
	}
}

func TestConfigReportsEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	_, err := readConfig(vars{"PORTICO_LISTEN": "8080", baseURLName: "portal.example", secretKeys: "hunter2",
		"PORTICO_BLOB_URL": "ftp://hunter2", "PORTICO_SMTP_URL": "mail://u:hunter2@h", "PORTICO_METRICS_LISTEN": ":http"}.lookup,
		databaseURL, baseURLName, secretKeys)
	if err == nil {
		t.Fatal("no fault")
	}
	want := []string{
		"DATABASE_URL is not set",
		"PORTICO_BASE_URL must be an address like https://portal.example.com",
		"PORTICO_BLOB_URL must be an address like file:///var/lib/portico/blobs or s3://bucket?region=eu-north-1",
		"PORTICO_LISTEN must be a host and a port like 127.0.0.1:8080, or :8080 for every host",
		"PORTICO_METRICS_LISTEN must be a host and a port like 127.0.0.1:8080, or :8080 for every host",
		"PORTICO_SECRET_KEYS key 1 is not base64 of 32 bytes",
		"PORTICO_SMTP_URL must be an address like smtps://user:password@host:465",
	}
	if diff := cmp.Diff(want, strings.Split(err.Error(), "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestConfigRefuses(t *testing.T) {
	t.Parallel()
	for name, values := range map[string][]string{
		databaseURL:              {"hunter2", "mysql://hunter2@h/d", "postgres://u:hunter2 %@h/d"},
		"PORTICO_LISTEN":         {"localhost", ":99999", ":-1", "a:b:1"},
		baseURLName:              {"//h", "ftp://h", "https://", "https://h/path", "https://h?q", "https://h#f", "https://u:hunter2@h", "https://:443"},
		secretKeys:               {"hunter2", keyring.New() + ",hunter2", "c2hvcnQ=", ","},
		"PORTICO_BLOB_URL":       {"relative", "file://relative/path", "file:relative", "s3://", "/var/blobs"},
		"PORTICO_SMTP_URL":       {"mail.example", "smtp://", "http://mail.example"},
		"PORTICO_METRICS_LISTEN": {"9090"},
	} {
		for _, value := range values {
			_, err := readConfig(vars{name: value}.lookup)
			if err == nil || !strings.HasPrefix(err.Error(), name+" ") {
				t.Errorf("%s=%s: %v, want a fault that names it", name, value, err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s=%s: the fault shows the value: %v", name, value, err)
			}
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	key := keyring.New()
	c, err := readConfig(vars{databaseURL: "postgres://u:hunter2@h/d", "PORTICO_SMTP_URL": "smtp://u:hunter2@h", secretKeys: key}.lookup)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
		fmt.Fprintf(&out, verb+"\n", c)
		fmt.Fprintf(&out, verb+"\n", &c)
		fmt.Fprintf(&out, verb+"\n", c.DatabaseURL)
		fmt.Fprintf(&out, verb+"\n", []any{c.SMTPURL, c})
	}
	if err := json.NewEncoder(&out).Encode(c); err != nil {
		t.Fatal(err)
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Error("m", "config", c, "pointer", &c, "database", c.DatabaseURL, "err", errors.New(c.SMTPURL.String()))
	}
	fmt.Fprintln(&out, c, c.DatabaseURL)
	for _, secret := range []string{"hunter2", fmt.Sprintf("%x", "hunter2"), key} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is in\n%s", secret, out.String())
		}
	}
	if !strings.Contains(out.String(), "***") {
		t.Errorf("secrets do not print as ***:\n%s", out.String())
	}
}

func TestConfigWarnsOfPlainHTTP(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{"http://portal.example": true, "https://portal.example": false,
		"http://localhost:8080": false, "http://127.0.0.1:8080": false, "http://[::1]:8080": false, "http://localhost.example": true} {
		c, err := readConfig(vars{baseURLName: address}.lookup)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		c.warn(slog.New(slog.NewTextHandler(&out, nil)))
		if got := out.Len() > 0; got != want {
			t.Errorf("%s: warned %v, want %v", address, got, want)
		}
	}
}
