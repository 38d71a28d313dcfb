// Package portal is the domain: orders, their states, what may be done to them
// and what a partner is told. It imports the standard library only and knows
// no partner system, no SQL and no HTTP.
package portal
