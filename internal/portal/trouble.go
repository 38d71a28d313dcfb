package portal

import "time"

// Overdue is how long a partner may go without a report, or without an answer,
// before people are told.
const Overdue = 5 * time.Minute

// Trouble is what a connection's partner should know and does not, what keeps it
// from being told, and us from its orders.
type Trouble struct {
	ConnectionID string     `db:"connection_id"`
	System       string     `db:"system"`
	Overdue      int        `db:"overdue"`       // reports that have waited for Overdue, those behind another aside
	Parked       int        `db:"parked"`        // reports that wait for a person
	Oldest       *time.Time `db:"oldest"`        // since when the oldest of both waits, nil: none does
	Last         Attempt    `db:"-"`             // how the oldest was last tried; zero: it was not
	DownSince    *time.Time `db:"down_since"`    // the partner has not answered for Overdue
	RefusedSince *time.Time `db:"refused_since"` // the partner refuses a credential of ours
	StaleSince   *time.Time `db:"stale_since"`   // no orders have been fetched for too long
}
