package db

import (
	"context"
	"fmt"
)

// CountLeadsToDecide returns how many leads wait for a person: the partner refused
// them, or they may have arrived.
func (s *Store) CountLeadsToDecide(ctx context.Context) (int, error) {
	var n int
	err := s.db.GetContext(ctx, &n, `SELECT count(*) FROM leads WHERE state IN ('refused', 'uncertain')`)
	if err != nil {
		return 0, fmt.Errorf("count leads to decide: %w", mapError(err))
	}
	return n, nil
}

// UserOfBroker returns the partner's id of the user that a broker is there.
func (s *Store) UserOfBroker(ctx context.Context, broker int64) (string, error) {
	var user string
	err := s.db.GetContext(ctx, &user, `SELECT user_id FROM brokers WHERE id = $1`, broker)
	if err != nil {
		return "", fmt.Errorf("user of broker %d: %w", broker, mapError(err))
	}
	return user, nil
}
