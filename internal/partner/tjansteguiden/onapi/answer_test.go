package onapi

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door/doortest"
	"portico/internal/portal"
)

const jsonType = "application/json"

func TestAnswersToAnOrder(t *testing.T) {
	t.Parallel()
	expected := time.Date(2026, 11, 24, 0, 0, 1, 0, time.UTC)
	long := strings.Repeat("å", 600)
	state := func(s portal.ActivationState, message string) portal.ActivationAnswer {
		return portal.ActivationAnswer{State: s, Message: message}
	}
	with := func(id string, a portal.ActivationAnswer) portal.ActivationAnswer {
		a.NetworkID = id
		return a
	}
	for name, tt := range map[string]struct {
		status int
		body   string
		want   portal.ActivationAnswer
	}{
		"received":          {201, `{"orderId":"a1","state":"RECEIVED","message":"","expectedCompletionDate":"2026-11-24T00:00:01Z"}`, portal.ActivationAnswer{NetworkID: "a1", State: portal.ActivationAccepted, ExpectedAt: &expected}},
		"begun":             {201, `{"orderId":"a1","state":"IN_PROGRESS","expectedCompletionDate":"soon"}`, with("a1", state(portal.ActivationInProgress, ""))},
		"done":              {201, `{"orderId":12,"state":"DONE_SUCCESS"}`, with("12", state(portal.ActivationDone, ""))},
		"failed":            {201, `{"orderId":"a1","state":"DONE_FAILED","message":"No signal"}`, with("a1", state(portal.ActivationFailed, "No signal"))},
		"path alone":        {201, `{"path":"/onapi/2.4/orders/a1","state":"RECEIVED"}`, with("a1", state(portal.ActivationAccepted, ""))},
		"status, not state": {201, `{"orderId":"a1","status":"received"}`, with("a1", state(portal.ActivationAccepted, ""))},
		"no state":          {201, `{"orderId":"a1"}`, with("a1", state(portal.ActivationAccepted, ""))},
		"unknown state":     {201, `{"orderId":"a1","state":"ON_HOLD","message":"x"}`, with("a1", state(portal.ActivationInProgress, "ON_HOLD"))},
		"open":              {200, `{"path":"/a/orders/a1/","accessId":"kc-7","service":"AB100100","operation":"ACTIVATE","state":"RECEIVED"}`, with("a1", state(portal.ActivationAccepted, ""))},
		"active":            {200, `{"accessId":"KC-7","service":"AB100100","operation":"ACTIVATE","state":"DONE_SUCCESS","message":null}`, state(portal.ActivationDone, "")},
		"another access":    {200, `{"accessId":"KC-8","state":"RECEIVED"}`, refused("Nätet har redan en annan order på accessen: ACTIVATE AB100100.")},
		"another service":   {200, `{"service":"IPTV","operation":"CHANGE","state":"RECEIVED"}`, refused("Nätet har redan en annan order på accessen: CHANGE IPTV.")},
		"400":               {400, `{ "cause": "Unknown service: 'INTERNET'" }`, refused("Unknown service: 'INTERNET'")},
		"404":               {404, `{"cause":"Fel access"}`, refused("Fel access")},
		"409":               {409, `{"cause":"ServiceType is already claimed by other Service Provider."}`, refused("ServiceType is already claimed by other Service Provider.")},
		"422":               {422, `{"cause":17}`, refused("17")},
		"501":               {501, `{"cause":"error description"}`, refused("error description")},
		"no cause":          {400, `{"error":"Bad Request"}`, refused("")},
		"no words":          {400, ``, refused("")},
		"technical words":   {400, `Bad Request`, refused("")},
		"a page":            {404, `<h1>Not Found</h1>`, refused("")},
		"a cause in parts":  {400, `{"cause":{"code":7}}`, refused("")},
		"a long cause":      {400, `{"cause":"` + long + `"}`, refused(long[:2*500])},
		"a cut escape":      {400, `{"cause":"` + strings.Repeat("x", 1010) + `\u00e5","more":1}`, refused(strings.Repeat("x", 500))},
	} {
		a, err := saying(t, tt.status, jsonType, tt.body).Do(t.Context(), ask(portal.Activate, "AB100100"))
		if diff := cmp.Diff(tt.want, a); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestAnswersThatSayNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*Client{
		"no body":      saying(t, 200, jsonType, ""),
		"no content":   saying(t, 204, "", ""),
		"nothing":      saying(t, 201, jsonType, "{}"),
		"an order":     saying(t, 200, jsonType, `{"orderId":"a1"}`),
		"a list":       saying(t, 200, jsonType, `[]`),
		"a page":       saying(t, 200, "text/html", `<h1>Hej</h1>`),
		"broken":       saying(t, 200, jsonType, `{"state":`),
		"no address":   saying(t, 201, jsonType, `{"path":"%zz"}`),
		"the list":     saying(t, 201, jsonType, `{"path":"/onapi/2.4/orders/"}`),
		"not its kind": saying(t, 200, jsonType, `{"state":{}}`),
		"gateway":      saying(t, 502, "text/html", `<h1>Bad gateway</h1>`),
	} {
		if a, err := c.Do(t.Context(), ask(portal.Activate, "AB100100")); portal.OutcomeOf(err) != portal.OutcomeUnknown || a != (portal.ActivationAnswer{}) {
			t.Errorf("order, %s: %+v, %v", name, a, err)
		}
		if a, err := c.Look(t.Context(), "a1"); name != "an order" && portal.OutcomeOf(err) != portal.OutcomeUnknown {
			t.Errorf("look, %s: %+v, %v", name, a, err)
		}
	}
}

func TestLocationNamesTheOrder(t *testing.T) {
	t.Parallel()
	for _, location := range []string{"/onapi/2.4/orders/a1", "https://net.example/onapi/2.4/orders/a1/"} {
		base := doortest.Start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusCreated)
		}))
		a, err := newClient(t, base, portal.Credential{}).Do(t.Context(), ask(portal.Activate, "AB100100"))
		if err != nil || a != (portal.ActivationAnswer{NetworkID: "a1", State: portal.ActivationAccepted}) {
			t.Errorf("%s: %+v, %v", location, a, err)
		}
	}
}

func TestLookAtAnotherOrder(t *testing.T) {
	t.Parallel()
	c := saying(t, 200, jsonType, `{"orderId":"a2","state":"DONE_SUCCESS"}`)
	if a, err := c.Look(t.Context(), "a1"); portal.OutcomeOf(err) != portal.OutcomeUnknown {
		t.Errorf("%+v, %v", a, err)
	}
	if a, err := c.Look(t.Context(), "A2"); err != nil || a.State != portal.ActivationDone || a.NetworkID != "A2" {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestLookNeverRefuses(t *testing.T) {
	t.Parallel()
	for _, status := range refusals {
		if a, err := saying(t, status, jsonType, `{"cause":"x"}`).Look(t.Context(), "a1"); err == nil {
			t.Errorf("%d: %+v", status, a)
		}
	}
}
