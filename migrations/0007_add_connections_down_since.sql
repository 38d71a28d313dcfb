-- +goose Up

-- Since when the partner has not answered our reports; NULL while it does.
ALTER TABLE connections ADD COLUMN down_since timestamptz;
