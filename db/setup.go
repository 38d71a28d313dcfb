package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// Changes is what a set-up changes in the database, a line each for people, and
// what it leaves as it is because the file does not name it.
type Changes struct {
	Made []string
	Kept []string
}

func (c *Changes) add(format string, args ...any) {
	c.Made = append(c.Made, fmt.Sprintf(format, args...))
}

// setupLock keeps two set-ups apart, so that neither sees half of the other.
const setupLock = 0x706f727469636f // "portico"

// Apply stores a set-up in one transaction. Applied again, it changes nothing.
// It refuses to change the system of a connection, or the connection of a
// service, that orders have come in by.
func (s *Store) Apply(ctx context.Context, setup portal.Setup) (Changes, error) {
	changes, err := s.apply(ctx, setup, nil)
	if err != nil {
		return Changes{}, fmt.Errorf("apply: %w", err)
	}
	s.services.clear()
	s.providers.clear()
	s.versions.clear()
	return changes, nil
}

// Plan returns what Apply would change, and changes nothing.
func (s *Store) Plan(ctx context.Context, setup portal.Setup) (Changes, error) {
	onlyPlanned := errors.New("only planned")
	changes, err := s.apply(ctx, setup, onlyPlanned)
	if !errors.Is(err, onlyPlanned) {
		return Changes{}, fmt.Errorf("plan: %w", err)
	}
	return changes, nil
}

// apply rolls everything back at the end if verdict is an error.
func (s *Store) apply(ctx context.Context, setup portal.Setup, verdict error) (Changes, error) {
	var changes Changes
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		changes = Changes{}
		if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1)`, setupLock); err != nil {
			return err
		}
		if err := saveProvider(ctx, tx, setup.Provider, now, &changes); err != nil {
			return err
		}
		for _, c := range setup.Connections {
			if err := s.saveConnection(ctx, tx, c, now, &changes); err != nil {
				return fmt.Errorf("connection %s: %w", c.ID, err)
			}
		}
		for _, svc := range setup.Services {
			if err := saveService(ctx, tx, svc, now, &changes); err != nil {
				return fmt.Errorf("service %s: %w", svc.ID, err)
			}
		}
		if err := fetchAgain(ctx, tx, now); err != nil {
			return err
		}
		if err := listKept(ctx, tx, setup, &changes); err != nil {
			return err
		}
		return verdict
	})
	return changes, err
}

func saveProvider(ctx context.Context, tx *sqlx.Tx, p portal.Provider, now time.Time, changes *Changes) error {
	w, err := upsert(ctx, tx, `
		INSERT INTO providers AS t (name, support_email, locale, time_zone, currency, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, support_email = excluded.support_email,
			locale = excluded.locale, time_zone = excluded.time_zone, currency = excluded.currency,
			updated_at = excluded.updated_at
		WHERE (t.name, t.support_email, t.locale, t.time_zone, t.currency) IS DISTINCT FROM
			(excluded.name, excluded.support_email, excluded.locale, excluded.time_zone, excluded.currency)
		RETURNING xmax = 0`, p.Name, p.SupportEmail, p.Locale, p.TimeZone, p.Currency, now)
	if w != unchanged {
		changes.add("provider %s: %s", p.Name, w)
	}
	return err
}

// written says what an upsert did to its row.
type written string

const (
	unchanged written = ""
	added     written = "added"
	changed   written = "changed"
)

// upsert runs an INSERT … ON CONFLICT DO UPDATE … WHERE (something differs)
// RETURNING xmax = 0, which is true for a row that is new.
func upsert(ctx context.Context, tx *sqlx.Tx, query string, args ...any) (written, error) {
	var isNew []bool
	if err := tx.SelectContext(ctx, &isNew, query, args...); err != nil {
		return unchanged, err
	}
	switch {
	case len(isNew) == 0:
		return unchanged, nil
	case isNew[0]:
		return added, nil
	}
	return changed, nil
}

// fetchAgain has the orders fetched at once that no service took in before.
func fetchAgain(ctx context.Context, tx *sqlx.Tx, now time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE fetched_orders SET next_run_at = $1 WHERE reason ->> 'Key' = 'polls.unknown_service'`, now)
	return err
}

func listKept(ctx context.Context, tx *sqlx.Tx, setup portal.Setup, changes *Changes) error {
	named := map[string]bool{}
	for _, c := range setup.Connections {
		named["connection "+c.ID] = true
	}
	for _, svc := range setup.Services {
		named["service "+svc.ID] = true
	}
	var stored []string
	err := tx.SelectContext(ctx, &stored, `
		SELECT 'connection ' || id AS name FROM connections UNION ALL SELECT 'service ' || id FROM services ORDER BY name`)
	for _, name := range stored {
		if !named[name] {
			changes.Kept = append(changes.Kept, name)
		}
	}
	return err
}

// Provider returns whose portal this is, as it was at most cacheTime ago. It
// returns NotFound before the first Apply.
func (s *Store) Provider(ctx context.Context) (portal.Provider, error) {
	return s.providers.get("", func() (portal.Provider, error) {
		var p portal.Provider
		err := s.db.GetContext(ctx, &p, `SELECT name, support_email, locale, time_zone, currency FROM providers`)
		if err = mapError(err); portal.KindOf(err) == portal.NotFound {
			return portal.Provider{}, &portal.Error{Kind: portal.NotFound, Say: portal.Say("provider.missing"), Err: err}
		}
		if err != nil {
			return portal.Provider{}, fmt.Errorf("provider: %w", err)
		}
		return p, nil
	})
}
