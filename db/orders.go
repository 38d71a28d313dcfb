package db

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// Opened is the order that a ticket leads to.
type Opened struct {
	ID       int64  `db:"id"`
	PublicID string `db:"public_id"`
	BrokerID int64  `db:"broker_id"` // who is looking
	New      bool   `db:"is_new"`
}

// openedRow is an opened order with what it was about when it first came in;
// that is NULL for a new one.
type openedRow struct {
	Opened
	HadType   sql.NullString `db:"had_type"`
	HadTarget sql.NullString `db:"had_target"`
	HadOwner  sql.NullString `db:"had_owner"`
}

// openOrder is prepared: it is what every order comes in by.
const openOrder = `
	SELECT id, public_id, broker_id, is_new, had_type, had_target, had_owner FROM open_order(
		$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)`

// OpenOrder stores or finds the order of a ticket. The same connection, office
// and partner's order id always lead to the same order, however many open it at
// once. What comes in again with other content is marked on the order, never
// written over it.
func (s *Store) OpenOrder(ctx context.Context, svc portal.Service, t portal.Ticket, currency string) (Opened, error) {
	row, err := s.openOrder(ctx, svc, t, currency)
	if err == nil && !row.New {
		err = s.compare(ctx, row, t)
	}
	if err == nil {
		err = s.keepPerson(ctx, row.Opened, t)
	}
	if err != nil {
		return Opened{}, fmt.Errorf("open order %s of %s: %w", t.OrderID, t.Customer, mapError(err))
	}
	return row.Opened, nil
}

func (s *Store) openOrder(ctx context.Context, svc portal.Service, t portal.Ticket, currency string) (openedRow, error) {
	now := s.Now()
	o, change, err := portal.NewOrder(svc, t, now)
	if err != nil {
		return openedRow{}, err
	}
	o.PublicID = rand.Text()
	var kinds []map[string]portal.EventKind
	for _, e := range change.Events {
		kinds = append(kinds, map[string]portal.EventKind{"kind": e.Kind})
	}
	events, err := json.Marshal(kinds)
	if err != nil {
		return openedRow{}, err
	}
	var message []byte
	if change.Report != nil {
		change.Report.PublicID = o.PublicID
		if message, err = json.Marshal(change.Report); err != nil {
			return openedRow{}, err
		}
	}
	statement, err := s.prepared(ctx, openOrder)
	if err != nil {
		return openedRow{}, err
	}
	var row openedRow
	err = statement.GetContext(ctx, &row, openArgs(o, t, currency, svc.Auth == portal.AuthNone, events, message, now)...)
	return row, err
}

func openArgs(o *portal.Order, t portal.Ticket, currency string, unverified bool, events, message []byte, now time.Time) []any {
	ticket := t.Raw
	if len(ticket) == 0 {
		ticket = json.RawMessage("{}")
	}
	svc := o.Service
	return []any{svc.ConnectionID, svc.ID, svc.Form.ID, t.Customer, t.Tenant, t.Chain, t.OwnerID, t.UserID, t.OrderID,
		t.Target.Type, t.Target.ID, []byte(ticket), cmp.Or(o.PublicID, rand.Text()), o.State, o.ReceivedAt, o.DueAt, currency,
		words(t.OrderID, t.Target.ID, t.Customer), unverified, events, message, len(portal.Backoff), now}
}

// compare marks on an order that it came in again with other content, once for
// each content.
func (s *Store) compare(ctx context.Context, row openedRow, t portal.Ticket) error {
	had := portal.Ticket{Target: portal.Target{Type: row.HadType.String, ID: row.HadTarget.String}, OwnerID: row.HadOwner.String}
	before, after := had.Content(), t.Content()
	if before == after {
		return nil
	}
	return s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		completed, err := completeImported(ctx, tx, row.ID, t)
		if err != nil || completed {
			return err
		}
		return insertDiffers(ctx, tx, row.ID, before, after, now)
	})
}

// orderRow is an order with what its rules need of service, form, office and people.
type orderRow struct {
	ID             int64  `db:"id"`
	PublicID       string `db:"public_id"`
	PartnerOrderID string `db:"partner_order_id"`
	portal.Target
	State           portal.State   `db:"state"`
	Steps           pq.StringArray `db:"steps"`
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
	TakesFiles      bool           `db:"takes_files"`
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
	Unverified      bool           `db:"unverified"`
	Unproven        bool           `db:"unproven"`
	FollowUp        bool           `db:"follow_up"`
	TakesRemarks    bool           `db:"takes_remarks"`
	Networks        pq.StringArray `db:"networks"`
	NetworkService  string         `db:"network_service"`
	Details         []byte         `db:"details"`
	Shown           string         `db:"shown"`
	ErasedAt        *time.Time     `db:"erased_at"`
	Insurance       bool           `db:"insurance"`
	Language        string         `db:"language"`
	TimeZone        string         `db:"time_zone"`
}

const selectOrder = `
	SELECT o.id, o.public_id, o.partner_order_id, o.target_type, o.target_id, o.target_name, o.state, o.steps, o.answers, o.total, o.currency,
		o.received_at, o.due_at, o.waiting_since, o.created_at, o.updated_at, o.connection_id, o.service_id,
		c.system, c.reports, c.takes_files, s.flow, s.name AS service_name, s.description, s.turnaround_hours,
		f.id AS form_id, f.version AS form_version, f.fields,
		p.id AS office_id, p.customer_id, p.tenant_id, p.name AS office_name,
		b.id AS broker_id, COALESCE(NULLIF(b.name, ''), b.user_id) AS broker,
		COALESCE(a.id, 0) AS assigned_to, COALESCE(a.name, '') AS assignee, o.unverified,
		o.unproven, o.details, o.shown, o.erased_at, o.follow_up, c.takes_remarks, c.networks, s.network_service, s.insurance, ` + ofProvider + `
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
		BrokerID: r.BrokerID, Broker: r.Broker, State: r.State, Steps: stringsTo[portal.Step](r.Steps), Total: r.Total, Currency: r.Currency,
		AssignedTo: r.AssignedTo, Assignee: r.Assignee, ReceivedAt: r.ReceivedAt, DueAt: r.DueAt,
		WaitingSince: r.WaitingSince, Unverified: r.Unverified, Unproven: r.Unproven, FollowUp: r.FollowUp, Shown: r.Shown, ErasedAt: r.ErasedAt, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
		Service: portal.Service{ID: r.ServiceID, ConnectionID: r.ConnectionID, System: r.System, Flow: r.Flow,
			TakesFiles: r.TakesFiles, TakesRemarks: r.TakesRemarks, Networks: stringsTo[string](r.Networks), NetworkService: r.NetworkService, TurnaroundHours: r.TurnaroundHours, Insurance: r.Insurance, Language: r.Language, TimeZone: r.TimeZone,
			Form: portal.Form{ID: r.FormID, Version: r.FormVersion}},
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
		{"service name", r.ServiceName, &o.Service.Name}, {"description", r.Description, &o.Service.Description}, {"details", r.Details, &o.Details},
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
	return orderForStaff(ctx, s.db, publicID)
}

func orderForStaff(ctx context.Context, conn sqlx.QueryerContext, publicID string) (portal.Order, error) {
	var row orderRow
	if err := sqlx.GetContext(ctx, conn, &row, selectOrder+` WHERE o.public_id = $1`, publicID); err != nil {
		return portal.Order{}, fmt.Errorf("order for staff: %w", mapError(err))
	}
	o, err := row.order()
	if err != nil {
		return portal.Order{}, err
	}
	return *o, nil
}
