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

// eraseOrder takes out of an order and its timeline what is about people.
func eraseOrder(ctx context.Context, tx *sqlx.Tx, id int64, by portal.Actor, now time.Time) error {
	o, err := orderForUpdate(ctx, tx, id)
	if err != nil {
		return err
	}
	change, err := o.Erase(by, now)
	if err != nil {
		return err
	}
	if o.Service.Flow == portal.FlowPoll {
		if err := eraseCustomer(ctx, tx, o, now); err != nil {
			return err
		}
	}
	answers, err := json.Marshal(o.Answers)
	if err != nil {
		return err
	}
	details, err := json.Marshal(o.Details)
	if err != nil {
		return err
	}
	// Not by saveChange: that would make the order look as if it had changed.
	_, err = tx.ExecContext(ctx, `
		UPDATE orders SET answers = $2, details = $3, target_name = '', ticket = '{}', words = $4, erased_at = $5 WHERE id = $1`,
		id, answers, details, orderWords(o), now)
	if err != nil {
		return err
	}
	if err := eraseTimeline(ctx, tx, id); err != nil {
		return err
	}
	return insertChange(ctx, tx, id, change, now)
}

// eraseCustomer gives an order of which the customer is the partner's user
// somebody else in their place. Other orders of the customer keep them.
func eraseCustomer(ctx context.Context, tx *sqlx.Tx, o *portal.Order, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		WITH nobody AS (
			INSERT INTO brokers (office_id, user_id, name, created_at) VALUES ($2, 'erased-' || $1::bigint, '', $3)
			ON CONFLICT ON CONSTRAINT brokers_user_key DO UPDATE SET name = '' RETURNING id
		)
		UPDATE orders SET broker_id = nobody.id FROM nobody WHERE orders.id = $1`, o.ID, o.Office.ID, now)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM grants WHERE order_id = $1`, o.ID); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		DELETE FROM brokers b WHERE b.id = $1 AND NOT EXISTS (SELECT FROM orders WHERE broker_id = b.id)
			AND NOT EXISTS (SELECT FROM grants WHERE broker_id = b.id)`, o.BrokerID)
	return err
}

// eraseTimeline rewrites the events of an order without what is about people.
func eraseTimeline(ctx context.Context, tx *sqlx.Tx, order int64) error {
	var rows []struct {
		ID        int64            `db:"id"`
		Kind      portal.EventKind `db:"kind"`
		ActorKind portal.ActorKind `db:"actor_kind"`
		ActorName string           `db:"actor_name"`
		Data      []byte           `db:"data"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT id, kind, actor_kind, actor_name, data FROM events WHERE order_id = $1 ORDER BY id`, order)
	if err != nil {
		return err
	}
	for _, r := range rows {
		e := portal.Event{Kind: r.Kind, Actor: portal.Actor{Kind: r.ActorKind, Name: r.ActorName}}
		if err := json.Unmarshal(r.Data, &e.Data); err != nil {
			return fmt.Errorf("read event %d: %w", r.ID, err)
		}
		e = e.Erase()
		data, err := json.Marshal(e.Data)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE events SET data = $2, actor_name = $3 WHERE id = $1`, r.ID, data, e.Actor.Name)
		if err != nil {
			return err
		}
	}
	return nil
}

// keepErasedFiles puts the files of orders among those that are to be deleted,
// leaves of them that there were some, and returns how many.
func keepErasedFiles(ctx context.Context, tx *sqlx.Tx, orders pq.Int64Array, now time.Time) (int, error) {
	result, err := tx.ExecContext(ctx, `
		INSERT INTO erased_files (blob_key, created_at)
		SELECT blob_key, $2 FROM files WHERE order_id = ANY ($1) AND blob_key <> ''
		ON CONFLICT DO NOTHING`, orders, now)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE files SET name = $2, sha256 = '', blob_key = '' WHERE order_id = ANY ($1)`, orders, portal.Struck)
	return int(n), err
}

// ErasedFiles returns the keys of the next files that are to be deleted, at most n.
func (s *Store) ErasedFiles(ctx context.Context, n int) ([]string, error) {
	var keys []string
	err := s.db.SelectContext(ctx, &keys, `SELECT blob_key FROM erased_files ORDER BY created_at, blob_key LIMIT $1`, n)
	if err != nil {
		return nil, fmt.Errorf("erased files: %w", mapError(err))
	}
	return keys, nil
}

// FileDeleted says that a file that was to be deleted is gone.
func (s *Store) FileDeleted(ctx context.Context, key string) error {
	if _, err := s.db.ExecContext(ctx, `DELETE FROM erased_files WHERE blob_key = $1`, key); err != nil {
		return fmt.Errorf("file deleted: %w", mapError(err))
	}
	return nil
}

// Erasures returns what was erased, the latest first, at most n.
func (s *Store) Erasures(ctx context.Context, n int) ([]portal.Erasure, error) {
	var list []portal.Erasure
	err := s.db.SelectContext(ctx, &list, `
		SELECT s.name AS staff, e.reason, e.orders, e.leads, e.aside, e.mentions, e.files, e.created_at
		FROM erasures e JOIN staff s ON s.id = e.staff_id ORDER BY e.id DESC LIMIT $1`, n)
	if err != nil {
		return nil, fmt.Errorf("erasures: %w", mapError(err))
	}
	return list, nil
}
