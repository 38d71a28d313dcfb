package main

import (
	"database/sql"
	"fmt"
	"path"
	"testing"

	"github.com/chromedp/chromedp"
)

const submit = ".order-form button:not([type=button])"

// draft orders pictures of the estate and stays at the form.
func (d *demoRun) draft(b *tab) {
	b.t.Helper()
	b.open(d.estate())
	b.press("[data-testid=order-expertfoto]")
}

// submitted fills in what the form must have, and nothing else.
func (d *demoRun) submitted(b *tab) {
	b.t.Helper()
	d.draft(b)
	b.click("label:has(#f-package-small)")
	b.press(submit)
	b.sees("[data-testid=state][data-state=received]")
}

func (d *demoRun) estate() string { return d.simulator + "/estates/" + estate }

// TestOneOrder submits one order in every way that people submit twice.
func TestOneOrder(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	for name, twice := range map[string]func(*tab){
		"double click": func(b *tab) {
			b.click("label:has(#f-package-small)")
			b.loads(200, "double click", chromedp.DoubleClick(visible(submit)))
		},
		"back": func(b *tab) {
			b.click("label:has(#f-package-small)")
			b.press(submit)
			b.loads(200, "go back", chromedp.NavigateBack())
		},
		"two tabs": func(b *tab) {
			second := b.second()
			second.open(eval[string](b, "location.href"))
			for _, b := range []*tab{b, second} {
				b.click("label:has(#f-package-small)")
			}
			second.press(submit)
			b.press(submit)
		},
	} {
		for _, setUp := range [][]step{nil, {withoutScripts}} {
			t.Run(fmt.Sprintf("%s, scripts %t", name, setUp == nil), func(t *testing.T) {
				t.Parallel()
				b := newTab(t, d, setUp...)
				d.draft(b)
				page := eval[string](b, "location.href")
				twice(b)
				b.sees("[data-testid=state][data-state=received]")
				if got := eval[string](b, "location.href"); got != page {
					t.Errorf("the receipt is at %s, the order at %s", got, page)
				}
				if n := d.reports(b, page); n != 1 {
					t.Errorf("%d reports to the partner, want 1", n)
				}
			})
		}
	}
}

// reports returns how many messages there are to the partner about the order at
// an address.
func (d *demoRun) reports(b *tab, address string) int {
	b.t.Helper()
	conn, err := sql.Open("postgres", d.env[databaseURL])
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	var n int
	err = conn.QueryRowContext(b.t.Context(), `SELECT count(*) FROM jobs j JOIN orders o ON o.id = j.order_id WHERE o.public_id = $1`,
		path.Base(address)).Scan(&n)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// TestExpiredLink follows a link whose token is too old: a stranger is told to
// come again, who is known already goes on.
func TestExpiredLink(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	known, stranger := newTab(t, d), newTab(t, d)
	d.submitted(known)
	stranger.open(d.estate())
	stranger.pressFor(410, "[data-testid=open-expired]")
	stranger.sees("[data-testid=error][data-status='410']")
	stranger.reads("Vitec Express")
	known.open(d.estate())
	known.press("[data-testid=open-expired]")
	known.sees("[data-testid=state][data-state=received]")
}

// TestOutage lets the partner fail while an order comes in, and repairs it.
func TestOutage(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	broker, staff := newTab(t, d), newTab(t, d, speaking("sv"))
	const fault = "button[name=kind][value=server_error]"
	broker.open(d.simulator + "/faults")
	broker.do("choose what fails", chromedp.SetValue(visible("select[name=op]"), "status"))
	broker.press(fault)
	d.submitted(broker)

	d.logIn(staff)
	staff.sees("[data-testid=order-row] [data-testid=unsent]")
	staff.press("[data-testid=order-row] a")
	// The panel follows the message by itself until the second try has failed.
	staff.sees("[data-testid=reports] [data-testid=job][data-state=available] form[action$='/retry']")
	staff.watches("[data-testid=reports]", "Försök 2 av 10 är gjort. Nästa om")
	staff.reads("Vitec Express svarade med ett fel")

	broker.open(d.simulator + "/faults")
	broker.press(fault)
	staff.press("header a[href='/staff/outbox']")
	staff.sees("[data-testid=outbox-row]")
	staff.press("[data-testid=outbox-row] form[action$='/retry'] button")
	staff.reopens(d.portal+"/staff/outbox", "[data-testid=empty]")
	broker.reopens(d.estate(), "[data-testid=order-status][data-status=OrderReceived]")
}
