package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"portico/internal/portal"
)

const (
	pollsPage = "/staff/polls"
	pollLease = time.Minute
)

// newFetched is a bundle with a connection whose orders are fetched.
func newFetched(t *testing.T) *bundle {
	t.Helper()
	b := newBundle(t)
	name := portal.Text{"sv": "Bredband 100/100", "nb": "Bredbånd 100/100", "en": "Broadband 100/100"}
	_, err := b.store.Apply(t.Context(), portal.Setup{Provider: testProvider,
		Connections: []portal.Connection{{ID: "guiden", System: "tjansteguiden", InteractionLink: portal.LinkSigned, Reports: portal.States,
			PollEvery: 5 * time.Minute, PollFrom: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Settings: []byte(`{}`)}},
		Services: []portal.Service{{ID: "fiber100", ConnectionID: "guiden", Flow: portal.FlowPoll, Auth: portal.AuthToken, PartnerService: "2440", Name: name}}})
	b.check(err)
	return b
}

func (b *bundle) claimPoll() portal.Poll {
	b.t.Helper()
	p, ok, err := b.store.ClaimPoll(b.t.Context(), pollLease)
	b.check(err)
	if !ok {
		b.t.Fatal("no poll is due")
	}
	return p
}

// poll fetches a list of which nothing can be taken in, each order for a reason.
func (b *bundle) poll(aside map[portal.Listed]portal.Sentence) {
	b.t.Helper()
	ctx, p := b.t.Context(), b.claimPoll()
	for l, reason := range aside {
		b.check(b.store.ListOrders(ctx, p, []portal.Listed{l}, portal.PollRules{}, pollLease))
		due, err := b.store.OrdersToFetch(ctx, "guiden", 10)
		b.check(err)
		for _, o := range due {
			b.check(b.store.KeepAside(ctx, p, o.ID, reason, "<order>"+l.OrderID+"</order>", b.clock.Now().Add(time.Hour), pollLease))
		}
	}
	b.check(b.store.FinishPoll(ctx, p, len(aside), 0))
}

func (a answer) asideRows(list string) int {
	a.b.t.Helper()
	return a.page().Find("[data-testid=" + list + "] [data-testid=aside-row]").Length()
}

func TestPolls(t *testing.T) {
	t.Parallel()
	b := newFetched(t)
	staff := b.staff(staffEmail)
	staff.get("/staff/orders").has(`href="/staff/polls"`)
	screen := staff.get(pollsPage).want(http.StatusOK).has("Tjänsteguiden").has(say("sv", portal.Say("polls.never")))
	screen.hasNot("data-testid=\"failed\"", say("sv", portal.Say("polls.aside_text", "System", "Tjänsteguiden")))
	if link := staff.get("/staff/orders").page().Find(`a[href="/staff/polls"] .num`); link.Length() != 0 {
		t.Errorf("the navigation counts %s before anything is aside", link.Text())
	}

	b.poll(map[portal.Listed]portal.Sentence{
		{OrderID: "880412", ServiceID: "2440"}: portal.Say("polls.unreadable"),
		{ServiceID: "9999", Wished: "asap"}:    portal.Say("polls.unknown_service", "Service", "9999")})
	b.clock.Pass(2 * time.Minute)
	screen = staff.get(pollsPage).has("880412").has("Bredband 100/100").has(say("sv", portal.Say("polls.unreadable"))).
		has(say("sv", portal.Say("polls.no_number"))).has("Tjänst 9999").has("partner_service ”9999”").
		has("&lt;order&gt;880412&lt;/order&gt;").has("för 2\u00a0min sedan").has("om 3\u00a0min").has("Allt är listat fram till")
	if n := screen.asideRows("aside"); n != 2 {
		t.Errorf("%d orders are aside, want 2", n)
	}
	if got := screen.text(`a[href="/staff/polls"] .num`); got != "2" {
		t.Errorf("the navigation counts %q orders aside, want 2", got)
	}
	viewer := b.staff(viewerEmail).get(pollsPage).want(http.StatusOK)
	if n := viewer.page().Find("main form").Length(); n != 0 {
		t.Errorf("a viewer has %d forms", n)
	}
}

// TestPollNow: the button makes the worker fetch, and stands nowhere else.
func TestPollNow(t *testing.T) {
	t.Parallel()
	b := newFetched(t)
	b.poll(nil)
	staff := b.staff(staffEmail)
	if _, ok, err := b.store.ClaimPoll(t.Context(), pollLease); ok || err != nil {
		t.Fatalf("a poll is due at once: %v", err)
	}
	staff.post(pollsPage, url.Values{"connection": {"guiden"}}).wantLocation(pollsPage)
	staff.get(pollsPage).has(say("sv", portal.Say("flash.polls_run")))
	b.claimPoll()
	running := staff.get(pollsPage).has(say("sv", portal.Say("polls.running")))
	if running.page().Find(`form[action="/staff/polls"]`).Length() != 0 {
		t.Error("a poll that runs can be started")
	}
	for _, other := range []string{"", "vitec", "nowhere"} {
		staff.post(pollsPage, url.Values{"connection": {other}}).want(http.StatusNotFound)
	}
}

func TestAsideOrders(t *testing.T) {
	t.Parallel()
	b := newFetched(t)
	b.poll(map[portal.Listed]portal.Sentence{{OrderID: "880412"}: portal.Say("polls.refused")})
	staff := b.staff(staffEmail)
	order := pollsPage + "/orders/" + b.query(`SELECT id FROM fetched_orders`)
	staff.post(order+"/retry", nil).wantLocation(pollsPage)
	staff.get(pollsPage).has(say("sv", portal.Say("flash.polls_retry")))
	if due, err := b.store.OrdersToFetch(t.Context(), "guiden", 10); err != nil || len(due) != 1 {
		t.Errorf("%d orders are due, %v; want one", len(due), err)
	}
	b.claimPoll() // is due too

	refused := staff.post(order+"/dismissal", url.Values{"reason": {" "}}).want(http.StatusUnprocessableEntity).has(say("sv", portal.Say("field.required")))
	if _, open := refused.page().Find("details:has(form[action$='/dismissal'])").Attr("open"); !open {
		t.Error("the form that was refused is folded away")
	}
	staff.post(order+"/dismissal", url.Values{"reason": {"En testbeställning"}}).wantLocation(pollsPage)
	screen := staff.get(pollsPage).has(say("sv", portal.Say("flash.polls_dismissal"))).has("En testbeställning").has("Erik Berg")
	if screen.asideRows("aside") != 0 || screen.asideRows("dismissed") != 1 {
		t.Errorf("%d orders are aside and %d dismissed, want one dismissed", screen.asideRows("aside"), screen.asideRows("dismissed"))
	}
	if n := screen.page().Find(`a[href="/staff/polls"] .num`).Length(); n != 0 {
		t.Error("the navigation counts what is dismissed")
	}
	staff.post(order+"/retry", nil).wantLocation(pollsPage)
	if n := staff.get(pollsPage).asideRows("aside"); n != 1 {
		t.Errorf("%d orders are aside after one was taken up again, want 1", n)
	}
	b.query(`DELETE FROM fetched_orders RETURNING id`) // it came in
	for _, form := range []string{"retry", "dismissal"} {
		staff.post(order+"/"+form, url.Values{"reason": {"x"}}).want(http.StatusConflict).has(say("sv", portal.Say("polls.gone")))
	}
	staff.post(pollsPage+"/orders/x/retry", nil).want(http.StatusNotFound)
}

// TestStalePoll: staff are told wherever they are, and the portal stays ready.
func TestStalePoll(t *testing.T) {
	t.Parallel()
	b := newFetched(t)
	b.poll(nil)
	staff := b.staff(staffEmail)
	for range 3 {
		b.clock.Pass(5 * time.Minute)
		b.check(b.store.PollSoon(t.Context(), "guiden"))
		b.check(b.store.FailPoll(t.Context(), b.claimPoll(), portal.Say("polls.credential"), 0))
	}
	staff.get("/staff/orders").want(http.StatusOK).hasNot("data-testid=\"alarms\"") // not yet
	b.clock.Pass(time.Second)
	banner := staff.get("/staff/orders").page().Find("[data-testid=alarms]")
	if got := banner.Text(); !strings.Contains(got, "Inga beställningar har hämtats från Tjänsteguiden sedan i dag 10.12") {
		t.Errorf("the banner says %q", got)
	}
	if banner.Find(`a[href="/staff/polls"]`).Length() != 1 {
		t.Error("the banner leads nowhere")
	}
	staff.get(pollsPage).has("3 hämtningar i rad har misslyckats").has(say("sv", portal.Say("polls.credential")))
	b.browser().get("/readyz").want(http.StatusOK)
	b.clock.Pass(time.Hour)
	b.poll(nil)
	staff.login(staffEmail, staffPassword)
	staff.get("/staff/orders").hasNot("data-testid=\"alarms\"")
}

// TestNobodyPolls: where no worker runs, nothing else tells.
func TestNobodyPolls(t *testing.T) {
	t.Parallel()
	b := newFetched(t)
	staff := b.staff(staffEmail)
	b.clock.Pass(16 * time.Minute)
	staff.get(pollsPage).has(say("sv", portal.Say("polls.untried"))).has("data-testid=\"alarms\"")
}

// TestNothingIsFetched: the screen says how, and no link leads to it.
func TestNothingIsFetched(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	staff := b.staff(staffEmail)
	staff.get(pollsPage).want(http.StatusOK).has(say("sv", portal.Say("polls.none"))).has("portico apply").hasNot(`<a href="/staff/polls"`)
	staff.get("/staff/orders").hasNot(`href="/staff/polls"`)
}
