package handlers

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"portico/internal/portal"
	"portico/views"
)

// Limits of failed log-ins in a window, per account and per address. Who runs
// into one gets the same answer whether the account exists or not.
const (
	loginWindow        = 15 * time.Minute
	loginsPerAccount   = 10
	loginsPerAddress   = 50
	maxPasswordLength  = 200
	staffHomePath      = "/staff/orders"
	loginLockedMinutes = int(loginWindow / time.Minute)
)

// staffHome goes to the queue.
func (s *Server) staffHome(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, staffHomePath, http.StatusSeeOther)
	return nil
}

func (s *Server) staffLoginNew(w http.ResponseWriter, r *http.Request) error {
	return s.render(w, r, http.StatusOK, views.StaffLoginPage{Base: s.base(r), Next: safeNext(r.URL.Query().Get("next"))})
}

// staffLoginCreate signs in. The session is a new one: an id that somebody
// planted before is worth nothing.
func (s *Server) staffLoginCreate(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	email, password := typedEmail(r.PostForm), r.PostForm.Get("password")
	person, refused, err := s.verify(r, email, password)
	if err != nil {
		return err
	}
	if refused.Key != "" {
		p := views.StaffLoginPage{Base: s.base(r), Next: safeNext(r.PostForm.Get("next")), Email: email, Error: refused}
		p.Path = "/staff/login"
		return s.render(w, r, http.StatusUnprocessableEntity, p)
	}
	if err := s.endStaffSession(w, r); err != nil {
		return err
	}
	session, err := s.staff.Get(r, s.staff.name)
	if err != nil {
		return err
	}
	session.ID, session.Options.MaxAge = "", 0
	session.Values["staff"] = person.ID
	if err := s.staff.Save(r, w, session); err != nil {
		return err
	}
	next := safeNext(r.PostForm.Get("next"))
	if next == "" {
		next = staffHomePath
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
	return nil
}

// typedEmail is the e-mail as it was typed; what PostgreSQL would not take is
// replaced by what no e-mail holds.
func typedEmail(typed url.Values) string {
	email := strings.ToValidUTF8(strings.ToLower(text(typed, "email")), "\uFFFD")
	return strings.ReplaceAll(email, "\x00", "\uFFFD")
}

// verify returns the person whose e-mail and password these are, or the
// sentence with which they are refused.
func (s *Server) verify(r *http.Request, email, password string) (portal.Staff, portal.Sentence, error) {
	ctx := r.Context()
	account, address := "login/account/"+email, "login/address/"+clientIP(r)
	for key, limit := range map[string]int{account: loginsPerAccount, address: loginsPerAddress} {
		n, err := s.store.Counted(ctx, key)
		if err != nil {
			return portal.Staff{}, portal.Sentence{}, err
		}
		if n >= limit {
			return portal.Staff{}, portal.Say("login.locked", "Minutes", loginLockedMinutes), nil
		}
	}
	person, ok, err := s.checkPassword(r, email, password)
	if err != nil {
		return portal.Staff{}, portal.Sentence{}, err
	}
	if !ok {
		for _, key := range []string{account, address} {
			if _, err := s.store.Count(ctx, key, loginWindow); err != nil {
				return portal.Staff{}, portal.Sentence{}, err
			}
		}
		return portal.Staff{}, portal.Say("login.wrong"), nil
	}
	return person, portal.Sentence{}, s.store.ResetCount(ctx, account)
}

// checkPassword takes as long for people who do not exist.
func (s *Server) checkPassword(r *http.Request, email, password string) (portal.Staff, bool, error) {
	if len(password) > maxPasswordLength {
		return portal.Staff{}, false, nil
	}
	person, err := s.store.StaffByEmail(r.Context(), email)
	if portal.KindOf(err) == portal.NotFound {
		return portal.Staff{}, false, s.passwords.VerifyNone(r.Context(), password)
	}
	if err != nil {
		return portal.Staff{}, false, err
	}
	ok, err := s.passwords.Verify(r.Context(), person.PasswordHash, password)
	return person, ok && person.BlockedAt == nil, err
}

func (s *Server) staffLoginDelete(w http.ResponseWriter, r *http.Request) error {
	if err := s.endStaffSession(w, r); err != nil {
		return err
	}
	http.Redirect(w, r, "/staff/login", http.StatusSeeOther)
	return nil
}

// endStaffSession deletes the session, so that its cookie is worth nothing
// wherever it was copied to.
func (s *Server) endStaffSession(w http.ResponseWriter, r *http.Request) error {
	session, err := s.staff.Get(r, s.staff.name)
	if err != nil {
		return err
	}
	session.Options.MaxAge = -1
	return s.staff.Save(r, w, session)
}

// safeNext returns next if it is a staff screen of ours, else nothing: a log-in
// must not send people elsewhere. A path with dots is not what it looks like.
func safeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || strings.Contains(u.Path, "\\") ||
		path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/") ||
		!strings.HasPrefix(u.Path, "/staff/") || strings.HasPrefix(u.Path, "/staff/log") {
		return ""
	}
	return next
}
