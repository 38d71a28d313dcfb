package vitec

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"portico/internal/partner/vitec/vitectest"
	"portico/internal/portal"
)

const (
	office   = "M30011"
	password = "hemligt/lösen+ord"
)

// bundle is a client, the Connect that it speaks to and one order there.
type bundle struct {
	client *Client
	fake   *vitectest.Server
	order  vitectest.Order
}

func setup(t *testing.T, o Options) *bundle {
	t.Helper()
	fake := vitectest.Start(t, vitectest.Options{Credentials: []portal.Credential{
		{Customer: "*", Username: "partner", Password: password},
		{Customer: "M30420", Username: "falun", Password: "annat"},
	}})
	order := fake.NewOrder(vitectest.Order{Office: office})
	return &bundle{client: newClient(t, fake.Connection("vitec", fake.URL), o), fake: fake, order: order}
}

func newClient(t *testing.T, raw json.RawMessage, o Options) *Client {
	t.Helper()
	conn, faults := Configure(raw)
	if len(faults) > 0 {
		t.Fatalf("Configure: %v", faults)
	}
	c, err := New(conn, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// serve returns a client of a server that answers as f does.
func serve(t *testing.T, f http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	raw, err := json.Marshal(map[string]any{"id": "vitec", "system": "vitec", "base_url": s.URL,
		"credentials": []map[string]string{{"customer": "*", "username": "partner", "password": password}}})
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, raw, Options{})
}

func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		w.Write([]byte(body))
	}
}

func query(office, token string) url.Values {
	return url.Values{"customerId": {office}, "token": {token}}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	followed := make(chan string, 1)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		followed <- r.Header.Get("Authorization")
	}))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, status) })
		err := c.report(t.Context(), delivered("1"))
		if got := portal.OutcomeOf(err); got != portal.OutcomeUnknown {
			t.Errorf("%d: outcome %s, want unknown", status, got)
		}
	}
	select {
	case header := <-followed:
		t.Errorf("a redirect was followed, with credential %q", header)
	default:
	}
}

func TestSecretsAreStruckOut(t *testing.T) {
	t.Parallel()
	const token = "+/abcDEF=="
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		basic := strings.TrimPrefix(r.Header.Get("Authorization"), "Basic ")
		escaped := `"` + strings.ReplaceAll(token, "/", `\/`) + `"`
		w.WriteHeader(http.StatusInternalServerError)
		w.Write([]byte("login " + basic + " " + password + " " + url.QueryEscape(password) + " token " + token +
			" " + url.QueryEscape(token) + " " + escaped + "\nforged line"))
	})
	_, err := c.Ticket(t.Context(), query(office, token))
	if err == nil {
		t.Fatal("no error")
	}
	text := err.Error()
	for _, secret := range []string{password, url.QueryEscape(password), "hemligt", token, "abcDEF", "cGFydG5lcj", "\n"} {
		if strings.Contains(text, secret) {
			t.Errorf("the error holds %q: %s", secret, text)
		}
	}
	if !strings.Contains(text, "login *** *** ***") {
		t.Errorf("the answer is not in the error: %s", text)
	}
}

func TestErrorKeepsTheStartOfTheAnswer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("å", maxQuoted)
	c := serve(t, answer(http.StatusInternalServerError, "text/plain", long))
	var e *Error
	if err := c.report(t.Context(), delivered("1")); !errors.As(err, &e) {
		t.Fatalf("no *Error: %v", err)
	}
	if e.Status != 500 || len(e.Body) > maxQuoted || !strings.HasPrefix(long, e.Body) || len(e.Body) < maxQuoted-1 {
		t.Errorf("status %d, %d bytes kept", e.Status, len(e.Body))
	}
}

func TestNoCredentialNoCall(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	b.client.conn.Credentials = b.client.conn.Credentials[1:]
	err := b.client.report(t.Context(), delivered("1"))
	if portal.OutcomeOf(err) != portal.OutcomeCredential || !errors.Is(err, portal.ErrCredential) {
		t.Errorf("Report: %v", err)
	}
	_, err = b.client.Ticket(t.Context(), query(office, "abc"))
	if portal.KindOf(err) != portal.Unavailable || !errors.Is(err, portal.ErrCredential) || sayOf(err) != "callback.credential" {
		t.Errorf("Ticket: %v", err)
	}
	if n := b.fake.Count(vitectest.OpAny); n != 0 {
		t.Errorf("%d calls, want none", n)
	}
}

func TestCredentialOfTheOffice(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	falun := b.fake.NewOrder(vitectest.Order{Office: "M30420"})
	for _, o := range []vitectest.Order{b.order, falun} {
		if _, err := b.client.Ticket(t.Context(), query(o.Office, b.fake.Token(o.ID))); err != nil {
			t.Errorf("%s: %v", o.Office, err)
		}
	}
	log := b.fake.Log()
	if log[0].Username != "partner" || log[1].Username != "falun" {
		t.Errorf("users %q and %q", log[0].Username, log[1].Username)
	}
	if got := log[0].Header.Get("User-Agent"); got != userAgent {
		t.Errorf("User-Agent %q", got)
	}
}

func TestDialErrorIsNotSent(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody listens there now
	raw := json.RawMessage(`{"id": "v", "system": "vitec", "base_url": "http://` + l.Addr().String() + `",
		"credentials": [{"customer": "*", "username": "u", "password": "p"}]}`)
	err = newClient(t, raw, Options{}).report(t.Context(), delivered("1"))
	if got := portal.OutcomeOf(err); got != portal.OutcomeFailed {
		t.Errorf("outcome %s, want failed: %v", got, err)
	}
}

func TestTurnIsNotSent(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	for range cap(b.client.slots) {
		b.client.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := portal.OutcomeOf(b.client.report(ctx, delivered(b.order.ID))); got != portal.OutcomeFailed {
		t.Errorf("outcome %s, want failed", got)
	}
	if n := b.fake.Count(vitectest.OpAny); n != 0 {
		t.Errorf("%d calls, want none", n)
	}
}

func TestConcurrencyIsLimited(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}, 10), make(chan struct{})
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
		answer(200, "application/json", "true")(w, r)
	})
	done := make(chan error, 10)
	for range 10 {
		go func() { done <- c.report(context.WithoutCancel(t.Context()), delivered("1")) }()
	}
	for range cap(c.slots) {
		<-arrived
	}
	if n := len(arrived); n != 0 {
		t.Errorf("%d more calls than %d at once", n, cap(c.slots))
	}
	close(release)
	for range 10 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"120":                           2 * time.Minute,
		" 7 ":                           7 * time.Second,
		"-5":                            0,
		"soon":                          0,
		"99999999999":                   maxRetryAfter,
		"Mon, 02 Nov 2026 08:01:30 GMT": 90 * time.Second,
		"Mon, 02 Nov 2026 07:00:00 GMT": 0,
		"Mon, 02 Nov 2099 07:00:00 GMT": maxRetryAfter,
	} {
		if got := retryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}

// sayOf returns the key of the sentence that a visitor is shown.
func sayOf(err error) string {
	var e *portal.Error
	if errors.As(err, &e) {
		return e.Say.Key
	}
	return ""
}

func (c *Client) report(ctx context.Context, m portal.Message) error {
	_, err := c.Report(ctx, m)
	return err
}
