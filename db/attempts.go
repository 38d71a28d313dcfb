package db

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jmoiron/sqlx"

	"portico/internal/portal"
)

// insertAttempt keeps the attempt that is being recorded.
func insertAttempt(ctx context.Context, tx *sqlx.Tx, j portal.Job) error {
	if len(j.Attempts) == 0 {
		return nil
	}
	a := j.Attempts[len(j.Attempts)-1]
	// The job's row is locked: nobody else numbers its attempts.
	_, err := tx.ExecContext(ctx, `
		INSERT INTO attempts (job_id, number, started_at, took_ms, outcome, status, answer, error)
		SELECT $1, COALESCE(max(number), 0) + 1, $2, $3, $4, $5, $6, $7 FROM attempts WHERE job_id = $1`,
		j.ID, a.StartedAt, tookMS(a), a.Outcome, a.Status, a.Answer, a.Error)
	return err
}

// tookMS is how long an attempt took as its column holds it. A machine that was
// suspended may count weeks.
func tookMS(a portal.Attempt) int64 { return min(a.Took.Milliseconds(), math.MaxInt32) }

type attemptRow struct {
	JobID     int64          `db:"job_id"`
	StartedAt time.Time      `db:"started_at"`
	TookMS    int64          `db:"took_ms"`
	Outcome   portal.Outcome `db:"outcome"`
	Status    int            `db:"status"`
	Answer    string         `db:"answer"`
	Error     string         `db:"error"`
}

func (r attemptRow) attempt() portal.Attempt {
	return portal.Attempt{StartedAt: r.StartedAt, Took: time.Duration(r.TookMS) * time.Millisecond, Outcome: r.Outcome,
		Receipt: portal.Receipt{Status: r.Status, Answer: r.Answer}, Error: r.Error}
}

// attemptsOf returns the attempts of the jobs j for which a condition holds, by
// job, oldest first.
func attemptsOf(ctx context.Context, conn sqlx.QueryerContext, where string, arg any) (map[int64][]portal.Attempt, error) {
	var rows []attemptRow
	err := sqlx.SelectContext(ctx, conn, &rows, `
		SELECT a.job_id, a.started_at, a.took_ms, a.outcome, a.status, a.answer, a.error
		FROM attempts a JOIN jobs j ON j.id = a.job_id
		WHERE `+where+` ORDER BY a.job_id, a.number`, arg)
	if err != nil {
		return nil, fmt.Errorf("attempts: %w", mapError(err))
	}
	attempts := map[int64][]portal.Attempt{}
	for _, r := range rows {
		attempts[r.JobID] = append(attempts[r.JobID], r.attempt())
	}
	return attempts, nil
}
