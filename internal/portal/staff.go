package portal

import (
	"net/mail"
	"slices"
	"strings"
	"time"
)

// Role says what a member of staff may do.
type Role string

// The roles.
const (
	RoleAdmin     Role = "admin"
	RoleFulfiller Role = "fulfiller"
	RoleViewer    Role = "viewer"
)

// Roles lists every role.
var Roles = []Role{RoleAdmin, RoleFulfiller, RoleViewer}

// Staff is one of the provider's people.
type Staff struct {
	ID           int64      `db:"id"`
	Email        string     `db:"email"`
	Name         string     `db:"name"`
	Role         Role       `db:"role"`
	PasswordHash string     `db:"password_hash"`
	BlockedAt    *time.Time `db:"blocked_at"`
}

// MayFulfil reports whether the person may change orders; viewers only look.
func (s Staff) MayFulfil() bool { return s.Role == RoleAdmin || s.Role == RoleFulfiller }

// Actor returns the person as the actor of an event.
func (s Staff) Actor() Actor { return Actor{Kind: ActorStaff, ID: s.ID, Name: s.Name} }

// MinPassword is how long a password is at least, in characters.
const MinPassword = 12

// Validate says what is wrong with the person's e-mail, name and role.
func (s Staff) Validate() error {
	faults := FieldErrors{}
	if a, err := mail.ParseAddress(s.Email); err != nil || a.Address != s.Email {
		faults["email"] = Say("field.email")
	}
	if strings.TrimSpace(s.Name) == "" {
		faults["name"] = Say("field.required")
	}
	if !slices.Contains(Roles, s.Role) {
		faults["role"] = Say("field.choose")
	}
	return InvalidFields(faults)
}
