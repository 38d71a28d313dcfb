package handlers

import (
	"net/http"

	"portico/internal/portal"
)

// group is a set of routes behind one guard.
type group struct {
	mux   *http.ServeMux
	guard func(http.Handler) http.Handler
	s     *Server
}

func (g group) handle(pattern string, f func(http.ResponseWriter, *http.Request) error) {
	g.mux.Handle(pattern, g.guard(g.s.handle(f)))
}

// routes is the map of the portal: each group has its guard.
func (s *Server) routes(static http.Handler) http.Handler {
	mux := http.NewServeMux()
	open := func(next http.Handler) http.Handler { return s.chooseLanguage(limitBody(next)) }
	public := group{mux, open, s}
	broker := group{mux, func(next http.Handler) http.Handler { return open(s.requireGrant(next)) }, s}

	mux.Handle("GET /static/", static)
	public.handle("GET /{$}", s.homeShow)
	public.handle("GET /healthz", s.healthShow)
	public.handle("GET /readyz", s.readyShow)
	public.handle("GET /ping", s.healthShow)
	public.handle("/callback/{service}", s.callback)
	public.handle("/callback/{service}/{secret}", s.callback)
	public.handle("POST /oauth/{connection}/token", s.tokenCreate)
	public.handle("GET /visit/{token}", s.visit)
	public.handle("GET /staff/login", s.staffLoginNew)
	public.handle("POST /staff/login", s.staffLoginCreate)
	public.handle("POST /staff/logout", s.staffLoginDelete)
	public.handle("/", func(http.ResponseWriter, *http.Request) error {
		return portal.Errorf(portal.NotFound, "error.not_found")
	})

	broker.handle("GET /orders/{id}", s.orderShow)
	broker.handle("POST /orders/{id}/submission", s.submissionCreate)
	broker.handle("POST /orders/{id}/messages", s.messageCreate)
	broker.handle("POST /orders/{id}/answers", s.answerCreate)
	broker.handle("POST /orders/{id}/revisions", s.revisionCreate)
	broker.handle("POST /orders/{id}/cancellation", s.cancellationCreate)
	broker.handle("GET /orders/{id}/files/{file}", s.fileShow)
	broker.handle("GET /orders/{id}/files.zip", s.fileIndex)

	s.staffRoutes(mux, open)
	return s.wrap(mux)
}

// staffRoutes are what staff can do: look, act, and see everything about a person.
func (s *Server) staffRoutes(mux *http.ServeMux, open func(http.Handler) http.Handler) {
	staff := group{mux, func(next http.Handler) http.Handler { return open(s.requireStaff(next)) }, s}
	fulfil := group{mux, func(next http.Handler) http.Handler { return limitBody(s.requireStaff(s.requireFulfiller(next))) }, s}
	admin := group{mux, func(next http.Handler) http.Handler { return open(s.requireStaff(s.requireAdmin(next))) }, s}
	// A delivery's body is limited by its handler, which streams it.
	upload := group{mux, func(next http.Handler) http.Handler { return s.requireStaff(s.requireFulfiller(next)) }, s}

	staff.handle("GET /staff/{$}", s.staffHome)
	staff.handle("GET /staff/orders", s.staffOrderIndex)
	staff.handle("GET /staff/orders/new", s.staffOrderNew)
	staff.handle("GET /staff/orders/{id}", s.staffOrderShow)
	staff.handle("GET /staff/orders/{id}/files/{file}", s.staffFileShow)
	staff.handle("GET /staff/orders/{id}/log", s.staffLogShow)
	staff.handle("GET /staff/outbox", s.staffOutboxIndex)
	staff.handle("GET /staff/reconciliation", s.staffReconciliationIndex)
	staff.handle("GET /staff/leads", s.staffLeadIndex)
	staff.handle("GET /staff/leads.csv", s.staffLeadExport)
	staff.handle("GET /staff/leads/new", s.staffLeadNew)
	staff.handle("GET /staff/leads/{id}", s.staffLeadShow)
	staff.handle("GET /staff/leads/{id}/edit", s.staffLeadEdit)
	staff.handle("GET /staff/polls", s.staffPollIndex)
	staff.handle("GET /staff/services", s.staffServiceIndex)
	staff.handle("GET /staff/services/{id}", s.staffServiceShow)
	staff.handle("GET /staff/services/{id}/registration.md", s.staffRegistrationShow)
	fulfil.handle("POST /staff/orders", s.staffOrderCreate)
	upload.handle("POST /staff/orders/{id}/deliveries", s.staffDeliveryCreate)
	fulfil.handle("POST /staff/orders/{id}/failure", s.staffFailureCreate)
	fulfil.handle("POST /staff/orders/{id}/interactions", s.staffInteractionCreate)
	fulfil.handle("POST /staff/orders/{id}/start", s.staffStartCreate)
	fulfil.handle("POST /staff/orders/{id}/reopening", s.staffReopeningCreate)
	fulfil.handle("POST /staff/orders/{id}/cancellation", s.staffCancellationCreate)
	fulfil.handle("POST /staff/orders/{id}/steps", s.staffStepCreate)
	fulfil.handle("POST /staff/orders/{id}/activation", s.staffActivationCreate)
	fulfil.handle("POST /staff/orders/{id}/personal-number", s.staffPersonalNumberShow)
	fulfil.handle("POST /staff/orders/{id}/follow-up", s.staffFollowUpCreate)
	fulfil.handle("POST /staff/orders/{id}/messages", s.staffMessageCreate)
	fulfil.handle("POST /staff/orders/{id}/notes", s.staffNoteCreate)
	fulfil.handle("POST /staff/orders/{id}/assignment", s.staffAssignmentCreate)
	fulfil.handle("POST /staff/outbox/retry", s.staffOutboxRetryMany)
	fulfil.handle("POST /staff/outbox/skip", s.staffOutboxSkipMany)
	fulfil.handle("POST /staff/outbox/{job}/retry", s.staffOutboxRetry)
	fulfil.handle("POST /staff/outbox/{job}/skip", s.staffOutboxSkip)
	fulfil.handle("POST /staff/reconciliation", s.staffReconciliationCreate)
	fulfil.handle("POST /staff/reconciliation/{difference}/import", s.staffReconciliationImport)
	fulfil.handle("POST /staff/reconciliation/{difference}/report", s.staffReconciliationReport)
	fulfil.handle("POST /staff/reconciliation/{difference}/acceptance", s.staffReconciliationAccept)
	fulfil.handle("POST /staff/leads", s.staffLeadCreate)
	fulfil.handle("POST /staff/leads/preview", s.staffLeadPreview)
	fulfil.handle("POST /staff/leads/{id}/correction", s.staffLeadCorrect)
	fulfil.handle("POST /staff/leads/{id}/arrival", s.staffLeadArrive)
	fulfil.handle("POST /staff/leads/{id}/retry", s.staffLeadRetry)
	fulfil.handle("POST /staff/leads/{id}/personal-number", s.staffLeadNumberShow)
	fulfil.handle("POST /staff/polls", s.staffPollCreate)
	fulfil.handle("POST /staff/polls/orders/{order}/retry", s.staffPollRetry)
	fulfil.handle("POST /staff/polls/orders/{order}/dismissal", s.staffPollDismiss)
	admin.handle("GET /staff/people", s.staffPeopleIndex)
	admin.handle("POST /staff/people/search", s.staffPeopleSearch)
	admin.handle("POST /staff/people/export", s.staffPeopleExport)
	admin.handle("POST /staff/people/confirmation", s.staffPeopleConfirm)
	admin.handle("POST /staff/people/erasure", s.staffPeopleErase)
}
