package db

import (
	"cmp"
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// place is a column in which people are written of.
type place struct {
	name   string // of its text in the catalogue
	table  string
	column string
	shape  shape
	reads  string // SQL of what is read instead of the column
	join   string // by which the subject is found
	where  string // which rows are people's; empty: all
	key    string // SQL of a number that finds the row, perhaps with others; empty: its id
	order  string // SQL of the order that the row is of, and so on; without any it is nobody's
	lead   string
	aside  string
	clears bool // nobody wrote it: it is not worth striking out single words
}

// shape is what a column holds.
type shape int

const (
	oneText shape = iota
	someTexts
	asJSON
)

const (
	ofPoll         = `JOIN services s ON s.id = o.service_id AND s.flow = 'poll'`
	customersOrder = `JOIN orders o ON o.broker_id = t.id ` + ofPoll // who orders there is the person
	attemptsJob    = `JOIN jobs j ON j.id = t.job_id`
)

// places are all columns in which people are written of, but for those that are
// made of others, and what is sealed.
var places = []place{
	{name: "target", table: "orders", column: "target_name", order: "t.id"},
	{name: "details", table: "orders", column: "details", shape: asJSON, order: "t.id"},
	{name: "answers", table: "orders", column: "answers", shape: asJSON, order: "t.id"},
	{name: "ticket", table: "orders", column: "ticket", shape: asJSON, order: "t.id"},
	{name: "customer", table: "brokers", column: "name", join: customersOrder, order: "o.id"},
	{name: "broker", table: "brokers", column: "name", where: `NOT EXISTS (SELECT FROM orders o ` + ofPoll + ` WHERE o.broker_id = t.id)`},
	{name: "office", table: "offices", column: "name"},
	{name: "timeline", table: "events", column: "data", shape: asJSON, reads: `t.data - 'staff'`, order: "t.order_id"},
	{name: "timeline", table: "events", column: "actor_name", where: `t.actor_kind = 'broker'`, order: "t.order_id"},
	{name: "question", table: "interactions", column: "comment", order: "t.order_id"},
	{name: "question", table: "interactions", column: "choices", shape: someTexts, order: "t.order_id"},
	{name: "question", table: "interactions", column: "answer", order: "t.order_id"},
	{name: "delivery", table: "deliveries", column: "message", order: "t.order_id"},
	{name: "delivery", table: "deliveries", column: "links", shape: someTexts, order: "t.order_id"},
	{name: "file", table: "files", column: "name", key: "t.order_id", order: "t.order_id"},
	{name: "message", table: "jobs", column: "payload", shape: asJSON, order: "t.order_id", lead: "t.lead_id"},
	{name: "message", table: "jobs", column: "last_error", order: "t.order_id", lead: "t.lead_id", clears: true},
	{name: "receipt", table: "attempts", column: "answer", join: attemptsJob, key: "t.job_id", order: "j.order_id", lead: "j.lead_id", clears: true},
	{name: "receipt", table: "attempts", column: "error", join: attemptsJob, key: "t.job_id", order: "j.order_id", lead: "j.lead_id", clears: true},
	{name: "activation", table: "activations", column: "message", order: "t.order_id"},
	{name: "activation", table: "activations", column: "last_error", order: "t.order_id", clears: true},
	{name: "difference", table: "differences", column: "listed", shape: asJSON, order: "t.order_id"},
	{name: "difference", table: "differences", column: "reason", order: "t.order_id"},
	{name: "difference", table: "reconciliations", column: "error"},
	{name: "aside", table: "fetched_orders", column: "listed", shape: asJSON, aside: "t.id"},
	{name: "aside", table: "fetched_orders", column: "raw", aside: "t.id"},
	{name: "aside", table: "fetched_orders", column: "reason", shape: asJSON, aside: "t.id"},
	{name: "aside", table: "fetched_orders", column: "dismissed_reason", aside: "t.id"},
	{name: "note", table: "audits", column: "data", shape: asJSON, join: `LEFT JOIN leads l ON l.public_id = t.data ->> 'lead'`, lead: "l.id"},
	{name: "lead", table: "leads", column: "content", reads: `concat_ws(' ', t.content ->> 'first_name', t.content ->> 'last_name')`, lead: "t.id"},
	{name: "lead", table: "leads", column: "content", shape: asJSON, lead: "t.id"},
	{name: "receipt", table: "leads", column: "refusal", lead: "t.id"},
	{name: "receipt", table: "leads", column: "faults", shape: asJSON, lead: "t.id"},
}

// mention is a row of a place in which somebody may have been found.
type mention struct {
	place place
	Key   int64  `db:"key"`
	Order int64  `db:"order_id"`
	Lead  int64  `db:"lead_id"`
	Aside int64  `db:"aside_id"`
	Text  string `db:"text"` // what the column holds
}

// maxMentions is how many rows of a place are looked at.
const maxMentions = 200

// mentions returns the rows of a place in which somebody may be found, the newest
// first, and whether there are more.
func (p place) mentions(ctx context.Context, tx sqlx.QueryerContext, q portal.PersonQuery) ([]mention, bool, error) {
	text := cmp.Or(p.reads, "t."+p.column)
	if p.shape == someTexts {
		text = fmt.Sprintf(`array_to_string(%s, E'\n')`, text)
	}
	var rows []mention
	err := sqlx.SelectContext(ctx, tx, &rows, fmt.Sprintf(`
		SELECT key, order_id, lead_id, aside_id, text FROM (
			SELECT %s AS key, COALESCE(%s, 0) AS order_id, COALESCE(%s, 0) AS lead_id, COALESCE(%s, 0) AS aside_id, (%s)::text AS text
			FROM %s t %s WHERE %s) found
		WHERE text ~ $1 ORDER BY key DESC LIMIT %d`,
		cmp.Or(p.key, "t.id"), cmp.Or(p.order, "NULL::bigint"), cmp.Or(p.lead, "NULL::bigint"), cmp.Or(p.aside, "NULL::bigint"),
		text, p.table, p.join, cmp.Or(p.where, "true"), maxMentions+1), q.Pattern())
	if err != nil {
		return nil, false, fmt.Errorf("look for a person in %s: %w", p.table, err)
	}
	for i := range rows {
		rows[i].place = p
	}
	if len(rows) > maxMentions {
		return rows[:maxMentions], true, nil
	}
	return rows, false, nil
}
