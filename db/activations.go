package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

type activationRow struct {
	ID           int64                  `db:"id"`
	OrderID      int64                  `db:"order_id"`
	ConnectionID string                 `db:"connection_id"`
	AccessID     string                 `db:"access_id"`
	Operation    portal.Operation       `db:"operation"`
	Service      string                 `db:"service"`
	WishedFor    *time.Time             `db:"wished_for"`
	State        portal.ActivationState `db:"state"`
	NetworkID    string                 `db:"network_id"`
	Message      string                 `db:"message"`
	ExpectedAt   *time.Time             `db:"expected_at"`
	RequestedAt  time.Time              `db:"requested_at"`
	ChangedAt    time.Time              `db:"changed_at"`
	Looks        int                    `db:"looks"`
	LeasedUntil  *time.Time             `db:"leased_until"`
}

const activationColumns = `a.id, a.order_id, a.connection_id, a.access_id, a.operation, a.service, a.wished_for, a.state, a.network_id,
	a.message, a.expected_at, a.requested_at, a.changed_at, a.looks, a.leased_until`

func (r activationRow) activation() portal.Activation {
	return portal.Activation{ID: r.ID, OrderID: r.OrderID, ConnectionID: r.ConnectionID, AccessID: r.AccessID,
		Request:          portal.ActivationRequest{ID: r.ID, Operation: r.Operation, Service: r.Service, WishedFor: r.WishedFor, NetworkID: r.NetworkID},
		ActivationAnswer: portal.ActivationAnswer{NetworkID: r.NetworkID, State: r.State, Message: r.Message, ExpectedAt: r.ExpectedAt},
		RequestedAt:      r.RequestedAt, ChangedAt: r.ChangedAt, Looks: r.Looks}
}

// insertActivation stores what a network is asked for, and the job that asks.
func insertActivation(ctx context.Context, tx *sqlx.Tx, m portal.Message, key string, now time.Time) error {
	r := m.Activation
	if !r.Operation.OfPending() {
		err := tx.GetContext(ctx, &r.ID, `
			INSERT INTO activations (order_id, connection_id, access_id, operation, service, wished_for, state, requested_at, changed_at)
			VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $7) RETURNING id`,
			m.OrderID, m.ConnectionID, m.Target.ID, r.Operation, r.Service, r.WishedFor, now)
		if err != nil {
			return err
		}
	}
	return insertJob(ctx, tx, "activation", key, m, now)
}

// Activations returns what an order's network was asked for, newest first.
func (s *Store) Activations(ctx context.Context, orderID int64) ([]portal.Activation, error) {
	list, err := orderActivations(ctx, s.db, orderID)
	if err != nil {
		return nil, fmt.Errorf("activations of order %d: %w", orderID, mapError(err))
	}
	return list, nil
}

func orderActivations(ctx context.Context, conn sqlx.QueryerContext, orderID int64) ([]portal.Activation, error) {
	var rows []activationRow
	err := sqlx.SelectContext(ctx, conn, &rows, `
		SELECT `+activationColumns+` FROM activations a WHERE a.order_id = $1 ORDER BY a.id DESC`, orderID)
	var list []portal.Activation
	for _, row := range rows {
		list = append(list, row.activation())
	}
	return list, err
}

// RequestActivation asks the network of an order's access for an operation, as
// portal.Order.RequestActivation has it.
func (s *Store) RequestActivation(ctx context.Context, id int64, r portal.ActivationRequest, by portal.Actor) error {
	return s.changeOrder(ctx, id, string(r.Operation), func(tx *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		asked, err := orderActivations(ctx, tx, id)
		if err != nil {
			return portal.Change{}, err
		}
		return o.RequestActivation(r, asked, by, now)
	})
}

// answered stores what a network says to a request about an activation, and what
// follows for its order, in the transaction of whoever asked.
func answered(ctx context.Context, tx *sqlx.Tx, row activationRow, r portal.ActivationRequest, answer portal.ActivationAnswer, now time.Time) error {
	o, err := orderForUpdate(ctx, tx, row.OrderID)
	if err != nil {
		return err
	}
	a := row.activation()
	var change portal.Change
	if r.Operation.OfPending() {
		change = o.AnsweredOf(&a, r, answer, now)
	} else if change, err = o.Answered(&a, answer, now); err != nil {
		return err
	}
	var next *time.Time
	if a.State == portal.ActivationAccepted || a.State == portal.ActivationInProgress {
		at := a.NextLook(now)
		next = &at
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE activations SET state = $2, network_id = $3, message = $4, expected_at = $5, changed_at = $6, next_look_at = $7,
			wished_for = $8, leased_until = NULL, looks = looks + 1, last_error = ''
		WHERE id = $1`, a.ID, a.State, a.NetworkID, a.Message, a.ExpectedAt, a.ChangedAt, next, a.Request.WishedFor)
	if err != nil || len(change.Events) == 0 {
		return err
	}
	return saveChange(ctx, tx, o, change, now)
}

// activationForUpdate locks the order before its activation, as those do who
// change an order.
func activationForUpdate(ctx context.Context, tx *sqlx.Tx, id int64) (activationRow, error) {
	var row activationRow
	_, err := tx.ExecContext(ctx, `SELECT 1 FROM orders WHERE id = (SELECT order_id FROM activations WHERE id = $1) FOR UPDATE`, id)
	if err != nil {
		return row, err
	}
	err = tx.GetContext(ctx, &row, `SELECT `+activationColumns+` FROM activations a WHERE a.id = $1 FOR UPDATE`, id)
	return row, err
}

// ClaimLook leases an activation whose network is to be asked how far it is. ok
// is false if there is none.
func (s *Store) ClaimLook(ctx context.Context, lease time.Duration) (a portal.Activation, until time.Time, ok bool, err error) {
	now := s.Now()
	var rows []activationRow
	err = s.db.SelectContext(ctx, &rows, `
		WITH due AS MATERIALIZED (
			SELECT id FROM activations
			WHERE next_look_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)
			ORDER BY next_look_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
		UPDATE activations a SET leased_until = $2 FROM due WHERE a.id = due.id RETURNING `+activationColumns, now, now.Add(lease))
	if err != nil {
		return a, until, false, fmt.Errorf("claim look at an activation: %w", mapError(err))
	}
	if len(rows) == 0 {
		return a, until, false, nil
	}
	return rows[0].activation(), *rows[0].LeasedUntil, true, nil
}

// FinishLook stores what a network answered. It returns portal.ErrLeaseLost if
// somebody else has asked since.
func (s *Store) FinishLook(ctx context.Context, id int64, until time.Time, answer portal.ActivationAnswer) error {
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		row, err := activationForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		if row.LeasedUntil == nil || !row.LeasedUntil.Equal(until) {
			return portal.ErrLeaseLost
		}
		return answered(ctx, tx, row, row.activation().Request, answer, now)
	})
	if err != nil {
		return fmt.Errorf("look at activation %d: %w", id, err)
	}
	return nil
}

// FailLook stores that a network could not be asked, and when it is again.
func (s *Store) FailLook(ctx context.Context, id int64, until, next time.Time, reason string) error {
	_, err := s.db.ExecContext(ctx, `
		UPDATE activations SET leased_until = NULL, next_look_at = $3, looks = looks + 1, last_error = $4
		WHERE id = $1 AND leased_until = $2`, id, until, next, reason)
	if err != nil {
		return fmt.Errorf("look at activation %d: %w", id, mapError(err))
	}
	return nil
}

// CompleteActivation records that a network has answered what it was asked for.
// It returns portal.ErrLeaseLost if the job is no longer the caller's.
func (s *Store) CompleteActivation(ctx context.Context, j portal.Job, answer portal.ActivationAnswer) error {
	return s.endAttempt(ctx, j, "complete", func(tx *sqlx.Tx, now time.Time) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE jobs SET state = 'completed', finished_at = $2, leased_until = NULL, last_error = '' WHERE id = $1`, j.ID, now)
		if err != nil {
			return err
		}
		row, err := activationForUpdate(ctx, tx, j.Message.Activation.ID)
		if err != nil {
			return err
		}
		return answered(ctx, tx, row, *j.Message.Activation, answer, now)
	})
}

// dropSkipped withdraws the activations that no network will be asked for any more.
func dropSkipped(ctx context.Context, tx *sqlx.Tx, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE activations a SET state = 'withdrawn', changed_at = $1
		WHERE a.state = 'queued' AND NOT EXISTS (
			SELECT 1 FROM jobs j WHERE j.order_id = a.order_id AND j.kind = 'activation' AND j.finished_at IS NULL)`, now)
	return err
}
