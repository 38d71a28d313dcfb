package db

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// Opened is the order that a ticket leads to.
type Opened struct {
	ID       int64
	PublicID string
	BrokerID int64 // who is looking
	New      bool
}

// OpenOrder stores or finds the order of a ticket. The same connection, office
// and partner's order id always lead to the same order, however many open it at
// once. An order of a service without a form is received at once.
func (s *Store) OpenOrder(ctx context.Context, svc portal.Service, t portal.Ticket, currency string) (Opened, error) {
	var opened Opened
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		office, err := officeID(ctx, tx, svc.ConnectionID, t, now)
		if err != nil {
			return err
		}
		people, err := brokerIDs(ctx, tx, office, now, t.OwnerID, t.UserID)
		if err != nil {
			return err
		}
		opened, err = insertOrder(ctx, tx, svc, t, office, people[t.OwnerID], currency, now)
		opened.BrokerID = people[t.UserID]
		if err != nil || !opened.New {
			return err
		}
		return firstEvents(ctx, tx, svc, opened, now)
	})
	if err != nil {
		return Opened{}, fmt.Errorf("open order %s of %s: %w", t.OrderID, t.Customer, err)
	}
	return opened, nil
}

func insertOrder(ctx context.Context, tx *sqlx.Tx, svc portal.Service, t portal.Ticket, office, owner int64, currency string, now time.Time) (Opened, error) {
	raw := t.Raw
	if len(raw) == 0 {
		raw = json.RawMessage("{}")
	}
	var o Opened
	err := tx.QueryRowContext(ctx, `
		INSERT INTO orders (public_id, connection_id, office_id, partner_order_id, service_id, form_id, broker_id,
			target_type, target_id, ticket, state, answers, total, currency, created_at, updated_at, words)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'draft', '{}', 0, $11, $12, $12, $13)
		ON CONFLICT ON CONSTRAINT orders_identity_key DO NOTHING
		RETURNING id, public_id`,
		rand.Text(), svc.ConnectionID, office, t.OrderID, svc.ID, svc.Form.ID, owner, t.Target.Type, t.Target.ID,
		[]byte(raw), currency, now, words(t.OrderID, t.Target.ID, t.Customer)).Scan(&o.ID, &o.PublicID)
	if err == nil {
		o.New = true
		return o, nil
	}
	if portal.KindOf(mapError(err)) != portal.NotFound {
		return Opened{}, err
	}
	err = tx.QueryRowContext(ctx, `
		SELECT id, public_id FROM orders WHERE connection_id = $1 AND office_id = $2 AND partner_order_id = $3`,
		svc.ConnectionID, office, t.OrderID).Scan(&o.ID, &o.PublicID)
	return o, err
}

func firstEvents(ctx context.Context, tx *sqlx.Tx, svc portal.Service, opened Opened, now time.Time) error {
	by := portal.Actor{Kind: portal.ActorBroker, ID: opened.BrokerID}
	event := portal.Event{Kind: portal.EventOpened, Actor: by, ForBroker: true, CreatedAt: now}
	if _, err := insertEvent(ctx, tx, opened.ID, event); err != nil || len(svc.Form.Fields) > 0 {
		return err
	}
	o, err := orderForUpdate(ctx, tx, opened.ID)
	if err != nil {
		return err
	}
	change, err := o.Accept(by, now)
	if err != nil {
		return err
	}
	return saveChange(ctx, tx, o, change, now)
}

// officeID finds or stores the office. Reading first keeps the common case free of row locks.
func officeID(ctx context.Context, tx *sqlx.Tx, connection string, t portal.Ticket, now time.Time) (int64, error) {
	return findOrInsert(ctx, tx,
		`SELECT id FROM offices WHERE connection_id = $1 AND customer_id = $2`, []any{connection, t.Customer},
		`INSERT INTO offices (connection_id, customer_id, tenant_id, chain_id, name, created_at)
		VALUES ($1, $2, $3, $4, '', $5) ON CONFLICT DO NOTHING RETURNING id`,
		[]any{connection, t.Customer, t.Tenant, t.Chain, now})
}

// brokerIDs finds or stores an office's people. It takes them in the same order
// every time: two who open each other's orders would wait for each other.
func brokerIDs(ctx context.Context, tx *sqlx.Tx, office int64, now time.Time, users ...string) (map[string]int64, error) {
	slices.Sort(users)
	ids := map[string]int64{}
	for _, user := range slices.Compact(users) {
		id, err := findOrInsert(ctx, tx,
			`SELECT id FROM brokers WHERE office_id = $1 AND user_id = $2`, []any{office, user},
			`INSERT INTO brokers (office_id, user_id, name, created_at)
			VALUES ($1, $2, '', $3) ON CONFLICT DO NOTHING RETURNING id`, []any{office, user, now})
		if err != nil {
			return nil, err
		}
		ids[user] = id
	}
	return ids, nil
}

func findOrInsert(ctx context.Context, tx *sqlx.Tx, find string, findArgs []any, insert string, insertArgs []any) (int64, error) {
	var id int64
	for range 2 {
		err := tx.GetContext(ctx, &id, find, findArgs...)
		if portal.KindOf(mapError(err)) != portal.NotFound {
			return id, err
		}
		err = tx.GetContext(ctx, &id, insert, insertArgs...)
		if portal.KindOf(mapError(err)) != portal.NotFound {
			return id, err
		}
		// Another transaction inserted it and has committed: it can be read now.
	}
	return id, tx.GetContext(ctx, &id, find, findArgs...)
}

// orderRow is an order with what its rules need of service, form, office and people.
type orderRow struct {
	ID             int64  `db:"id"`
	PublicID       string `db:"public_id"`
	PartnerOrderID string `db:"partner_order_id"`
	portal.Target
	State           portal.State   `db:"state"`
	Answers         []byte         `db:"answers"`
	Total           int64          `db:"total"`
	Currency        string         `db:"currency"`
	ReceivedAt      *time.Time     `db:"received_at"`
	DueAt           *time.Time     `db:"due_at"`
	WaitingSince    *time.Time     `db:"waiting_since"`
	CreatedAt       time.Time      `db:"created_at"`
	UpdatedAt       time.Time      `db:"updated_at"`
	ConnectionID    string         `db:"connection_id"`
	ServiceID       string         `db:"service_id"`
	System          string         `db:"system"`
	Reports         pq.StringArray `db:"reports"`
	Flow            portal.Flow    `db:"flow"`
	ServiceName     []byte         `db:"service_name"`
	Description     []byte         `db:"description"`
	TurnaroundHours int            `db:"turnaround_hours"`
	FormID          int64          `db:"form_id"`
	FormVersion     int            `db:"form_version"`
	Fields          []byte         `db:"fields"`
	OfficeID        int64          `db:"office_id"`
	Customer        string         `db:"customer_id"`
	Tenant          string         `db:"tenant_id"`
	OfficeName      string         `db:"office_name"`
	BrokerID        int64          `db:"broker_id"`
	Broker          string         `db:"broker"`
	AssignedTo      int64          `db:"assigned_to"`
	Assignee        string         `db:"assignee"`
}

const selectOrder = `
	SELECT o.id, o.public_id, o.partner_order_id, o.target_type, o.target_id, o.state, o.answers, o.total, o.currency,
		o.received_at, o.due_at, o.waiting_since, o.created_at, o.updated_at, o.connection_id, o.service_id,
		c.system, c.reports, s.flow, s.name AS service_name, s.description, s.turnaround_hours,
		f.id AS form_id, f.version AS form_version, f.fields,
		p.id AS office_id, p.customer_id, p.tenant_id, p.name AS office_name,
		b.id AS broker_id, COALESCE(NULLIF(b.name, ''), b.user_id) AS broker,
		COALESCE(a.id, 0) AS assigned_to, COALESCE(a.name, '') AS assignee
	FROM orders o
	JOIN connections c ON c.id = o.connection_id
	JOIN services s ON s.id = o.service_id
	JOIN forms f ON f.id = o.form_id
	JOIN offices p ON p.id = o.office_id
	JOIN brokers b ON b.id = o.broker_id
	LEFT JOIN staff a ON a.id = o.assigned_to`

func (r orderRow) order() (*portal.Order, error) {
	o := &portal.Order{
		ID: r.ID, PublicID: r.PublicID, PartnerOrderID: r.PartnerOrderID, Tenant: r.Tenant, Target: r.Target,
		Office:   portal.Office{ID: r.OfficeID, Customer: r.Customer, Name: r.OfficeName},
		BrokerID: r.BrokerID, Broker: r.Broker, State: r.State, Total: r.Total, Currency: r.Currency,
		AssignedTo: r.AssignedTo, Assignee: r.Assignee, ReceivedAt: r.ReceivedAt, DueAt: r.DueAt,
		WaitingSince: r.WaitingSince, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
		Service: portal.Service{ID: r.ServiceID, ConnectionID: r.ConnectionID, System: r.System, Flow: r.Flow,
			TurnaroundHours: r.TurnaroundHours, Form: portal.Form{ID: r.FormID, Version: r.FormVersion}},
	}
	for _, state := range r.Reports {
		o.Service.Reports = append(o.Service.Reports, portal.State(state))
	}
	for _, column := range []struct {
		name string
		json []byte
		into any
	}{
		{"answers", r.Answers, &o.Answers}, {"fields", r.Fields, &o.Service.Form.Fields},
		{"service name", r.ServiceName, &o.Service.Name}, {"description", r.Description, &o.Service.Description},
	} {
		if err := json.Unmarshal(column.json, column.into); err != nil {
			return nil, fmt.Errorf("read %s of order %d: %w", column.name, r.ID, err)
		}
	}
	return o, nil
}

func orderForUpdate(ctx context.Context, tx *sqlx.Tx, id int64) (*portal.Order, error) {
	var row orderRow
	if err := tx.GetContext(ctx, &row, selectOrder+` WHERE o.id = $1 FOR UPDATE OF o`, id); err != nil {
		return nil, err
	}
	return row.order()
}

// OrderForVisitor returns the order with a public id if the session has a grant
// for it, and who is looking. It returns NotFound for every other order, whether
// it exists or not.
func (s *Store) OrderForVisitor(ctx context.Context, session []byte, publicID string) (portal.Order, int64, error) {
	var row struct {
		orderRow
		Visitor int64 `db:"visitor"`
	}
	err := s.db.GetContext(ctx, &row, `SELECT v.*, g.broker_id AS visitor FROM (`+selectOrder+` WHERE o.public_id = $2) v
		JOIN grants g ON g.order_id = v.id AND g.session_hash = $1`, session, publicID)
	if err != nil {
		return portal.Order{}, 0, fmt.Errorf("order for visitor: %w", mapError(err))
	}
	o, err := row.order()
	if err != nil {
		return portal.Order{}, 0, err
	}
	return *o, row.Visitor, nil
}

// OrderForStaff returns the order with a public id.
func (s *Store) OrderForStaff(ctx context.Context, publicID string) (portal.Order, error) {
	var row orderRow
	if err := s.db.GetContext(ctx, &row, selectOrder+` WHERE o.public_id = $1`, publicID); err != nil {
		return portal.Order{}, fmt.Errorf("order for staff: %w", mapError(err))
	}
	o, err := row.order()
	if err != nil {
		return portal.Order{}, err
	}
	return *o, nil
}
