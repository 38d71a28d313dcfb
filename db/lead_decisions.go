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

// statesBefore returns the states of a lead that may become to.
func statesBefore(to portal.LeadState) pq.StringArray {
	var before pq.StringArray
	for _, s := range portal.LeadStates {
		if s.CanBecome(to) {
			before = append(before, string(s))
		}
	}
	return before
}

// moveLeads changes the state of those leads whose state allows it. Whoever
// changes a lead has locked its job before. What a partner said against a lead is
// over when it is to be sent again.
func moveLeads(ctx context.Context, tx *sqlx.Tx, ids []int64, to portal.LeadState, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE leads SET state = $2, updated_at = $3, refusal = CASE WHEN $4 THEN '' ELSE refusal END,
			faults = CASE WHEN $4 THEN '{}' ELSE faults END
		WHERE id = ANY ($1) AND state = ANY ($5)`, pq.Int64Array(ids), to, now, to == portal.LeadQueued, statesBefore(to))
	return err
}

// decideLeads does for leads what somebody decided about the jobs that bring them.
func decideLeads(ctx context.Context, tx *sqlx.Tx, ids []int64, e portal.Event, now time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	to := portal.LeadQueued
	if e.Kind == portal.EventSkipped {
		to = portal.LeadGivenUp
	}
	if err := moveLeads(ctx, tx, ids, to, now); err != nil {
		return err
	}
	var public []string
	err := tx.SelectContext(ctx, &public, `SELECT public_id FROM leads WHERE id = ANY ($1) ORDER BY id`, pq.Int64Array(ids))
	if err != nil {
		return err
	}
	for _, id := range public {
		data := map[string]string{"lead": id}
		if e.Data.Body != "" {
			data["reason"] = e.Data.Body
		}
		if err := insertAudit(ctx, tx, "lead."+string(e.Kind), e.Actor, data, now); err != nil {
			return err
		}
	}
	return nil
}

// decidedLead is a lead that somebody decides about, locked with its job.
type decidedLead struct {
	ID       int64            `db:"id"`
	State    portal.LeadState `db:"state"`
	Content  []byte           `db:"content"`
	JobID    int64            `db:"job_id"`
	JobState portal.JobState  `db:"job_state"`
}

// decideLead lets somebody decide about a lead, and remembers who did.
func (s *Store) decideLead(ctx context.Context, publicID, done string, by portal.Actor, do func(tx *sqlx.Tx, l decidedLead, now time.Time) error) error {
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		// The job first, as all others do.
		_, err := tx.ExecContext(ctx, `
			SELECT FROM jobs WHERE lead_id = (SELECT id FROM leads WHERE public_id = $1) FOR UPDATE`, publicID)
		if err != nil {
			return err
		}
		var l decidedLead
		err = tx.GetContext(ctx, &l, `
			SELECT l.id, l.state, l.content, j.id AS job_id, j.state AS job_state
			FROM leads l JOIN jobs j ON j.lead_id = l.id WHERE l.public_id = $1 FOR UPDATE OF l`, publicID)
		if err != nil {
			return err
		}
		if err := do(tx, l, now); err != nil {
			return err
		}
		return insertAudit(ctx, tx, "lead."+done, by, map[string]string{"lead": publicID}, now)
	})
	if err != nil {
		return fmt.Errorf("lead %s is %s: %w", publicID, done, err)
	}
	return nil
}

// refusedLead says that the state of a lead does not allow something.
func refusedLead(s portal.LeadState) error {
	return portal.Errorf(portal.Conflict, "lead.refused_"+string(s))
}

// ConfirmLead says that a lead has arrived which may have: a person has looked at
// the partner's, and typed its id there, if it has one. It returns Invalid for
// what is no id, and Conflict for any other lead.
func (s *Store) ConfirmLead(ctx context.Context, publicID, partnerID string, by portal.Actor) error {
	if err := portal.CheckLeadID(partnerID); err != nil {
		return fmt.Errorf("confirm lead %s: %w", publicID, err)
	}
	return s.decideLead(ctx, publicID, "confirmed", by, func(tx *sqlx.Tx, l decidedLead, now time.Time) error {
		if l.State != portal.LeadUncertain {
			return refusedLead(l.State)
		}
		if err := completeLeadJob(ctx, tx, l.JobID, now); err != nil {
			return err
		}
		return arrivedLead(ctx, tx, l.ID, partnerID, by.ID, now)
	})
}

// CorrectLead replaces what a lead says and sends it, with all its attempts
// again. keepNumber leaves the personal number as it is, which nobody may have
// been shown. It returns Conflict for a lead that the partner has not refused, and
// that has attempts left.
func (s *Store) CorrectLead(ctx context.Context, publicID string, l portal.Lead, keepNumber bool, by portal.Actor) error {
	return s.decideLead(ctx, publicID, "corrected", by, func(tx *sqlx.Tx, stored decidedLead, now time.Time) error {
		stopped := stored.State == portal.LeadRefused || stored.State == portal.LeadQueued
		if !stopped || stored.JobState != portal.JobParked {
			return refusedLead(stored.State)
		}
		if keepNumber {
			var was portal.Lead
			if err := json.Unmarshal(stored.Content, &was); err != nil {
				return err
			}
			l.PersonalNumber, l.Foreign = "", was.Foreign
		}
		content, sealed, err := s.leadContent(l, publicID)
		if err != nil {
			return err
		}
		if err := moveLeads(ctx, tx, []int64{stored.ID}, portal.LeadQueued, now); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE leads SET customer = $2, content = $3, sealed_number = CASE WHEN $4 THEN sealed_number ELSE $5 END, words = $6,
				updated_at = $7
			WHERE id = $1`, stored.ID, l.Customer, content, keepNumber, sealed, leadWords(l), now)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE jobs SET state = 'available', attempt = 0, last_error = '', run_at = $2,
				payload = payload || jsonb_build_object('customer', $3::text)
			WHERE id = $1`, stored.JobID, now, l.Customer)
		if err != nil {
			return err
		}
		return notifyJobs(ctx, tx)
	})
}
