-- +goose Up

-- The partner's own id of a service; empty: not known.
ALTER TABLE services ADD COLUMN partner_service text NOT NULL DEFAULT '';

CREATE INDEX orders_unverified_idx ON orders (office_id, created_at) WHERE unverified;

-- When an office's orders are compared with its partner's list. Claimed like a job.
CREATE TABLE reconciliation_schedules (
	office_id    bigint PRIMARY KEY REFERENCES offices,
	next_run_at  timestamptz NOT NULL,
	leased_until timestamptz,
	asked_at     timestamptz, -- when the partner was last asked by itself
	failures     int NOT NULL DEFAULT 0 -- in a row
);

-- The comparisons that were made.
CREATE TABLE reconciliations (
	id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	office_id   bigint NOT NULL REFERENCES offices,
	staff_id    bigint REFERENCES staff, -- NULL: nobody asked for it
	started_at  timestamptz NOT NULL,
	finished_at timestamptz NOT NULL,
	compared    int NOT NULL,
	unreported  int NOT NULL,
	others      int NOT NULL,
	differences int NOT NULL,
	error       text NOT NULL -- empty: it was made
);
CREATE INDEX reconciliations_office_idx ON reconciliations (office_id, started_at);

-- Orders that we and their partner do not agree about: open ones, those that are
-- accepted as they are until something changes, and history.
CREATE TABLE differences (
	id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	office_id        bigint NOT NULL REFERENCES offices,
	kind             text NOT NULL CHECK (kind IN ('missing_here', 'missing_there', 'state_differs')),
	partner_order_id text NOT NULL,
	order_id         bigint REFERENCES orders,
	ours             text NOT NULL, -- our state; empty: we do not have it
	theirs           text NOT NULL, -- the partner's word; empty: it does not have it
	report           text NOT NULL, -- the state that the partner ought to be told of; empty: none
	listed           jsonb, -- as the partner lists it
	service_id       text REFERENCES services, -- which it seems to be of
	known            boolean NOT NULL, -- it is of a service of ours
	found_at         timestamptz NOT NULL,
	settled_at       timestamptz,
	settled_as       text NOT NULL DEFAULT '' CHECK (settled_as IN ('', 'imported', 'reported', 'accepted')),
	settled_by       bigint REFERENCES staff,
	reason           text NOT NULL DEFAULT '',
	lapsed_at        timestamptz, -- something has changed since it was accepted
	CONSTRAINT differences_order CHECK (order_id IS NOT NULL OR kind = 'missing_here'),
	CONSTRAINT differences_listed CHECK ((listed IS NULL) = (kind = 'missing_there')),
	CONSTRAINT differences_settled CHECK ((settled_at IS NULL) = (settled_as = '') AND (settled_at IS NULL) = (settled_by IS NULL)),
	CONSTRAINT differences_lapsed CHECK (lapsed_at IS NULL OR settled_as = 'accepted')
);
-- One that counts for each order.
CREATE UNIQUE INDEX differences_current_key ON differences (office_id, partner_order_id)
	WHERE settled_at IS NULL OR settled_as = 'accepted' AND lapsed_at IS NULL;
CREATE INDEX differences_order_idx ON differences (order_id) WHERE settled_as = 'imported';
