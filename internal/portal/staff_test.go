package portal_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

func TestStaff(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		staff portal.Staff
		want  map[string]string
	}{
		"good":        {portal.Staff{Email: "a@b.example", Name: "A", Role: portal.RoleViewer}, nil},
		"nothing":     {portal.Staff{}, map[string]string{"email": "field.email", "name": "field.required", "role": "field.choose"}},
		"with a name": {portal.Staff{Email: "A <a@b.example>", Name: " ", Role: "boss"}, map[string]string{"email": "field.email", "name": "field.required", "role": "field.choose"}},
	} {
		if diff := cmp.Diff(c.want, faults(t, c.staff.Validate())); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	for _, r := range portal.Roles {
		if got, want := (portal.Staff{Role: r}).MayFulfil(), r != portal.RoleViewer; got != want {
			t.Errorf("%s may fulfil: %v", r, got)
		}
	}
	if (portal.Staff{}).MayFulfil() {
		t.Error("nobody may fulfil")
	}
}
