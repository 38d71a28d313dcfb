package door

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"portico/internal/partner/door/doortest"
	"portico/internal/portal"
)

const secret = "hemligt/lösen+ord"

var quick = Rate{Concurrent: 4, PerSecond: 1000}

// serve returns a door to a server that answers as f does.
func serve(t *testing.T, f http.HandlerFunc) *Door {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return New("partner", s.URL, quick, Options{})
}

// put is a request that changes something.
func put() Request {
	return Request{Method: "PUT", Path: "/status", Body: []byte(`{"a":1}`),
		Header: http.Header{"Authorization": {BasicAuth("partner", secret)}}, Secrets: []string{secret}}
}

func outcome(err error) portal.Outcome {
	if err == nil {
		return portal.OutcomeDone
	}
	return Classify(err).Outcome
}

func TestRequest(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	d := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got <- r
		doortest.Answer(200, "application/json", `{"b":2}`)(w, r)
	})
	r := put()
	r.Query = url.Values{"x": {"å&"}}
	a, err := d.Do(t.Context(), r)
	if err != nil || a.Status != 200 || string(a.Body) != `{"b":2}` {
		t.Fatalf("%+v, %v", a, err)
	}
	sent := <-got
	if user, password, _ := sent.BasicAuth(); sent.Method != "PUT" || sent.RequestURI != "/status?x=%C3%A5%26" || user != "partner" || password != secret {
		t.Errorf("%s %s as %s", sent.Method, sent.RequestURI, user)
	}
	for name, want := range map[string]string{"Accept": "application/json", "Content-Type": "application/json; charset=utf-8", "User-Agent": userAgent} {
		if got := sent.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestAnotherTypeIsLeftAlone(t *testing.T) {
	t.Parallel()
	d := serve(t, func(w http.ResponseWriter, r *http.Request) {
		doortest.Answer(200, "text/xml", "<a>"+r.Header.Get("Accept")+r.Header.Get("Content-Type")+"</a>")(w, r)
	})
	a, err := d.Do(t.Context(), Request{Method: "POST", Path: "/", Accept: "application/xml", Type: "text/plain", Body: []byte("x")})
	if got := string(a.Body); err != nil || got != "<a>application/xmltext/plain</a>" {
		t.Errorf("%s, %v", got, err)
	}
}

// TestALongBody is not held in memory, and sent whole.
func TestALongBody(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	d := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil || n != size || r.ContentLength != size || r.Header.Get("Content-Type") != "image/jpeg" {
			t.Errorf("%d bytes, %v, header %v", n, err, r.Header)
		}
	})
	r := Request{Method: "POST", Path: "/", Type: "image/jpeg", Size: size, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zeroes{}, size)), nil
	}}
	if _, err := d.Do(t.Context(), r); err != nil {
		t.Error(err)
	}
	gone := errors.New("gone")
	r.Open = func() (io.ReadCloser, error) { return nil, gone }
	if _, err := d.Do(t.Context(), r); !errors.Is(err, gone) || outcome(err) != portal.OutcomeFailed {
		t.Errorf("error %v", err)
	}
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestAPrivateAnswerIsNotKept, unless it is the answer of a refusal.
func TestAPrivateAnswerIsNotKept(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"token":"abc"}`, `{"token":"abc`} {
		d := serve(t, doortest.Answer(200, "application/json", body))
		a, err := d.Do(t.Context(), Request{Method: "POST", Path: "/", Private: true})
		if a.Excerpt() != "" || err != nil && strings.Contains(err.Error(), "abc") {
			t.Errorf("%s: %q, %v", body, a.Excerpt(), err)
		}
	}
	d, log := serve(t, doortest.Answer(400, "application/json", `{"error":"invalid_client"}`)), &strings.Builder{}
	d.log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if _, err := d.Do(t.Context(), Request{Method: "POST", Path: "/", Private: true}); err == nil || !strings.Contains(err.Error(), "invalid_client") {
		t.Errorf("error %v", err)
	}
	if said := log.String(); !strings.Contains(said, "400") || strings.Contains(said, "invalid_client") {
		t.Errorf("logged %s", said)
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status      int
		contentType string
		body        string
		want        portal.Outcome
	}{
		"json":             {200, "application/json", "true", portal.OutcomeDone},
		"no type":          {200, "", "true", portal.OutcomeDone},
		"no content":       {204, "", "", portal.OutcomeDone},
		"created":          {201, "text/json; charset=utf-8", `"7"`, portal.OutcomeDone},
		"page":             {200, "text/html", "<p>Hej</p>", portal.OutcomeUnknown},
		"page without so":  {200, "", "<p>Hej</p>", portal.OutcomeUnknown},
		"text":             {200, "text/plain", "true", portal.OutcomeUnknown},
		"half":             {200, "application/json", `{"a":`, portal.OutcomeUnknown},
		"too long":         {200, "application/json", `"` + strings.Repeat("x", MaxAnswer) + `"`, portal.OutcomeUnknown},
		"bad request":      {400, "application/json", "{}", portal.OutcomeRefused},
		"unauthorized":     {401, "", "", portal.OutcomeCredential},
		"forbidden page":   {403, "text/html", "<p>WAF</p>", portal.OutcomeCredential},
		"request timeout":  {408, "", "", portal.OutcomeUnknown},
		"conflict":         {409, "application/json", "{}", portal.OutcomeRefused},
		"unprocessable":    {422, "application/json", "{}", portal.OutcomeRefused},
		"too many":         {429, "", "", portal.OutcomeBusy},
		"server error":     {500, "", "", portal.OutcomeUnknown},
		"gateway":          {502, "text/html", "<p>nginx</p>", portal.OutcomeUnknown},
		"gateway timeout":  {504, "text/html", "<p>nginx</p>", portal.OutcomeUnknown},
		"unavailable page": {503, "text/html", "<p>nginx</p>", portal.OutcomeBusy},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := serve(t, doortest.Answer(tt.status, tt.contentType, tt.body))
			_, err := d.Do(t.Context(), put())
			if got := outcome(err); got != tt.want {
				t.Errorf("outcome %s, want %s: %v", got, tt.want, err)
			}
			if err != nil && errors.Is(Classify(err), portal.ErrCredential) != (tt.want == portal.OutcomeCredential) {
				t.Errorf("ErrCredential in %v", err)
			}
		})
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	followed := make(chan string, 1)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		followed <- r.Header.Get("Authorization")
	}))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		d := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, status) })
		_, err := d.Do(t.Context(), put())
		if got := outcome(err); got != portal.OutcomeUnknown {
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
	const quoted = `a/b"`
	echo := secret + " " + url.QueryEscape(secret) + ` "a\/b\"" "a/b\""` + "\nforged line"
	for _, status := range []int{200, 500} {
		d := serve(t, doortest.Answer(status, "", echo))
		r := put()
		r.Accept, r.Secrets = "text/plain", append(r.Secrets, quoted, "")
		a, err := d.Do(t.Context(), r)
		text := a.Excerpt()
		if status == 500 {
			text = err.Error()
		}
		if !strings.HasSuffix(text, `*** *** "***" "***" forged line`) {
			t.Errorf("%d: %s", status, text)
		}
	}
}

func TestErrorKeepsTheStartOfTheAnswer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("å", MaxQuoted)
	d := serve(t, doortest.Answer(http.StatusInternalServerError, "text/plain", long))
	var e *Error
	if _, err := d.Do(t.Context(), put()); !errors.As(err, &e) {
		t.Fatalf("no *Error: %v", err)
	}
	if e.Status != 500 || len(e.Body) > MaxQuoted || !strings.HasPrefix(long, e.Body) || len(e.Body) < MaxQuoted-1 {
		t.Errorf("status %d, %d bytes kept", e.Status, len(e.Body))
	}
}

func TestDialErrorIsNotSent(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close() // nobody listens there now
	d := New("partner", "http://"+l.Addr().String(), quick, Options{})
	_, err = d.Do(t.Context(), put())
	if got := outcome(err); got != portal.OutcomeFailed {
		t.Errorf("outcome %s, want failed: %v", got, err)
	}
}

func TestTurnIsNotSent(t *testing.T) {
	t.Parallel()
	d := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a call without its turn") })
	for range cap(d.slots) {
		d.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Do(ctx, put()); outcome(err) != portal.OutcomeFailed {
		t.Errorf("outcome %s, want failed", outcome(err))
	}
}

func TestConcurrencyIsLimited(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}, 10), make(chan struct{})
	d := serve(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
		doortest.Answer(200, "application/json", "true")(w, r)
	})
	done := make(chan error, 10)
	for range 10 {
		go func() {
			_, err := d.Do(context.WithoutCancel(t.Context()), put())
			done <- err
		}()
	}
	for range cap(d.slots) {
		<-arrived
	}
	if n := len(arrived); n != 0 {
		t.Errorf("%d more calls than %d at once", n, cap(d.slots))
	}
	close(release)
	for range 10 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestAnswerThatIsCutOffIsUnknown(t *testing.T) {
	t.Parallel()
	d := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		cutOff(buf)
	})
	var e *Error
	if _, err := d.Do(t.Context(), put()); !errors.As(err, &e) || !e.Sent || outcome(err) != portal.OutcomeUnknown {
		t.Errorf("%+v", e)
	}
}

func cutOff(buf *bufio.ReadWriter) {
	_, _ = buf.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
	_ = buf.Flush()
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
