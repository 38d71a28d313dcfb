-- +goose Up

-- What a partner can tell of an order beside its ids.
ALTER TABLE orders
	ADD COLUMN target_name text NOT NULL DEFAULT '',   -- as people call it; empty: not known
	ADD COLUMN details     jsonb NOT NULL DEFAULT '{}',
	ADD COLUMN unproven    boolean NOT NULL DEFAULT false, -- it came in without a proof of who the user is
	ADD COLUMN shown       text NOT NULL DEFAULT '';   -- stands for what the partner shows of it

-- How many attempts were sent without an answer.
ALTER TABLE jobs ADD COLUMN doubts int NOT NULL DEFAULT 0;

ALTER TABLE services
	ADD COLUMN insurance boolean NOT NULL DEFAULT false,
	ADD COLUMN sellers   boolean NOT NULL DEFAULT false; -- asks for the sellers' names
