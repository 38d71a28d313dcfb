package db

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// CreateLead keeps a lead and puts it into the outbox, once for each key of a
// form, and returns its public id: when the form comes in again, the first one's.
func (s *Store) CreateLead(ctx context.Context, l portal.Lead, formKey string, by portal.Actor) (publicID string, err error) {
	err = s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		publicID = rand.Text()
		result, err := tx.ExecContext(ctx, `
			INSERT INTO audits (action, actor, data, created_at)
			VALUES ('lead.created', $1, jsonb_build_object('lead', $2::text, 'form', $3::text), $4)
			ON CONFLICT ((data ->> 'form')) DO NOTHING`, string(by.Kind)+" "+by.Name, publicID, formKey, now)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil {
			return err
		} else if n == 0 {
			return tx.GetContext(ctx, &publicID, `
				SELECT data ->> 'lead' FROM audits WHERE data ->> 'form' = $1 AND data ->> 'lead' IS NOT NULL`, formKey)
		}
		return s.insertLead(ctx, tx, l, publicID, by, now)
	})
	if err != nil {
		return "", fmt.Errorf("create lead: %w", err)
	}
	return publicID, nil
}

func (s *Store) insertLead(ctx context.Context, tx *sqlx.Tx, l portal.Lead, publicID string, by portal.Actor, now time.Time) error {
	content, sealed, err := s.leadContent(l, publicID)
	if err != nil {
		return err
	}
	// The message says nothing about the person.
	_, err = tx.ExecContext(ctx, `
		WITH lead AS (
			INSERT INTO leads (public_id, connection_id, customer, order_id, state, content, sealed_number, staff_id, created_at, updated_at, words)
			VALUES ($1, $2, $3, NULLIF($4::bigint, 0), 'queued', $5, $6, $7, $8, $8, $9) RETURNING id, connection_id, customer
		)
		INSERT INTO jobs (kind, state, connection_id, subject, lead_id, unique_key, payload, max_attempts, run_at, created_at)
		SELECT 'lead', 'available', connection_id, 'lead/' || id, id, 'lead/' || id,
			jsonb_build_object('connection_id', connection_id, 'customer', customer, 'lead_id', id), $10, $8, $8 FROM lead`,
		publicID, l.ConnectionID, l.Customer, l.OrderID, content, sealed, by.ID, now, leadWords(l), len(portal.Backoff))
	if err != nil {
		return err
	}
	return notifyJobs(ctx, tx)
}

// leadContent returns what a lead says and, sealed, the number that is kept
// apart from it; NULL without one.
func (s *Store) leadContent(l portal.Lead, publicID string) (content, sealed []byte, err error) {
	if l.PersonalNumber != "" {
		if sealed, err = s.sealNumber(leadOwner(publicID), l.PersonalNumber); err != nil {
			return nil, nil, err
		}
		l.PersonalNumber = ""
	}
	content, err = json.Marshal(l)
	return content, sealed, err
}

// leadOwner is what a lead's personal number is sealed for.
func leadOwner(publicID string) string { return "lead/" + publicID }

// leadWords returns all that a search finds a lead by.
func leadWords(l portal.Lead) string {
	texts := []string{l.FirstName, l.LastName, l.Email, l.Email2, l.Street, l.City, l.Customer, l.Office.ID, l.Office.CustomerID,
		l.Office.ExternalID, l.PartnerID}
	for _, phone := range []string{l.Telephone.Cell, l.Telephone.Home, l.Telephone.Work, l.Telephone.Other} {
		texts = append(texts, phone, onlyDigits(phone)) // however it is spaced
	}
	return words(texts...)
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

// LeadNumber returns a lead's personal number, and remembers who was shown it.
// It returns NotFound if none is kept.
func (s *Store) LeadNumber(ctx context.Context, publicID string, by portal.Actor) (string, error) {
	var number string
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		var sealed []byte
		err := tx.GetContext(ctx, &sealed, `SELECT sealed_number FROM leads WHERE public_id = $1 AND sealed_number IS NOT NULL`, publicID)
		if err != nil {
			return err
		}
		if number, err = s.openNumber(leadOwner(publicID), sealed); err != nil {
			return err
		}
		return insertAudit(ctx, tx, "lead.number_shown", by, map[string]string{"lead": publicID}, now)
	})
	if err != nil {
		return "", fmt.Errorf("personal number of lead %s: %w", publicID, err)
	}
	return number, nil
}

// LeadNote is something that somebody did about a lead.
type LeadNote struct {
	Action string    `db:"action"` // "lead.created", …
	Actor  string    `db:"actor"`  // "staff Erik"
	Reason string    `db:"reason"`
	At     time.Time `db:"created_at"`
}

// LeadNotes returns what people did about a lead, oldest first.
func (s *Store) LeadNotes(ctx context.Context, publicID string) ([]LeadNote, error) {
	var notes []LeadNote
	err := s.db.SelectContext(ctx, &notes, `
		SELECT action, actor, COALESCE(data ->> 'reason', '') AS reason, created_at FROM audits
		WHERE data ->> 'lead' = $1 ORDER BY id`, publicID)
	if err != nil {
		return nil, fmt.Errorf("notes on lead %s: %w", publicID, mapError(err))
	}
	return notes, nil
}
