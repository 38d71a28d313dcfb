package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// browser is a visitor with cookies and an address of its own. The same one
// comes to any of the portals.
type browser struct {
	w      *world
	client *http.Client
	from   string
	n      int
}

// patience is how long a visitor waits for an answer.
const patience = 30 * time.Second

// Each request has a connection of its own, so that one that fails says
// something about the portal and not about an earlier request.
var transport = &http.Transport{DisableKeepAlives: true}

func (w *world) newBrowser() *browser {
	jar, err := cookiejar.New(nil)
	must(w.T, err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.numbers[key{}]++
	return &browser{w: w, from: fmt.Sprintf("2001:db8::%x", w.numbers[key{}]),
		client: &http.Client{Jar: jar, Transport: transport, Timeout: patience,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is what a portal answered.
type answer struct {
	status         int
	location, body string
}

// request is a request that a portal was sent.
type request struct {
	portal   *process
	path     string
	from, to time.Time
	status   int
	err      error
}

// errNoPortal says that nothing was sent: no portal takes connections.
var errNoPortal = errors.New("no portal takes connections")

// ask sends a request to a portal; if it takes no connection, to the next one.
func (b *browser) ask(method, path string, form url.Values) (answer, error) {
	b.n++
	for _, p := range b.w.portal(b.n) {
		got, err := b.askPortal(p, method, path, form)
		if refusedConnection(err) {
			continue
		}
		return got, err
	}
	return answer{}, errNoPortal
}

func refusedConnection(err error) bool {
	if errors.Is(err, errNoPortal) {
		return true
	}
	dial, ok := errors.AsType[*net.OpError](err)
	return ok && dial.Op == "dial"
}

// askPortal sends a request to one portal.
func (b *browser) askPortal(p *process, method, path string, form url.Values) (answer, error) {
	address := p.address()
	if address == "" {
		return answer{}, errNoPortal
	}
	kind, body := encode(path, form)
	r, err := http.NewRequestWithContext(context.WithoutCancel(b.w.Context()), method, "http://"+address+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("X-Forwarded-For", b.from)
	r.Header.Set("Content-Type", kind)
	if strings.HasPrefix(path, "/callback/") && !strings.Contains(path, "token=") {
		r.SetBasicAuth("vitec", b.w.env["CALLBACK_PASSWORD"])
	}
	seen := request{portal: p, path: r.URL.Path, from: time.Now()}
	var got answer
	res, err := b.client.Do(r)
	if err == nil {
		var body []byte
		body, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
		got = answer{res.StatusCode, res.Header.Get("Location"), string(body)}
	}
	seen.to, seen.status, seen.err = time.Now(), got.status, err
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	b.w.requests = append(b.w.requests, seen)
	return got, err
}

// encode writes a form as the page with it has browsers do.
func encode(path string, form url.Values) (kind, body string) {
	if !strings.HasSuffix(path, "/deliveries") {
		return "application/x-www-form-urlencoded", form.Encode()
	}
	var b strings.Builder
	w := multipart.NewWriter(&b)
	for name := range form {
		_ = w.WriteField(name, form.Get(name)) // a builder takes everything
	}
	_ = w.Close()
	return w.FormDataContentType(), b.String()
}

// outcomeOf says what a client knows after an answer; good is the status of success.
func outcomeOf(got answer, err error, good int) outcome {
	switch {
	case refusedConnection(err):
		return refused
	case err != nil || got.status >= 500:
		return unknown
	case got.status == good:
		return acknowledged
	}
	return refused
}

// within runs f with a deadline.
func (w *world) within(d time.Duration, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(w.Context(), d)
	defer cancel()
	return f(ctx)
}

// until looks again and again whether something is so.
func (w *world) until(d time.Duration, so func() bool) bool {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for deadline := time.Now().Add(d); ; <-tick.C {
		if so() {
			return true
		}
		if time.Now().After(deadline) || w.Context().Err() != nil {
			return false
		}
	}
}
