-- +goose Up

-- What administrators have been told by mail. Whoever is about to send a mail
-- claims the one row first: of several workers one sends.
CREATE TABLE alarms (
	id           int PRIMARY KEY DEFAULT 1 CONSTRAINT alarms_one CHECK (id = 1),
	told_at      timestamptz,               -- when of what is wrong; NULL: as far as they know, nothing is
	claim        bigint NOT NULL DEFAULT 0, -- the last one; who has lost it cannot end the next
	next_look_at timestamptz,               -- until then nobody sends: somebody is at it, or the mail server was no help
	failures     int NOT NULL DEFAULT 0     -- in a row
);
INSERT INTO alarms DEFAULT VALUES;
