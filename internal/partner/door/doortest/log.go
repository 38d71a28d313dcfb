package doortest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxLog is how many requests are remembered, so that a demo may run for weeks.
const maxLog = 20_000

// Request is one call that a fake was sent.
type Request struct {
	Time     time.Time
	Op       Op
	Customer string
	Username string // of basic authentication
	Method   string
	Path     string // as it was sent, without the query
	Query    string
	Body     string
	Header   http.Header // without Authorization
	Fault    FaultKind
	Status   int // 0: no answer, or none yet
	Answer   string
	Stored   bool // the call did its work
}

// Log returns the requests so far, the oldest first.
func (d *Door) Log() []Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	log := make([]Request, len(d.log))
	for i, r := range d.log {
		log[i] = *r
	}
	return log
}

// Count returns how many calls of a method there were, failed ones included.
func (d *Door) Count(op Op) int {
	n := 0
	for _, r := range d.Log() {
		if op == OpAny || r.Op == op {
			n++
		}
	}
	return n
}

// arrive notes a request before it is answered: a call that hangs is in the log.
func (d *Door) arrive(r *http.Request, entry Request) *Request {
	entry.Time, entry.Method, entry.Query = d.options.Now(), r.Method, r.URL.RawQuery
	entry.Path, _, _ = strings.Cut(r.RequestURI, "?")
	entry.Username, _, _ = r.BasicAuth()
	entry.Header = r.Header.Clone()
	entry.Header.Del("Authorization")
	d.redact(&entry)
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.log) == maxLog {
		d.log = slices.Delete(d.log, 0, maxLog/2)
	}
	d.log = append(d.log, &entry)
	return &entry
}

// answered notes a request's answer before it is sent.
func (d *Door) answered(entry *Request, answer Reply, done bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	entry.Status, entry.Answer, entry.Stored = answer.Status, answer.Body, done
	d.redact(entry)
}

func (d *Door) redact(entry *Request) {
	if d.options.Redact != nil {
		d.options.Redact(entry)
	}
}

type logPage struct {
	Requests []logRow
	Total    int
}

// logRow is a request as the page of the log shows it.
type logRow struct {
	Request
	At, OpName, Fault, Body, Answer string
}

// maxShown is how many requests the log's page shows.
const maxShown = 100

// logPage returns the latest requests, the last first, and how many there were.
func (d *Door) logPage(clock func(time.Time) string) logPage {
	log := d.Log()
	p := logPage{Total: len(log)}
	slices.Reverse(log)
	for _, r := range log[:min(len(log), maxShown)] {
		info, _ := d.info(r.Fault)
		op, _ := Find(d.options.Words.Ops, func(o OpName) bool { return o.Op == r.Op })
		p.Requests = append(p.Requests, logRow{Request: r, At: clock(r.Time), OpName: cmp.Or(op.Name, d.options.Words.Unknown),
			Fault: info.Name, Body: pretty(r.Body), Answer: pretty(r.Answer)})
	}
	return p
}

func (s *Site) logIndex(w http.ResponseWriter, r *http.Request) {
	s.show(w, r, http.StatusOK, "log", page{Tab: "log", Main: s.door.logPage(s.options.Clock)})
}

func pretty(s string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(s), "", "  ") != nil {
		return s
	}
	return b.String()
}
