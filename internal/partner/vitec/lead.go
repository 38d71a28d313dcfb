package vitec

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// leadPerson is a lead in Connect's words. What nobody filled in is absent.
//
// https://connect.maklare.vitec.net/Help/Api/POST-Service-Contact-customerId-Lead-Person
type leadPerson struct {
	FirstName                     string        `json:"firstName"`
	LastName                      string        `json:"lastName"`
	Message                       string        `json:"message"`
	TypeID                        string        `json:"typeId"`
	SocialSecurityNumber          string        `json:"socialSecurityNumber,omitempty"`
	IsForeignSocialSecurityNumber *bool         `json:"isForeignSocialSecurityNumber,omitempty"` // only beside the number
	Telephone                     leadTelephone `json:"telephone,omitzero"`
	Email                         leadEmail     `json:"email,omitzero"`
	Address                       leadAddress   `json:"address,omitzero"`
	AssignmentSourceID            string        `json:"assignmentSourceId,omitempty"`
	Marketing                     marketing     `json:"marketing,omitzero"`
	Agent                         leadAgent     `json:"agent,omitzero"`
	Office                        leadOffice    `json:"office,omitzero"`
	Sender                        leadSender    `json:"sender,omitzero"`
}

type leadTelephone struct {
	Home  string `json:"home,omitempty"`
	Work  string `json:"work,omitempty"`
	Cell  string `json:"cell,omitempty"`
	Other string `json:"other,omitempty"`
}

type leadEmail struct {
	EmailAddress  string `json:"emailAddress,omitempty"`
	EmailAddress2 string `json:"emailAddress2,omitempty"`
}

type leadAddress struct {
	StreetAddress string `json:"streetAddress,omitempty"`
	ZipCode       string `json:"zipCode,omitempty"`
	City          string `json:"city,omitempty"`
}

type marketing struct {
	Referrer string   `json:"referrer,omitempty"`
	UTMTags  []utmTag `json:"utmTags,omitempty"`
}

type utmTag struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type leadAgent struct {
	ID         string `json:"id,omitempty"`
	ExternalID string `json:"externalId,omitempty"`
	Email      string `json:"email,omitempty"`
}

type leadOffice struct {
	ID         string `json:"id,omitempty"`
	CustomerID string `json:"customerId,omitempty"`
	ExternalID string `json:"externalId,omitempty"`
}

type leadSender struct {
	User    named `json:"user,omitzero"`
	Company named `json:"company,omitzero"`
}

type named struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

func newLeadPerson(l portal.Lead) leadPerson {
	p := leadPerson{FirstName: l.FirstName, LastName: l.LastName, Message: l.Message, TypeID: l.SourceID,
		SocialSecurityNumber: l.PersonalNumber,
		Telephone:            leadTelephone(l.Telephone),
		Email:                leadEmail{l.Email, l.Email2},
		Address:              leadAddress{l.Street, l.ZipCode, l.City},
		AssignmentSourceID:   l.IntakeID,
		Marketing:            marketing{Referrer: l.Marketing.Referrer},
		Agent:                leadAgent(l.Agent),
		Office:               leadOffice(l.Office),
		Sender:               leadSender{named{l.Sender.UserID, l.Sender.UserName}, named{l.Sender.CompanyID, l.Sender.CompanyName}},
	}
	if l.PersonalNumber != "" {
		p.IsForeignSocialSecurityNumber = &l.Foreign
	}
	for _, t := range l.Marketing.UTMTags {
		p.Marketing.UTMTags = append(p.Marketing.UTMTags, utmTag(t))
	}
	return p
}

// composeLead returns the request that brings Connect a lead. SendLead and
// PreviewLead both use it: what staff see is what is sent.
func composeLead(l portal.Lead) request {
	return request{method: http.MethodPost, path: "/Service/Contact/" + url.PathEscape(l.Customer) + "/Lead/Person",
		customer: l.Customer, body: door.JSON(newLeadPerson(l)), secrets: personOf(l), private: true}
}

// masked stands for a personal number on a screen.
const masked = "••••"

// PreviewLead returns what SendLead would send, as people read it, but for the
// personal number.
func (c *Client) PreviewLead(l portal.Lead) string {
	if l.PersonalNumber != "" {
		l.PersonalNumber = masked
	}
	r := composeLead(l)
	return r.op() + "\n" + string(r.body)
}

// SendLead brings an office a lead and returns Connect's id of it. An error is a
// *portal.ReportError, in which nothing about the person is quoted. After an
// outcome that is unknown the lead must not be sent again unasked: Connect's
// check for duplicates is on persons, and makes a new lead each time.
func (c *Client) SendLead(ctx context.Context, l portal.Lead) (string, error) {
	answer, err := c.do(ctx, composeLead(l))
	if err != nil {
		return "", door.Classify(err)
	}
	id := leadID(answer.Body)
	if id == "" {
		return "", door.Classify(answer.Unusable("the answer is no id of a lead"))
	}
	return id, nil
}

// leadID reads the answer to a lead, which is documented as a text; "" if it
// holds no id.
func leadID(body []byte) string {
	var object struct {
		ID json.RawMessage `json:"id"`
	}
	if json.Unmarshal(body, &object) == nil && object.ID != nil {
		body = object.ID
	}
	var text string
	var number json.Number
	if json.Unmarshal(body, &text) != nil {
		if json.Unmarshal(body, &number) != nil {
			return ""
		}
		text = number.String()
	}
	text = strings.TrimSpace(text)
	if len(text) > maxID || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return ""
	}
	return text
}

// personOf returns what a lead says about its person, in every form in which an
// answer may quote it, the longest first. Single letters are in every word.
func personOf(l portal.Lead) []string {
	var all []string
	for _, s := range []string{l.FirstName, l.LastName, l.Message, l.PersonalNumber, digitsOf(l.PersonalNumber), l.Telephone.Home,
		l.Telephone.Work, l.Telephone.Cell, l.Telephone.Other, l.Email, l.Email2, l.Street, l.ZipCode, l.City} {
		if utf8.RuneCountInString(s) > 1 {
			all = append(all, s, escaped(s, "%04x"), escaped(s, "%04X"))
		}
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(all)
}

// escaped returns a text as .NET may write it inside a JSON text.
func escaped(s, hex string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		if unit < ' ' || unit > '~' || strings.ContainsRune("\"&'+<>\\`", rune(unit)) {
			fmt.Fprintf(&b, `\u`+hex, unit)
		} else {
			b.WriteRune(rune(unit))
		}
	}
	return b.String()
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// LeadOptions returns what a connection says about leads, and whether it takes
// any: each lead must name a source, and Connect lists them nowhere.
func LeadOptions(c portal.Connection) (portal.LeadSettings, bool) {
	var s config
	if c.System != System || json.Unmarshal(c.Settings, &s) != nil || len(s.LeadSources) == 0 {
		return portal.LeadSettings{}, false
	}
	settings := portal.LeadSettings{RetentionDays: s.LeadRetentionDays}
	for _, v := range s.LeadSources {
		settings.Sources = append(settings.Sources, portal.LeadSource(v))
	}
	for _, v := range s.AssignmentSources {
		settings.Intakes = append(settings.Intakes, portal.LeadSource(v))
	}
	return settings, true
}
