-- +goose Up

ALTER TABLE connections
	ADD COLUMN takes_remarks boolean NOT NULL DEFAULT false, -- messages about an order are told to the partner
	ADD COLUMN poll_seconds  int NOT NULL DEFAULT 0,          -- how often its orders are fetched; 0: they are not
	ADD COLUMN poll_from     date,                            -- the first fetch is of what was ordered from then on
	ADD COLUMN personal_days int NOT NULL DEFAULT 0;          -- how long personal numbers are kept after the end

-- Claimed like a job, by whoever raises the claim.
CREATE TABLE polls (
	connection_id text PRIMARY KEY REFERENCES connections,
	cursor        date NOT NULL, -- what was ordered before that day has been listed
	next_run_at   timestamptz NOT NULL,
	leased_until  timestamptz,
	claim         bigint NOT NULL DEFAULT 0,
	failures      int NOT NULL DEFAULT 0, -- in a row
	last_error    jsonb,                  -- a sentence; NULL: the last one was good
	last_at       timestamptz,            -- when the last one began
	last_ok_at    timestamptz,            -- when the last good one began
	listed        int NOT NULL DEFAULT 0, -- by the last good one
	imported      int NOT NULL DEFAULT 0, -- by the last good one
	created_at    timestamptz NOT NULL
);

-- What a partner lists and we do not have: on its way in, or kept aside.
CREATE TABLE fetched_orders (
	id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	connection_id    text NOT NULL REFERENCES connections,
	key              text NOT NULL, -- the partner's order id; what has none is told apart by what it says
	listed           jsonb NOT NULL,
	found_at         timestamptz NOT NULL,
	next_run_at      timestamptz NOT NULL,
	tries            int NOT NULL DEFAULT 0,
	reason           jsonb, -- a sentence: why it is kept aside; NULL: it is on its way in
	raw              text NOT NULL DEFAULT '', -- what came, without personal numbers
	dismissed_at     timestamptz,
	dismissed_by     bigint REFERENCES staff,
	dismissed_reason text NOT NULL DEFAULT '',
	CONSTRAINT fetched_orders_key UNIQUE (connection_id, key),
	CONSTRAINT fetched_orders_dismissed CHECK ((dismissed_at IS NULL) = (dismissed_by IS NULL))
);
CREATE INDEX fetched_orders_due_idx ON fetched_orders (connection_id, next_run_at, id) WHERE dismissed_at IS NULL;

-- A problem that somebody has to see to beside the portal.
ALTER TABLE orders ADD COLUMN follow_up boolean NOT NULL DEFAULT false;
CREATE INDEX orders_follow_up_idx ON orders (id) WHERE follow_up;

-- A customer's personal number, sealed. It is in no other table.
CREATE TABLE personal_numbers (
	order_id   bigint PRIMARY KEY REFERENCES orders,
	sealed     bytea NOT NULL,
	created_at timestamptz NOT NULL
);

ALTER TABLE jobs DROP CONSTRAINT jobs_kind, ADD CONSTRAINT jobs_kind CHECK (kind IN ('report', 'file', 'remark', 'activation'));
