// Package visma speaks to Visma Real Estate Core/Flow as a marketing integrator:
// it verifies who opens an order, reads what the order is about, reports states
// and hands over files. The words of Core stop here; what goes out of the
// package are types of package portal.
//
// Core is described at https://visma-real-estate-solutions.github.io/core-documentation.
// What that leaves open is a setting of the connection, or said beside the code.
package visma

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// System is the name of this partner system in the configuration.
const System = "visma"

// targetType is our word for what every order of Core's is about.
const targetType = "Case"

// The authentication types: how Core authenticates towards us.
//
// https://visma-real-estate-solutions.github.io/core-documentation/docs/marketing-integrator/setup.html
const (
	authFlowToken       = "flow_token"
	authOAuthSimplified = "oauth_simplified"
	authOAuth           = "oauth"
	authBasic           = "basic"
)

var authTypes = []string{authFlowToken, authOAuthSimplified, authOAuth, authBasic}

// orderStates are Core's names of an order's state, each at its number.
var orderStates = []string{"Unknown", "CreatedNotSent", "InProcess", "Error", "MissingInfo", "Completed", "Cancelled",
	"Created", "Activated"}

// config is what portal.Connection.Settings holds; no secret is among them.
type config struct {
	AuthType     string                 `json:"auth_type"`
	CallbackHash string                 `json:"callback_hash,omitempty"` // of what Core shows us: see loginHash
	Tenants      []tenantConfig         `json:"tenants"`
	Query        queryNames             `json:"query"`
	Metadata     []string               `json:"metadata"`
	Language     string                 `json:"language"`
	StatusMap    map[string]string      `json:"status_map"`  // by state or step
	StatusText   map[string]portal.Text `json:"status_text"` // by state or step
	ActionText   map[string]portal.Text `json:"action_text"` // by state
	StatusLength int                    `json:"status_length"`
	CaseField    string                 `json:"case_field"`
	Files        files                  `json:"files"`
	Rate         door.Rate              `json:"rate"`
}

// tenantConfig is a customer of Visma's that uses us.
type tenantConfig struct {
	ID      string `json:"id"`
	BaseURL string `json:"base_url"` // without /flow
}

// queryNames are how the address that is registered with Visma calls what Core
// fills in.
type queryNames struct {
	Case         string `json:"case"`
	Token        string `json:"token"`
	Order        string `json:"order"`
	Tenant       string `json:"tenant"`
	FlowURL      string `json:"flow_url"`
	CustomerName string `json:"customer_name"`
}

// files says where on a case deliveries are put.
type files struct {
	Folder       string `json:"folder,omitempty"` // its name; empty: nothing is put there
	ImageTags    []tag  `json:"image_tags,omitempty"`
	DocumentTags []tag  `json:"document_tags,omitempty"`
}

// tag is the id of a file tag of Core's, as the apply file has it: a number or a
// text, for the page does not say which.
type tag = json.RawMessage

func defaults() config {
	return config{
		AuthType: authFlowToken,
		Query: queryNames{Case: "caseId", Token: "token", Order: "StreamOrderId", Tenant: "tenantId", FlowURL: "flowUrl",
			CustomerName: "customerName"},
		Metadata: []string{metaNumber, metaPackage, metaPrice, metaDay, metaLink},
		Language: "nb",
		StatusMap: map[string]string{
			string(portal.Received):            "InProcess",
			string(portal.Active):              "InProcess",
			string(portal.Waiting):             "MissingInfo",
			string(portal.Delivered):           "Completed",
			string(portal.Failed):              "Error",
			string(portal.Cancelled):           "Cancelled",
			string(portal.StepPolicyIssued):    "Created",
			string(portal.StepPolicyActivated): "Activated",
		},
		StatusText:   statusTexts(),
		ActionText:   actionTexts(),
		StatusLength: 250, // no limit is documented
		CaseField:    "Id",
		Rate:         door.Rate{Concurrent: 4, PerSecond: 20}, // Core gives 1000 tokens a second, and most methods cost 25
	}
}

// reports returns the states that Core is told of.
func (c config) reports() []portal.State {
	var states []portal.State
	for _, state := range portal.States {
		if c.StatusMap[string(state)] != "" {
			states = append(states, state)
		}
	}
	return states
}

var guidPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// guid returns an order's id as we keep it, "" if it is none. .NET writes a GUID
// in small or capital letters, and sometimes in braces.
func guid(s string) string {
	s = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "{"), "}"))
	if !guidPattern.MatchString(s) || strings.Trim(s, "0-") == "" {
		return ""
	}
	return s
}

// casePattern is what a case id looks like: 66115.
var casePattern = regexp.MustCompile(`^[0-9]{1,18}$`)

// orderState is a state of Core's by its name, whether it comes as a name or as
// a number. What is unknown stays as it is.
type orderState string

// UnmarshalJSON reads a name or a number.
func (s *orderState) UnmarshalJSON(raw []byte) error {
	var t door.Text
	if err := json.Unmarshal(raw, &t); err != nil {
		return err
	}
	*s = orderState(t)
	if n, err := strconv.Atoi(string(t)); err == nil && n >= 0 && n < len(orderStates) {
		*s = orderState(orderStates[n])
	}
	return nil
}

// printable returns a text of somebody else's if it is short and in one line,
// else nothing: PostgreSQL does not store every character.
func printable(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxName || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return ""
	}
	return s
}

const maxName = 200 // bytes
