package main

import (
	"context"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"

	"portico/internal/portal"
)

// Limits of a breaker. A probe every breakerPause finds a partner that is back
// within a minute.
const (
	breakerFailures = 5 // in a row, before calls stop
	breakerPause    = 20 * time.Second
)

// breaker stops calls to a partner that does not answer, so that each costs
// neither an attempt nor a visitor's patience. After breakerPause one call tries.
type breaker struct {
	circuit *gobreaker.CircuitBreaker[struct{}]
}

func newBreaker() *breaker {
	return &breaker{gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests:  1,
		Timeout:      breakerPause,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= breakerFailures },
		IsSuccessful: answered,
		IsExcluded:   func(err error) bool { return errors.Is(err, context.Canceled) },
	})}
}

// errNoCall says that the partner was not called, because it has not answered lately.
var errNoCall = errors.New("the partner has not answered lately: one call at a time tries whether it is back")

// do makes a call, or returns errNoCall.
func (b *breaker) do(call func() error) error {
	_, err := b.circuit.Execute(func() (struct{}, error) { return struct{}{}, call() })
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return errNoCall
	}
	return err
}

// open reports whether calls are stopped.
func (b *breaker) open() bool { return b.circuit.State() != gobreaker.StateClosed }

// answered reports whether err is an answer all the same: the partner said no,
// asked to wait, or refused who we are.
func answered(err error) bool {
	var ticket *portal.Error
	if errors.As(err, &ticket) && ticket.Kind == portal.Forbidden {
		return true
	}
	switch portal.OutcomeOf(err) {
	case portal.OutcomeFailed, portal.OutcomeUnknown:
		return false
	}
	return true
}
