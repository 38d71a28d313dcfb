package tjansteguiden

import (
	"context"
	"io"
	"strings"
	"time"
	"unicode"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

const (
	maxID   = 64  // characters of an id; a longer one is none
	maxLine = 200 // of anything else on one line
)

// OrdersSince yields the orders that were placed on a day or later, each as soon
// as it has arrived: what was whole of a list that breaks off is yielded before
// the error is returned. An order without an id is yielded too. An error of
// yield ends it, and is returned as it is; any other has a *door.Error.
//
// Whether the date is that of the order or of its last change is documented
// nowhere.
func (c *Client) OrdersSince(ctx context.Context, since time.Time, yield func(portal.Listed) error) error {
	k := call{method: "orders", pairs: c.date(since)}
	return c.list(ctx, k, "order", func(e element) error { return yield(c.listed(e)) })
}

// CustomersSince yields the customers who are new, or changed in a network, on a
// day or later: their ids, and their accesses.
func (c *Client) CustomersSince(ctx context.Context, since time.Time, yield func(id string, access portal.Target) error) error {
	k := call{method: "customers", pairs: c.date(since), hashLast: true}
	return c.list(ctx, k, "customer", func(e element) error {
		return yield(idOf(e.get("id")), portal.Target{Type: targetType, ID: idOf(e.get("socket"))})
	})
}

func (c *Client) date(day time.Time) []string {
	return []string{c.config.Query.Date, day.In(c.zone).Format(time.DateOnly)}
}

// list makes a call that lists items.
func (c *Client) list(ctx context.Context, k call, item string, yield func(element) error) error {
	var stopped error
	k.list = true
	k.read = func(contentType string, body io.Reader) error {
		return readList(contentType, body, k.method, item, func(e element) error {
			stopped = yield(e)
			return stopped
		})
	}
	if _, err := c.do(ctx, k); stopped == nil {
		return err
	}
	return stopped
}

// List returns the orders of a customer that were placed since a time, and the
// words that Tjänsteguiden has for states. An error is a *portal.ReportError.
func (c *Client) List(ctx context.Context, customer string, since time.Time) (portal.Listing, error) {
	list := portal.Listing{Words: c.config.words()}
	err := c.OrdersSince(ctx, since, func(l portal.Listed) error {
		if l.OrderID != "" && l.Customer == customer {
			list.Orders = append(list.Orders, l)
		}
		return nil
	})
	if err != nil {
		return portal.Listing{}, door.Classify(err)
	}
	return list, nil
}

// Rules returns how Tjänsteguiden takes part in the orders.
func (c *Client) Rules() portal.PollRules {
	return portal.PollRules{Words: c.config.words(), Acknowledges: c.hashes != nil, Follows: c.hashes == nil}
}

// listed returns an order as it is listed.
//
// https://eklundh.com/atlas/help/api/index/356/specification?method=414
func (c *Client) listed(e element) portal.Listed {
	l := portal.Listed{OrderID: idOf(e.get("id")), UserID: customerOf(e), ServiceID: idOf(e.get("service")),
		CreatedAt: c.parseDate(e.get("date")), Wished: c.wished(e.get("delivery")), Customer: c.customer(e)}
	return withStatus(l, e.get("status"))
}

func withStatus(l portal.Listed, status string) portal.Listed {
	l.Status = cut(portal.Redact(line(status)), maxLine)
	l.State, l.New = stateOf(l.Status), strings.EqualFold(l.Status, statusNew)
	return l
}

// customer returns who the order belongs to: us, or the provider who is named.
func (c *Client) customer(order element) string {
	if xsp := idOf(order.get("xsp")); xsp != "" && c.config.Role == roleNetwork {
		return xsp
	}
	return c.config.APIUser
}

// customerOf returns the id of an order's customer, which is documented as a
// number, and may be the customer.
func customerOf(order element) string {
	customer, _ := order.child("customer")
	if len(customer.children) > 0 {
		return idOf(customer.get("id"))
	}
	return idOf(customer.text)
}

// parseDate reads a date. Those of the documentation have no zone; what cannot
// be read is zero.
func (c *Client) parseDate(s string) time.Time {
	s = strings.TrimSpace(s)
	t, err := time.Parse(time.RFC3339, s)
	for _, layout := range []string{time.DateTime, dateMinute, time.DateOnly, "2006-01-02T15:04:05"} {
		if err == nil {
			break
		}
		t, err = time.ParseInLocation(layout, s, c.zone)
	}
	if err != nil || t.Year() <= 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

const dateMinute = "2006-01-02 15:04"

// wished returns for when an order is: portal.Asap, a day, or a day and a time.
func (c *Client) wished(delivery string) string {
	if strings.EqualFold(delivery, portal.Asap) {
		return portal.Asap
	}
	t := c.parseDate(delivery).In(c.zone)
	switch {
	case c.parseDate(delivery).IsZero():
		return ""
	case t.Hour() == 0 && t.Minute() == 0:
		return t.Format(time.DateOnly)
	}
	return t.Format(dateMinute)
}

// idOf returns what is taken for an id, "" if it cannot be one.
func idOf(s string) string {
	if s = line(s); len([]rune(s)) > maxID {
		return ""
	}
	return s
}

// line returns a text on one line, and without what else would do harm there.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
