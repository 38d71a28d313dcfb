package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"portico/static"
)

// route is a pattern of routes.go and what each kind of visitor is answered who
// is not the order's own broker.
type route struct {
	pattern                             string
	anonymous, other, viewer, fulfiller int
}

// The rows that change something stand in the order in which a fulfiller sends
// them, each with an empty form.
var routes = []route{
	{"GET /static/", 200, 200, 200, 200},
	{"GET /{$}", 200, 200, 200, 200},
	{"GET /healthz", 200, 200, 200, 200},
	{"GET /readyz", 200, 200, 200, 200},
	{"GET /ping", 200, 200, 200, 200},
	{"/callback/{service}", 403, 403, 403, 403},
	{"/callback/{service}/{secret}", 404, 404, 404, 404},
	{"POST /oauth/{connection}/token", 404, 404, 404, 404},
	{"GET /visit/{token}", 410, 410, 410, 410},
	{"GET /staff/login", 200, 200, 200, 200},
	{"POST /staff/login", 422, 422, 422, 422},
	{"POST /staff/logout", 303, 303, 303, 303},
	{"/", 404, 404, 404, 404},

	{"GET /orders/{id}", 401, 401, 401, 401},
	{"POST /orders/{id}/submission", 401, 401, 401, 401},
	{"POST /orders/{id}/messages", 401, 401, 401, 401},
	{"POST /orders/{id}/answers", 401, 401, 401, 401},
	{"POST /orders/{id}/revisions", 401, 401, 401, 401},
	{"POST /orders/{id}/cancellation", 401, 401, 401, 401},
	{"GET /orders/{id}/files/{file}", 401, 401, 401, 401},
	{"GET /orders/{id}/files.zip", 401, 401, 401, 401},

	{"GET /staff/{$}", 303, 303, 303, 303},
	{"GET /staff/orders", 303, 303, 200, 200},
	{"GET /staff/orders/new", 303, 303, 403, 404},
	{"GET /staff/orders/{id}", 303, 303, 200, 200},
	{"GET /staff/orders/{id}/files/{file}", 303, 303, 200, 200},
	{"GET /staff/orders/{id}/log", 303, 303, 404, 404},
	{"GET /staff/outbox", 303, 303, 200, 200},
	{"GET /staff/reconciliation", 303, 303, 200, 200},
	{"GET /staff/leads", 303, 303, 200, 200},
	{"GET /staff/leads.csv", 303, 303, 200, 200},
	{"GET /staff/leads/new", 303, 303, 403, 200},
	{"GET /staff/leads/{id}", 303, 303, 200, 200},
	{"GET /staff/leads/{id}/edit", 303, 303, 403, 409},
	{"GET /staff/polls", 303, 303, 200, 200},
	{"GET /staff/services", 303, 303, 200, 200},
	{"GET /staff/services/{id}", 303, 303, 200, 200},
	{"GET /staff/services/{id}/registration.md", 303, 303, 200, 200},
	{"POST /staff/orders", 401, 401, 403, 404},
	{"POST /staff/orders/{id}/deliveries", 401, 401, 403, 422},
	{"POST /staff/orders/{id}/failure", 401, 401, 403, 422},
	{"POST /staff/orders/{id}/interactions", 401, 401, 403, 422},
	{"POST /staff/orders/{id}/start", 401, 401, 403, 303},
	{"POST /staff/orders/{id}/reopening", 401, 401, 403, 409},
	{"POST /staff/orders/{id}/cancellation", 401, 401, 403, 422},
	{"POST /staff/orders/{id}/steps", 401, 401, 403, 409},
	{"POST /staff/orders/{id}/activation", 401, 401, 403, 422},
	{"POST /staff/orders/{id}/personal-number", 401, 401, 403, 404},
	{"POST /staff/orders/{id}/follow-up", 401, 401, 403, 409},
	{"POST /staff/orders/{id}/messages", 401, 401, 403, 422},
	{"POST /staff/orders/{id}/notes", 401, 401, 403, 422},
	{"POST /staff/orders/{id}/assignment", 401, 401, 403, 303},
	{"POST /staff/outbox/retry", 401, 401, 403, 422},
	{"POST /staff/outbox/skip", 401, 401, 403, 422},
	{"POST /staff/outbox/{job}/retry", 401, 401, 403, 303},
	{"POST /staff/outbox/{job}/skip", 401, 401, 403, 422},
	{"POST /staff/reconciliation", 401, 401, 403, 404},
	{"POST /staff/reconciliation/{difference}/import", 401, 401, 403, 422},
	{"POST /staff/reconciliation/{difference}/report", 401, 401, 403, 409},
	{"POST /staff/reconciliation/{difference}/acceptance", 401, 401, 403, 422},
	{"POST /staff/leads", 401, 401, 403, 422},
	{"POST /staff/leads/preview", 401, 401, 403, 200},
	{"POST /staff/leads/{id}/correction", 401, 401, 403, 422},
	{"POST /staff/leads/{id}/arrival", 401, 401, 403, 409},
	{"POST /staff/leads/{id}/retry", 401, 401, 403, 303},
	{"POST /staff/leads/{id}/personal-number", 401, 401, 403, 404},
	{"POST /staff/polls", 401, 401, 403, 404},
	{"POST /staff/polls/orders/{order}/retry", 401, 401, 403, 303},
	{"POST /staff/polls/orders/{order}/dismissal", 401, 401, 403, 422},
	{"GET /staff/people", 303, 303, 403, 403},
	{"POST /staff/people/search", 401, 401, 403, 403},
	{"POST /staff/people/export", 401, 401, 403, 403},
	{"POST /staff/people/confirmation", 401, 401, 403, 403},
	{"POST /staff/people/erasure", 401, 401, 403, 403},
}

// routesLead is the public id of the lead that the routes are about.
const routesLead = "LEAD"

// TestRoutesAreAllThere keeps a route from being added without its guards being
// thought of here.
func TestRoutesAreAllThere(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("routes.go")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, r := range routes {
		known[r.pattern] = true
	}
	found := regexp.MustCompile(`(?i)\.handle\("([^"]+)"`).FindAllStringSubmatch(string(source), -1)
	for _, match := range found {
		if !known[match[1]] {
			t.Errorf("%s is not in the table", match[1])
		}
	}
	if len(found) != len(routes) {
		t.Errorf("routes.go has %d routes, the table %d", len(found), len(routes))
	}
}

// request returns method and path of a route for an order that is received; the
// files are of another one that is delivered.
func (r route) request(received, delivered, file, job string) (method, path string) {
	method, path, ok := strings.Cut(r.pattern, " ")
	if !ok {
		method, path = "GET", r.pattern
	}
	order := received
	if strings.Contains(path, "/files") {
		order = delivered
	}
	switch path {
	case "/static/":
		path = static.Path("app.css")
	case "/":
		path = "/nowhere"
	}
	return method, strings.NewReplacer("/orders/{id}", order, "/services/{id}", "/services/expertfoto", "/leads/{id}", "/leads/"+routesLead, "{file}", file, "{job}", job, "{difference}", "1", "{order}", "1", "{service}", "expertfoto",
		"{token}", "guess", "{$}", "").Replace(path)
}

func TestRouteGuards(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	id, address := b.order("skylt")
	received := b.browser().open(address)
	deliveredID, address := b.order("skylt")
	delivered := b.browser().open(address)
	b.staff(staffEmail).deliver("/staff"+delivered, map[string]string{"bild.jpg": jpeg}, nil).want(http.StatusSeeOther)
	file, job := b.query(`SELECT id FROM files`), b.query(`SELECT max(id) FROM jobs`)
	b.query(`
		INSERT INTO differences (office_id, kind, partner_order_id, order_id, ours, theirs, report, listed, known, found_at)
		SELECT office_id, 'state_differs', partner_order_id, id, 'received', 'Delivered', 'received', '{}', true, now()
		FROM orders ORDER BY id LIMIT 1 RETURNING id`)
	b.leadOf("Åsa")
	b.query(`UPDATE leads SET public_id = $1, sealed_number = NULL RETURNING id`, routesLead)
	b.query(`
		INSERT INTO fetched_orders (connection_id, key, listed, found_at, next_run_at, reason)
		VALUES ('vitec', 'x', '{}', now(), now() + interval '1 day', '{"Key": "polls.no_id"}') RETURNING id`)
	_, otherAddress := b.order("skylt")
	columns := []struct {
		name    string
		browser func() *browser
		want    func(route) int
	}{
		{"anonymous", b.browser, func(r route) int { return r.anonymous }},
		{"broker of another order", func() *browser { br := b.browser(); br.open(otherAddress); return br }, func(r route) int { return r.other }},
		{"viewer", func() *browser { return b.staff(viewerEmail) }, func(r route) int { return r.viewer }},
		{"fulfiller", func() *browser { return b.staff(staffEmail) }, func(r route) int { return r.fulfiller }},
	}
	b.browser().open(otherAddress)
	before := b.changes()
	for _, column := range columns {
		for _, r := range routes {
			method, path := r.request(received, delivered, file, job)
			a := column.browser().do(method, path, formType, nil)
			want := column.want(r)
			if a.status != want {
				t.Errorf("%s: %s %s: status %d, want %d", column.name, method, path, a.status, want)
			}
			if want == 401 || want == 403 || want == 303 && column.name != "fulfiller" {
				a.hasNot("Säljarsson", id, deliveredID, "OBJ30011", "M30011")
			}
			if login := strings.HasPrefix(a.header.Get("Location"), "/staff/login"); login && column.want(r) != r.anonymous {
				t.Errorf("%s: %s %s: sent to the log-in", column.name, method, path)
			}
		}
		if after := b.changes(); column.name != "fulfiller" && after != before {
			t.Errorf("%s changed something: %s, then %s", column.name, before, after)
		}
	}
	if b.changes() == before {
		t.Error("the fulfiller changed nothing: this test would not notice anything")
	}
}

// changes is what every change to an order or a job shows in.
func (b *bundle) changes() string {
	b.t.Helper()
	return b.query(`
		SELECT concat_ws(', ', (SELECT count(*) FROM events) || ' events', (SELECT string_agg(state, ' ' ORDER BY id) FROM orders),
			(SELECT string_agg(state || attempt, ' ' ORDER BY id) FROM jobs), (SELECT count(settled_at) FROM differences) || ' settled',
			(SELECT string_agg(next_run_at || COALESCE(dismissed_reason, ''), ' ') FROM fetched_orders))`)
}

// TestCrossSiteForms: no other site can send one of our forms, whoever is
// signed in.
func TestCrossSiteForms(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("skylt")
	br := b.browser()
	page := br.open(address)
	br.login(staffEmail, staffPassword).want(http.StatusSeeOther)
	job := b.query(`SELECT id FROM jobs`)
	headers := map[string][2]string{"cross-site": {"Sec-Fetch-Site", "cross-site"}, "another host of the site": {"Sec-Fetch-Site", "same-site"},
		"origin": {"Origin", "https://evil.example"}, "opaque origin": {"Origin", "null"}}
	form := url.Values{"reason": {"x"}, "body": {"x"}, "description": {"x"}, "comment": {"x"}, "email": {staffEmail}, "password": {staffPassword}}
	before := b.changes()
	for _, r := range append(routes, route{pattern: "POST /callback/{service}"}) {
		if !strings.HasPrefix(r.pattern, "POST ") {
			continue
		}
		_, path := r.request(page, page, "x", job)
		for name, header := range headers {
			a := br.with(header[0], header[1]).post(path, form)
			if a.status != http.StatusForbidden || !strings.Contains(a.body, "Sidan som skickade det här är inte vår.") {
				t.Errorf("%s, %s: status %d", path, name, a.status)
			}
		}
	}
	if after := b.changes(); after != before {
		t.Errorf("something changed: %s, then %s", before, after)
	}
	own := br.with("Sec-Fetch-Site", "same-origin").with("Origin", b.web.URL)
	own.post("/staff"+page+"/notes", form).want(http.StatusSeeOther)
	br.with("Origin", b.web.URL).post(page+"/messages", form).want(http.StatusSeeOther)
	own.post("/staff/logout", nil).want(http.StatusSeeOther)
}

// TestOddAddresses: whatever stands in an address, it is never our fault.
func TestOddAddresses(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("skylt")
	br := b.browser()
	page := br.open(address)
	br.login(staffEmail, staffPassword).want(http.StatusSeeOther)
	odd := []string{"%00", "%ff", "%FF%00", "..%2f..", "%E2%80%AE", "x%20x", "'--", "9999999999999999999999", "-1", strings.Repeat("A", 3000)}
	paths := []string{"/%s", "/orders/%s", "/orders/%s/files.zip", page + "/files/%s", "/staff/orders/%s", "/staff" + page + "/files/%s",
		"/staff/orders?q=%s", "/staff/orders?office=%s", "/staff/orders?service=%s", "/staff/orders?state=%s", "/staff/orders?sort=%s",
		"/staff/orders?after=%s", "/staff/orders?follow_up=%s", "/staff/orders/%s/log", "/staff/outbox?after=%s", "/staff/services/%s", "/staff/services/%s/registration.md", "/staff/outbox?office=%s", "/staff/reconciliation?connection=%s&office=%[1]s", "/staff/leads?q=%s&state=%[1]s&office=%[1]s", "/staff/leads?after=%s&connection=%[1]s", "/staff/leads.csv?q=%s&after=%[1]s", "/staff/leads/%s", "/staff/leads/%s/edit", "/staff/leads/new?order=%s", "/staff/leads/new?connection=%s", "/staff/outbox?connection=%s&kind=%[1]s&age=%[1]s", "/callback/%s", "/visit/%s", "/callback/skylt?customerId=%s&token=x", "/callback/skylt?customerId=M30011&token=%s",
		"/?lang=%s", "/staff/login?next=%s", "/static/%s"}
	cursors := []string{"MDAwMC0wMS0wMVQwMDowMDowMFogMQ", "aW5maW5pdHkgMQ", "aW5maW5pdHkgOTk5OTk5OTk5OTk5OTk5OTk5OQ"}
	for _, path := range paths {
		for _, value := range slices.Concat(odd, cursors) {
			if a := b.oddVisitor(br).get(fmt.Sprintf(path, value)); a.status >= 500 {
				t.Errorf("GET "+path+": status %d", value, a.status)
			}
		}
	}
	posts := []string{"/staff/outbox/skip?%s", "/staff/outbox/retry?%s", "/staff/outbox/%s/retry", "/staff/outbox/%s/skip", "/staff/reconciliation/%s/report", "/staff/reconciliation/%s/acceptance", "/staff/reconciliation/%s/import?service=%[1]s", "/staff/polls/orders/%s/retry", "/staff/polls/orders/%s/dismissal", "/staff/leads/%s/correction", "/staff/leads/%s/arrival?partner_id=%[1]s", "/staff/leads/%s/retry", "/staff/leads/%s/personal-number", "/orders/%s/messages", "/staff/orders/%s/notes", "/staff/orders/%s/activation", "/staff/orders/%s/personal-number", "/staff/orders/%s/follow-up"}
	for _, path := range posts {
		for _, value := range odd {
			if a := b.oddVisitor(br).post(fmt.Sprintf(path, value), url.Values{"reason": {"x"}, "body": {"x"}, "job": {value}, "next": {value}}); a.status >= 500 {
				t.Errorf("POST "+path+": status %d", value, a.status)
			}
		}
	}
}

// oddVisitor is the browser at an address that no limit knows yet.
func (b *bundle) oddVisitor(br *browser) *browser {
	return br.with("X-Forwarded-For", b.browser().header.Get("X-Forwarded-For"))
}
