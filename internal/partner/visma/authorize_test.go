package visma

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"portico/internal/partner/door/doortest"
	"portico/internal/partner/visma/vismatest"
	"portico/internal/portal"
)

const (
	coreID     = "core-of-ours"
	coreSecret = "a secret that a machine made"
)

func withLogin(authType, name, secret string) string {
	return `"auth_type":"` + authType + `","callback":{"` + name + `":"` + coreID + `","` + secret + `":"` + coreSecret + `"},`
}

// authorize fetches a token of ours as Core does.
func authorize(t *testing.T, c *Client, body string) (status int, answer map[string]any) {
	t.Helper()
	status, raw, err := c.Authorize(t.Context(), http.Header{"Content-Type": {"application/json"}}, []byte(body))
	if err != nil || json.Unmarshal(raw, &answer) != nil {
		t.Fatalf("%s, %v", raw, err)
	}
	return status, answer
}

func TestOAuth(t *testing.T) {
	t.Parallel()
	for authType, name := range map[string]string{"oauth_simplified": "token", "oauth": "access_token"} {
		b := setup(t, withLogin(authType, "client_id", "client_secret"), vismatest.Options{})
		status, got := authorize(t, b.client, `{"client_id":"`+coreID+`","client_secret":"`+coreSecret+`","grant_type":"client_credentials"}`)
		token, _ := got[name].(string)
		if status != 200 || len(token) < 32 || authType == "oauth" && (got["token_type"] != "bearer" || got["expires_in"] != 300.0) {
			t.Fatalf("%s: %d %v", authType, status, got)
		}
		for row := range b.store.issued {
			if strings.Contains(row, token) {
				t.Error("the token itself is stored")
			}
		}
		want := portal.Ticket{OrderID: b.order.GUID, Customer: customer, Tenant: customer, Unproven: true, Target: portal.Target{Type: targetType, ID: "66115"}}
		for range 2 { // a reload too
			got, err := b.client.Ticket(t.Context(), b.query(b.order, token))
			if err != nil || got.OrderID != want.OrderID || got.Customer != want.Customer || got.Target != want.Target || !got.Unproven || got.UserID != "" {
				t.Errorf("%s: %+v, %v", authType, got, err)
			}
		}
		second := b.fake.NewOrder(vismatest.Order{Tenant: customer})
		theirs := vismatest.Order{GUID: b.order.GUID, Tenant: "22", Case: 70402}
		for what, q := range map[string]url.Values{"another order": b.query(second, token), "another tenant": b.query(theirs, token),
			"another token": b.query(b.order, token+"x"), "no order": {"token": {token}, "tenantId": {customer}}} {
			if _, err := b.client.Ticket(t.Context(), q); portal.KindOf(err) != portal.Forbidden {
				t.Errorf("%s, %s: %v", authType, what, err)
			}
		}
		b.clock.Pass(issuedLife)
		if _, err := b.client.Ticket(t.Context(), b.query(b.order, token)); portal.KindOf(err) != portal.Forbidden {
			t.Errorf("%s, afterwards: %v", authType, err)
		}
		b.wantCalls(doortest.OpAny, 0)
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	t.Parallel()
	b := setup(t, withLogin("oauth", "client_id", "client_secret"), vismatest.Options{})
	login := `"client_id":"` + coreID + `","client_secret":"` + coreSecret + `"`
	for body, want := range map[string]struct {
		status int
		code   string
	}{
		`{"client_id":"` + coreID + `","client_secret":"wrong"}`:                      {401, "invalid_client"},
		`{"client_id":"core-of","client_secret":"ours:a secret that a machine made"}`: {401, "invalid_client"},
		`{"client_id":"` + coreID + `"}`:                                              {400, "invalid_request"},
		`{` + login + `,"grant_type":"password"}`:                                     {400, "unsupported_grant_type"},
		`{`:  {400, "invalid_request"},
		``:   {400, "invalid_request"},
		`[]`: {400, "invalid_request"},
	} {
		if status, got := authorize(t, b.client, body); status != want.status || got["error"] != want.code {
			t.Errorf("%s: %d %v", body, status, got)
		}
	}
	if len(b.store.issued) > 0 {
		t.Error("a token was given out")
	}
	flow := setup(t, "", vismatest.Options{})
	if status, _ := authorize(t, flow.client, `{`+login+`}`); status != 404 {
		t.Errorf("with FlowToken: %d", status)
	}
	b.store.err = errors.New("no database")
	if _, _, err := b.client.Authorize(t.Context(), http.Header{}, []byte(`{`+login+`}`)); err == nil {
		t.Error("no error without a database")
	}
	if _, err := b.client.Ticket(t.Context(), b.query(b.order, "abc")); portal.KindOf(err) != portal.Unavailable {
		t.Errorf("without a database: %v", err)
	}
}

func TestAuthorizeAsTheStandardHasIt(t *testing.T) {
	t.Parallel()
	b := setup(t, withLogin("oauth", "client_id", "client_secret"), vismatest.Options{})
	form := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	in := url.Values{"grant_type": {"client_credentials"}, "client_id": {coreID}, "client_secret": {coreSecret}}
	if status, _, err := b.client.Authorize(t.Context(), form, []byte(in.Encode())); status != 200 || err != nil {
		t.Errorf("form: %d, %v", status, err)
	}
	basic := base64.StdEncoding.EncodeToString([]byte(coreID + ":" + coreSecret))
	form.Set("Authorization", "Basic "+basic)
	if status, _, err := b.client.Authorize(t.Context(), form, []byte("grant_type=client_credentials")); status != 200 || err != nil {
		t.Errorf("header: %d, %v", status, err)
	}
	if status, _, err := b.client.Authorize(t.Context(), form, []byte("grant_type=%zz")); status != 400 || err != nil {
		t.Errorf("no form: %d, %v", status, err)
	}
}

func TestBasic(t *testing.T) {
	t.Parallel()
	b := setup(t, withLogin("basic", "username", "password"), vismatest.Options{})
	login := coreID + ":" + coreSecret
	for token, good := range map[string]bool{
		base64.StdEncoding.EncodeToString([]byte(login)):             true,
		base64.RawURLEncoding.EncodeToString([]byte(login)):          true,
		"Basic " + base64.StdEncoding.EncodeToString([]byte(login)):  true,
		base64.StdEncoding.EncodeToString([]byte(coreID + ":guess")): false,
		base64.StdEncoding.EncodeToString([]byte(coreID)):            false,
		base64.StdEncoding.EncodeToString([]byte("x:" + coreSecret)): false,
		"no base64!": false,
	} {
		got, err := b.client.Ticket(t.Context(), b.query(b.order, token))
		if (err == nil) != good || got.Unproven != good || err != nil && portal.KindOf(err) != portal.Forbidden {
			t.Errorf("%s: %+v, %v", token, got, err)
		}
	}
}

// TestOpenedByCore: the fake opens our address as Core does, by each type.
func TestOpenedByCore(t *testing.T) {
	t.Parallel()
	for _, authType := range []string{"flow_token", "oauth_simplified", "oauth", "basic"} {
		login := ""
		if authType == "basic" {
			login = withLogin(authType, "username", "password")
		} else if authType != "flow_token" {
			login = withLogin(authType, "client_id", "client_secret")
		}
		b := setup(t, login, vismatest.Options{})
		ours := serveTokens(t, b.client)
		service := vismatest.Service{ID: "foto", URL: "https://portal.example/callback/foto?x=1", AuthType: authType, TokenURL: ours,
			Login: coreID, Secret: coreSecret}
		address, err := b.fake.Place(t.Context(), b.fake.URL, customer, 66120, 502, service)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(address)
		if err != nil || u.Path != "/callback/foto" || u.Query().Get("x") != "1" {
			t.Fatal(address, err)
		}
		got, err := b.client.Ticket(t.Context(), u.Query())
		if err != nil || got.Target.ID != "66120" || got.Unproven != (authType != "flow_token") || got.Customer != customer {
			t.Errorf("%s: %+v, %v", authType, got, err)
		}
		b.clock.Pass(time.Minute)
	}
}
