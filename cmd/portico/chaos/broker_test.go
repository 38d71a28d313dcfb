package chaos

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"portico/internal/partner/vitec/vitectest"
)

// broker is both of a broker system's ways to order: it calls the portal in the
// background, and it opens it in brokers' browsers.
type broker struct {
	w   *world
	rng *rand.Rand
	own *browser // the system itself
}

// The services of provider.yaml by the way in which they are ordered.
var (
	pageServices       = []string{"skylt", "foto"}
	backgroundServices = []string{"energi", "energi", "besiktning", "fasad"}
)

// act does one thing that a broker system or a broker does. What is ordered a
// second time leads to the same order.
func (b *broker) act() {
	retry, page, visit, twice := b.rng.IntN(4) == 0, b.rng.IntN(3) == 0, b.rng.IntN(3) == 0, b.rng.IntN(10) == 0
	again := b.w.clients.take(b.rng, func(o *order) bool {
		return retry && o.opened == unknown || o.unfinished() && page || twice
	})
	waiting := b.w.clients.take(b.rng, func(o *order) bool { return visit && o.asks() })
	switch {
	case again != nil:
		b.order(again)
	case waiting == nil:
		b.order(b.newOrder(page))
	}
	if waiting != nil {
		b.visit(waiting)
		b.w.clients.leave(waiting)
	}
}

// unfinished reports whether a broker has opened an order and not completed it.
func (o *order) unfinished() bool {
	return o.inBrowser() && o.opened == acknowledged && o.form != nil && o.submitted == unknown
}

// asks reports whether the broker is asked something and may come to answer.
func (o *order) asks() bool {
	return len(o.steps) > 0 && o.steps[len(o.steps)-1].status == interaction && o.opened == acknowledged
}

func (o *order) inBrowser() bool {
	return o.connection == corePartner || slices.Contains(pageServices, o.service)
}

// direct reports whether an order is complete as soon as a broker has opened it.
func (o *order) direct() bool { return o.inBrowser() && o.form == nil }

// tellsAtOnce reports whether an order's first step is what it has the partner
// told from the start. Of any other the first step is staff's.
func (o *order) tellsAtOnce() bool { return o.direct() || !o.inBrowser() && o.form != nil }

// newOrder makes an order at one of the partners.
func (b *broker) newOrder(page bool) *order {
	if b.rng.IntN(4) == 0 {
		return b.newOrderAtCore()
	}
	services := backgroundServices
	if page {
		services = pageServices
	}
	o := &order{service: services[b.rng.IntN(len(services))]}
	o.connection = ownPartner
	if o.service == "fasad" {
		o.connection = nextPartner
	}
	estates := vitectest.DemoEstates()
	estate := estates[b.rng.IntN(len(estates))]
	users := slices.DeleteFunc(vitectest.DemoUsers(), func(u vitectest.User) bool { return u.Office != estate.Office })
	o.office, o.user = estate.Office, users[b.rng.IntN(len(users))].ID
	b.w.mu.Lock()
	b.w.numbers[key{office: o.office}]++
	o.id = fmt.Sprintf("KAOS%05d", b.w.numbers[key{office: o.office}]) // the same in each office
	b.w.mu.Unlock()
	stored := b.w.vitec[o.connection].NewOrder(vitectest.Order{ID: o.id, Office: o.office, Estate: estate.ID, User: o.user})
	o.estate, o.estateType, o.owner = stored.Estate, stored.TargetType, stored.Owner
	switch o.service {
	case "foto":
		o.form = url.Values{"name": {canaryName}, "phone": {canaryPhone}, "number": {canaryNumber}, "package": {[]string{"small", "large"}[b.rng.IntN(2)]}}
	case "besiktning":
		o.form = url.Values{"name": {canaryName + " " + o.id}}
	}
	b.w.clients.begin(o)
	return o
}

func (b *broker) order(o *order) {
	defer b.w.clients.leave(o)
	if o.inBrowser() {
		b.open(o)
	} else {
		b.call(o)
	}
}

// call orders in the background, as the broker system does until it is answered.
func (b *broker) call(o *order) {
	during := b.w.clients.during()
	query := url.Values{"orderId": {o.id}, "currentUserId": {o.user}, "userId": {o.owner}, "estateId": {o.estate},
		"estateType": {o.estateType}, "customerId": {o.office}}
	if o.form != nil && len(o.steps) == 0 {
		b.w.clients.try(o, step{status: interaction}) // what is missing is asked for
	}
	path, method := "/callback/"+o.service, http.MethodPost
	if b.rng.IntN(2) == 0 {
		path, method, query = path+"?"+query.Encode(), http.MethodGet, nil
	}
	got, err := b.own.ask(method, path, query)
	end := outcomeOf(got, err, http.StatusOK)
	if end == refused && err == nil {
		b.w.find(found(alive, "%s: the broker system is answered %d", o.key, got.status))
	}
	b.opened(o, during, end)
}

// opened notes how an attempt to order ended, and with it what the order has the
// partner told from the start. That an attempt was refused says nothing about an
// earlier one.
func (b *broker) opened(o *order, during *episode, end outcome) {
	b.w.clients.ordered(o, during, end)
	if end == acknowledged && o.tellsAtOnce() {
		b.w.clients.tried(o, 0, nil, end)
	}
}

// open opens an order in its broker's browser, and completes it.
func (b *broker) open(o *order) {
	during := b.w.clients.during()
	if o.browser == nil {
		b.w.clients.update(func() { o.browser = b.w.newBrowser() })
	}
	if o.direct() && len(o.steps) == 0 {
		b.w.clients.try(o, step{status: received})
	}
	got, err := o.browser.ask(http.MethodGet, b.button(o), nil)
	end := outcomeOf(got, err, http.StatusSeeOther)
	if end == acknowledged && !b.leadsTo(o, got.location) {
		end = refused
	}
	b.opened(o, during, end)
	if end == acknowledged && o.form != nil && o.submitted == unknown {
		b.submit(o, received)
	}
}

// button returns what the partner opens for an order, with a fresh token.
func (b *broker) button(o *order) string {
	if o.connection == corePartner {
		return b.buttonAtCore(o)
	}
	token := b.w.vitec[o.connection].TokenFor(o.office, o.id, o.user, time.Hour)
	b.w.secrets.add(token, "a token")
	return vitectest.CallbackURL("/callback/"+o.service, o.office, token)
}

// leadsTo notes where an order's link leads, which is the same for ever.
func (b *broker) leadsTo(o *order, location string) bool {
	public, ok := strings.CutPrefix(location, "/orders/")
	if !ok {
		return false
	}
	b.w.clients.update(func() {
		if o.public != "" && o.public != public {
			b.w.find(found(kept, "%s was at %s and is at %s", o.key, o.public, public))
		}
		o.public = public
	})
	return true
}

// submit completes an order; tells is what the partner learns by it.
func (b *broker) submit(o *order, tells string) {
	during := b.w.clients.during()
	i := slices.IndexFunc(o.steps, func(s step) bool { return s.status == tells && s.comment == "" })
	if i < 0 {
		i = b.w.clients.try(o, step{status: tells})
	}
	got, err := o.browser.ask(http.MethodPost, "/orders/"+o.public+"/submission", o.form)
	end := outcomeOf(got, err, http.StatusSeeOther)
	if end == refused {
		end = unknown // an earlier attempt may have done it
	}
	b.w.clients.tried(o, i, during, end)
	b.w.clients.update(func() {
		if end.better(o.submitted) {
			o.submitted = end
		}
	})
}

var questionPattern = regexp.MustCompile(`name="interaction" value="(\d+)"`)

// question returns where the partner leads to that was asked something, "" if it
// has not heard of it yet.
func (b *broker) question(o *order) string {
	if o.connection == corePartner {
		return b.questionAtCore(o)
	}
	stored, _ := b.w.vitec[o.connection].Order(o.office, o.id)
	if len(stored.Interactions) == 0 {
		return ""
	}
	link, err := url.Parse(stored.Interactions[len(stored.Interactions)-1].URL)
	if err != nil {
		b.w.find(found(lossless, "%s: the question's address is none: %v", o.key, err))
		return ""
	}
	b.w.secrets.add(strings.TrimPrefix(link.Path, "/visit/"), "a link's token")
	return link.Path
}

// visit comes the way that the partner leads, and does what is asked for.
func (b *broker) visit(o *order) {
	way := b.question(o)
	if way == "" {
		return
	}
	if o.browser == nil {
		b.w.clients.update(func() { o.browser = b.w.newBrowser() })
	}
	got, err := o.browser.ask(http.MethodGet, way, nil)
	if outcomeOf(got, err, http.StatusSeeOther) != acknowledged || !b.leadsTo(o, got.location) {
		return
	}
	if o.form != nil && o.submitted == unknown {
		b.submit(o, tellsNothing) // in the background the partner has set it itself
		return
	}
	page, err := o.browser.ask(http.MethodGet, "/orders/"+o.public, nil)
	question := questionPattern.FindStringSubmatch(page.body)
	if err != nil || question == nil {
		return
	}
	during := b.w.clients.during()
	i := b.w.clients.try(o, step{status: o.hears(underway)})
	got, err = o.browser.ask(http.MethodPost, "/orders/"+o.public+"/answers",
		url.Values{"interaction": {question[1]}, "answer": {"Nyckeln har " + canaryName + ", " + canaryPhone}})
	b.w.clients.tried(o, i, during, outcomeOf(got, err, http.StatusSeeOther))
}
