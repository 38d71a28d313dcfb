package handlers

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"portico/db"
	"portico/internal/portal"
)

// cookieOptions are set on purpose, each of them: gorilla's defaults are
// SameSite=None, thirty days and readable by scripts.
type cookieOptions struct {
	kind           db.SessionKind
	name           string
	secure         bool
	idle, absolute time.Duration
	sameSite       http.SameSite
}

// sessionStore keeps sessions in the database behind gorilla's interface. The
// cookie holds a random id under a signature, the database its hash: a stolen
// table opens no session, and a session that is deleted is over at once.
type sessionStore struct {
	cookieOptions
	store  *db.Store
	codecs []securecookie.Codec
}

var _ sessions.Store = (*sessionStore)(nil)

func newSessionStore(store *db.Store, keys [][]byte, o cookieOptions) *sessionStore {
	if o.secure {
		o.name = "__Host-" + o.name
	}
	s := &sessionStore{cookieOptions: o, store: store}
	for _, key := range keys {
		codec := securecookie.New(key, nil)
		codec.MaxAge(int(o.absolute.Seconds()))
		s.codecs = append(s.codecs, codec)
	}
	return s
}

// Get returns the request's session, the same for the whole request.
func (s *sessionStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New reads the session from the cookie; without a live one it returns a new session.
func (s *sessionStore) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(s, name)
	session.Options = &sessions.Options{Path: "/", HttpOnly: true, Secure: s.secure, SameSite: s.sameSite}
	session.IsNew = true
	cookie, err := r.Cookie(name)
	if err != nil {
		return session, nil
	}
	var id string
	if err := securecookie.DecodeMulti(name, cookie.Value, &id, s.codecs...); err != nil {
		return session, nil // forged, too old or of a key that is gone: as if there were none
	}
	live, err := s.store.LiveSession(r.Context(), hashID(id), s.kind, s.idle, s.absolute)
	switch {
	case portal.KindOf(err) == portal.NotFound:
		return session, nil
	case err != nil:
		return session, err
	}
	session.ID, session.IsNew = id, false
	session.Values["staff"], session.Values["seen"], session.Values["flash"] = live.StaffID, live.LastSeenAt, live.HasFlash
	return session, nil
}

// Save stores a new session and sends its cookie; with a negative MaxAge it
// ends the session instead.
func (s *sessionStore) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	if session.Options.MaxAge < 0 {
		if session.ID != "" {
			if err := s.store.DeleteSession(r.Context(), hashID(session.ID)); err != nil {
				return err
			}
		}
		http.SetCookie(w, sessions.NewCookie(session.Name(), "", session.Options))
		return nil
	}
	if session.ID == "" {
		id := rand.Text() + rand.Text() // 260 bits
		staffID, _ := session.Values["staff"].(int64)
		if err := s.store.CreateSession(r.Context(), hashID(id), s.kind, staffID); err != nil {
			return err
		}
		session.ID, session.IsNew = id, false
	}
	value, err := securecookie.EncodeMulti(session.Name(), session.ID, s.codecs...)
	if err != nil {
		return err
	}
	http.SetCookie(w, sessions.NewCookie(session.Name(), value, session.Options))
	return nil
}

// live returns the hash of the request's session, nil if there is none.
func (s *sessionStore) live(r *http.Request) ([]byte, error) {
	session, err := s.Get(r, s.name)
	if err != nil || session.IsNew {
		return nil, err
	}
	return hashID(session.ID), nil
}

// start returns the hash of the request's session, which it makes if there is none.
func (s *sessionStore) start(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	session, err := s.Get(r, s.name)
	if err != nil {
		return nil, err
	}
	if session.IsNew {
		if err := s.Save(r, w, session); err != nil {
			return nil, err
		}
	}
	return hashID(session.ID), nil
}

// touchEvery is how often a session in use is written, not on each request.
const touchEvery = time.Minute

// touch says that the session is in use.
func (s *sessionStore) touch(ctx context.Context, r *http.Request, now time.Time) error {
	session, err := s.Get(r, s.name)
	if err != nil || session.IsNew {
		return err
	}
	if seen, ok := session.Values["seen"].(time.Time); ok && now.Sub(seen) < touchEvery {
		return nil
	}
	return s.store.TouchSession(ctx, hashID(session.ID))
}

func hasFlash(session *sessions.Session) bool {
	has, _ := session.Values["flash"].(bool)
	return has
}

func hashID(id string) []byte {
	hash := sha256.Sum256([]byte(id))
	return hash[:]
}
