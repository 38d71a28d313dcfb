package tjansteguiden

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

func fuzzClient(f *testing.F) *Client {
	f.Helper()
	s := defaults()
	s.Role, s.BaseURL, s.APIUser = roleNetwork, "https://example.com/orders", "1234"
	c, err := New(portal.Connection{Settings: door.JSON(s), Credentials: []portal.Credential{{Customer: "*"}}}, Options{})
	if err != nil {
		f.Fatal(err)
	}
	return c
}

// FuzzAnswer reads what is answered about an order and its customer: it ends, and
// no number is left.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{providerCustomer, networkCustomerInfo, orderInfo, orderList, importFailed, zendFailed, "{}", "<html/>"} {
		f.Add("application/xml", seed)
	}
	f.Add("text/xml; charset=ISO-8859-1", "<customer_info><customer><socket>\xe4</socket><serial>7510116952</serial></customer></customer_info>")
	c := fuzzClient(f)
	f.Fuzz(func(t *testing.T, contentType, body string) {
		raw := rawText(body)
		if len(raw) > maxRaw || strings.Contains(raw, "751011-6952") {
			t.Errorf("kept as it is: %q", raw)
		}
		for _, method := range []string{"order_info", "customer_info", "order_log"} {
			e, err := readAnswer(contentType, strings.NewReader(body), method, false)
			var no *refusal
			if err != nil && errors.Is(err, errUnreadable) == errors.As(err, &no) {
				t.Errorf("%s: %v", method, err)
			}
			if err != nil {
				continue
			}
			s := scrubber{}
			s.find(e)
			for _, r := range records(nil, e, s) {
				wantNo(t, s.serials, c.entry(r).Text)
			}
			d := detail{method: method, body: e, raw: bytes.NewBufferString(body)}
			got, err := c.fetched(c.update(portal.Listed{OrderID: "x", UserID: "x"}, d.item("order")), d, d)
			if err != nil {
				continue
			}
			got.Details.Wished = "" // made of a date, not of what came
			wantNo(t, s.serials, string(got.Ticket.Raw), got.Ticket.UserName, got.Ticket.Target.Name, string(door.JSON(got.Details)))
			if len(got.Details.More) > maxFacts {
				t.Errorf("%d facts", len(got.Details.More))
			}
		}
	})
}

func wantNo(t *testing.T, serials []string, texts ...string) {
	t.Helper()
	for _, serial := range serials {
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, serial)
		if text := strings.Join(texts, "\n"); len(digits) >= 6 && strings.Contains(text, digits) {
			t.Errorf("%s is in %s", serial, text)
		}
	}
}

// FuzzOrders reads a list while it arrives, and the same as a whole: it ends, and
// the same orders are in both.
func FuzzOrders(f *testing.F) {
	for _, seed := range []string{orderList, failed, noOrders, customerList, zendFailed, "<Class><orders><order/></orders></Class>",
		"<serviceguide><order/><orders><order/></orders><order/></serviceguide>", "<orders><status><order/></status><message><order/></message></orders>"} {
		f.Add(seed, len(seed))
	}
	c := fuzzClient(f)
	f.Fuzz(func(t *testing.T, body string, end int) {
		var got []element
		read := func(body string) error {
			got = nil
			return readList("", strings.NewReader(body), "orders", "order", func(e element) error {
				if l := c.listed(e); len([]rune(l.OrderID)) > maxID {
					t.Errorf("id %q", l.OrderID)
				}
				got = append(got, e)
				return nil
			})
		}
		err := read(body)
		whole := got
		if tree, ok := readWhole(body); ok {
			want, known := items(tree)
			var no *refusal
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(element{})); diff != "" || known && err != nil && !errors.As(err, &no) || !known && err == nil {
				t.Errorf("%v %s", err, diff)
			}
		} else if err == nil {
			t.Error("read as a list alone")
		}
		if end < 0 || end >= len(body) {
			return
		}
		if err := read(body[:end]); len(got) > len(whole) {
			t.Errorf("%d orders of %d, %v", len(got), len(whole), err)
		}
	})
}

// readWhole reads a list as a whole; one that holds more than is kept it cannot.
func readWhole(body string) (element, bool) {
	s, err := newSource("", strings.NewReader(body))
	if err != nil {
		return element{}, false
	}
	start, err := s.root()
	if err != nil {
		return element{}, false
	}
	s.elements, s.kept = 1<<30, 1<<30
	e, err := s.element(start, 1)
	return e, err == nil && s.end() == nil
}

// items returns the orders of a list that was read as a whole, and whether it is one.
func items(root element) (all []element, known bool) {
	said := false
	var walk func(all []element, below int)
	walk = func(children []element, below int) {
		for _, e := range children {
			is := func(name string) bool { return strings.EqualFold(e.name, name) }
			switch {
			case below < itemDepth && is("order"):
				all = append(all, e)
			case below == 0 && !said && is("status"):
				said = true
			case below <= 1 && is("message"):
			default:
				walk(e.children, below+1)
			}
		}
	}
	if strings.EqualFold(root.name, "orders") {
		walk(root.children, 0)
		return all, true
	}
	inside := isEnvelope(root.name, "orders")
	known = inside
	for i, e := range root.children {
		if strings.EqualFold(e.name, "orders") {
			inside, known, said = false, true, false
			walk(e.children, 0)
		} else if inside {
			walk(root.children[i:i+1], 0)
		}
	}
	return all, known
}
