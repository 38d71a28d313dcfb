-- +goose Up

-- Whether the partner takes the files of a delivery. Each goes as a job of its own.
ALTER TABLE connections ADD COLUMN takes_files boolean NOT NULL DEFAULT false;
ALTER TABLE jobs DROP CONSTRAINT jobs_kind_check, ADD CONSTRAINT jobs_kind CHECK (kind IN ('report', 'file'));
