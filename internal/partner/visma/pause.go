package visma

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

const (
	unsurePause = 3500 * time.Millisecond // Visma: "if unsure, wait 3.5 seconds"
	maxWait     = 5 * time.Second         // a longer pause is not waited for, but said
)

// pause keeps calls back for as long as Core asks for: by 429, and by the header
// that says that it has held a call back itself. The other headers are not
// used: what X-RateLimit-Remaining counts is described both ways.
//
// https://visma-real-estate-solutions.github.io/core-documentation/docs/faq.html
type pause struct {
	now   func() time.Time
	mu    sync.Mutex
	until time.Time
}

// wait returns when calls may be made again, or says that it is too long until then.
func (p *pause) wait(ctx context.Context) error {
	p.mu.Lock()
	left := p.until.Sub(p.now())
	p.mu.Unlock()
	if left <= 0 {
		return nil
	}
	if left > maxWait {
		return &portal.ReportError{Outcome: portal.OutcomeBusy, RetryAfter: left, Err: errors.New("no call was made: Core has asked for a pause")}
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return &portal.ReportError{Outcome: portal.OutcomeBusy, RetryAfter: left, Err: fmt.Errorf("wait as Core asked for: %w", ctx.Err())}
	}
}

// observe takes from the end of a call how long the next has to wait.
func (p *pause) observe(a door.Answer, err error) {
	var wait time.Duration
	var e *door.Error
	switch {
	case errors.As(err, &e) && e.Status == http.StatusTooManyRequests:
		if wait = e.RetryAfter; wait == 0 {
			wait = unsurePause
		}
	case err == nil:
		if ms, err := strconv.Atoi(a.Header.Get("X-RateLimit-Delayed-By-Milliseconds")); err == nil {
			wait = min(time.Duration(ms)*time.Millisecond, unsurePause)
		}
	}
	if wait <= 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := p.now().Add(wait); until.After(p.until) {
		p.until = until
	}
}
