package db

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// Choices are what is done about the subjects in which somebody was found, by
// their keys. What is not among them is left.
type Choices map[string]portal.PersonChoice

var errNoneChosen = portal.InvalidFields(portal.FieldErrors{"choices": portal.Say("people.none_chosen")})

// chosen are subjects by what is done about them.
type chosen struct {
	orders, leads, aside pq.Int64Array // whole
	mentions             []mention     // in which words are struck out
	struck               pq.Int64Array // the orders of those
}

// sort returns the choices by what they are. It returns Invalid if there are none.
func (c Choices) sort(found FoundPerson) (chosen, error) {
	var list chosen
	whole := map[portal.SubjectKind]*pq.Int64Array{portal.SubjectOrder: &list.orders, portal.SubjectLead: &list.leads, portal.SubjectAside: &list.aside}
	for _, s := range found.Subjects {
		choice := c[s.Key()]
		if choice == "" || choice == portal.ChooseLeave {
			continue
		}
		if err := s.Allows(choice); err != nil {
			return chosen{}, err
		}
		if choice == portal.ChooseWhole {
			*whole[s.Kind] = append(*whole[s.Kind], s.ID)
			continue
		}
		list.mentions = append(list.mentions, found.mentions[s.Key()]...)
		if s.Kind == portal.SubjectOrder {
			list.struck = append(list.struck, s.ID)
		}
	}
	if list.counts() == (portal.Erasure{}) {
		return chosen{}, errNoneChosen
	}
	for _, ids := range []pq.Int64Array{list.orders, list.leads, list.aside, list.struck} {
		slices.Sort(ids)
	}
	return list, nil
}

// PlanErasure returns what ErasePerson would erase. Its errors are the same.
func (s *Store) PlanErasure(ctx context.Context, q portal.PersonQuery, c Choices) (portal.Erasure, error) {
	found, err := s.findPerson(ctx, s.db, q)
	if err != nil {
		return portal.Erasure{}, fmt.Errorf("plan an erasure: %w", mapError(err))
	}
	list, err := c.sort(found)
	if err != nil {
		return portal.Erasure{}, fmt.Errorf("plan an erasure: %w", err)
	}
	e := list.counts()
	err = s.db.GetContext(ctx, &e.Files, `SELECT count(*) FROM files WHERE order_id = ANY ($1) AND blob_key <> ''`, list.orders)
	if err != nil {
		return portal.Erasure{}, fmt.Errorf("plan an erasure: %w", mapError(err))
	}
	return e, nil
}

func (c chosen) counts() portal.Erasure {
	return portal.Erasure{Orders: len(c.orders), Leads: len(c.leads), Aside: len(c.aside), Mentions: len(c.mentions)}
}

// ErasePerson takes somebody out of everything in which they were found and that
// is chosen, in one transaction, and writes down that it did. What the orders'
// bookkeeping needs stays. Their files are to be deleted by the caller, as
// ErasedFiles lists them. It returns Conflict while a partner is still to be told
// something, or somebody works on an order; Invalid if nothing is chosen.
func (s *Store) ErasePerson(ctx context.Context, q portal.PersonQuery, c Choices, reason portal.ErasureReason, by portal.Actor) (portal.Erasure, error) {
	if !slices.Contains(portal.ErasureReasons, reason) {
		return portal.Erasure{}, portal.InvalidFields(portal.FieldErrors{"reason": portal.Say("field.choose")})
	}
	var e portal.Erasure
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		found, err := s.findPerson(ctx, tx, q)
		if err != nil {
			return err
		}
		list, err := c.sort(found)
		if err != nil {
			return err
		}
		e = list.counts()
		if err := list.lock(ctx, tx); err != nil {
			return err
		}
		if err := list.erase(ctx, tx, q, by, now); err != nil {
			return err
		}
		if e.Files, err = keepErasedFiles(ctx, tx, list.orders, now); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO erasures (staff_id, reason, orders, leads, aside, mentions, files, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, by.ID, reason, e.Orders, e.Leads, e.Aside, e.Mentions, e.Files, now)
		return err
	})
	if err != nil {
		return portal.Erasure{}, fmt.Errorf("erase a person: %w", err)
	}
	return e, nil
}

// lock locks what is chosen, each kind in the order of those who work with it,
// and looks again whether anything is on its way.
func (c chosen) lock(ctx context.Context, tx *sqlx.Tx) error {
	orders := append(slices.Clone(c.orders), c.struck...)
	for _, l := range []struct {
		statement string
		ids       pq.Int64Array
	}{
		{`SELECT FROM jobs WHERE lead_id = ANY ($1) ORDER BY id FOR UPDATE`, c.leads},
		{`SELECT FROM leads WHERE id = ANY ($1) ORDER BY id FOR UPDATE`, c.leads},
		{`SELECT FROM differences WHERE order_id = ANY ($1) ORDER BY id FOR UPDATE`, orders},
		{`SELECT FROM orders WHERE id = ANY ($1) ORDER BY id FOR UPDATE`, orders},
	} {
		if _, err := tx.ExecContext(ctx, l.statement, l.ids); err != nil {
			return err
		}
	}
	var number []string
	err := tx.SelectContext(ctx, &number, `
		SELECT o.partner_order_id FROM orders o WHERE o.id = ANY ($1) AND `+onItsWay+`
		UNION ALL
		SELECT COALESCE(NULLIF(l.partner_id, ''), l.public_id) FROM leads l JOIN jobs j ON j.lead_id = l.id WHERE l.id = ANY ($2) AND j.state = 'running'`, orders, c.leads)
	if err == nil && len(number) > 0 {
		err = portal.Errorf(portal.Conflict, "people.on_its_way", "Number", number[0])
	}
	return err
}

// erase erases what is chosen and locked.
func (c chosen) erase(ctx context.Context, tx *sqlx.Tx, q portal.PersonQuery, by portal.Actor, now time.Time) error {
	// Until the end of the transaction the timeline can be rewritten.
	if _, err := tx.ExecContext(ctx, `SELECT set_config('portico.erasing', 'on', true)`); err != nil {
		return err
	}
	if err := eraseLeads(ctx, tx, c.leads, by, now); err != nil {
		return err
	}
	for _, id := range c.orders {
		if err := eraseOrder(ctx, tx, id, by, now); err != nil {
			return err
		}
	}
	for _, statement := range eraseAroundOrders {
		if _, err := tx.ExecContext(ctx, statement, c.orders); err != nil {
			return fmt.Errorf("%.40s: %w", statement, err)
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE visits SET revoked_at = $2 WHERE order_id = ANY ($1) AND revoked_at IS NULL`, c.orders, now); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE fetched_orders f SET `+emptyFetched+` WHERE f.id = ANY ($1)
			OR EXISTS (SELECT FROM orders o WHERE o.id = ANY ($4) AND o.connection_id = f.connection_id AND o.partner_order_id = f.key)`,
		c.aside, now, by.ID, c.orders)
	if err != nil {
		return err
	}
	if err := strike(ctx, tx, q, c); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE sessions SET flash = NULL WHERE flash::text ~ $1`, q.Pattern())
	return err
}

// emptyFetched leaves of a fetched order which one it is and that it is not to be
// fetched again: it would be kept aside again.
const emptyFetched = `raw = '', dismissed_reason = '', listed = ` + listedKept + `,
	reason = CASE WHEN jsonb_typeof(f.reason -> 'Args') = 'object' THEN jsonb_set(f.reason, '{Args}',
		(SELECT COALESCE(jsonb_object_agg(name, '` + portal.Struck + `'), '{}') FROM jsonb_object_keys(f.reason -> 'Args') name)) ELSE f.reason END,
	dismissed_at = COALESCE(f.dismissed_at, $2), dismissed_by = COALESCE(f.dismissed_by, $3)`

// listedKept is what stays of how a partner lists an order: nothing of who ordered.
const listedKept = `(SELECT COALESCE(jsonb_object_agg(l.key, l.value), '{}') FROM jsonb_each(listed) l
	WHERE l.key IN ('order_id', 'status', 'service_id', 'created_at', 'updated_at', 'state', 'target_id'))`

// eraseAroundOrders takes out of what stands beside orders what may be about
// people. What was sent when, and how it went, stays.
var eraseAroundOrders = []string{
	`UPDATE interactions SET comment = '` + portal.Struck + `', choices = '{}', answer = CASE WHEN answered_at IS NULL THEN '' ELSE '` + portal.Struck + `' END
		WHERE order_id = ANY ($1)`,
	`UPDATE deliveries SET message = '', links = '{}' WHERE order_id = ANY ($1)`,
	`UPDATE jobs SET last_error = '', payload = CASE WHEN payload ? 'upload'
			THEN jsonb_set(payload, '{upload}', payload -> 'upload' || '{"name": "` + portal.Struck + `", "as": "` + portal.Struck + `", "key": ""}')
			ELSE payload END - 'comment' #- '{target,name}'
		WHERE order_id = ANY ($1)`,
	`UPDATE attempts a SET answer = '', error = '' FROM jobs j WHERE j.id = a.job_id AND j.order_id = ANY ($1)`,
	`UPDATE activations SET message = '', last_error = '' WHERE order_id = ANY ($1)`,
	`UPDATE differences d SET reason = '', listed = CASE WHEN d.listed IS NOT NULL THEN ` + listedKept + ` END
		FROM orders o WHERE o.id = ANY ($1) AND (d.order_id = o.id OR d.office_id = o.office_id AND d.partner_order_id = o.partner_order_id)`,
	`DELETE FROM personal_numbers WHERE order_id = ANY ($1)`,
	`UPDATE sessions s SET flash = NULL FROM grants g WHERE g.session_hash = s.id_hash AND g.order_id = ANY ($1)`,
	`DELETE FROM grants WHERE order_id = ANY ($1)`,
}
