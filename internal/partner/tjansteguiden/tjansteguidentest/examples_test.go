package tjansteguidentest

import (
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// outline returns an XML text as one line for each element with a text, by its
// path. It fails at anything that is no XML.
func outline(t *testing.T, s string) []string {
	t.Helper()
	var path, lines []string
	leaf := false
	text := ""
	for d := xml.NewDecoder(strings.NewReader(s)); ; {
		tok, err := d.Token()
		if err == io.EOF {
			return lines
		} else if err != nil {
			t.Fatalf("%v: %s", err, s)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			path, leaf, text = append(path, tok.Name.Local), true, ""
		case xml.CharData:
			text += string(tok)
		case xml.EndElement:
			if leaf {
				lines = append(lines, strings.Join(path, "/")+" "+strings.TrimSpace(text))
			}
			path, leaf = path[:len(path)-1], false
		}
	}
}

// TestTheDocumentedExamples: what the documentation shows, with the names that it
// leaves out filled in.
func TestTheDocumentedExamples(t *testing.T) {
	t.Parallel()
	at := time.Date(2015, 10, 6, 11, 48, 0, 0, stockholm)
	c := start(t, Options{Now: func() time.Time { return at }})
	susanne := Customer{ID: "10573", Socket: "KC0101A06", Serial: "19700101010101", Firstname: "Susanne", Surname: "Testqvist", Email: "testqvist@epost.se",
		Address: "Testgatan10b", Zip: "64430", City: "Torshälla", Data: map[string]string{"phone": "0708530013", "premise": "1002"},
		CreatedAt: time.Date(2018, 1, 1, 12, 34, 56, 0, stockholm)}
	anton := Customer{ID: "16745", Socket: "65375", Serial: "197510116952", Firstname: "Test direktaktivering", Surname: "x", Email: "x@epost.se", Address: "y",
		Zip: "12345", City: "z", Member: "1234", Data: map[string]string{"message": "TESTBESTÄLLNING", "phone": "0703051947", "premise": "508-004-06-0302"}}
	c.AddOrder(Order{ID: "19530", Delivery: time.Date(2015, 10, 6, 0, 0, 0, 0, stockholm), Customer: anton})
	c.AddOrder(Order{ID: "19531", Customer: susanne})
	c.AddOrder(Order{ID: "1234", CreatedAt: at.AddDate(0, 0, -6), Customer: susanne})
	for name, tt := range map[string]struct {
		call func(string) (int, string)
		query,
		want string
	}{
		"orders of the network": {c.ko, "method=orders&date=2015-10-06", `<serviceguide><response>
			<order><id>19530</id><type>order</type><date>2015-10-06 11:48:00</date><status>new</status><service>2440</service>
			  <xsp>31420</xsp><delivery>2015-10-06 00:00:00</delivery><customer>16745</customer></order>
			<order><id>19531</id><type>order</type><date>2015-10-06 11:48:00</date><status>new</status><service>2440</service>
			  <xsp>31420</xsp><delivery>asap</delivery><customer>10573</customer></order>
			</response></serviceguide>`},
		"customer_info": {c.tl, "method=customer_info&id=10573", `<customer_info><response><customer>
			<id>10573</id><socket>KC0101A06</socket><serial>19700101010101</serial><firstname>Susanne</firstname><surname>Testqvist</surname>
			<email>testqvist@epost.se</email><address>Testgatan10b</address><zip>64430</zip><city>Torshälla</city>
			</customer><data><phone>0708530013</phone><premise>1002</premise></data></response><status>success</status></customer_info>`},
		"customer_info of the network": {c.ko, "method=customer_info&id=16745", `<customer_info>
			<customer><id>16745</id><socket>65375</socket><serial>197510116952</serial><firstname>Test direktaktivering</firstname><surname>x</surname>
			<email>x@epost.se</email><address>y</address><zip>12345</zip><city>z</city><member>1234</member></customer>
			<data><message>TESTBESTÄLLNING</message><phone>0703051947</phone><premise>508-004-06-0302</premise></data></customer_info>`},
		"customers": {c.tl, "method=customers&date=2018-01-01", `<customers><response><customer><id>10573</id><socket>KC0101A06</socket>
			<serial>19700101010101</serial><firstname>Susanne</firstname><surname>Testqvist</surname><date>2018-01-01 12:34</date></customer>
			</response><status>success</status></customers>`},
		"no customers": {c.tl, "method=customers&date=2018-01-02", `<customers><response></response><status>success</status></customers>`},
		"set_status": {c.ko, "method=set_status&status=delivered&id=1234", `<set_status>
			<response><message>Status changed to delivered for order 1234</message></response><status>success</status></set_status>`},
		"unknown method": {c.tl, "method=x", `<x><response><message>Unknown Method 'x'.</message></response><status>failed</status></x>`},
	} {
		_, body := tt.call(tt.query)
		if diff := cmp.Diff(outline(t, tt.want), outline(t, body)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if status, body := c.tl("method=x"); status != http.StatusNotFound || !strings.Contains(body, `<x generator="zend" version="1.0">`) {
		t.Errorf("%d %s", status, body)
	}
	if _, body := c.tl("method=orders&date=2015-10-07"); strings.Contains(body, "<order>") {
		t.Errorf("orders of the day before: %s", body)
	}
}

func TestOrderInfoAndLog(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	c := start(t, Options{Now: func() time.Time { return at }})
	c.SetServices(Service{ID: "2441", UID: "BB250", Name: "Bredband 250 & mer"})
	c.AddOrder(Order{ID: "7"})
	c.tl("method=set_status&status=received&id=7")
	_, info := c.tl("method=order_info&id=7")
	_, log := c.tl("method=order_log&id=7")
	want := []string{"order_info/response/order/id 7", "order_info/response/order/type order", "order_info/response/order/date 2026-11-02 09:00:00",
		"order_info/response/order/status received", "order_info/response/order/service 2441", "order_info/response/order/xsp 31420",
		"order_info/response/order/delivery asap", "order_info/response/order/customer 16745", "order_info/response/order/service_uid BB250",
		"order_info/response/order/service_name Bredband 250 & mer", "order_info/status success",
		"order_log/response/log/entry/date 2026-11-02 09:00:00", "order_log/response/log/entry/type log",
		"order_log/response/log/entry/user Nordljus Bredband", "order_log/response/log/entry/message Status changed from new to received",
		"order_log/status success"}
	if diff := cmp.Diff(want, append(outline(t, info), outline(t, log)...)); diff != "" {
		t.Error(diff)
	}
}

func TestShapes(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	c.AddOrder(Order{ID: "7"})
	for shape, want := range map[Shape][2]string{
		ShapeDocumented:   {"orders/response/order/id 7 orders/status success", "serviceguide/response/order/id 7"},
		ShapeMethod:       {"orders/response/order/id 7 orders/status success", "orders/response/order/id 7 orders/status success"},
		ShapeServiceguide: {"serviceguide/response/order/id 7 serviceguide/status success", "serviceguide/response/order/id 7 serviceguide/status success"},
		ShapeNested: {"Atlas_Serviceguide/orders/response/order/id 7 Atlas_Serviceguide/orders/status success",
			"Atlas_Serviceguide/orders/response/order/id 7 Atlas_Serviceguide/orders/status success"},
		ShapeBare:       {"orders/order/id 7 orders/status success", "orders/order/id 7 orders/status success"},
		ShapeStatusless: {"orders/response/order/id 7", "orders/response/order/id 7"},
	} {
		c.SetShape(shape)
		for i, call := range []func(string) (int, string){c.tl, c.ko} {
			_, body := call("method=orders&date=2015-10-01")
			lines := outline(t, body)
			got := lines[0]
			if last := lines[len(lines)-1]; strings.Contains(last, "status success") {
				got += " " + last
			}
			if got != want[i] {
				t.Errorf("%q: %s, want %s", shape, got, want[i])
			}
		}
		_, body := c.tl("method=set_status&status=active&id=7")
		if lines := outline(t, body); len(lines) != 2 || !strings.HasSuffix(lines[0], "/response/message Status changed to active for order 7") {
			t.Errorf("%q: %s", shape, lines)
		}
	}
}
