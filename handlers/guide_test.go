package handlers_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"portico/internal/portal"
)

// guide is a partner without a callback, that keeps a log, before the networks
// of its accesses.
type guide struct {
	onePartner
	mu      sync.Mutex
	entries []portal.LogEntry
	err     error
}

func (g *guide) KeepsLog(system string) bool { return system == "tjansteguiden" }

func (g *guide) Log(context.Context, portal.Order) ([]portal.LogEntry, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.entries, g.err
}

func (g *guide) tells(err error, entries ...portal.LogEntry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.entries, g.err = entries, err
}

func (g *guide) Preview(_ context.Context, m portal.Message) (string, bool, error) {
	switch {
	case m.Activation != nil:
		text := fmt.Sprintf("POST orders/ %s %s on %s", m.Activation.Operation, m.Activation.Service, m.Target.ID)
		if at := m.Activation.WishedFor; at != nil {
			text += " from " + at.Format(time.DateOnly)
		}
		return text, true, nil
	case m.Remark != "":
		return fmt.Sprintf("add_message %s %q", m.Remark, m.Comment), true, nil
	}
	return "set_status " + string(m.State), true, nil
}

const (
	personalNumber = "197510116952"
	guideLease     = time.Minute
)

var guideRules = portal.PollRules{Acknowledges: true, Words: map[portal.State]string{portal.Received: "received", portal.Active: "active",
	portal.Waiting: "waiting", portal.Delivered: "delivered", portal.Failed: "cancelled", portal.Cancelled: "cancelled"}}

// newGuide is a bundle whose services' orders are fetched.
func newGuide(t *testing.T) (*bundle, *guide) {
	t.Helper()
	g := &guide{}
	b := newBundleWith(t, setup{partners: g})
	service := func(id, partner, network, name string) portal.Service {
		return portal.Service{ID: id, ConnectionID: "guiden", Flow: portal.FlowPoll, Auth: portal.AuthToken, PartnerService: partner,
			NetworkService: network, Name: portal.Text{"sv": name, "nb": name, "en": name}}
	}
	states := []portal.State{portal.Received, portal.Active, portal.Waiting, portal.Delivered, portal.Failed, portal.Cancelled}
	_, err := b.store.Apply(t.Context(), portal.Setup{Provider: testProvider,
		Connections: []portal.Connection{{ID: "guiden", System: "tjansteguiden", InteractionLink: portal.LinkSigned, Reports: states,
			TakesRemarks: true, PollEvery: time.Minute, PersonalDays: 30, Networks: []string{"KC"}, Settings: []byte(`{}`)}},
		Services: []portal.Service{service("fiber100", "2440", "AB100", "Bredband 100/100"), service("fiber250", "2441", "AB250", "Bredband 250/250"),
			service("telefoni", "2450", "", "Telefoni")}})
	b.check(err)
	return b, g
}

// fetch takes in an order that the partner lists, of a customer with an access,
// and returns its workspace.
func (b *bundle) fetch(change func(*portal.Fetched)) string {
	b.t.Helper()
	ctx := b.t.Context()
	b.clock.Pass(2 * time.Minute)
	id := b.query(`SELECT 19530 + count(*) FROM orders`)
	f := portal.Fetched{PersonalNumber: personalNumber,
		Listed: portal.Listed{OrderID: id, Status: "new", State: portal.Received, New: true, ServiceID: "2440", UserID: "16745", Customer: "31420",
			Wished: portal.Asap, CreatedAt: b.clock.Now().Add(-time.Hour)},
		Ticket: portal.Ticket{OrderID: id, Customer: "31420", CustomerName: "Fibra Bredband", UserID: "16745", OwnerID: "16745", UserName: "Susanne Testqvist",
			Target: portal.Target{Type: "access", ID: "KC0101A06", Name: "Testgatan 10b, 644 30 Torshälla"}},
		Details: portal.Details{Name: "Susanne Testqvist", Email: "testqvist@epost.example", Phone: "070-853 00 13", Street: "Testgatan 10b",
			ZipCode: "644 30", City: "Torshälla", More: []portal.Fact{{Name: "premise", Value: "1002"}}}}
	if change != nil {
		change(&f)
	}
	p := b.claimPoll()
	b.check(b.store.ListOrders(ctx, p, []portal.Listed{f.Listed}, guideRules, guideLease))
	due, err := b.store.OrdersToFetch(ctx, "guiden", 1)
	b.check(err)
	failed, err := b.store.ImportFetched(ctx, p, []portal.Arrived{{ID: due[0].ID, Fetched: f}}, guideRules, guideLease)
	b.check(errors.Join(err, failed[due[0].ID]))
	b.check(b.store.FinishPoll(ctx, p, 1, 1))
	return "/staff/orders/" + b.query(`SELECT public_id FROM orders WHERE partner_order_id = $1`, id)
}

// answers has the network answer what it was asked for last.
func (b *bundle) answers(answer portal.ActivationAnswer) {
	b.t.Helper()
	for {
		jobs, err := b.store.ClaimJobs(b.t.Context(), "guiden", 1, guideLease)
		b.check(err)
		if len(jobs) == 0 {
			b.t.Fatal("no network is asked")
		}
		if jobs[0].Message.Activation != nil {
			b.check(b.store.CompleteActivation(b.t.Context(), jobs[0], answer))
			return
		}
		b.check(b.store.CompleteJob(b.t.Context(), jobs[0], time.Second))
	}
}
