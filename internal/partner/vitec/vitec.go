// Package vitec speaks to Vitec Express Connect: it exchanges the tokens of
// callbacks, lists orders and reports states. The words of Connect stop here;
// what goes out of the package are types of package portal.
//
// Connect is described at https://connect.maklare.vitec.net/Help. The page of
// the method that sets an order's status is not public, so its verb, path and
// body are settings of the connection.
package vitec

import (
	"regexp"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// System is the name of this partner system in the configuration.
const System = "vitec"

// idPattern is what a customer id of Connect's looks like: M30011, S30164, G2.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// config is what portal.Connection.Settings holds; no secret is among them.
type config struct {
	BaseURL           string                  `json:"base_url"`
	SetStatus         setStatus               `json:"set_status"`
	StatusMap         map[portal.State]string `json:"status_map"`
	ListQuery         listQuery               `json:"list_query"`
	Rate              door.Rate               `json:"rate"`
	LeadSources       []source                `json:"lead_sources,omitempty"`
	AssignmentSources []source                `json:"assignment_sources,omitempty"`
	LeadRetentionDays int                     `json:"lead_retention_days,omitempty"`
}

// listQuery names the query parameters of the list of orders. The help page
// flattens such names, so the real ones may differ from what it shows.
type listQuery struct {
	TargetID   string `json:"target_id"`
	CreatedMin string `json:"created_min"`
	CreatedMax string `json:"created_max"`
	Status     string `json:"status"`
}

// source is a lead or assignment source that exists at Vitec.
type source struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func defaults() config {
	return config{
		BaseURL: "https://connect.maklare.vitec.net",
		SetStatus: setStatus{
			Method: "PUT",
			Path:   "/Service/Order/Status/{customerId}",
			Body:   []byte(`{"id":"{orderId}","status":"{status}","comment":"{comment}"}`),
		},
		StatusMap: map[portal.State]string{
			portal.Received:  "OrderReceived",
			portal.Active:    "",
			portal.Delivered: "Delivered",
			portal.Failed:    "Error",
			portal.Cancelled: "Error",
		},
		ListQuery: listQuery{TargetID: "TargetId", CreatedMin: "MinValue", CreatedMax: "MaxValue", Status: "Status"},
		Rate:      door.Rate{Concurrent: 4, PerSecond: 10}, // Connect states no limit
	}
}

// reports returns the states that Connect is told of. Waiting always is: it is
// a user interaction and not a status.
func (s config) reports() []portal.State {
	var states []portal.State
	for _, state := range portal.States {
		if state == portal.Waiting || s.StatusMap[state] != "" {
			states = append(states, state)
		}
	}
	return states
}
