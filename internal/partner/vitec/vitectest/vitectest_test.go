package vitectest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door/doortest"
	"portico/internal/portal"
)

func start(t *testing.T, o Options) *Server {
	t.Helper()
	if o.Credentials == nil {
		o.Credentials = []portal.Credential{
			{Customer: "M30011", Username: "u", Password: "one"},
			{Customer: "M30012", Username: "u", Password: "two"}}
	}
	return Start(t, o)
}

// send makes a call and returns its status and body, 0 if the connection broke.
func send(t *testing.T, method, address, password, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if password != "" {
		req.SetBasicAuth("u", password)
	}
	status, answer, _ := doortest.Send(req)
	return status, answer
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	o := s.NewOrder(Order{Office: "M30011"})
	token := func(v string) string { return `{"data": "` + v + `"}` }
	for name, tt := range map[string]struct {
		method, path, password, body string
		want                         int
	}{
		"token":              {"POST", "Token/M30011", "one", token(s.Token(o.ID)), 200},
		"no login":           {"POST", "Token/M30011", "", token(s.Token(o.ID)), 401},
		"wrong login":        {"POST", "Token/M30011", "three", token(s.Token(o.ID)), 401},
		"another's login":    {"POST", "Token/M30011", "two", token(s.Token(o.ID)), 403},
		"another's token":    {"POST", "Token/M30012", "two", token(s.Token(o.ID)), 403},
		"unknown office":     {"POST", "Token/M1", "one", token(s.Token(o.ID)), 403},
		"unknown token":      {"POST", "Token/M30011", "one", token("abc"), 400},
		"no token":           {"POST", "Token/M30011", "one", `{}`, 400},
		"broken body":        {"POST", "Token/M30011", "one", `{`, 400},
		"status":             {"PUT", "Status/M30011", "one", `{"id": "` + o.ID + `", "status": "Delivered"}`, 200},
		"unknown status":     {"PUT", "Status/M30011", "one", `{"id": "` + o.ID + `", "status": "Done"}`, 400},
		"unknown order":      {"PUT", "Status/M30011", "one", `{"id": "x", "status": "Error"}`, 404},
		"another's order":    {"PUT", "Status/M30012", "two", `{"id": "` + o.ID + `", "status": "Error"}`, 404},
		"question":           {"PUT", "UserInteraction/M30011", "one", `{"id": "` + o.ID + `", "url": "https://x/y"}`, 200},
		"question, no URL":   {"PUT", "UserInteraction/M30011", "one", `{"id": "` + o.ID + `"}`, 400},
		"question, bad URL":  {"PUT", "UserInteraction/M30011", "one", `{"id": "` + o.ID + `", "url": "x/y"}`, 400},
		"question, script":   {"PUT", "UserInteraction/M30011", "one", `{"id": "` + o.ID + `", "url": "javascript:alert(1)"}`, 400},
		"list":               {"GET", "M30011", "one", "", 200},
		"list, bad date":     {"GET", "M30011?MinValue=x", "one", "", 400},
		"method of no other": {"DELETE", "M30011", "one", "", 404},
	} {
		if got, body := send(t, tt.method, s.URL+"/Service/Order/"+tt.path, tt.password, tt.body); got != tt.want {
			t.Errorf("%s: %d %s, want %d", name, got, body, tt.want)
		}
	}
}

func TestTokensNeedEncoding(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	u, err := url.Parse(s.Open("M30011", "OBJ30011_1684210", "MED30011_124", "https://portal.example/callback/foto?a=b"))
	if err != nil {
		t.Fatal(err)
	}
	token := u.Query().Get("token")
	for _, c := range []string{"+", "/", "="} {
		if !strings.Contains(token, c) || strings.Contains(u.Query().Encode(), c+"token") {
			t.Errorf("token %q has no %q", token, c)
		}
	}
	if u.Query().Get("customerId") != "M30011" || u.Query().Get("a") != "b" {
		t.Errorf("address %s", u)
	}
	if again := s.Reopen(s.Orders()[0].ID); again == u.String() || again == "" {
		t.Errorf("the same token twice: %s", again)
	}
}

func TestTokensExpire(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	s := start(t, Options{TokenLife: time.Minute, Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	o := s.NewOrder(Order{Office: "M30011"})
	token := s.Token(o.ID)
	expired := func(token string) bool {
		_, body := send(t, "POST", s.URL+"/Service/Order/Token/M30011", "one", `{"data": "`+token+`"}`)
		var ticket struct{ HasExpired bool }
		if err := json.Unmarshal([]byte(body), &ticket); err != nil {
			t.Fatal(err, body)
		}
		return ticket.HasExpired
	}
	if expired(token) || !expired(s.ExpiredToken(o.ID)) {
		t.Error("a fresh token has expired, or an expired one has not")
	}
	mu.Lock()
	now = now.Add(time.Minute)
	mu.Unlock()
	if !expired(token) {
		t.Error("the token outlives its life")
	}
}

func TestListNames(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	s := start(t, Options{Now: func() time.Time { return created }})
	s.NewOrder(Order{Office: "M30011"})
	for query, want := range map[string]int{
		"": 1,
		"TargetId=OBJ30011_1684210&Status=Ordered": 1,
		"targetid=x":   0,
		"Status=Error": 0,
		"MinValue=2026-11-02T09:00:00&MaxValue=2026-11-02T09:00:00":                         1, // Swedish time
		"MinValue=2026-11-02T09:00:01":                                                      0,
		"CreatedAtMaxValue=2026-11-02T08:59:59":                                             0,
		"criteria.createdAt.minValue=2026-11-02T09:00:01%2B01:00&criteria.targetId=":        0,
		"criteria.createdAt.minValue=2026-11-02T08:00:00Z&criteria.status=ordered":          1,
		"criteria.createdAtMaxValue=2026-11-02T08:00:00Z&criteria.targetId=OBJ30011_168421": 0,
	} {
		_, body := send(t, "GET", s.URL+"/Service/Order/M30011?"+query, "one", "")
		var list []map[string]any
		if err := json.Unmarshal([]byte(body), &list); err != nil || len(list) != want {
			t.Errorf("%s: %d orders, want %d: %s", query, len(list), want, body)
		}
	}
}

func TestStateOutlivesARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.json")
	before := start(t, Options{Path: path})
	o := before.NewOrder(Order{Office: "M30011", CallbackURL: "https://portal.example/callback/foto"})
	token := before.Token(o.ID)
	body := `{"id": "` + o.ID + `", "status": "Delivered", "comment": "Å"}`
	if status, _ := send(t, "PUT", before.URL+"/Service/Order/Status/M30011", "one", body); status != 200 {
		t.Fatalf("status %d", status)
	}
	after := start(t, Options{Path: path})
	want, _ := before.Order("M30011", o.ID)
	got, _ := after.Order("M30011", o.ID)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if status, _ := send(t, "POST", after.URL+"/Service/Order/Token/M30011", "one", `{"data": "`+token+`"}`); status != 200 {
		t.Errorf("the token is lost: %d", status)
	}
	if _, err := New(Options{Path: t.TempDir()}); err == nil {
		t.Error("a folder as the file of the state is no error")
	}
}

func TestSameIDAtTwoOffices(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	s.NewOrder(Order{ID: "7", Office: "M30011"})
	s.NewOrder(Order{ID: "7", Office: "M30012"})
	if status, _ := send(t, "PUT", s.URL+"/Service/Order/Status/M30011", "one", `{"id": "7", "status": "Error"}`); status != 200 {
		t.Fatalf("status %d", status)
	}
	one, _ := s.Order("M30011", "7")
	two, _ := s.Order("M30012", "7")
	if one.Status != "Error" || two.Status != StatusOrdered {
		t.Errorf("statuses %s and %s", one.Status, two.Status)
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Path: filepath.Join(t.TempDir(), "state.json")})
	o := s.NewOrder(Order{Office: "M30011"})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			send(t, "POST", s.URL+"/Service/Order/Token/M30011", "one", `{"data": "`+s.Token(o.ID)+`"}`)
			send(t, "PUT", s.URL+"/Service/Order/Status/M30011", "one", `{"id": "`+o.ID+`", "status": "Error"}`)
			s.SetFault(OpList, Fault{Kind: FaultHTML})
			send(t, "GET", s.URL+"/log", "", "")
		})
	}
	wg.Wait()
	if n := len(s.Statuses(o.ID)); n != 20 || s.Count(OpAny) != 40 {
		t.Errorf("%d statuses, %d calls", n, s.Count(OpAny))
	}
}
