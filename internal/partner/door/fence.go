package door

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// errLate says that a request was held back because its time was over.
var errLate = errors.New("the time for the call had passed before it was sent")

// fence keeps a request from leaving after its deadline. A context does that by
// a timer, and a process that was stopped and continued may write before its
// timers fire: what it sends then is another process's business by now. So the
// clock is read where the body is, right before the bytes are flushed, or where
// the connection is of a request that has no body.
type fence struct {
	deadline time.Time
	now      func() time.Time
	late     atomic.Bool
}

// newFence returns the fence at the deadline of ctx.
func newFence(ctx context.Context) *fence {
	f := &fence{now: time.Now}
	f.deadline, _ = ctx.Deadline()
	return f
}

// guard puts the fence before the body of a request. A request without a body
// changes nothing, unless it says so, and needs none.
func (f *fence) guard(req *http.Request) {
	if req.Body == http.NoBody {
		return
	}
	again, size := req.GetBody, req.ContentLength
	req.Body = &fenced{ReadCloser: req.Body, left: size, fence: f}
	req.GetBody = func() (io.ReadCloser, error) {
		body, err := again()
		return &fenced{ReadCloser: body, left: size, fence: f}, err
	}
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

type fenceKey struct{}

// withFence returns the context of a request whose connection is to be behind a
// fence: dialling is given the values of its context.
func withFence(ctx context.Context, f *fence) context.Context {
	return context.WithValue(ctx, fenceKey{}, f)
}

func fenceOf(ctx context.Context) *fence {
	f, _ := ctx.Value(fenceKey{}).(*fence)
	return f
}

// fencedConn is the connection of one request behind a fence: whatever is
// written to it is of the request. Where there is TLS it is inside, for that
// says goodbye long after.
type fencedConn struct {
	net.Conn
	fence *fence
}

// Write refuses once the deadline has passed. Of a request that was cut a
// partner does nothing.
func (c *fencedConn) Write(p []byte) (int, error) {
	if c.fence.passed() {
		c.fence.late.Store(true)
		return 0, errLate
	}
	return c.Conn.Write(p)
}

type dial = func(ctx context.Context, network, address string) (net.Conn, error)

// fencing dials what is behind the fence of its context. A proxy is not: what
// goes to it is not of the request alone.
func fencing(own string, d dial) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := d(ctx, network, address)
		if f := fenceOf(ctx); err == nil && f != nil && address == own {
			conn = &fencedConn{Conn: conn, fence: f}
		}
		return conn, err
	}
}
