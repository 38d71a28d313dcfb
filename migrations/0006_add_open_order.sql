-- +goose Up

-- The order came in without a proof of where from, and the partner's own list
-- has not confirmed it yet.
ALTER TABLE orders ADD COLUMN unverified boolean NOT NULL DEFAULT false;

-- open_order stores or finds the order of a ticket in one round trip: its office,
-- its people, the order, what stands on its timeline from the start and the first
-- message to the partner. It decides nothing: state, events and message come from
-- the domain. An order that is there already is not touched; what it was first about
-- comes back beside it.
-- +goose StatementBegin
CREATE FUNCTION open_order(
	p_connection text, p_service text, p_form bigint, p_customer text, p_tenant text, p_chain text,
	p_owner text, p_user text, p_order text, p_target_type text, p_target_id text, p_ticket jsonb,
	p_public text, p_state text, p_received timestamptz, p_due timestamptz, p_currency text, p_words text,
	p_unverified boolean, p_events jsonb, p_message jsonb, p_attempts int, p_now timestamptz,
	OUT id bigint, OUT public_id text, OUT broker_id bigint, OUT is_new boolean,
	OUT had_type text, OUT had_target text, OUT had_owner text
) LANGUAGE plpgsql AS $$
DECLARE
	v_office bigint;
	v_owner bigint;
	v_event bigint;
	e jsonb;
	u text;
BEGIN
	SELECT o.id INTO v_office FROM offices o WHERE o.connection_id = p_connection AND o.customer_id = p_customer;
	IF v_office IS NULL THEN
		INSERT INTO offices AS o (connection_id, customer_id, tenant_id, chain_id, name, created_at)
		VALUES (p_connection, p_customer, p_tenant, p_chain, '', p_now)
		ON CONFLICT ON CONSTRAINT offices_customer_key DO NOTHING RETURNING o.id INTO v_office;
		IF v_office IS NULL THEN -- another transaction stored it and has committed
			SELECT o.id INTO v_office FROM offices o WHERE o.connection_id = p_connection AND o.customer_id = p_customer;
		END IF;
	END IF;

	-- In the same order every time: two who open each other's orders would wait for each other.
	FOREACH u IN ARRAY ARRAY[LEAST(p_owner, p_user), GREATEST(p_owner, p_user)] LOOP
		SELECT b.id INTO broker_id FROM brokers b WHERE b.office_id = v_office AND b.user_id = u;
		IF broker_id IS NULL THEN
			INSERT INTO brokers AS b (office_id, user_id, name, created_at) VALUES (v_office, u, '', p_now)
			ON CONFLICT ON CONSTRAINT brokers_user_key DO NOTHING RETURNING b.id INTO broker_id;
			IF broker_id IS NULL THEN
				SELECT b.id INTO broker_id FROM brokers b WHERE b.office_id = v_office AND b.user_id = u;
			END IF;
		END IF;
		IF u = p_owner THEN v_owner := broker_id; END IF;
	END LOOP;
	IF p_user <> GREATEST(p_owner, p_user) THEN
		SELECT b.id INTO broker_id FROM brokers b WHERE b.office_id = v_office AND b.user_id = p_user;
	END IF;

	INSERT INTO orders AS o (public_id, connection_id, office_id, partner_order_id, service_id, form_id, broker_id, target_type,
		target_id, ticket, state, answers, total, currency, received_at, due_at, created_at, updated_at, words, unverified)
	VALUES (p_public, p_connection, v_office, p_order, p_service, p_form, v_owner, p_target_type,
		p_target_id, p_ticket, p_state, '{}', 0, p_currency, p_received, p_due, p_now, p_now, p_words, p_unverified)
	ON CONFLICT ON CONSTRAINT orders_identity_key DO NOTHING
	RETURNING o.id, o.public_id INTO id, public_id;
	is_new := id IS NOT NULL;
	IF NOT is_new THEN
		SELECT o.id, o.public_id, o.target_type, o.target_id, b.user_id INTO id, public_id, had_type, had_target, had_owner
		FROM orders o JOIN brokers b ON b.id = o.broker_id
		WHERE o.connection_id = p_connection AND o.office_id = v_office AND o.partner_order_id = p_order;
		RETURN;
	END IF;

	FOR e IN SELECT * FROM jsonb_array_elements(p_events) LOOP
		INSERT INTO events (order_id, kind, actor_kind, actor_id, actor_name, for_broker, data, created_at)
		VALUES (id, e ->> 'kind', 'broker', broker_id, '', true, '{}', p_now) RETURNING events.id INTO v_event;
	END LOOP;
	IF p_message IS NOT NULL THEN
		INSERT INTO jobs (kind, state, connection_id, subject, order_id, unique_key, payload, max_attempts, run_at, created_at)
		VALUES ('report', 'available', p_connection, 'order/' || id, id, 'event/' || v_event,
			p_message || jsonb_build_object('order_id', id), p_attempts, p_now, p_now);
		PERFORM pg_notify('portico_jobs', '');
	END IF;
END $$;
-- +goose StatementEnd
