package main

import "testing"

// seedPolls adds two connections that no worker touches: of one, orders could
// not be taken in; the other has never been fetched.
func (s *scene) seedPolls() {
	s.t.Helper()
	s.exec(`
		WITH norr AS (
			INSERT INTO connections (id, system, interaction_link, reports, settings, updated_at, poll_seconds)
			SELECT id, 'tjansteguiden', 'signed', '{}', '{}', now(), 300 FROM unnest(ARRAY['norr', 'soder']) id RETURNING id
		), polled AS (
			INSERT INTO polls (connection_id, cursor, next_run_at, created_at, last_at, last_ok_at, listed, imported)
			SELECT 'norr', current_date, now() + interval '1 day', now(), now() - interval '2 minutes', now() - interval '2 minutes', 1214, 3
			UNION ALL SELECT 'soder', current_date, now() + interval '1 day', now(), NULL, NULL, 0, 0 RETURNING connection_id
		)
		INSERT INTO fetched_orders (connection_id, key, listed, found_at, next_run_at, tries, reason, raw)
		SELECT 'norr', listed ->> 'order_id', listed, now() - interval '26 hours', now() + interval '25 minutes', tries, reason, raw FROM (VALUES
			('{"order_id": "880412", "service_id": "2440"}'::jsonb, 3, '{"Key": "polls.unknown_service", "Args": {"Service": "2440"}}'::jsonb, ''),
			('{"order_id": "880409", "service_id": "2441"}', 1, '{"Key": "polls.unreadable"}', $1),
			('{"order_id": ""}', 12, '{"Key": "polls.no_id"}', '{}')) AS o (listed, tries, reason, raw)`, cutShort)
}

// cutShort is an answer that ends in the middle, with a line that is too long for any screen.
const cutShort = `<?xml version="1.0" encoding="utf-8"?>
<order_info>
  <order_id>880409</order_id>
  <message>aGVyZWlzYXZlcnlsb25nbGluZXRoYXRub2JvZHlicm9rZW5vcndpbGxicmVha2hlcmVpc2F2ZXJ5bG9uZ2xpbmV0aGF0bm9ib2R5YnJva2U=</message>
  <product>Bredband 100/100`

// TestScreensOfPolls looks at the screen in its states.
func TestScreensOfPolls(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	b := newTab(t, s.demoRun, speaking("sv"))
	s.logIn(b)
	address := s.portal + "/staff/polls"
	s.exec(`UPDATE connections SET poll_seconds = 0`)
	b.open(address)
	b.inspect("polls-none")
	s.seedPolls()
	b.open(address)
	b.inspect("polls")
	b.focusShows("polls")
	b.steady("polls", address)
	b.unfold()
	b.inspect("polls-unfolded")
	b.pressFor(422, "[data-testid=aside-row] form[action$='/dismissal'] button")
	b.inspect("polls-fault")
	b.write("[data-testid=aside-row] textarea", "Det är en testbeställning från nätägaren.")
	b.press("[data-testid=aside-row] form[action$='/dismissal'] button")
	b.unfold()
	b.inspect("polls-dismissed")
	s.exec(`UPDATE polls SET last_ok_at = now() - interval '3 hours', failures = 17, last_error = '{"Key": "polls.credential"}' WHERE connection_id = 'norr'`)
	s.exec(`UPDATE polls SET leased_until = now() + interval '1 hour' WHERE connection_id = 'soder'`)
	b.open(address)
	b.inspect("polls-stale")
	b.open(s.portal + "/staff/orders")
	b.sees("[data-testid=alarms] a")
	b.inspect("queue-stale")
}
