package db

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// action is what somebody does to an order that is locked for it.
type action func(tx *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error)

// changeOrder is how every change to an order is made: lock, let the domain
// decide, store the order, its timeline and its report in one transaction.
func (s *Store) changeOrder(ctx context.Context, id int64, verb string, do action) error {
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		o, err := orderForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		change, err := do(tx, o, now)
		if err != nil {
			return err
		}
		return saveChange(ctx, tx, o, change, now)
	})
	if err != nil {
		return fmt.Errorf("%s order %d: %w", verb, id, err)
	}
	return nil
}

func saveChange(ctx context.Context, tx *sqlx.Tx, o *portal.Order, c portal.Change, now time.Time) error {
	answers, err := json.Marshal(o.Answers)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE orders SET state = $2, answers = $3, total = $4, assigned_to = NULLIF($5, 0), received_at = $6,
			due_at = $7, waiting_since = $8, updated_at = $9, words = $10, steps = $11, follow_up = $12
		WHERE id = $1`,
		o.ID, o.State, answers, o.Total, o.AssignedTo, o.ReceivedAt, o.DueAt, o.WaitingSince, now, orderWords(o), stringsOf(o.Steps), o.FollowUp)
	if err != nil {
		return err
	}
	if o.State != portal.Waiting {
		if err := closeInteractions(ctx, tx, o.ID, now); err != nil {
			return err
		}
	}
	return insertChange(ctx, tx, o.ID, c, now)
}

// insertChange stores what a change leaves beside the order itself.
func insertChange(ctx context.Context, tx *sqlx.Tx, orderID int64, c portal.Change, now time.Time) error {
	var last int64
	for _, e := range c.Events {
		var err error
		if last, err = insertEvent(ctx, tx, orderID, e); err != nil {
			return err
		}
	}
	for _, m := range c.Uploads { // the report has to wait for them: jobs of an order run by id
		if err := insertJob(ctx, tx, "file", "file/"+m.Upload.FileID, m, now); err != nil {
			return err
		}
	}
	for i, m := range c.Remarks {
		m.OrderID = orderID
		if err := insertJob(ctx, tx, "remark", fmt.Sprintf("remark/%d/%d", last, i), m, now); err != nil {
			return err
		}
	}
	if c.Report != nil {
		c.Report.OrderID = orderID
		// One change, one report.
		if err := insertJob(ctx, tx, "report", fmt.Sprintf("event/%d", last), *c.Report, now); err != nil {
			return err
		}
	}
	if c.Activation == nil {
		return nil
	}
	c.Activation.OrderID = orderID
	return insertActivation(ctx, tx, *c.Activation, fmt.Sprintf("activation/%d", last), now)
}

func insertEvent(ctx context.Context, tx *sqlx.Tx, orderID int64, e portal.Event) (int64, error) {
	data, err := json.Marshal(e.Data)
	if err != nil {
		return 0, err
	}
	var id int64
	err = tx.GetContext(ctx, &id, `
		INSERT INTO events (order_id, kind, actor_kind, actor_id, actor_name, for_broker, data, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id`,
		orderID, e.Kind, e.Actor.Kind, e.Actor.ID, e.Actor.Name, e.ForBroker, data, e.CreatedAt)
	return id, err
}

// SubmitOrder completes a draft with what the broker typed and attached. Invalid names the
// fields at fault; Conflict says that the order is completed already.
func (s *Store) SubmitOrder(ctx context.Context, id int64, typed map[string][]string, by portal.Actor) error {
	return s.changeOrder(ctx, id, "submit", func(tx *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		if form := o.Service.Form; form.TakesFiles() {
			files, err := attachments(ctx, tx, id)
			if err != nil {
				return portal.Change{}, err
			}
			typed = form.WithFiles(typed, files)
		}
		return o.Submit(typed, by, now)
	})
}

// StartOrder says that somebody works on the order.
func (s *Store) StartOrder(ctx context.Context, id int64, by portal.Actor) error {
	return s.changeOrder(ctx, id, "start", func(_ *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		return o.Start(by, now)
	})
}

// FailOrder says that the order cannot be done, and why.
func (s *Store) FailOrder(ctx context.Context, id int64, description string, by portal.Actor) error {
	return s.changeOrder(ctx, id, "fail", func(_ *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		return o.Fail(description, by, now)
	})
}

// CancelOrder ends the order for a reason, and with it every signed link to it.
func (s *Store) CancelOrder(ctx context.Context, id int64, reason string, by portal.Actor) error {
	return s.changeOrder(ctx, id, "cancel", func(tx *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		change, err := o.Cancel(reason, by, now)
		if err != nil {
			return portal.Change{}, err
		}
		return change, revokeVisits(ctx, tx, o.ID, now)
	})
}

// ReopenOrder takes up a delivered or failed order again.
func (s *Store) ReopenOrder(ctx context.Context, id int64, by portal.Actor) error {
	return s.changeOrder(ctx, id, "reopen", func(_ *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		return o.Reopen(by, now)
	})
}

// TakeStep tells the partner of a step of an insurance.
func (s *Store) TakeStep(ctx context.Context, id int64, step portal.Step, by portal.Actor) error {
	return s.changeOrder(ctx, id, "take a step of", func(_ *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		return o.TakeStep(step, by, now)
	})
}

// RequestRevision takes up a delivered order again because the broker wishes a change.
func (s *Store) RequestRevision(ctx context.Context, id int64, body string, by portal.Actor) error {
	return s.changeOrder(ctx, id, "request revision of", func(_ *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		return o.RequestRevision(body, by, now)
	})
}

// RemarkOrder sends the partner a message about the order.
func (s *Store) RemarkOrder(ctx context.Context, id int64, kind portal.Remark, body string, by portal.Actor) error {
	return s.changeOrder(ctx, id, "remark on", func(_ *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		return o.Remark(kind, body, by, now)
	})
}

// FollowUpOrder says that somebody has seen to an order's problem by hand.
func (s *Store) FollowUpOrder(ctx context.Context, id int64, note string, by portal.Actor) error {
	return s.changeOrder(ctx, id, "follow up", func(_ *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		return o.FollowedUp(note, by, now)
	})
}

// WriteMessage puts a message between broker and staff on the timeline.
func (s *Store) WriteMessage(ctx context.Context, id int64, body string, by portal.Actor) error {
	return s.changeOrder(ctx, id, "write to", func(_ *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		return o.Write(body, by, now)
	})
}

// WriteNote puts a note on the timeline that only staff see.
func (s *Store) WriteNote(ctx context.Context, id int64, body string, by portal.Actor) error {
	return s.changeOrder(ctx, id, "note on", func(_ *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		return o.Note(body, by, now)
	})
}

// AssignOrder gives the order to a member of staff, 0 to nobody. It returns
// NotFound for someone who may not fulfil orders.
func (s *Store) AssignOrder(ctx context.Context, id, staffID int64, by portal.Actor) error {
	return s.changeOrder(ctx, id, "assign", func(tx *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		var to portal.Staff
		if staffID != 0 {
			err := tx.GetContext(ctx, &to, `
				SELECT id, name FROM staff
				WHERE id = $1 AND blocked_at IS NULL AND role IN ('admin', 'fulfiller')`, staffID)
			if err != nil {
				return portal.Change{}, err
			}
		}
		return o.Assign(to, by, now), nil
	})
}
