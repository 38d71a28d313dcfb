package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"portico/internal/portal"
)

// rows returns the orders that a page of the queue lists, by the ends of their
// addresses, and the address of the next page.
func (a answer) rows() (orders []string, next string) {
	a.b.t.Helper()
	doc := a.want(http.StatusOK).page()
	doc.Find("[data-testid=order-row] a").Each(func(_ int, link *goquery.Selection) {
		orders = append(orders, strings.TrimPrefix(link.AttrOr("href", ""), "/staff/orders/"))
	})
	return orders, doc.Find("a[rel=next]").AttrOr("href", "")
}

// addOrders stores n orders without a browser, a minute apart.
func (b *bundle) addOrders(service, office string, n int) []string {
	b.t.Helper()
	svc, err := b.store.Service(b.t.Context(), service)
	b.check(err)
	var ids []string
	for i := range n {
		b.clock.Pass(time.Minute)
		id := fmt.Sprintf("%s-%s-%d", service, office, i)
		o, err := b.store.OpenOrder(b.t.Context(), svc, portal.Ticket{OrderID: id, Customer: office, UserID: "u", OwnerID: "u",
			Target: portal.Target{Type: "House", ID: "OBJ-" + id}}, "SEK")
		b.check(err)
		ids = append(ids, o.PublicID)
	}
	return ids
}

// TestQueuePages: following "next" shows every order once, in the sort's order,
// also when new ones come in meanwhile.
func TestQueuePages(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	ids := b.addOrders("skylt", "M30011", 120)
	staff := b.staff(staffEmail)
	for sort, want := range map[string][]string{"oldest": ids, "newest": reversed(ids)} {
		var got []string
		for address, pages := "/staff/orders?sort="+sort, 0; address != ""; pages++ {
			if pages > 5 {
				t.Fatal("the pages do not end")
			}
			orders, next := staff.get(address).rows()
			if len(orders) > 50 {
				t.Errorf("a page of %d", len(orders))
			}
			got, address = append(got, orders...), next
			if sort == "newest" {
				b.addOrders("skylt", fmt.Sprintf("M9%d", pages), 1)
			}
		}
		if sort == "oldest" {
			got = got[:min(len(got), len(ids))]
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d orders, want %d", sort, len(got), len(want))
		}
	}
}

func reversed(list []string) []string {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

// TestQueueFilters: the address says what is shown, alone and together.
func TestQueueFilters(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	drafts := b.addOrders("expertfoto", "M30011", 2)
	signs := b.addOrders("skylt", "M30011", 2)
	others := b.addOrders("skylt", "M30012", 1)
	staff := b.staff(staffEmail)
	staff.post("/staff/orders/"+signs[1]+"/cancellation", url.Values{"reason": {"x"}}).want(http.StatusSeeOther)
	for query, want := range map[string][]string{
		"":                                      {signs[0], others[0]}, // what is open
		"state=all":                             slices.Concat(drafts, signs, others),
		"state=draft":                           drafts,
		"state=cancelled":                       {signs[1]},
		"state=draft&state=cancelled":           {drafts[0], drafts[1], signs[1]},
		"state=nonsense":                        {signs[0], others[0]},
		"office=M30012":                         others,
		"service=skylt&state=all&office=M30011": signs,
		"service=nonsense":                      nil,
		"q=OBJ-skylt&state=all":                 slices.Concat(signs, others),
		"q=m30012":                              others,
		"q=SKYLT-M30011-0":                      {signs[0]},
		"q=" + url.QueryEscape("' OR 1=1; --"):  nil,
		"q=" + url.QueryEscape("!!! & | ( :*") + "": {signs[0], others[0]},
		"sort=nonsense":  {signs[0], others[0]},
		"after=nonsense": {signs[0], others[0]},
	} {
		got, _ := staff.get("/staff/orders?" + query).rows()
		slices.Sort(got)
		want = slices.Sorted(slices.Values(want))
		if !slices.Equal(got, want) {
			t.Errorf("%q: %d orders, want %d", query, len(got), len(want))
		}
	}
	a := staff.get("/staff/orders?q=villa&office=M30012&service=skylt&sort=newest")
	doc := a.page()
	for input, want := range map[string]string{"q": "villa", "office": "M30012", "service": "skylt", "sort": "newest"} {
		got := doc.Find(`input[name=`+input+`]`).AttrOr("value", "")
		if got == "" {
			got = doc.Find(`select[name=`+input+`] option[selected]`).AttrOr("value", "")
		}
		if got != want {
			t.Errorf("the filter %s shows %q, want %q", input, got, want)
		}
	}
}

// TestWorkspaceIsOfOneMoment: what is written while the workspace is read does not
// stand beside what it was before.
func TestWorkspaceIsOfOneMoment(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	address := "/staff/orders/" + b.addOrders("skylt", "M30011", 1)[0]
	staff := b.staff(staffEmail)
	states := func(a answer) string {
		var all []string
		a.want(http.StatusOK).page().Find("main").Find("[data-testid=state], [data-testid=job]").Each(func(_ int, s *goquery.Selection) {
			all = append(all, s.AttrOr("data-state", ""))
		})
		return strings.Join(all, " ")
	}
	before := states(staff.get(address))
	if before != "received available" {
		t.Fatalf("it shows %q", before)
	}

	tx, err := b.raw.Begin()
	b.check(err)
	t.Cleanup(func() { _ = tx.Rollback() })
	_, err = tx.Exec(`LOCK TABLE events IN ACCESS EXCLUSIVE MODE`) // read after the order, before its reports
	b.check(err)
	var during answer
	done := make(chan error)
	go func() {
		var err error
		during, err = staff.try(http.MethodGet, address, "", nil)
		done <- err
	}()
	for b.query(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) == "0" {
	}
	_, err = tx.Exec(`UPDATE orders SET state = 'active'`)
	b.check(err)
	_, err = tx.Exec(`UPDATE jobs SET state = 'completed', finished_at = created_at`)
	b.check(err)
	b.check(tx.Commit())
	b.check(<-done)
	if got := states(during); got != before {
		t.Errorf("it shows %q, which was %q before", got, before)
	}
	if got := states(staff.get(address)); got != "active completed" {
		t.Errorf("afterwards it shows %q", got)
	}
}
