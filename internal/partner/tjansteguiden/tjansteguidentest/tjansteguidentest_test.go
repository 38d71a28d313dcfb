package tjansteguidentest

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door/doortest"
	"portico/internal/worldtest"
)

// caller calls the APIs.
type caller struct {
	*testing.T
	*Server
	hash string
}

func start(t *testing.T, o Options) *caller {
	t.Helper()
	c := &caller{T: t, Server: Start(t, o)}
	c.hash = c.login()
	return c
}

func (c *caller) login() string {
	c.Helper()
	_, body := c.call(PathTL, "method=api_login&api_user=1234&api_key=simulator-key")
	_, rest, _ := strings.Cut(body, "<hash_key>")
	hash, _, ok := strings.Cut(rest, "</hash_key>")
	if !ok || len(hash) != 32 {
		c.Fatalf("login: %s", body)
	}
	return hash
}

// call makes a call; the status is 0 if the connection broke.
func (c *caller) call(path, query string) (int, string) {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), http.MethodGet, c.URL+path+"?"+query, nil)
	if err != nil {
		c.Fatal(err)
	}
	status, body, _ := doortest.Send(req)
	return status, body
}

// tl calls as the provider, ko as the network.
func (c *caller) tl(query string) (int, string) {
	c.Helper()
	return c.call(PathTL, query+"&hash="+c.hash)
}

func (c *caller) ko(query string) (int, string) {
	c.Helper()
	return c.call(PathKO, query+"&api_user=4321")
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	ours := c.AddOrder(Order{ID: "1234"})
	theirs := c.AddOrder(Order{XSP: "31421"})
	message := "method=add_message&type=error&message=Port+finns+ej"
	for name, tt := range map[string]struct {
		path, query string
		want        int
		says        string
	}{
		"login":               {PathTL, "method=api_login&api_key=simulator-key&api_user=1234", 200, "Nordljus Bredband logged in"},
		"wrong key":           {PathTL, "method=api_login&api_key=x&api_user=1234", 400, "Login failed."},
		"wrong user":          {PathTL, "method=api_login&api_key=simulator-key&api_user=1", 400, "Login failed."},
		"no key":              {PathTL, "method=api_login&api_user=1234", 400, "Invalid Method Call to api_login. Missing argument(s): api_key."},
		"no method":           {PathTL, "hash=x", 404, "Unknown Method ''."},
		"unknown method":      {PathTL, "method=%3Cscript%3E", 404, "Unknown Method '&lt;script&gt;'."},
		"network's log":       {PathKO, "method=order_log&api_user=4321&id=" + theirs.ID, 200, "<order_log>"},
		"wrong hash":          {PathTL, "method=orders&date=2015-10-01&hash=x", 400, "Invalid hash."},
		"no hash, no date":    {PathTL, "method=orders", 400, "Missing argument(s): hash, date."},
		"wrong date":          {PathTL, "method=orders&date=20151001&hash=" + c.hash, 400, "Date must be YYYY-MM-DD."},
		"json":                {PathKO, "method=orders&date=2015-10-01&api_user=4321&output_format=json", 400, "Only XML is simulated."},
		"xml":                 {PathKO, "method=orders&date=2015-10-01&api_user=4321&output_format=xml", 200, ours.ID},
		"provider as network": {PathKO, "method=orders&date=2015-10-01&api_user=1234", 400, "no privileges"},
		"own order":           {PathTL, "method=order_info&id=1234&hash=" + c.hash, 200, "<service_uid>BB100100<"},
		"another's order":     {PathTL, "method=order_info&hash=" + c.hash + "&id=" + theirs.ID, 400, "No order"},
		"another's log":       {PathTL, "method=order_log&hash=" + c.hash + "&id=" + theirs.ID, 400, "No order"},
		"another's status":    {PathTL, "method=set_status&status=active&hash=" + c.hash + "&id=" + theirs.ID, 400, "No order"},
		"another's customer":  {PathTL, "method=customer_info&hash=" + c.hash + "&id=" + theirs.Customer.ID, 400, "No customer"},
		"network sees theirs": {PathKO, "method=order_info&api_user=4321&id=" + theirs.ID, 200, "<xsp_name>Påhittade Nät<"},
		"unknown order":       {PathTL, "method=order_info&id=1&hash=" + c.hash, 400, "No order 1."},
		"unknown status":      {PathTL, "method=set_status&status=done&id=1234&hash=" + c.hash, 400, "Unknown status done."},
		"message":             {PathTL, message + "&id=1234&api_user=1234", 200, "Message added to order 1234"},
		"message, both":       {PathTL, message + "&id=1234&api_user=1234&hash=" + c.hash, 200, "Message added"},
		"message, hash only":  {PathTL, message + "&id=1234&hash=" + c.hash, 400, "Missing argument(s): api_user."},
		"message, bad hash":   {PathTL, message + "&id=1234&api_user=1234&hash=x", 400, "Invalid hash."},
		"message, wrong user": {PathTL, message + "&id=1234&api_user=1", 400, "no privileges"},
		"unknown type":        {PathTL, "method=add_message&type=x&message=y&id=1234&api_user=1234", 400, "Unknown type x."},
		"network's message":   {PathKO, message + "&id=1234&api_user=4321", 200, "Message added"},
	} {
		status, body := c.call(tt.path, tt.query)
		body = strings.ReplaceAll(body, "&#39;", "'")
		if status != tt.want || !strings.Contains(body, tt.says) || (status != 200) != strings.Contains(body, "<status>failed</status>") {
			t.Errorf("%s: %d %s, want %d %s", name, status, body, tt.want, tt.says)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL+PathTL+"?method=orders&date=2015-10-01&hash="+c.hash, nil)
	if err != nil {
		t.Fatal(err)
	}
	if status, _, _ := doortest.Send(req); status != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", status)
	}
}

func TestAHashIsGoodForTwentyMinutes(t *testing.T) {
	t.Parallel()
	clock := worldtest.NewClock(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC))
	c := start(t, Options{Now: clock.Now, AuthStatus: http.StatusUnauthorized})
	works := func() bool {
		status, _ := c.tl("method=orders&date=2026-11-01")
		if status != http.StatusOK && status != http.StatusUnauthorized {
			t.Fatalf("status %d", status)
		}
		return status == http.StatusOK
	}
	clock.Pass(hashLife - 1)
	if !works() {
		t.Error("over too early")
	}
	clock.Pass(1) // a call does not lengthen it
	if works() {
		t.Error("still good after its time")
	}
	c.hash = c.login()
	if !works() {
		t.Error("a new login does not help")
	}
	c.ExpireHashes()
	if works() {
		t.Error("still good after ExpireHashes")
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	clock := worldtest.NewClock(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC))
	c := start(t, Options{Now: clock.Now})
	id := c.AddOrder(Order{}).ID
	c.tl("method=set_status&status=received&id=" + id)
	c.SetStatus(id, StatusCancelled, Network)
	c.tl("method=set_status&status=received&id=" + id)
	c.tl("method=add_message&api_user=1234&type=error&message=Port+finns+ej&id=" + id)
	c.ko("method=add_message&type=log&message=Sett&id=" + id)
	o, _ := c.Order(id)
	want := []Entry{
		{clock.Now(), "log", "Nordljus Bredband", "Status changed from new to received", "received"},
		{clock.Now(), "log", Network, "Status changed from received to cancelled", "cancelled"},
		{clock.Now(), "log", "Nordljus Bredband", "Status changed from cancelled to received", "received"},
		{clock.Now(), "error", "Nordljus Bredband", "Port finns ej", ""},
		{clock.Now(), "log", Network, "Sett", ""},
	}
	if diff := cmp.Diff(want, o.Log); diff != "" || o.Status != StatusReceived {
		t.Errorf("%s: %s", o.Status, diff)
	}
	if diff := cmp.Diff([]string{"received", "received"}, c.Statuses(id)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[3:4], c.Messages(id)); diff != "" {
		t.Error(diff)
	}
	if c.SetStatus("1", StatusActive, Network) {
		t.Error("an order that there is not was changed")
	}
	if c.Calls(OpSetStatus) != 2 || c.Calls(OpAny) != 5 { // with the login
		t.Errorf("%d of %d calls", c.Calls(OpSetStatus), c.Calls(OpAny))
	}
}

func TestStateOutlivesARestart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.json")
	before := start(t, Options{Path: path})
	id := before.AddOrder(Order{}).ID
	before.tl("method=set_status&status=active&id=" + id)
	before.SetShape(ShapeNested)
	after := start(t, Options{Path: path})
	want, _ := before.Order(id)
	got, _ := after.Order(id)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, body := after.tl("method=order_info&id=" + id); !strings.Contains(body, "<Atlas_Serviceguide>") {
		t.Errorf("the shape is lost: %s", body)
	}
	if again := after.AddOrder(Order{}); again.ID == id || again.Customer.ID == want.Customer.ID {
		t.Errorf("the id %s twice, or the customer %s", again.ID, again.Customer.ID)
	}
	if _, err := New(Options{Path: t.TempDir()}); err == nil {
		t.Error("a folder as the file of the state is no error")
	}
}

func TestTheLogKeepsNoSecret(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	o := c.AddOrder(Order{})
	c.tl("method=customer_info&id=" + o.Customer.ID)
	c.AddOrders(100)
	c.tl("method=orders&date=2015-10-01")
	doortest.NewBrowser(t, c.URL).Post(PathTL, "api_key", "simulator-key")
	log := c.Server.Log()
	for _, secret := range []string{c.hash, "simulator-key", o.Customer.Serial} {
		for _, r := range log {
			if strings.Contains(r.Query+r.Body+r.Answer, secret) {
				t.Errorf("the log has %s: %s %s %s", secret, r.Query, r.Body, r.Answer)
			}
		}
	}
	if log[1].Customer != o.Customer.ID || log[1].Op != OpCustomerInfo || !strings.Contains(log[1].Answer, "<serial>19900101***<") {
		t.Errorf("%+v", log[1])
	}
	if n := len(log[2].Answer); n > maxLogged+10 {
		t.Errorf("the log keeps %d characters of a list", n)
	}
}

func TestTenThousandOrders(t *testing.T) {
	t.Parallel()
	c := start(t, Options{})
	ids := c.AddOrders(10_000)
	_, list := c.tl("method=orders&date=2015-10-01")
	serials, sockets := map[string]bool{}, map[string]bool{}
	for _, id := range ids {
		o, ok := c.Order(id)
		if !ok || !validSerial(o.Customer.Serial) {
			t.Fatalf("order %s of %q", id, o.Customer.Serial)
		}
		serials[o.Customer.Serial], sockets[o.Customer.Socket] = true, true
	}
	if n := strings.Count(list, "<order>"); n != 10_000 || len(serials) != n || len(sockets) != n {
		t.Errorf("%d orders of %d people at %d sockets", n, len(serials), len(sockets))
	}
	again := start(t, Options{})
	again.AddOrders(7)
	one, _ := c.Order(ids[6])
	two, _ := again.Order(ids[6])
	if diff := cmp.Diff(one.Customer.Serial+one.Customer.Socket, two.Customer.Serial+two.Customer.Socket); diff != "" {
		t.Error(diff)
	}
}

func TestManyCallsAtOnce(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Path: filepath.Join(t.TempDir(), "state.json")})
	id := c.AddOrder(Order{}).ID
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			c.tl("method=set_status&status=active&id=" + id)
			c.tl("method=orders&date=2015-10-01")
			c.AddOrder(Order{})
			c.Break(id, OpOrderInfo, FaultGarbage)
			c.call("/orders/"+url.PathEscape(id), "")
		})
	}
	wg.Wait()
	if n := len(c.Statuses(id)); n != 20 || c.Calls(OpOrders) != 20 || len(c.Orders()) != 21 {
		t.Errorf("%d statuses, %d calls, %d orders", n, c.Calls(OpOrders), len(c.Orders()))
	}
}
