package chaos

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// staff fulfils orders, one action after another.
type staff struct {
	w   *world
	rng *rand.Rand
	own *browser
	in  bool
}

// actions are the workspace's forms, with what the partner learns by each.
var actions = map[string]string{"start": underway, "deliveries": delivered, "failure": failure,
	"interactions": interaction, "reopening": underway, "cancellation": failure}

// weights are how likely each is beside the others that are offered.
var weights = []struct {
	action string
	times  int
}{{"start", 2}, {"deliveries", 4}, {"failure", 2}, {"interactions", 3}, {"reopening", 4}, {"cancellation", 1}}

// act does one thing with one of the orders.
func (s *staff) act() {
	dice := s.rng.IntN(1 << 30)
	o := s.take()
	if o == nil {
		return
	}
	defer s.w.clients.leave(o)
	if !s.signIn() || !s.locate(o) {
		return
	}
	page, err := s.own.ask(http.MethodGet, "/staff/orders/"+o.public, nil)
	if err != nil || page.status != http.StatusOK {
		s.in = s.in && page.status != http.StatusSeeOther
		return
	}
	if action := choose(page.body, dice); action != "" {
		s.change(o, action)
	}
}

// take lends an order that is completed, as a rule the one that is asked for.
func (s *staff) take() *order {
	s.w.mu.Lock()
	favourite := s.w.favourite
	s.w.mu.Unlock()
	ready := func(o *order) bool {
		return o.opened == acknowledged && (o.form == nil || o.submitted == acknowledged)
	}
	if favourite != nil && s.rng.IntN(3) == 0 {
		return s.w.clients.take(s.rng, func(o *order) bool { return o == favourite && ready(o) })
	}
	return s.w.clients.take(s.rng, ready)
}

// signIn reports whether the browser has a session.
func (s *staff) signIn() bool {
	if !s.in {
		got, err := s.own.ask(http.MethodPost, "/staff/login", url.Values{"email": {staffEmail}, "password": {s.w.env["STAFF_PASSWORD"]}})
		s.in = err == nil && got.status == http.StatusSeeOther
	}
	return s.in
}

// locate finds the address of an order that no browser has opened.
func (s *staff) locate(o *order) bool {
	if o.public != "" {
		return true
	}
	var public string
	err := s.w.cluster.own().QueryRowContext(s.w.Context(), `
		SELECT o.public_id FROM orders o JOIN offices p ON p.id = o.office_id
		WHERE o.connection_id = $1 AND p.customer_id = $2 AND o.partner_order_id = $3`, o.connection, o.office, o.id).Scan(&public)
	s.w.clients.update(func() { o.public = public })
	return err == nil
}

var formPattern = regexp.MustCompile(`action="/staff/orders/[^"/]+/([a-z]+)"`)

// choose throws dice for one of the forms that a workspace offers.
func choose(page string, dice int) string {
	var offered []string
	for _, match := range formPattern.FindAllStringSubmatch(page, -1) {
		offered = append(offered, match[1])
	}
	var pool []string
	for _, w := range weights {
		if slices.Contains(offered, w.action) {
			pool = append(pool, slices.Repeat([]string{w.action}, w.times)...)
		}
	}
	if len(pool) == 0 {
		return ""
	}
	return pool[dice%len(pool)]
}

// change sends one of the forms.
func (s *staff) change(o *order, action string) {
	during := s.w.clients.during()
	tried := step{status: o.hears(actions[action])}
	if actions[action] != underway {
		// Nothing else about the order says the same.
		tried.comment = fmt.Sprintf("Meddelande %d: ring %s, %s.", len(o.steps)+1, canaryName, canaryPhone)
	}
	i := s.w.clients.try(o, tried)
	input := map[string]string{"deliveries": "message", "failure": "description", "interactions": "comment", "cancellation": "reason"}[action]
	got, err := s.own.ask(http.MethodPost, "/staff/orders/"+o.public+"/"+action, url.Values{input: {tried.comment}})
	s.w.clients.tried(o, i, during, outcomeOf(got, err, http.StatusSeeOther))
}

var (
	retryPattern = regexp.MustCompile(`action="/staff/outbox/(\d+)/retry"`)
	nextPattern  = regexp.MustCompile(`href="([^"]*)" rel="next"`)
)

// outbox returns the jobs that the outbox shows with a button to retry them.
func (s *staff) outbox() (map[int64]bool, error) {
	if !s.signIn() {
		return nil, fmt.Errorf("staff cannot sign in")
	}
	jobs := map[int64]bool{}
	for path := "/staff/outbox"; path != ""; {
		page, err := s.own.ask(http.MethodGet, path, nil)
		if err != nil || page.status != http.StatusOK {
			return nil, fmt.Errorf("%s: status %d, %v", path, page.status, err)
		}
		for _, match := range retryPattern.FindAllStringSubmatch(page.body, -1) {
			id, err := strconv.ParseInt(match[1], 10, 64)
			if err != nil {
				return nil, err
			}
			jobs[id] = true
		}
		path = ""
		if next := nextPattern.FindStringSubmatch(page.body); next != nil {
			path = strings.ReplaceAll(next[1], "&amp;", "&")
		}
	}
	return jobs, nil
}

// retry has a job sent now. One that is over or on its way needs it no more.
func (s *staff) retry(job int64) error {
	got, err := s.own.ask(http.MethodPost, fmt.Sprintf("/staff/outbox/%d/retry", job), url.Values{})
	if err == nil && got.status != http.StatusSeeOther && got.status != http.StatusConflict {
		err = fmt.Errorf("status %d", got.status)
	}
	if err != nil {
		return fmt.Errorf("retry job %d: %w", job, err)
	}
	return nil
}
