package tjansteguiden

import (
	"errors"
	"strings"
	"testing"
)

// What the pages show. The first is Stadsnätsportalen's, the second a network's.
const (
	providerCustomer = `<customer_info>
  <response>
    <customer>
      <id>10573</id><socket>KC0101A06</socket><serial>19700101010101</serial><firstname>Susanne</firstname><surname>Testqvist</surname>
      <email>testqvist@epost.se</email><address>Testgatan10b</address><zip>64430</zip><city>Torshälla</city>
    </customer>
    <data><phone>0708530013</phone><premise>1002</premise></data>
  </response>
  <status>success</status>
</customer_info>`
	networkCustomerInfo = `<customer_info>
  <customer><id>16745</id><socket>65375</socket><serial>197510116952</serial><firstname>Test direktaktivering</firstname><surname>Ek</surname>
    <email>a@b.se</email><address>Ekgatan 1</address><zip>12345</zip><city>Ekby</city><member>1234</member></customer>
  <data><message>TESTBESTÄLLNING</message><phone>0703051947</phone><premise>508-004-06-0302</premise></data>
</customer_info>`
	orderList = `<serviceguide>
  <response>
    <order><id>19530</id><type>order</type><date>2015-10-06 11:48:00</date><status>new</status><service>2440</service>
      <xsp>31420</xsp><delivery>2015-10-06 00:00:00</delivery><customer>16745</customer></order>
    <order><id>19531</id><type>order</type><date>2015-10-06 11:48:00</date><status>new</status><service>2440</service>
      <xsp>31420</xsp><delivery>asap</delivery><customer>16746</customer></order>
  </response>
</serviceguide>`
	customerList = `<customers>
  <response>
    <customer><id>10573</id><socket>KC0101A06</socket><serial>19700101010101</serial><firstname>Susanne</firstname><surname>Testqvist</surname><date>2018-01-01 12:34</date></customer>
    <customer><id>48962</id><socket>CCTW0151B87</socket><serial>190001010202</serial><firstname>Anton</firstname><surname>Testblom</surname><date>2018-01-01 12:34</date></customer>
  </response>
  <status>success</status>
</customers>`
	importFailed = `<insert_posts>
  <response><message>2 errors</message><log><line2><building>building can not be NULL</building></line2></log></response>
  <status>failed</status>
</insert_posts>`
	zendFailed = `<x generator="zend" version="1.0"><response><message>Unknown Method 'x'.</message></response><status>failed</status></x>`
)

func TestReadAnswer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		method, body string
		writes       bool
		get, want    string // the text of an element, after the item's name
		err          string
	}{
		"login":               {"api_login", `<api_login><response><message>Peter Smith logged in</message><hash_key>6a07</hash_key></response><status>success</status></api_login>`, true, "hash_key", "6a07", ""},
		"customer, provider":  {"customer_info", providerCustomer, false, "customer/city", "Torshälla", ""},
		"customer, network":   {"customer_info", networkCustomerInfo, false, "data/premise", "508-004-06-0302", ""},
		"set_status":          {"set_status", `<set_status><response><message>Status changed to delivered for order 1234</message></response><status>success</status></set_status>`, true, "message", "Status changed to delivered for order 1234", ""},
		"no status":           {"set_status", `<set_status/>`, true, "message", "", ""},
		"wrapper":             {"order_info", `<serviceguide><response><order><id>7</id></order></response></serviceguide>`, false, "order/id", "7", ""},
		"below a class":       {"order_info", `<Atlas_Orders generator="zend"><order_info><response><order><id>7</id></order></response><status>success</status></order_info></Atlas_Orders>`, false, "order/id", "7", ""},
		"below the wrapper":   {"order_info", `<serviceguide><order_info><order><id>7</id></order></order_info></serviceguide>`, false, "order/id", "7", ""},
		"flat":                {"order_info", `<order_info><id>7</id><status>new</status></order_info>`, false, "status", "new", ""},
		"flat, with a result": {"order_info", `<order_info><id>7</id><status>success</status></order_info>`, false, "status", "", ""},
		"an order's status":   {"order_info", `<order_info><response><order><status>cancelled</status></order></response></order_info>`, false, "order/status", "cancelled", ""},
		"cdata, entities":     {"order_info", `<order_info><a><![CDATA[ <b> ]]></a> <c>&aring;&amp;&#229;</c></order_info>`, false, "c", "å&å", ""},
		"byte order mark":     {"order_info", "\xef\xbb\xbf<?xml version=\"1.0\"?>\n<!-- x --><order_info><a>1</a></order_info>\n", false, "a", "1", ""},
		"latin-1":             {"order_info", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><order_info><a>Torsh\xe4lla</a></order_info>", false, "a", "Torshälla", ""},
		"namespace":           {"order_info", `<s:order_info xmlns:s="urn:x"><s:a>1</s:a></s:order_info>`, false, "a", "1", ""},

		"failed":            {"insert_posts", importFailed, false, "", "", "failed: 2 errors"},
		"failed, Zend":      {"x", zendFailed, false, "", "", "failed: Unknown Method 'x'."},
		"failed, another":   {"order_info", zendFailed, false, "", "", "failed: Unknown Method 'x'."},
		"failed, below":     {"x", "<Class>" + zendFailed + "</Class>", false, "", "", "failed: Unknown Method 'x'."},
		"failed, a number":  {"x", `<x><response><message>No 751011-6952</message></response><status>failed</status></x>`, false, "", "", "failed: No ••••"},
		"failed, no reason": {"x", `<x><status>denied</status></x>`, false, "", "", "the call failed"},
		"a change that ends in a status of orders": {"set_status", `<set_status><status>new</status></set_status>`, true, "", "", "the call failed"},

		"another method":  {"order_info", customerList, false, "", "", "another method"},
		"html":            {"order_info", "<html><body>Logga in</body></html>", false, "", "", "HTML"},
		"html page":       {"order_info", "<!DOCTYPE html>\n<html></html>", false, "", "", "document type"},
		"json":            {"order_info", `{"order_info":{}}`, false, "", "", "no XML"},
		"empty":           {"order_info", " \n", false, "", "", "empty"},
		"cut":             {"order_info", providerCustomer[:200], false, "", "", "cut off"},
		"cut in a tag":    {"order_info", "<order_info><a", false, "", "", "cut off"},
		"crossed":         {"order_info", "<order_info><a></b></order_info>", false, "", "", "no XML"},
		"a second root":   {"order_info", "<order_info/><order_info/>", false, "", "", "more comes"},
		"a warning":       {"order_info", "Notice: x in y.php<order_info/>", false, "", "", "no XML"},
		"text at the end": {"order_info", "<order_info/>x", false, "", "", "more comes"},
		"bomb":            {"order_info", `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><order_info>&b;</order_info>`, false, "", "", "document type"},
		"bomb inside":     {"order_info", `<order_info><!DOCTYPE x></order_info>`, false, "", "", "document type"},
		"entity":          {"order_info", `<order_info>&b;</order_info>`, false, "", "", "no XML"},
		"encoding":        {"order_info", `<?xml version="1.0" encoding="klingon"?><order_info/>`, false, "", "", "encoding"},
		"not UTF-8":       {"order_info", "<order_info>\xe4</order_info>", false, "", "", "no XML"},
		"too deep":        {"order_info", "<order_info>" + strings.Repeat("<a>", 50) + strings.Repeat("</a>", 50) + "</order_info>", false, "", "", "more than it may"},
		"too many":        {"order_info", "<order_info>" + strings.Repeat("<a/>", maxElements+1) + "</order_info>", false, "", "", "more than it may"},
		"too long":        {"order_info", "<order_info>" + strings.Repeat("a", maxToken+1) + "</order_info>", false, "", "", "longer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body, err := readAnswer("application/xml", strings.NewReader(tt.body), tt.method, tt.writes)
			if tt.err != "" {
				var no *refusal
				if err == nil || !strings.Contains(err.Error(), tt.err) || errors.Is(err, errUnreadable) == errors.As(err, &no) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			parent, leaf, ok := strings.Cut(tt.get, "/")
			if !ok {
				leaf = parent
			} else {
				body, _ = body.child(parent)
			}
			if got := body.get(leaf); err != nil || got != tt.want {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// TestCharacterSetOfTheHeader counts where the XML names none.
func TestCharacterSetOfTheHeader(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		contentType, body string
		good              bool
	}{
		{"text/xml; charset=ISO-8859-1", "<a><b>\xe4</b></a>", true},
		{"text/xml; charset=UTF-8", "<a><b>ä</b></a>", true},
		{"text/xml; charset=ISO-8859-1", `<?xml version="1.0" encoding="UTF-8"?><a><b>ä</b></a>`, true},
		{"text/xml; charset=klingon", "<a><b>ä</b></a>", false},
		{"nonsense; ; charset", "<a><b>ä</b></a>", true},
	} {
		e, err := readAnswer(tt.contentType, strings.NewReader(tt.body), "a", false)
		if (err == nil) != tt.good || err == nil && e.get("b") != "ä" {
			t.Errorf("%s: %q, %v", tt.contentType, e.get("b"), err)
		}
	}
}
