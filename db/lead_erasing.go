package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// EraseExpiredLeads erases the leads that were sent, refused or given up longer
// ago than their connection keeps them, and returns how many. One that is still
// to be sent, or that a person has to decide about, is not erased.
func (s *Store) EraseExpiredLeads(ctx context.Context) (int, error) {
	n := 0
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		const expired = `l.state IN ('sent', 'refused', 'given_up') AND EXISTS (
			SELECT 1 FROM connections c WHERE c.id = l.connection_id AND c.lead_days > 0
				AND COALESCE(l.sent_at, l.updated_at) < $1::timestamptz - c.lead_days * interval '1 day')`
		var ids pq.Int64Array
		// The jobs first, as all others do; then only what still is to be erased.
		err := tx.SelectContext(ctx, &ids, `
			SELECT j.lead_id FROM jobs j JOIN leads l ON l.id = j.lead_id WHERE `+expired+`
			ORDER BY j.lead_id FOR UPDATE OF j SKIP LOCKED`, now)
		if err != nil || len(ids) == 0 {
			return err
		}
		var still []int64
		err = tx.SelectContext(ctx, &still, `
			SELECT l.id FROM leads l WHERE l.id = ANY ($2) AND `+expired+` ORDER BY l.id FOR UPDATE`, now, ids)
		if err != nil {
			return err
		}
		n = len(still)
		return eraseLeads(ctx, tx, still, portal.Actor{Kind: portal.ActorSystem}, now)
	})
	if err != nil {
		return 0, fmt.Errorf("erase leads: %w", err)
	}
	return n, nil
}

// eraseLeads takes out of leads that are locked with their jobs, and out of all
// that was kept about sending them, what may be about the person.
func eraseLeads(ctx context.Context, tx *sqlx.Tx, ids []int64, by portal.Actor, now time.Time) error {
	all := pq.Int64Array(ids)
	var public []string
	err := tx.SelectContext(ctx, &public, `
		UPDATE leads SET state = 'erased', content = '{}', sealed_number = NULL, refusal = '', faults = '{}', words = '',
			erased_at = $2, updated_at = $2
		WHERE id = ANY ($1) RETURNING public_id`, all, now)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE jobs SET state = CASE WHEN finished_at IS NULL THEN 'skipped' ELSE state END, finished_at = COALESCE(finished_at, $2),
			leased_until = NULL, last_error = ''
		WHERE lead_id = ANY ($1)`, all, now)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE attempts SET answer = '', error = '' WHERE job_id IN (SELECT id FROM jobs WHERE lead_id = ANY ($1))`, all)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE audits SET data = data - 'reason' WHERE data ->> 'lead' = ANY ($1)`, pq.StringArray(public))
	if err != nil {
		return err
	}
	for _, id := range public {
		if err := insertAudit(ctx, tx, "lead.erased", by, map[string]string{"lead": id}, now); err != nil {
			return err
		}
	}
	return nil
}
