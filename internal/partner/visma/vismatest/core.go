package vismatest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"portico/internal/partner/door/doortest"
)

// call is a request as its method sees it.
type call struct {
	tenant Tenant
	path   func(string) string
	header http.Header
	query  url.Values
	body   []byte
	fault  doortest.FaultKind
}

func (c call) read(into any) bool { return json.Unmarshal(c.body, into) == nil }

func (s *Server) routeAPI() http.Handler {
	mux := http.NewServeMux()
	method := func(pattern string, op doortest.Op, permission string, do func(call) doortest.Reply) {
		verb, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(verb+" /core/{tenant}/flow/"+path, s.serve(op, permission, do))
	}
	const orders = "api/marketingintegrators/"
	method("POST authtoken", OpToken, "", s.giveToken)
	method("POST "+orders+"verifytoken", OpVerify, PermissionVerify, s.verify)
	method("POST "+orders+"orders/{order}/updatestate", OpState, PermissionOrders, s.updateState)
	method("PATCH "+orders+"orders/{order}", OpUpdate, PermissionOrders, s.update)
	method("POST "+orders+"cases/{case}/createorderasintegrator", OpCreate, PermissionOrders, s.create)
	method("POST api/search/advancedpropertysearch", OpSearch, PermissionCases, s.search)
	method("GET api/cases/{case}/directory", OpList, PermissionFiles, s.folder)
	method("GET api/cases/{case}/directory/{folder}", OpList, PermissionFiles, s.folder)
	method("POST api/cases/{case}/directory/{folder}/file/{$}", OpUpload, PermissionFiles, s.upload)
	mux.HandleFunc("/core/", s.serve(doortest.OpOther, "", func(call) doortest.Reply { return failure(http.StatusNotFound, "No such method.") }))
	return mux
}

// serve answers one method of the API.
func (s *Server) serve(op doortest.Op, permission string, do func(call) doortest.Reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.Serve(w, r, op, r.PathValue("tenant"), func(body []byte, fault doortest.FaultKind) doortest.Reply {
			c := call{path: r.PathValue, header: r.Header, query: r.URL.Query(), body: body, fault: fault}
			return s.authorised(c, permission, do)
		})
	}
}

// redact keeps secrets and files out of the log.
func redact(r *doortest.Request) {
	switch r.Op {
	case OpToken:
		form, _ := url.ParseQuery(r.Body) // what is none shows nothing
		r.Body = "grant_type=" + form.Get("grant_type") + "&client_id=" + form.Get("client_id")
		if r.Status == http.StatusOK {
			r.Answer = ""
		}
	case OpUpload:
		r.Body = ""
	}
}

// authorised answers 429 in throttle mode, 401 without a right bearer and 403
// without the permission that the method takes.
func (s *Server) authorised(c call, permission string, do func(call) doortest.Reply) doortest.Reply {
	var known bool
	if c.tenant, known = s.tenant(c.path("tenant")); !known && c.path("tenant") != "" {
		return failure(http.StatusNotFound, "No such customer.")
	}
	headers, refused := s.take()
	answer := refused
	switch {
	case refused.Status != 0:
	case permission != "" && !s.bears(c):
		answer = failure(http.StatusUnauthorized, "Authorization has been denied for this request.")
	case permission != "" && !slices.Contains(c.tenant.Permissions, permission):
		answer = missing(permission)
	default:
		answer = do(c)
	}
	for name, value := range headers {
		answer = answer.With(name, value)
	}
	return answer
}

func done(v any) doortest.Reply { return doortest.JSON(http.StatusOK, v) }

// failure is an error with a JSON message; its shape is assumed.
func failure(status int, message string) doortest.Reply {
	return doortest.JSON(status, map[string]string{"Message": message})
}

// missing lists the permissions that are missing; the shape of that is assumed.
func missing(permissions ...string) doortest.Reply {
	return doortest.JSON(http.StatusForbidden, map[string]any{
		"Message": "Missing permissions: " + strings.Join(permissions, ", "), "MissingPermissions": permissions})
}
