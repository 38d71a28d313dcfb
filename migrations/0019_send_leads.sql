-- +goose Up

ALTER TABLE connections
	ADD COLUMN lead_days int NOT NULL DEFAULT 0; -- how long leads are kept after their end; 0: for ever

-- People who want to sell, of whom an office is told.
CREATE TABLE leads (
	id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	public_id     text NOT NULL CONSTRAINT leads_public_id_key UNIQUE,
	connection_id text NOT NULL REFERENCES connections,
	customer      text NOT NULL, -- the partner's id of the office that it is sent to
	order_id      bigint REFERENCES orders, -- where it was heard of
	state         text NOT NULL,
	content       jsonb NOT NULL, -- what it says, but for the personal number
	sealed_number bytea,
	partner_id    text NOT NULL DEFAULT '', -- the partner's id of it
	refusal       text NOT NULL DEFAULT '', -- the partner's words that fit no input
	faults        jsonb NOT NULL DEFAULT '{}', -- the partner's words by input
	staff_id      bigint NOT NULL REFERENCES staff, -- who sent it
	confirmed_by  bigint REFERENCES staff, -- who says that it has arrived, where the partner did not
	created_at    timestamptz NOT NULL,
	updated_at    timestamptz NOT NULL,
	sent_at       timestamptz,
	erased_at     timestamptz,
	-- words of all that a search finds it by, lower-case
	words         text NOT NULL,
	search        tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', words)) STORED,
	CONSTRAINT leads_state CHECK (state IN ('queued', 'sent', 'refused', 'uncertain', 'given_up', 'erased')),
	CONSTRAINT leads_number CHECK (NOT content ? 'personal_number'),
	CONSTRAINT leads_sent CHECK (state <> 'sent' OR sent_at IS NOT NULL AND (partner_id <> '' OR confirmed_by IS NOT NULL)),
	CONSTRAINT leads_partner_id CHECK (partner_id = '' OR sent_at IS NOT NULL),
	CONSTRAINT leads_erased_at CHECK ((state = 'erased') = (erased_at IS NOT NULL)),
	CONSTRAINT leads_erased CHECK (state <> 'erased'
		OR content = '{}' AND sealed_number IS NULL AND refusal = '' AND faults = '{}' AND words = '')
);
CREATE INDEX leads_search_idx ON leads USING gin (search);
CREATE INDEX leads_created_at_idx ON leads (created_at, id);
CREATE INDEX leads_state_created_at_idx ON leads (state, created_at, id);
CREATE INDEX leads_customer_idx ON leads (connection_id, customer, created_at, id);
CREATE INDEX leads_order_idx ON leads (order_id, id) WHERE order_id IS NOT NULL;

-- A message is about an order or brings a lead, in one job for the lead's whole life.
ALTER TABLE jobs
	ALTER COLUMN order_id DROP NOT NULL,
	ADD COLUMN lead_id bigint CONSTRAINT jobs_lead_key UNIQUE REFERENCES leads,
	DROP CONSTRAINT jobs_kind,
	ADD CONSTRAINT jobs_kind CHECK (kind IN ('report', 'file', 'remark', 'activation', 'lead')),
	ADD CONSTRAINT jobs_about CHECK ((kind = 'lead') = (lead_id IS NOT NULL) AND (kind = 'lead') = (order_id IS NULL)),
	-- What may have arrived is sent again by a person's word alone.
	ADD CONSTRAINT jobs_doubtful_lead CHECK (kind <> 'lead' OR state <> 'available' OR NOT uncertain);

CREATE INDEX audits_lead_idx ON audits ((data ->> 'lead'), id) WHERE data ->> 'lead' IS NOT NULL;
