package settings

import (
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

var queryPattern = regexp.MustCompile(`^[A-Za-z$][A-Za-z0-9_.$\[\]-]{0,63}$`)

var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// Connection reads id and system of a connection of a system.
func (o *Object) Connection(system string) portal.Connection {
	c := portal.Connection{ID: o.Required("id"), System: system}
	if c.ID != "" && !idPattern.MatchString(c.ID) {
		o.Fault("id", "may have letters, digits, - and _ only, at most 64")
	}
	if s := o.Required("system"); s != "" && s != system {
		o.Fault("system", "is %q, not %q", s, system)
	}
	return c
}

// Link reads the kind of link that a question to the broker carries.
func (o *Object) Link(key string, into *portal.LinkKind) {
	link := string(*into)
	if o.Text(key, &link); link != string(portal.LinkSigned) && link != string(portal.LinkCallback) {
		o.Fault(key, "is %q; signed and callback are possible", link)
	}
	*into = portal.LinkKind(link)
}

// Address reads the base address of a partner, without the slash at its end.
func (o *Object) Address(key string, into *string) {
	if !o.Text(key, into) {
		return
	}
	*into = strings.TrimRight(*into, "/")
	if why := checkAddress(*into); why != "" {
		o.Fault(key, "%s", why)
	}
}

// checkAddress says what is wrong with an address that credentials are sent to.
func checkAddress(s string) string {
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

// Rate reads how much may be asked of a partner.
func (o *Object) Rate(key string, into *door.Rate) {
	r := o.Object(key)
	defer r.End()
	if r.Number("concurrent", &into.Concurrent) && (into.Concurrent < 1 || into.Concurrent > 64) {
		r.Fault("concurrent", "must be 1 to 64")
	}
	if r.Decimal("per_second", &into.PerSecond) && (into.PerSecond <= 0 || into.PerSecond > 1000) {
		r.Fault("per_second", "must be more than 0 and at most 1000")
	}
}

// QueryName reads what a partner calls a query parameter. No two of an object
// may be called the same.
func (o *Object) QueryName(key string, into *string) {
	if o.Text(key, into) && !queryPattern.MatchString(*into) {
		o.Fault(key, "is no name of a query parameter")
	}
	if slices.Contains(o.names, *into) {
		o.Fault(key, "%q names two parameters", *into)
	}
	o.names = append(o.names, *into)
}
