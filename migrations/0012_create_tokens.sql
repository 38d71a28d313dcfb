-- +goose Up

-- Tokens of our users at the partners' APIs, shared by all processes. One of
-- them fetches the next version while the others wait.
CREATE TABLE tokens (
	connection_id text NOT NULL REFERENCES connections,
	name          text NOT NULL,
	version       bigint NOT NULL, -- 0: none was fetched yet
	sealed        bytea NOT NULL,
	claimed_until timestamptz,
	PRIMARY KEY (connection_id, name)
);

-- Tokens that we gave out to a partner system, to come back with an order.
CREATE TABLE issued_tokens (
	hash          bytea PRIMARY KEY,
	connection_id text NOT NULL REFERENCES connections,
	used_for      text NOT NULL DEFAULT '', -- which order, bound by the first use
	expires_at    timestamptz NOT NULL
);
CREATE INDEX issued_tokens_expires_at_idx ON issued_tokens (expires_at);
