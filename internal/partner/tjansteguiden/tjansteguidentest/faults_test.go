package tjansteguidentest

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"portico/internal/partner/door/doortest"
)

// get makes a call and returns what came of it, also if the connection broke in
// the middle.
func (c *caller) get(query string) (status int, body string, err error) {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), http.MethodGet, c.URL+PathTL+"?"+query+"&hash="+c.hash, nil)
	if err != nil {
		c.Fatal(err)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(raw), err
}

// wellFormed reports whether a text is XML with one root that ends.
func wellFormed(s string) bool {
	depth, roots := 0, 0
	for d := xml.NewDecoder(strings.NewReader(s)); ; {
		tok, err := d.Token()
		if err != nil {
			return errors.Is(err, io.EOF) && roots == 1
		}
		switch tok.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
		case xml.EndElement:
			depth--
		}
	}
}

func TestFaultsOfAList(t *testing.T) {
	t.Parallel()
	for kind, want := range map[FaultKind]struct {
		status int
		broken bool // the connection
		whole  bool // the XML
	}{
		doortest.FaultUnauthorized: {401, false, true},
		doortest.FaultTooMany:      {429, false, true},
		doortest.FaultServerError:  {500, false, true},
		FaultFailed:                {200, false, true},
		FaultGarbage:               {200, false, false},
		doortest.FaultHTML:         {200, false, false},
		doortest.FaultTruncated:    {200, false, false},
		FaultCut:                   {200, true, false},
		doortest.FaultDrop:         {0, true, false},
	} {
		c := start(t, Options{})
		c.AddOrders(50)
		c.SetFault(OpOrders, Fault{Kind: kind, Times: 1})
		status, body, err := c.get("method=orders&date=2015-10-01")
		if status != want.status || (err != nil) != want.broken || wellFormed(body) != want.whole {
			t.Errorf("%s: %d, %v, %s", kind, status, err, body)
		}
		half := kind == FaultCut || kind == doortest.FaultTruncated
		if n := strings.Count(body, "</order>"); half != (n > 0 && n < 50) {
			t.Errorf("%s: %d orders", kind, n)
		}
		if status, body, err := c.get("method=orders&date=2015-10-01"); status != 200 || err != nil || strings.Count(body, "</order>") != 50 {
			t.Errorf("after %s: %d, %v", kind, status, err)
		}
	}
}

func TestFaultsOfAChange(t *testing.T) {
	t.Parallel()
	for kind, done := range map[FaultKind]bool{FaultLost: false, FaultFailed: false, doortest.FaultServerError: false,
		doortest.FaultStoredDrop: true, doortest.FaultStoredError: true, FaultCut: true} {
		c := start(t, Options{})
		id := c.AddOrder(Order{}).ID
		c.SetFault(OpSetStatus, Fault{Kind: kind})
		status, _, _ := c.get("method=set_status&status=active&id=" + id)
		if got := len(c.Statuses(id)) == 1; got != done || c.Server.Log()[1].Stored != done {
			t.Errorf("%s: status %d, done %t, in the log %t", kind, status, got, c.Server.Log()[1].Stored)
		}
	}
}

func TestABrokenOrder(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	bad, good := c.AddOrder(Order{}), c.AddOrder(Order{})
	info := func(o Order) string { return "method=order_info&id=" + o.ID }
	customer := func(o Order) string { return "method=customer_info&id=" + o.Customer.ID }
	for _, tt := range []struct {
		kind   FaultKind
		status int
		whole  bool
	}{
		{doortest.FaultServerError, 500, true},
		{doortest.FaultBadRequest, 400, true},
		{FaultFailed, 200, true},
		{FaultGarbage, 200, false},
		{doortest.FaultHTML, 200, false},
		{doortest.FaultTruncated, 200, false},
		{FaultCut, 200, false},
	} {
		c.Break(bad.ID, OpAny, tt.kind)
		for _, query := range []string{info(bad), customer(bad)} {
			status, body, err := c.get(query)
			if status != tt.status || wellFormed(body) != tt.whole || (err != nil) != (tt.kind == FaultCut) || strings.Contains(body, "success") {
				t.Errorf("%s: %d %s", tt.kind, status, body)
			}
		}
		for _, query := range []string{info(good), customer(good), "method=orders&date=2015-10-01"} {
			if status, body, err := c.get(query); status != 200 || err != nil || !strings.Contains(body, "<status>success") {
				t.Errorf("%s also breaks %s: %d %s", tt.kind, query, status, body)
			}
		}
	}
	c.Break(bad.ID, OpAny, "")
	c.Break(bad.ID, OpCustomerInfo, FaultNoSocket)
	if _, body, _ := c.get(customer(bad)); strings.Contains(body, "<socket>") || !strings.Contains(body, "<serial>") {
		t.Errorf("no socket: %s", body)
	}
	if _, body, _ := c.get(info(bad)); !strings.Contains(body, "<status>success") {
		t.Errorf("healed: %s", body)
	}
	defer func() {
		if recover() == nil {
			t.Error("a test of a kind that breaks nothing would prove nothing")
		}
	}()
	c.Break(bad.ID, OpAny, doortest.FaultSlow)
}

func TestEveryFaultHasAName(t *testing.T) {
	t.Parallel()
	for i, info := range faultInfos {
		if info.Name == "" || info.Text == "" || info.Group == "" ||
			slices.ContainsFunc(faultInfos[:i], func(other doortest.FaultInfo) bool { return other.Kind == info.Kind }) {
			t.Errorf("fault %+v", info)
		}
	}
}
