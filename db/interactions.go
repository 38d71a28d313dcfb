package db

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// AskBroker puts a question to the broker, and the order waits for the answer.
func (s *Store) AskBroker(ctx context.Context, id int64, i portal.Interaction, by portal.Actor) error {
	return s.changeOrder(ctx, id, "ask about", func(tx *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		change, err := o.Ask(i, by, now)
		if err != nil {
			return portal.Change{}, err
		}
		var interaction int64
		err = tx.GetContext(ctx, &interaction, `
			INSERT INTO interactions (order_id, comment, choices, staff_id, asked_at, answer)
			VALUES ($1, $2, $3, $4, $5, '') RETURNING id`,
			o.ID, i.Comment, stringsOf(i.Choices), by.ID, now)
		if change.Report != nil {
			change.Report.InteractionID = interaction
		}
		return change, err
	})
}

// AnswerInteraction answers an open question of the order. It returns NotFound
// for a question of another order and Conflict for one that is closed.
func (s *Store) AnswerInteraction(ctx context.Context, id, interaction int64, answer string, by portal.Actor) error {
	return s.changeOrder(ctx, id, "answer for", func(tx *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		var row interactionRow
		err := tx.GetContext(ctx, &row, selectInteraction+` WHERE i.id = $1 AND i.order_id = $2`, interaction, o.ID)
		if err != nil {
			return portal.Change{}, err
		}
		i := row.interaction()
		change, err := o.Answer(&i, answer, by, now)
		if err != nil {
			return portal.Change{}, err
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE interactions SET answer = $2, answered_at = $3, closed_at = $3 WHERE id = $1`, i.ID, i.Answer, now)
		return change, err
	})
}

func closeInteractions(ctx context.Context, tx *sqlx.Tx, orderID int64, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE interactions SET closed_at = $2 WHERE order_id = $1 AND closed_at IS NULL`, orderID, now)
	return err
}

type interactionRow struct {
	ID         int64          `db:"id"`
	Comment    string         `db:"comment"`
	Choices    pq.StringArray `db:"choices"`
	StaffID    int64          `db:"staff_id"`
	StaffName  string         `db:"staff_name"`
	AskedAt    time.Time      `db:"asked_at"`
	Answer     string         `db:"answer"`
	AnsweredAt *time.Time     `db:"answered_at"`
	ClosedAt   *time.Time     `db:"closed_at"`
}

const selectInteraction = `
	SELECT i.id, i.comment, i.choices, i.staff_id, s.name AS staff_name, i.asked_at, i.answer, i.answered_at, i.closed_at
	FROM interactions i JOIN staff s ON s.id = i.staff_id`

func (r interactionRow) interaction() portal.Interaction {
	return portal.Interaction{ID: r.ID, Comment: r.Comment, Choices: r.Choices,
		AskedBy: portal.Actor{Kind: portal.ActorStaff, ID: r.StaffID, Name: r.StaffName},
		AskedAt: r.AskedAt, Answer: r.Answer, AnsweredAt: r.AnsweredAt, ClosedAt: r.ClosedAt}
}

// VisitTTL is how long a signed link is good for.
const VisitTTL = 7 * 24 * time.Hour

// IssueVisit makes a signed link's token for one order. Only its hash is kept,
// so a token can be given out once, when it is made.
func (s *Store) IssueVisit(ctx context.Context, orderID, interaction int64) (string, error) {
	token := rand.Text() + rand.Text() // 260 bits
	hash := sha256.Sum256([]byte(token))
	err := s.inTx(ctx, func(tx *sqlx.Tx, now time.Time) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO visits (token_hash, order_id, interaction_id, created_at, expires_at)
			VALUES ($1, $2, NULLIF($3, 0), $4, $5)`, hash[:], orderID, interaction, now, now.Add(VisitTTL))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("issue visit of order %d: %w", orderID, err)
	}
	return token, nil
}

// Visit is what a signed link leads to.
type Visit struct {
	OrderID   int64  `db:"order_id"`
	PublicID  string `db:"public_id"`
	ServiceID string `db:"service_id"`
	BrokerID  int64  `db:"broker_id"`
	Live      bool   `db:"live"` // neither expired nor revoked
}

// VisitByToken returns what a signed link leads to, live or not. It returns
// NotFound for a token that was never given out.
func (s *Store) VisitByToken(ctx context.Context, token string) (Visit, error) {
	hash := sha256.Sum256([]byte(token))
	var v Visit
	err := s.db.GetContext(ctx, &v, `
		SELECT o.id AS order_id, o.public_id, o.service_id, o.broker_id,
			v.revoked_at IS NULL AND v.expires_at > $2 AS live
		FROM visits v JOIN orders o ON o.id = v.order_id
		WHERE v.token_hash = $1`, hash[:], s.Now())
	if err != nil {
		return Visit{}, fmt.Errorf("visit: %w", mapError(err))
	}
	return v, nil
}

func revokeVisits(ctx context.Context, tx *sqlx.Tx, orderID int64, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE visits SET revoked_at = $2 WHERE order_id = $1 AND revoked_at IS NULL`, orderID, now)
	return err
}
