package vitec

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"portico/internal/partner/door/doortest"
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

func query(office, token string) url.Values {
	return url.Values{"customerId": {office}, "token": {token}}
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

func TestNoCredentialNoCall(t *testing.T) {
	t.Parallel()
	b := setup(t, Options{})
	b.client.conn.Credentials = b.client.conn.Credentials[1:]
	err := b.client.report(t.Context(), delivered("1"))
	if portal.OutcomeOf(err) != portal.OutcomeCredential || !errors.Is(err, portal.ErrCredential) {
		t.Errorf("Report: %v", err)
	}
	_, err = b.client.Ticket(t.Context(), query(office, "abc"))
	if portal.KindOf(err) != portal.Unavailable || !errors.Is(err, portal.ErrCredential) || doortest.SayKey(err) != "callback.credential" {
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
}

func (c *Client) report(ctx context.Context, m portal.Message) error {
	_, err := c.Report(ctx, m)
	return err
}
