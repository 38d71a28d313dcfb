package vitectest

import (
	"context"
	"net/http"
	"time"
)

// callTimeout is how long the fake waits for a provider's answer. How long Vitec
// waits is documented nowhere, nor what it does without one; here the order then
// stays as it is, to be called for again.
const callTimeout = 10 * time.Second

// Call tells the provider of an order in the background, as Vitec does. With an
// answer of 200 the order's status becomes OrderReceived by itself; Call reports
// whether it did.
//
// https://connect.maklare.vitec.net/Help/Services
func (s *Server) Call(ctx context.Context, o Order, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		s.options.Log.Error("call the provider", "order", o.ID, "error", err)
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.options.Log.Error("call the provider", "order", o.ID, "error", "no answer") // its text holds the token
		return false
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		s.options.Log.Error("call the provider", "order", o.ID, "status", res.StatusCode)
		return false
	}
	s.change(o.Office, o.ID, func(o *Order, at time.Time) {
		o.Status = StatusReceived
		o.History = append(o.History, Change{Status: StatusReceived, At: at})
	})
	return true
}
