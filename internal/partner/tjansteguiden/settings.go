package tjansteguiden

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"portico/internal/partner/door"
	"portico/internal/partner/settings"
	"portico/internal/portal"
)

const (
	defaultPollEvery    = 5 * time.Minute
	minPollEvery        = time.Second
	maxPollEvery        = 24 * time.Hour
	defaultPersonalDays = 90
)

var (
	userPattern   = regexp.MustCompile(`^[0-9]{1,20}$`)
	prefixPattern = regexp.MustCompile(`^[A-Za-z0-9-]{1,32}$`)
	namePattern   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.\[\]-]{0,63}$`)
)

// Configure reads one connection of an apply file, as JSON with its secrets
// filled in, and returns it with every default made explicit, or everything
// that is wrong with it. Paths of faults start inside the connection.
func Configure(raw json.RawMessage) (portal.Connection, []portal.Fault) {
	var faults []portal.Fault
	o := settings.New("", raw, &faults)
	s := defaults()
	c := o.Connection(System)
	c.InteractionLink = portal.LinkCallback // nobody is sent a link: the customer is no user of ours
	c.Credentials = []portal.Credential{readLogin(o, &s)}
	zone := readZone(o, &s.TimeZone)
	readPolling(o, zone, &c)
	readNetworks(o, &s, &c)
	readStatusMap(o.Object("status_map"), s.StatusMap)
	readMessageTypes(o.Object("message_types"), s.MessageTypes)
	readQuery(o.Object("query"), &s.Query)
	o.Rate("rate", &s.Rate)
	c.PersonalDays = defaultPersonalDays
	if o.Number("personal_number_days", &c.PersonalDays) && (c.PersonalDays < 1 || c.PersonalDays > 3650) {
		o.Fault("personal_number_days", "must be 1 to 3650")
	}
	o.End()
	if len(faults) > 0 {
		return portal.Connection{}, faults
	}
	c.Reports, c.TakesRemarks, c.Settings = s.reports(), true, door.JSON(s)
	return c, nil
}

// readLogin reads who we are, and where.
func readLogin(o *settings.Object, s *config) portal.Credential {
	s.Role = o.Required("role")
	if s.Role != "" && s.Role != roleProvider && s.Role != roleNetwork {
		o.Fault("role", "is %q; %s (a service provider) and %s (a network) are possible", s.Role, roleProvider, roleNetwork)
	}
	if s.Role == roleNetwork && !o.Has("base_url") {
		o.Fault("base_url", "is missing: each network has its own, such as https://www.example.com/admin/edit/services/plain/orders")
	}
	s.BaseURL = providerBase
	o.Address("base_url", &s.BaseURL)
	s.APIUser = o.Required("api_user")
	if s.APIUser != "" && !userPattern.MatchString(s.APIUser) {
		o.Fault("api_user", "must be digits (in quotes)")
	}
	var key string
	if s.Role == roleNetwork {
		o.Text("api_key", &key) // the calling IP is what is granted
	} else {
		key = o.Required("api_key")
	}
	if strings.ContainsFunc(key, unicode.IsControl) {
		o.Fault("api_key", "may have no control characters")
	}
	return portal.Credential{Customer: portal.AnyCustomer, Username: s.APIUser, Password: key}
}

func readZone(o *settings.Object, name *string) *time.Location {
	o.Text("time_zone", name)
	zone, err := time.LoadLocation(*name)
	if err != nil || *name == "" || *name == "Local" {
		o.Fault("time_zone", "%q is no time zone; Europe/Stockholm is", *name)
		return time.UTC
	}
	return zone
}

func readPolling(o *settings.Object, zone *time.Location, c *portal.Connection) {
	c.PollEvery = defaultPollEvery
	var text string
	if o.Text("poll_every", &text) {
		every, err := time.ParseDuration(text)
		if err != nil || every < minPollEvery || every > maxPollEvery {
			o.Fault("poll_every", "must be a duration from %s to 24h, such as 5m", minPollEvery)
		}
		c.PollEvery = every
	}
	if o.Text("since", &text) {
		from, err := time.ParseInLocation(time.DateOnly, text, zone)
		if err != nil {
			o.Fault("since", "must be a date, such as 2026-11-01")
		}
		c.PollFrom = from
	}
}

func readNetworks(o *settings.Object, s *config, c *portal.Connection) {
	for _, item := range o.List("on_api", false) {
		n := networkConfig{Prefix: strings.ToUpper(item.Required("prefix"))}
		if n.Prefix != "" && !prefixPattern.MatchString(n.Prefix) {
			item.Fault("prefix", "may have letters, digits and - only, at most 32")
		}
		if n.Prefix != "" && slices.Contains(c.Networks, n.Prefix) {
			item.Fault("prefix", "%q is there twice", n.Prefix)
		}
		if !item.Has("base_url") {
			item.Fault("base_url", "is missing")
		}
		item.Address("base_url", &n.BaseURL)
		cred := portal.Credential{Customer: networkCustomer(n.Prefix), Username: item.Required("username"), Password: item.Required("password")}
		if strings.Contains(cred.Username, ":") || strings.ContainsFunc(cred.Username, unicode.IsControl) {
			item.Fault("username", "may have no colon and no control characters")
		}
		if strings.ContainsFunc(cred.Password, unicode.IsControl) {
			item.Fault("password", "may have no control characters")
		}
		item.End()
		s.Networks, c.Networks, c.Credentials = append(s.Networks, n), append(c.Networks, n.Prefix), append(c.Credentials, cred)
	}
}

// networkCustomer is the customer of a network's credential.
func networkCustomer(prefix string) string { return "on_api/" + prefix }

func readStatusMap(o *settings.Object, m map[portal.State]string) {
	defer o.End()
	for _, state := range portal.States[1:] {
		word := m[state]
		if o.Text(string(state), &word) && word != "" && !slices.Contains(statuses, word) {
			o.Fault(string(state), "is %q; %s are possible, and \"\" sends nothing", word, strings.Join(statuses, ", "))
		}
		m[state] = word
	}
}

func readMessageTypes(o *settings.Object, m map[portal.Remark]string) {
	defer o.End()
	for _, kind := range []portal.Remark{portal.RemarkPlain, portal.RemarkImportant, portal.RemarkProblem} {
		word := m[kind]
		if o.Text(string(kind), &word) && !slices.Contains(messageTypes, word) {
			o.Fault(string(kind), "is %q; %s are possible", word, strings.Join(messageTypes, ", "))
		}
		m[kind] = word
	}
}

// readQuery reads the names of parameters. Those of orders and of customers are
// never in one call and may be the same.
func readQuery(o *settings.Object, q *queryNames) {
	defer o.End()
	taken := map[string]string{"method": "method", "status": "status", "type": "type", "message": "message", "api_key": "api_key"}
	for _, p := range []struct {
		key  string
		into *string
	}{{"hash", &q.Hash}, {"api_user", &q.APIUser}, {"date", &q.Date}, {"order", &q.Order}, {"customer", &q.Customer}} {
		if o.Text(p.key, p.into) && !namePattern.MatchString(*p.into) {
			o.Fault(p.key, "is no name of a query parameter")
		}
		if other := taken[*p.into]; other != "" && !(p.key == "customer" && other == "order") {
			o.Fault(p.key, "%q is what %s is called", *p.into, other)
		}
		taken[*p.into] = p.key
	}
}
