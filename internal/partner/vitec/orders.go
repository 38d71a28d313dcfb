package vitec

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"portico/internal/partner/door"
)

// Entry is an order as Connect lists it. A date that cannot be read is zero.
type Entry struct {
	ID            string
	CreatedAt     time.Time
	LastUpdatedAt time.Time
	Status        string // any text: the list of statuses is not public
	TargetID      string
	UserID        string // who ordered
	ServiceID     string
}

// Filter says which orders to list; empty fields do not filter.
type Filter struct {
	TargetID   string
	CreatedMin time.Time
	CreatedMax time.Time
	Status     string
}

type orderEntry struct {
	ID            door.Text `json:"id"`
	CreatedAt     door.Text `json:"createdAt"`
	LastUpdatedAt door.Text `json:"lastUpdatedAt"`
	Status        door.Text `json:"status"`
	TargetID      door.Text `json:"targetId"`
	UserID        door.Text `json:"userId"`
	ServiceID     door.Text `json:"serviceId"`
}

// Orders lists the orders of an office.
//
// https://connect.maklare.vitec.net/Help/Api/GET-Service-Order-customerId
func (c *Client) Orders(ctx context.Context, customer string, f Filter) ([]Entry, error) {
	r := request{method: http.MethodGet, path: "/Service/Order/" + url.PathEscape(customer), customer: customer,
		query: c.config.ListQuery.values(f)}
	answer, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	var list []orderEntry
	if err := json.Unmarshal(answer.Body, &list); err != nil {
		return nil, answer.Unusable("the list is not the documented JSON")
	}
	entries := make([]Entry, 0, len(list))
	for _, o := range list {
		entries = append(entries, Entry{ID: string(o.ID), Status: string(o.Status), TargetID: string(o.TargetID),
			UserID: string(o.UserID), ServiceID: string(o.ServiceID),
			CreatedAt: c.date(string(o.CreatedAt)), LastUpdatedAt: c.date(string(o.LastUpdatedAt))})
	}
	return entries, nil
}

// Check reports whether Connect can be reached and takes our credential for an
// office. It changes nothing.
func (c *Client) Check(ctx context.Context, customer string) error {
	_, err := c.Orders(ctx, customer, Filter{CreatedMin: c.now()})
	if err != nil {
		return door.Classify(err)
	}
	return nil
}

func (n listQuery) values(f Filter) url.Values {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set(n.TargetID, f.TargetID)
	set(n.Status, f.Status)
	// With an offset: Connect reads a bare time as Swedish.
	if !f.CreatedMin.IsZero() {
		set(n.CreatedMin, f.CreatedMin.Format(time.RFC3339))
	}
	if !f.CreatedMax.IsZero() {
		set(n.CreatedMax, f.CreatedMax.Format(time.RFC3339))
	}
	return q
}

// date reads a date of Connect's, up to seven decimals. Without an offset it is
// the wall clock in Sweden. What it cannot read, and .NET's year 1, is zero.
func (c *Client) date(s string) time.Time {
	s = strings.TrimSpace(s)
	t, err := time.Parse(time.RFC3339Nano, s)
	for _, layout := range []string{"2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		if err == nil {
			break
		}
		t, err = time.ParseInLocation(layout, s, c.stockholm)
	}
	if err != nil || t.Year() <= 1 {
		return time.Time{}
	}
	return t
}
