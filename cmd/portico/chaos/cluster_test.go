package chaos

import (
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	_ "github.com/lib/pq"

	"portico/db/private"
)

// cluster is a PostgreSQL that can be stopped as a power cut stops it. What it
// has committed is on the disk. It is reached by TCP, as a database elsewhere is.
type cluster struct {
	t        *testing.T
	dir      string
	listener net.Listener

	mu              sync.Mutex
	server          *private.Server
	network, target string  // where the server listens
	sql             *sql.DB // the judge's own way in
}

func startCluster(t *testing.T) *cluster {
	t.Helper()
	dir, err := os.MkdirTemp("", "portico-chaos-")
	must(t, err)
	must(t, os.Chmod(dir, 0o755)) // PostgreSQL is another user where the test is root
	c := &cluster{t: t, dir: dir}
	t.Cleanup(c.remove)
	c.listener, err = net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, c.start())
	go c.accept()
	return c
}

func (c *cluster) remove() {
	_ = c.listener.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sql != nil {
		_ = c.sql.Close()
	}
	if c.server != nil {
		if err := c.server.Stop(); err != nil {
			c.t.Error(err)
		}
	}
	// The folder may be a link to where the server's user can be.
	if real, err := filepath.EvalSymlinks(filepath.Join(c.dir, "postgres")); err == nil {
		_ = os.RemoveAll(real)
	}
	_ = os.RemoveAll(c.dir)
}

// start starts the server, which recovers what it had committed.
func (c *cluster) start() error {
	server, err := private.Start(c.t.Context(), private.Options{Dir: c.dir})
	if err != nil {
		return err
	}
	address, err := url.Parse(server.URL(private.Database))
	if err != nil {
		return err
	}
	own, err := sql.Open("postgres", address.String())
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server, c.sql = server, own
	host, port := address.Query().Get("host"), address.Query().Get("port")
	c.network, c.target = "tcp", net.JoinHostPort(host, port)
	if filepath.IsAbs(host) {
		c.network, c.target = "unix", filepath.Join(host, ".s.PGSQL."+port)
	}
	return nil
}

// crash stops the server at once: nothing is finished, nothing is said.
func (c *cluster) crash() error {
	content, err := os.ReadFile(filepath.Join(c.dir, "postgres", "data", "postmaster.pid"))
	if err != nil {
		return err
	}
	line, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil || pid <= 1 {
		return fmt.Errorf("the server's process is %q", line)
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	server := c.server
	c.server, c.target = nil, ""
	_ = c.sql.Close()
	return server.Stop() // waits for the end
}

// own returns the judge's connection, which is closed while the server is down.
func (c *cluster) own() *sql.DB {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sql
}

// url returns the server's address by way of a link.
func (c *cluster) url(address, password string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	u, err := url.Parse(c.server.URL(private.Database))
	must(c.t, err)
	if asked, ok := u.User.Password(); ok {
		password = asked
	}
	u.User, u.Host, u.RawQuery = url.UserPassword(u.User.Username(), password), address, "sslmode=disable"
	return u.String()
}

// accept leads from TCP to the server's socket.
func (c *cluster) accept() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		go c.forward(client)
	}
}

func (c *cluster) forward(client net.Conn) {
	defer client.Close()
	c.mu.Lock()
	network, target := c.network, c.target
	c.mu.Unlock()
	if target == "" {
		return
	}
	server, err := net.Dial(network, target)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		_, _ = server.Close(), client.Close()
	}()
	_, _ = io.Copy(client, server)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
