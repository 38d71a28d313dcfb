package vitectest

import (
	"net/http"
	"time"

	"portico/internal/partner/door/doortest"
)

// What every fake has, by the names that the portal's tests know it by.
type (
	Op        = doortest.Op
	Fault     = doortest.Fault
	FaultKind = doortest.FaultKind
	Request   = doortest.Request
)

// The methods that can be counted and made to fail.
const (
	OpAny            = doortest.OpAny
	OpToken       Op = "token"
	OpStatus      Op = "status"
	OpInteraction Op = "interaction"
	OpList        Op = "list"
	OpLead        Op = "lead"
)

// The kinds of fault that every fake has.
const (
	FaultUnauthorized = doortest.FaultUnauthorized
	FaultForbidden    = doortest.FaultForbidden
	FaultBadRequest   = doortest.FaultBadRequest
	FaultNotFound     = doortest.FaultNotFound
	FaultTooMany      = doortest.FaultTooMany
	FaultServerError  = doortest.FaultServerError
	FaultUnavailable  = doortest.FaultUnavailable
	FaultHTML         = doortest.FaultHTML
	FaultRedirect     = doortest.FaultRedirect
	FaultDrop         = doortest.FaultDrop
	FaultTruncated    = doortest.FaultTruncated
	FaultStoredDrop   = doortest.FaultStoredDrop
	FaultStoredHang   = doortest.FaultStoredHang
	FaultStoredError  = doortest.FaultStoredError
	FaultSlow         = doortest.FaultSlow
)

// The kinds of fault that only this one has.
const (
	FaultFalse       FaultKind = "false"        // 200 with false, nothing done
	FaultLost        FaultKind = "lost"         // 200 with true, nothing done
	FaultUnopened    FaultKind = "unopened"     // ordered, and the provider never hears of it
	FaultNoExpiry    FaultKind = "no_expiry"    // ticket without hasExpired
	FaultExpired     FaultKind = "expired"      // ticket that has expired
	FaultExpiredBare FaultKind = "expired_bare" // ticket with hasExpired and nothing else
	FaultOtherOffice FaultKind = "other_office" // ticket of another office
	FaultEmptyTicket FaultKind = "empty_ticket" // ticket without an order id
	FaultFields      FaultKind = "fields"       // 400 that names fields of a lead
	FaultNoLeadID    FaultKind = "no_lead_id"   // a lead is kept, and the answer names none
)

const (
	groupRefused = "Anropet utförs inte"
	groupDone    = "Anropet utförs, men svaret kommer inte fram"
	groupTicket  = "Biljetten är inte som den ska (gäller bara token till biljett)"
	groupLead    = "Tipset tas inte emot som det ska (gäller bara tips)"
)

// What a fault can happen to, and what it answers.
var (
	tokens  = []Op{OpToken}
	changes = []Op{OpStatus, OpInteraction}
	orders  = []Op{doortest.OpOrder}
	leads   = []Op{OpLead}

	maintenance = doortest.Reply{Status: http.StatusOK, Body: "<!doctype html><title>Underhåll</title><h1>Vi är strax tillbaka</h1>"}.
			With("Content-Type", "text/html; charset=utf-8")
	login = doortest.Reply{Status: http.StatusFound}.With("Location", "/inloggning")
)

var faultInfos = []doortest.FaultInfo{
	{Kind: FaultUnauthorized, Group: groupRefused, Name: "401 Fel inloggning", Text: "Som när lösenordet har bytts eller gått ut.", Answer: failure(http.StatusUnauthorized, "Felaktig inloggning.")},
	{Kind: FaultForbidden, Group: groupRefused, Name: "403 Åtkomst saknas", Text: "Kontoret har inte gett leverantören rätt till metoden.", Answer: failure(http.StatusForbidden, "Åtkomst saknas.")},
	{Kind: FaultBadRequest, Group: groupRefused, Name: "400 Valideringsfel", Text: "Uppgifterna godtas inte, nu eller senare.", Answer: failure(http.StatusBadRequest, "Valideringsfel.")},
	{Kind: FaultNotFound, Group: groupRefused, Name: "404 Finns inte", Text: "Vitec dokumenterar inte 404; andra har sett det.", Answer: failure(http.StatusNotFound, "Finns inte.")},
	{Kind: FaultTooMany, Group: groupRefused, Name: "429 För många anrop", Text: "Med Retry-After: 10 sekunder. Inte dokumenterat av Vitec.", RetryAfter: "10", Answer: failure(http.StatusTooManyRequests, "För många anrop.")},
	{Kind: FaultServerError, Group: groupRefused, Name: "500 Oväntat fel", Text: "Inget sparas.", Answer: failure(http.StatusInternalServerError, "Oväntat fel.")},
	{Kind: FaultUnavailable, Group: groupRefused, Name: "503 Tillfälligt stängt", Text: "Med Retry-After: 30 sekunder.", RetryAfter: "30", Answer: failure(http.StatusServiceUnavailable, "Tillfälligt stängt.")},
	{Kind: FaultHTML, Group: groupRefused, Name: "200 med en webbsida", Text: "En sida om underhåll i stället för JSON.", Answer: maintenance},
	{Kind: FaultRedirect, Group: groupRefused, Name: "302 Vidare till inloggning", Text: "En omdirigering som ingen klient bör följa.", Answer: login},
	{Kind: FaultFalse, Group: groupRefused, Name: "200 med false", Text: "Gäller status och fråga. Vad false betyder är inte dokumenterat.", Answer: done(false), Ops: changes},
	{Kind: FaultLost, Group: groupRefused, Name: "200 med true, men inget sparas", Text: "Gäller status och fråga. Leverantören tror att allt är klart, tills listorna jämförs.", Answer: done(true), Ops: changes},
	{Kind: FaultUnopened, Group: groupRefused, Name: "Beställningen når inte leverantören", Text: "Gäller knappen Beställ: ingen sida öppnas och inget anrop görs. Den dateras en timme tillbaka.", Ops: orders},
	{Kind: FaultDrop, Group: groupRefused, Name: "Anslutningen bryts", Text: "Innan något sparas."},
	{Kind: FaultStoredDrop, Group: groupDone, Name: "Sparas, sedan bryts anslutningen", Text: "Leverantören kan inte veta att det gick bra."},
	{Kind: FaultStoredHang, Group: groupDone, Name: "Sparas, sedan tystnad", Text: "Inget svar förrän leverantören ger upp."},
	{Kind: FaultStoredError, Group: groupDone, Name: "Sparas, sedan 500", Text: "Felet kommer efter att allt är klart."},
	{Kind: FaultTruncated, Group: groupDone, Name: "Halva svaret", Text: "Sparas, men svarets JSON slutar mitt i."},
	{Kind: FaultSlow, Group: groupDone, Name: "Långsamt svar", Text: "Svaret kommer efter tio sekunder.", Delay: 10 * time.Second},
	{Kind: FaultExpired, Group: groupTicket, Name: "Utgången", Text: "hasExpired är true i en annars hel biljett.", Ops: tokens},
	{Kind: FaultExpiredBare, Group: groupTicket, Name: "Utgången och tom", Text: "hasExpired är true och inget annat är ifyllt.", Ops: tokens},
	{Kind: FaultNoExpiry, Group: groupTicket, Name: "Utan hasExpired", Text: "Biljetten säger inte om den har gått ut.", Ops: tokens},
	{Kind: FaultOtherOffice, Group: groupTicket, Name: "Ett annat kontors biljett", Text: "customerId är inte det som står i adressen.", Ops: tokens},
	{Kind: FaultEmptyTicket, Group: groupTicket, Name: "Utan beställning", Text: "orderId är tomt.", Ops: tokens},
	{Kind: FaultFields, Group: groupLead, Name: "400 som namnger fält", Text: "Förnamn och mobiltelefon godtas inte. Hur svaret ser ut är antaget.", Answer: invalid(leadFaults{"person.FirstName": "Förnamn innehåller otillåtna tecken.", "person.Telephone.Cell": "Mobiltelefon är ogiltig."}), Ops: leads},
	{Kind: FaultNoLeadID, Group: groupLead, Name: "Utan id", Text: "Tipset sparas, men svaret är tomt.", Ops: leads},
}
