-- +goose Up

ALTER TABLE connections
	ADD COLUMN networks text[] NOT NULL DEFAULT '{}'; -- the beginnings of access ids whose network can be asked
ALTER TABLE services
	ADD COLUMN network_service    text NOT NULL DEFAULT '', -- what networks call it
	ADD COLUMN activate_on_import boolean NOT NULL DEFAULT false;

-- What the network of a customer's access was asked for.
CREATE TABLE activations (
	id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	order_id      bigint NOT NULL REFERENCES orders,
	connection_id text NOT NULL REFERENCES connections,
	access_id     text NOT NULL,
	operation     text NOT NULL CHECK (operation IN ('activate', 'deactivate', 'replace')),
	service       text NOT NULL,
	wished_for    timestamptz, -- NULL: at once
	state         text NOT NULL CHECK (state IN ('queued', 'accepted', 'in_progress', 'done', 'failed', 'refused', 'withdrawn')),
	network_id    text NOT NULL DEFAULT '', -- what the network calls it
	message       text NOT NULL DEFAULT '', -- the network's words
	expected_at   timestamptz,
	requested_at  timestamptz NOT NULL,
	changed_at    timestamptz NOT NULL,
	-- When the network is asked again. Claimed like a job.
	next_look_at  timestamptz,
	leased_until  timestamptz,
	looks         int NOT NULL DEFAULT 0,
	last_error    text NOT NULL DEFAULT '',
	CONSTRAINT activations_look CHECK ((state IN ('accepted', 'in_progress')) = (next_look_at IS NOT NULL))
);
-- One at a time.
CREATE UNIQUE INDEX activations_pending_key ON activations (order_id) WHERE state IN ('queued', 'accepted', 'in_progress');
CREATE INDEX activations_order_idx ON activations (order_id, id);
CREATE INDEX activations_look_idx ON activations (connection_id, next_look_at) WHERE next_look_at IS NOT NULL;
