package db

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"

	"portico/internal/portal"
)

// OutboxKind says what a job in the outbox waits for.
type OutboxKind string

// The kinds.
const (
	OutboxParked  OutboxKind = "parked"  // a person
	OutboxWaiting OutboxKind = "waiting" // its time, its turn or an answer
)

// OutboxFilter narrows the outbox. Zero values do not narrow.
type OutboxFilter struct {
	Jobs       []int64 // these and no others
	Connection string
	Office     string // the partner's id
	Kind       OutboxKind
	Age        time.Duration // at least
	After      string        // OutboxPage.Next of the page before
	Limit      int
}

// Unreported is a job that the partner does not have yet, with the order that it
// is about or the lead that it brings. Of its attempts it has only the last.
type Unreported struct {
	Job      portal.Job
	PublicID string // the order's, "" for a lead
	LeadID   string // the lead's public id, "" for an order
	LeadName string // the person's
	System   string
	Office   portal.Office
	Behind   bool // waits for an earlier report of the same order
}

// OutboxPage is a page of the outbox. Next is empty on the last one.
type OutboxPage struct {
	Rows []Unreported
	Next string
}

type unreportedRow struct {
	jobRow
	PublicID  string     `db:"public_id"`
	LeadKey   string     `db:"lead_key"`
	LeadName  string     `db:"lead_name"`
	System    string     `db:"system"`
	Customer  string     `db:"customer_id"`
	Name      string     `db:"name"`
	Behind    bool       `db:"behind"`
	Attempted *time.Time `db:"attempted_at"`
	attemptRow
}

// Outbox returns a page of what has not been reported yet, the oldest first.
func (s *Store) Outbox(ctx context.Context, f OutboxFilter) (OutboxPage, error) {
	where, args := f.where(s.Now())
	if after, id, ok := parseCursor(f.After); ok {
		args = append(args, after, id)
		where += fmt.Sprintf(" AND (j.created_at, j.id) > ($%d::timestamptz, $%d)", len(args)-1, len(args))
	}
	args = append(args, f.Limit+1)
	var rows []unreportedRow
	err := s.db.SelectContext(ctx, &rows, fmt.Sprintf(`
		SELECT `+jobColumns+`, COALESCE(o.public_id, '') AS public_id, COALESCE(l.public_id, '') AS lead_key,
			COALESCE(concat_ws(' ', l.content ->> 'first_name', l.content ->> 'last_name'), '') AS lead_name,
			c.system, COALESCE(p.customer_id, l.customer) AS customer_id, COALESCE(p.name, '') AS name,
			EXISTS (SELECT 1 FROM jobs e WHERE e.subject = j.subject AND e.finished_at IS NULL AND e.id < j.id) AS behind,
			a.started_at AS attempted_at, COALESCE(a.took_ms, 0) AS took_ms, COALESCE(a.outcome, '') AS outcome,
			COALESCE(a.status, 0) AS status, COALESCE(a.answer, '') AS answer, COALESCE(a.error, '') AS error
		FROM (SELECT j.id FROM jobs j WHERE %s ORDER BY j.created_at, j.id LIMIT $%d) page
		JOIN jobs j ON j.id = page.id
		LEFT JOIN orders o ON o.id = j.order_id
		LEFT JOIN leads l ON l.id = j.lead_id
		JOIN connections c ON c.id = j.connection_id
		LEFT JOIN offices p ON p.id = COALESCE(o.office_id,
			(SELECT p.id FROM offices p WHERE p.connection_id = l.connection_id AND p.customer_id = l.customer))
		LEFT JOIN LATERAL (SELECT * FROM attempts a WHERE a.job_id = j.id ORDER BY a.number DESC LIMIT 1) a ON true
		ORDER BY j.created_at, j.id`, where, len(args)), args...)
	if err != nil {
		return OutboxPage{}, fmt.Errorf("outbox: %w", mapError(err))
	}
	var page OutboxPage
	if len(rows) > f.Limit {
		rows = rows[:f.Limit]
		last := rows[f.Limit-1]
		page.Next = base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d", last.CreatedAt.UTC().Format(time.RFC3339Nano), last.ID))
	}
	for _, r := range rows {
		u, err := r.unreported()
		if err != nil {
			return OutboxPage{}, err
		}
		page.Rows = append(page.Rows, u)
	}
	return page, nil
}

func (r unreportedRow) unreported() (Unreported, error) {
	job, err := r.job()
	if err != nil {
		return Unreported{}, err
	}
	if r.Attempted != nil {
		r.StartedAt = *r.Attempted
		job.Attempts = []portal.Attempt{r.attempt()}
	}
	return Unreported{Job: job, PublicID: r.PublicID, LeadID: r.LeadKey, LeadName: r.LeadName, System: r.System,
		Office: portal.Office{Customer: r.Customer, Name: r.Name}, Behind: r.Behind}, nil
}

// OutboxCounts are how many jobs a filter finds: of each kind, whichever it asks
// for, and of its own kind what RetryJobs would send and what it would leave for
// a decision about each.
type OutboxCounts struct {
	Parked    int `db:"parked"`
	Waiting   int `db:"waiting"`
	Retryable int `db:"retryable"`
	Undecided int `db:"undecided"` // leads
}

// CountOutbox returns how many jobs the filter finds.
func (s *Store) CountOutbox(ctx context.Context, f OutboxFilter) (OutboxCounts, error) {
	asked := f.Kind.where()
	f.Kind = ""
	where, args := f.where(s.Now())
	var counts OutboxCounts
	err := s.db.GetContext(ctx, &counts, `
		SELECT count(*) FILTER (WHERE `+OutboxParked.where()+`) AS parked, count(*) FILTER (WHERE `+OutboxWaiting.where()+`) AS waiting,
			count(*) FILTER (WHERE `+asked+` AND `+isRetryableWithOthers+`) AS retryable,
			count(*) FILTER (WHERE `+asked+` AND `+isUndecided+`) AS undecided
		FROM jobs j WHERE `+where, args...)
	if err != nil {
		return OutboxCounts{}, fmt.Errorf("count outbox: %w", mapError(err))
	}
	return counts, nil
}

// isRetryable is portal.Job.Retryable in SQL.
const isRetryable = `(j.state = 'parked' OR j.state = 'available' AND (j.attempt > 0 OR j.last_error <> ''))`

// isUndecided finds the leads that may have arrived: a person has to decide about
// each whether it is sent again.
const isUndecided = `(j.kind = 'lead' AND j.uncertain AND j.state = 'parked')`

// isRetryableWithOthers finds what can be tried again in one go.
const isRetryableWithOthers = `(` + isRetryable + ` AND NOT ` + isUndecided + `)`

// where returns a condition on jobs j that finds the kind, or any for none.
func (k OutboxKind) where() string {
	switch k {
	case OutboxParked:
		return "j.state = 'parked'"
	case OutboxWaiting:
		return "j.state <> 'parked'"
	}
	return "true"
}

// where returns a condition on jobs j and the arguments of its query, of which
// those before are the first.
func (f OutboxFilter) where(now time.Time, before ...any) (string, []any) {
	where, args := []string{"j.finished_at IS NULL", f.Kind.where()}, before
	add := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if f.Jobs != nil {
		add("j.id = ANY ($%d)", pq.Int64Array(f.Jobs))
	}
	if f.Connection != "" {
		add("j.connection_id = $%d", f.Connection)
	}
	if f.Office != "" {
		add(`(EXISTS (SELECT 1 FROM orders o JOIN offices p ON p.id = o.office_id WHERE o.id = j.order_id AND p.customer_id = $%[1]d)
			OR EXISTS (SELECT 1 FROM leads l WHERE l.id = j.lead_id AND l.customer = $%[1]d))`, f.Office)
	}
	if f.Age > 0 {
		add("j.created_at <= $%d", now.Add(-f.Age))
	}
	return strings.Join(where, " AND "), args
}
