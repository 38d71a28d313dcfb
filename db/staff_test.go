package db_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
)

func addStaff(t *testing.T, store *db.Store, name string, role portal.Role) portal.Staff {
	t.Helper()
	added, err := store.AddStaff(context.Background(), portal.Staff{Email: name + "@n.example", Name: name, Role: role, PasswordHash: "h"})
	if err != nil {
		t.Fatal(err)
	}
	return added
}

func TestAddStaff(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store, _ := newStore(t)
	added, err := store.AddStaff(ctx, portal.Staff{Email: " Ada@N.Example", Name: "Ada ", Role: portal.RoleAdmin, PasswordHash: "h"})
	if err != nil {
		t.Fatal(err)
	}
	want := portal.Staff{ID: added.ID, Email: "ada@n.example", Name: "Ada", Role: portal.RoleAdmin, PasswordHash: "h"}
	if diff := cmp.Diff(want, added); diff != "" {
		t.Error(diff)
	}
	byEmail, err := store.StaffByEmail(ctx, "ADA@n.example ")
	if err != nil {
		t.Fatal(err)
	}
	byID, err := store.StaffByID(ctx, added.ID)
	if err != nil {
		t.Fatal(err)
	}
	if byEmail != want || byID != want {
		t.Errorf("found %+v by e-mail and %+v by id, want %+v", byEmail, byID, want)
	}

	_, err = store.AddStaff(ctx, portal.Staff{Email: "ADA@n.example", Name: "Other", Role: portal.RoleViewer, PasswordHash: "h"})
	var e *portal.Error
	if !errors.As(err, &e) || e.Kind != portal.Conflict || e.Say.Key != "staff.email_taken" {
		t.Errorf("the same e-mail again: %v, want a conflict", err)
	}
	_, err = store.AddStaff(ctx, portal.Staff{Email: "x", Role: "boss"})
	if !errors.As(err, &e) || e.Kind != portal.Invalid || len(e.Fields) != 3 {
		t.Errorf("everything wrong: %v, want three fields at fault", err)
	}
	_, noEmail := store.StaffByEmail(ctx, "x@n.example")
	_, noID := store.StaffByID(ctx, 0)
	if portal.KindOf(noEmail) != portal.NotFound || portal.KindOf(noID) != portal.NotFound {
		t.Errorf("unknown people: %v and %v, want NotFound", noEmail, noID)
	}
}

func TestBlockStaff(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store, clock := newStore(t)
	ada, bo := addStaff(t, store, "ada", portal.RoleAdmin), addStaff(t, store, "bo", portal.RoleFulfiller)
	for _, p := range []portal.Staff{ada, bo} {
		if err := store.CreateSession(ctx, []byte(p.Name), db.SessionStaff, p.ID); err != nil {
			t.Fatal(err)
		}
	}
	start := clock.Time
	for range 2 { // the second time finds it done
		if err := store.BlockStaff(ctx, ada.ID); err != nil {
			t.Fatal(err)
		}
		clock.advance(time.Second)
	}
	blocked, err := store.StaffByEmail(ctx, ada.Email)
	if err != nil {
		t.Fatal(err)
	}
	if blocked.BlockedAt == nil || !blocked.BlockedAt.Equal(start) {
		t.Errorf("blocked at %v, want %v", blocked.BlockedAt, start)
	}
	if _, err := store.LiveSession(ctx, []byte("ada"), db.SessionStaff, time.Hour, time.Hour); portal.KindOf(err) != portal.NotFound {
		t.Errorf("the session of who is blocked: %v, want NotFound", err)
	}
	if _, err := store.LiveSession(ctx, []byte("bo"), db.SessionStaff, time.Hour, time.Hour); err != nil {
		t.Errorf("another's session: %v", err)
	}
	if err := store.BlockStaff(ctx, 0); portal.KindOf(err) != portal.NotFound {
		t.Errorf("blocking nobody: %v, want NotFound", err)
	}
}

func TestStaffList(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	store, _ := newStore(t)
	for name, role := range map[string]portal.Role{"cecilia": portal.RoleAdmin, "ada": portal.RoleFulfiller, "viewer": portal.RoleViewer} {
		addStaff(t, store, name, role)
	}
	if err := store.BlockStaff(ctx, addStaff(t, store, "blocked", portal.RoleAdmin).ID); err != nil {
		t.Fatal(err)
	}
	list, err := store.StaffList(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range list {
		names = append(names, p.Name)
	}
	if diff := cmp.Diff([]string{"ada", "cecilia"}, names); diff != "" {
		t.Error(diff)
	}
}
