-- +goose Up

-- When a job may be claimed: at its time, or when its lease has run out; never
-- while it is parked or over. One column, so that a claim reads one end of one
-- index, however many jobs are finished and however many wait.
ALTER TABLE jobs ADD COLUMN due_at timestamptz GENERATED ALWAYS AS
	(CASE state WHEN 'available' THEN run_at WHEN 'running' THEN leased_until END) STORED;
DROP INDEX jobs_due_idx;
CREATE INDEX jobs_due_idx ON jobs (connection_id, due_at, id) WHERE due_at IS NOT NULL;
