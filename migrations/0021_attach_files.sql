-- +goose Up

-- A file is of a delivery, or an answer to a field of the order form.
ALTER TABLE files ADD COLUMN order_id bigint REFERENCES orders, ADD COLUMN field text NOT NULL DEFAULT '';
UPDATE files f SET order_id = d.order_id FROM deliveries d WHERE d.id = f.delivery_id;
ALTER TABLE files
	ALTER COLUMN order_id SET NOT NULL,
	ALTER COLUMN delivery_id DROP NOT NULL,
	ADD CONSTRAINT files_of_one CHECK ((delivery_id IS NULL) = (field <> ''));
CREATE INDEX files_order_idx ON files (order_id);
