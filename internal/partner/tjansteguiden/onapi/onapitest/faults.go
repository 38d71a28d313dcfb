package onapitest

import (
	"net/http"
	"time"

	"portico/internal/partner/door/doortest"
)

// The methods that can be counted and made to fail.
const (
	OpPlace      doortest.Op = "place"      // POST an order
	OpRead       doortest.Op = "read"       // GET an order
	OpList       doortest.Op = "list"       // GET the orders
	OpWithdraw   doortest.Op = "withdraw"   // DELETE an order
	OpReschedule doortest.Op = "reschedule" // PATCH an order
	OpEvents     doortest.Op = "events"     // GET orderevents
	OpAccess     doortest.Op = "access"     // GET an access
)

// The kinds of fault beside those that every fake has.
const (
	FaultConflict       doortest.FaultKind = "conflict"        // 409
	FaultNotImplemented doortest.FaultKind = "not_implemented" // 501
	FaultGarbage        doortest.FaultKind = "garbage"         // 200 with a JSON text that says nothing
)

const (
	groupRefused = "Anropet utförs inte"
	groupDone    = "Anropet utförs, men svaret kommer inte fram"
)

var (
	maintenance = doortest.Reply{Status: http.StatusOK, Body: "<!doctype html><title>Underhåll</title><h1>Vi är strax tillbaka</h1>"}.
			With("Content-Type", "text/html; charset=utf-8")
	login = doortest.Reply{Status: http.StatusFound}.With("Location", "/inloggning")
)

var faultInfos = []doortest.FaultInfo{
	{Kind: doortest.FaultUnauthorized, Group: groupRefused, Name: "401 Fel inloggning", Text: "Som när lösenordet har bytts.", Answer: failure(http.StatusUnauthorized, "Invalid credentials")},
	{Kind: doortest.FaultForbidden, Group: groupRefused, Name: "403 Åtkomst saknas", Text: "Leverantören får inte använda metoden.", Answer: failure(http.StatusForbidden, "Not allowed with current credentials")},
	{Kind: doortest.FaultBadRequest, Group: groupRefused, Name: "400 Fel i ordern", Text: "Godtas inte, nu eller senare.", Answer: failure(http.StatusBadRequest, "Wrong service for access.")},
	{Kind: doortest.FaultNotFound, Group: groupRefused, Name: "404 Finns inte", Text: "Ordern är okänd.", Answer: failure(http.StatusNotFound, "Object not found")},
	{Kind: FaultConflict, Group: groupRefused, Name: "409 Upptaget", Text: "En annan leverantör har tjänsten på accessen.", Answer: failure(http.StatusConflict, "ServiceType is already claimed by other Service Provider.")},
	{Kind: doortest.FaultTooMany, Group: groupRefused, Name: "429 För många anrop", Text: "Med Retry-After: 10 sekunder.", RetryAfter: "10", Answer: failure(http.StatusTooManyRequests, "Too many requests")},
	{Kind: doortest.FaultServerError, Group: groupRefused, Name: "500 Oväntat fel", Text: "Inget sparas.", Answer: failure(http.StatusInternalServerError, "An Unknown error has occured. Error number 12345")},
	{Kind: FaultNotImplemented, Group: groupRefused, Name: "501 Metoden saknas", Text: "Nätet har inte byggt den.", Answer: failure(http.StatusNotImplemented, "Not implemented")},
	{Kind: doortest.FaultUnavailable, Group: groupRefused, Name: "503 Tillfälligt stängt", Text: "Med Retry-After: 30 sekunder. Standarden har ingen 503.", RetryAfter: "30", Answer: failure(http.StatusServiceUnavailable, "Service unavailable")},
	{Kind: doortest.FaultHTML, Group: groupRefused, Name: "200 med en webbsida", Text: "En sida om underhåll i stället för JSON.", Answer: maintenance},
	{Kind: FaultGarbage, Group: groupRefused, Name: "200 med något annat", Text: "JSON som inte säger något.", Answer: doortest.JSON(http.StatusOK, []string{"?"})},
	{Kind: doortest.FaultRedirect, Group: groupRefused, Name: "302 Vidare till inloggning", Text: "En omdirigering som ingen klient bör följa.", Answer: login},
	{Kind: doortest.FaultDrop, Group: groupRefused, Name: "Anslutningen bryts", Text: "Innan något sparas."},
	{Kind: doortest.FaultStoredDrop, Group: groupDone, Name: "Sparas, sedan bryts anslutningen", Text: "Leverantören kan inte veta att det gick bra."},
	{Kind: doortest.FaultStoredHang, Group: groupDone, Name: "Sparas, sedan tystnad", Text: "Inget svar förrän leverantören ger upp."},
	{Kind: doortest.FaultStoredError, Group: groupDone, Name: "Sparas, sedan 500", Text: "Felet kommer efter att allt är klart."},
	{Kind: doortest.FaultTruncated, Group: groupDone, Name: "Halva svaret", Text: "Sparas, men svarets JSON slutar mitt i."},
	{Kind: doortest.FaultSlow, Group: groupDone, Name: "Långsamt svar", Text: "Svaret kommer efter tio sekunder.", Delay: 10 * time.Second},
}

var words = doortest.Words{
	Ops: []doortest.OpName{
		{Op: doortest.OpAny, Name: "Alla anrop"},
		{Op: OpPlace, Name: "Ny order"},
		{Op: OpRead, Name: "Läs order"},
		{Op: OpList, Name: "Lista ordrar"},
		{Op: OpWithdraw, Name: "Ta tillbaka order"},
		{Op: OpReschedule, Name: "Ändra dag"},
		{Op: OpEvents, Name: "Händelser"},
		{Op: OpAccess, Name: "Läs access"},
	},
	Unknown: "Okänd metod",
	On:      "På för: %s", Always: ", tills vidare", Once: ", ett anrop kvar", Times: ", %d anrop kvar",
}
