-- +goose Up
CREATE TABLE offices (
	id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	connection_id text NOT NULL REFERENCES connections,
	customer_id   text NOT NULL, -- the partner's
	tenant_id     text NOT NULL,
	chain_id      text NOT NULL,
	name          text NOT NULL, -- empty: not known
	created_at    timestamptz NOT NULL,
	CONSTRAINT offices_customer_key UNIQUE (connection_id, customer_id)
);

-- Nobody promises that user ids are unique between offices.
CREATE TABLE brokers (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	office_id  bigint NOT NULL REFERENCES offices,
	user_id    text NOT NULL, -- the partner's
	name       text NOT NULL, -- empty: not known
	created_at timestamptz NOT NULL,
	CONSTRAINT brokers_user_key UNIQUE (office_id, user_id)
);

CREATE TABLE orders (
	id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	public_id        text NOT NULL CONSTRAINT orders_public_id_key UNIQUE,
	connection_id    text NOT NULL REFERENCES connections,
	office_id        bigint NOT NULL REFERENCES offices,
	partner_order_id text NOT NULL,
	service_id       text NOT NULL REFERENCES services,
	form_id          bigint NOT NULL REFERENCES forms,
	broker_id        bigint NOT NULL REFERENCES brokers, -- who owns the order
	target_type      text NOT NULL,
	target_id        text NOT NULL,
	ticket           jsonb NOT NULL, -- as the partner first gave it
	state            text NOT NULL CHECK (state IN ('draft', 'received', 'active', 'waiting', 'delivered', 'failed', 'cancelled')),
	answers          jsonb NOT NULL,
	total            bigint NOT NULL, -- minor units
	currency         text NOT NULL,
	assigned_to      bigint REFERENCES staff,
	received_at      timestamptz,
	due_at           timestamptz,
	waiting_since    timestamptz,
	created_at       timestamptz NOT NULL,
	updated_at       timestamptz NOT NULL,
	-- words of all that the queue's search finds the order by, lower-case
	words            text NOT NULL,
	search           tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', words)) STORED,
	CONSTRAINT orders_identity_key UNIQUE (connection_id, office_id, partner_order_id),
	CONSTRAINT orders_received_at CHECK (state IN ('draft', 'cancelled') OR received_at IS NOT NULL),
	CONSTRAINT orders_waiting_since CHECK ((state = 'waiting') = (waiting_since IS NOT NULL))
);
CREATE INDEX orders_search_idx ON orders USING gin (search);
CREATE INDEX orders_created_at_idx ON orders (created_at, id);
CREATE INDEX orders_state_created_at_idx ON orders (state, created_at, id);
CREATE INDEX orders_due_at_idx ON orders (COALESCE(due_at, 'infinity'), id);
-- The queue's first page: what is open, by when it is due.
CREATE INDEX orders_open_due_at_idx ON orders (COALESCE(due_at, 'infinity'), id)
	WHERE state IN ('received', 'active', 'waiting', 'failed');
CREATE INDEX orders_service_idx ON orders (service_id, state, created_at, id);
CREATE INDEX orders_office_idx ON orders (office_id, state, created_at, id);

CREATE TABLE events (
	id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	order_id   bigint NOT NULL REFERENCES orders,
	kind       text NOT NULL,
	actor_kind text NOT NULL CHECK (actor_kind IN ('broker', 'staff', 'system', 'partner')),
	actor_id   bigint NOT NULL, -- 0: nobody in particular
	actor_name text NOT NULL,
	for_broker boolean NOT NULL,
	data       jsonb NOT NULL,
	created_at timestamptz NOT NULL
);
CREATE INDEX events_order_idx ON events (order_id, id);

-- +goose StatementBegin
CREATE FUNCTION events_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the timeline is never rewritten';
END $$;
-- +goose StatementEnd
CREATE TRIGGER events_are_kept BEFORE UPDATE OR DELETE ON events
	FOR EACH ROW EXECUTE FUNCTION events_are_kept();
CREATE TRIGGER events_are_not_truncated BEFORE TRUNCATE ON events
	FOR EACH STATEMENT EXECUTE FUNCTION events_are_kept();

-- Which browser may see which order.
CREATE TABLE grants (
	session_hash bytea NOT NULL REFERENCES sessions ON DELETE CASCADE,
	order_id     bigint NOT NULL REFERENCES orders,
	broker_id    bigint NOT NULL REFERENCES brokers, -- who is looking
	link_hash    bytea NOT NULL, -- of the address that gave it: the same one finds it again
	created_at   timestamptz NOT NULL,
	PRIMARY KEY (session_hash, order_id)
);
