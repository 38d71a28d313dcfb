package doortest

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// FaultKind says how a call goes wrong.
type FaultKind string

// The kinds of fault that every fake has. Only the FaultStored kinds,
// FaultTruncated and FaultSlow let the call do its work.
const (
	FaultUnauthorized FaultKind = "unauthorized" // 401
	FaultForbidden    FaultKind = "forbidden"    // 403
	FaultBadRequest   FaultKind = "bad_request"  // 400
	FaultNotFound     FaultKind = "not_found"    // 404
	FaultTooMany      FaultKind = "too_many"     // 429
	FaultServerError  FaultKind = "server_error" // 500
	FaultUnavailable  FaultKind = "unavailable"  // 503
	FaultHTML         FaultKind = "html"         // 200 with a page
	FaultRedirect     FaultKind = "redirect"     // 302
	FaultDrop         FaultKind = "drop"         // the connection ends without an answer
	FaultTruncated    FaultKind = "truncated"    // done, but half of the answer is missing
	FaultStoredDrop   FaultKind = "stored_drop"  // done, then the connection ends without an answer
	FaultStoredHang   FaultKind = "stored_hang"  // done, then no answer until the caller gives up
	FaultStoredError  FaultKind = "stored_error" // done, then 500
	FaultSlow         FaultKind = "slow"         // done after Delay
)

// FaultInfo is what a fake knows of a kind of fault.
type FaultInfo struct {
	Kind   FaultKind
	Answer Reply // instead of the call's work; the zero Reply: the work is done
	Ops    []Op  // the methods that it can happen to; nil: each

	Group, Name, Text string        // as the page of faults explains it
	RetryAfter        string        // where the page switches it on
	Delay             time.Duration // where the page switches it on
}

func (i FaultInfo) concerns(op Op) bool {
	if i.Ops == nil {
		return op != OpOrder
	}
	return op == OpAny || slices.Contains(i.Ops, op)
}

// info returns what the fake knows of a kind of fault.
func (d *Door) info(kind FaultKind) (FaultInfo, bool) {
	return Find(d.options.Faults, func(i FaultInfo) bool { return i.Kind == kind })
}

// Fault makes calls fail.
type Fault struct {
	Kind       FaultKind
	Times      int           // how many calls; 0: until it is cleared
	RetryAfter string        // header of an answer that is given instead of the work
	Delay      time.Duration // of FaultSlow; 0: until the caller gives up
}

// SetFault makes the next calls of a method fail, in place of what was set for
// that method before. A fault without a kind clears it. It panics at a kind that
// the fake does not have: a test of that would prove nothing.
func (d *Door) SetFault(op Op, f Fault) {
	if _, ok := d.info(f.Kind); !ok && f.Kind != "" {
		panic(fmt.Sprintf("the fake has no fault %q", f.Kind))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.Kind == "" {
		delete(d.faults, op)
		return
	}
	d.faults[op] = f
}

// ClearFaults makes everything work again.
func (d *Door) ClearFaults() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.faults)
}

// clearKind takes a fault off every method, and reports whether it was on any.
func (d *Door) clearKind(kind FaultKind) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	found := false
	for op, f := range d.faults {
		if f.Kind == kind {
			delete(d.faults, op)
			found = true
		}
	}
	return found
}

// TakeFault returns the fault of a call, the zero Fault if it has none, and counts it.
func (d *Door) TakeFault(op Op) Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, key := range []Op{op, OpAny} {
		f, ok := d.faults[key]
		if info, _ := d.info(f.Kind); !ok || !info.concerns(op) {
			continue
		}
		if f.Times == 1 {
			delete(d.faults, key)
		} else if f.Times > 1 {
			left := f
			left.Times--
			d.faults[key] = left
		}
		return f
	}
	return Fault{}
}

// instead returns the answer of a fault that keeps the call from its work.
func (d *Door) instead(f Fault) (Reply, bool) {
	if f.Kind == FaultDrop {
		return Reply{dropped: true}, true
	}
	info, _ := d.info(f.Kind)
	if f.RetryAfter != "" {
		return info.Answer.With("Retry-After", f.RetryAfter), info.Answer.Status != 0
	}
	return info.Answer, info.Answer.Status != 0
}

// afterwards changes the answer of a call that has done its work.
func (d *Door) afterwards(f Fault, r Reply) Reply {
	switch f.Kind {
	case FaultTruncated:
		r.Body = r.Body[:len(r.Body)/2]
	case FaultStoredDrop:
		r = Reply{dropped: true}
	case FaultStoredHang:
		r = Reply{dropped: true, hangs: true}
	case FaultStoredError:
		info, _ := d.info(FaultServerError)
		r = info.Answer
	}
	return r
}

// wait holds a call of FaultSlow back, and reports whether the caller is still there.
func (f Fault) wait(ctx context.Context) bool {
	if f.Kind != FaultSlow {
		return true
	}
	var over <-chan time.Time
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-over:
		return true
	case <-ctx.Done():
		return false
	}
}
