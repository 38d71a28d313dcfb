package applyfile

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"

	"portico/internal/portal"
)

const (
	minPassword   = 16        // characters, of a password that a machine sends
	maxTurnaround = 10 * 8784 // hours; ten years
	maxPrice      = 1e12      // minor units; no sum of them overflows
)

func (f *file) service(v value, connections map[string]*System, seen map[string]bool) portal.Service {
	o := v.object()
	var s portal.Service
	id := o.required("id")
	s.ID, _ = id.matching(idPattern, idRule)
	if seen[s.ID] {
		id.fault("another service has this id")
	}
	if s.ID != "" {
		seen[s.ID] = true
	}
	connection := o.required("connection")
	var system *System
	if name, ok := connection.text(); ok {
		if system, ok = connections[name]; !ok {
			connection.fault("there is no connection of this id in this file")
		}
		s.ConnectionID = name
	}
	way(o, &s, system)
	partnerService := o.optional("partner_service")
	s.PartnerService, _ = partnerService.text()
	// No id has a space. What is fetched and of no service that is named goes to the one without.
	if pair := s.ConnectionID + " " + s.PartnerService; s.PartnerService != "" || s.Flow == portal.FlowPoll {
		switch {
		case seen[pair] && s.PartnerService == "":
			id.fault("another service of this connection has no partner_service either")
		case seen[pair]:
			partnerService.fault("another service of this connection has it")
		}
		seen[pair] = true
	}
	s.Customers = o.optional("customers").texts()
	s.Name = localized(o.required("name"))
	s.Description = localized(o.optional("description"))
	s.Tags = o.optional("tags").texts()
	s.TurnaroundHours = int(o.optional("turnaround_hours").whole(0, maxTurnaround))
	fields := o.optional("form")
	s.Form.Fields = form(fields)
	if s.Flow == portal.FlowPoll && len(s.Form.Fields) > 0 {
		fields.fault("nobody sees a form in the flow poll: leave it out")
	}
	extras(o, &s, system)
	o.end()
	return s
}

// extras reads what only some systems know of.
func extras(o *object, s *portal.Service, system *System) {
	activations(o, s, system)
	insurance, sellers := o.optional("insurance"), o.optional("sellers")
	s.Insurance, s.Sellers = insurance.yes(), sellers.yes()
	if system != nil && s.Insurance && !system.Insurance {
		insurance.fault("this system is told of no policies: leave it out")
	}
	if system != nil && s.Sellers && !system.Sellers {
		sellers.fault("this system tells of no sellers: leave it out")
	}
}

// networkServicePattern is that of an id in ON-API 2.4 (common/dataformats.md).
var networkServicePattern = regexp.MustCompile(`^[-0-9a-zA-Z.]{1,36}$`)

// activations reads how the service is activated on a customer's access.
func activations(o *object, s *portal.Service, system *System) {
	service, activate := o.optional("on_api_service"), o.optional("activate")
	if system != nil && !system.Networks {
		for _, v := range []value{service, activate} {
			if v.there() {
				v.fault("this system's orders are of no network: leave it out")
			}
		}
		return
	}
	if service.there() {
		s.NetworkService, _ = service.matching(networkServicePattern, "1 to 36 letters, digits, - and .")
	}
	if !activate.there() {
		return
	}
	who, _ := oneOf(activate, "staff", "import")
	s.ActivateOnImport = who == "import"
	if s.ActivateOnImport && !service.there() {
		activate.fault("needs on_api_service, the networks' own name of the service")
	}
}

// way reads how orders come in, and how they prove where they come from.
func way(o *object, s *portal.Service, system *System) {
	flow := o.required("flow")
	s.Flow, _ = oneOf(flow, portal.FlowPage, portal.FlowBackground, portal.FlowPoll)
	if system != nil && s.Flow != "" && system.Polls != (s.Flow == portal.FlowPoll) {
		if system.Polls {
			flow.fault("must be poll: the orders of this system are fetched")
		} else {
			flow.fault("must be page or background: the orders of this system are not fetched")
		}
	}
	auth := o.optional("auth")
	if s.Flow == portal.FlowPoll {
		if auth.there() {
			auth.fault("nothing calls a service with flow poll: leave it out")
		}
		s.Auth = portal.AuthToken
	} else {
		s.Auth, _ = oneOf(o.required("auth"), portal.AuthToken, portal.AuthBasic, portal.AuthNone)
		if s.Flow == portal.FlowPage && s.Auth != "" && s.Auth != portal.AuthToken {
			auth.fault("must be token in the page flow: %s works in the background only", s.Auth)
		}
	}
	basic, secret, ips := o.optional("basic"), o.optional("secret"), o.optional("allow_ips")
	switch s.Auth {
	case portal.AuthBasic:
		s.Username, s.PasswordHashes = basicLogin(o.required("basic"))
		secret.json(nil)
	case portal.AuthNone:
		s.SecretHash = secretPath(o.required("secret"))
		basic.json(nil)
	default: // kept for the day when auth changes, and only looked at for ${NAME}
		basic.json(nil)
		secret.json(nil)
		if len(ips.list()) > 0 && s.Auth == portal.AuthToken {
			ips.fault("a token comes from the broker's own browser: only auth basic and none have a list of addresses")
		}
	}
	s.AllowIPs = prefixes(ips)
}

// basicLogin returns the user name and a hash of each password. A callback has
// to be answered at once, so the hash is a fast one: that is safe for a long
// password that a machine made, and why a short one is refused.
func basicLogin(v value) (username string, hashes []string) {
	o := v.object()
	user := o.required("username")
	username, _ = user.text()
	if strings.Contains(username, ":") {
		user.fault("may have no colon")
	}
	password := o.required("password")
	all := []value{password}
	if _, several := password.node.(*ast.SequenceNode); several {
		all = password.list()
		if len(all) < 1 || len(all) > 2 {
			password.fault("must be one password, or two while they are being changed")
		}
	}
	for _, one := range all {
		s, ok := one.text()
		if ok && utf8.RuneCountInString(s) < minPassword {
			one.fault("must have at least %d characters: make one up by `openssl rand -base64 24`", minPassword)
		}
		hashes = append(hashes, hash(s))
	}
	o.end()
	return username, hashes
}

// 22 characters of this alphabet hold 132 bits.
var secretPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{22,200}$`)

func secretPath(v value) string {
	s, _ := v.matching(secretPattern,
		"at least 22 letters, digits, - and _ by chance: make one up by `openssl rand -hex 16`")
	return hash(s)
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func prefixes(v value) []netip.Prefix {
	var all []netip.Prefix
	for _, item := range v.list() {
		s, ok := item.text()
		if !ok {
			continue
		}
		prefix, err := netip.ParsePrefix(s)
		if err != nil {
			addr, addrErr := netip.ParseAddr(s)
			if addrErr != nil || addr.Zone() != "" {
				item.fault("must be an IP address or a network like 192.0.2.0/24")
				continue
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		all = append(all, prefix.Masked())
	}
	return all
}

// localized returns a text in at least one language.
func localized(v value) portal.Text {
	if !v.there() {
		return nil
	}
	o := v.object()
	text := portal.Text{}
	for _, locale := range portal.Locales {
		if s, ok := o.optional(locale).text(); ok {
			text[locale] = s
		}
	}
	o.end()
	if o.there() && len(text) == 0 {
		v.fault("needs a text in %s", listed(portal.Locales, "or"))
	}
	return text
}
