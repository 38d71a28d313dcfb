-- +goose Up

-- The steps of an insurance that the partner has been told of, in their sequence.
ALTER TABLE orders ADD COLUMN steps text[] NOT NULL DEFAULT '{}'
	CONSTRAINT orders_steps CHECK (steps IN ('{}', '{policy_issued}', '{policy_issued,policy_activated}'));
