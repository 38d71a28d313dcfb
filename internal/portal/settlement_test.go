package portal_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

// missing is an order that the partner lists and that never came in.
func missing(theirs string, report portal.State) portal.Difference {
	return portal.Difference{Kind: portal.MissingHere, PartnerOrderID: "B2", Theirs: theirs, Report: report, Known: true,
		Listed: &portal.Listed{OrderID: "B2", Status: theirs, TargetID: "OBJ1", UserID: "U1"}}
}

func TestImportOrder(t *testing.T) {
	t.Parallel()
	form := portal.Form{Fields: []portal.Field{{ID: "day", Type: portal.FieldDate}}}
	plain := portal.Service{ID: "skylt", ConnectionID: "vitec", Reports: []portal.State{portal.Received}}
	asks := plain
	asks.Form = form
	background := asks
	background.Flow, background.Ask = portal.FlowBackground, "Komplettera"
	for name, c := range map[string]struct {
		svc    portal.Service
		d      portal.Difference
		state  portal.State
		kinds  []portal.EventKind
		report portal.State
	}{
		"asks nothing":           {plain, missing("Ordered", portal.Received), portal.Received, []portal.EventKind{portal.EventImported, portal.EventReceived}, portal.Received},
		"is further there":       {plain, missing("Delivered", ""), portal.Received, []portal.EventKind{portal.EventImported, portal.EventReceived}, ""},
		"the broker completes":   {asks, missing("Ordered", portal.Received), portal.Draft, []portal.EventKind{portal.EventImported}, ""},
		"the broker is asked to": {background, missing("Ordered", portal.Received), portal.Draft, []portal.EventKind{portal.EventImported}, portal.Draft},
	} {
		o, change, err := portal.ImportOrder(c.svc, c.d, "M1", erik, noon)
		if err != nil {
			t.Fatal(err)
		}
		if o.State != c.state || o.PartnerOrderID != "B2" || o.Office.Customer != "M1" || o.Target != (portal.Target{ID: "OBJ1"}) {
			t.Errorf("%s: order %+v", name, o)
		}
		var kinds []portal.EventKind
		for _, e := range change.Events {
			kinds = append(kinds, e.Kind)
			if e.Actor != erik {
				t.Errorf("%s: %s by %v", name, e.Kind, e.Actor)
			}
		}
		if diff := cmp.Diff(c.kinds, kinds); diff != "" {
			t.Errorf("%s: events (-want +got):\n%s", name, diff)
		}
		if change.Events[0].Data.After != c.d.Theirs || change.Events[0].ForBroker {
			t.Errorf("%s: first event %+v", name, change.Events[0])
		}
		got := portal.State("")
		if change.Report != nil {
			got = change.Report.State
		}
		if got != c.report {
			t.Errorf("%s: report %q, want %q", name, got, c.report)
		}
	}
	for name, d := range map[string]portal.Difference{"ours": {Kind: portal.StateDiffers, Listed: &portal.Listed{}}, "not listed": {Kind: portal.MissingHere}} {
		if _, _, err := portal.ImportOrder(plain, d, "M1", erik, noon); portal.KindOf(err) != portal.Conflict {
			t.Errorf("%s: %v, want Conflict", name, err)
		}
	}
}

func TestReportAgain(t *testing.T) {
	t.Parallel()
	order := portal.Order{ID: 7, State: portal.Active, PartnerOrderID: "B1", Service: portal.Service{ID: "foto", ConnectionID: "vitec"},
		Office: portal.Office{Customer: "M1"}}
	good := portal.Difference{Kind: portal.StateDiffers, Ours: portal.Active, Theirs: "Ordered", Report: portal.Received}
	change, err := order.ReportAgain(good, "Välkommen", erik, noon)
	if err != nil {
		t.Fatal(err)
	}
	want := portal.Change{Report: &portal.Message{OrderID: 7, ConnectionID: "vitec", ServiceID: "foto", Customer: "M1", PartnerOrderID: "B1",
		State: portal.Received, Comment: "Välkommen", Since: noon, Number: "7"},
		Events: []portal.Event{{Kind: portal.EventReportedAgain, Actor: erik, CreatedAt: noon,
			Data: portal.EventData{State: portal.Received, After: "Ordered"}}}}
	if diff := cmp.Diff(want, change); diff != "" {
		t.Error(diff)
	}
	if order.State != portal.Active {
		t.Errorf("the order is %s now", order.State)
	}
	for key, spoil := range map[string]func(*portal.Difference){
		"reconciliation.changed":   func(d *portal.Difference) { d.Ours = portal.Received },
		"reconciliation.no_report": func(d *portal.Difference) { d.Report = "" },
	} {
		d := good
		spoil(&d)
		if _, err := order.ReportAgain(d, "", erik, noon); portal.KindOf(err) != portal.Conflict || asError(t, err).Say.Key != key {
			t.Errorf("%v, want Conflict %s", err, key)
		}
	}
	if _, err := order.ReportAgain(missing("Ordered", portal.Received), "", erik, noon); portal.KindOf(err) != portal.Conflict {
		t.Errorf("an order that we do not have: %v, want Conflict", err)
	}
}

func TestAcceptDifference(t *testing.T) {
	t.Parallel()
	order := portal.Order{ID: 7, State: portal.Delivered}
	d := portal.Difference{Kind: portal.StateDiffers, Ours: portal.Delivered, Theirs: "Fakturerad"}
	change, err := order.AcceptDifference(d, "De fakturerar själva", erik, noon)
	if err != nil {
		t.Fatal(err)
	}
	want := portal.Change{Events: []portal.Event{{Kind: portal.EventAccepted, Actor: erik, CreatedAt: noon,
		Data: portal.EventData{State: portal.Delivered, Body: "De fakturerar själva", After: "Fakturerad"}}}}
	if diff := cmp.Diff(want, change); diff != "" {
		t.Error(diff)
	}
	d.Ours = portal.Active
	if _, err := order.AcceptDifference(d, "x", erik, noon); portal.KindOf(err) != portal.Conflict {
		t.Errorf("of an order that has changed: %v, want Conflict", err)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	unproven := portal.Order{PartnerOrderID: "B1", Target: portal.Target{ID: "OBJ1"}, Unverified: true}
	proven := unproven
	proven.Unverified = false
	for name, c := range map[string]struct {
		order  portal.Order
		listed portal.Listed
		want   bool
	}{
		"listed":                      {unproven, portal.Listed{OrderID: "B1", TargetID: "OBJ1"}, true},
		"the list does not say where": {unproven, portal.Listed{OrderID: "B1"}, true},
		"listed on another target":    {unproven, portal.Listed{OrderID: "B1", TargetID: "OBJ2"}, false},
		"another order":               {unproven, portal.Listed{OrderID: "B2", TargetID: "OBJ1"}, false},
		"verified already":            {proven, portal.Listed{OrderID: "B1", TargetID: "OBJ1"}, false},
	} {
		change, ok := c.order.Verify(c.listed, noon)
		if ok != c.want || c.order.Unverified == c.want && name != "verified already" {
			t.Errorf("%s: %v, unverified %v", name, ok, c.order.Unverified)
		}
		if ok != (len(change.Events) == 1) {
			t.Errorf("%s: events %v", name, change.Events)
		}
	}
}
