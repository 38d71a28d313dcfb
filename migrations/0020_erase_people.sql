-- +goose Up

-- When everything about people was taken out of an order; what is bookkeeping stays.
ALTER TABLE orders ADD COLUMN erased_at timestamptz;

-- That people were erased, when and by whom. It names none of them.
CREATE TABLE erasures (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	staff_id   bigint NOT NULL REFERENCES staff,
	reason     text NOT NULL CONSTRAINT erasures_reason CHECK (reason IN ('request', 'retention', 'mistake')),
	orders     int NOT NULL, -- that were emptied
	leads      int NOT NULL, -- the same
	aside      int NOT NULL, -- the same, of fetched orders that were kept aside
	mentions   int NOT NULL, -- texts elsewhere in which words were struck out
	files      int NOT NULL,
	created_at timestamptz NOT NULL
);

-- Files that are to be deleted: the storage knows no transaction.
CREATE TABLE erased_files (
	blob_key   text PRIMARY KEY,
	created_at timestamptz NOT NULL
);

-- The timeline is rewritten by an erasure alone, and nothing is ever taken off it.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION events_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'UPDATE' AND current_setting('portico.erasing', true) = 'on' THEN
		RETURN NEW;
	END IF;
	RAISE EXCEPTION 'the timeline is never rewritten';
END $$;
-- +goose StatementEnd
