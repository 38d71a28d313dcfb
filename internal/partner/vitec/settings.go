package vitec

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"portico/internal/partner/door"
	"portico/internal/partner/settings"
	"portico/internal/portal"
)

// Configure reads one connection of an apply file, as JSON with its secrets
// filled in, and returns it with every default made explicit, or everything
// that is wrong with it. Paths of faults start inside the connection.
func Configure(raw json.RawMessage) (portal.Connection, []portal.Fault) {
	var faults []portal.Fault
	o := settings.New("", raw, &faults)
	s := defaults()
	c := o.Connection(System)
	o.Address("base_url", &s.BaseURL)
	c.InteractionLink = portal.LinkSigned
	o.Link("interaction_link", &c.InteractionLink)
	c.Credentials = readCredentials(o)
	readSetStatus(o.Object("set_status"), &s.SetStatus)
	readStatusMap(o.Object("status_map"), s.StatusMap)
	readListQuery(o.Object("list_query"), &s.ListQuery)
	o.Rate("rate", &s.Rate)
	s.LeadSources = readSources(o, "lead_sources")
	s.AssignmentSources = readSources(o, "assignment_sources")
	if o.Number("lead_retention_days", &s.LeadRetentionDays) && (s.LeadRetentionDays < 1 || s.LeadRetentionDays > 3650) {
		o.Fault("lead_retention_days", "must be 1 to 3650")
	}
	o.End()
	if len(faults) > 0 {
		return portal.Connection{}, faults
	}
	c.Reports, c.LeadDays, c.Settings = s.reports(), s.LeadRetentionDays, door.JSON(s)
	return c, nil
}

func readCredentials(o *settings.Object) []portal.Credential {
	var all []portal.Credential
	list := o.List("credentials", true)
	for _, item := range list {
		cred := portal.Credential{Customer: item.Required("customer"), Username: item.Required("username"),
			Password: item.Required("password")}
		if cred.Customer != "" && cred.Customer != portal.AnyCustomer && !idPattern.MatchString(cred.Customer) {
			item.Fault("customer", "is no customer id; \"*\" is any")
		}
		if strings.Contains(cred.Username, ":") || strings.ContainsFunc(cred.Username, unicode.IsControl) {
			item.Fault("username", "may have no colon and no control characters")
		}
		if strings.ContainsFunc(cred.Password, unicode.IsControl) {
			item.Fault("password", "may have no control characters")
		}
		if cred.Customer != "" && slices.ContainsFunc(all, func(c portal.Credential) bool { return c.Customer == cred.Customer }) {
			item.Fault("customer", "%q has a credential already", cred.Customer)
		}
		all = append(all, cred)
		item.End()
	}
	return all
}

func readSetStatus(o *settings.Object, s *setStatus) {
	defer o.End()
	methods := []string{http.MethodPut, http.MethodPost, http.MethodPatch}
	if o.Text("method", &s.Method) && !slices.Contains(methods, s.Method) {
		o.Fault("method", "is %q; PUT, POST and PATCH are possible", s.Method)
	}
	if o.Text("path", &s.Path) {
		checkPath(o, s.Path)
	}
	if o.JSON("body", &s.Body) {
		checkBody(o, s.Body)
	}
	for _, name := range []string{"orderId", "status"} {
		if p := "{" + name + "}"; !strings.Contains(s.Path, p) && !strings.Contains(string(s.Body), p) {
			o.Fault("body", "%s is neither here nor in the path", p)
		}
	}
}

func checkPath(o *settings.Object, path string) {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		o.Fault("path", "must start with one /")
	}
	if strings.Contains(path, "{comment}") {
		o.Fault("path", "{comment} may stand in the body only")
	}
	for _, p := range unknownPlaceholders(path) {
		o.Fault("path", "%s is unknown; %s are possible", p, known(placeholders))
	}
	bare := placeholderPattern.ReplaceAllString(path, "x")
	if u, err := url.Parse(bare); err != nil || u.EscapedPath() != bare {
		o.Fault("path", "is no path of an address")
	}
}

func checkBody(o *settings.Object, body json.RawMessage) {
	if body[0] != '{' {
		o.Fault("body", "must be an object")
		return
	}
	pieces, err := parseBody(body)
	if err != nil {
		o.Fault("body", "is no JSON")
		return
	}
	for _, p := range pieces {
		if p.leaf {
			for _, name := range unknownPlaceholders(p.text) {
				o.Fault("body", "%s is unknown; %s are possible", name, known(placeholders))
			}
		} else if key := knownPlaceholder(p.json); key != "" {
			o.Fault("body", "%s may stand in values only, not in names", key)
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

func readStatusMap(o *settings.Object, m map[portal.State]string) {
	defer o.End()
	if o.Has("waiting") {
		o.Fault("waiting", "has no status: a question to the broker always is a user interaction")
		o.Skip("waiting")
	}
	for _, state := range []portal.State{portal.Received, portal.Active, portal.Delivered, portal.Failed, portal.Cancelled} {
		status := m[state]
		if o.Text(string(state), &status) && !statusPattern.MatchString(status) {
			o.Fault(string(state), "may have letters, digits, - and _ only, at most 64; \"\" sends nothing")
		}
		m[state] = status
	}
}

var statusPattern = regexp.MustCompile(`^[\pL\pN_-]{0,64}$`)

func readListQuery(o *settings.Object, q *listQuery) {
	defer o.End()
	o.QueryName("target_id", &q.TargetID)
	o.QueryName("created_min", &q.CreatedMin)
	o.QueryName("created_max", &q.CreatedMax)
	o.QueryName("status", &q.Status)
}

func readSources(o *settings.Object, key string) []source {
	var all []source
	for _, item := range o.List(key, false) {
		s := source{ID: item.Required("id"), Name: item.Required("name")}
		if s.ID != "" && slices.ContainsFunc(all, func(other source) bool { return other.ID == s.ID }) {
			item.Fault("id", "%q is there twice", s.ID)
		}
		all = append(all, s)
		item.End()
	}
	return all
}
