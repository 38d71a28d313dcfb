package tjansteguiden

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"unicode"
	"unicode/utf8"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// Order returns all that is told of an order that is listed: the order as it is
// now, and its customer. An error is a *portal.FetchError, with a *door.Error
// where a call failed.
//
// What order_info answers with is documented nowhere; it is read as an order of
// the list, and more.
func (c *Client) Order(ctx context.Context, l portal.Listed) (portal.Fetched, error) {
	if l.OrderID == "" {
		return portal.Fetched{}, &portal.FetchError{Say: portal.Say("polls.no_id"), Raw: portal.Redact(string(door.JSON(l))),
			Err: errors.New("the order has no id")}
	}
	info, err := c.detail(ctx, "order_info", c.config.Query.Order, l.OrderID)
	if err == nil {
		err = info.about("order", l.OrderID)
	}
	if err != nil {
		return portal.Fetched{}, err
	}
	order := info.item("order")
	if l.UserID == "" {
		l.UserID = customerOf(order)
	}
	if l.UserID == "" {
		return portal.Fetched{}, info.fault("polls.no_access", errors.New("order_info: the order has no customer"))
	}
	who, err := c.detail(ctx, "customer_info", c.config.Query.Customer, l.UserID)
	if err == nil {
		err = who.about("customer", l.UserID)
	}
	if err != nil {
		return portal.Fetched{}, err
	}
	return c.fetched(c.update(l, order), info, who)
}

// update returns an order as it is now: it may have changed since it was listed.
func (c *Client) update(l portal.Listed, order element) portal.Listed {
	if status := order.get("status"); status != "" {
		l = withStatus(l, status)
	}
	if service := idOf(order.get("service")); service != "" {
		l.ServiceID = service
	}
	if wished := c.wished(order.get("delivery")); wished != "" {
		l.Wished = wished
	}
	if l.CreatedAt.IsZero() {
		l.CreatedAt = c.parseDate(order.get("date"))
	}
	if l.Customer == "" || order.get("xsp") != "" {
		l.Customer = c.customer(order)
	}
	return l
}

// detail is the answer to a question about one order or customer.
type detail struct {
	method string
	body   element
	raw    *bytes.Buffer // as it came
}

// detail asks about one order or customer.
func (c *Client) detail(ctx context.Context, method, name, id string) (detail, error) {
	d := detail{method: method, raw: &bytes.Buffer{}}
	k := call{method: method, pairs: []string{name, id}}
	k.read = func(contentType string, body io.Reader) (err error) {
		d.raw.Reset()
		n, err := io.Copy(d.raw, io.LimitReader(body, door.MaxAnswer+1))
		switch {
		case err != nil:
			return fmt.Errorf("read the answer: %w", err)
		case n > door.MaxAnswer:
			return errTooMuch
		}
		d.body, err = readAnswer(contentType, bytes.NewReader(d.raw.Bytes()), method, false)
		return err
	}
	if _, err := c.do(ctx, k); err != nil {
		return detail{}, d.fault(sayOf(err), err)
	}
	return d, nil
}

// item returns the element that the answer is about, which may be the answer.
func (d detail) item(name string) element {
	if e, ok := d.body.child(name); ok {
		return e
	}
	return d.body
}

// about refuses an answer about another one than was asked about.
func (d detail) about(name, id string) error {
	if got := idOf(d.item(name).get("id")); got != "" && got != id {
		return d.fault("polls.unreadable", fmt.Errorf("%s: %w: it is about another %s", d.method, errUnreadable, name))
	}
	return nil
}

func (d detail) fault(say string, err error) *portal.FetchError {
	var e *door.Error
	raw := rawText(d.raw.String())
	if raw == "" && errors.As(err, &e) {
		raw = rawText(e.Body)
	}
	return &portal.FetchError{Say: portal.Say(say), Raw: raw, Err: err}
}

// sayOf returns the key of what staff are told of a call that failed.
func sayOf(err error) string {
	var e *door.Error
	var timeout net.Error
	switch {
	case errors.Is(err, portal.ErrCredential), errors.As(err, &e) && (e.Refused || refuses(e.Status)):
		return "polls.refused"
	case e == nil, errors.As(err, &timeout) && timeout.Timeout(), e.Status/100 != 2:
		return "polls.no_answer"
	}
	return "polls.unreadable"
}

// maxRaw is how much is kept of an answer that cannot be used, in bytes.
const maxRaw = 4 << 10

// rawText returns how an answer starts, without personal numbers.
func rawText(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	for _, serial := range serialPattern.FindAllStringSubmatch(s, -1) {
		s = portal.RedactNumber(s, serial[1])
	}
	if s = portal.Redact(s); len(s) <= maxRaw {
		return s
	}
	end := maxRaw
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}
