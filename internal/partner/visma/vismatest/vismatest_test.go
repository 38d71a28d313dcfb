package vismatest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door/doortest"
)

// caller calls the API as the user of tenant 14.
type caller struct {
	*testing.T
	*Server
	bearer string
}

func start(t *testing.T, o Options) *caller {
	t.Helper()
	c := &caller{T: t, Server: Start(t, o)}
	c.bearer = c.login("14", "client_secret=simulator-secret-14")
	return c
}

func (c *caller) login(tenant, secret string) string {
	c.Helper()
	form := "grant_type=client_credentials&client_id=nordlys&" + secret
	status, body := c.send("POST", "/core/"+tenant+"/flow/authtoken", form)
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != 200 && answer.AccessToken != "" {
		c.Fatal(status, body, err)
	}
	return answer.AccessToken
}

// send makes a call and returns its status and body, 0 if the connection broke.
func (c *caller) send(method, path, body string) (int, string) {
	c.Helper()
	status, answer, _ := c.exchange(method, path, body)
	return status, answer
}

func (c *caller) exchange(method, path, body string) (int, string, http.Header) {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), method, c.URL+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if strings.HasSuffix(path, "/authtoken") {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else if c.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	return doortest.Send(req)
}

const apiBase = "/core/14/flow/api/"

func TestAnswers(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	o, theirs := c.NewOrder(Order{Tenant: "14"}), c.NewOrder(Order{Tenant: "22"})
	orders := apiBase + "marketingintegrators/orders/"
	token := func(v string) string { return `{"Token": "` + v + `"}` }
	for name, tt := range map[string]struct {
		method, path, body string
		want               int
	}{
		"token":             {"POST", apiBase + "MarketingIntegrators/VerifyToken", token(c.Token(o.GUID)), 200},
		"expired token":     {"POST", apiBase + "MarketingIntegrators/VerifyToken", token(c.ExpiredToken(o.GUID)), 401},
		"another's token":   {"POST", apiBase + "MarketingIntegrators/VerifyToken", token(c.Token(theirs.GUID)), 400},
		"unknown token":     {"POST", apiBase + "MarketingIntegrators/VerifyToken", token("abc"), 400},
		"no token":          {"POST", apiBase + "MarketingIntegrators/VerifyToken", `{}`, 400},
		"state":             {"POST", orders + o.GUID + "/updatestate", `{"Status": "x", "State": "InProcess"}`, 200},
		"state as a number": {"POST", apiBase + "MarketingIntegrators/Orders/" + strings.ToUpper(o.GUID) + "/UpdateState", `{"Status": "x", "State": 8}`, 200},
		"state of no kind":  {"POST", orders + o.GUID + "/updatestate", `{"Status": "x", "State": "Done"}`, 400},
		"no such number":    {"POST", orders + o.GUID + "/updatestate", `{"Status": "x", "State": 9}`, 400},
		"broken body":       {"POST", orders + o.GUID + "/updatestate", `{`, 400},
		"another's order":   {"POST", orders + theirs.GUID + "/updatestate", `{"Status": "x", "State": "Error"}`, 404},
		"unknown order":     {"PATCH", orders + newGUID(), `{"Title": "x"}`, 404},
		"details":           {"PATCH", orders + o.GUID, `{"Title": "x", "Metadata": [{"Key": "a", "Value": "b"}]}`, 200},
		"new order":         {"POST", apiBase + "MarketingIntegrators/Cases/66120/CreateOrderAsIntegrator", "", 200},
		"no such case":      {"POST", apiBase + "MarketingIntegrators/Cases/70402/CreateOrderAsIntegrator", "", 404},
		"search":            {"POST", apiBase + "Search/AdvancedPropertySearch?$top=1&$select=Id&$filter=" + url.QueryEscape("Id eq 66115"), "", 200},
		"search too much":   {"POST", apiBase + "Search/AdvancedPropertySearch?$top=101&$filter=" + url.QueryEscape("Id eq 66115"), "", 400},
		"folder":            {"GET", apiBase + "Cases/66115/Directory", "", 200},
		"no such folder":    {"GET", apiBase + "Cases/66115/Directory/" + newGUID(), "", 404},
		"file, no form":     {"POST", apiBase + "Cases/66115/Directory/" + folderID + "/File/", "{}", 400},
		"unknown tenant":    {"POST", "/core/99/flow/authtoken", "", 404},
		"another tenant":    {"GET", "/core/22/flow/api/Cases/70402/Directory", "", 401},
		"no such method":    {"DELETE", orders + o.GUID, "", 404},
	} {
		if got, body := c.send(tt.method, tt.path, tt.body); got != tt.want {
			t.Errorf("%s: %d %s, want %d", name, got, body, tt.want)
		}
	}
	if diff := cmp.Diff([]string{"Activated", "InProcess"}, slices.Sorted(slices.Values(c.Reported(o.GUID)))); diff != "" {
		t.Error(diff)
	}
	c.bearer = ""
	if got, _ := c.send("PATCH", orders+o.GUID, `{}`); got != 401 {
		t.Errorf("without a bearer: %d", got)
	}
}

// TestModel: names in Pascal case, states as names, metadata as a text.
func TestModel(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 9, 12, 0, 500, time.UTC)
	c := start(t, Options{Now: func() time.Time { return now }})
	o := c.NewOrder(Order{})
	c.send("PATCH", apiBase+"marketingintegrators/orders/"+o.GUID, `{"Title": "Foto", "ActionText": "Se", "Metadata": [{"Key": "a", "Value": "b"}]}`)
	c.send("PATCH", apiBase+"marketingintegrators/orders/"+o.GUID, `{"ActionText": "Svar"}`)
	_, body := c.send("POST", apiBase+"marketingintegrators/orders/"+o.GUID+"/updatestate", `{"Status": "Mottatt", "State": 2}`)
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	date := "2026-11-24T10:12:00.0000005+01:00"
	entry := func(id float64, status, state string) any {
		return map[string]any{"Id": id, "Status": status, "OrderStateType": state, "CreatedDate": date}
	}
	want := map[string]any{"Id": 1001.0, "Guid": o.GUID, "Title": "Foto", "ActionText": "Svar", "CaseBaseId": 66115.0, "MarketingIntegratorId": 7.0,
		"CreatedDate": date, "ModifiedDate": date, "Metadata": `[{"Key":"a","Value":"b"}]`,
		"OrderStatuses": []any{entry(1002, "", "CreatedNotSent"), entry(1003, "Mottatt", "InProcess")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if status, byNumber := c.send("PATCH", apiBase+"marketingintegrators/orders/1001", `{}`); status != 200 || !strings.Contains(byNumber, o.GUID) {
		t.Errorf("by its number: %d %s", status, byNumber)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2026, 11, 24, 9, 12, 0, 0, time.UTC)
	c := start(t, Options{Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	const path = "/core/14/flow/authtoken"
	for form, want := range map[string]string{
		"grant_type=client_credentials&client_id=nordlys&client_secret=x": "invalid_client",
		"grant_type=client_credentials&client_id=x&client_secret=x":       "invalid_client",
		"grant_type=refresh_token&client_id=nordlys&refresh_token=x":      "invalid_grant",
		"grant_type=password&client_id=nordlys":                           "unsupported_grant_type",
		"%zz":                                                             "invalid_request",
	} {
		if status, body := c.send("POST", path, form); status != 400 || body != `{"error":"`+want+`"}` {
			t.Errorf("%s: %d %s", form, status, body)
		}
	}
	works := func() bool { status, _ := c.send("GET", apiBase+"Cases/66115/Directory", ""); return status == 200 }
	if !works() {
		t.Error("a fresh token does not work")
	}
	mu.Lock()
	now = now.Add(bearerLife)
	mu.Unlock()
	if works() {
		t.Error("an old token works")
	}
	for _, r := range c.Server.Log() {
		if strings.Contains(r.Body+r.Answer, "simulator-secret") || r.Op == OpToken && strings.Contains(r.Answer, "access_token") {
			t.Errorf("a secret is in the log: %+v", r)
		}
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	o := c.NewOrder(Order{})
	c.SetPermissions("14", PermissionCases)
	status, body := c.send("PATCH", apiBase+"marketingintegrators/orders/"+o.GUID, `{}`)
	if status != 403 || !strings.Contains(body, `"MissingPermissions":["Marketing Integrator - WRITE"]`) {
		t.Errorf("%d %s", status, body)
	}
	if DemoTenants()[0].Permissions[0] != PermissionOrders {
		t.Error("the demo's permissions have changed")
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Now: func() time.Time { return time.Date(2026, 11, 24, 9, 12, 0, 0, time.UTC) }})
	c.SetThrottle(2, 5*time.Second)
	for i, want := range []struct {
		status                int
		delayed, left, remain string
	}{{200, "", "", "1"}, {200, "40", "", "0"}, {429, "", "5", "0"}} {
		status, _, header := c.exchange("GET", apiBase+"Cases/66115/Directory", "")
		if status != want.status || header.Get("X-RateLimit-Delayed-By-Milliseconds") != want.delayed || header.Get("Retry-After") != want.left ||
			header.Get("X-RateLimit-Remaining") != want.remain || header.Get("X-RateLimit-Limit") != "2" || header.Get("X-RateLimit-Reset") != "5" {
			t.Errorf("call %d: %d %v", i, status, header)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, info := range faultInfos {
		if info.Kind == doortest.FaultStoredHang {
			continue // ends with its caller's patience: the client's tests have one
		}
		t.Run(string(info.Kind), func(t *testing.T) {
			t.Parallel()
			c := start(t, Options{})
			o := c.NewOrder(Order{})
			op, path, body := OpState, apiBase+"marketingintegrators/orders/"+o.GUID+"/updatestate", `{"Status": "x", "State": "InProcess"}`
			if info.Ops != nil {
				op, path, body = OpVerify, apiBase+"marketingintegrators/verifytoken", `{"Token": "`+c.Token(o.GUID)+`"}`
			}
			c.SetFault(op, doortest.Fault{Kind: info.Kind, Times: 1, Delay: time.Millisecond, RetryAfter: info.RetryAfter})
			status, answer, header := c.exchange("POST", path, body)
			if good := status == 200 && json.Valid([]byte(answer)) && strings.Contains(answer, o.GUID); good != (info.Kind == doortest.FaultSlow) || header.Get("Retry-After") != info.RetryAfter {
				t.Errorf("%d %s", status, answer)
			}
			stored := info.Group == groupDone
			if got := len(c.Reported(o.GUID)) == 1; op == OpState && got != stored {
				t.Errorf("stored %t, want %t", got, stored)
			}
			if status, answer := c.send("POST", path, body); status != 200 || !strings.Contains(answer, o.GUID) {
				t.Errorf("afterwards: %d %s", status, answer)
			}
		})
	}
}

func TestStateOutlivesARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "core.json")
	first := start(t, Options{Path: path})
	o := first.NewOrder(Order{})
	token := first.Token(o.GUID)
	second := start(t, Options{Path: path})
	if status, body := second.send("POST", apiBase+"MarketingIntegrators/VerifyToken", `{"Token": "`+token+`"}`); status != 200 || !strings.Contains(body, o.GUID) {
		t.Errorf("%d %s", status, body)
	}
	if again := second.NewOrder(Order{}); again.ID <= o.ID {
		t.Errorf("id %d after %d", again.ID, o.ID)
	}
	if _, err := New(Options{Path: t.TempDir()}); err == nil {
		t.Error("a folder was read as a file")
	}
}
