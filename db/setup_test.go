package db_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portico/db"
	"portico/db/dbtest"
	"portico/internal/keyring"
	"portico/internal/portal"
)

func setup() portal.Setup {
	return portal.Setup{
		Provider: portal.Provider{Name: "Nordljus", SupportEmail: "s@nordljus.example", Locale: "sv",
			TimeZone: "Europe/Stockholm", Currency: "SEK"},
		Connections: []portal.Connection{{ID: "vitec", System: "vitec", InteractionLink: portal.LinkSigned,
			Reports: []portal.State{portal.Received, portal.Delivered}, Settings: []byte(`{"base_url": "https://c.example"}`),
			Credentials: []portal.Credential{{Customer: "*", Username: "u", Password: "p"},
				{Customer: "M1", Username: "u1", Password: "p1"}}}},
		Services: []portal.Service{
			{ID: "foto", ConnectionID: "vitec", Flow: portal.FlowBackground, Auth: portal.AuthBasic, Username: "v",
				PasswordHashes: []string{"h1", "h2"}, SecretHash: "s", AllowIPs: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
				Customers: []string{"M1"}, Name: portal.Text{"sv": "Foto"}, Description: portal.Text{"en": "Photos"},
				Tags: []string{"bilder"}, TurnaroundHours: 48, PartnerService: "2440", Form: portal.Form{Fields: []portal.Field{
					{ID: "day", Type: portal.FieldDate, Label: portal.Text{"sv": "Dag"}}}}},
			{ID: "film", ConnectionID: "vitec", Flow: portal.FlowPage, Auth: portal.AuthToken, Name: portal.Text{"sv": "Film"}},
		},
	}
}

// apply applies a set-up and returns the lines of what it made.
func apply(t *testing.T, store *db.Store, s portal.Setup) []string {
	t.Helper()
	changes, err := store.Apply(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return changes.Made
}

var everything = []string{"provider Nordljus: added", "connection vitec: added",
	"credential of connection vitec for customer *: added", "credential of connection vitec for customer M1: added",
	"service foto: added", "form of service foto: version 1", "service film: added", "form of service film: version 1"}

func TestApplyStoresASetup(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store, clock := newStore(t)
	if diff := cmp.Diff(everything, apply(t, store, setup())); diff != "" {
		t.Error(diff)
	}

	provider, err := store.Provider(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(setup().Provider, provider); diff != "" {
		t.Error(diff)
	}

	connection, err := store.Connection(ctx, "vitec")
	if err != nil {
		t.Fatal(err)
	}
	want := setup().Connections[0]
	want.UpdatedAt = clock.Time
	if diff := cmp.Diff(want, connection, cmpopts.EquateApproxTime(0)); diff != "" {
		t.Error(diff)
	}
	list, err := store.Connections(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want.Credentials = nil
	if diff := cmp.Diff([]portal.Connection{want}, list, cmpopts.EquateApproxTime(0)); diff != "" {
		t.Error(diff)
	}
}

// ofProvider sets what services have of the provider.
func ofProvider(p portal.Provider, services ...portal.Service) {
	for i := range services {
		services[i].Language, services[i].TimeZone = p.Locale, p.TimeZone
	}
}

func TestServices(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store, _ := newStore(t)
	apply(t, store, setup())
	services, err := store.Services(ctx)
	if err != nil {
		t.Fatal(err)
	}
	wantServices := []portal.Service{setup().Services[1], setup().Services[0]}
	for i := range wantServices {
		s := &wantServices[i]
		s.System, s.Reports, s.Form.Version, s.Form.ID = "vitec", []portal.State{portal.Received, portal.Delivered}, 1, services[i].Form.ID
		one, err := store.Service(ctx, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(services[i], one, samePrefix); diff != "" {
			t.Error("service alone and in the list:", diff)
		}
	}
	ofProvider(setup().Provider, wantServices...)
	if diff := cmp.Diff(wantServices, services, samePrefix, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

var samePrefix = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

func TestApplyAgainChangesNothing(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store, clock := newStore(t)
	apply(t, store, setup())
	version, err := store.ConnectionVersion(ctx, "vitec")
	if err != nil {
		t.Fatal(err)
	}
	clock.advance(time.Hour)
	if made := apply(t, store, setup()); len(made) > 0 {
		t.Errorf("the second time changed %q", made)
	}
	again, err := store.ConnectionVersion(ctx, "vitec")
	if err != nil {
		t.Fatal(err)
	}
	if !again.Equal(version) {
		t.Errorf("the connection's version went from %v to %v", version, again)
	}
}

// edits are what somebody may do to a file between two applies.
var edits = map[string]struct {
	change func(*portal.Setup)
	made   []string
}{
	"provider": {func(s *portal.Setup) { s.Provider.Locale = "nb" }, []string{"provider Nordljus: changed"}},
	"settings": {func(s *portal.Setup) { s.Connections[0].Settings = []byte(`{"base_url": "https://d.example"}`) },
		[]string{"connection vitec: changed"}},
	"settings written otherwise": {func(s *portal.Setup) { s.Connections[0].Settings = []byte(`{ "base_url":"https://c.example" }`) }, nil},
	"reports":                    {func(s *portal.Setup) { s.Connections[0].Reports = nil }, []string{"connection vitec: changed"}},
	"password": {func(s *portal.Setup) { s.Connections[0].Credentials[1].Password = "p2" },
		[]string{"credential of connection vitec for customer M1: changed"}},
	"credential gone": {func(s *portal.Setup) { s.Connections[0].Credentials = s.Connections[0].Credentials[:1] },
		[]string{"credential of connection vitec for customer M1: removed"}},
	"service": {func(s *portal.Setup) { s.Services[1].Tags = []string{"video"} }, []string{"service film: changed"}},
	"form": {func(s *portal.Setup) { s.Services[0].Form.Fields[0].Required = true },
		[]string{"form of service foto: version 2"}},
	"form gone": {func(s *portal.Setup) { s.Services[0].Form.Fields = nil }, []string{"form of service foto: version 2"}},
}

func TestApplyNamesEachChange(t *testing.T) {
	t.Parallel()
	for name, test := range edits {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			store, clock := newStore(t)
			apply(t, store, setup())
			clock.advance(time.Minute)
			s := setup()
			test.change(&s)

			planned, err := store.Plan(ctx, s)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.made, planned.Made); diff != "" {
				t.Error("planned:", diff)
			}
			if diff := cmp.Diff(test.made, apply(t, store, s)); diff != "" {
				t.Error("made:", diff)
			}
			if again := apply(t, store, s); len(again) > 0 {
				t.Errorf("applied again, it changed %q", again)
			}
			version, err := store.ConnectionVersion(ctx, "vitec")
			if err != nil {
				t.Fatal(err)
			}
			changed := len(test.made) > 0 && strings.Contains(test.made[0], "connection")
			if version.Equal(clock.Time) != changed {
				t.Errorf("the connection's version is of %v at %v, and its having changed is %v", version, clock.Time, changed)
			}
		})
	}
}

func TestPlanStoresNothing(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store, _ := newStore(t)
	changes, err := store.Plan(ctx, setup())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(everything, changes.Made); diff != "" {
		t.Error(diff)
	}
	_, err = store.Provider(ctx)
	var e *portal.Error
	if !errors.As(err, &e) || e.Kind != portal.NotFound || e.Say.Key != "provider.missing" {
		t.Errorf("Provider after Plan: %v, want that there is none", err)
	}
}

func TestApplyKeepsWhatTheFileDoesNotName(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store, _ := newStore(t)
	apply(t, store, setup())
	s := setup()
	s.Connections[0].ID, s.Services = "other", nil
	changes, err := store.Apply(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"connection vitec", "service film", "service foto"}, changes.Kept); diff != "" {
		t.Error(diff)
	}
	if _, err := store.Service(ctx, "foto"); err != nil {
		t.Error(err)
	}
}

func TestApplyKeepsOldForms(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store, _ := newStore(t)
	apply(t, store, setup())
	svc, err := store.Service(ctx, "foto")
	if err != nil {
		t.Fatal(err)
	}
	order := openOrder(t, store, svc)

	s := setup()
	s.Services[0].Form.Fields[0].Label = portal.Text{"sv": "Vilken dag"}
	apply(t, store, s)
	if svc, err = store.Service(ctx, "foto"); err != nil {
		t.Fatal(err)
	}
	if svc.Form.Version != 2 || svc.Form.Fields[0].Label["sv"] != "Vilken dag" {
		t.Errorf("the service has form %+v, want the new one", svc.Form)
	}
	old, err := store.OrderForStaff(ctx, order.PublicID)
	if err != nil {
		t.Fatal(err)
	}
	if old.Service.Form.Version != 1 || old.Service.Form.Fields[0].Label["sv"] != "Dag" {
		t.Errorf("the order has form %+v, want the one that it was made for", old.Service.Form)
	}

	apply(t, store, setup()) // back to the first form is a version, too
	if svc, err = store.Service(ctx, "foto"); err != nil {
		t.Fatal(err)
	}
	if svc.Form.Version != 3 {
		t.Errorf("the form has version %d, want 3", svc.Form.Version)
	}
}

func openOrder(t *testing.T, store *db.Store, svc portal.Service) db.Opened {
	t.Helper()
	o, err := store.OpenOrder(context.Background(), svc, portal.Ticket{OrderID: "1", Customer: "M1", UserID: "u", OwnerID: "u"}, "SEK")
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestApplyRefusesToMoveOrders(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(*portal.Setup){
		"connection to another system": func(s *portal.Setup) { s.Connections[0].System = "visma" },
		"service to another connection": func(s *portal.Setup) {
			s.Connections = append(s.Connections, portal.Connection{ID: "new", System: "vitec", InteractionLink: portal.LinkSigned, Settings: []byte("{}")})
			s.Services[0].ConnectionID = "new"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			store, _ := newStore(t)
			apply(t, store, setup())
			moved := setup()
			move(&moved)
			moved.Provider.Name = "Renamed"
			if _, err := store.Plan(ctx, moved); err != nil {
				t.Errorf("refused without any order: %v", err)
			}
			svc, err := store.Service(ctx, "foto")
			if err != nil {
				t.Fatal(err)
			}
			openOrder(t, store, svc)
			if _, err := store.Apply(ctx, moved); err == nil || !strings.Contains(err.Error(), "orders came in by its") {
				t.Errorf("moved with an order: %v, want a refusal", err)
			}
			if provider, err := store.Provider(ctx); err != nil || provider.Name != "Nordljus" {
				t.Errorf("half of a refused set-up was stored: provider %q, %v", provider.Name, err)
			}
		})
	}
}

func TestApplyAtOnce(t *testing.T) {
	t.Parallel()
	store, _ := newStore(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := store.Apply(context.Background(), setup()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	svc, err := store.Service(context.Background(), "foto")
	if err != nil || svc.Form.Version != 1 {
		t.Errorf("form version %d, %v; want one version", svc.Form.Version, err)
	}
}

func TestKeyRotation(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url, oldKey, newKey := dbtest.New(t), keyring.New(), keyring.New()
	open := func(keys string) *db.Store {
		ring, err := keyring.Parse(keys)
		if err != nil {
			t.Fatal(err)
		}
		store, _ := openStore(t, url, ring)
		return store
	}
	apply(t, open(oldKey), setup())

	if _, err := open(newKey).Connection(ctx, "vitec"); err == nil || !strings.Contains(err.Error(), "PORTICO_SECRET_KEYS") {
		t.Errorf("Connection without the key: %v, want an error that names the keys", err)
	}
	if made := apply(t, open(newKey+","+oldKey), setup()); len(made) > 0 {
		t.Errorf("a new key changed %q", made)
	}
	c, err := open(newKey).Connection(ctx, "vitec")
	if err != nil || len(c.Credentials) != 2 {
		t.Errorf("after applying with both keys, the new one alone opens %d credentials: %v", len(c.Credentials), err)
	}

	lost := []string{"credential of connection vitec for customer *: changed", "credential of connection vitec for customer M1: changed"}
	if diff := cmp.Diff(lost, apply(t, open(oldKey), setup())); diff != "" {
		t.Error("applied with no key that opens what is stored:", diff)
	}
	store, _ := openStore(t, url, nil)
	if _, err := store.Connection(ctx, "vitec"); err == nil {
		t.Error("a store without keys opened credentials")
	}
}

func TestUnknownIDs(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store, _ := newStore(t)
	_, noService := store.Service(ctx, "x")
	_, noConnection := store.Connection(ctx, "x")
	_, noVersion := store.ConnectionVersion(ctx, "x")
	for name, err := range map[string]error{"Service": noService, "Connection": noConnection, "ConnectionVersion": noVersion} {
		if portal.KindOf(err) != portal.NotFound {
			t.Errorf("%s: %v, want NotFound", name, err)
		}
	}
}
