-- +goose Up
CREATE TABLE providers (
	id            int PRIMARY KEY DEFAULT 1 CONSTRAINT providers_one CHECK (id = 1),
	name          text NOT NULL,
	support_email text NOT NULL,
	locale        text NOT NULL CHECK (locale IN ('sv', 'nb', 'en')),
	time_zone     text NOT NULL,
	currency      text NOT NULL,
	updated_at    timestamptz NOT NULL
);

CREATE TABLE connections (
	id               text PRIMARY KEY,
	system           text NOT NULL,
	interaction_link text NOT NULL CHECK (interaction_link IN ('signed', 'callback')),
	reports          text[] NOT NULL, -- the states that the partner is told of
	settings         jsonb NOT NULL,  -- the partner package's own
	updated_at       timestamptz NOT NULL
);

CREATE TABLE credentials (
	connection_id  text NOT NULL REFERENCES connections ON DELETE CASCADE,
	customer       text NOT NULL, -- '*' is any office
	sealed         bytea NOT NULL, -- username and password, under PORTICO_SECRET_KEYS
	-- The partner refused it: nothing is sent with it until then, when one call may try again.
	refused_at     timestamptz,
	refused_status int,
	blocked_until  timestamptz,
	updated_at     timestamptz NOT NULL,
	PRIMARY KEY (connection_id, customer),
	CONSTRAINT credentials_refused CHECK ((refused_at IS NULL) = (blocked_until IS NULL))
);

CREATE TABLE services (
	id               text PRIMARY KEY,
	connection_id    text NOT NULL REFERENCES connections,
	flow             text NOT NULL CHECK (flow IN ('page', 'background', 'poll')),
	auth             text NOT NULL CHECK (auth IN ('token', 'basic', 'none')),
	username         text NOT NULL,
	password_hashes  text[] NOT NULL, -- two during a rotation
	secret_hash      text NOT NULL,
	allow_ips        text[] NOT NULL,
	customers        text[] NOT NULL, -- empty: all
	name             jsonb NOT NULL,
	description      jsonb NOT NULL,
	tags             text[] NOT NULL,
	turnaround_hours int NOT NULL CHECK (turnaround_hours >= 0),
	updated_at       timestamptz NOT NULL
);

-- An order keeps the version of the form that it was made for.
CREATE TABLE forms (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	service_id text NOT NULL REFERENCES services,
	version    int NOT NULL,
	fields     jsonb NOT NULL,
	created_at timestamptz NOT NULL,
	CONSTRAINT forms_version_key UNIQUE (service_id, version)
);
