// Package views holds every screen: a struct of what it shows, with one method
// View that renders it; the texts of all languages; and how times, money and
// names are written. There is no store, request or clock in a view.
package views

import (
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"portico/internal/portal"
)

// Page is a whole screen.
type Page interface {
	View() templ.Component
}

// Base is what every screen has.
type Base struct {
	*Printer                     // language, time zone and moment
	Path         string          // address of the screen with its query, for the language links; after a refused POST the screen's own
	Provider     string          // whose portal it is
	SupportEmail string          // empty: none
	Staff        portal.Staff    // who is signed in; zero on the broker's screens
	Nav          Nav             // staff screens only
	Alarms       []Alarm         // staff screens only
	Flash        portal.Sentence // said once, on the screen after an action; zero: nothing
}

// Nav holds the counts beside the links of the staff screens.
type Nav struct {
	Open        int  // orders in an open state
	Overdue     int  // messages that a partner should have got by now
	Differences int  // orders that we and a partner do not agree about
	Leads       bool // a connection takes leads
	Undecided   int  // leads that the partner refused, or that may have arrived
	Fetches     bool // orders of a connection are fetched
	Aside       int  // fetched orders that could not be taken in
}

// Alarm is something that stops messages to or from a partner system.
type Alarm struct {
	Down     bool   // the system does not answer
	Stale    bool   // none of its orders have been fetched; neither: it refuses our credential
	System   string // the kind of partner system
	Customer string // the office whose credential it is, portal.AnyCustomer for all
	Since    time.Time
	Error    string // what the partner answered
}

// langURL returns the address of the screen in another language.
func (b Base) langURL(locale string) templ.SafeURL {
	u := ownURL(b.Path)
	q := u.Query()
	q.Set("lang", locale)
	u.RawQuery = q.Encode()
	return templ.SafeURL(u.String())
}

// ownURL returns the part of an address that cannot lead to another host.
func ownURL(address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil {
		return &url.URL{Path: "/"}
	}
	return &url.URL{Path: "/" + strings.TrimLeft(u.Path, "/\\"), RawQuery: u.RawQuery}
}
