package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"portico/internal/partner/visma"
	"portico/internal/partner/vitec"
	"portico/internal/portal"
)

var _ creator = (*visma.Client)(nil)

// CreateOrder answers with the fake's error.
func (c *fakeClient) CreateOrder(_ context.Context, customer, target string) (portal.Ticket, error) {
	return portal.Ticket{OrderID: "1", Customer: customer, Target: portal.Target{ID: target}}, c.call()
}

// create makes an order for a customer.
func (w *world) create(customer string) (portal.Ticket, error) {
	return webPartners{partners: w.partners}.Create(context.Background(), portal.Service{ConnectionID: "vitec"}, customer, "66115")
}

func TestCreates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		svc  portal.Service
		want bool
	}{
		{portal.Service{System: visma.System, Flow: portal.FlowPage}, true},
		{portal.Service{System: visma.System, Flow: portal.FlowBackground}, false},
		{portal.Service{System: vitec.System, Flow: portal.FlowPage}, false},
		{portal.Service{System: "unknown", Flow: portal.FlowPage}, false},
	} {
		if got := (webPartners{}).Creates(c.svc); got != c.want {
			t.Errorf("orders of %s in the flow %s can be made from here: %t", c.svc.System, c.svc.Flow, got)
		}
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	unknown := &portal.Error{Kind: portal.Unavailable, Say: portal.Say("partner.order_unknown"), Err: errTimeout}
	for name, c := range map[string]struct {
		err    error
		key    string // of what the person is told
		alarms int
	}{
		"made": {},
		"may not": {err: &portal.Error{Kind: portal.Forbidden, Say: portal.Say("partner.may_not_order"), Err: refusedCredential},
			key: "partner.may_not_order"},
		"no such case":       {err: portal.Errorf(portal.NotFound, "partner.no_case"), key: "partner.no_case"},
		"may have arrived":   {err: unknown, key: "partner.order_unknown"},
		"refused credential": {err: &portal.Error{Kind: portal.Unavailable, Say: portal.Say("callback.credential"), Err: refusedCredential}, key: "partner.unavailable", alarms: 1},
	} {
		w := newWorld(t)
		w.client.err = c.err
		ticket, err := w.create("M1")
		var told *portal.Error
		if errors.As(err, &told); err == nil && (ticket.Customer != "M1" || ticket.Target.ID != "66115" || c.key != "") || err != nil && told.Say.Key != c.key {
			t.Errorf("%s: %+v, %v", name, ticket, err)
		}
		w.checkCalls(1)
		if n := w.alarms(); n != c.alarms {
			t.Errorf("%s: %d alarms, want %d", name, n, c.alarms)
		}
	}
}

// TestRefusedCredentialMakesNoOrder, nor asks again before its time; what works
// then says so.
func TestRefusedCredentialMakesNoOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.client.err = refusedCredential
	if err := w.ticket(); err == nil {
		t.Fatal("the ticket is not refused")
	}
	_, err := w.create("M1")
	var told *portal.Error
	if !errors.As(err, &told) || told.Say.Key != "partner.unavailable" || !errors.Is(err, portal.ErrCredential) {
		t.Errorf("blocked: %v", err)
	}
	w.checkCalls(1)
	w.client.err = nil
	w.now = w.now.Add(refusedFor + time.Second)
	if _, err := w.create("M1"); err != nil || w.alarms() != 0 {
		t.Errorf("%v, %d alarms", err, w.alarms())
	}
	w.checkCalls(2)
}
