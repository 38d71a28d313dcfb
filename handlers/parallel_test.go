package handlers_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"portico/internal/partner/vitec/vitectest"
)

// crowd is how many come at once in these tests.
const crowd = 50

// all lets everybody act at the same moment, each in a goroutine, and checks
// that each is answered with a status; it returns where they are sent on.
func (b *bundle) all(status int, act func(n int) (answer, error)) []string {
	b.t.Helper()
	locations, start := make([]string, crowd), make(chan struct{})
	var group sync.WaitGroup
	for n := range crowd {
		group.Go(func() {
			<-start
			a, err := act(n)
			if err != nil {
				b.t.Error(err)
			} else if a.status != status {
				b.t.Errorf("status %d, want %d; body:\n%s", a.status, status, a.body)
			}
			locations[n] = a.header.Get("Location")
		})
	}
	close(start)
	group.Wait()
	return locations
}

func (b *bundle) wantOne(what, query string) {
	b.t.Helper()
	if n := b.query(query); n != "1" {
		b.t.Errorf("%s %s, want one", n, what)
	}
}

func TestFiftyCallbacksOneOrder(t *testing.T) {
	t.Parallel()
	for _, service := range []string{"expertfoto", "skylt"} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			id, _ := b.order(service)
			browsers, addresses := make([]*browser, crowd), make([]string, crowd)
			for n := range crowd {
				browsers[n], addresses[n] = b.browser(), b.fake.Reopen(id)
			}
			pages := b.all(http.StatusSeeOther, func(n int) (answer, error) { return browsers[n].try(http.MethodGet, addresses[n], "", nil) })
			for _, page := range pages {
				if page != pages[0] {
					t.Fatalf("one is led to %s, another to %s", pages[0], page)
				}
			}
			browsers[crowd-1].get(pages[0]).want(http.StatusOK)
			b.wantOne("orders", `SELECT count(*) FROM orders`)
			b.wantOne("offices", `SELECT count(*) FROM offices`)
			b.wantOne("brokers", `SELECT count(*) FROM brokers`)
			b.wantOne("events of opening", `SELECT count(*) FROM events WHERE kind = 'opened'`)
			if service == "skylt" { // nothing to fill in: received at once, and once
				b.drain()
				b.wantStatuses(id, "OrderReceived")
				b.wantOne("events of receiving", `SELECT count(*) FROM events WHERE kind = 'received'`)
			}
		})
	}
}

func TestFiftySubmissionsOneReport(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	id, address := b.order("expertfoto")
	br := b.browser()
	page := br.open(address)
	for _, location := range b.all(http.StatusSeeOther, func(n int) (answer, error) {
		form := url.Values{"package": {"small"}, "access": {"Nyckel " + strconv.Itoa(n)}}
		return br.try(http.MethodPost, page+"/submission", formType, strings.NewReader(form.Encode()))
	}) {
		if location != page {
			t.Errorf("led to %s", location)
		}
	}
	b.drain()
	b.wantStatuses(id, "OrderReceived")
	b.wantOne("events of receiving", `SELECT count(*) FROM events WHERE kind = 'received'`)
	b.wantOne("jobs", `SELECT count(*) FROM jobs`)
}

// TestSecondTabSeesReceipt: who sends the form twice, or from a second tab, sees
// what was ordered first; nothing is overwritten.
func TestSecondTabSeesReceipt(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("expertfoto")
	br := b.browser()
	page := br.open(address)
	form := url.Values{"package": {"large"}, "access": {"Nyckel i skåpet"}}
	br.post(page+"/submission", form).wantLocation(page)
	br.get(page).has("Tack! Din beställning är skickad.")
	br.post(page+"/submission", url.Values{"package": {"small"}, "access": {"Ring först"}}).wantLocation(page)
	br.get(page).want(http.StatusOK).has("Nyckel i skåpet").hasNot("Ring först", "Tack!")
	br.post(page+"/submission", url.Values{}).wantLocation(page) // not even a fault to look at
}

// TestSubmissionOfCancelledOrder: the second tab must not be thanked for an
// order that the first one cancelled.
func TestSubmissionOfCancelledOrder(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, address := b.order("expertfoto")
	br := b.browser()
	page := br.open(address)
	br.post(page+"/cancellation", url.Values{"reason": {"Fel objekt"}}).wantLocation(page)
	br.get(page).want(http.StatusOK)
	br.post(page+"/submission", url.Values{"package": {"large"}}).wantLocation(page)
	a := br.get(page).want(http.StatusOK).hasNot("Tack!")
	if got := a.page().Find("[data-testid=state]").AttrOr("data-state", ""); got != "cancelled" {
		t.Errorf("state %q", got)
	}
}

// TestSameIDAtTwoOffices: one office's order id never opens another's order.
func TestSameIDAtTwoOffices(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	open := func(office string) (*browser, string) {
		b.fake.NewOrder(vitectest.Order{ID: "B1", Office: office, CallbackURL: b.service("skylt")})
		br := b.browser()
		return br, br.open(b.fake.Reopen("B1"))
	}
	uppsala, first := open("M30011")
	enköping, second := open("M30012")
	if first == second {
		t.Fatal("both offices are led to one order")
	}
	uppsala.get(first).want(http.StatusOK).has("OBJ30011").hasNot("OBJ30012", "M30012")
	enköping.get(second).want(http.StatusOK).has("OBJ30012").hasNot("OBJ30011", "M30011")
	uppsala.get(second).want(http.StatusUnauthorized)
	enköping.get(first).want(http.StatusUnauthorized)

	// An expired ticket names the order by the same id: the office decides.
	for _, office := range []string{"M30011", "M30012"} {
		late := vitectest.CallbackURL(b.service("skylt"), office, b.fake.TokenFor(office, "B1", "", -1))
		if office == "M30011" {
			uppsala.get(late).wantLocation(first)
			enköping.get(late).want(http.StatusGone)
		} else {
			uppsala.get(late).want(http.StatusGone)
			enköping.get(late).wantLocation(second)
		}
	}
	b.drain()
	for _, office := range []string{"M30011", "M30012"} {
		if o, _ := b.fake.Order(office, "B1"); len(o.History) != 1 {
			t.Errorf("%s was told %v", office, o.History)
		}
	}
}

// TestBrokersOfOneOrder: who looks is told apart from who else looks.
func TestBrokersOfOneOrder(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	id, address := b.order("expertfoto")
	agent, assistant := b.browser(), b.browser()
	page := agent.open(address)
	token := b.fake.TokenFor("M30011", id, "MED30011_124", 3600e9)
	if got := assistant.open(vitectest.CallbackURL(b.service("expertfoto"), "M30011", token)); got != page {
		t.Fatalf("the assistant is led to %s", got)
	}
	agent.post(page+"/submission", url.Values{"package": {"small"}}).want(http.StatusSeeOther)
	assistant.post(page+"/messages", url.Values{"body": {"Vi byter dag"}}).want(http.StatusSeeOther)
	who := func(br *browser, kind string) string {
		return br.get(page).text(`[data-testid=timeline] li[data-kind=` + kind + `] strong`)
	}
	if who(agent, "received") != "Du" || who(agent, "message") == "Du" || who(assistant, "message") != "Du" || who(assistant, "received") == "Du" {
		t.Errorf("agent: %q %q, assistant: %q %q", who(agent, "received"), who(agent, "message"), who(assistant, "received"), who(assistant, "message"))
	}
}
