// Package doortest is what every partner's fake shares: the door through which
// calls come in, which can make them fail and keeps a log of them, the pages
// about that, and the file of a fake's state; and what the tests of partners'
// packages share. It knows no partner: each fake has the methods, the words and
// the answers.
package doortest

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// maxBody is how long a call's body may be, in bytes.
const maxBody = 64 << 20

// Op is a method of a fake's API.
type Op string

// The methods that every fake has.
const (
	OpAny   Op = ""      // each of them
	OpOther Op = "other" // an address that the fake does not have
	OpOrder Op = "order" // no method: an order that is placed on the pages
)

// Options are what a fake does in its own way.
type Options struct {
	Faults []FaultInfo      // those that it has, as its page shows them
	Words  Words            // of its pages
	Redact func(*Request)   // takes out what the log may not keep, before the answer and with it; may be nil
	Now    func() time.Time // for the log
}

// Door is where the calls of a fake come in. It is safe for concurrent use.
type Door struct {
	options Options

	mu     sync.Mutex
	faults map[Op]Fault
	log    []*Request
}

// New returns a door that lets every call do its work.
func New(o Options) *Door { return &Door{options: o, faults: map[Op]Fault{}} }

// Serve answers a call of a customer's, faults and all: by do, unless a fault
// keeps the call from its work. The log has the answer before the caller does.
func (d *Door) Serve(w http.ResponseWriter, r *http.Request, op Op, customer string, do func(body []byte, fault FaultKind) Reply) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "cannot be read", http.StatusBadRequest)
		return
	}
	fault := d.TakeFault(op)
	entry := d.arrive(r, Request{Op: op, Customer: customer, Body: string(body), Fault: fault.Kind})
	answer, ok := d.instead(fault)
	done := false
	switch {
	case ok:
	case fault.wait(r.Context()):
		answer = do(body, fault.Kind)
		done = answer.Status/100 == 2
		answer = d.afterwards(fault, answer)
	default:
		answer.dropped = true
	}
	d.answered(entry, answer, done)
	if answer.hangs {
		<-r.Context().Done()
	}
	answer.write(w)
}

// Find returns the first that matches.
func Find[E any](all []E, match func(E) bool) (E, bool) {
	for _, e := range all {
		if match(e) {
			return e, true
		}
	}
	var none E
	return none, false
}
