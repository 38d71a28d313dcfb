package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"portico/internal/portal"
)

// OfficeReconciliation is how far an office's orders have been compared.
type OfficeReconciliation struct {
	Office portal.Office
	Last   *Reconciled // the last that was made; nil: none was
	Failed *Reconciled // the last attempt, if that failed
}

// Reconciled is a comparison that was made, or tried to be.
type Reconciled struct {
	StartedAt   time.Time `json:"started_at"`
	Compared    int       `json:"compared"`
	Unreported  int       `json:"unreported"`
	Differences int       `json:"differences"`
	Error       string    `json:"error"`
}

// Reconciliations returns how far the offices of a connection have been
// compared, or one of them, by name.
func (s *Store) Reconciliations(ctx context.Context, connection, customer string) ([]OfficeReconciliation, error) {
	var rows []struct {
		portal.Office
		Last   []byte `db:"last"`
		Failed []byte `db:"failed"`
	}
	err := s.db.SelectContext(ctx, &rows, `
		SELECT p.id, p.customer_id, p.name, to_jsonb(l) AS last, to_jsonb(f) AS failed
		FROM offices p
		LEFT JOIN LATERAL (
			SELECT * FROM reconciliations WHERE office_id = p.id AND error = '' ORDER BY started_at DESC, id DESC LIMIT 1) l ON true
		LEFT JOIN LATERAL (
			SELECT * FROM reconciliations WHERE office_id = p.id ORDER BY started_at DESC, id DESC LIMIT 1) f ON f.error <> ''
		WHERE p.connection_id = $1 AND ($2 = '' OR p.customer_id = $2)
		ORDER BY COALESCE(NULLIF(p.name, ''), p.customer_id), p.id`, connection, customer)
	if err != nil {
		return nil, fmt.Errorf("reconciliations of %s: %w", connection, mapError(err))
	}
	list := make([]OfficeReconciliation, len(rows))
	for i, row := range rows {
		list[i].Office = row.Office
		for _, part := range []struct {
			raw  []byte
			into **Reconciled
		}{{row.Last, &list[i].Last}, {row.Failed, &list[i].Failed}} {
			if part.raw == nil {
				continue
			}
			if err := json.Unmarshal(part.raw, part.into); err != nil {
				return nil, fmt.Errorf("reconciliations of %s: %w", connection, err)
			}
		}
	}
	return list, nil
}

// StaleReconciliation is a connection with offices that have not been compared
// for too long.
type StaleReconciliation struct {
	Offices int       `db:"offices"`
	Since   time.Time `db:"since"` // of the one that has waited longest: the last time, or its first order
}

// StaleReconciliation returns how many of a connection's offices have not been
// compared since a time, though they were there already.
func (s *Store) StaleReconciliation(ctx context.Context, connection string, before time.Time) (StaleReconciliation, error) {
	var stale StaleReconciliation
	err := s.db.GetContext(ctx, &stale, `
		SELECT count(*) AS offices, COALESCE(min(since), 'epoch') AS since FROM (
			SELECT GREATEST(p.created_at, max(r.started_at) FILTER (WHERE r.error = '')) AS since
			FROM offices p LEFT JOIN reconciliations r ON r.office_id = p.id
			WHERE p.connection_id = $1 GROUP BY p.id) o
		WHERE since < $2`, connection, before)
	if err != nil {
		return StaleReconciliation{}, fmt.Errorf("stale reconciliation of %s: %w", connection, mapError(err))
	}
	return stale, nil
}
