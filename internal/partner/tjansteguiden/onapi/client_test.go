package onapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"portico/internal/partner/door"
	"portico/internal/partner/door/doortest"
	"portico/internal/partner/tjansteguiden/onapi/onapitest"
	"portico/internal/portal"
)

var now = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

func clock() time.Time { return now }

// network is a client and the network that it speaks to.
type network struct {
	*testing.T
	client *Client
	fake   *onapitest.Server
}

func start(t *testing.T, o onapitest.Options) *network {
	t.Helper()
	o.Now = clock
	fake := onapitest.Start(t, o)
	return &network{T: t, fake: fake, client: newClient(t, fake.Base(fake.URL), fake.Credential())}
}

func newClient(t *testing.T, base string, c portal.Credential) *Client {
	t.Helper()
	// No test may wait for the rate limit.
	client, err := New(base, c, Options{Name: "net", Rate: door.Rate{Concurrent: 4, PerSecond: 1000}, Options: door.Options{Now: clock}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// saying returns a client of a network that always says the same.
func saying(t *testing.T, status int, contentType, body string) *Client {
	t.Helper()
	return newClient(t, doortest.Start(t, doortest.Answer(status, contentType, body)), portal.Credential{Username: "nordljus", Password: "hemligt"})
}

func ask(operation portal.Operation, service string) Request {
	return Request{AccessID: "KC-7", Reference: "10042", ActivationRequest: portal.ActivationRequest{ID: 3, Operation: operation, Service: service}}
}

// do asks, and ends the test at an error.
func (n *network) do(r Request) portal.ActivationAnswer {
	n.Helper()
	a, err := n.client.Do(n.Context(), r)
	if err != nil {
		n.Fatalf("%s %s: %v", r.Operation, r.Service, err)
	}
	return a
}

func (n *network) look(id string) portal.ActivationAnswer {
	n.Helper()
	a, err := n.client.Look(n.Context(), id)
	if err != nil {
		n.Fatalf("look: %v", err)
	}
	return a
}

func TestNewRefusesWhatIsNoBase(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"", "onapi.example", "ftp://onapi.example", "https://u:secret@onapi.example", "https://onapi.example/?k=secret", "https://onapi.example#secret", "https://%zz:secret@"} {
		if _, err := New(base, portal.Credential{}, Options{Name: "net"}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", base, err)
		}
	}
	c, err := New("https://onapi.example/onapi/2.4/", portal.Credential{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Preview(Request{ActivationRequest: portal.ActivationRequest{Operation: portal.Withdraw, NetworkID: "a1"}}); got != "DELETE https://onapi.example/onapi/2.4/orders/a1" {
		t.Errorf("preview %q", got)
	}
}

func TestErrorsHoldNoCredential(t *testing.T) {
	t.Parallel()
	const username, password = "nordljus", "hemligt/lösen+ord"
	base := doortest.Start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, "%s %s %s", r.Header.Get("Authorization"), password, url.QueryEscape(password))
	}))
	c := newClient(t, base, portal.Credential{Username: username, Password: password})
	basic := strings.TrimPrefix(door.BasicAuth(username, password), "Basic ")
	_, placed := c.Do(t.Context(), ask(portal.Activate, "AB100100"))
	_, changed := c.Do(t.Context(), ask(portal.Replace, "AB100100"))
	_, looked := c.Look(t.Context(), "a1")
	for _, err := range []error{placed, changed, looked} {
		var e *portal.ReportError
		if !errors.As(err, &e) || e.Outcome != portal.OutcomeUnknown || e.Status != 500 {
			t.Fatalf("%v", err)
		}
		for _, secret := range []string{basic, password, url.QueryEscape(password)} {
			if text := err.Error() + e.Answer; strings.Contains(text, secret) {
				t.Errorf("%s in %s", secret, text)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for kind, want := range map[doortest.FaultKind]portal.Outcome{
		doortest.FaultUnauthorized: portal.OutcomeCredential,
		doortest.FaultForbidden:    portal.OutcomeCredential,
		doortest.FaultTooMany:      portal.OutcomeBusy,
		doortest.FaultUnavailable:  portal.OutcomeBusy,
		doortest.FaultServerError:  portal.OutcomeUnknown,
		doortest.FaultHTML:         portal.OutcomeUnknown,
		onapitest.FaultGarbage:     portal.OutcomeUnknown,
		doortest.FaultRedirect:     portal.OutcomeUnknown,
		doortest.FaultDrop:         portal.OutcomeUnknown,
		doortest.FaultTruncated:    portal.OutcomeUnknown,
		doortest.FaultStoredDrop:   portal.OutcomeUnknown,
		doortest.FaultStoredError:  portal.OutcomeUnknown,
	} {
		n := start(t, onapitest.Options{})
		n.fake.SetFault(doortest.OpAny, doortest.Fault{Kind: kind, RetryAfter: "10"})
		_, placed := n.client.Do(t.Context(), ask(portal.Activate, "AB100100"))
		_, changed := n.client.Do(t.Context(), ask(portal.Replace, "AB100100"))
		_, looked := n.client.Look(t.Context(), "a1")
		for what, err := range map[string]error{"place": placed, "change": changed, "look": looked} {
			switch stored := kind == doortest.FaultTruncated || kind == doortest.FaultStoredDrop || kind == doortest.FaultStoredError; {
			case stored && what != "place": // there was nothing to do for it
			case portal.OutcomeOf(err) != want || (want == portal.OutcomeCredential) != errors.Is(err, portal.ErrCredential):
				t.Errorf("%s, %s: %v", kind, what, err)
			}
			var e *portal.ReportError
			if want == portal.OutcomeBusy && (!errors.As(err, &e) || e.RetryAfter != 10*time.Second) {
				t.Errorf("%s, %s: no Retry-After in %v", kind, what, err)
			}
		}
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	c := newClient(t, "http://127.0.0.1:1", portal.Credential{Username: "nordljus", Password: "hemligt"})
	if _, err := c.Do(t.Context(), ask(portal.Activate, "AB100100")); portal.OutcomeOf(err) != portal.OutcomeFailed {
		t.Errorf("%v", err)
	}
}
