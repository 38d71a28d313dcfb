package applyfile

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

// good is a whole file, up to line 12; a row adds what is wrong.
const good = head + `services:
  - {id: s, connection: c, flow: page, auth: token, name: {sv: S}}
`

// mark stands in a row where its fault is to be found; where it is nowhere, the
// fault is that of the whole service or field.
const mark = "^"

func orAt(s string, item string) string {
	if strings.Contains(s, mark) {
		return strings.Replace(item, mark, "", 1)
	}
	return item
}

func inService(rest string) string {
	return good + orAt(rest, "  - ^{id: x, connection: c, ") + rest + "}\n"
}

func inBackground(rest string) string { return inService("name: {sv: S}, flow: background, " + rest) }

func inProvider(line string) string {
	key, _, _ := strings.Cut(strings.TrimPrefix(line, mark), ":")
	without := regexp.MustCompile(`(?m)^  `+key+`: .*\n`).ReplaceAllString(good, "")
	return strings.Replace(without, "provider:\n", "provider:\n  "+line+"\n", 1)
}

func inPage(rest string) string { return inService("name: {sv: S}, flow: page, auth: token, " + rest) }

func inPolled(rest string) string {
	return good + "  - {id: x, connection: p, flow: poll, name: {sv: S}, " + rest + "}\n"
}

func inField(rest string) string { return inPage("form: [\n" + orAt(rest, "^{") + rest + "}]") }

// unmark takes the marks out of a file and returns where they stood.
func unmark(src string) (string, []place) {
	var places []place
	at, clean := place{1, 1}, strings.Builder{}
	for _, r := range src {
		switch r {
		case '^':
			places = append(places, at)
			continue
		case '\n':
			at = place{at.line + 1, 1}
		default:
			at.column++
		}
		clean.WriteRune(r)
	}
	return clean.String(), places
}

const (
	idText       = "must be an id: small letters, digits, - and _, at most 63"
	plainText    = "anchors, aliases and tags are not understood: write it out"
	priceText    = "must be a whole number from 0 to 1000000000000"
	hoursText    = "must be a whole number from 0 to 87840"
	dollarText   = "${ must be followed by the name of an environment variable and }"
	unsetText    = "the environment variable NO_SUCH is not set"
	passwordText = "must have at least 16 characters: make one up by `openssl rand -base64 24`"
	secretText   = "must be at least 22 letters, digits, - and _ by chance: make one up by `openssl rand -hex 16`"
	serviceKeys  = "unknown key; known are activate, allow_ips, auth, basic, connection, customers, description, flow, form, id, insurance, name, on_api_service, partner_service, secret, sellers, tags, turnaround_hours"
)

var faultRows = map[string]struct {
	src    string // with a mark at each fault
	faults string // one a line, without the place
}{
	"empty file":          {"", "the file is empty"},
	"only a comment":      {"# nothing\n", "the file is empty"},
	"too large":           {strings.Repeat("#", maxSize+1), "the file is larger than 1048576 bytes"},
	"no mapping":          {"^- a\n", "must be a mapping: key: value"},
	"broken YAML":         {"provider:\n  name: ^[a\n", "not YAML: sequence end token ']' not found"},
	"two documents":       {good + "---\n^provider: {}\n", "a second document starts here: one file is one document"},
	"no provider":         {"^services: []\n", "provider: is missing"},
	"provider is null":    {"^provider:\n", "provider: is missing"},
	"provider is a list":  {"^provider: []\n", "provider: must be a mapping: key: value"},
	"unknown key on top":  {good + "^colour: red\n", "colour: unknown key; known are connections, provider, services"},
	"key twice":           {good + "^provider: {}\n", "provider: the key is there twice"},
	"anchor":              {inPage("^tags: &t [a]"), "services[1].tags: " + plainText},
	"alias":               {inPage("^tags: *t"), "services[1].tags: " + plainText},
	"tag":                 {inPage("^tags: !!seq [a]"), "services[1].tags: " + plainText},
	"key that is no word": {inPage("^1: a"), "services[1]: this key must be a plain word"},
	"services no list":    {head + "^services: {id: s}\n", "services: must be a list"},
	"service no mapping":  {good + "  - ^s\n", "services[1]: must be a mapping: key: value"},

	"missing variable":             {inPage(`tags: [^"a${NO_SUCH}b"]`), "services[1].tags[0]: " + unsetText},
	"missing variable, not needed": {inPage(`^secret: "${NO_SUCH}"`), "services[1].secret: " + unsetText},
	"variable without name":        {inPage(`tags: [^"${}"]`), "services[1].tags[0]: " + dollarText},
	"variable not closed":          {inPage(`tags: [^"${VITEC"]`), "services[1].tags[0]: " + dollarText},
	"empty variable":               {inPage(`tags: [^"${EMPTY}"]`), "services[1].tags[0]: is empty"},

	"locale":             {inProvider("^locale: fi"), "provider.locale: must be sv, nb or en"},
	"time zone":          {inProvider("^time_zone: Mars/Base"), "provider.time_zone: must be a time zone like Europe/Stockholm"},
	"time zone Local":    {inProvider("^time_zone: Local"), "provider.time_zone: must be a time zone like Europe/Stockholm"},
	"e-mail":             {inProvider("^support_email: nobody"), "provider.support_email: must be an e-mail address"},
	"e-mail with a name": {inProvider("^support_email: N <n@n.example>"), "provider.support_email: must be an e-mail address"},
	"currency":           {inProvider("^currency: QQQ"), "provider.currency: must be a currency of ISO 4217 like SEK"},
	"currency in small":  {inProvider("^currency: sek"), "provider.currency: must be a currency of ISO 4217 like SEK"},
	"number for a name":  {inProvider("^name: 12"), "provider.name: must be a text: put it in quotes"},
	"list for a name":    {inProvider("^name: [N]"), "provider.name: must be a text"},
	"blank name":         {inProvider(`^name: " "`), "provider.name: is empty"},

	"connection id":             {head + "  - {^id: C, system: fake, base_url: b}\n", "connections[2].id: " + idText},
	"connection twice":          {head + "  - {^id: c, system: fake, base_url: b}\n", "connections[2].id: another connection has this id"},
	"connection without system": {head + "  - ^{id: d, base_url: b}\n", "connections[2].system: is missing"},
	"unknown system and its service": {head + "  - {id: d, ^system: visma}\nservices:\n  - {id: s, connection: d, flow: poll, name: {sv: S}}\n",
		"connections[2].system: must be fake or polled"},
	"system's fault at a key": {head + "  - {id: d, system: fake, base_url: b, bad: {^word: [1, ^2]}}\n",
		"connections[2].bad.word: is bad\nconnections[2].bad.word[1].deep: is bad too"},
	"system's fault at no key": {head + "  - ^id: d\n    system: fake\n", "connections[2].base_url: is missing"},
	"system's fault that follows from another": {head + "  - {id: d, system: fake,\n  ^base_url: \"${NO_SUCH}\"}\n",
		"connections[2].base_url: " + unsetText},
	"key twice in a connection": {head + "  - {id: d, system: fake, base_url: b,\n  ^base_url: b}\n",
		"connections[2].base_url: the key is there twice"},
	"number that is none": {head + "  - {id: d, system: fake, base_url: b, ^rate: .nan}\n",
		"connections[2].rate: must be a number, a text, true or false"},

	"service id":       {good + "  - {^id: Å, connection: c, flow: page, auth: token, name: {sv: S}}\n", "services[1].id: " + idText},
	"service twice":    {good + "  - {^id: s, connection: c, flow: page, auth: token, name: {sv: S}}\n", "services[1].id: another service has this id"},
	"no connection":    {good + "  - {id: x, ^connection: d, flow: page, auth: token, name: {sv: S}}\n", "services[1].connection: there is no connection of this id in this file"},
	"unknown key":      {inPage("^prize: 1"), "services[1].prize: " + serviceKeys},
	"unknown flow":     {inService("^flow: push, auth: token, name: {sv: S}"), "services[1].flow: must be page, background or poll"},
	"no auth":          {inService("flow: page, name: {sv: S}"), "services[1].auth: is missing"},
	"unknown auth":     {inService("flow: page, ^auth: key, name: {sv: S}"), "services[1].auth: must be token, basic or none"},
	"basic in a page":  {inService("flow: page, ^auth: basic, name: {sv: S}, basic: {username: u, password: 0123456789abcdeF}"), "services[1].auth: must be token in the page flow: basic works in the background only"},
	"none in a page":   {inService("flow: page, ^auth: none, name: {sv: S}, secret: abcdefghijklmnopqrstuv"), "services[1].auth: must be token in the page flow: none works in the background only"},
	"poll from fake":   {inService("^flow: poll, name: {sv: S}"), "services[1].flow: must be page or background: the orders of this system are not fetched"},
	"page from polled": {good + "  - {id: x, connection: p, ^flow: page, auth: token, name: {sv: S}}\n", "services[1].flow: must be poll: the orders of this system are fetched"},
	"poll with auth":   {good + "  - {id: x, connection: p, flow: poll, ^auth: token, name: {sv: S}}\n", "services[1].auth: nothing calls a service with flow poll: leave it out"},

	"basic without basic":    {inBackground("auth: basic"), "services[1].basic: is missing"},
	"basic without password": {inBackground("auth: basic, ^basic: {username: u}"), "services[1].basic.password: is missing"},
	"basic without username": {inBackground("auth: basic, ^basic: {password: 0123456789abcdeF}"), "services[1].basic.username: is missing"},
	"basic unknown key":      {inBackground("auth: basic, basic: {username: u, password: 0123456789abcdeF, ^realm: r}"), "services[1].basic.realm: unknown key; known are password, username"},
	"colon in username":      {inBackground(`auth: basic, basic: {^username: "u:v", password: 0123456789abcdeF}`), "services[1].basic.username: may have no colon"},
	"short password":         {inBackground(`auth: basic, basic: {username: u, ^password: "${CALLBACK_PASSWORD}"}`), "services[1].basic.password: " + passwordText},
	"short second password":  {inBackground(`auth: basic, basic: {username: u, password: [0123456789abcdeF, ^"0123456789abcde"]}`), "services[1].basic.password[1]: " + passwordText},
	"no passwords":           {inBackground(`auth: basic, basic: {username: u, ^password: []}`), "services[1].basic.password: must be one password, or two while they are being changed"},
	"three passwords":        {inBackground(`auth: basic, basic: {username: u, ^password: [0123456789abcdeF, 0123456789abcdeG, 0123456789abcdeH]}`), "services[1].basic.password: must be one password, or two while they are being changed"},
	"none without secret":    {inBackground("auth: none"), "services[1].secret: is missing"},
	"short secret":           {inBackground("auth: none, ^secret: abcdefghijklmnopqrstu"), "services[1].secret: " + secretText},
	"secret no path":         {inBackground("auth: none, ^secret: abcdefghijklmnopqrstu/vw"), "services[1].secret: " + secretText},
	"address":                {inBackground("auth: none, secret: abcdefghijklmnopqrstuv, allow_ips: [^localhost]"), "services[1].allow_ips[0]: must be an IP address or a network like 192.0.2.0/24"},
	"addresses with token":   {inPage("^allow_ips: [192.0.2.1]"), "services[1].allow_ips: a token comes from the broker's own browser: only auth basic and none have a list of addresses"},

	"customer twice":      {inPage("customers: [M1, ^M1]"), "services[1].customers[1]: is there twice"},
	"customer unquoted":   {inPage("customers: [^17]"), "services[1].customers[0]: must be a text: put it in quotes"},
	"tags no list":        {inPage("^tags: foto"), "services[1].tags: must be a list"},
	"no name":             {inService("flow: page, auth: token"), "services[1].name: is missing"},
	"name in no language": {inService("^name: {}, flow: page, auth: token"), "services[1].name: needs a text in sv, nb or en"},
	"name in Finnish":     {inService("name: {sv: S, ^fi: S}, flow: page, auth: token"), "services[1].name.fi: unknown key; known are en, nb, sv"},
	"name without locale": {inService("^name: S, flow: page, auth: token"), "services[1].name: must be a mapping: key: value"},
	"negative turnaround": {inPage("^turnaround_hours: -1"), "services[1].turnaround_hours: " + hoursText},
	"partner unquoted":    {inPage("^partner_service: 17"), "services[1].partner_service: must be a text: put it in quotes"},
	"partner's twice":     {inPage("partner_service: '17'}\n  - {id: y, connection: c, flow: page, auth: token, name: {sv: S}, ^partner_service: '17'"), "services[2].partner_service: another service of this connection has it"},
	"insurance unknown":   {inPolled("^insurance: true"), "services[1].insurance: this system is told of no policies: leave it out"},
	"sellers unknown":     {inPolled("^sellers: true"), "services[1].sellers: this system tells of no sellers: leave it out"},
	"insurance perhaps":   {inPage("^insurance: maybe"), "services[1].insurance: must be true or false"},
	"sellers counted":     {inPage("^sellers: 2"), "services[1].sellers: must be true or false"},
	"form that is polled": {inPolled("^form: [{id: d, type: date, label: {sv: D}}]"), "services[1].form: nobody sees a form in the flow poll: leave it out"},
	"two for all others":  {inPolled("tags: []}\n  - {^id: y, connection: p, flow: poll, name: {sv: S}"), "services[2].id: another service of this connection has no partner_service either"},
	"network elsewhere":   {inPage("^on_api_service: AB1, ^activate: staff"), "services[1].on_api_service: this system's orders are of no network: leave it out\nservices[1].activate: this system's orders are of no network: leave it out"},
	"network's name":      {inPolled("^on_api_service: 'AB 1'"), "services[1].on_api_service: must be 1 to 36 letters, digits, - and ."},
	"activated by":        {inPolled("on_api_service: AB1, ^activate: robots"), "services[1].activate: must be staff or import"},
	"activated as what":   {inPolled("^activate: import"), "services[1].activate: needs on_api_service, the networks' own name of the service"},
	"half a turnaround":   {inPage("^turnaround_hours: 1.5"), "services[1].turnaround_hours: " + hoursText},

	"field id":             {inField("^id: Day, type: date, label: {sv: D}"), "services[1].form[0].id: must be the name of an input: small letters, digits and _, a letter first, at most 41"},
	"field lang":           {inField("^id: lang, type: date, label: {sv: D}"), "services[1].form[0].id: the order page has a lang of its own"},
	"field twice":          {inField("id: d, type: date, label: {sv: D}},\n {^id: d, type: date, label: {sv: D}"), "services[1].form[1].id: another field has this id"},
	"field without label":  {inField("id: d, type: date"), "services[1].form[0].label: is missing"},
	"field without type":   {inField("id: d, label: {sv: D}"), "services[1].form[0].type: is missing"},
	"field type":           {inField("id: d, ^type: slider, label: {sv: D}"), "services[1].form[0].type: must be text, textarea, number, choice, choices, checkbox, date, time, email, phone or file"},
	"field unknown key":    {inField("id: d, type: date, label: {sv: D}, ^min: 1"), "services[1].form[0].min: unknown key; known are hint, id, label, max_length, options, price, required, type"},
	"price of a file":      {inField("id: d, type: file, label: {sv: D}, ^price: 100"), "services[1].form[0].price: only a checkbox and the options of a choice have a price"},
	"required maybe":       {inField("id: d, type: date, label: {sv: D}, ^required: maybe"), "services[1].form[0].required: must be true or false"},
	"length of a date":     {inField("id: d, type: date, label: {sv: D}, ^max_length: 3"), "services[1].form[0].max_length: only text, textarea, email and phone have a length"},
	"no length":            {inField("id: d, type: text, label: {sv: D}, ^max_length: 0"), "services[1].form[0].max_length: must be a whole number from 1 to 20000"},
	"price of a text":      {inField("id: d, type: text, label: {sv: D}, ^price: 100"), "services[1].form[0].price: only a checkbox and the options of a choice have a price"},
	"negative price":       {inField("id: d, type: checkbox, label: {sv: D}, ^price: -1"), "services[1].form[0].price: " + priceText},
	"huge price":           {inField("id: d, type: checkbox, label: {sv: D}, ^price: 18446744073709551615"), "services[1].form[0].price: " + priceText},
	"options of a text":    {inField("id: d, type: text, label: {sv: D}, ^options: [{id: a, label: {sv: A}}]"), "services[1].form[0].options: only a choice has options"},
	"choice of nothing":    {inField("id: d, type: choice, label: {sv: D}"), "services[1].form[0].options: is missing"},
	"choices of an empty":  {inField("id: d, type: choices, label: {sv: D}, ^options: []"), "services[1].form[0].options: needs at least one option"},
	"option id":            {inField("id: d, type: choice, label: {sv: D}, options: [{^id: A, label: {sv: A}}]"), "services[1].form[0].options[0].id: " + idText},
	"option twice":         {inField("id: d, type: choice, label: {sv: D}, options: [{id: a, label: {sv: A}}, {^id: a, label: {sv: A}}]"), "services[1].form[0].options[1].id: another option has this id"},
	"option without label": {inField("id: d, type: choice, label: {sv: D}, options: [^{id: a}]"), "services[1].form[0].options[0].label: is missing"},
	"option price":         {inField("id: d, type: choice, label: {sv: D}, options: [{id: a, label: {sv: A}, ^price: free}]"), "services[1].form[0].options[0].price: " + priceText},
	"option unknown key":   {inField("id: d, type: choice, label: {sv: D}, options: [{id: a, label: {sv: A}, ^prize: 1}]"), "services[1].form[0].options[0].prize: unknown key; known are hint, id, label, price"},
}

func TestParseFaults(t *testing.T) {
	t.Parallel()
	for name, row := range faultRows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src, places := unmark(row.src)
			setup, faults := Parse([]byte(src), goodEnv, fakes)
			var got, want []string
			for _, f := range faults {
				got = append(got, f.String())
			}
			for i, text := range strings.Split(row.faults, "\n") {
				if i < len(places) {
					text = fmt.Sprintf("line %d, column %d: %s", places[i].line, places[i].column, text)
				}
				want = append(want, text)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(portal.Setup{}, setup); diff != "" {
				t.Error("a set-up in spite of faults:", diff)
			}
		})
	}
}

func TestFaultsHoldNoSecret(t *testing.T) {
	t.Parallel()
	env := testEnv(map[string]string{"SECRET": "hunter2-hunter2"})
	for _, src := range []string{
		good + "  - {id: x, connection: c, flow: background, auth: basic, name: {sv: S}, basic: {username: u, password: \"${SECRET}\"}}\n",
		good + "  - {id: \"${SECRET}!\", connection: \"${SECRET}\", flow: \"${SECRET}\", auth: \"${SECRET}\", name: {sv: S}, customers: [\"${SECRET}\", \"${SECRET}\"]}\n",
		strings.Replace(good, "time_zone: Europe/Oslo", "time_zone: ${SECRET}", 1),
	} {
		_, faults := Parse([]byte(src), env, fakes)
		if len(faults) == 0 {
			t.Errorf("no fault in %s", src)
		}
		for _, f := range faults {
			if strings.Contains(f.String(), "hunter2") {
				t.Errorf("a fault shows a value of the environment: %s", f)
			}
		}
	}
	// A syntax error must not quote the lines around it either.
	_, faults := Parse([]byte("password: hunter2-hunter2\n- broken: [\n"), env, fakes)
	if len(faults) != 1 || strings.Contains(faults[0].String(), "hunter2") {
		t.Errorf("a syntax error shows the file: %v", faults)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{whole, good, "a: &a [*a]", "? {a: b}\n: c", "<<: {provider: 1}", "provider: !!str", "- - - -", "\"\\uD800\"",
		"{provider: {name: |\n a}}", "services: [{form: [{options: {}}]}]", "connections: [{system: fake, bad: {x: [1, [2]]}}]"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		setup, faults := Parse(src, goodEnv, fakes)
		if len(faults) == 0 && setup.Provider.Name == "" {
			t.Error("neither a set-up nor a fault")
		}
	})
}
