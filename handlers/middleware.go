package handlers

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/klauspost/compress/gzhttp"

	"portico/internal/portal"
	"portico/views"
)

type requestKey struct{}

// request is what is known about a request beside what it says itself.
type request struct {
	id      string
	system  string  // the partner system that it is about
	visitor visitor // who is looking, once a guard knows
}

// about returns what is known about the request.
func about(r *http.Request) *request {
	if known, ok := r.Context().Value(requestKey{}).(*request); ok {
		return known
	}
	return &request{}
}

// requestLog returns the log with the request's id.
func (s *Server) requestLog(r *http.Request) *slog.Logger { return s.log.With("request", about(r).id) }

// wrap is what every request goes through, outermost first.
func (s *Server) wrap(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	crossOrigin.SetDenyHandler(s.handle(refuseCrossOrigin))
	next = crossOrigin.Handler(next)
	next = s.recoverPanic(next)
	next = s.secureHeaders(next)
	next = gzhttp.GzipHandler(next)
	return s.logRequest(next)
}

// logRequest gives the request an id and logs its end, without its query: a
// callback's holds a token.
func (s *Server) logRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()[:12]
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, &request{id: id}))
		w.Header().Set("X-Request-Id", id)
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
		started := time.Now()
		next.ServeHTTP(recorder, r)
		if quietPath(r.URL.Path) && recorder.status < 400 {
			return
		}
		s.log.Info("request", "request", id, "method", r.Method, "path", loggedPath(r.URL.Path),
			"status", recorder.status, "took", time.Since(started))
	})
}

func refuseCrossOrigin(http.ResponseWriter, *http.Request) error {
	return portal.Errorf(portal.Forbidden, "error.cross_origin")
}

func quietPath(path string) bool {
	return strings.HasPrefix(path, "/static/") || path == "/healthz" || path == "/readyz" || path == "/ping"
}

// loggedPath is a path without the secrets that some addresses carry in it.
func loggedPath(path string) string {
	if strings.HasPrefix(path, "/visit/") {
		return "/visit/…"
	}
	if service, ok := strings.CutPrefix(path, "/callback/"); ok {
		service, _, _ = strings.Cut(service, "/")
		return "/callback/" + service
	}
	return path
}

type statusRecorder struct {
	http.ResponseWriter
	status int
	wrote  bool
}

func (r *statusRecorder) WriteHeader(status int) {
	if !r.wrote {
		r.status, r.wrote = status, true
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) Write(b []byte) (int, error) {
	r.wrote = true
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// recoverPanic turns a panic into the page for an internal error.
func (s *Server) recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.serveError(w, r, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}()
		next.ServeHTTP(w, r)
	})
}

const contentPolicy = "default-src 'none'; script-src 'nonce-%s' 'strict-dynamic'; style-src 'self'; img-src 'self'; " +
	"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

// secureHeaders sets what Mozilla's Observatory asks for. The referrer stays on
// our own pages: no-referrer would make their forms send "Origin: null".
func (s *Server) secureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		nonce := rand.Text()
		h := w.Header()
		h.Set("Content-Security-Policy", fmt.Sprintf(contentPolicy, nonce))
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		}
		next.ServeHTTP(w, r.WithContext(templ.WithNonce(r.Context(), nonce)))
	})
}

// maxBody bounds a request's body; forms with files have limits of their own.
const maxBody = 1 << 20

func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

// langCookie holds the language that a visitor chose.
const langCookie = "lang"

// chooseLanguage answers a click in the language switch: it remembers the
// choice and comes back to the same page.
func (s *Server) chooseLanguage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		lang := query.Get("lang")
		if r.Method != http.MethodGet || lang == "" {
			next.ServeHTTP(w, r)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: langCookie, Value: views.MatchLocale(lang, ""), Path: "/", MaxAge: 365 * 24 * 3600,
			HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode})
		query.Del("lang")
		http.Redirect(w, r, localURL(r.URL.EscapedPath(), query.Encode()), http.StatusSeeOther)
	})
}

// localURL is a path of ours with a query. A path that begins with two slashes
// would be another host's address.
func localURL(path, query string) string {
	path = "/" + strings.TrimLeft(path, "/\\")
	if query != "" {
		path += "?" + query
	}
	return path
}

// locale is the visitor's language: chosen, else the browser's, else the provider's.
func locale(r *http.Request, p portal.Provider) string {
	if c, err := r.Cookie(langCookie); err == nil && c.Value != "" {
		return views.MatchLocale(c.Value, p.Locale)
	}
	return views.MatchLocale(r.Header.Get("Accept-Language"), p.Locale)
}
