package vismatest

import (
	"net/http"
	"time"

	"portico/internal/partner/door/doortest"
)

// The methods that can be counted and made to fail.
const (
	OpToken  doortest.Op = "token"  // POST authtoken
	OpVerify doortest.Op = "verify" // POST VerifyToken
	OpState  doortest.Op = "state"  // POST updatestate
	OpUpdate doortest.Op = "update" // PATCH an order
	OpCreate doortest.Op = "create" // POST CreateOrderAsIntegrator
	OpSearch doortest.Op = "search" // POST AdvancedPropertySearch
	OpList   doortest.Op = "list"   // GET a folder
	OpUpload doortest.Op = "upload" // POST a file
)

// The kinds of fault beside those that every fake has.
const (
	FaultGarbage    doortest.FaultKind = "garbage"     // 200 with a JSON text that says nothing
	FaultOtherOrder doortest.FaultKind = "other_order" // the FlowToken's order is another one
	FaultNoOrder    doortest.FaultKind = "no_order"    // the FlowToken has no order
)

const (
	groupRefused = "Kallet blir ikke utført"
	groupDone    = "Kallet blir utført, men svaret kommer ikke fram"
	groupToken   = "Tokenet er ikke som det skal (gjelder bare VerifyToken)"
)

// What a fault can happen to, and what it answers.
var (
	tokens = []doortest.Op{OpVerify}

	maintenance = doortest.Reply{Status: http.StatusOK, Body: "<!doctype html><title>Vedlikehold</title><h1>Vi er straks tilbake</h1>"}.
			With("Content-Type", "text/html; charset=utf-8")
	login = doortest.Reply{Status: http.StatusFound}.With("Location", "/innlogging")
)

var faultInfos = []doortest.FaultInfo{
	{Kind: doortest.FaultUnauthorized, Group: groupRefused, Name: "401 Ikke innlogget", Text: "Som når tokenet er trukket tilbake.", Answer: failure(http.StatusUnauthorized, "Authorization has been denied for this request.")},
	{Kind: doortest.FaultForbidden, Group: groupRefused, Name: "403 Manglende tilgang", Text: "Svaret nevner rettigheten som mangler. Formen på det er antatt.", Answer: missing(PermissionOrders)},
	{Kind: doortest.FaultBadRequest, Group: groupRefused, Name: "400 Ugyldig kall", Text: "Godtas ikke, nå eller senere.", Answer: failure(http.StatusBadRequest, "The request is invalid.")},
	{Kind: doortest.FaultNotFound, Group: groupRefused, Name: "404 Finnes ikke", Text: "Bestillingen er ukjent.", Answer: failure(http.StatusNotFound, "Not found.")},
	{Kind: doortest.FaultTooMany, Group: groupRefused, Name: "429 For mange kall", Text: "Med Retry-After: 10 sekunder.", RetryAfter: "10", Answer: failure(http.StatusTooManyRequests, "Too many requests.")},
	{Kind: doortest.FaultServerError, Group: groupRefused, Name: "500 Uventet feil", Text: "Ingenting blir lagret.", Answer: failure(http.StatusInternalServerError, "An error has occurred.")},
	{Kind: doortest.FaultUnavailable, Group: groupRefused, Name: "503 Midlertidig stengt", Text: "Med Retry-After: 30 sekunder.", RetryAfter: "30", Answer: failure(http.StatusServiceUnavailable, "Service unavailable.")},
	{Kind: doortest.FaultHTML, Group: groupRefused, Name: "200 med en nettside", Text: "En side om vedlikehold i stedet for JSON.", Answer: maintenance},
	{Kind: FaultGarbage, Group: groupRefused, Name: "200 med noe annet", Text: "JSON som ikke sier noe.", Answer: done([]string{"?"})},
	{Kind: doortest.FaultRedirect, Group: groupRefused, Name: "302 Videre til innlogging", Text: "En omdirigering som ingen klient bør følge.", Answer: login},
	{Kind: doortest.FaultDrop, Group: groupRefused, Name: "Forbindelsen brytes", Text: "Før noe blir lagret."},
	{Kind: doortest.FaultStoredDrop, Group: groupDone, Name: "Lagres, så brytes forbindelsen", Text: "Leverandøren kan ikke vite at det gikk bra."},
	{Kind: doortest.FaultStoredHang, Group: groupDone, Name: "Lagres, så stillhet", Text: "Ikke noe svar før leverandøren gir opp."},
	{Kind: doortest.FaultStoredError, Group: groupDone, Name: "Lagres, så 500", Text: "Feilen kommer etter at alt er ferdig."},
	{Kind: doortest.FaultTruncated, Group: groupDone, Name: "Halve svaret", Text: "Lagres, men JSON-teksten slutter midt i."},
	{Kind: doortest.FaultSlow, Group: groupDone, Name: "Sent svar", Text: "Svaret kommer etter ti sekunder.", Delay: 10 * time.Second},
	{Kind: FaultOtherOrder, Group: groupToken, Name: "En annen bestilling", Text: "OrderId er ikke den i adressen.", Ops: tokens},
	{Kind: FaultNoOrder, Group: groupToken, Name: "Uten bestilling", Text: "Data er tom.", Ops: tokens},
}
