package handlers_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

// line is a way to the database that the test can cut.
type line struct {
	net.Listener
	network, server string

	mu    sync.Mutex
	down  bool
	conns []net.Conn
}

// newLine returns a line to the database at an address, and its own address.
func newLine(t *testing.T, address string) (*line, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{network: "tcp", server: u.Host}
	query := u.Query()
	if folder := query.Get("host"); strings.HasPrefix(folder, "/") {
		l.network, l.server = "unix", folder+"/.s.PGSQL."+query.Get("port")
	}
	if l.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go l.serve()
	query.Del("host")
	query.Del("port")
	if !query.Has("sslmode") {
		query.Set("sslmode", "disable")
	}
	u.Host, u.RawQuery = l.Addr().String(), query.Encode()
	return l, u.String()
}

func (l *line) serve() {
	for {
		client, err := l.Accept()
		if err != nil {
			return // the test is over
		}
		server, err := net.Dial(l.network, l.server)
		l.mu.Lock()
		if err != nil || l.down {
			_ = client.Close()
		} else {
			l.conns = append(l.conns, client, server)
			go pipe(client, server)
			go pipe(server, client)
		}
		l.mu.Unlock()
	}
}

func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from) // ends with either side
	_, _ = to.Close(), from.Close()
}

// cut ends every connection and takes no new one, until it is mended.
func (l *line) cut(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

// TestDatabaseOutage: a visitor is told to try again, nothing is lost, and what
// worked before works after.
func TestDatabaseOutage(t *testing.T) {
	t.Parallel()
	var l *line
	b := newBundleWith(t, setup{database: func(address string) string {
		l, address = newLine(t, address)
		return address
	}})
	_, address := b.order("expertfoto")
	_, fresh := b.order("expertfoto")
	br := b.browser()
	page := br.open(address)
	br.login(staffEmail, staffPassword).want(http.StatusSeeOther)
	calls := b.fake.Count(vitectest.OpAny)
	l.cut(true)
	for _, path := range []string{page, "/staff/orders", "/staff" + page, fresh, b.web.URL + "/visit/x"} {
		a := br.get(path).want(http.StatusServiceUnavailable)
		if got, want := a.text("h1"), say("sv", portal.Say("page.database_title")); got != want {
			t.Errorf("%s: heading %q", path, got)
		}
		retry := a.page().Find("main a.btn").AttrOr("href", "")
		if a.header.Get("Retry-After") == "" || !strings.HasSuffix(path, retry) || retry == "" {
			t.Errorf("%s: Retry-After %q, link to %q", path, a.header.Get("Retry-After"), retry)
		}
	}
	for _, path := range []string{page + "/submission", "/staff" + page + "/notes", "/staff/login",
		"/callback/which-is-not-known-yet"} { // a partner's own call must not be told that it is wrong
		br.post(path, url.Values{"package": {"small"}, "body": {"x"}}).want(http.StatusServiceUnavailable)
	}
	br.get("/readyz").want(http.StatusServiceUnavailable)
	br.get("/healthz").want(http.StatusOK)
	if b.fake.Count(vitectest.OpAny) != calls {
		t.Error("a token was used up for nothing")
	}
	l.cut(false)
	br.get("/readyz").want(http.StatusOK)
	br.get(page).want(http.StatusOK)
	br.open(fresh)
	br.post(page+"/submission", url.Values{"package": {"small"}}).wantLocation(page)
	br.get("/staff/orders").want(http.StatusOK)
}
