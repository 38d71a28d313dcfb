package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"portico/internal/partner/door/doortest"
)

func TestRunServesAndStops(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"--listen", "127.0.0.1:0", "--portal", "https://portal.example/", "--service", "foto=Foto",
			"--state", filepath.Join(t.TempDir(), "state.json"), "--onapi-listen", "127.0.0.1:0",
			"--guide-listen", "127.0.0.1:0", "--guide-service", "2440=Bredband"}, in, io.Discard)
	}()
	lines := bufio.NewReader(out)
	next := func() string {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(line[strings.Index(line, "http://"):])
	}
	address, network, guide := next(), next(), next()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(t.Context(), "POST", address+"/estates/OBJ30011_1684210/orders?service=foto", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("Location"); !strings.HasPrefix(got, "https://portal.example/callback/foto?customerId=M30011&token=") {
		t.Errorf("status %d, Location %q", resp.StatusCode, got)
	}
	if status, _, body := doortest.NewBrowser(t, network).Get("/"); status != 200 || !strings.Contains(body, "Simulerat stadsnät") {
		t.Errorf("the network: %d", status)
	}
	doortest.NewBrowser(t, guide).Sees("/", "Simulator av Tjänsteguiden", `data-testid="service-2440"`)
	stop()
	if err := <-ended; err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--service", "foto"}, {"--portal", "localhost"}, {"--listen", "x"}, {"extra"}, {"--nothing"},
		{"--state", t.TempDir()}, {"--onapi-listen", "127.0.0.1:0", "--onapi-state", t.TempDir()},
		{"--listen", "127.0.0.1:0", "--onapi-listen", "x"}, {"--guide-service", "2440"},
		{"--guide-listen", "127.0.0.1:0", "--guide-state", t.TempDir()}} {
		if err := run(t.Context(), args, io.Discard, io.Discard); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
