package portal_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

var vitecWords = map[portal.State]string{portal.Received: "OrderReceived", portal.Delivered: "Delivered",
	portal.Failed: "Error", portal.Cancelled: "Error"}

func daysAgo(n int) time.Time { return noon.AddDate(0, 0, -n) }

// held is an order of ours of last week whose partner has been told of states,
// the newest first.
func held(state portal.State, told ...portal.State) portal.HeldOrder {
	return portal.HeldOrder{ID: 1, PartnerOrderID: "B1", ServiceID: "foto", State: state, Told: told,
		CreatedAt: daysAgo(7), ChangedAt: daysAgo(6)}
}

// listed is the same order as the partner lists it.
func listed(status string) *portal.Listed {
	return &portal.Listed{OrderID: "B1", Status: status, ServiceID: "7", CreatedAt: daysAgo(7)}
}

// TestCompareStates: when what the partner shows is a difference.
func TestCompareStates(t *testing.T) {
	t.Parallel()
	background := held(portal.Received)
	background.Background = true
	asked := background
	asked.State, asked.Told = portal.Waiting, []portal.State{portal.Waiting, portal.Draft}
	for name, c := range map[string]struct {
		ours   portal.HeldOrder
		status string
		differ bool
		report portal.State
	}{
		"delivered, and so there":                        {held(portal.Delivered, portal.Delivered, portal.Received), "Delivered", false, ""},
		"in other letters":                               {held(portal.Delivered, portal.Delivered), "delivered", false, ""},
		"delivered, not there":                           {held(portal.Delivered, portal.Delivered, portal.Received), "OrderReceived", true, portal.Delivered},
		"delivered, an unknown word there":               {held(portal.Delivered, portal.Delivered), "Fakturerad", true, portal.Delivered},
		"delivered, no word there":                       {held(portal.Delivered, portal.Delivered), "", true, portal.Delivered},
		"failed":                                         {held(portal.Failed, portal.Failed, portal.Received), "Error", false, ""},
		"cancelled is the same word":                     {held(portal.Cancelled, portal.Cancelled), "Error", false, ""},
		"cancelled, not there":                           {held(portal.Cancelled, portal.Cancelled), "Delivered", true, portal.Cancelled},
		"active is not told":                             {held(portal.Active, portal.Received), "OrderReceived", false, ""},
		"active, received did not arrive":                {held(portal.Active, portal.Received), "Ordered", true, portal.Received},
		"active, closed there":                           {held(portal.Active, portal.Received), "Error", true, portal.Received},
		"reopened after delivery":                        {held(portal.Active, portal.Delivered, portal.Received), "Delivered", false, ""},
		"waiting, received there":                        {held(portal.Waiting, portal.Waiting, portal.Received), "OrderReceived", false, ""},
		"waiting, a word of its own there":               {held(portal.Waiting, portal.Waiting, portal.Received), "Interaction", false, ""},
		"waiting, delivered there":                       {held(portal.Waiting, portal.Waiting, portal.Received), "Delivered", true, portal.Received},
		"draft, whatever there":                          {held(portal.Draft), "Delivered", false, ""},
		"in the background the partner says received":    {background, "OrderReceived", false, ""},
		"in the background it has not":                   {background, "Ordered", true, portal.Received},
		"in the background, waiting, never told":         {asked, "OrderReceived", false, ""},
		"taken from the list, and so there":              {held(portal.Received), "OrderReceived", false, ""},
		"taken from the list, further there":             {held(portal.Received), "Delivered", true, portal.Received},
		"never told anything, its own word there":        {held(portal.Active), "Ordered", false, ""},
		"never told anything, delivered there":           {held(portal.Active), "Delivered", true, ""},
		"told of a state that has no word, and an older": {held(portal.Active, portal.Active, portal.Received), "OrderReceived", false, ""},
	} {
		got := portal.Compare([]portal.HeldOrder{c.ours}, portal.Listing{Orders: []portal.Listed{*listed(c.status)}, Words: vitecWords},
			nil, portal.NewPeriod(time.Time{}, noon))
		var want []portal.Difference
		if c.differ {
			want = []portal.Difference{{Kind: portal.StateDiffers, PartnerOrderID: "B1", OrderID: 1, Ours: c.ours.State,
				Theirs: c.status, Report: c.report, Listed: listed(c.status), ServiceID: "foto", Known: true}}
		}
		if diff := cmp.Diff(want, got.Differences); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got.Compared != 1 || got.Unreported != 0 {
			t.Errorf("%s: %d compared, %d unreported", name, got.Compared, got.Unreported)
		}
	}
}

// counts is what came of a comparison, without the orders.
type counts struct {
	MissingHere, MissingThere, StateDiffers, Compared, Unreported, Others, Unknown int
}

func countsOf(c portal.Comparison) counts {
	n := counts{Compared: c.Compared, Unreported: c.Unreported, Others: c.Others}
	for _, d := range c.Differences {
		switch {
		case !d.Known:
			n.Unknown++
		case d.Kind == portal.MissingHere:
			n.MissingHere++
		case d.Kind == portal.MissingThere:
			n.MissingThere++
		default:
			n.StateDiffers++
		}
	}
	return n
}

// TestCompareWhich: which orders are looked at, and which are missed.
func TestCompareWhich(t *testing.T) {
	t.Parallel()
	with := func(o portal.HeldOrder, change func(*portal.HeldOrder)) portal.HeldOrder { change(&o); return o }
	delivered := held(portal.Delivered, portal.Delivered)
	theirs := func(id, service string, at time.Time) *portal.Listed {
		return &portal.Listed{OrderID: id, Status: "Ordered", ServiceID: service, CreatedAt: at}
	}
	configured := map[string]string{"7": "foto"}
	for name, c := range map[string]struct {
		ours     []portal.HeldOrder
		theirs   []*portal.Listed
		services map[string]string
		want     counts
	}{
		"nothing":                        {want: counts{}},
		"the partner does not have it":   {ours: []portal.HeldOrder{delivered}, want: counts{MissingThere: 1, Compared: 1}},
		"a draft that it does not have":  {ours: []portal.HeldOrder{held(portal.Draft)}, want: counts{Compared: 1}},
		"cancelled, and gone there":      {ours: []portal.HeldOrder{held(portal.Cancelled, portal.Cancelled)}, want: counts{Compared: 1}},
		"it came in a moment ago":        {ours: []portal.HeldOrder{with(delivered, func(o *portal.HeldOrder) { o.CreatedAt = noon.Add(-4 * time.Minute) })}, want: counts{}},
		"it came in after the list":      {ours: []portal.HeldOrder{with(delivered, func(o *portal.HeldOrder) { o.CreatedAt = noon.Add(time.Second) })}, want: counts{}},
		"older than what was asked for":  {ours: []portal.HeldOrder{with(delivered, func(o *portal.HeldOrder) { o.CreatedAt = daysAgo(91) })}, want: counts{}},
		"as old as what was asked for":   {ours: []portal.HeldOrder{with(delivered, func(o *portal.HeldOrder) { o.CreatedAt = daysAgo(90) })}, want: counts{}},
		"a day younger than that":        {ours: []portal.HeldOrder{with(delivered, func(o *portal.HeldOrder) { o.CreatedAt = daysAgo(89) })}, want: counts{MissingThere: 1, Compared: 1}},
		"missing, and a report waits":    {ours: []portal.HeldOrder{with(delivered, func(o *portal.HeldOrder) { o.Unreported = true })}, want: counts{MissingThere: 1, Compared: 1}},
		"not reported yet":               {ours: []portal.HeldOrder{with(delivered, func(o *portal.HeldOrder) { o.Unreported = true })}, theirs: []*portal.Listed{listed("OrderReceived")}, want: counts{Unreported: 1}},
		"changed since the list":         {ours: []portal.HeldOrder{with(delivered, func(o *portal.HeldOrder) { o.ChangedAt = noon })}, theirs: []*portal.Listed{listed("OrderReceived")}, want: counts{}},
		"changed just before the list":   {ours: []portal.HeldOrder{with(delivered, func(o *portal.HeldOrder) { o.ChangedAt = noon.Add(-1) })}, theirs: []*portal.Listed{listed("OrderReceived")}, want: counts{StateDiffers: 1, Compared: 1}},
		"old, and listed":                {ours: []portal.HeldOrder{with(delivered, func(o *portal.HeldOrder) { o.CreatedAt = daysAgo(300) })}, theirs: []*portal.Listed{listed("OrderReceived")}, want: counts{StateDiffers: 1, Compared: 1}},
		"unknown, services not known":    {theirs: []*portal.Listed{theirs("B2", "7", daysAgo(1))}, want: counts{Unknown: 1}},
		"of a service of another's":      {theirs: []*portal.Listed{theirs("B2", "8", daysAgo(1))}, services: configured, want: counts{Others: 1}},
		"of a service of ours":           {theirs: []*portal.Listed{theirs("B2", "7", daysAgo(1))}, services: configured, want: counts{MissingHere: 1, Compared: 1}},
		"of a service as our order's":    {ours: []portal.HeldOrder{delivered}, theirs: []*portal.Listed{listed("Delivered"), theirs("B2", "7", daysAgo(1)), theirs("B3", "8", daysAgo(1))}, want: counts{MissingHere: 1, Unknown: 1, Compared: 2}},
		"without a service, as ours are": {ours: []portal.HeldOrder{delivered}, theirs: []*portal.Listed{{OrderID: "B1", Status: "Delivered"}, theirs("B2", "", daysAgo(1))}, want: counts{MissingHere: 1, Compared: 2}},
		"ordered a moment ago":           {theirs: []*portal.Listed{theirs("B2", "7", noon.Add(-4*time.Minute))}, services: configured, want: counts{}},
		"ordered five minutes ago":       {theirs: []*portal.Listed{theirs("B2", "7", noon.Add(-5*time.Minute-1))}, services: configured, want: counts{MissingHere: 1, Compared: 1}},
		"ordered 90 days ago":            {theirs: []*portal.Listed{theirs("B2", "7", noon.Add(-portal.ReconcileSpan))}, services: configured, want: counts{MissingHere: 1, Compared: 1}},
		"ordered longer ago":             {theirs: []*portal.Listed{theirs("B2", "7", noon.Add(-portal.ReconcileSpan-1))}, services: configured, want: counts{}},
		"ordered nobody knows when":      {theirs: []*portal.Listed{theirs("B2", "7", time.Time{})}, services: configured, want: counts{MissingHere: 1, Compared: 1}},
		"listed twice":                   {theirs: []*portal.Listed{theirs("B2", "7", daysAgo(1)), theirs("B2", "7", daysAgo(1))}, services: configured, want: counts{MissingHere: 1, Compared: 1}},
		"without an id":                  {theirs: []*portal.Listed{theirs("", "7", daysAgo(1))}, services: configured, want: counts{}},
	} {
		list := portal.Listing{Words: vitecWords}
		for _, l := range c.theirs {
			list.Orders = append(list.Orders, *l)
		}
		got := portal.Compare(c.ours, list, c.services, portal.NewPeriod(time.Time{}, noon))
		if diff := cmp.Diff(c.want, countsOf(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestCompareImport: what is known of an order that never came in.
func TestCompareImport(t *testing.T) {
	t.Parallel()
	ours := []portal.HeldOrder{held(portal.Delivered, portal.Delivered)}
	for name, c := range map[string]struct {
		services map[string]string
		status   string
		want     portal.Difference
	}{
		"learned from our orders": {nil, "Ordered", portal.Difference{Report: portal.Received, ServiceID: "foto"}},
		"configured":              {map[string]string{"7": "film"}, "Ordered", portal.Difference{Report: portal.Received, ServiceID: "film"}},
		"received there":          {nil, "OrderReceived", portal.Difference{Report: portal.Received, ServiceID: "foto"}},
		"further already":         {nil, "Delivered", portal.Difference{ServiceID: "foto"}},
		"closed already":          {nil, "error", portal.Difference{ServiceID: "foto"}},
	} {
		l := &portal.Listed{OrderID: "B2", Status: c.status, ServiceID: "7", CreatedAt: daysAgo(1)}
		got := portal.Compare(ours, portal.Listing{Orders: []portal.Listed{*listed("Delivered"), *l}, Words: vitecWords}, c.services,
			portal.NewPeriod(time.Time{}, noon))
		want := c.want
		want.Kind, want.PartnerOrderID, want.Theirs, want.Listed, want.Known = portal.MissingHere, "B2", c.status, l, true
		if diff := cmp.Diff([]portal.Difference{want}, got.Differences); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestResolves: what a later comparison says about a difference that it has not found.
func TestResolves(t *testing.T) {
	t.Parallel()
	ours := held(portal.Delivered, portal.Delivered)
	late := ours
	late.PartnerOrderID, late.ChangedAt = "B9", noon
	later := portal.Compare([]portal.HeldOrder{ours, late},
		portal.Listing{Orders: []portal.Listed{*listed("Delivered"), {OrderID: "B9", Status: "Ordered"}}, Words: vitecWords},
		nil, portal.NewPeriod(time.Time{}, noon))
	missing := func(id string, at time.Time) portal.Difference {
		return portal.Difference{Kind: portal.MissingHere, PartnerOrderID: id, Listed: &portal.Listed{OrderID: id, CreatedAt: at}}
	}
	for name, c := range map[string]struct {
		d    portal.Difference
		want bool
	}{
		"agrees now":             {d: portal.Difference{Kind: portal.StateDiffers, PartnerOrderID: "B1"}, want: true},
		"could not be compared":  {d: portal.Difference{Kind: portal.StateDiffers, PartnerOrderID: "B9"}, want: false},
		"was not looked at":      {d: portal.Difference{Kind: portal.MissingThere, PartnerOrderID: "B7"}, want: false},
		"gone from the list":     {d: missing("B7", daysAgo(3)), want: true},
		"has come in":            {d: missing("B1", daysAgo(3)), want: true},
		"too old to be asked of": {d: missing("B7", daysAgo(91)), want: false},
	} {
		if got := later.Resolves(c.d); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestPeriod(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ oldest, want time.Time }{
		"no order of ours":                    {time.Time{}, noon.Add(-90 * 24 * time.Hour)},
		"all are young":                       {daysAgo(3), noon.Add(-90 * 24 * time.Hour)},
		"an old one has changed":              {noon.Add(-200 * 24 * time.Hour), noon.Add(-201 * 24 * time.Hour)},
		"one at the very edge":                {noon.Add(-90 * 24 * time.Hour), noon.Add(-91 * 24 * time.Hour)},
		"one older than the partner is asked": {noon.Add(-500 * 24 * time.Hour), noon.Add(-365 * 24 * time.Hour)},
	} {
		if got := portal.NewPeriod(c.oldest, noon); !got.Asked.Equal(c.want) || !got.At.Equal(noon) {
			t.Errorf("%s: asked for what came since %s, want %s", name, got.Asked, c.want)
		}
	}
}

func TestNextReconciliation(t *testing.T) {
	t.Parallel()
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]string{
		"2026-11-24T01:59:59Z": "2026-11-24T02:00:00Z",
		"2026-11-24T02:00:00Z": "2026-11-25T02:00:00Z", // it is three o'clock
		"2026-11-24T23:30:00Z": "2026-11-25T02:00:00Z", // the 25th there
		"2026-07-01T00:30:00Z": "2026-07-01T01:00:00Z", // summer
		"2026-03-28T12:00:00Z": "2026-03-29T01:00:00Z", // the night of 23 hours
		"2026-10-24T12:00:00Z": "2026-10-25T02:00:00Z", // the night of 25 hours
		"2026-12-31T12:00:00Z": "2027-01-01T02:00:00Z",
	} {
		now, err := time.Parse(time.RFC3339, from)
		if err != nil {
			t.Fatal(err)
		}
		if got := portal.NextReconciliation(now, stockholm).UTC().Format(time.RFC3339); got != want {
			t.Errorf("after %s: %s, want %s", from, got, want)
		}
	}
}

func TestRetryReconciliation(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int]time.Duration{0: 5 * time.Minute, 1: 5 * time.Minute, 2: 30 * time.Minute, 3: 2 * time.Hour, 40: 2 * time.Hour} {
		if got := portal.RetryReconciliation(noon, failures).Sub(noon); got != want {
			t.Errorf("after %d failures: %s, want %s", failures, got, want)
		}
	}
}
