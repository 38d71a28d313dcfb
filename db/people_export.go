package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// PersonExport is everything that is kept about somebody, in words of its own.
type PersonExport struct {
	ExportedAt time.Time        `json:"exported_at"`
	Orders     []map[string]any `json:"orders"`
	Leads      []map[string]any `json:"leads"`
	Aside      []map[string]any `json:"orders_kept_aside"`
}

// ExportPerson returns all of the subjects in which somebody was found and that
// are the person's, and writes down who was given it and how much, not of whom.
// Personal numbers are in it only if numbers are asked for; else it says that
// they are kept. It returns Invalid if nothing is chosen.
func (s *Store) ExportPerson(ctx context.Context, q portal.PersonQuery, c Choices, numbers bool, by portal.Actor) (PersonExport, error) {
	var e PersonExport
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		found, err := s.findPerson(ctx, tx, q)
		if err != nil {
			return err
		}
		ids := map[portal.SubjectKind]pq.Int64Array{}
		n := 0
		for _, subject := range found.Subjects {
			if subject.Kind != portal.SubjectOther && c[subject.Key()] == portal.ChooseWhole {
				ids[subject.Kind] = append(ids[subject.Kind], subject.ID)
				n++
			}
		}
		if n == 0 {
			return errNoneChosen
		}
		e.ExportedAt = now
		if e.Orders, err = s.exportOrders(ctx, tx, ids[portal.SubjectOrder], numbers, by, now); err != nil {
			return err
		}
		if e.Leads, err = s.exportLeads(ctx, tx, ids[portal.SubjectLead], numbers); err != nil {
			return err
		}
		if e.Aside, err = exported(ctx, tx, exportAside, ids[portal.SubjectAside], nil); err != nil {
			return err
		}
		return insertAudit(ctx, tx, "person.exported", by, map[string]string{"orders": fmt.Sprint(len(e.Orders)),
			"leads": fmt.Sprint(len(e.Leads)), "aside": fmt.Sprint(len(e.Aside))}, now)
	})
	if err != nil {
		return PersonExport{}, fmt.Errorf("export a person: %w", err)
	}
	return e, nil
}

// exportOrders adds the customers' personal numbers, which is noted on the
// timelines as when staff are shown them.
func (s *Store) exportOrders(ctx context.Context, tx *sqlx.Tx, ids pq.Int64Array, numbers bool, by portal.Actor, now time.Time) ([]map[string]any, error) {
	return exported(ctx, tx, exportOrders, ids, func(r exportRow, doc map[string]any) error {
		err := s.exportNumber(doc, numberOwner(r.ID), r.Sealed, numbers)
		if err != nil || r.Sealed == nil || !numbers {
			return err
		}
		_, err = insertEvent(ctx, tx, r.ID, portal.Event{Kind: portal.EventDisclosed, Actor: by, CreatedAt: now})
		return err
	})
}

func (s *Store) exportLeads(ctx context.Context, tx *sqlx.Tx, ids pq.Int64Array, numbers bool) ([]map[string]any, error) {
	return exported(ctx, tx, exportLeads, ids, func(r exportRow, doc map[string]any) error {
		return s.exportNumber(doc, leadOwner(r.PublicID), r.Sealed, numbers)
	})
}

// exportNumber adds a personal number, or that one is kept.
func (s *Store) exportNumber(doc map[string]any, owner string, sealed []byte, numbers bool) (err error) {
	switch {
	case sealed == nil:
	case numbers:
		doc["personal_number"], err = s.openNumber(owner, sealed)
	default:
		doc["personal_number"] = portal.Struck
	}
	return err
}

type exportRow struct {
	ID       int64  `db:"id"`
	PublicID string `db:"public_id"`
	Sealed   []byte `db:"sealed"` // NULL: no personal number is kept
	Doc      []byte `db:"doc"`
}

func exported(ctx context.Context, tx *sqlx.Tx, statement string, ids pq.Int64Array, add func(exportRow, map[string]any) error) ([]map[string]any, error) {
	var rows []exportRow
	if err := tx.SelectContext(ctx, &rows, statement, ids); err != nil {
		return nil, err
	}
	docs := []map[string]any{}
	for _, r := range rows {
		doc := map[string]any{}
		if err := json.Unmarshal(r.Doc, &doc); err != nil {
			return nil, err
		}
		if add != nil {
			if err := add(r, doc); err != nil {
				return nil, err
			}
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

// exportMessages are the messages to partners of which a job j is.
const exportMessages = `(SELECT jsonb_agg(jsonb_build_object('kind', j.kind, 'state', j.state, 'created_at', j.created_at,
	'finished_at', j.finished_at, 'content', j.payload, 'error', j.last_error, 'attempts',
	(SELECT jsonb_agg(jsonb_build_object('at', a.started_at, 'outcome', a.outcome, 'answer', a.answer, 'error', a.error) ORDER BY a.number)
		FROM attempts a WHERE a.job_id = j.id)) ORDER BY j.id) FROM jobs j WHERE %s)`

var exportOrders = `
	SELECT o.id, o.public_id, n.sealed, jsonb_build_object(
		'system', c.system, 'number', o.partner_order_id, 'service', s.name, 'office', jsonb_build_object('id', p.customer_id, 'name', p.name),
		'ordered_by', jsonb_build_object('id', b.user_id, 'name', b.name),
		'target', jsonb_build_object('type', o.target_type, 'id', o.target_id, 'name', o.target_name),
		'details', o.details, 'state', o.state, 'created_at', o.created_at, 'received_at', o.received_at, 'due_at', o.due_at,
		'answers', (SELECT jsonb_agg(jsonb_build_object('question', f ->> 'id', 'label', f -> 'label', 'answer', o.answers -> (f ->> 'id')) ORDER BY n)
			FROM jsonb_array_elements(form.fields) WITH ORDINALITY AS e(f, n) WHERE o.answers ? (f ->> 'id')),
		'total', o.total, 'currency', o.currency, 'as_first_received', o.ticket,
		'timeline', (SELECT jsonb_agg(jsonb_build_object('at', e.created_at, 'kind', e.kind, 'by', e.actor_kind, 'name', e.actor_name, 'data', e.data)
			ORDER BY e.id) FROM events e WHERE e.order_id = o.id),
		'questions', (SELECT jsonb_agg(jsonb_build_object('at', i.asked_at, 'question', i.comment, 'choices', i.choices, 'answer', i.answer,
			'answered_at', i.answered_at) ORDER BY i.id) FROM interactions i WHERE i.order_id = o.id),
		'deliveries', (SELECT jsonb_agg(jsonb_build_object('at', d.created_at, 'message', d.message, 'links', d.links, 'files',
			(SELECT jsonb_agg(jsonb_build_object('name', f.name, 'type', f.content_type, 'size', f.size) ORDER BY f.position)
				FROM files f WHERE f.delivery_id = d.id)) ORDER BY d.version) FROM deliveries d WHERE d.order_id = o.id),
		'attachments', (SELECT jsonb_agg(jsonb_build_object('question', f.field, 'name', f.name, 'type', f.content_type, 'size', f.size) ORDER BY f.position)
			FROM files f WHERE f.order_id = o.id AND f.field <> ''),
		'activations', (SELECT jsonb_agg(jsonb_build_object('at', a.requested_at, 'access', a.access_id, 'operation', a.operation,
			'service', a.service, 'state', a.state, 'message', a.message) ORDER BY a.id) FROM activations a WHERE a.order_id = o.id),
		'differences', (SELECT jsonb_agg(jsonb_build_object('at', d.found_at, 'kind', d.kind, 'ours', d.ours, 'theirs', d.theirs,
			'listed', d.listed, 'reason', d.reason) ORDER BY d.id) FROM differences d WHERE d.order_id = o.id),
		'messages', ` + fmt.Sprintf(exportMessages, "j.order_id = o.id") + `) AS doc
	FROM orders o
	JOIN connections c ON c.id = o.connection_id
	JOIN services s ON s.id = o.service_id
	JOIN forms form ON form.id = o.form_id
	JOIN offices p ON p.id = o.office_id
	JOIN brokers b ON b.id = o.broker_id
	LEFT JOIN personal_numbers n ON n.order_id = o.id
	WHERE o.id = ANY ($1) ORDER BY o.id`

var exportLeads = `
	SELECT l.id, l.public_id, l.sealed_number AS sealed, jsonb_build_object(
		'system', c.system, 'office', l.customer, 'state', l.state, 'id_at_partner', l.partner_id, 'content', l.content,
		'refusal', l.refusal, 'faults', l.faults, 'created_at', l.created_at, 'sent_at', l.sent_at, 'erased_at', l.erased_at,
		'notes', (SELECT jsonb_agg(jsonb_build_object('at', a.created_at, 'action', a.action, 'by', a.actor, 'reason', a.data ->> 'reason') ORDER BY a.id)
			FROM audits a WHERE a.data ->> 'lead' = l.public_id),
		'messages', ` + fmt.Sprintf(exportMessages, "j.lead_id = l.id") + `) AS doc
	FROM leads l JOIN connections c ON c.id = l.connection_id
	WHERE l.id = ANY ($1) ORDER BY l.id`

const exportAside = `
	SELECT f.id, '' AS public_id, NULL::bytea AS sealed, jsonb_build_object('connection', f.connection_id, 'number', f.key,
		'found_at', f.found_at, 'listed', f.listed, 'received', f.raw, 'reason', f.reason, 'note', f.dismissed_reason) AS doc
	FROM fetched_orders f WHERE f.id = ANY ($1) ORDER BY f.id`
