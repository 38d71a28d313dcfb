package doortest

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	opCount Op = "count"
	opOpen  Op = "open"

	faultOdd FaultKind = "odd" // a kind of its own, which one method alone knows
)

var refusals = []FaultInfo{
	{Kind: FaultServerError, Group: "refused", Name: "500", Answer: JSON(500, "broken")},
	{Kind: FaultUnavailable, Group: "refused", Name: "503", Answer: JSON(503, "closed"), RetryAfter: "30"},
	{Kind: FaultDrop, Group: "refused", Name: "drop"},
	{Kind: FaultTruncated, Group: "done", Name: "half"},
	{Kind: FaultStoredDrop, Group: "done", Name: "done, drop"},
	{Kind: FaultStoredHang, Group: "done", Name: "done, hang"},
	{Kind: FaultStoredError, Group: "done", Name: "done, 500"},
	{Kind: FaultSlow, Group: "done", Name: "slow"},
	{Kind: faultOdd, Group: "odd", Name: "odd", Ops: []Op{opOpen}},
}

// pages are a fake's with one page of its own.
var pages = ParsePages("sv", fstest.MapFS{"style.css": {}, "templates/faults.html": {Data: []byte(`{{define "more"}}{{.}} more{{end}}`)},
	"templates/own.html": {Data: []byte(`{{define "main"}}<h1>{{.Name}}</h1>{{end}}`)},
	"templates/words.html": {Data: []byte(`{{define "title"}}Counter{{end}}{{define "warning"}}{{end}}{{define "brand"}}{{end}}
		{{define "index"}}{{end}}{{define "no-page"}}none{{end}}{{define "to-index"}}{{end}}{{define "caller"}}{{end}}
		{{define "users"}}<option>{{.}}</option>{{end}}`)}})

// counter is a fake that counts.
type counter struct {
	*Door
	url string
	n   atomic.Int64
}

func start(t *testing.T) *counter {
	t.Helper()
	words := Words{Ops: []OpName{{OpAny, "all"}, {opCount, "count"}, {opOpen, "open"}}, Unknown: "unknown",
		On: "on for %s", Always: ", always", Once: ", once", Times: ", %d times"}
	redact := func(r *Request) { r.Body = strings.ReplaceAll(r.Body, "secret", "***") }
	c := &counter{Door: New(Options{Faults: refusals, Words: words, Redact: redact, Now: time.Now})}
	mux := http.NewServeMux()
	for _, op := range []Op{opCount, opOpen} {
		mux.HandleFunc("/"+string(op)+"/{customer}", func(w http.ResponseWriter, r *http.Request) {
			c.Serve(w, r, op, r.PathValue("customer"), func(body []byte, fault FaultKind) Reply {
				if string(body) == "bad" {
					return JSON(400, "bad")
				}
				return JSON(200, map[string]any{"n": c.n.Add(1), "fault": fault})
			})
		})
	}
	mux.Handle("/", NewSite(c.Door, SiteOptions{Pages: pages}))
	c.url = Start(t, mux)
	return c
}

func (c *counter) send(t *testing.T, ctx context.Context, op Op, body string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "POST", c.url+"/"+string(op)+"/M%201?x=1", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("partner", "password")
	return Send(req)
}

func TestFaultsForTheNextCalls(t *testing.T) {
	t.Parallel()
	c := start(t)
	var got []int
	call := func() {
		status, _, _ := c.send(t, t.Context(), opCount, "")
		got = append(got, status)
	}
	c.SetFault(opCount, Fault{Kind: FaultServerError, Times: 2})
	c.SetFault(opOpen, Fault{Kind: FaultUnavailable})
	call()
	call()
	call()
	c.SetFault(OpAny, Fault{Kind: FaultStoredDrop, Times: 1})
	call()
	c.SetFault(OpAny, Fault{Kind: FaultDrop})
	call()
	c.SetFault(OpAny, Fault{})
	call()
	if diff := cmp.Diff([]int{500, 500, 200, 0, 0, 200}, got); diff != "" {
		t.Error(diff)
	}
	var stored []bool
	for _, r := range c.Log() {
		stored = append(stored, r.Stored)
	}
	if diff := cmp.Diff([]bool{false, false, true, true, false, true}, stored); diff != "" {
		t.Error(diff)
	}
	if c.n.Load() != 3 || c.Count(opCount) != 6 || c.Count(OpAny) != 6 || c.Count(opOpen) != 0 || c.faultCount() != 1 {
		t.Errorf("%d done of %d calls, %d faults left", c.n.Load(), c.Count(opCount), c.faultCount())
	}
	c.ClearFaults()
	if status, _, _ := c.send(t, t.Context(), opOpen, "bad"); status != 400 || c.Log()[6].Stored {
		t.Errorf("status %d, stored %t: the fake has refused it", status, c.Log()[6].Stored)
	}
}

func TestAnswersOfFaults(t *testing.T) {
	t.Parallel()
	const good = `{"fault":"","n":1}`
	for _, tt := range []struct {
		fault  Fault
		status int
		body   string
		done   int64
	}{
		{Fault{}, 200, good, 1},
		{Fault{Kind: FaultServerError}, 500, `"broken"`, 0},
		{Fault{Kind: FaultUnavailable, RetryAfter: "7"}, 503, `"closed"`, 0},
		{Fault{Kind: FaultDrop}, 0, "", 0},
		{Fault{Kind: FaultTruncated}, 200, `{"fault":"tru`, 1},
		{Fault{Kind: FaultStoredDrop}, 0, "", 1},
		{Fault{Kind: FaultStoredError}, 500, `"broken"`, 1},
		{Fault{Kind: FaultSlow, Delay: time.Millisecond}, 200, `{"fault":"slow","n":1}`, 1},
		{Fault{Kind: faultOdd}, 200, good, 1}, // happens to the other method only
	} {
		c := start(t)
		c.SetFault(opCount, tt.fault)
		status, body, header := c.send(t, t.Context(), opCount, "")
		if status != tt.status || body != tt.body || header.Get("Retry-After") != tt.fault.RetryAfter || c.n.Load() != tt.done {
			t.Errorf("%+v: %d %s, %v, %d done", tt.fault, status, body, header, c.n.Load())
		}
	}
}

// TestPatience: a fake that does not answer does so until its caller gives up.
func TestPatience(t *testing.T) {
	t.Parallel()
	for kind, want := range map[FaultKind]int64{FaultSlow: 0, FaultStoredHang: 1} {
		c := start(t)
		c.SetFault(OpAny, Fault{Kind: kind})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if status, _, _ := c.send(t, ctx, opCount, ""); status != 0 || c.n.Load() != want || c.Count(opCount) != 1 {
			t.Errorf("%s: status %d, %d done, %d in the log", kind, status, c.n.Load(), c.Count(opCount))
		}
	}
}

func TestAFaultThatTheFakeDoesNotHave(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("a test that sets it would prove nothing")
		}
	}()
	start(t).SetFault(OpAny, Fault{Kind: FaultRedirect})
}

func TestLog(t *testing.T) {
	t.Parallel()
	c := start(t)
	c.send(t, t.Context(), opCount, `{"a":"secret"}`)
	got := c.Log()[0]
	if got.Header.Get("Authorization") != "" || got.Header.Get("User-Agent") == "" || got.Time.IsZero() {
		t.Errorf("%+v", got)
	}
	got.Header, got.Time = nil, time.Time{}
	want := Request{Op: opCount, Customer: "M 1", Username: "partner", Method: "POST", Path: "/count/M%201", Query: "x=1",
		Body: `{"a":"***"}`, Status: 200, Answer: `{"fault":"","n":1}`, Stored: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	p := c.logPage(func(time.Time) string { return "now" })
	if row := p.Requests[0]; p.Total != 1 || row.At != "now" || row.OpName != "count" || row.Body != "{\n  \"a\": \"***\"\n}" {
		t.Errorf("%+v", p)
	}
}

func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	d := New(Options{Now: time.Now})
	r, err := http.NewRequestWithContext(t.Context(), "GET", "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for range maxLog + 1 {
		d.arrive(r, Request{})
	}
	p := d.logPage(func(time.Time) string { return "" })
	if len(p.Requests) != maxShown || p.Total != maxLog/2+1 {
		t.Errorf("%d rows of %d", len(p.Requests), p.Total)
	}
}

func TestSwitchFaults(t *testing.T) {
	t.Parallel()
	c := start(t)
	b := NewBrowser(t, c.url)
	on := func(want ...string) {
		t.Helper()
		var got []string
		for _, s := range c.sections() {
			for _, row := range s.Faults {
				if row.On {
					got = append(got, s.Title+": "+row.Name+" "+row.Where)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	b.Post("/faults", "kind", "server_error", "op", "count", "times", "3")
	b.Post("/faults", "kind", "odd", "op", "count", "times", "x") // happens to the other method only
	on("refused: 500 on for count, 3 times", "odd: odd on for all, always")
	b.Post("/faults", "kind", "odd")
	b.Post("/faults", "kind", "unavailable", "op", "open", "times", "1")
	on("refused: 500 on for count, 3 times", "refused: 503 on for open, once")
	if f := c.TakeFault(opOpen); f.Kind != FaultUnavailable || f.RetryAfter != "30" {
		t.Errorf("%+v", f)
	}
	if status, _ := b.Post("/faults", "kind", "x"); status != http.StatusNotFound {
		t.Errorf("no such fault: %d", status)
	}
	if status, location := b.Post("/faults"); status != http.StatusSeeOther || location != "/faults" {
		t.Errorf("%d %s", status, location)
	}
	on()
}

func TestSite(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var s *Site
	s = NewSite(New(Options{}), SiteOptions{Pages: pages, Cookie: "who", Log: slog.New(slog.NewTextHandler(&log, nil)),
		Acting: func(r *http.Request) any { return "<" + s.Actor(r) }, More: func(r *http.Request) any { return r.Method }})
	s.HandleFunc("GET /own", func(w http.ResponseWriter, r *http.Request) {
		s.Show(w, r, http.StatusOK, "own", "Own & one", struct{ Name string }{"<Ada"})
	})
	s.HandleFunc("GET /broken", func(w http.ResponseWriter, r *http.Request) { s.Show(w, r, http.StatusOK, "own", "", 1) })
	s.HandleFunc("POST /acting", func(w http.ResponseWriter, r *http.Request) { s.Act(w, r, r.FormValue("user"), "/own") })
	b := NewBrowser(t, Start(t, s), "Simulator.")
	b.Sees("/own", "<title>Own &amp; one · Counter<", "<h1>&lt;Ada<", "<option>&lt;</option>", `<a href="/" aria-current="page">`)
	if status, location := b.Post("/acting", "user", "bo"); status != http.StatusSeeOther || location != "/own" {
		t.Errorf("acting: %d %s", status, location)
	}
	b.Sees("/own", "<option>&lt;bo</option>")
	b.Sees("/faults", "GET more", `<a href="/faults" aria-current="page">`)
	if status, _, body := b.Get("/x"); status != http.StatusNotFound || !strings.Contains(body, "<h1>Sidan finns inte<") {
		t.Errorf("no page: %d %s", status, body)
	}
	if status, _, body := b.Get("/broken"); status != http.StatusInternalServerError || strings.Contains(body, "<") || !strings.Contains(log.String(), "page own") {
		t.Errorf("half a page: %d %s, %s", status, body, &log)
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	t.Parallel()
	c := start(t)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			c.send(t, t.Context(), opCount, "")
			c.SetFault(opOpen, Fault{Kind: FaultDrop})
			c.logPage(time.Time.String)
			c.sections()
		})
	}
	wg.Wait()
	if c.n.Load() != 20 || c.Count(OpAny) != 20 {
		t.Errorf("%d of %d calls", c.n.Load(), c.Count(OpAny))
	}
}

func TestState(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.json")
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	got := map[string]int{"kept": 1}
	if err := Load(path, &got); err != nil || got["kept"] != 1 {
		t.Errorf("without a file: %v, %v", got, err)
	}
	Save(path, map[string]int{"saved": 2}, logger)
	if err := Load(path, &got); err != nil || got["saved"] != 2 || log.Len() > 0 {
		t.Errorf("%v, %v, %s", got, err, &log)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Load(path, &got); err == nil {
		t.Error("half a file is read")
	}
	if err := Load(t.TempDir(), &got); err == nil {
		t.Error("a folder is read as a file")
	}
	Save(filepath.Join(path, "below"), got, logger)
	if !strings.Contains(log.String(), "save the simulator's state") {
		t.Errorf("a state that is lost makes no noise: %s", &log)
	}
}
