// Package handlers answers HTTP: it parses, makes one store or partner call,
// builds one page and renders it. Rules live in the domain, guards in routes.go,
// statuses in errors.go.
package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"gocloud.dev/blob"

	"portico/db"
	"portico/internal/portal"
)

// Entry answers who orders what, from what a callback's query carries.
type Entry interface {
	// Office returns the office that the query claims to be of.
	Office(query url.Values) string
	// Ticket exchanges the query for a ticket at the partner. Its errors are of
	// kind Forbidden (the link is not valid) or Unavailable (the partner does not
	// answer, or with portal.ErrCredential refuses us).
	Ticket(ctx context.Context, query url.Values) (portal.Ticket, error)
	// Plain reads the order from a query without a token. It returns Forbidden for
	// one that names no order.
	Plain(query url.Values) (portal.Ticket, error)
	// Describe returns what the partner tells of a ticket's target, nothing where it
	// does not tell.
	Describe(ctx context.Context, svc portal.Service, t portal.Ticket) (portal.Details, error)
}

// Partners are the connections' partner systems.
type Partners interface {
	Entry(ctx context.Context, connection string) (Entry, error)
	// Preview returns the exact message that the partner would get, and false if
	// it would get none.
	Preview(ctx context.Context, m portal.Message) (string, bool, error)
	// Authorize answers a partner's own call for a token, with which it then sends a
	// broker: a status and a JSON text. It returns NotFound for a connection whose
	// partner fetches none.
	Authorize(ctx context.Context, connection string, header http.Header, body []byte) (status int, answer []byte, err error)
	// Creates reports whether orders of a service can be made from here.
	Creates(svc portal.Service) bool
	// Create makes an order at a service's partner that nobody made there, for one of
	// its customers and on a target of theirs. It returns Forbidden, with the
	// partner's own words as Answer, where we may not; NotFound for a target that is
	// not there; Unavailable otherwise, and its sentence says if there may be an order.
	Create(ctx context.Context, svc portal.Service, customer, target string) (portal.Ticket, error)
	// Sheet returns what the owner of a service's partner system asks for when it
	// is registered there; nothing where it is not.
	Sheet(ctx context.Context, svc portal.Service) (portal.Sheet, error)
	// KeepsLog reports whether the partners of a system keep a log of each order.
	KeepsLog(system string) bool
	// Log returns what an order's partner keeps of it. It returns NotFound where it
	// keeps none, and Unavailable where it does not tell now.
	Log(ctx context.Context, o portal.Order) ([]portal.LogEntry, error)
	// ConnectionsWithLeads returns what the connections say about leads that take
	// any, by connection.
	ConnectionsWithLeads(ctx context.Context) (map[string]portal.LeadSettings, error)
	// PreviewLead returns what a lead's partner would be sent, but for the personal
	// number.
	PreviewLead(ctx context.Context, l portal.Lead) (string, error)
}

// Passwords are how passwords are verified: slowly, and a bounded number of them at once.
type Passwords struct {
	Verify func(ctx context.Context, hash, password string) (bool, error)
	// VerifyNone takes as long as Verify, for people who do not exist.
	VerifyNone func(ctx context.Context, password string) error
}

// Options are what a Server needs.
type Options struct {
	Store      *db.Store
	Partners   Partners
	Reconciler Reconciler
	Bucket     *blob.Bucket
	Passwords  Passwords
	CookieKeys [][]byte // newest first
	BaseURL    *url.URL
	Static     http.Handler
	Log        *slog.Logger
}

// Server answers every address of product and staff screens.
type Server struct {
	store      *db.Store
	partners   Partners
	reconciler Reconciler
	bucket     *blob.Bucket
	passwords  Passwords
	brokers    *sessionStore
	staff      *sessionStore
	secure     bool // reached by HTTPS
	baseURL    string
	log        *slog.Logger
	callbacks  *limiter // callbacks of one address
	badLinks   *limiter // links of one address that were not valid
	handler    http.Handler
}

// LongestSession is the age at which nobody can use a session any more.
const LongestSession = staffAbsolute

// Idle and absolute limits of sessions.
const (
	brokerIdle     = 60 * time.Minute
	brokerAbsolute = 8 * time.Hour
	staffIdle      = 30 * time.Minute
	staffAbsolute  = 12 * time.Hour
)

// New returns a Server.
func New(o Options) *Server {
	s := &Server{store: o.Store, partners: o.Partners, reconciler: o.Reconciler, bucket: o.Bucket, passwords: o.Passwords,
		secure: o.BaseURL.Scheme == "https", baseURL: o.BaseURL.String(), log: o.Log}
	s.callbacks, s.badLinks = newLimiter(5, 60, s.now), newLimiter(0.1, 20, s.now)
	s.brokers = newSessionStore(o.Store, o.CookieKeys, cookieOptions{kind: db.SessionBroker, name: "b", secure: s.secure,
		idle: brokerIdle, absolute: brokerAbsolute, sameSite: http.SameSiteLaxMode})
	s.staff = newSessionStore(o.Store, o.CookieKeys, cookieOptions{kind: db.SessionStaff, name: "s", secure: s.secure,
		idle: staffIdle, absolute: staffAbsolute, sameSite: http.SameSiteStrictMode})
	s.handler = s.routes(o.Static)
	return s
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// now is the time of the store's clock, so that pages and rows agree.
func (s *Server) now() time.Time { return s.store.Now() }
