package vitectest

import (
	"cmp"
	"time"
)

// statusName returns the Swedish word for a status; others are shown as they are.
func statusName(status string) string {
	return cmp.Or(map[string]string{StatusOrdered: "Beställd", StatusReceived: "Mottagen", "Error": "Fel",
		"Delivered": "Levererad"}[status], status)
}

// typeName returns the Swedish word for a type of estate.
func typeName(t string) string {
	return cmp.Or(map[string]string{"House": "Villa", "Cottage": "Fritidshus", "HousingCooperative": "Bostadsrätt",
		"Condominium": "Ägarlägenhet", "Farm": "Gård", "Plot": "Tomt", "CommercialProperty": "Kommersiell fastighet",
		"Premises": "Lokal", "ForeignProperty": "Utlandsobjekt"}[t], t)
}

type opName struct {
	Op   Op
	Name string
}

var opNames = []opName{
	{OpAny, "Alla anrop"},
	{OpToken, "Token till biljett"},
	{OpStatus, "Sätt status"},
	{OpInteraction, "Fråga till användaren"},
	{OpList, "Lista beställningar"},
}

// faultInfo is a fault as the page of faults explains it.
type faultInfo struct {
	Kind       FaultKind
	Group      string
	Name       string
	Text       string
	retryAfter string
	delay      time.Duration
}

const (
	groupRefused = "Anropet utförs inte"
	groupDone    = "Anropet utförs, men svaret kommer inte fram"
	groupTicket  = "Biljetten är inte som den ska (gäller bara token till biljett)"
)

var faultInfos = []faultInfo{
	{Kind: FaultUnauthorized, Group: groupRefused, Name: "401 Fel inloggning", Text: "Som när lösenordet har bytts eller gått ut."},
	{Kind: FaultForbidden, Group: groupRefused, Name: "403 Åtkomst saknas", Text: "Kontoret har inte gett leverantören rätt till metoden."},
	{Kind: FaultBadRequest, Group: groupRefused, Name: "400 Valideringsfel", Text: "Uppgifterna godtas inte, nu eller senare."},
	{Kind: FaultNotFound, Group: groupRefused, Name: "404 Finns inte", Text: "Vitec dokumenterar inte 404; andra har sett det."},
	{Kind: FaultTooMany, Group: groupRefused, Name: "429 För många anrop", Text: "Med Retry-After: 10 sekunder. Inte dokumenterat av Vitec.", retryAfter: "10"},
	{Kind: FaultServerError, Group: groupRefused, Name: "500 Oväntat fel", Text: "Inget sparas."},
	{Kind: FaultUnavailable, Group: groupRefused, Name: "503 Tillfälligt stängt", Text: "Med Retry-After: 30 sekunder.", retryAfter: "30"},
	{Kind: FaultHTML, Group: groupRefused, Name: "200 med en webbsida", Text: "En sida om underhåll i stället för JSON."},
	{Kind: FaultRedirect, Group: groupRefused, Name: "302 Vidare till inloggning", Text: "En omdirigering som ingen klient bör följa."},
	{Kind: FaultFalse, Group: groupRefused, Name: "200 med false", Text: "Gäller status och fråga. Vad false betyder är inte dokumenterat."},
	{Kind: FaultDrop, Group: groupRefused, Name: "Anslutningen bryts", Text: "Innan något sparas."},
	{Kind: FaultStoredDrop, Group: groupDone, Name: "Sparas, sedan bryts anslutningen", Text: "Leverantören kan inte veta att det gick bra."},
	{Kind: FaultStoredHang, Group: groupDone, Name: "Sparas, sedan tystnad", Text: "Inget svar förrän leverantören ger upp."},
	{Kind: FaultStoredError, Group: groupDone, Name: "Sparas, sedan 500", Text: "Felet kommer efter att allt är klart."},
	{Kind: FaultTruncated, Group: groupDone, Name: "Halva svaret", Text: "Sparas, men svarets JSON slutar mitt i."},
	{Kind: FaultSlow, Group: groupDone, Name: "Långsamt svar", Text: "Svaret kommer efter tio sekunder.", delay: 10 * time.Second},
	{Kind: FaultExpired, Group: groupTicket, Name: "Utgången", Text: "hasExpired är true i en annars hel biljett."},
	{Kind: FaultExpiredBare, Group: groupTicket, Name: "Utgången och tom", Text: "hasExpired är true och inget annat är ifyllt."},
	{Kind: FaultNoExpiry, Group: groupTicket, Name: "Utan hasExpired", Text: "Biljetten säger inte om den har gått ut."},
	{Kind: FaultOtherOffice, Group: groupTicket, Name: "Ett annat kontors biljett", Text: "customerId är inte det som står i adressen."},
	{Kind: FaultEmptyTicket, Group: groupTicket, Name: "Utan beställning", Text: "orderId är tomt."},
}
