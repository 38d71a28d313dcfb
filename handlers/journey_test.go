package handlers_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestJourney is an order from the click in the partner system to what the
// partner system shows, without a browser: every address once, as it is meant.
func TestJourney(t *testing.T) {
	t.Parallel()
	b := newBundleWith(t, setup{realPasswords: true})
	id, address := b.order("expertfoto")
	broker := b.browser()
	page := broker.open(address)
	broker.get(page).want(http.StatusOK).has("Expertfotografering").has("M30011")
	broker.post(page+"/submission", url.Values{"package": {"large"}, "extras": {"drone"}, "access": {"Nyckel i skåpet"}}).want(http.StatusSeeOther)
	broker.get(page).want(http.StatusOK).has("Nyckel i skåpet").has("5\u00a0490\u00a0kr")
	b.drain()
	b.wantStatuses(id, "OrderReceived")

	staff := b.staff(staffEmail)
	staff.get("/staff/orders").want(http.StatusOK).has(id)
	work := "/staff" + page
	staff.get(work).want(http.StatusOK).has("Nyckel i skåpet")
	staff.post(work+"/start", nil).want(http.StatusSeeOther)
	staff.post(work+"/interactions", url.Values{"comment": {"Vilken dag?"}, "choices": {"Tisdag\nOnsdag"}}).want(http.StatusSeeOther)
	b.drain()
	asked := b.fake.Interactions(id)
	if len(asked) != 1 || asked[0].Comment != "Vilken dag?" {
		t.Fatalf("interactions: %+v", asked)
	}

	assistant := b.browser()
	if got := assistant.open(asked[0].URL); got != page {
		t.Fatalf("the signed link leads to %s, want %s", got, page)
	}
	question, _ := assistant.get(page).want(http.StatusOK).page().Find("input[name=interaction]").Attr("value")
	assistant.post(page+"/answers", url.Values{"interaction": {question}, "answer": {"Onsdag"}}).want(http.StatusSeeOther)
	staff.get(work).want(http.StatusOK).has("Onsdag")

	files := map[string]string{"kök.jpg": jpeg, "plan.pdf": pdf}
	staff.deliver(work, files, url.Values{"message": {"Hela serien"}, "links": {"https://example.com/film"}}).want(http.StatusSeeOther)
	b.drain()
	b.wantStatuses(id, "OrderReceived", "Delivered")

	again := b.browser()
	again.open(b.fake.Reopen(id))
	again.get(page).want(http.StatusOK).has("Hela serien").has("https://example.com/film")
	for _, link := range again.links(page, 2) {
		again.get(link).want(http.StatusOK)
	}
	again.get(page + "/files.zip").want(http.StatusOK).has(jpeg).has(pdf)
	again.post(page+"/revisions", url.Values{"body": {"Ljusare kök"}}).want(http.StatusSeeOther)
	staff.get(work).has("Ljusare kök")
	staff.get("/staff/outbox").want(http.StatusOK)
}

func (b *bundle) wantStatuses(order string, want ...string) {
	b.t.Helper()
	if diff := cmp.Diff(want, b.fake.Statuses(order)); diff != "" {
		b.t.Fatalf("statuses at the partner (-want +got):\n%s", diff)
	}
}
