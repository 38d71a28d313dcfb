package door

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// errLate says that a request was held back because its time was over.
var errLate = errors.New("the time for the call had passed before it was sent")

// fence keeps a request from leaving after its deadline. A context does that by
// a timer, and a process that was stopped and continued may write before its
// timers fire: what it sends then is another process's business by now. So the
// clock is read where the body is, right before the bytes are flushed.
type fence struct {
	deadline time.Time
	now      func() time.Time
	late     atomic.Bool
}

// guard puts a fence before the body of a request, at the deadline of its
// context. A request without a body changes nothing and needs none.
func guard(req *http.Request) *fence {
	f := &fence{now: time.Now}
	f.deadline, _ = req.Context().Deadline()
	if req.Body == http.NoBody {
		return f
	}
	again, size := req.GetBody, req.ContentLength
	req.Body = &fenced{ReadCloser: req.Body, left: size, fence: f}
	req.GetBody = func() (io.ReadCloser, error) {
		body, err := again()
		return &fenced{ReadCloser: body, left: size, fence: f}, err
	}
	return f
}

// stopped reports whether the request was held back.
func (f *fence) stopped() bool { return f.late.Load() }

// passed reports whether the deadline has passed by either clock: the monotonic
// one stands still while a machine is suspended.
func (f *fence) passed() bool {
	now := f.now()
	return !now.Before(f.deadline) || !now.Round(0).Before(f.deadline.Round(0))
}

// fenced is a body behind a fence. Of a body that was cut a partner does
// nothing: it is shorter than its header says.
type fenced struct {
	io.ReadCloser
	left  int64 // bytes not read yet
	fence *fence
}

// Read refuses what is left of the body once the deadline has passed.
func (b *fenced) Read(p []byte) (int, error) {
	if b.left > 0 && b.fence.passed() {
		b.fence.late.Store(true)
		return 0, errLate
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	return n, err
}
