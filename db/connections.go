package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

type connectionRow struct {
	ID              string          `db:"id"`
	System          string          `db:"system"`
	InteractionLink portal.LinkKind `db:"interaction_link"`
	Reports         pq.StringArray  `db:"reports"`
	TakesFiles      bool            `db:"takes_files"`
	TakesRemarks    bool            `db:"takes_remarks"`
	PollSeconds     int             `db:"poll_seconds"`
	PollFrom        *time.Time      `db:"poll_from"`
	PersonalDays    int             `db:"personal_days"`
	LeadDays        int             `db:"lead_days"`
	Networks        pq.StringArray  `db:"networks"`
	Settings        []byte          `db:"settings"`
	UpdatedAt       time.Time       `db:"updated_at"`
}

func (r connectionRow) connection() portal.Connection {
	c := portal.Connection{ID: r.ID, System: r.System, InteractionLink: r.InteractionLink,
		Reports: stringsTo[portal.State](r.Reports), TakesFiles: r.TakesFiles, TakesRemarks: r.TakesRemarks,
		PollEvery: time.Duration(r.PollSeconds) * time.Second, PersonalDays: r.PersonalDays, LeadDays: r.LeadDays,
		Networks: stringsTo[string](r.Networks), Settings: r.Settings, UpdatedAt: r.UpdatedAt}
	if r.PollFrom != nil {
		c.PollFrom = *r.PollFrom
	}
	return c
}

const connectionColumns = `id, system, interaction_link, reports, takes_files, takes_remarks, poll_seconds, poll_from,
	personal_days, lead_days, networks, settings, updated_at`

const selectConnection = `SELECT ` + connectionColumns + ` FROM connections`

// Connections returns every connection without its credentials, by id.
func (s *Store) Connections(ctx context.Context) ([]portal.Connection, error) {
	var rows []connectionRow
	if err := s.db.SelectContext(ctx, &rows, selectConnection+` ORDER BY id`); err != nil {
		return nil, fmt.Errorf("connections: %w", mapError(err))
	}
	var connections []portal.Connection
	for _, row := range rows {
		connections = append(connections, row.connection())
	}
	return connections, nil
}

// Connection returns a connection with its credentials unsealed. It fails if
// none of the secret keys opens one of them.
func (s *Store) Connection(ctx context.Context, id string) (portal.Connection, error) {
	var c portal.Connection
	// Credentials of another version than UpdatedAt would stay in a cache for ever.
	err := s.inSnapshot(ctx, func(tx *sqlx.Tx) error {
		var row connectionRow
		if err := tx.GetContext(ctx, &row, selectConnection+` WHERE id = $1`, id); err != nil {
			return err
		}
		sealed, err := sealedCredentials(ctx, tx, id)
		if err != nil {
			return err
		}
		c = row.connection()
		for _, one := range sealed {
			credential, err := s.unseal(one)
			if err != nil {
				return err
			}
			c.Credentials = append(c.Credentials, credential)
		}
		return nil
	})
	if err != nil {
		return portal.Connection{}, fmt.Errorf("connection %s: %w", id, err)
	}
	return c, nil
}

// ConnectionVersion returns when the connection or one of its credentials last
// changed: a cheap look for those who keep what they made of a Connection.
func (s *Store) ConnectionVersion(ctx context.Context, id string) (time.Time, error) {
	var at time.Time
	statement, err := s.prepared(ctx, `SELECT updated_at FROM connections WHERE id = $1`)
	if err == nil {
		err = statement.GetContext(ctx, &at, id)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("connection %s: %w", id, mapError(err))
	}
	return at, nil
}

// RecentConnectionVersion is ConnectionVersion as it was a moment ago at the most.
func (s *Store) RecentConnectionVersion(ctx context.Context, id string) (time.Time, error) {
	return s.versions.get(id, func() (time.Time, error) { return s.ConnectionVersion(ctx, id) })
}

func (s *Store) saveConnection(ctx context.Context, tx *sqlx.Tx, c portal.Connection, now time.Time, changes *Changes) error {
	if err := refuseOtherSystem(ctx, tx, c); err != nil {
		return err
	}
	var from *time.Time
	if !c.PollFrom.IsZero() {
		from = &c.PollFrom
	}
	w, err := upsert(ctx, tx, `
		INSERT INTO connections AS t (`+connectionColumns+`)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (id) DO UPDATE SET system = excluded.system, interaction_link = excluded.interaction_link,
			reports = excluded.reports, takes_files = excluded.takes_files, takes_remarks = excluded.takes_remarks,
			poll_seconds = excluded.poll_seconds, poll_from = excluded.poll_from, personal_days = excluded.personal_days,
			lead_days = excluded.lead_days, networks = excluded.networks, settings = excluded.settings, updated_at = excluded.updated_at
		WHERE (t.system, t.interaction_link, t.reports, t.takes_files, t.takes_remarks, t.poll_seconds, t.poll_from,
				t.personal_days, t.lead_days, t.networks, t.settings) IS DISTINCT FROM
			(excluded.system, excluded.interaction_link, excluded.reports, excluded.takes_files, excluded.takes_remarks,
				excluded.poll_seconds, excluded.poll_from, excluded.personal_days, excluded.lead_days, excluded.networks, excluded.settings)
		RETURNING xmax = 0`,
		c.ID, c.System, c.InteractionLink, stringsOf(c.Reports), c.TakesFiles, c.TakesRemarks, int(c.PollEvery/time.Second), from,
		c.PersonalDays, c.LeadDays, stringsOf(c.Networks), c.Settings, now)
	if err != nil {
		return err
	}
	if w != unchanged {
		changes.add("connection %s: %s", c.ID, w)
	}
	before := len(changes.Made)
	if err := s.saveCredentials(ctx, tx, c, now, changes); err != nil {
		return err
	}
	if len(changes.Made) > before {
		_, err = tx.ExecContext(ctx, `UPDATE connections SET updated_at = $2 WHERE id = $1`, c.ID, now)
	}
	return err
}

func refuseOtherSystem(ctx context.Context, tx *sqlx.Tx, c portal.Connection) error {
	var system string
	err := tx.GetContext(ctx, &system, `
		SELECT COALESCE(max(c.system), '') FROM connections c
		WHERE c.id = $1 AND c.system <> $2 AND EXISTS (SELECT 1 FROM offices WHERE connection_id = c.id)`, c.ID, c.System)
	if err != nil || system == "" {
		return err
	}
	return fmt.Errorf("orders came in by its system %s: take another id for one of system %s", system, c.System)
}

// stringsOf and stringsTo carry a list of named strings to and from a text[] column.
func stringsOf[S ~string](list []S) pq.StringArray {
	out := make(pq.StringArray, 0, len(list))
	for _, one := range list {
		out = append(out, string(one))
	}
	return out
}

func stringsTo[S ~string](list pq.StringArray) []S {
	var out []S
	for _, one := range list {
		out = append(out, S(one))
	}
	return out
}
