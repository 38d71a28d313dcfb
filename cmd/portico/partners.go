package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"gocloud.dev/blob"

	"portico/db"
	"portico/internal/applyfile"
	"portico/internal/partner/door"
	"portico/internal/partner/tjansteguiden"
	"portico/internal/partner/visma"
	"portico/internal/partner/vitec"
	"portico/internal/portal"
)

// client is what a partner's package offers for a connection.
type client interface {
	Report(context.Context, portal.Message) (portal.Receipt, error)
	Preview(portal.Message) (string, bool)
	// Addresses returns the base addresses that calls go to.
	Addresses() []string
}

// ticketer is a client whose partner sends its users to a callback.
type ticketer interface {
	Office(url.Values) string
	Ticket(context.Context, url.Values) (portal.Ticket, error)
	Plain(url.Values) (portal.Ticket, error)
}

// systems are the partner systems that this program knows.
var systems = map[string]applyfile.System{
	tjansteguiden.System: {Configure: tjansteguiden.Configure, Polls: true, Networks: true},
	visma.System:         {Configure: visma.Configure, Insurance: true, Sellers: true},
	vitec.System:         {Configure: vitec.Configure},
}

// newClient is the other line that a new partner system needs.
func newClient(c portal.Connection, store *db.Store, log *slog.Logger) (client, error) {
	switch c.System {
	case tjansteguiden.System:
		return tjansteguiden.New(c, tjansteguiden.Options{Options: door.Options{Log: log, Now: store.Now}, Tokens: store})
	case visma.System:
		return visma.New(c, visma.Options{Options: door.Options{Log: log, Now: store.Now}, Tokens: store, Issued: store})
	case vitec.System:
		return vitec.New(c, vitec.Options{Log: log})
	}
	return nil, fmt.Errorf("connection %s: this program does not know the system %q", c.ID, c.System)
}

// partners keeps a client for each connection, and makes a new one when the
// connection has changed in the database.
type partners struct {
	store  *db.Store
	log    *slog.Logger
	base   string       // the portal's public address
	bucket *blob.Bucket // of the files that the worker brings
	open   func(portal.Connection, *db.Store, *slog.Logger) (client, error)

	mu    sync.Mutex
	known map[string]*partner
}

func newPartners(store *db.Store, log *slog.Logger) *partners {
	return &partners{store: store, log: log, open: newClient, known: map[string]*partner{}}
}

// Entry returns the partner that a callback of a connection's services is
// verified by. It returns NotFound for a connection whose partner sends nobody.
// A credential that was replaced a moment ago does no harm: nothing is remembered
// of its refusal.
func (p *partners) Entry(ctx context.Context, connectionID string) (*partner, error) {
	version, err := p.store.RecentConnectionVersion(ctx, connectionID)
	if err != nil {
		return nil, err
	}
	partner, err := p.atLeast(ctx, connectionID, version)
	if err != nil {
		return nil, err
	}
	if _, ok := partner.client.(ticketer); !ok {
		return nil, portal.Errorf(portal.NotFound, "error.not_found")
	}
	return partner, nil
}

// Reporter returns the partner that is told of the states of a connection's orders.
func (p *partners) Reporter(ctx context.Context, connectionID string) (*partner, error) {
	return p.partner(ctx, connectionID)
}

// Preview returns what the partner would be sent, and whether anything would.
func (p *partners) Preview(ctx context.Context, m portal.Message) (text string, sent bool, err error) {
	partner, err := p.partner(ctx, m.ConnectionID)
	if err != nil {
		return "", false, err
	}
	text, sent = partner.client.Preview(p.linked(m))
	return text, sent, nil
}

// linked returns the message with the address of its order's page.
func (p *partners) linked(m portal.Message) portal.Message {
	if m.PublicID != "" {
		m.Link = p.base + "/orders/" + m.PublicID
	}
	return m
}

func (p *partners) partner(ctx context.Context, id string) (*partner, error) {
	version, err := p.store.ConnectionVersion(ctx, id)
	if err != nil {
		return nil, err
	}
	return p.atLeast(ctx, id, version)
}

// atLeast returns a connection's partner as it was at a version, or newer.
func (p *partners) atLeast(ctx context.Context, id string, version time.Time) (*partner, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.known[id]; known != nil && !known.version.Before(version) {
		return known, nil
	}
	// Under the lock: two clients of one connection would be twice its rate limit.
	connection, err := p.store.Connection(ctx, id)
	if err != nil {
		return nil, err
	}
	opened, err := p.open(connection, p.store, p.log)
	if err != nil {
		return nil, err
	}
	p.known[id] = &partner{client: opened, id: id, system: connection.System, version: connection.UpdatedAt, store: p.store, log: p.log,
		bucket: p.bucket, tickets: newBreaker(), reports: newBreaker(), files: newBreaker(), lists: newBreaker()}
	return p.known[id], nil
}

const (
	refusedFor = 5 * time.Minute // how long a refused credential is not used
	recordTime = 5 * time.Second // how long remembering a refusal may take
)

// partner is a client whose calls stop when the partner refuses our credential,
// since hammering on with a wrong one gets an account closed, and when it does
// not answer. Tickets, reports, files and lists stop by themselves: the one method
// may work while the other does not.
type partner struct {
	client
	tickets  *breaker
	reports  *breaker
	files    *breaker
	lists    *breaker
	networks networks
	id       string
	system   string
	version  time.Time
	store    *db.Store
	bucket   *blob.Bucket
	log      *slog.Logger
}

// Office returns the office that a query claims to be of. Only a partner that is
// a ticketer has callbacks.
func (p *partner) Office(query url.Values) string { return p.client.(ticketer).Office(query) }

// Plain reads the order from a query without a token.
func (p *partner) Plain(query url.Values) (portal.Ticket, error) {
	return p.client.(ticketer).Plain(query)
}

// Ticket exchanges a callback's query for a ticket. With a credential that the
// partner refuses it returns Unavailable without a call.
func (p *partner) Ticket(ctx context.Context, query url.Values) (portal.Ticket, error) {
	customer := p.Office(query)
	if customer == "" { // no call will come of it
		return p.client.(ticketer).Ticket(ctx, query)
	}
	until, blocked, err := p.store.CredentialBlocked(ctx, p.id, customer)
	if err != nil {
		return portal.Ticket{}, err
	}
	if blocked {
		return portal.Ticket{}, &portal.Error{Kind: portal.Unavailable, Say: portal.Say("callback.credential"), Err: p.blocked(until)}
	}
	var ticket portal.Ticket
	err = p.tickets.do(func() (err error) {
		ticket, err = p.client.(ticketer).Ticket(ctx, query)
		return err
	})
	if errors.Is(err, errNoCall) {
		return portal.Ticket{}, &portal.Error{Kind: portal.Unavailable, Say: portal.Say("callback.unavailable"), Err: err}
	}
	p.record(ctx, customer, !until.IsZero(), err)
	return ticket, err
}

// Report tells the partner of a change, brings it a file or a lead, or asks an
// access's network for an operation. With a credential that the partner refuses
// the outcome is credential, without a call.
func (p *partner) Report(ctx context.Context, m portal.Message) (portal.Receipt, error) {
	var receipt portal.Receipt
	if m.Activation != nil {
		err := p.askNetwork(ctx, m.Target.ID, func() (err error) {
			receipt, err = p.client.Report(ctx, m)
			return err
		})
		return receipt, err
	}
	until, blocked, err := p.store.CredentialBlocked(ctx, p.id, m.Customer)
	if err != nil {
		return portal.Receipt{}, &portal.ReportError{Outcome: portal.OutcomeFailed, Err: err}
	}
	if blocked {
		return portal.Receipt{}, &portal.ReportError{Outcome: portal.OutcomeCredential, RetryAfter: until.Sub(p.store.Now()), Err: p.blocked(until)}
	}
	switch {
	case m.Upload != nil:
		err = p.files.do(func() error { return p.bring(ctx, m) })
	case m.LeadID != 0:
		receipt, err = p.sendLead(ctx, m.LeadID)
	default:
		err = p.reports.do(func() (err error) {
			receipt, err = p.client.Report(ctx, m)
			return err
		})
	}
	if errors.Is(err, errNoCall) {
		return portal.Receipt{}, &portal.ReportError{Outcome: portal.OutcomeBusy, RetryAfter: breakerPause, Err: err}
	}
	p.record(ctx, m.Customer, !until.IsZero(), err)
	if p.reports.open() {
		p.down(ctx)
	}
	return receipt, err
}

// down remembers that the partner does not answer: the first report that
// arrives again brings forward all that has waited meanwhile.
func (p *partner) down(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	log := p.log.With("connection", p.id)
	if news, err := p.store.ConnectionDown(ctx, p.id); err != nil {
		log.ErrorContext(ctx, "the partner does not answer, and that could not be stored", "error", err)
	} else if news {
		log.ErrorContext(ctx, "the partner does not answer: messages wait until it does")
	}
}

func (p *partner) blocked(until time.Time) error {
	return fmt.Errorf("%w: no call before %s", portal.ErrCredential, until.UTC().Format(time.RFC3339))
}

// record remembers what a call says about the credential. A good call with a
// good credential, nearly every call, leaves the database alone.
func (p *partner) record(ctx context.Context, customer string, probe bool, err error) {
	// The broker who closes the page must not keep us from remembering.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	log := p.log.With("connection", p.id, "customer", customer)
	switch {
	case errors.Is(err, portal.ErrCredential):
		p.refused(ctx, log, customer, err)
	case err == nil && probe:
		if err := p.store.ClearCredential(ctx, p.id, customer); err != nil {
			log.ErrorContext(ctx, "credential works again, and that could not be stored", "err", err)
			return
		}
		log.InfoContext(ctx, "the partner takes our credential again")
	}
}

func (p *partner) refused(ctx context.Context, log *slog.Logger, customer string, cause error) {
	// A credential that was replaced during the call says nothing about the new one.
	if version, err := p.store.ConnectionVersion(ctx, p.id); err == nil && !version.Equal(p.version) {
		log.WarnContext(ctx, "the partner refused a credential that has been replaced meanwhile", "err", cause)
		return
	}
	var report *portal.ReportError
	status := 0
	if errors.As(cause, &report) {
		status = report.Status
	}
	news, err := p.store.RefuseCredential(ctx, p.id, customer, status, p.store.Now().Add(refusedFor))
	switch {
	case err != nil:
		log.ErrorContext(ctx, "the partner refuses our credential, and that could not be stored", "cause", cause, "err", err)
	case news:
		log.ErrorContext(ctx, "the partner refuses our credential: correct it and run `portico apply`", "status", status, "err", cause)
	default:
		log.WarnContext(ctx, "the partner still refuses our credential", "status", status, "err", cause)
	}
}
