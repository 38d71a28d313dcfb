package tjansteguidentest

import (
	"fmt"
	"net/http"
	"strconv"
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

// The methods that can be counted and made to fail, by their own names.
const (
	OpAny             = doortest.OpAny
	OpLogin        Op = "api_login"
	OpOrders       Op = "orders"
	OpOrderInfo    Op = "order_info"
	OpOrderLog     Op = "order_log"
	OpCustomerInfo Op = "customer_info"
	OpCustomers    Op = "customers"
	OpSetStatus    Op = "set_status"
	OpAddMessage   Op = "add_message"
)

// The kinds of fault beside those that every fake has.
const (
	FaultFailed   FaultKind = "failed"    // 200 with the status failed, nothing done
	FaultGarbage  FaultKind = "garbage"   // 200 with something that is no XML, nothing done
	FaultLost     FaultKind = "lost"      // 200 with success, nothing done
	FaultCut      FaultKind = "cut"       // done, but the connection ends in the middle of the answer
	FaultNoSocket FaultKind = "no_socket" // a customer without one
)

const (
	groupRefused = "Anropet utförs inte"
	groupDone    = "Anropet utförs, men svaret kommer inte fram"
	groupOdd     = "Svaret är inte som det ska"
)

func refusal(status int, message string) doortest.Reply {
	return xmlReply(status, failed("rest", message))
}

// What a fault answers.
var (
	maintenance = doortest.Reply{Status: http.StatusOK, Body: "<!doctype html><title>Underhåll</title><h1>Vi är strax tillbaka</h1><br>"}.
			With("Content-Type", "text/html; charset=utf-8")
	garbage = doortest.Reply{Status: http.StatusOK, Body: "Warning: mysql_connect(): Too many connections & <b>on line 12"}.
		With("Content-Type", "application/xml")
	login = doortest.Reply{Status: http.StatusFound}.With("Location", "/inloggning")
	lost  = xmlReply(http.StatusOK, tree("set_status", tree("response", text("message", "Status changed")), text("status", "success")))
)

var faultInfos = []doortest.FaultInfo{
	{Kind: doortest.FaultUnauthorized, Group: groupRefused, Name: "401 Fel inloggning", Text: "Som när nyckeln har bytts.", Answer: refusal(http.StatusUnauthorized, "Not authorized.")},
	{Kind: doortest.FaultForbidden, Group: groupRefused, Name: "403 Åtkomst saknas", Text: "Som när användaren inte har rätt till metoden.", Answer: refusal(http.StatusForbidden, "No privileges.")},
	{Kind: doortest.FaultBadRequest, Group: groupRefused, Name: "400 med status failed", Text: "Som vid ett fel i anropet. Hur fel ser ut är antaget.", Answer: refusal(http.StatusBadRequest, "1 error")},
	{Kind: doortest.FaultNotFound, Group: groupRefused, Name: "404 Finns inte", Text: "Som en metod som inte finns.", Answer: refusal(http.StatusNotFound, "Not found.")},
	{Kind: doortest.FaultTooMany, Group: groupRefused, Name: "429 För många anrop", Text: "Med Retry-After: 10 sekunder. Om det finns gränser är inte känt.", RetryAfter: "10", Answer: refusal(http.StatusTooManyRequests, "Too many requests.")},
	{Kind: doortest.FaultServerError, Group: groupRefused, Name: "500 Oväntat fel", Text: "Inget sparas.", Answer: refusal(http.StatusInternalServerError, "Unexpected error.")},
	{Kind: doortest.FaultUnavailable, Group: groupRefused, Name: "503 Tillfälligt stängt", Text: "Med Retry-After: 30 sekunder.", RetryAfter: "30", Answer: refusal(http.StatusServiceUnavailable, "Closed.")},
	{Kind: FaultFailed, Group: groupRefused, Name: "200 med status failed", Text: "Bara svaret säger att det gick fel.", Answer: refusal(http.StatusOK, "1 error")},
	{Kind: doortest.FaultHTML, Group: groupRefused, Name: "200 med en webbsida", Text: "En sida om underhåll i stället för XML.", Answer: maintenance},
	{Kind: FaultGarbage, Group: groupRefused, Name: "200 med skräp", Text: "Det heter XML men är det inte.", Answer: garbage},
	{Kind: doortest.FaultRedirect, Group: groupRefused, Name: "302 Vidare till inloggning", Text: "En omdirigering som ingen klient bör följa.", Answer: login},
	{Kind: FaultLost, Group: groupRefused, Name: "Klart, men inget sparas", Text: "Gäller set_status. Leverantören tror att allt är klart.", Answer: lost, Ops: []Op{OpSetStatus}},
	{Kind: doortest.FaultDrop, Group: groupRefused, Name: "Anslutningen bryts", Text: "Innan något sparas."},
	{Kind: doortest.FaultStoredDrop, Group: groupDone, Name: "Sparas, sedan bryts anslutningen", Text: "Leverantören kan inte veta att det gick bra."},
	{Kind: doortest.FaultStoredHang, Group: groupDone, Name: "Sparas, sedan tystnad", Text: "Inget svar förrän leverantören ger upp."},
	{Kind: doortest.FaultStoredError, Group: groupDone, Name: "Sparas, sedan 500", Text: "Felet kommer efter att allt är klart."},
	{Kind: doortest.FaultSlow, Group: groupDone, Name: "Långsamt svar", Text: "Svaret kommer efter tio sekunder.", Delay: 10 * time.Second},
	{Kind: doortest.FaultTruncated, Group: groupOdd, Name: "Halva svaret", Text: "Ett helt HTTP-svar, men dess XML slutar mitt i."},
	{Kind: FaultCut, Group: groupOdd, Name: "Anslutningen bryts mitt i svaret", Text: "Content-Length är rätt, men bara hälften kommer."},
	{Kind: FaultNoSocket, Group: groupOdd, Name: "Kund utan accessId", Text: "Gäller customer_info: elementet socket saknas.", Ops: []Op{OpCustomerInfo}},
}

// poisoned is an order that a method cannot be asked about.
type poisoned struct {
	order string
	op    Op
}

// Break makes every answer about one order go wrong while all others are good:
// op is OpOrderInfo, OpCustomerInfo or OpAny for both; the kind is one that has
// an answer of its own, FaultTruncated, FaultCut or FaultNoSocket. An empty kind
// heals it. It panics at any other: a test of that would prove nothing.
func (s *Server) Break(order string, op Op, kind FaultKind) {
	info, known := doortest.Find(faultInfos, func(i doortest.FaultInfo) bool { return i.Kind == kind })
	spoils := info.Answer.Status != 0 || kind == doortest.FaultTruncated || kind == FaultCut || kind == FaultNoSocket
	if kind != "" && (!known || !spoils) {
		panic(fmt.Sprintf("the fake cannot break an order by %q", kind))
	}
	ops := []Op{op}
	if op == OpAny {
		ops = []Op{OpOrderInfo, OpCustomerInfo}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range ops {
		if kind == "" {
			delete(s.poison, poisoned{order, op})
			continue
		}
		s.poison[poisoned{order, op}] = kind
	}
}

func (s *Server) poisonOf(o *Order, op Op) FaultKind { return s.poison[poisoned{o.ID, op}] }

// spoil makes an answer go wrong.
func spoil(kind FaultKind, r doortest.Reply) doortest.Reply {
	info, _ := doortest.Find(faultInfos, func(i doortest.FaultInfo) bool { return i.Kind == kind })
	switch {
	case info.Answer.Status != 0:
		return info.Answer
	case kind == FaultCut: // the server ends a connection that owes the rest of a body
		r = r.With("Content-Length", strconv.Itoa(len(r.Body)))
		r.Body = r.Body[:len(r.Body)/2]
	case kind == doortest.FaultTruncated:
		r.Body = r.Body[:len(r.Body)/2]
	}
	return r
}
