package visma

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"portico/internal/partner/door"
	"portico/internal/partner/settings"
	"portico/internal/portal"
)

// minSecret is how many characters a secret must have that Core shows us: we
// keep a fast hash of it, which is safe for a long one that a machine made.
const minSecret = 16

// Configure reads one connection of an apply file, as JSON with its secrets
// filled in, and returns it with every default made explicit, or everything
// that is wrong with it. Paths of faults start inside the connection.
func Configure(raw json.RawMessage) (portal.Connection, []portal.Fault) {
	var faults []portal.Fault
	o := settings.New("", raw, &faults)
	s := defaults()
	c := o.Connection(System)
	c.InteractionLink = portal.LinkCallback // the button on the order leads back here, with a token
	oneOf(o, "auth_type", &s.AuthType, authTypes)
	s.CallbackHash = readCallback(o, s.AuthType)
	s.Tenants, c.Credentials = readTenants(o)
	readQuery(o.Object("query"), &s.Query)
	readNames(o, "metadata", &s.Metadata, metaNames)
	oneOf(o, "language", &s.Language, portal.Locales)
	readStatusMap(o.Object("status_map"), s.StatusMap)
	readTexts(o.Object("status_text"), s.StatusText, told())
	readTexts(o.Object("action_text"), s.ActionText, states())
	if o.Number("status_length", &s.StatusLength) && (s.StatusLength < 20 || s.StatusLength > portal.MaxBody) {
		o.Fault("status_length", "must be 20 to %d", portal.MaxBody)
	}
	oneOf(o, "case_field", &s.CaseField, []string{"Id", "CaseId"})
	readFiles(o.Object("files"), &s.Files)
	o.Rate("rate", &s.Rate)
	o.End()
	if len(faults) > 0 {
		return portal.Connection{}, faults
	}
	c.Reports, c.TakesFiles, c.Settings = s.reports(), s.Files.Folder != "", door.JSON(s)
	return c, nil
}

func oneOf(o *settings.Object, key string, into *string, possible []string) {
	if o.Text(key, into) && !slices.Contains(possible, *into) {
		o.Fault(key, "is %q; %s are possible", *into, strings.Join(possible, ", "))
	}
}

// readCallback reads what Core is to show us, and returns its hash.
func readCallback(o *settings.Object, authType string) string {
	if authType == authFlowToken {
		if o.Has("callback") {
			o.Fault("callback", "is of no use with %s: Core itself says who comes", authFlowToken)
			o.Skip("callback")
		}
		return ""
	}
	if !o.Has("callback") {
		o.Fault("callback", "is missing: what Core shows us with %s", authType)
		return ""
	}
	name, secret := "client_id", "client_secret"
	if authType == authBasic {
		name, secret = "username", "password"
	}
	login := o.Object("callback")
	defer login.End()
	id, word := login.Required(name), login.Required(secret)
	if strings.Contains(id, ":") {
		login.Fault(name, "may have no colon")
	}
	if word != "" && utf8.RuneCountInString(word) < minSecret {
		login.Fault(secret, "must have at least %d characters: make one up by `openssl rand -base64 24`", minSecret)
	}
	return loginHash(id, word)
}

// loginHash is all that we keep of what Core shows us.
func loginHash(name, secret string) string {
	sum := sha256.Sum256([]byte(name + ":" + secret))
	return hex.EncodeToString(sum[:])
}

var tenantPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func readTenants(o *settings.Object) ([]tenantConfig, []portal.Credential) {
	var tenants []tenantConfig
	var credentials []portal.Credential
	for _, item := range o.List("tenants", true) {
		t := tenantConfig{ID: item.Required("id")}
		if t.ID != "" && !tenantPattern.MatchString(t.ID) {
			item.Fault("id", "may have letters, digits, - and _ only, at most 64")
		}
		if t.ID != "" && slices.ContainsFunc(tenants, func(other tenantConfig) bool { return other.ID == t.ID }) {
			item.Fault("id", "%q is there twice", t.ID)
		}
		if !item.Has("base_url") {
			item.Fault("base_url", "is missing")
		}
		item.Address("base_url", &t.BaseURL)
		t.BaseURL = home(t.BaseURL)
		cred := portal.Credential{Customer: t.ID, Username: item.Required("client_id"), Password: item.Required("client_secret")}
		if strings.ContainsFunc(cred.Username+cred.Password, unicode.IsControl) {
			item.Fault("client_secret", "may have no control characters, and client_id none either")
		}
		item.End()
		tenants, credentials = append(tenants, t), append(credentials, cred)
	}
	return tenants, credentials
}

func readQuery(o *settings.Object, q *queryNames) {
	defer o.End()
	o.QueryName("case", &q.Case)
	o.QueryName("token", &q.Token)
	o.QueryName("order", &q.Order)
	o.QueryName("tenant", &q.Tenant)
	o.QueryName("flow_url", &q.FlowURL)
	o.QueryName("customer_name", &q.CustomerName)
}

func readNames(o *settings.Object, key string, into *[]string, possible []string) {
	if !o.Read(key, into, "a list of texts") {
		return
	}
	for i, name := range *into {
		if !slices.Contains(possible, name) {
			o.Fault(key, "%q is unknown; %s are possible", name, strings.Join(possible, ", "))
		}
		if slices.Contains((*into)[:i], name) {
			o.Fault(key, "%q is there twice", name)
		}
	}
}

// states are the states that Core may be told of.
func states() []string {
	var keys []string
	for _, state := range portal.States {
		if state != portal.Draft {
			keys = append(keys, string(state))
		}
	}
	return keys
}

// told are the states and steps that Core may be told of.
func told() []string {
	keys := states()
	for _, step := range portal.Steps {
		keys = append(keys, string(step))
	}
	return keys
}

func readStatusMap(o *settings.Object, m map[string]string) {
	defer o.End()
	for _, key := range told() {
		state := m[key]
		if o.Text(key, &state) && state != "" && !slices.Contains(orderStates[2:], state) {
			o.Fault(key, "is %q; %s are possible, and \"\" sends nothing", state, strings.Join(orderStates[2:], ", "))
		}
		m[key] = state
	}
}

func readTexts(o *settings.Object, m map[string]portal.Text, keys []string) {
	defer o.End()
	for _, key := range keys {
		if !o.Has(key) {
			continue
		}
		languages := o.Object(key)
		text := portal.Text{}
		for _, locale := range portal.Locales {
			var s string
			if languages.Text(locale, &s); s != "" {
				text[locale] = s
			}
		}
		languages.End()
		if len(text) == 0 {
			o.Fault(key, "needs a text in %s", strings.Join(portal.Locales, ", "))
		}
		m[key] = text
	}
}

func readFiles(o *settings.Object, f *files) {
	defer o.End()
	o.Text("folder", &f.Folder)
	readTags(o, "image_tags", &f.ImageTags)
	readTags(o, "document_tags", &f.DocumentTags)
}

func readTags(o *settings.Object, key string, into *[]tag) {
	o.Read(key, into, "a list of ids")
	for _, id := range *into {
		var t door.Text
		if json.Unmarshal(id, &t) != nil || t == "" {
			o.Fault(key, "must be a list of numbers or texts (in quotes)")
			return
		}
	}
}
