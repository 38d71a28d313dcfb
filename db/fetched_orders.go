package db

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// FetchedOrder is an order that a partner lists and that is not ours: on its way
// in, or kept aside.
type FetchedOrder struct {
	ID           int64
	ConnectionID string
	Listed       portal.Listed
	FoundAt      time.Time
	NextRunAt    time.Time
	Tries        int
	Reason       *portal.Sentence // why it is kept aside; nil: it is on its way in
	Raw          string           // what came, without personal numbers
	DismissedAt  *time.Time
	Dismisser    string
	DismissedFor string
}

type fetchedRow struct {
	ID           int64      `db:"id"`
	ConnectionID string     `db:"connection_id"`
	Listed       []byte     `db:"listed"`
	FoundAt      time.Time  `db:"found_at"`
	NextRunAt    time.Time  `db:"next_run_at"`
	Tries        int        `db:"tries"`
	Reason       []byte     `db:"reason"`
	Raw          string     `db:"raw"`
	DismissedAt  *time.Time `db:"dismissed_at"`
	Dismisser    string     `db:"dismisser"`
	DismissedFor string     `db:"dismissed_reason"`
}

const selectFetched = `
	SELECT f.id, f.connection_id, f.listed, f.found_at, f.next_run_at, f.tries, f.reason, f.raw, f.dismissed_at,
		COALESCE(s.name, '') AS dismisser, f.dismissed_reason
	FROM fetched_orders f LEFT JOIN staff s ON s.id = f.dismissed_by`

func (r fetchedRow) fetched() (FetchedOrder, error) {
	f := FetchedOrder{ID: r.ID, ConnectionID: r.ConnectionID, FoundAt: r.FoundAt, NextRunAt: r.NextRunAt, Tries: r.Tries, Raw: r.Raw,
		DismissedAt: r.DismissedAt, Dismisser: r.Dismisser, DismissedFor: r.DismissedFor}
	err := json.Unmarshal(r.Listed, &f.Listed)
	if err == nil && r.Reason != nil {
		err = json.Unmarshal(r.Reason, &f.Reason)
	}
	if err != nil {
		return FetchedOrder{}, fmt.Errorf("read fetched order %d: %w", r.ID, err)
	}
	return f, nil
}

func readFetched(rows []fetchedRow) ([]FetchedOrder, error) {
	list := make([]FetchedOrder, 0, len(rows))
	for _, row := range rows {
		f, err := row.fetched()
		if err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

// noID begins the key of an order without one: no id has a space.
const noID = "no id "

// insertFetched puts what a partner lists and we do not have among what is to be
// fetched. What is there already is brought up to date, but for what was dismissed.
func insertFetched(ctx context.Context, tx *sqlx.Tx, connection string, list []portal.Listed, ours map[string]bool, now time.Time) error {
	type item struct {
		Key    string        `json:"key"`
		Listed portal.Listed `json:"listed"`
	}
	items := []item{}
	seen := map[string]bool{}
	for _, l := range list {
		key := l.OrderID
		if key == "" {
			raw, err := json.Marshal(l)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(raw)
			key = noID + hex.EncodeToString(sum[:8])
		}
		if ours[l.OrderID] || seen[key] {
			continue
		}
		seen[key] = true
		items = append(items, item{key, l})
	}
	if len(items) == 0 {
		return nil
	}
	asJSON, err := json.Marshal(items)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO fetched_orders AS f (connection_id, key, listed, found_at, next_run_at)
		SELECT $1, i ->> 'key', i -> 'listed', $3, $3 FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS e(i, n) ORDER BY n
		ON CONFLICT ON CONSTRAINT fetched_orders_key DO UPDATE SET listed = excluded.listed
		WHERE f.dismissed_at IS NULL AND f.listed IS DISTINCT FROM excluded.listed`, connection, asJSON, now)
	return err
}

// OrdersToFetch returns the next orders of a connection that are due to be
// fetched, at most n.
func (s *Store) OrdersToFetch(ctx context.Context, connection string, n int) ([]portal.Awaited, error) {
	var rows []fetchedRow
	err := s.db.SelectContext(ctx, &rows, selectFetched+`
		WHERE f.connection_id = $1 AND f.dismissed_at IS NULL AND f.next_run_at <= $2
		ORDER BY f.next_run_at, f.id LIMIT $3`, connection, s.Now(), n)
	if err != nil {
		return nil, fmt.Errorf("orders of %s to fetch: %w", connection, mapError(err))
	}
	list, err := readFetched(rows)
	awaited := make([]portal.Awaited, 0, len(list))
	for _, f := range list {
		awaited = append(awaited, portal.Awaited{ID: f.ID, Listed: f.Listed, Tries: f.Tries})
	}
	return awaited, err
}

// ImportFetched takes in orders that were fetched, in one transaction: each with
// its timeline, the customer's personal number, what the partner and the access's
// network are told. It returns why any of them could not be taken in, by their
// ids, *portal.FetchError for an order of no service of ours; the others are in.
// The error is portal.ErrLeaseLost if the poll is no longer the caller's.
func (s *Store) ImportFetched(ctx context.Context, p portal.Poll, arrived []portal.Arrived, rules portal.PollRules, lease time.Duration) (map[int64]error, error) {
	services, err := s.serviceByPartner(ctx, p.ConnectionID)
	if err != nil {
		return nil, err
	}
	provider, err := s.Provider(ctx)
	if err != nil {
		return nil, err
	}
	// One that cannot be stored is rare: only then is each undone apart.
	for _, each := range []func(context.Context, *sqlx.Tx, func() error) error{together, apart} {
		refused := map[int64]error{}
		err = s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
			if err := heldPoll(ctx, tx, p, now, lease); err != nil {
				return err
			}
			var in []int64
			for _, a := range arrived {
				svc, err := serviceOf(services, a.Fetched.Listed)
				if err != nil {
					refused[a.ID] = err
					continue
				}
				err = each(ctx, tx, func() error { return s.insertFetchedOrder(ctx, tx, svc, a.Fetched, rules, provider.Currency, now) })
				if errors.Is(err, errUndone) {
					refused[a.ID] = fmt.Errorf("import order %s: %w", a.Fetched.Listed.OrderID, mapError(err))
					continue
				}
				if err != nil {
					return err
				}
				in = append(in, a.ID)
			}
			_, err := tx.ExecContext(ctx, `DELETE FROM fetched_orders WHERE id = ANY($1)`, pq.Int64Array(in))
			return err
		})
		if err == nil {
			return refused, nil
		}
		if errors.Is(err, portal.ErrLeaseLost) || portal.KindOf(err) == portal.Unavailable || ctx.Err() != nil {
			break
		}
	}
	return nil, fmt.Errorf("import orders of %s: %w", p.ConnectionID, err)
}

// errUndone says that what failed has left nothing in its transaction.
var errUndone = errors.New("undone")

func together(_ context.Context, _ *sqlx.Tx, f func() error) error { return f() }

// apart undoes what f did if it fails, and nothing else of the transaction.
func apart(ctx context.Context, tx *sqlx.Tx, f func() error) error {
	if _, err := tx.ExecContext(ctx, `SAVEPOINT apart`); err != nil {
		return err
	}
	failed := f()
	if failed == nil {
		_, err := tx.ExecContext(ctx, `RELEASE SAVEPOINT apart`)
		return err
	}
	if _, err := tx.ExecContext(ctx, `ROLLBACK TO SAVEPOINT apart`); err != nil {
		return err
	}
	return errors.Join(errUndone, failed)
}

// serviceOf returns which service of ours an order is of.
func serviceOf(services map[string]portal.Service, l portal.Listed) (portal.Service, error) {
	for _, id := range []string{l.ServiceID, ""} {
		if svc, ok := services[id]; ok {
			return svc, nil
		}
	}
	return portal.Service{}, &portal.FetchError{Say: portal.Say("polls.unknown_service", "Service", l.ServiceID),
		Err: fmt.Errorf("no service has partner_service %q", l.ServiceID)}
}

func (s *Store) insertFetchedOrder(ctx context.Context, tx *sqlx.Tx, svc portal.Service, f portal.Fetched, rules portal.PollRules, currency string, now time.Time) error {
	o, change, err := portal.FetchOrder(svc, f, rules, now)
	if err != nil {
		return err
	}
	o.PublicID = rand.Text()
	first := *o
	if first.State == portal.Waiting { // since when is not among what a ticket opens with
		first.State = portal.Active
	}
	var row openedRow
	statement, err := s.prepared(ctx, openOrder)
	if err != nil {
		return err
	}
	err = tx.StmtxContext(ctx, statement).GetContext(ctx, &row, openArgs(&first, f.Ticket, currency, false, []byte("[]"), nil, now)...)
	if err != nil || !row.New {
		return err
	}
	details, err := json.Marshal(o.Details)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE orders SET details = $2, target_name = $3, shown = $4, waiting_since = $5, words = $6, state = $7 WHERE id = $1`,
		row.ID, details, o.Target.Name, o.Shown, o.WaitingSince, orderWords(o), o.State)
	if err != nil {
		return err
	}
	if err := namePerson(ctx, tx, row.Opened, f.Ticket); err != nil {
		return err
	}
	if err := s.keepPersonalNumber(ctx, tx, row.ID, f.PersonalNumber, now); err != nil {
		return err
	}
	for _, m := range []*portal.Message{change.Report, change.Activation} {
		if m != nil {
			m.PublicID = o.PublicID
		}
	}
	return insertChange(ctx, tx, row.ID, change, now)
}

// serviceByPartner returns a connection's services by the partner's id of them;
// the one without stands for all others.
func (s *Store) serviceByPartner(ctx context.Context, connection string) (map[string]portal.Service, error) {
	all, err := s.Services(ctx)
	if err != nil {
		return nil, err
	}
	services := map[string]portal.Service{}
	for _, svc := range all {
		if svc.ConnectionID == connection {
			services[svc.PartnerService] = svc
		}
	}
	return services, nil
}

// KeepAside records why an order could not be taken in, and when it is tried
// again. It stands where staff see it.
func (s *Store) KeepAside(ctx context.Context, p portal.Poll, id int64, reason portal.Sentence, raw string, again time.Time, lease time.Duration) error {
	text, err := json.Marshal(reason)
	if err != nil {
		return err
	}
	err = s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		if err := heldPoll(ctx, tx, p, now, lease); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `
			UPDATE fetched_orders SET tries = tries + 1, reason = $2, raw = $3, next_run_at = $4 WHERE id = $1 AND dismissed_at IS NULL`,
			id, text, raw, again)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep order %d of %s aside: %w", id, p.ConnectionID, err)
	}
	return nil
}

// AsideOrders returns the orders of a connection that are kept aside, newest
// first, at most n; those that staff have dismissed come last.
func (s *Store) AsideOrders(ctx context.Context, connection string, n int) ([]FetchedOrder, error) {
	var rows []fetchedRow
	err := s.db.SelectContext(ctx, &rows, selectFetched+`
		WHERE f.connection_id = $1 AND f.reason IS NOT NULL
		ORDER BY f.dismissed_at IS NOT NULL, f.id DESC LIMIT $2`, connection, n)
	if err != nil {
		return nil, fmt.Errorf("orders of %s aside: %w", connection, mapError(err))
	}
	return readFetched(rows)
}

// RetryFetched has an order that is kept aside fetched again at once, and its
// connection polled. It returns NotFound for one that is in by now.
func (s *Store) RetryFetched(ctx context.Context, id int64) error {
	return s.changeFetched(ctx, "retry", `
		UPDATE fetched_orders SET next_run_at = $2, dismissed_at = NULL, dismissed_by = NULL, dismissed_reason = ''
		WHERE id = $1 RETURNING connection_id`, id)
}

// DismissFetched leaves an order that is kept aside there for good, for a
// reason. It returns Invalid without one, and NotFound for one that is in by now.
func (s *Store) DismissFetched(ctx context.Context, id int64, reason string, by portal.Actor) error {
	if err := portal.CheckReason(reason); err != nil {
		return err
	}
	return s.changeFetched(ctx, "dismiss", `
		UPDATE fetched_orders SET dismissed_at = $2, dismissed_by = $3, dismissed_reason = $4 WHERE id = $1 RETURNING ''`,
		id, by.ID, reason)
}

// changeFetched runs a statement that returns the connection that is to be
// polled at once, "" for none.
func (s *Store) changeFetched(ctx context.Context, verb, statement string, id int64, args ...any) error {
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		var connection string
		if err := tx.GetContext(ctx, &connection, statement, append([]any{id, now}, args...)...); err != nil {
			return err
		}
		return pollSoon(ctx, tx, connection, now)
	})
	if err != nil {
		return fmt.Errorf("%s fetched order %d: %w", verb, id, err)
	}
	return nil
}
