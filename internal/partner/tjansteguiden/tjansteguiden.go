// Package tjansteguiden speaks to Tjänsteguiden, the order portal of
// Stadsnätsportalen: it fetches orders and their customers, and reports states
// and messages. Networks are asked for activations through package onapi. The
// words of Tjänsteguiden stop here; what goes out of the package are types of
// package portal.
//
// The methods are described at
// https://www.stadsnatsportalen.se/atlas/help/api/index/362/specification for
// service providers (tl) and at
// https://www.eklundh.com/atlas/help/api/index/356/specification for networks
// (ko). What these leave open is a setting of the connection, or said beside the
// code.
package tjansteguiden

import (
	"strings"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// System is the name of this partner system in the configuration.
const System = "tjansteguiden"

// Who we are: a service provider, who fulfils the orders, or the network in
// which they are placed.
const (
	roleProvider = "tl"
	roleNetwork  = "ko"
)

const (
	guideName    = "Tjänsteguiden" // what a provider's only customer is called
	providerBase = "https://www.stadsnatsportalen.se/plain/serviceguide_log"
	targetType   = "access" // our word for what every order is about
)

// statusNew is the status of an order that nobody has read.
const statusNew = "new"

// statuses are all the statuses of an order.
//
// https://stadsnatsportalen.se/atlas/help/api/index/362/specification?method=433
var statuses = []string{statusNew, "received", "active", "waiting", "cancelled", "delivered"}

// stateOf returns what a status is with us, "" for one that is not documented.
func stateOf(status string) portal.State {
	switch s := strings.ToLower(strings.TrimSpace(status)); s {
	case statusNew:
		return portal.Received
	case "received", "active", "waiting", "cancelled", "delivered":
		return portal.State(s)
	}
	return ""
}

// messageTypes are the types of add_message.
//
// https://stadsnatsportalen.se/atlas/help/api/index/362/specification?method=427
var messageTypes = []string{"error", "alert", "system", "log"}

// config is what portal.Connection.Settings holds; no secret is among them.
type config struct {
	Role         string                   `json:"role"`
	BaseURL      string                   `json:"base_url"`
	APIUser      string                   `json:"api_user"`
	TimeZone     string                   `json:"time_zone"`
	Query        queryNames               `json:"query"`
	StatusMap    map[portal.State]string  `json:"status_map"`
	MessageTypes map[portal.Remark]string `json:"message_types"`
	Networks     []networkConfig          `json:"networks,omitempty"`
	Rate         door.Rate                `json:"rate"`
}

// queryNames are what the calls' parameters are called. Those of half of the
// methods are documented nowhere.
type queryNames struct {
	Order    string `json:"order"`
	Customer string `json:"customer"`
	Date     string `json:"date"`
	Hash     string `json:"hash"`
	APIUser  string `json:"api_user"`
}

// networkConfig is a network that can be asked for activations.
type networkConfig struct {
	Prefix  string `json:"prefix"` // of its access ids, in capitals
	BaseURL string `json:"base_url"`
}

func defaults() config {
	return config{
		TimeZone: "Europe/Stockholm", // dates come without one
		Query:    queryNames{Order: "id", Customer: "id", Date: "date", Hash: "hash", APIUser: "api_user"},
		StatusMap: map[portal.State]string{
			portal.Received:  "received",
			portal.Active:    "active",
			portal.Waiting:   "waiting",
			portal.Delivered: "delivered",
			portal.Failed:    "cancelled", // after a message that says why
			portal.Cancelled: "cancelled",
		},
		MessageTypes: map[portal.Remark]string{portal.RemarkPlain: "log", portal.RemarkImportant: "alert", portal.RemarkProblem: "error"},
		Rate:         door.Rate{Concurrent: 4, PerSecond: 10}, // no limit is stated
	}
}

// reports returns the states that Tjänsteguiden is told of. Failed always is: it
// is a message too.
func (s config) reports() []portal.State {
	var states []portal.State
	for _, state := range portal.States {
		if state == portal.Failed || s.StatusMap[state] != "" {
			states = append(states, state)
		}
	}
	return states
}

// words returns what the states are called that Tjänsteguiden is told of.
func (s config) words() map[portal.State]string {
	words := map[portal.State]string{}
	for state, word := range s.StatusMap {
		if word != "" {
			words[state] = word
		}
	}
	return words
}
