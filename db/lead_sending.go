package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// LeadToSend returns a lead with its personal number, to be sent. It returns
// Conflict for one that is not to be.
func (s *Store) LeadToSend(ctx context.Context, id int64) (portal.Lead, error) {
	var row struct {
		PublicID string           `db:"public_id"`
		State    portal.LeadState `db:"state"`
		Customer string           `db:"customer"`
		Content  []byte           `db:"content"`
		Sealed   []byte           `db:"sealed_number"`
	}
	err := s.db.GetContext(ctx, &row, `SELECT public_id, state, customer, content, sealed_number FROM leads WHERE id = $1`, id)
	if err != nil {
		return portal.Lead{}, fmt.Errorf("lead %d: %w", id, mapError(err))
	}
	if row.State != portal.LeadQueued {
		return portal.Lead{}, fmt.Errorf("lead %d: %w", id, refusedLead(row.State))
	}
	l := portal.Lead{ID: id, State: row.State, Customer: row.Customer}
	if err := json.Unmarshal(row.Content, &l); err != nil {
		return portal.Lead{}, fmt.Errorf("lead %d: %w", id, err)
	}
	if row.Sealed != nil {
		if l.PersonalNumber, err = s.openNumber(leadOwner(row.PublicID), row.Sealed); err != nil {
			return portal.Lead{}, fmt.Errorf("lead %d: %w", id, err)
		}
	}
	return l, nil
}

// CompleteLead records that the partner has a lead, and its id there, which also
// ends an outage of the partner. It returns portal.ErrLeaseLost if the job is no
// longer the caller's.
func (s *Store) CompleteLead(ctx context.Context, j portal.Job, partnerID string) error {
	return s.endAttempt(ctx, j, "complete", func(tx *sqlx.Tx, now time.Time) error {
		if err := completeLeadJob(ctx, tx, j.ID, now); err != nil {
			return err
		}
		if err := arrivedLead(ctx, tx, j.Message.LeadID, partnerID, 0, now); err != nil {
			return err
		}
		return connectionUp(ctx, tx, j.Message.ConnectionID, now)
	})
}

func completeLeadJob(ctx context.Context, tx *sqlx.Tx, id int64, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE jobs SET state = 'completed', finished_at = $2, leased_until = NULL, last_error = '', uncertain = false
		WHERE id = $1`, id, now)
	return err
}

// arrivedLead stores that the partner has a lead. confirmedBy is who says so
// where the partner did not, 0 for nobody.
func arrivedLead(ctx context.Context, tx *sqlx.Tx, id int64, partnerID string, confirmedBy int64, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE leads SET state = 'sent', partner_id = $2, confirmed_by = NULLIF($3::bigint, 0), sent_at = $4, updated_at = $4,
			words = words || ' ' || $5
		WHERE id = $1 AND state = ANY ($6)`, id, partnerID, confirmedBy, now, words(partnerID), statesBefore(portal.LeadSent))
	return err
}

// RefuseLead puts a lead aside that the partner did not take, with the partner's
// words on it. It returns portal.ErrLeaseLost if the job is no longer the caller's.
func (s *Store) RefuseLead(ctx context.Context, j portal.Job, reason string, refusal portal.LeadRefusal) error {
	faults, err := json.Marshal(refusal.Faults)
	if err != nil {
		return err
	}
	if refusal.Faults == nil {
		faults = []byte(`{}`)
	}
	return s.endAttempt(ctx, j, "refuse", func(tx *sqlx.Tx, now time.Time) error {
		if err := parkJob(ctx, tx, j, reason, false); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			UPDATE leads SET state = 'refused', refusal = $2, faults = $3, updated_at = $4 WHERE id = $1 AND state = ANY ($5)`,
			j.Message.LeadID, refusal.Words, faults, now, statesBefore(portal.LeadRefused))
		return err
	})
}

// parkLead says of a lead whose job is put aside that it may have arrived, if it
// may. One that did not arrive still is to be sent.
func parkLead(ctx context.Context, tx *sqlx.Tx, id int64, uncertain bool, now time.Time) error {
	if !uncertain {
		return nil
	}
	return moveLeads(ctx, tx, []int64{id}, portal.LeadUncertain, now)
}
