-- +goose Up
CREATE TABLE staff (
	id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	email         text NOT NULL CONSTRAINT staff_email_lower CHECK (email = lower(email)),
	name          text NOT NULL CHECK (name <> ''),
	role          text NOT NULL CHECK (role IN ('admin', 'fulfiller', 'viewer')),
	password_hash text NOT NULL,
	blocked_at    timestamptz,
	created_at    timestamptz NOT NULL,
	CONSTRAINT staff_email_key UNIQUE (email)
);

-- A cookie holds a random id; only its hash is here.
CREATE TABLE sessions (
	id_hash      bytea PRIMARY KEY,
	kind         text NOT NULL CHECK (kind IN ('broker', 'staff')),
	staff_id     bigint REFERENCES staff ON DELETE CASCADE,
	flash        jsonb,
	created_at   timestamptz NOT NULL,
	last_seen_at timestamptz NOT NULL,
	CONSTRAINT sessions_staff CHECK ((kind = 'staff') = (staff_id IS NOT NULL))
);
CREATE INDEX sessions_last_seen_at_idx ON sessions (last_seen_at);

-- Counters of a window of time: log-ins by account and by address, callbacks by address.
CREATE TABLE throttles (
	key        text PRIMARY KEY,
	count      int NOT NULL,
	expires_at timestamptz NOT NULL
);

-- What concerns no order and yet has to be remembered with a name.
CREATE TABLE audits (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	action     text NOT NULL,
	actor      text NOT NULL,
	data       jsonb NOT NULL,
	created_at timestamptz NOT NULL
);
