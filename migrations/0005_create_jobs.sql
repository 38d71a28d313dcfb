-- +goose Up
CREATE TABLE jobs (
	id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind          text NOT NULL CHECK (kind IN ('report')),
	state         text NOT NULL CHECK (state IN ('available', 'running', 'completed', 'parked', 'skipped')),
	connection_id text NOT NULL REFERENCES connections,
	subject       text NOT NULL, -- jobs of one subject run one after another, in id order
	order_id      bigint NOT NULL REFERENCES orders,
	unique_key    text NOT NULL CONSTRAINT jobs_unique_key UNIQUE,
	payload       jsonb NOT NULL,
	attempt       int NOT NULL DEFAULT 0,
	max_attempts  int NOT NULL,
	-- an attempt was sent and no answer came: it may have arrived
	uncertain     boolean NOT NULL DEFAULT false,
	run_at        timestamptz NOT NULL,
	leased_until  timestamptz,
	last_error    text NOT NULL DEFAULT '',
	created_at    timestamptz NOT NULL,
	finished_at   timestamptz,
	CONSTRAINT jobs_finished_at CHECK ((state IN ('completed', 'skipped')) = (finished_at IS NOT NULL)),
	CONSTRAINT jobs_leased_until CHECK ((state = 'running') = (leased_until IS NOT NULL))
);
CREATE INDEX jobs_due_idx ON jobs (connection_id, run_at, id) WHERE finished_at IS NULL;
CREATE INDEX jobs_subject_idx ON jobs (subject, id) WHERE finished_at IS NULL;
CREATE INDEX jobs_order_idx ON jobs (order_id, id);
CREATE INDEX jobs_order_unfinished_idx ON jobs (order_id) WHERE finished_at IS NULL;
