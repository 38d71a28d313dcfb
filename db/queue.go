package db

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"portico/internal/portal"
)

// isOpen is portal.OpenStates in the words of the partial index, so that it is used.
const isOpen = "o.state IN ('received', 'active', 'waiting', 'failed')"

// Sort is an order of the queue.
type Sort string

// The sorts.
const (
	SortDue Sort = "due" // what is due first, first
	SortNew Sort = "newest"
	SortOld Sort = "oldest"
)

// Sorts lists every sort.
var Sorts = []Sort{SortDue, SortNew, SortOld}

// OrderFilter narrows the queue. Zero values do not narrow.
type OrderFilter struct {
	Query    string
	States   []portal.State
	Service  string
	Office   string // the partner's id
	FollowUp bool   // only those with a problem that somebody has to see to
	Sort     Sort
	After    string // QueuePage.Next of the page before
	Limit    int
}

// OrderRow is a line of the queue.
type OrderRow struct {
	ID             int64        `db:"id"`
	PublicID       string       `db:"public_id"`
	PartnerOrderID string       `db:"partner_order_id"`
	State          portal.State `db:"state"`
	portal.Target
	ServiceName portal.Text
	ServiceJSON []byte      `db:"service_name"`
	Customer    string      `db:"customer_id"`
	OfficeName  string      `db:"office_name"`
	Assignee    string      `db:"assignee"`
	Unverified  bool        `db:"unverified"` // it came in without proof
	Unproven    bool        `db:"unproven"`   // nothing proves who the user is
	FollowUp    bool        `db:"follow_up"`  // a problem that somebody has to see to beside the portal
	Wished      string      `db:"wished"`     // for when, of a fetched order
	Broker      string      `db:"broker"`
	System      string      `db:"system"`
	Flow        portal.Flow `db:"flow"`
	DueAt       *time.Time  `db:"due_at"`
	CreatedAt   time.Time   `db:"created_at"`
	// The oldest report that the partner does not have; JobState is empty if it has all.
	JobKind    string          `db:"job_kind"`
	JobState   portal.JobState `db:"job_state"`
	JobAttempt int             `db:"job_attempt"`
	JobError   string          `db:"job_error"`
	JobSince   time.Time       `db:"job_since"`
	Key        time.Time       `db:"key"`
}

// QueuePage is a page of the queue. Next is empty on the last one.
type QueuePage struct {
	Rows []OrderRow
	Next string
}

// sortKeys are the column that a sort pages by, and its direction.
var sortKeys = map[Sort]struct{ column, compare, direction string }{
	SortDue: {`COALESCE(o.due_at, 'infinity')`, ">", "ASC"},
	SortNew: {"o.created_at", "<", "DESC"},
	SortOld: {"o.created_at", ">", "ASC"},
}

// Orders returns a page of the queue. Pages are cut by key: an order that comes
// in meanwhile moves nothing.
func (s *Store) Orders(ctx context.Context, f OrderFilter) (QueuePage, error) {
	key, ok := sortKeys[f.Sort]
	if !ok {
		key = sortKeys[SortDue]
	}
	where, args := f.where(f.States)
	if after, id, ok := parseCursor(f.After); ok {
		args = append(args, after, id)
		where = append(where, fmt.Sprintf("(%s, o.id) %s ($%d::timestamptz, $%d)", key.column, key.compare, len(args)-1, len(args)))
	}
	args = append(args, f.Limit+1)
	var rows []OrderRow
	err := s.db.SelectContext(ctx, &rows, fmt.Sprintf(`
		SELECT o.id, o.public_id, o.partner_order_id, o.state, o.target_type, o.target_id, o.target_name, s.name AS service_name,
			p.customer_id, p.name AS office_name, COALESCE(a.name, '') AS assignee, o.unverified, o.unproven, o.follow_up,
			COALESCE(o.details ->> 'wished', '') AS wished, COALESCE(NULLIF(b.name, ''), b.user_id) AS broker, c.system, s.flow, o.due_at, o.created_at,
			COALESCE(j.kind, '') AS job_kind, COALESCE(j.state, '') AS job_state, COALESCE(j.attempt, 0) AS job_attempt, COALESCE(j.last_error, '') AS job_error,
			COALESCE(j.created_at, o.created_at) AS job_since,
			COALESCE(NULLIF(%[1]s, 'infinity'), '9999-01-01Z') AS key
		FROM (SELECT o.id FROM orders o WHERE %[2]s ORDER BY %[1]s %[3]s, o.id %[3]s LIMIT $%[4]d) page
		JOIN orders o ON o.id = page.id
		JOIN services s ON s.id = o.service_id
		JOIN connections c ON c.id = o.connection_id
		JOIN offices p ON p.id = o.office_id
		JOIN brokers b ON b.id = o.broker_id
		LEFT JOIN staff a ON a.id = o.assigned_to
		LEFT JOIN LATERAL (
			SELECT j.kind, j.state, j.attempt, j.last_error, j.created_at FROM jobs j
			WHERE j.order_id = o.id AND j.finished_at IS NULL ORDER BY j.id LIMIT 1) j ON true
		ORDER BY %[1]s %[3]s, o.id %[3]s`,
		key.column, strings.Join(where, " AND "), key.direction, len(args)), args...)
	if err != nil {
		return QueuePage{}, fmt.Errorf("orders: %w", mapError(err))
	}
	for i := range rows {
		if err := json.Unmarshal(rows[i].ServiceJSON, &rows[i].ServiceName); err != nil {
			return QueuePage{}, fmt.Errorf("orders: %w", err)
		}
	}
	page := QueuePage{Rows: rows}
	if len(rows) > f.Limit {
		page.Rows = rows[:f.Limit]
		last := page.Rows[f.Limit-1]
		page.Next = cursor(last)
	}
	return page, nil
}

// CountOrders returns how many orders of each state the filter finds, its own
// states aside. It stops counting at limit+1.
func (s *Store) CountOrders(ctx context.Context, f OrderFilter, limit int) (map[portal.State]int, error) {
	where, args := f.where(nil)
	args = append(args, limit+1)
	var counts []string
	for _, state := range portal.States {
		// Each state in words of its own: the planner knows which are rare.
		counts = append(counts, fmt.Sprintf(`
			SELECT '%[1]s' AS state, count(*) FROM (SELECT 1 FROM orders o WHERE o.state = '%[1]s' AND %[2]s LIMIT $%[3]d) o`,
			state, strings.Join(where, " AND "), len(args)))
	}
	var rows []struct {
		State portal.State `db:"state"`
		Count int          `db:"count"`
	}
	err := s.db.SelectContext(ctx, &rows, strings.Join(counts, " UNION ALL "), args...)
	if err != nil {
		return nil, fmt.Errorf("count orders: %w", mapError(err))
	}
	byState := map[portal.State]int{}
	for _, r := range rows {
		byState[r.State] = r.Count
	}
	return byState, nil
}

// CountOpen returns how many orders staff still have something to do about.
func (s *Store) CountOpen(ctx context.Context) (int, error) {
	var n int
	if err := s.db.GetContext(ctx, &n, `SELECT count(*) FROM orders o WHERE `+isOpen); err != nil {
		return 0, fmt.Errorf("count open orders: %w", mapError(err))
	}
	return n, nil
}

func (f OrderFilter) where(states []portal.State) ([]string, []any) {
	where, args := []string{"true"}, []any{}
	add := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if slices.Equal(states, portal.OpenStates) {
		where = append(where, isOpen)
	} else if len(states) > 0 && len(states) < len(portal.States) {
		add("o.state = ANY($%d)", stringsOf(states))
	}
	if f.Service != "" {
		add("o.service_id = $%d", f.Service)
	}
	if f.Office != "" {
		add("o.office_id = ANY (ARRAY(SELECT id FROM offices WHERE customer_id = $%d))", f.Office)
	}
	if f.FollowUp {
		where = append(where, "o.follow_up")
	}
	if q := searchQuery(f.Query); q != "" {
		// Found first and sorted then: the planner cannot know how rare a word is.
		add("o.id = ANY (ARRAY(SELECT id FROM orders WHERE search @@ to_tsquery('simple', $%d)))", q)
	}
	return where, args
}

func cursor(r OrderRow) string {
	key := r.Key.UTC().Format(time.RFC3339Nano)
	if r.Key.Year() == 9999 {
		key = "infinity"
	}
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d", key, r.ID))
}

func parseCursor(after string) (key string, id int64, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(after)
	if err != nil {
		return "", 0, false
	}
	if n, err := fmt.Sscanf(string(raw), "%s %d", &key, &id); err != nil || n != 2 {
		return "", 0, false
	}
	if key == "infinity" {
		return key, id, true
	}
	at, err := time.Parse(time.RFC3339Nano, key)
	if at = at.UTC(); err != nil || at.Year() < 1 { // PostgreSQL knows no year 0
		return "", 0, false
	}
	return at.Format(time.RFC3339Nano), id, true
}

// Offices returns the offices to filter by, by name.
func (s *Store) Offices(ctx context.Context) ([]portal.Office, error) {
	var offices []portal.Office
	err := s.db.SelectContext(ctx, &offices, `
		SELECT id, customer_id, name FROM offices ORDER BY COALESCE(NULLIF(name, ''), customer_id), id LIMIT 500`)
	if err != nil {
		return nil, fmt.Errorf("offices: %w", mapError(err))
	}
	return offices, nil
}
