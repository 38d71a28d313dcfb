package db

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// strike strikes the words out of the rows that were chosen for it, and out of
// what their orders are searched by.
func strike(ctx context.Context, tx *sqlx.Tx, q portal.PersonQuery, c chosen) error {
	for _, m := range c.mentions {
		if err := m.strike(ctx, tx, q); err != nil {
			return fmt.Errorf("strike out in %s: %w", m.place.table, err)
		}
	}
	for _, id := range c.struck {
		o, err := orderForUpdate(ctx, tx, id)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE orders SET words = $2 WHERE id = $1`, id, orderWords(o)); err != nil {
			return err
		}
	}
	return nil
}

func (m mention) strike(ctx context.Context, tx *sqlx.Tx, q portal.PersonQuery) error {
	p := m.place
	key := "id"
	if p.key != "" {
		key = p.key[len("t."):]
	}
	var rows []struct {
		Row   string `db:"row"`
		Value []byte `db:"value"`
	}
	// By where the row stands: a key may find several. It stays there while it is locked.
	err := tx.SelectContext(ctx, &rows, fmt.Sprintf(`
		SELECT ctid::text AS row, %s AS value FROM %s WHERE %s = $1 FOR UPDATE`, p.column, p.table, key), m.Key)
	if err != nil {
		return err
	}
	for _, r := range rows {
		value, err := p.struck(r.Value, q)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, fmt.Sprintf(`UPDATE %s SET %s = $2 WHERE ctid = $1::tid`, p.table, p.column), r.Row, value)
		if err != nil {
			return err
		}
	}
	return nil
}

// struck returns what a column holds without the words.
func (p place) struck(value []byte, q portal.PersonQuery) (any, error) {
	switch {
	case value == nil:
		return nil, nil
	case p.clears && len(q.Find(string(value))) > 0:
		return "", nil
	case p.shape == someTexts:
		var texts pq.StringArray
		if err := texts.Scan(value); err != nil {
			return nil, err
		}
		for i := range texts {
			texts[i] = q.Strike(texts[i])
		}
		return texts, nil
	case p.shape == asJSON:
		var whole any
		decoder := json.NewDecoder(bytes.NewReader(value))
		decoder.UseNumber() // an id may be larger than a float keeps
		if err := decoder.Decode(&whole); err != nil {
			return nil, err
		}
		return json.Marshal(eachText(whole, q.Strike))
	}
	return q.Strike(string(value)), nil
}
