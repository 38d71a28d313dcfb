package vitec

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// leadInputs are our inputs by Connect's names of fields, in lower case.
var leadInputs = map[string]string{
	"firstname": "first_name", "lastname": "last_name", "message": "message", "typeid": "source",
	"socialsecuritynumber": "personal_number", "isforeignsocialsecuritynumber": "foreign",
	"telephone": "phone_cell", "telephone.home": "phone_home", "telephone.work": "phone_work", "telephone.cell": "phone_cell",
	"telephone.other": "phone_other",
	"email":           "email", "email.emailaddress": "email", "email.emailaddress2": "email2",
	"emailaddress": "email", "emailaddress2": "email2",
	"address": "street", "address.streetaddress": "street", "address.zipcode": "zip_code", "address.city": "city",
	"streetaddress": "street", "zipcode": "zip_code", "city": "city",
	"assignmentsourceid": "intake",
	"marketing.referrer": "referrer", "referrer": "referrer", "marketing.utmtags": "utm_tags", "utmtags": "utm_tags",
	"utmtags.name": "utm_tags", "utmtags.value": "utm_tags",
	"agent": "agent_id", "agent.id": "agent_id", "agent.externalid": "agent_external_id", "agent.email": "agent_email",
	"office": "office_id", "office.id": "office_id", "office.customerid": "office_customer_id",
	"office.externalid": "office_external_id", "customerid": "customer",
}

// leadWords are what a sentence of Connect's may call a field.
var leadWords = map[string]string{
	"firstname": "first_name", "förnamn": "first_name", "lastname": "last_name", "efternamn": "last_name",
	"typeid": "source", "leadskälla": "source", "socialsecuritynumber": "personal_number", "personnummer": "personal_number",
	"assignmentsourceid": "intake", "intagskälla": "intake", "meddelande": "message", "emailaddress": "email",
	"emailaddress2": "email2", "epostadress": "email", "e-postadress": "email", "streetaddress": "street",
	"gatuadress": "street", "zipcode": "zip_code", "postnummer": "zip_code", "telefonnummer": "phone_cell",
}

// LeadFaults sorts the body of a 400 into Connect's words on our inputs, where it
// can be told which it means, and the rest. The shape of the body is documented
// nowhere; ASP.NET writes {"message": …, "modelState": {"person.FirstName": […]}}.
// What was kept of a long one ends in the middle.
func LeadFaults(body string) (fields map[string]string, rest string) {
	fields = map[string]string{}
	var others []string
	for _, s := range statements(body) {
		input := leadInput(s.path)
		if input == "" {
			input = leadInputIn(s.text)
		}
		switch {
		case input == "":
			others = append(others, s.text)
		case !strings.Contains(fields[input], s.text):
			fields[input] = strings.TrimSpace(fields[input] + " " + s.text)
		}
	}
	return fields, strings.Join(others, " ")
}

// statement is a sentence of an error message, and the keys that it stands under.
type statement struct {
	path []string
	text string
}

// statements returns the sentences of an error message, of broken JSON those
// before it breaks, and where there are none the whole.
func statements(body string) []statement {
	body = strings.TrimSpace(body)
	if body != "" && !strings.ContainsRune(`{["`, rune(body[0])) {
		return []statement{{text: body}}
	}
	all, _ := readStatements(json.NewDecoder(strings.NewReader(body)), nil) // an error says where it breaks
	all = slices.DeleteFunc(all, func(s statement) bool { return !s.says() })
	if len(all) == 0 && body != "" {
		return []statement{{text: body}}
	}
	return all
}

// says reports whether the statement is words for people: what stands on top
// beside them is about the call.
func (s statement) says() bool {
	if s.text == "" {
		return false
	}
	if len(s.path) != 1 || leadInput(s.path) != "" {
		return true
	}
	return slices.Contains([]string{"message", "messagedetail", "title", "detail", "error"}, strings.ToLower(s.path[0]))
}

// readStatements reads one value; what it returns with an error came before it.
func readStatements(d *json.Decoder, path []string) ([]statement, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		if text, ok := token.(string); ok {
			return []statement{{path, strings.TrimSpace(text)}}, nil
		}
		return nil, nil
	}
	var all []statement
	for d.More() {
		inner := path
		if delim == '{' {
			key, err := d.Token()
			if err != nil {
				return all, err
			}
			name, _ := key.(string)
			inner = append(slices.Clip(path), name)
		}
		more, err := readStatements(d, inner)
		all = append(all, more...)
		if err != nil {
			return all, err
		}
	}
	_, err = d.Token() // the closing one
	return all, err
}

var indexPattern = regexp.MustCompile(`\[[^\]]*\]`)

// leadInput returns the input that keys lead to, "" if they lead to none. A
// message on top is about the call, one further in is the field.
func leadInput(path []string) string {
	if len(path) == 0 || len(path) == 1 && strings.EqualFold(path[0], "message") {
		return ""
	}
	keys := strings.Split(strings.ToLower(indexPattern.ReplaceAllString(strings.Join(path, "."), "")), ".")
	last := keys[len(keys)-1]
	if len(keys) > 1 {
		if input := leadInputs[keys[len(keys)-2]+"."+last]; input != "" {
			return input
		}
	}
	return leadInputs[last]
}

var wordPattern = regexp.MustCompile(`[\pL\pN-]+`)

// leadInputIn returns the input that a sentence names, "" if it names none, or several.
func leadInputIn(text string) string {
	found := ""
	for _, word := range wordPattern.FindAllString(strings.ToLower(text), -1) {
		input := leadWords[word]
		if input != "" && found != "" && input != found {
			return ""
		}
		if input != "" {
			found = input
		}
	}
	return found
}
