-- +goose Up
CREATE TABLE interactions (
	id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	order_id    bigint NOT NULL REFERENCES orders,
	comment     text NOT NULL,
	choices     text[] NOT NULL,
	staff_id    bigint NOT NULL REFERENCES staff,
	asked_at    timestamptz NOT NULL,
	answer      text NOT NULL,
	answered_at timestamptz,
	closed_at   timestamptz,
	CONSTRAINT interactions_answered CHECK (answered_at IS NULL OR closed_at IS NOT NULL)
);
CREATE INDEX interactions_order_idx ON interactions (order_id, id);
-- One question at a time.
CREATE UNIQUE INDEX interactions_open_key ON interactions (order_id) WHERE closed_at IS NULL;

-- A link that Portico gave out itself; only the hash of its token is kept.
CREATE TABLE visits (
	token_hash     bytea PRIMARY KEY,
	order_id       bigint NOT NULL REFERENCES orders,
	interaction_id bigint REFERENCES interactions,
	created_at     timestamptz NOT NULL,
	expires_at     timestamptz NOT NULL,
	revoked_at     timestamptz
);
CREATE INDEX visits_order_idx ON visits (order_id);

CREATE TABLE deliveries (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	order_id   bigint NOT NULL REFERENCES orders,
	version    int NOT NULL,
	message    text NOT NULL,
	links      text[] NOT NULL,
	staff_id   bigint NOT NULL REFERENCES staff,
	created_at timestamptz NOT NULL,
	CONSTRAINT deliveries_version_key UNIQUE (order_id, version)
);

CREATE TABLE files (
	id           text PRIMARY KEY, -- random, as addresses carry it
	delivery_id  bigint NOT NULL REFERENCES deliveries,
	position     int NOT NULL,
	name         text NOT NULL,
	content_type text NOT NULL,
	size         bigint NOT NULL CHECK (size >= 0),
	sha256       bytea NOT NULL,
	blob_key     text NOT NULL,
	CONSTRAINT files_position_key UNIQUE (delivery_id, position)
);
