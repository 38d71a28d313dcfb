package portal

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxUTMTags is how many UTM tags a lead may have.
const MaxUTMTags = 20

// LeadForm is the form of a lead, with each field exactly as it was typed.
type LeadForm struct {
	Customer, Source                             string
	FirstName, LastName, Message                 string
	PersonalNumber, Foreign                      string // Foreign: anything is a tick
	PhoneCell, PhoneHome, PhoneWork, PhoneOther  string
	Email, Email2                                string
	Street, ZipCode, City                        string
	Intake                                       string
	Referrer, UTMTags                            string // UTMTags: name=value, one a line
	AgentID, AgentExternalID, AgentEmail         string
	OfficeID, OfficeCustomerID, OfficeExternalID string
	ConsentHow, ConsentDay                       string
}

// LeadOptions are what a lead is checked against, and what nobody types.
type LeadOptions struct {
	ConnectionID string
	OrderID      int64
	Customers    []string // that the connection serves; AnyCustomer among them: any
	Settings     LeadSettings
	Sender       LeadSender
	Today        time.Time // where the provider is
}

// LeadInput is a field of a LeadForm by the name of its input.
type LeadInput struct {
	Name  string
	Value *string
	Max   int // characters
}

// Inputs returns every field of the form, to be read or filled.
func (f *LeadForm) Inputs() []LeadInput {
	return []LeadInput{
		{"customer", &f.Customer, 64},
		{"source", &f.Source, 200},
		{"first_name", &f.FirstName, 30},
		{"last_name", &f.LastName, 30},
		{"message", &f.Message, 4000},
		{"personal_number", &f.PersonalNumber, 20},
		{"foreign", &f.Foreign, 10},
		{"phone_cell", &f.PhoneCell, 40},
		{"phone_home", &f.PhoneHome, 40},
		{"phone_work", &f.PhoneWork, 40},
		{"phone_other", &f.PhoneOther, 40},
		{"email", &f.Email, 254},
		{"email2", &f.Email2, 254},
		{"street", &f.Street, 100},
		{"zip_code", &f.ZipCode, 10},
		{"city", &f.City, 100},
		{"intake", &f.Intake, 200},
		{"referrer", &f.Referrer, 500},
		{"utm_tags", &f.UTMTags, 4000},
		{"agent_id", &f.AgentID, 100},
		{"agent_external_id", &f.AgentExternalID, 100},
		{"agent_email", &f.AgentEmail, 254},
		{"office_id", &f.OfficeID, 100},
		{"office_customer_id", &f.OfficeCustomerID, 100},
		{"office_external_id", &f.OfficeExternalID, 100},
		{"consent_how", &f.ConsentHow, 500},
		{"consent_day", &f.ConsentDay, 10},
	}
}

// Form returns the lead as it would be typed, to be corrected.
func (l Lead) Form() LeadForm {
	f := LeadForm{Customer: l.Customer, Source: l.SourceID, FirstName: l.FirstName, LastName: l.LastName, Message: l.Message,
		PersonalNumber: l.PersonalNumber, PhoneCell: l.Telephone.Cell, PhoneHome: l.Telephone.Home, PhoneWork: l.Telephone.Work,
		PhoneOther: l.Telephone.Other, Email: l.Email, Email2: l.Email2, Street: l.Street, ZipCode: l.ZipCode, City: l.City,
		Intake: l.IntakeID, Referrer: l.Marketing.Referrer,
		AgentID: l.Agent.ID, AgentExternalID: l.Agent.ExternalID, AgentEmail: l.Agent.Email,
		OfficeID: l.Office.ID, OfficeCustomerID: l.Office.CustomerID, OfficeExternalID: l.Office.ExternalID,
		ConsentHow: l.Consent.How, ConsentDay: l.Consent.Day}
	if l.Foreign {
		f.Foreign = "on"
	}
	var tags []string
	for _, t := range l.Marketing.UTMTags {
		tags = append(tags, t.Name+"="+t.Value)
	}
	f.UTMTags = strings.Join(tags, "\n")
	return f
}

// Validate turns what was typed into a lead that is ready to be sent, or says
// what is wrong with which input.
func (f LeadForm) Validate(o LeadOptions) (Lead, FieldErrors) {
	f.trim()
	faults := FieldErrors{}
	for _, in := range f.Inputs() {
		if s := in.check(); s.Key != "" {
			faults[in.Name] = s
		}
	}
	tags := f.check(o, faults)
	if len(faults) > 0 {
		return Lead{}, faults
	}
	return f.lead(o, tags), nil
}

// Draft returns the lead as far as it has been typed, whatever is wrong with it.
func (f LeadForm) Draft(o LeadOptions) Lead {
	f.trim()
	tags, _ := parseTags(f.UTMTags)
	return f.lead(o, tags)
}

func (f *LeadForm) trim() {
	for _, in := range f.Inputs() {
		*in.Value = strings.TrimSpace(strings.ReplaceAll(*in.Value, "\r\n", "\n"))
	}
}

func (f LeadForm) lead(o LeadOptions, tags []LeadTag) Lead {
	return Lead{
		ConnectionID: o.ConnectionID, Customer: f.Customer, OrderID: o.OrderID, State: LeadQueued,
		FirstName: f.FirstName, LastName: f.LastName, Message: f.Message, SourceID: f.Source,
		PersonalNumber: f.PersonalNumber, Foreign: f.PersonalNumber != "" && f.Foreign != "",
		Telephone: LeadTelephone{Home: f.PhoneHome, Work: f.PhoneWork, Cell: f.PhoneCell, Other: f.PhoneOther},
		Email:     f.Email, Email2: f.Email2, Street: f.Street, ZipCode: f.ZipCode, City: f.City, IntakeID: f.Intake,
		Marketing: LeadMarketing{Referrer: f.Referrer, UTMTags: tags},
		Agent:     LeadAgent{ID: f.AgentID, ExternalID: f.AgentExternalID, Email: f.AgentEmail},
		Office:    LeadOffice{ID: f.OfficeID, CustomerID: f.OfficeCustomerID, ExternalID: f.OfficeExternalID},
		Sender:    o.Sender, Consent: LeadConsent{How: f.ConsentHow, Day: f.ConsentDay},
	}
}

var (
	leadCustomer = regexp.MustCompile(`^[A-Za-z0-9_-]+$`) // it goes into an address
	leadPhone    = regexp.MustCompile(`^\+?[0-9 ()-]+$`)
	leadZipCode  = regexp.MustCompile(`^[\pL0-9][\pL0-9 -]*[\pL0-9]$`) // of any country
)

// leadRules are what an input may hold if it holds anything.
var leadRules = map[string]struct {
	good  func(string) bool
	fault string
}{
	"customer":    {leadCustomer.MatchString, "lead.customer"},
	"phone_cell":  {plausiblePhone, "field.phone"},
	"phone_home":  {plausiblePhone, "field.phone"},
	"phone_work":  {plausiblePhone, "field.phone"},
	"phone_other": {plausiblePhone, "field.phone"},
	"email":       {plausibleEmail, "field.email"},
	"email2":      {plausibleEmail, "field.email"},
	"agent_email": {plausibleEmail, "field.email"},
	"zip_code":    {leadZipCode.MatchString, "lead.zip_code"},
	"consent_day": {plausibleDay, "field.date"},
}

// leadRequired are the inputs that must hold something.
var leadRequired = map[string]string{"customer": "lead.customer", "first_name": "field.required",
	"last_name": "field.required", "message": "field.required", "consent_how": "lead.consent_how", "consent_day": "lead.consent_day"}

// leadControls are the control characters that an input may hold.
var leadControls = map[string]string{"message": "\n\t", "utm_tags": "\n"}

// check says what is wrong with the input by itself.
func (in LeadInput) check() Sentence {
	v, n := *in.Value, utf8.RuneCountInString(*in.Value)
	unreadable := func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune(leadControls[in.Name], r) }
	rule, ruled := leadRules[in.Name]
	switch {
	case v == "":
		if key := leadRequired[in.Name]; key != "" {
			return Say(key)
		}
	case !utf8.ValidString(v) || strings.ContainsFunc(v, unreadable):
		return Say("field.characters")
	case n > in.Max:
		return Say("field.too_long", "Max", in.Max, "Count", n)
	case ruled && !rule.good(v):
		return Say(rule.fault)
	}
	return Sentence{}
}

// check says what is wrong with inputs beside others, or with what there is to
// choose from, and returns the UTM tags.
func (f LeadForm) check(o LeadOptions, faults FieldErrors) []LeadTag {
	fault := func(input string, s Sentence, wrong bool) {
		if _, known := faults[input]; wrong && !known {
			faults[input] = s
		}
	}
	served := slices.Contains(o.Customers, f.Customer) || slices.Contains(o.Customers, AnyCustomer)
	fault("customer", Say("lead.customer"), !served)
	fault("source", Say("field.choose"), !hasSource(o.Settings.Sources, f.Source))
	fault("intake", Say("field.choose"), f.Intake != "" && !hasSource(o.Settings.Intakes, f.Intake))
	fault("personal_number", Say("lead.personal_number"),
		f.PersonalNumber != "" && f.Foreign == "" && !PlausiblePersonalNumber(f.PersonalNumber))
	fault("consent_day", Say("lead.consent_future"), f.ConsentDay > o.Today.Format(time.DateOnly))
	tags, s := parseTags(f.UTMTags)
	fault("utm_tags", s, s.Key != "")
	return tags
}

func hasSource(all []LeadSource, id string) bool {
	return slices.ContainsFunc(all, func(s LeadSource) bool { return s.ID == id })
}

func parseTags(typed string) ([]LeadTag, Sentence) {
	var tags []LeadTag
	for line := range strings.Lines(typed) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		tag := LeadTag{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)}
		if tag.Name == "" || tag.Value == "" {
			return nil, Say("lead.utm_tag", "Line", line)
		}
		tags = append(tags, tag)
	}
	if len(tags) > MaxUTMTags {
		return nil, Say("lead.many_utm_tags", "Max", MaxUTMTags)
	}
	return tags, Sentence{}
}

func plausiblePhone(v string) bool {
	n := digits(v)
	return leadPhone.MatchString(v) && n >= 5 && n <= 15
}

func plausibleEmail(v string) bool {
	a, err := mail.ParseAddress(v)
	domain := v[strings.LastIndexByte(v, '@')+1:]
	return err == nil && a.Address == v && strings.Contains(strings.Trim(domain, "."), ".")
}

func plausibleDay(v string) bool {
	_, err := time.Parse(time.DateOnly, v)
	return err == nil
}
