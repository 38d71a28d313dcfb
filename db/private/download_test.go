package private

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// repository serves an archive whose programs only tell their version:
// testdata/postgres.txz is a tar with bin/initdb, bin/pg_ctl and bin/postgres.
func repository(t *testing.T, archive string) embeddedpostgres.Config {
	t.Helper()
	content, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	var jar bytes.Buffer
	w := zip.NewWriter(&jar)
	file, err := w.Create("postgres.txz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := jar.Bytes()
		if strings.HasSuffix(r.URL.Path, ".sha256") {
			sum := sha256.Sum256(body)
			body = []byte(hex.EncodeToString(sum[:]))
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return embeddedpostgres.DefaultConfig().BinaryRepositoryURL(server.URL)
}

func TestDownload(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("TMPDIR", t.TempDir())
	home, err := hold(reachableDir(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { home.close() })

	got, err := downloadFrom(t.Context(), home, slog.New(slog.DiscardHandler), repository(t, "testdata/postgres.txz"))
	if err != nil {
		t.Fatal(err)
	}
	want := binaries{filepath.Join(home.path, "postgresql-"+string(downloadVersion), "bin"), downloadMajor}
	if got != want {
		t.Errorf("got %v, want %v", got, want)
	}

	nowhere := embeddedpostgres.DefaultConfig().BinaryRepositoryURL("http://127.0.0.1:1")
	if got, err = downloadFrom(t.Context(), home, slog.New(slog.DiscardHandler), nowhere); err != nil || got != want {
		t.Errorf("the second time: %v, %v", got, err)
	}
}

func TestDownloadFails(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("TMPDIR", t.TempDir())
	home, err := hold(reachableDir(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { home.close() })
	_, err = downloadFrom(t.Context(), home, slog.New(slog.DiscardHandler), embeddedpostgres.DefaultConfig().BinaryRepositoryURL("http://127.0.0.1:1"))
	if err == nil || !strings.Contains(err.Error(), "unable to connect") {
		t.Errorf("download from nowhere: %v", err)
	}
}
