-- +goose Up

-- Each time that a job was sent, or tried to be. A worker that died recorded none.
CREATE TABLE attempts (
	job_id     bigint NOT NULL REFERENCES jobs,
	number     int NOT NULL,
	started_at timestamptz NOT NULL,
	took_ms    int NOT NULL,
	outcome    text NOT NULL,
	status     int NOT NULL, -- HTTP; 0 without an answer
	answer     text NOT NULL, -- how it starts, secrets struck out
	error      text NOT NULL,
	PRIMARY KEY (job_id, number)
);
