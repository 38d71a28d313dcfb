package db

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// StoredLead is a lead as it is kept, without its personal number.
type StoredLead struct {
	portal.Lead
	PublicID       string
	HasNumber      bool              // a personal number is kept
	Faults         map[string]string // the partner's words by input; the rest is Refusal
	System         string
	OfficeName     string // "": not known
	OrderPublicID  string // "": on no order
	PartnerOrderID string
	Staff          string // who sent it
	ConfirmedBy    string // who says that it has arrived, "" where the partner did
	UpdatedAt      time.Time
	SentAt         *time.Time
	ErasedAt       *time.Time
	Job            portal.Job // that brings it; its attempts only by Lead
}

type leadRow struct {
	ID             int64            `db:"id"`
	PublicID       string           `db:"public_id"`
	ConnectionID   string           `db:"connection_id"`
	Customer       string           `db:"customer"`
	OrderID        int64            `db:"order_id"`
	State          portal.LeadState `db:"state"`
	Content        []byte           `db:"content"`
	HasNumber      bool             `db:"has_number"`
	PartnerID      string           `db:"partner_id"`
	Refusal        string           `db:"refusal"`
	Faults         []byte           `db:"faults"`
	System         string           `db:"system"`
	OfficeName     string           `db:"office_name"`
	OrderPublicID  string           `db:"order_public_id"`
	PartnerOrderID string           `db:"partner_order_id"`
	Staff          string           `db:"staff"`
	ConfirmedBy    string           `db:"confirmed_by"`
	CreatedAt      time.Time        `db:"created_at"`
	UpdatedAt      time.Time        `db:"updated_at"`
	SentAt         *time.Time       `db:"sent_at"`
	ErasedAt       *time.Time       `db:"erased_at"`
	JobID          int64            `db:"job_id"`
	JobState       portal.JobState  `db:"job_state"`
	Attempt        int              `db:"attempt"`
	MaxAttempts    int              `db:"max_attempts"`
	Uncertain      bool             `db:"uncertain"`
	RunAt          time.Time        `db:"run_at"`
	LastError      string           `db:"last_error"`
	FinishedAt     *time.Time       `db:"finished_at"`
}

func (r leadRow) lead() (StoredLead, error) {
	l := StoredLead{PublicID: r.PublicID, HasNumber: r.HasNumber, System: r.System, OfficeName: r.OfficeName,
		OrderPublicID: r.OrderPublicID, PartnerOrderID: r.PartnerOrderID, Staff: r.Staff, ConfirmedBy: r.ConfirmedBy,
		UpdatedAt: r.UpdatedAt, SentAt: r.SentAt, ErasedAt: r.ErasedAt,
		Job: portal.Job{ID: r.JobID, State: r.JobState, Attempt: r.Attempt, MaxAttempts: r.MaxAttempts, RunAt: r.RunAt,
			LastError: r.LastError, CreatedAt: r.CreatedAt, FinishedAt: r.FinishedAt,
			Message: portal.Message{ConnectionID: r.ConnectionID, Customer: r.Customer, LeadID: r.ID, Uncertain: r.Uncertain, Since: r.CreatedAt}}}
	if err := json.Unmarshal(r.Content, &l.Lead); err != nil {
		return StoredLead{}, fmt.Errorf("read lead %d: %w", r.ID, err)
	}
	if err := json.Unmarshal(r.Faults, &l.Faults); err != nil {
		return StoredLead{}, fmt.Errorf("read lead %d: %w", r.ID, err)
	}
	l.ID, l.ConnectionID, l.Customer, l.OrderID, l.State = r.ID, r.ConnectionID, r.Customer, r.OrderID, r.State
	l.PartnerID, l.Refusal, l.CreatedAt = r.PartnerID, r.Refusal, r.CreatedAt
	return l, nil
}

// leads returns the leads whose ids a query finds, newest first.
func leads(ctx context.Context, conn sqlx.QueryerContext, query string, args ...any) ([]StoredLead, error) {
	var rows []leadRow
	err := sqlx.SelectContext(ctx, conn, &rows, `
		SELECT l.id, l.public_id, l.connection_id, l.customer, COALESCE(l.order_id, 0) AS order_id, l.state, l.content,
			l.sealed_number IS NOT NULL AS has_number, l.partner_id, l.refusal, l.faults, c.system, COALESCE(p.name, '') AS office_name,
			COALESCE(o.public_id, '') AS order_public_id, COALESCE(o.partner_order_id, '') AS partner_order_id, s.name AS staff,
			COALESCE(f.name, '') AS confirmed_by, l.created_at, l.updated_at, l.sent_at, l.erased_at, j.id AS job_id, j.state AS job_state,
			j.attempt, j.max_attempts, j.uncertain, j.run_at, j.last_error, j.finished_at
		FROM (`+query+`) page
		JOIN leads l ON l.id = page.id
		JOIN jobs j ON j.lead_id = l.id
		JOIN connections c ON c.id = l.connection_id
		JOIN staff s ON s.id = l.staff_id
		LEFT JOIN staff f ON f.id = l.confirmed_by
		LEFT JOIN offices p ON p.connection_id = l.connection_id AND p.customer_id = l.customer
		LEFT JOIN orders o ON o.id = l.order_id
		ORDER BY l.created_at DESC, l.id DESC`, args...)
	if err != nil {
		return nil, mapError(err)
	}
	leads := make([]StoredLead, 0, len(rows))
	for _, r := range rows {
		l, err := r.lead()
		if err != nil {
			return nil, err
		}
		leads = append(leads, l)
	}
	return leads, nil
}

// Lead returns a lead with the attempts to send it.
func (s *Store) Lead(ctx context.Context, publicID string) (StoredLead, error) {
	found, err := leads(ctx, s.db, `SELECT id FROM leads WHERE public_id = $1`, publicID)
	if err == nil && len(found) == 0 {
		err = mapError(sql.ErrNoRows)
	}
	if err != nil {
		return StoredLead{}, fmt.Errorf("lead %s: %w", publicID, err)
	}
	l := found[0]
	attempts, err := attemptsOf(ctx, s.db, `j.lead_id = $1`, l.ID)
	if err != nil {
		return StoredLead{}, fmt.Errorf("lead %s: %w", publicID, err)
	}
	l.Job.Attempts = attempts[l.Job.ID]
	return l, nil
}

// LeadFilter narrows the list of leads. Zero values do not narrow.
type LeadFilter struct {
	Query      string
	States     []portal.LeadState
	Connection string
	Customer   string // the partner's id of the office that it is sent to
	After      string // LeadPage.Next of the page before
	Limit      int
}

// LeadPage is a page of the list of leads. Next is empty on the last one.
type LeadPage struct {
	Rows []StoredLead
	Next string
}

// Leads returns a page of leads, the newest first.
func (s *Store) Leads(ctx context.Context, f LeadFilter) (LeadPage, error) {
	where, args := f.where()
	args = append(args, f.Limit+1)
	rows, err := leads(ctx, s.db, fmt.Sprintf(`
		SELECT l.id FROM leads l WHERE %s ORDER BY l.created_at DESC, l.id DESC LIMIT $%d`, where, len(args)), args...)
	if err != nil {
		return LeadPage{}, fmt.Errorf("leads: %w", err)
	}
	page := LeadPage{Rows: rows}
	if len(rows) > f.Limit {
		page.Rows = rows[:f.Limit]
		last := page.Rows[f.Limit-1]
		page.Next = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d", last.CreatedAt.UTC().Format(time.RFC3339Nano), last.ID))
	}
	return page, nil
}

func (f LeadFilter) where() (string, []any) {
	where, args := []string{"true"}, []any{}
	add := func(condition string, values ...any) {
		at := make([]any, len(values))
		for i, v := range values {
			args = append(args, v)
			at[i] = len(args)
		}
		where = append(where, fmt.Sprintf(condition, at...))
	}
	if len(f.States) > 0 {
		add("l.state = ANY ($%d)", stringsOf(f.States))
	}
	if f.Connection != "" {
		add("l.connection_id = $%d", f.Connection)
	}
	if f.Customer != "" {
		add("l.customer = $%d", f.Customer)
	}
	if q := searchQuery(f.Query); q != "" {
		add("l.id = ANY (ARRAY(SELECT id FROM leads WHERE search @@ to_tsquery('simple', $%d)))", q)
	}
	if after, id, ok := parseCursor(f.After); ok {
		add("(l.created_at, l.id) < ($%d::timestamptz, $%d)", after, id)
	}
	return strings.Join(where, " AND "), args
}

// CountLeads returns how many leads of each state the filter finds, its own
// states aside.
func (s *Store) CountLeads(ctx context.Context, f LeadFilter) (map[portal.LeadState]int, error) {
	f.States, f.After = nil, ""
	where, args := f.where()
	var rows []struct {
		State portal.LeadState `db:"state"`
		Count int              `db:"count"`
	}
	err := s.db.SelectContext(ctx, &rows, `SELECT l.state, count(*) FROM leads l WHERE `+where+` GROUP BY l.state`, args...)
	if err != nil {
		return nil, fmt.Errorf("count leads: %w", mapError(err))
	}
	byState := map[portal.LeadState]int{}
	for _, r := range rows {
		byState[r.State] = r.Count
	}
	return byState, nil
}

// exportPage is how many leads an export reads at once: whoever takes it slowly
// holds nothing in the database.
const exportPage = 500

// ExportLeads yields every lead that the filter finds, the newest first, until
// yield returns an error. The filter's page does not matter.
func (s *Store) ExportLeads(ctx context.Context, f LeadFilter, yield func(StoredLead) error) error {
	for f.After, f.Limit = "", exportPage; ; {
		page, err := s.Leads(ctx, f)
		if err != nil {
			return err
		}
		for _, l := range page.Rows {
			if err := yield(l); err != nil {
				return err
			}
		}
		if f.After = page.Next; f.After == "" {
			return nil
		}
	}
}

// ServedCustomers returns the customers that a connection has credentials for;
// portal.AnyCustomer stands for all that there are.
func (s *Store) ServedCustomers(ctx context.Context, connection string) ([]string, error) {
	var customers []string
	err := s.db.SelectContext(ctx, &customers, `SELECT customer FROM credentials WHERE connection_id = $1 ORDER BY customer`, connection)
	if err != nil {
		return nil, fmt.Errorf("customers of %s: %w", connection, mapError(err))
	}
	return customers, nil
}
