package vitec

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// List returns the orders of an office that were ordered since a time, and the
// words that Connect has for states. An error is a *portal.ReportError.
//
// Connect's page names no paging, and does not say whether the list holds the
// orders of other providers too. Where the names of its query are not the real
// ones the list may be longer than asked for.
func (c *Client) List(ctx context.Context, customer string, since time.Time) (portal.Listing, error) {
	entries, err := c.Orders(ctx, customer, Filter{CreatedMin: since})
	if err != nil {
		return portal.Listing{}, listError(err)
	}
	list := portal.Listing{Words: map[portal.State]string{}}
	for state, word := range c.config.StatusMap {
		if word != "" {
			list.Words[state] = word
		}
	}
	for _, e := range entries {
		if e.ID == "" || len(e.ID) > maxID {
			continue // no order of ours can be meant
		}
		list.Orders = append(list.Orders, portal.Listed{OrderID: line(e.ID), Status: line(e.Status), TargetID: line(e.TargetID),
			UserID: line(e.UserID), ServiceID: line(e.ServiceID), CreatedAt: e.CreatedAt, UpdatedAt: e.LastUpdatedAt})
	}
	return list, nil
}

// listError tells an office that we may not list from a credential that is
// refused: rights are given by office and by group of methods, and the want of
// this one must not stop the others.
func listError(err error) *portal.ReportError {
	report := door.Classify(err)
	if report.Status == http.StatusForbidden {
		report.Outcome, report.Err = portal.OutcomeRefused, err
	}
	return report
}

// line returns a text without control characters, NUL above all, which
// PostgreSQL does not store: one bad entry must not keep the others out.
func line(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}
