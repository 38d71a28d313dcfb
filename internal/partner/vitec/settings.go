package vitec

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"portico/internal/portal"
)

var connectionPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// Configure reads one connection of an apply file, as JSON with its secrets
// filled in, and returns it with every default made explicit, or everything
// that is wrong with it. Paths of faults start inside the connection.
func Configure(raw json.RawMessage) (portal.Connection, []portal.Fault) {
	var faults []portal.Fault
	o := newObject("", raw, &faults)
	s := defaults()
	c := portal.Connection{ID: o.required("id"), System: System, InteractionLink: portal.LinkSigned}
	if c.ID != "" && !connectionPattern.MatchString(c.ID) {
		o.fault("id", "may have letters, digits, - and _ only, at most 64")
	}
	if system := o.required("system"); system != "" && system != System {
		o.fault("system", "is %q, not %q", system, System)
	}
	if o.text("base_url", &s.BaseURL) {
		s.BaseURL = strings.TrimRight(s.BaseURL, "/")
		if why := checkBaseURL(s.BaseURL); why != "" {
			o.fault("base_url", "%s", why)
		}
	}
	link := string(c.InteractionLink)
	if o.text("interaction_link", &link); link != string(portal.LinkSigned) && link != string(portal.LinkCallback) {
		o.fault("interaction_link", "is %q; signed and callback are possible", link)
	}
	c.InteractionLink = portal.LinkKind(link)
	c.Credentials = readCredentials(o)
	readSetStatus(o.object("set_status"), &s.SetStatus)
	readStatusMap(o.object("status_map"), s.StatusMap)
	readListQuery(o.object("list_query"), &s.ListQuery)
	readRate(o.object("rate"), &s.Rate)
	s.LeadSources = readSources(o, "lead_sources")
	s.AssignmentSources = readSources(o, "assignment_sources")
	if o.number("lead_retention_days", &s.LeadRetentionDays) && (s.LeadRetentionDays < 1 || s.LeadRetentionDays > 3650) {
		o.fault("lead_retention_days", "must be 1 to 3650")
	}
	o.end()
	if len(faults) > 0 {
		return portal.Connection{}, faults
	}
	c.Reports, c.Settings = s.reports(), encode(s)
	return c, nil
}

// checkBaseURL says what is wrong with an address that credentials are sent to.
func checkBaseURL(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return "is no address; https://host is"
	case u.User != nil:
		return "may hold no username or password"
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return "may have no ? and no #"
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return ""
	}
	return "must start with https://, unless it is on this machine"
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func readCredentials(o *object) []portal.Credential {
	var all []portal.Credential
	list := o.list("credentials", true)
	for _, item := range list {
		cred := portal.Credential{Customer: item.required("customer"), Username: item.required("username"),
			Password: item.required("password")}
		if cred.Customer != "" && cred.Customer != portal.AnyCustomer && !idPattern.MatchString(cred.Customer) {
			item.fault("customer", "is no customer id; \"*\" is any")
		}
		if strings.Contains(cred.Username, ":") || strings.ContainsFunc(cred.Username, unicode.IsControl) {
			item.fault("username", "may have no colon and no control characters")
		}
		if strings.ContainsFunc(cred.Password, unicode.IsControl) {
			item.fault("password", "may have no control characters")
		}
		if cred.Customer != "" && slices.ContainsFunc(all, func(c portal.Credential) bool { return c.Customer == cred.Customer }) {
			item.fault("customer", "%q has a credential already", cred.Customer)
		}
		all = append(all, cred)
		item.end()
	}
	return all
}

func readSetStatus(o *object, s *setStatus) {
	defer o.end()
	methods := []string{http.MethodPut, http.MethodPost, http.MethodPatch}
	if o.text("method", &s.Method) && !slices.Contains(methods, s.Method) {
		o.fault("method", "is %q; PUT, POST and PATCH are possible", s.Method)
	}
	if o.text("path", &s.Path) {
		checkPath(o, s.Path)
	}
	if o.json("body", &s.Body) {
		checkBody(o, s.Body)
	}
	for _, name := range []string{"orderId", "status"} {
		if p := "{" + name + "}"; !strings.Contains(s.Path, p) && !strings.Contains(string(s.Body), p) {
			o.fault("body", "%s is neither here nor in the path", p)
		}
	}
}

func checkPath(o *object, path string) {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		o.fault("path", "must start with one /")
	}
	if strings.Contains(path, "{comment}") {
		o.fault("path", "{comment} may stand in the body only")
	}
	for _, p := range unknownPlaceholders(path) {
		o.fault("path", "%s is unknown; %s are possible", p, known(placeholders))
	}
	bare := placeholderPattern.ReplaceAllString(path, "x")
	if u, err := url.Parse(bare); err != nil || u.EscapedPath() != bare {
		o.fault("path", "is no path of an address")
	}
}

func checkBody(o *object, body json.RawMessage) {
	if body[0] != '{' {
		o.fault("body", "must be an object")
		return
	}
	pieces, err := parseBody(body)
	if err != nil {
		o.fault("body", "is no JSON")
		return
	}
	for _, p := range pieces {
		if p.leaf {
			for _, name := range unknownPlaceholders(p.text) {
				o.fault("body", "%s is unknown; %s are possible", name, known(placeholders))
			}
		} else if key := knownPlaceholder(p.json); key != "" {
			o.fault("body", "%s may stand in values only, not in names", key)
		}
	}
}

func knownPlaceholder(s string) string {
	for _, name := range placeholders {
		if p := "{" + name + "}"; strings.Contains(s, p) {
			return p
		}
	}
	return ""
}

func unknownPlaceholders(s string) []string {
	var unknown []string
	for _, m := range placeholderPattern.FindAllStringSubmatch(s, -1) {
		if !slices.Contains(placeholders, m[1]) && !slices.Contains(unknown, m[0]) {
			unknown = append(unknown, m[0])
		}
	}
	return unknown
}

func known(names []string) string { return "{" + strings.Join(names, "} {") + "}" }

func readStatusMap(o *object, m map[portal.State]string) {
	defer o.end()
	if o.has("waiting") {
		o.fault("waiting", "has no status: a question to the broker always is a user interaction")
		o.skip("waiting")
	}
	for _, state := range []portal.State{portal.Received, portal.Active, portal.Delivered, portal.Failed, portal.Cancelled} {
		status := m[state]
		if o.text(string(state), &status) && !statusPattern.MatchString(status) {
			o.fault(string(state), "may have letters, digits, - and _ only, at most 64; \"\" sends nothing")
		}
		m[state] = status
	}
}

var statusPattern = regexp.MustCompile(`^[\pL\pN_-]{0,64}$`)

func readListQuery(o *object, q *listQuery) {
	defer o.end()
	names := []struct {
		key  string
		into *string
	}{{"target_id", &q.TargetID}, {"created_min", &q.CreatedMin}, {"created_max", &q.CreatedMax}, {"status", &q.Status}}
	var seen []string
	for _, n := range names {
		if o.text(n.key, n.into) && !queryPattern.MatchString(*n.into) {
			o.fault(n.key, "is no name of a query parameter")
		}
		if slices.Contains(seen, *n.into) {
			o.fault(n.key, "%q names two parameters", *n.into)
		}
		seen = append(seen, *n.into)
	}
}

var queryPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.\[\]-]{0,63}$`)

func readRate(o *object, r *rateLimit) {
	defer o.end()
	if o.number("concurrent", &r.Concurrent) && (r.Concurrent < 1 || r.Concurrent > 64) {
		o.fault("concurrent", "must be 1 to 64")
	}
	if o.decimal("per_second", &r.PerSecond) && (r.PerSecond <= 0 || r.PerSecond > 1000) {
		o.fault("per_second", "must be more than 0 and at most 1000")
	}
}

func readSources(o *object, key string) []source {
	var all []source
	for _, item := range o.list(key, false) {
		s := source{ID: item.required("id"), Name: item.required("name")}
		if s.ID != "" && slices.ContainsFunc(all, func(other source) bool { return other.ID == s.ID }) {
			item.fault("id", "%q is there twice", s.ID)
		}
		all = append(all, s)
		item.end()
	}
	return all
}
