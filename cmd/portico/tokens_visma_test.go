package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/partner/door/doortest"
	"portico/internal/partner/visma/vismatest"
	"portico/internal/portal"
)

// processes are the partners of several processes: nothing but the database is
// shared.
type processes []*partners

// open opens an address a hundred times at once, shared among the processes.
func (p processes) open(t *testing.T, address string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() {
			entry, err := p[i%len(p)].Entry(t.Context(), "core")
			if err != nil {
				t.Error(err)
				return
			}
			if ticket, err := entry.Ticket(t.Context(), u.Query()); err != nil || ticket.Expired {
				t.Errorf("%+v, %v", ticket, err)
			}
		})
	}
	group.Wait()
}

// TestTokensAreFetchedOnce for all processes that want one at the same time.
func TestTokensAreFetchedOnce(t *testing.T) {
	t.Parallel()
	c := newCoreEntrance(t, "", vismatest.Options{TokenLife: time.Hour})
	two := processes{newPartners(c.open(), slog.New(slog.DiscardHandler)), newPartners(c.open(), slog.New(slog.DiscardHandler))}
	o, address := c.order()
	two.open(t, address)
	c.wantCalls(vismatest.OpToken, 1)
	c.wantCalls(vismatest.OpVerify, 100)

	c.clock.Pass(19 * time.Minute) // the token has run out, but for its margin
	address = c.address(o)
	two.open(t, address)
	c.wantCalls(vismatest.OpToken, 2)
	c.wantCalls(vismatest.OpVerify, 200) // none was made in vain

	c.fake.Revoke(true) // and nobody knows
	two.open(t, address)
	c.wantCalls(vismatest.OpToken, 4) // the refresh token is gone too

	c.fake.SetFault(vismatest.OpVerify, doortest.Fault{Kind: doortest.FaultUnauthorized, Times: 1})
	two.open(t, address)
	c.wantCalls(vismatest.OpToken, 5)

	restarted := processes{newPartners(c.open(), slog.New(slog.DiscardHandler))}
	restarted.open(t, address)
	c.wantCalls(vismatest.OpToken, 5)
	if got := c.query(`SELECT count(*) || ' ' || max(version) FROM tokens WHERE claimed_until IS NULL`); got != "1 4" {
		t.Errorf("tokens and version %s", got)
	}
	if got := c.query(`SELECT encode(sealed, 'escape') FROM tokens`); strings.Contains(got, "bearer") || strings.Contains(got, "refresh") {
		t.Error("the token is stored as it is")
	}
}

const (
	shownID     = "core-of-ours"
	shownSecret = "a secret that a machine made"
)

// shows is what Core shows us, as an apply file has it.
func shows(authType, name, secret string) string {
	return `"auth_type":"` + authType + `","callback":{"` + name + `":"` + shownID + `","` + secret + `":"` + shownSecret + `"},`
}

// authorize calls for a token of ours, from an address.
func (c *coreEntrance) authorize(from, connection, id, secret string) *http.Response {
	c.t.Helper()
	body, err := json.Marshal(map[string]string{"client_id": id, "client_secret": secret, "grant_type": "client_credentials"})
	c.check(err)
	req, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.web.URL+"/oauth/"+connection+"/token", strings.NewReader(string(body)))
	c.check(err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", from)
	res, err := http.DefaultClient.Do(req)
	c.check(err)
	c.t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// answerOf reads the answer to a call for a token.
func (c *coreEntrance) answerOf(res *http.Response) (answer map[string]any) {
	c.t.Helper()
	raw, err := io.ReadAll(res.Body)
	c.check(err)
	if got := res.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/json") || res.Header.Get("Cache-Control") != "no-store" {
		c.t.Errorf("header %v", res.Header)
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		c.t.Fatalf("%s: %v", raw, err)
	}
	return answer
}

// unproven reports whether the queue and the workspace mark the order of a page so.
func (c *coreEntrance) unproven(staff visitor, page string) bool {
	c.t.Helper()
	const mark = `data-testid="unproven"`
	_, _, queue := staff("/staff/orders", nil)
	status, _, workspace := staff("/staff"+page, nil)
	if status != http.StatusOK || strings.Contains(queue, mark) != strings.Contains(workspace, mark) {
		c.t.Errorf("the workspace: status %d; the queue's mark is another", status)
	}
	return strings.Contains(workspace, mark)
}

// TestAuthorizationEndpoint: Core fetches a token of ours, and sends somebody
// with it.
func TestAuthorizationEndpoint(t *testing.T) {
	t.Parallel()
	for authType, name := range map[string]string{"oauth_simplified": "token", "oauth": "access_token"} {
		c := newCoreEntrance(t, shows(authType, "client_id", "client_secret"), vismatest.Options{})
		c.service.AuthType, c.service.Login, c.service.Secret = authType, shownID, shownSecret
		c.service.TokenURL = c.web.URL + "/oauth/core/token"
		staff, _ := c.staff()
		res := c.authorize("2001:db8::c0", "core", shownID, shownSecret)
		answer := c.answerOf(res)
		token, _ := answer[name].(string)
		if res.StatusCode != http.StatusOK || len(token) < 32 || authType == "oauth" && (answer["token_type"] != "bearer" || answer["expires_in"] != 300.0) {
			t.Fatalf("%s: status %d, %v", authType, res.StatusCode, answer)
		}
		hash := sha256.Sum256([]byte(token))
		if got := c.query(`SELECT encode(hash, 'hex') FROM issued_tokens`); got != hex.EncodeToString(hash[:]) {
			t.Errorf("%s: stored %s", authType, got)
		}

		o, opened := c.order() // Core fetches another itself
		address := instead(opened, "token", token)
		broker := c.visitor()
		page := c.opens(broker, address, http.StatusSeeOther)
		c.returns(authType+", a reload", broker, address, page)
		c.returns(authType+", as Core opens it", c.visitor(), opened, page)
		if !c.unproven(staff, page) {
			t.Errorf("%s: the order is not marked", authType)
		}
		if _, _, body := broker(page, nil); strings.Contains(body, "unproven") {
			t.Errorf("%s: the broker sees the mark", authType)
		}
		second := c.fake.NewOrder(vismatest.Order{})
		for what, other := range map[string]string{
			"another order":  instead(address, "StreamOrderId", second.GUID),
			"another tenant": instead(address, "tenantId", "22", "flowUrl", ""),
			"a guess":        instead(address, "token", token+"x"),
			"the hash":       instead(address, "token", hex.EncodeToString(hash[:])),
			"no order":       instead(address, "StreamOrderId", ""),
		} {
			c.told(authType+", "+what, c.visitor(), other, http.StatusForbidden, invalidTitle)
		}
		c.clock.Pass(5 * time.Minute)
		c.told(authType+", expired", c.visitor(), address, http.StatusForbidden, invalidTitle)
		c.returns(authType+", a fresh one", c.visitor(), c.address(o), page)
		c.wantCalls(vismatest.OpVerify, 0)
		if got := c.query(`SELECT string_agg(i::text, ' ') FROM issued_tokens i`); strings.Contains(got, token) || strings.Contains(c.log.String(), token) {
			t.Errorf("%s: the token is kept: %s", authType, got)
		}
	}
}

// TestAuthorizationIsRefused in JSON, and guesses are counted for each address.
func TestAuthorizationIsRefused(t *testing.T) {
	t.Parallel()
	c := newCoreEntrance(t, shows("oauth", "client_id", "client_secret"), vismatest.Options{})
	const guesser, core = "2001:db8::bad", "2001:db8::c0"
	for range 10 {
		res := c.authorize(guesser, "core", shownID, "a guess of somebody")
		if answer := c.answerOf(res); res.StatusCode != http.StatusUnauthorized || answer["error"] != "invalid_client" {
			t.Fatalf("status %d, %v", res.StatusCode, answer)
		}
	}
	status := 0
	for range 40 { // the budget refills meanwhile; what is no connection counts too
		if status = c.authorize(guesser, "none", shownID, shownSecret).StatusCode; status != http.StatusNotFound {
			break
		}
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("the guesser is answered %d at last", status)
	}
	if status := c.authorize(guesser, "core", shownID, shownSecret).StatusCode; status != http.StatusTooManyRequests {
		t.Errorf("with the right secret it is answered %d", status)
	}
	if got := c.query(`SELECT count(*) FROM issued_tokens`); got != "0" {
		t.Errorf("%s tokens were given out", got)
	}
	if status := c.authorize(core, "core", shownID, shownSecret).StatusCode; status != http.StatusOK {
		t.Errorf("Core itself is answered %d", status)
	}
	if log := c.log.String(); !strings.Contains(log, "token refused") || strings.Contains(log, "a guess") || strings.Contains(log, shownSecret) {
		t.Errorf("log:\n%s", log)
	}
	c.apply("") // with FlowTokens nobody fetches one
	if status := c.authorize(core, "core", shownID, shownSecret).StatusCode; status != http.StatusNotFound {
		t.Errorf("with FlowTokens: status %d", status)
	}
}

// TestBasicFromCore: the same text at each opening, of which only a hash is kept.
func TestBasicFromCore(t *testing.T) {
	t.Parallel()
	c := newCoreEntrance(t, shows("basic", "username", "password"), vismatest.Options{})
	c.service.AuthType, c.service.Login, c.service.Secret = "basic", shownID, shownSecret
	staff, _ := c.staff()
	o, address := c.order()
	broker := c.visitor()
	page := c.opens(broker, address, http.StatusSeeOther)
	c.returns("later", c.visitor(), c.address(o), page)
	if !c.unproven(staff, page) {
		t.Error("the order is not marked")
	}
	guess := base64.StdEncoding.EncodeToString([]byte(shownID + ":a guess of somebody"))
	c.told("a guess", c.visitor(), instead(address, "token", guess), http.StatusForbidden, invalidTitle)
	c.opens(broker, page, http.StatusOK)
	for _, table := range []string{"connections", "credentials", "audits"} {
		if got := c.query(`SELECT string_agg(r::text, ' ') FROM ` + table + ` r`); strings.Contains(got, shownSecret) {
			t.Errorf("the secret is in %s", table)
		}
	}
	if _, _, body := staff("/staff/orders", nil); !strings.Contains(body, inNorwegian("work.unproven")) {
		t.Error("the mark has no words")
	}
	entry, err := c.partners.Entry(t.Context(), "core")
	c.check(err)
	if _, err := entry.Plain(url.Values{}); portal.KindOf(err) != portal.Forbidden {
		t.Errorf("in the background: %v", err)
	}
}
